"""Envelopes: everything that a string may hold is found, with its path, within bounds, whatever it is."""

from __future__ import annotations

import base64
import gzip
import json
import time
import zlib
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import events
from serverless_guard import inputs, sources
from serverless_guard.inputs import envelopes, thorough
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
    "JSON with escapes": lambda text: '{"a": "' + "".join(f"\\u{ord(letter):04x}" for letter in text) + '"}',
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


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """Each test begins as a process does: no header and no key was seen before."""
    inputs.KNOWN.clear()
    inputs.KNOWN_KEYS.clear()


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


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "x:y", "b": {"a": 1}}',
        '{"a:b": "::", "c": [":", {"d": "\\u003a:"}]}',
        '{"a": "\\u003aa"}',
        '[":", ":"]',
        '{"t": "12:30", "u": "https://x.example/a:b"}',
    ],
)
def test_colons_are_no_duplicate_keys(text: str) -> None:
    assert rules(text) == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(alphabet=':"\\{}[],a\u00e9 ', max_size=6),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet=':"\\a,', max_size=3), inner, max_size=3),
        max_leaves=12,
    ),
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_json_without_duplicate_keys_has_no_finding(value: Any, ascii: bool, indent: int | None) -> None:
    assert "SG-LIM-008" not in rules(json.dumps(value, ensure_ascii=ascii, indent=indent))


@given(st.text(max_size=40) | st.text(alphabet="%+aA0f2 c3", max_size=20))
def test_url_decoding_is_that_of_the_standard_library(text: str) -> None:
    assert envelopes.from_url(quote_plus(text, errors="surrogatepass")) == text
    assert envelopes.from_url(text) == unquote_plus(text)


ODD = [
    b"bytes", bytearray(b"x"), ("a", "b"), {"a"}, {1: "x", None: "y", False: "z", b"k": "w", (1,): "v"}, "\ud800", "\x00", float("nan"), 10**400,
    object(), {"a": object()}, {"headers": 1},
]  # fmt: skip


@pytest.mark.parametrize("value", ODD, ids=[str(index) for index in range(len(ODD))])
@pytest.mark.parametrize("where", ["body", "header", "query", "aws", "key"])
@pytest.mark.parametrize("encoding", ["", "base64", "url", "base64+gzip"])
def test_odd_values_are_normal(value: Any, where: str, encoding: str) -> None:
    parts = [("p", value, where, -1, encoding)]
    list(inputs.walk(parts, inputs.opened(parts, LIMITS)))


def _worst() -> dict[str, str]:
    """Inputs that cost the most a byte, each about 1 MB."""
    bomb = b64(gzip.compress(b"a" * 5_000_000))
    return {
        "braces": "{" * 10**6, "brackets": "[" * 10**6, "quotes": '"\\' * 500_000, "blanks and braces": " {" * 500_000, "borders": "\x1f{" * 500_000,
            "blanks": " " * 10**6,
        "token marks": "eyJ" * 330_000, "short tokens": "eyJ." * 250_000, "tokens": "eyJhIjoxfQ.eyJhIjoxfQ.x " * 40_000,
            "keys": json.dumps(dict.fromkeys(map(str, range(90_000)), 1)),
        "lists": "[" + "[]," * 330_000 + "[]]", "strings": json.dumps(["a"] * 190_000), "lines": '{"a":1}\n' * 120_000,
            "a pair twice": '{"a":1,"a":2,' + ",".join(f'"k{n}":1' for n in range(90_000)) + "}",
        "escapes": '{"a":"' + "\\u003a" * 160_000 + '"}', "form": "a=1&" * 250_000, "percent": "a=%" * 330_000, "dashes": "--\n" * 330_000,
            "dispositions": "--b\nContent-Disposition: " + "name=" * 190_000,
        "tags": "<a>b</a>" * 120_000, "open tags": "<" * 10**6, "sections": "<![CDATA[" * 110_000, "comments": "<!--" * 250_000, "base64": "A" * 10**6,
            "words": ("a=" + "A" * 20 + ";") * 43_000,
        "much base64": json.dumps([b64(f"hello world {n} hello") for n in range(30_000)]), "bombs": json.dumps([bomb[:-8] + b64(str(n)).ljust(8, "=")
            for n in range(100)]), "members": b64(gzip.compress(b"a") * 30_000),
        "JSON in JSON": json.dumps([json.dumps({"a": n}) for n in range(60_000)]), "digits": "[" + ",".join(["9" * 4200] * 230) + "]", "NUL": "\x00" * 10**6,
            "surrogates": "\ud800" * 10**6,
    }  # fmt: skip


