"""Normal forms: every encoding undone, in order, bounded, and never an error."""

from __future__ import annotations

import base64
import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_guard.text import ROUNDS, folded, forms, squeezed, unwrapped

CASES = [
    ("plain", "plain", ""),
    ("%27", "'", "percent"),
    ("%2527", "'", "percent percent"),
    ("%25252527", "'", "percent percent percent percent"),
    ("%%32%37", "'", "percent percent"),
    ("%u0027", "'", "percent"),
    ("%c0%af", "/", "percent"),
    ("%e0%80%af", "/", "percent"),
    ("%f0%80%80%af", "/", "percent"),
    ("%C3%A9", "é", "percent"),
    ("%E9t%E9", "été", "percent"),
    ("%EF%BC%87", "'", "percent unicode"),
    ("100%", "100%", ""),
    ("50% off", "50% off", ""),
    ("a=b%3Dc", "a=b=c", "percent"),
    ("a%0Ab=", "a\nb=", "percent"),
    ("&lt;b&gt;", "<b>", "entity"),
    ("&#60;&#x3C;&#x03c;", "<<<", "entity"),
    ("&#0000060", "<", "entity"),
    ("&amp;lt;", "<", "entity entity"),
    ("&colon;&lpar;&rpar;", ":()", "entity"),
    ("AT&T", "AT&T", ""),
    ("a&b=c", "a&b=c", ""),
    ("&eacute;", "&eacute;", ""),
    ("\\u0027", "'", "escape"),
    ("\\x27", "'", "escape"),
    ("\\047", "'", "escape"),
    ("\\u{27}", "'", "escape"),
    ("C:\\new", "C:\\new", ""),
    ("＜ｂ＞", "<b>", "unicode"),
    ("ʼ", "'", "unicode"),
    ("a\u200bb", "ab", "unicode"),
    ("é", "é", ""),
    ("東京", "東京", ""),
    ("“quoted”", "“quoted”", ""),
    ("À®", ".", "unicode"),
    ("0x2e0x2e0x2f", "../", "hex"),
    ("+ADw-b+AD4-", "<b>", "utf-7"),
    ("a+b", "a b", "plus"),
    ("1%27+or+1", "1' or 1", "percent plus"),
    ("a\0b", "ab", "control"),
    (base64.b64encode(b"' or 1=1 -- ").decode(), "' or 1=1 -- ", "base64"),
    (base64.urlsafe_b64encode(b"<?>" * 5).decode().rstrip("="), "<?>" * 5, "base64"),
    ("data:text/plain;base64," + base64.b64encode(b"hello world").decode(), "hello world", "base64"),
    (b"' or 1=1".hex(), "' or 1=1", "hex"),
    ("0x" + b"select 1".hex(), "select 1", "hex"),
    ("\ud800", "\ud800", ""),
]


@pytest.mark.parametrize(("value", "text", "steps"), CASES)
def test_an_encoding_is_undone_and_named(value: str, text: str, steps: str) -> None:
    made = forms(value)
    assert made[0] == (value, "")
    assert made[-1] == (text, steps)


@pytest.mark.parametrize(
    "value",
    [
        "3f5b8c2e1d0a4b6c8e7f9a0b1c2d3e4f",
        "d41d8cd98f00b204e9800998ecf8427e",
        "Springfield",
        "hV8rPH3eNxdFubde8DYBnsPfxiUR-MbbgRJVKuL9d0mJbJqGYScPlQ==",
        "12345678",
    ],
)
def test_ids_and_words_are_no_base64_and_no_hex(value: str) -> None:
    assert unwrapped(value) is None


@pytest.mark.parametrize("start", [b"\x80\x04\x95\x10\x00\x00\x00", b"\xac\xed\x00\x05sr", b"\x04\x08o:\x0a"])
def test_serialised_objects_behind_base64_are_opened(start: bytes) -> None:
    assert unwrapped(base64.b64encode(start + bytes(range(40))).decode())


def test_every_letter_that_becomes_ascii_is_folded() -> None:
    for code in (*range(0x80, 0xD800), *range(0xE000, 0x1FFFF), *range(0xE0000, 0xE0100)):
        letter = chr(code)
        plain = unicodedata.normalize("NFKC", letter)
        if (plain.isascii() or unicodedata.category(letter) == "Cf") and letter not in "\u2026\U000e0100":
            assert folded(f"a{letter}b").isascii(), hex(code)


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=400) | st.text(alphabet="%&#\\x27uf;+0A-=\0", max_size=100))
def test_forms_never_raise_and_are_bounded(value: str) -> None:
    made = forms(value)
    assert made[0][0] == value
    assert len(made) <= 2 * ROUNDS + 4
    for text, _ in made:
        assert len(text) <= len(value) * 4 + 16


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="\\&+0"), min_size=1, max_size=60), st.integers(1, 3))
def test_percent_encoding_is_undone_however_often(value: str, times: int) -> None:
    encoded = value
    for _ in range(times):
        encoded = quote(encoded, safe="")
    assert value in [text for text, _ in forms(encoded)]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=600))
def test_short_texts_are_not_squeezed(text: str) -> None:
    assert squeezed(text) == text


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=60))
def test_repetitions_are_cut_down_and_the_rest_stays(before: str, piece: str, behind: str) -> None:
    made = squeezed(before + piece * (40_000 // len(piece)) + behind)
    assert len(made) < 4_000
    assert made.startswith(before)
    assert made.endswith(behind)
