"""Envelopes: everything that a string may hold is found, with its path, within bounds, whatever it is."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_guard import inputs
from serverless_guard.inputs import envelopes
from serverless_guard.policy import Limits

MARK = "x' OR '1'='1' --"
LIMITS = Limits()


def opened(value: Any, where: str = "body", encoding: str = "", limits: Limits = LIMITS) -> inputs.Opened:
    return inputs.opened([("body", value, where, -1, encoding)], limits)


def paths(value: Any, where: str = "body", encoding: str = "") -> dict[str, str]:
    """Path of each string that is no key."""
    parts = [("body", value, where, -1, encoding)]
    return {path: text for path, _, _, text, is_key in inputs.walk(parts, inputs.opened(parts, LIMITS)) if not is_key}


def rules(value: Any, limits: Limits = LIMITS, encoding: str = "") -> list[str]:
    return [finding.rule for finding in opened(value, encoding=encoding, limits=limits).findings]


def b64(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


WRAPPINGS = {
    "JSON": lambda text: json.dumps({"a": [{"b": text}]}),
    "JSON with escapes": lambda text: '{"a": "%s"}' % "".join(f"\\u{ord(letter):04x}" for letter in text),
    "JSON after blanks": lambda text: " \r\n\t" + json.dumps([text]),
    "JSON with blanks": lambda text: json.dumps({"a": text}, indent=4),
    "JSON after a byte order mark": lambda text: "\ufeff" + json.dumps([text]),
    "a JSON string": lambda text: json.dumps("\n" + text),
    "JSON Lines": lambda text: json.dumps({"a": 1}) + "\n" + json.dumps({"a": text}),
    "a key of JSON": lambda text: json.dumps({text: 1}),
    "base64": b64,
    "base64 without padding": lambda text: b64(text).rstrip("="),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 in lines": lambda text: base64.encodebytes((text + " " * 80).encode()).decode(),
    "gzip": lambda text: b64(gzip.compress(text.encode())),
    "gzip of two members": lambda text: b64(gzip.compress(b" " * 20) + gzip.compress(text.encode())),
    "zlib": lambda text: b64(zlib.compress(text.encode())),
}


@pytest.mark.parametrize("first", WRAPPINGS)
@pytest.mark.parametrize("second", WRAPPINGS)
def test_what_is_wrapped_twice_is_found_at_its_place(first: str, second: str) -> None:
    text = WRAPPINGS[second](WRAPPINGS[first](MARK))
    if second == "a key of JSON" and WRAPPINGS[first](MARK)[0] not in '{["':
        return  # nobody takes a key for base64
    for value in (text, {"detail": {"inner": text}}, [text]):
        result = opened(value)
        assert any(MARK in found for found in result.texts)
        assert MARK in result.joined
        assert not result.findings
        parts = [("body", value, "body", -1, "")]
        assert any(MARK in found for _, _, _, found, _ in inputs.walk(parts, inputs.opened(parts, LIMITS)))


def test_a_path_leads_through_the_envelopes() -> None:
    detail = {"detail": {"name": MARK}}
    assert paths(json.dumps({"Message": json.dumps(detail)})) == {"body.Message.detail.name": MARK}
    assert paths(b64(json.dumps([detail])), encoding="base64")["body[0].detail.name"] == MARK
    assert paths({"it's": [MARK], "a b": MARK})["body[key of 4 characters][0]"] == MARK
    assert paths({"it's": [MARK], "a b": MARK})['body["a b"]'] == MARK


def test_json_itself_is_not_looked_at_once_it_is_opened() -> None:
    result = opened(json.dumps({"Message": json.dumps({"note": "fine"})}))
    assert sorted(text for text in result.texts if text) == ["Message", "fine", "note"]
    assert "{" not in result.joined


def test_the_value_of_a_part_is_what_it_holds_as_data() -> None:
    assert opened('{"a": 1}').values == [{"a": 1}]
    assert opened(b64('{"a": 1}'), encoding="base64").values == [{"a": 1}]
    assert opened("a+b%20c", where="key", encoding="url").values == ["a b c"]
    assert opened("plain text").values == ["plain text"]
    assert opened('{"a": 1} {"a": 2}').values == ['{"a": 1} {"a": 2}']
    assert opened({"a": 1}).values == [{"a": 1}]
    assert opened(None).values == [None]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('{"a": 1, "a": 2}', "SG-LIM-008"),
        ('{"x": {"a": 1, "a": {"b": 2}}}', "SG-LIM-008"),
        ('{"a": "\\u003a", "b": 1, "b": 2}', "SG-LIM-008"),
        ('{"a:b": 1, "a:b": 2}', "SG-LIM-008"),
        (json.dumps({"inner": '{"a": 1, "a": 2}'}), "SG-LIM-008"),
        ('{"a": 1}\n{"a": 1, "a": 2}', "SG-LIM-008"),
        ('{"a": NaN}', "SG-LIM-009"),
        ("[-Infinity]", "SG-LIM-009"),
        ("[1e999]", "SG-LIM-009"),
        (f"[{'9' * 400}]", "SG-LIM-010"),
        (f"[{'9' * 5000}]", "SG-LIM-010"),
        ("[" * 100 + "]" * 100, "SG-LIM-003"),
        ("[" * 100_000 + "]" * 100_000, "SG-LIM-003"),
        ("[" * 100_000, "SG-LIM-003"),
    ],
    ids=lambda value: value[:24],
)
def test_what_parsers_disagree_about_is_a_finding(text: str, rule: str) -> None:
    assert rules(text) == [rule]
    assert rules(b64(text), encoding="base64") == [rule]
    assert rules(json.dumps([text + " "])) == [rule]


@pytest.mark.parametrize("text", ['{"a": "x:y", "b": {"a": 1}}', '{"a:b": "::", "c": [":", {"d": "\\u003a:"}]}', '{"a": "\\u003aa"}', '[":", ":"]', '{"t": "12:30", "u": "https://x.example/a:b"}'])
def test_colons_are_no_duplicate_keys(text: str) -> None:
    assert rules(text) == []


@given(st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(alphabet=':"\\{}[],a\u00e9 ', max_size=6), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet=':"\\a,', max_size=3), inner, max_size=3), max_leaves=12), st.booleans(), st.sampled_from([None, 1]))
def test_json_without_duplicate_keys_has_no_finding(value: Any, ascii: bool, indent: int | None) -> None:
    assert "SG-LIM-008" not in rules(json.dumps(value, ensure_ascii=ascii, indent=indent))


@given(st.text(max_size=40) | st.text(alphabet="%+aA0f2 c3", max_size=20))
def test_url_decoding_is_that_of_the_standard_library(text: str) -> None:
    assert envelopes.from_url(quote_plus(text, errors="surrogatepass")) == text
    assert envelopes.from_url(text) == unquote_plus(text)


ODD = [
    b"bytes", bytearray(b"x"), ("a", "b"), {"a"}, {1: "x", None: "y", True: "z", b"k": "w", (1,): "v"}, "\ud800", "\x00", float("nan"), 10**400,
    object(), {"a": object()}, {"headers": 1},
]  # fmt: skip


@pytest.mark.parametrize("value", ODD, ids=[str(index) for index in range(len(ODD))])
@pytest.mark.parametrize("where", ["body", "header", "query", "aws", "key"])
@pytest.mark.parametrize("encoding", ["", "base64", "url", "base64+gzip"])
def test_odd_values_are_normal(value: Any, where: str, encoding: str) -> None:
    parts = [("p", value, where, -1, encoding)]
    list(inputs.walk(parts, inputs.opened(parts, LIMITS)))
