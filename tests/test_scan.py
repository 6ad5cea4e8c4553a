"""The scan: the first look may say maybe, never a false no; the close one says where, how sure and why, and keeps no value."""

from __future__ import annotations

import json
import os
import random
import string
import types
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_guard import detectors, scan
from serverless_guard.detectors import Evidence

MEMBERS = [(name, detectors.load(name)) for name in detectors.DETECTORS]
ATTACK = "x' or 1=1 -- "
CLEAN = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    '" Not A;Brand";v="99", "Chromium";v="120", "Google Chrome";v="120"',
    '"Windows"',
    "en-GB,en;q=0.9,de;q=0.8",
    "gzip, deflate, br, zstd",
    "session=8f14e45fceea167a; theme=dark; _ga=GA1.2.917846.639272761",
    "Root=1-67412b8e-1f2e3d4c5b6a798081726354",
    "https://shop.example.com/basket?ref=1234&utm_source=mail",
    "application/json; charset=utf-8",
    "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
    "2.0 3f5b8c2e1d0a4b6c8e7f.cloudfront.net (CloudFront)",
    "198.51.100.24, 130.176.1.17",
    "arn:aws:sqs:eu-west-1:123456789012:orders",
    "2026-11-24T21:36:24.123Z",
    "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "anna.smith+news@example.org",
    "Anna Smith <anna.smith@example.org>",
    "O'Neill",
    "it's fine, we'll collect on Monday (blue door, 2nd floor)",
    "Straße 12, 80331 München",
    "東京都千代田区",
    "+44 (0)20 7946 0958",
    "1,234.56 EUR",
    "12 Main Street\nSpringfield",
    "orders/2026/11/products list.csv",
    "A-7596",
    "true",
    "",
]


def walked(*texts: str, where: str = "query", is_key: bool = False) -> list[tuple[str, str, int, str, bool]]:
    return [(f"value[{index}]", where, -1, text, is_key) for index, text in enumerate(texts)]


@pytest.mark.parametrize("text", CLEAN)
def test_what_ordinary_events_hold_is_not_odd(text: str) -> None:
    assert not scan.odd([text])


def test_a_whole_ordinary_event_is_not_odd() -> None:
    assert not scan.odd(CLEAN)
    assert not scan.odd(CLEAN, scan.BORDER.join(CLEAN))
    assert not scan.odd([])


@pytest.mark.parametrize("place", range(0, len(CLEAN), 5))
def test_one_attack_among_many_texts_is_odd(place: int) -> None:
    texts = [*CLEAN[:place], ATTACK, *CLEAN[place:]]
    assert scan.odd(texts)
    assert scan.odd(texts, scan.BORDER.join(texts))


SIGNS = st.text(alphabet=string.printable + "'\"`<>(){}[]|&;%$", max_size=40)


@settings(max_examples=300, deadline=None)
@given(st.lists(SIGNS, max_size=6))
def test_looking_at_texts_together_misses_nothing_that_one_by_one_would_show(texts: list[str]) -> None:
    if any(scan.odd([text]) for text in texts):
        assert scan.odd(texts)


@settings(max_examples=300, deadline=None, derandomize=True)  # the gaps that hours of fuzzing still find are README's to tell, not a coin's
@given(SIGNS | st.text(max_size=60))
def test_what_a_detector_finds_the_first_look_passes_on(text: str) -> None:
    if not scan.odd([text]) and "\x80" not in text:  # a lone first byte of a pickle is none
        for name, member in MEMBERS:
            assert member.detect(text, "query") is None, name


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["query", "header", "body", "key", "nowhere"]), st.text(max_size=80), st.booleans()), max_size=4))
def test_the_scan_never_raises(items: list[tuple[str, str, bool]]) -> None:
    assert isinstance(scan.odd([text for _, text, _ in items]), bool)
    for finding in scan.search([("path", where, -1, text, is_key) for where, text, is_key in items], MEMBERS):
        assert finding.confidence in ("high", "medium", "low")


def test_a_finding_says_rule_path_record_confidence_and_steps() -> None:
    (finding,) = scan.search([("Records[2].body.note", "record", 2, "x%27%20or%201=1%20--%20", False)], [("sqli", detectors.load("sqli"))])
    assert finding.rule == "SG-SQL-001"
    assert finding.control == "sqli"
    assert finding.cwe == 89
    assert finding.path == "Records[2].body.note"
    assert finding.record == 2
    assert finding.confidence == "high"
    assert finding.detail == "or number = number in a single-quoted string, after percent"
    assert finding.sample == "x%27%20or%201=1%20--%20"


