"""Detectors, data first: `tests/corpus/<detector>/{attack,benign}.txt`, one value a line; a line `json:...` is a structure.

Every attack must be found as it stands and in every encoding that a back end might undo; nothing harmless may be.
"""

from __future__ import annotations

import base64
import html
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_guard import detectors, scan
from serverless_guard.testing import detect
from serverless_guard.text import forms

CORPUS = Path(__file__).parent / "corpus"
OWN = ("sqli", "nosql", "xss", "ldap", "xxe", "crlf")
MEMBERS = {name: detectors.load(name) for name in detectors.DETECTORS}


def values(name: str, kind: str) -> list[str]:
    path = CORPUS / name / f"{kind}.txt"
    return [line for line in path.read_text().split("\n") if line] if path.exists() else []


def found(name: str, line: str) -> list[str]:
    """Confidence of what the detector finds in a line of the corpus."""
    value = json.loads(line[5:]) if line.startswith("json:") else line
    return [detection.confidence for detection in detect(value) if detection.control == name]


def wide(value: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in value)


def escaped(value: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else letter for letter in value)


FAMILIES: dict[str, Callable[[str], str]] = {
    "percent": lambda value: quote(value, safe=""),
    "double percent": lambda value: quote(quote(value, safe=""), safe=""),
    "plus": lambda value: quote_plus(value, safe=""),
    "entities": html.escape,
    "numeric entities": lambda value: "".join(f"&#x{ord(letter):x};" for letter in value),
    "unicode escapes": escaped,
    "full width": wide,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "url-safe base64": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
    "hex": lambda value: value.encode().hex(),
    "JSON in a string": lambda value: json.dumps({"note": value}),
    "JSON in JSON": lambda value: json.dumps({"note": json.dumps({"note": value})}),
    "padding before": lambda value: "A" * 3000 + " " + value,
    "blanks before": lambda value: " " * 3000 + value,
    "padding behind": lambda value: value + " " + "A" * 3000,
}
CASES = {"upper case": str.upper, "swapped case": str.swapcase, "tabs": lambda value: value.replace(" ", "\t")}


def lines(kind: str) -> list[Any]:
    return [pytest.param(name, line, id=f"{name}-{number}") for name in detectors.DETECTORS for number, line in enumerate(values(name, kind), 1)]


@pytest.mark.parametrize(("name", "line"), lines("attack"))
def test_an_attack_is_found(name: str, line: str) -> None:
    assert found(name, line)


@pytest.mark.parametrize(("name", "line"), lines("benign"))
def test_what_is_harmless_is_not_reported(name: str, line: str) -> None:
    assert not found(name, line)


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("family", [*FAMILIES, *CASES])
def test_an_attack_is_found_in_every_spelling(name: str, family: str) -> None:
    spell = (FAMILIES | CASES)[family]
    plain = [line for line in values(name, "attack") if not line.startswith("json:")]
    missed = [line for line in plain if not found(name, spell(line))]
    assert len(missed) <= len(plain) * 0.03, missed


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_harmless_stays_so_in_every_spelling(name: str, family: str) -> None:
    flagged = [line for line in values(name, "benign") if not line.startswith("json:") and found(name, FAMILIES[family](line))]
    assert not flagged


@pytest.mark.parametrize("name", detectors.DETECTORS)
def test_needs_never_says_no_to_what_the_detector_finds(name: str) -> None:
    member = MEMBERS[name]
    for line in values(name, "attack"):
        for text, _ in forms(line):
            if member.detect(text, "query"):
                low = text.lower()
                assert any(need in low if isinstance(need, str) else all(literal in low for literal in need) for need in member.NEEDS), line


@pytest.mark.parametrize("name", detectors.DETECTORS)
def test_the_first_look_never_says_no_to_what_a_detector_finds(name: str) -> None:
    for line in values(name, "attack"):
        if line.startswith("json:"):
            continue
        for family in ("percent", "double percent", "entities", "numeric entities", "unicode escapes", "full width"):
            assert scan.odd([FAMILIES[family](line)]), (family, line)
        if MEMBERS[name].detect(line, "query"):
            assert scan.odd([line]), line
            assert scan.odd(["anna", line, "Springfield"]), line


@pytest.mark.parametrize("name", detectors.DETECTORS)
def test_a_shape_never_repeats_the_value(name: str) -> None:
    for line in values(name, "attack"):
        for detection in detect(line):
            assert line not in detection.detail
            assert "zqx" not in detection.detail
            assert len(detection.detail) < 200


def test_a_name_of_the_value_never_comes_into_a_finding_but_as_its_sample() -> None:
    for value in ("' or zqxname=zqxname--", "<img src=zqxname onerror=zqxname()>", "*)(zqxname=*", "-1 union select zqxname,2 from zqxname"):
        for detection in detect(value):
            assert "zqx" not in f"{detection.title} {detection.detail} {detection.path}"
            assert detection.sample == value


TEXTS = st.text(max_size=300) | st.text(alphabet="'\"`<>(){}[];:&|%$#@!*-+=/\\., \n\t\0oraunisectl1=ux", max_size=300)


@pytest.mark.parametrize("name", OWN)
@settings(max_examples=200, deadline=None)
@given(text=TEXTS, where=st.sampled_from(["header", "query", "path", "url", "body", "record", "attribute", "key", "event"]))
def test_a_detector_never_raises(name: str, text: str, where: str) -> None:
    evidence = MEMBERS[name].detect(text, where)
    assert evidence is None or evidence.confidence in ("high", "medium", "low")


@settings(max_examples=200, deadline=None)
@given(
    value=st.recursive(
        TEXTS | st.none() | st.booleans() | st.integers() | st.floats(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
        max_leaves=12,
    )
)
def test_detect_never_raises(value: object) -> None:
    detect(value)


PIECES = [
    "'",
    '"',
    "`",
    "(",
    ")",
    "{",
    "${",
    "%",
    "%25",
    "/*",
    "*/",
    "--",
    "#\n",
    "<",
    "<a ",
    "<!--",
    "=",
    " or ",
    "select ",
    "union ",
    "' or ",
    "&#",
    "\\u00",
    ")(",
    "\r\n",
    "\r\nx:",
    ";",
    "on",
    "a=b ",
    "'a' ",
    "@",
    "x.",
    "1,",
    " and a",
    "<!DOCTYPE ",
    "[",
    "]|",
]


@pytest.mark.parametrize("name", OWN)
def test_time_grows_with_the_length_and_no_faster(name: str) -> None:
    member = MEMBERS[name]

    def cost(text: str) -> float:
        best = 9.0
        for _ in range(3):
            started = time.process_time()
            member.detect(text, "body")
            best = min(best, time.process_time() - started)
        return best

    for piece in PIECES:
        short, long = piece * (8_000 // len(piece)), piece * (32_000 // len(piece))
        assert cost(long) < 8 * cost(short) + 0.02, piece


def test_noise_of_128_kb_takes_a_moment() -> None:
    rng = random.Random(5)
    noise = "".join(chr(rng.randrange(32, 127)) for _ in range(128_000))
    detect("' or 1=1--")
    started = time.process_time()
    detect(noise)
    assert time.process_time() - started < 0.5