@pytest.mark.parametrize("place", ["body", "list", "header"])
@pytest.mark.parametrize(("name", "text"), _worst().items(), ids=_worst())
def test_the_worst_input_is_looked_at_within_a_bounded_time(name: str, text: str, place: str) -> None:
    value, where = {"body": (text, "body"), "list": ([text], "body"), "header": ({"x-a": text}, "header")}[place]
    parts = [("p", value, where, -1, "")]
    start = time.process_time()
    for _ in inputs.walk(parts, inputs.opened(parts, LIMITS)):
        pass
    assert time.process_time() - start < 4  # measured: at most 0.4 s


def test_what_decoding_gives_is_bounded_over_all_of_the_event() -> None:
    bombs = [b64(gzip.compress(str(n).encode() + b"a" * 900_000)) for n in range(40)]
    assert rules(bombs) == ["SG-LIM-001"]
    assert rules({"a": bombs[0]}, Limits(max_decoded=1000)) == ["SG-LIM-002"]


@pytest.mark.parametrize(
    ("limits", "value", "rule"),
    [
        (Limits(max_bytes=100, max_string=100), ["x" * 40] * 3, "SG-LIM-001"),
        (Limits(max_decoded=100), json.dumps({"a": "x" * 100}), "SG-LIM-002"),
        (Limits(max_depth=3), json.dumps({"a": [[[1]]]}), "SG-LIM-003"),
        (Limits(max_depth=3), {"a": {"b": json.dumps({"c": {"d": 1}})}}, "SG-LIM-003"),
        (Limits(max_keys=3), json.dumps([{"a": 1, "b": 2}] * 2), "SG-LIM-004"),
        (Limits(max_items=3), json.dumps([1, 2, 3, 4]), "SG-LIM-005"),
        (Limits(max_items=3), "a=1&b=2&c=3&d=4", "SG-LIM-005"),
        (Limits(max_string=50), json.dumps(["x" * 51]), "SG-LIM-006"),
        (Limits(max_envelopes=1), {"a": json.dumps({"b": json.dumps({"c": "ddd"})})}, "SG-LIM-007"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("SG") else "",
)
def test_a_bound_that_is_hit_is_a_finding(limits: Limits, value: Any, rule: str) -> None:
    assert rules(value, limits) == [rule]
    assert rules(value) == []


def test_an_event_that_holds_itself_is_cut() -> None:
    event: dict[str, Any] = {"name": MARK}
    event["self"] = event["again"] = event
    result = opened(event)
    assert [finding.rule for finding in result.findings] == ["SG-LIM-003"] or [finding.rule for finding in result.findings] == ["SG-LIM-004"]
    assert MARK in result.texts
    assert len(list(inputs.walk([("body", event, "body", -1, "")], result))) < 10**6


@given(
    st.recursive(
        st.text() | st.binary() | st.floats() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
    ),
    st.sampled_from(["body", "header", "query", "aws", "key"]),
    st.sampled_from(["", "base64", "url"]),
)
def test_no_value_makes_it_raise(value: Any, where: str, encoding: str) -> None:
    parts = [("p", value, where, -1, encoding), ("q", json.dumps(repr(value)), "body", -1, "")]
    list(inputs.walk(parts, inputs.opened(parts, LIMITS)))


@given(st.text(alphabet='{}[]":,\\u0a1 \n\t=&%+<>-;.eyJ', max_size=60))
def test_no_text_makes_it_raise(text: str) -> None:
    for value, where in ((text, "body"), ([text], "body"), ({"x-a": text}, "header"), (b64(text), "body")):
        parts = [("p", value, where, -1, "")]
        result = inputs.opened(parts, LIMITS)
        walked = [found for _, _, _, found, _ in inputs.walk(parts, result)]
        assert set(result.texts) - {""} <= set(walked) | {text}


FORMS = {
    "a form": ("a=1&name=x%27+OR+%271%27%3D%271%27+--&b=2", "body.name"),
    "multipart": ("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x' OR '1'='1' --\"\r\n\r\nhello\r\n--b--", "body[0].filename"),
    "multipart in base64": (
        f'--b\r\nContent-Disposition: form-data; name="file"\r\nContent-Transfer-Encoding: base64\r\n\r\n{b64(MARK)}\r\n--b--',
        "body[0].content",
    ),
    "XML": ("<order><note>x' OR <![CDATA['1'='1]]>' --</note></order>", "body[2]"),
}


@pytest.mark.parametrize("kind", FORMS)
def test_a_body_is_opened_whatever_its_content_type_says(kind: str) -> None:
    text, path = FORMS[kind]
    assert paths(text)[path] == MARK


def test_claims_of_a_token_are_seen_wherever_it_stands() -> None:
    token = ".".join(
        base64.urlsafe_b64encode(part.encode()).decode().rstrip("=")
        for part in (json.dumps({"alg": "none", "kid": "k"}), json.dumps({"sub": MARK}), "signature")
    )
    for text in (f"Bearer {token}", f"theme=dark; token={token}", token):
        for value, where in (({"Authorization": text}, "header"), ([text], "header"), ({"t": text}, "query"), (json.dumps({"t": text}), "body")):
            parts = [("p", value, where, -1, "")]
            result = inputs.opened(parts, LIMITS)
            assert MARK in result.texts, (text, where)
            assert any(path.endswith(".sub") and found == MARK for path, _, _, found, _ in inputs.walk(parts, result))


def test_base64_of_a_header_and_a_cookie_is_seen() -> None:
    for value in ({"Authorization": f"Basic {b64(MARK)}"}, {"X-Payload": b64(MARK)}, {"Cookie": f"a=b; c={b64(MARK)}"}, {"X-Many": [b64(MARK), "x"]}):
        assert MARK in opened(value, "header").texts


def test_a_twin_of_the_headers_hides_nothing() -> None:
    single = ("headers", {"a": "1", "b": "2"}, "header", -1, "")
    for twin in (
        {"a": ["1"], "b": ["2", MARK]},
        {"a": ["1"], "b": {"2": MARK}},
        {"a": ["1"], "b": MARK},
        {"a": ["1", "2"], "b": [], "c": [MARK]},
        {"a": [["1", MARK]], "b": ["2"]},
        {"a": ["1"], MARK: ["2"]},
    ):
        result = inputs.opened([single, ("multi", twin, "header", -1, "")], LIMITS)
        assert MARK in result.texts, twin


def test_objects_that_stand_for_events_are_read_as_the_mapping_they_hold() -> None:
    from aws_lambda_powertools.utilities.data_classes import SQSEvent
    from pydantic import BaseModel

    class Order(BaseModel):
        note: str

    event = SQSEvent({"Records": []})
    assert inputs.raw(event) == {"Records": []}
    assert isinstance(inputs.like(event, {"Records": [1]}), SQSEvent)
    assert inputs.raw(Order(note="x")) == {"note": "x"}
    assert inputs.like(Order(note="x"), {"note": "y"}) == Order(note="y")
    for plain in (None, [], "text", b"bytes", 7, {"a": 1}):
        assert inputs.raw(plain) is plain


def agree(parts: list[Any]) -> bool:
    """Whether the quick look saw all that the thorough one sees; it need not see all, but then it must say so."""
    try:
        quick = inputs._quick(parts, LIMITS)
    except (TypeError, ValueError, LookupError, RecursionError, inputs.TooLarge):
        return False
    if quick is None:
        return False
    full = thorough.opened(parts, LIMITS)
    assert set(quick.texts) - {""} == set(full.texts) - {""}
    assert set(quick.joined.split(inputs.SEP)) - {""} == set(full.joined.split(inputs.SEP)) - {""}
    assert quick.values == full.values and not full.findings
    assert {text: steps for text, steps in full.nodes.items() if steps} == quick.nodes
    assert list(inputs.walk(parts, quick)) == list(inputs.walk(parts, full))
    return True


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([wrap(MARK) for wrap in WRAPPINGS.values()]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3) | inner.map(json.dumps),
        max_leaves=12,
    ),
    st.sampled_from(["body", "header", "query", "aws", "attribute"]),
    st.booleans(),
)
def test_the_quick_look_misses_nothing_that_the_thorough_one_sees(value: Any, where: str, dumped: bool) -> None:
    agree([("p", json.dumps(value) if dumped else value, where, -1, ""), ("q", {"a": value}, where, -1, ""), ("r", {"a": [value]}, where, -1, "")])