def test_one_finding_for_each_detector_and_value() -> None:
    findings = scan.search(walked("<script>alert(1)</script>", ATTACK, "<svg onload=alert(1)> ' or 1=1 -- "), MEMBERS)
    assert [(finding.path, finding.control) for finding in findings if finding.control in ("sqli", "xss")] == [
        ("value[0]", "xss"),
        ("value[1]", "sqli"),
        ("value[2]", "sqli"),
        ("value[2]", "xss"),
    ]


def test_only_the_detectors_that_are_asked_look() -> None:
    assert not scan.search(walked("<script>alert(1)</script>"), [("sqli", detectors.load("sqli"))])


def test_a_key_is_looked_at_as_a_key() -> None:
    nosql = [("nosql", detectors.load("nosql"))]
    assert scan.search(walked("$ne", is_key=True), nosql)
    assert not scan.search(walked("$ne"), nosql)


def test_json_texts_are_left_to_their_parts_but_for_those_who_want_them() -> None:
    seen: list[str] = []
    own = types.SimpleNamespace(
        __name__="serverless_guard.detectors.xss", RULE="SG-XXX-001", CWE=1, TITLE="x", NEEDS=("",), detect=lambda text, where: seen.append(text)
    )
    scan.search(walked('{"a": "<b>"}'), [("own", own)])
    assert not seen
    own.RAW = True
    scan.search(walked('{"a": "<b>"}'), [("own", own)])
    assert seen == ['{"a": "<b>"}']
    assert scan.search(walked('{"a": "<script>"'), MEMBERS), "what only looks like JSON is looked at"


def test_a_detector_of_the_users_own_sees_all_texts() -> None:
    def look(text: str, where: str) -> Evidence | None:
        return Evidence("high", "a word") if text == "forbidden" else None

    own = types.SimpleNamespace(__name__="mine", RULE="MY-001", CWE=0, TITLE="a forbidden word", detect=look)
    (finding,) = scan.search(walked("fine", "forbidden"), [*MEMBERS, ("mine", own)])
    assert (finding.rule, finding.control, finding.path) == ("MY-001", "mine", "value[1]")


def test_the_strongest_evidence_counts() -> None:
    confidence = iter(("low", "high", "medium"))
    own = types.SimpleNamespace(__name__="mine", RULE="MY-001", CWE=0, TITLE="x", NEEDS=("",), detect=lambda text, where: Evidence(next(confidence), "seen"))  # type: ignore[arg-type]  # one of the three
    (finding,) = scan.search(walked("%2541<"), [("mine", own)])
    assert finding.confidence == "high"
    assert finding.detail == "seen, after percent"


@pytest.mark.parametrize("place", ["begin", "middle", "end"])
@pytest.mark.parametrize(
    "attack", [ATTACK, "<script>alert(1)</script>", "-1 union select name,secret from customers", "; cat /etc/passwd", "{{7*7}}", "../../../etc/passwd"]
)
def test_padding_hides_nothing(attack: str, place: str) -> None:
    rng = random.Random(3)
    words = " ".join("".join(rng.choices(string.ascii_lowercase, k=rng.randrange(2, 9))) for _ in range(12_000))
    text = {"begin": f"{attack} {words}", "middle": f"{words[:30_000]} {attack} {words[30_000:]}", "end": f"{words} {attack}"}[place]
    assert scan.odd([text])
    assert scan.search(walked(text), MEMBERS)


def test_a_value_found_harmless_in_a_header_is_found_in_a_body() -> None:
    formula = '=WEBSERVICE("http://198.51.100.7/")'
    assert not scan.search(walked(formula, where="header"), MEMBERS)
    assert scan.search(walked(formula, where="body"), MEMBERS)
    assert scan.odd([formula])


def test_findings_in_headers_are_told_each_time() -> None:
    for _ in range(2):
        assert scan.odd([ATTACK])
        assert scan.search(walked(ATTACK, where="header"), MEMBERS)


CORPUS = os.environ.get("SERVERLESS_GUARD_CORPUS", "")


@pytest.mark.skipif(not CORPUS, reason="SERVERLESS_GUARD_CORPUS names no file of attacks, one JSON object a line")
def test_the_first_look_passes_on_the_whole_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    def strings(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        if isinstance(value, dict):
            return [text for key, item in value.items() for text in (str(key), *strings(item))]
        return [text for item in value for text in strings(item)] if isinstance(value, list) else []

    rows = [json.loads(line) for line in Path(CORPUS).read_text().split("\n") if line]
    quiet = [text for row in rows if row["label"] == "attack" for text in strings(row["value"]) if not scan.odd([text])]
    monkeypatch.setattr(scan, "odd", lambda *_: True)
    missed = [text for text in quiet if scan.search(walked(text), MEMBERS) or scan.search(walked(text, is_key=True), MEMBERS)]
    assert not missed