@pytest.mark.parametrize("case", ["REST, 1 KB body", "HTTP, 1 KB body", "ALB, 1 KB body", "SQS of 10", "S3"])
def test_the_quick_look_is_enough_for_events_of_every_day(case: str) -> None:
    for text in events.clean(case, 20):
        event = json.loads(text)
        assert agree(sources.module(sources.recognise(event)).parts(event))


def test_what_was_harmless_before_is_left_out_of_the_next_look_and_nothing_else_is() -> None:
    inputs.KNOWN.clear()
    inputs.KNOWN_KEYS.clear()
    parts = [("headers", {"User-Agent": "an agent", "X-A": MARK}, "header", -1, ""), ("body", json.dumps({"note": "an agent", "a:b": 1}), "body", -1, "")]
    first = opened_parts(parts)
    inputs.remember(first, plain=True)
    again = opened_parts(parts)
    assert set(again.texts) - {""} == {"an agent", "a:b"}  # the body's, and a key that would upset the counting
    inputs.KNOWN.clear()
    inputs.KNOWN_KEYS.clear()


def opened_parts(parts: list[Any]) -> inputs.Opened:
    return inputs.opened(parts, LIMITS)


def test_what_a_key_that_comes_twice_hides_is_walked_too() -> None:
    text = '{"n": "first", "n": "second", "a": [{"k": "x", "k": "y"}]}'
    parts = [("body", text, "body", -1, "")]
    walked = {found for _, _, _, found, _ in inputs.walk(parts, inputs.opened(parts, LIMITS))}
    assert {"first", "second", "x", "y"} <= walked
