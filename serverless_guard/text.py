"""The normal forms of one value: what any back end might undo is undone first, bounded, in the orders that occur.

`forms` gives the value itself, then what it becomes, round by round, when percent signs (also doubled, `%u`, overlong UTF-8),
HTML entities, `\\u` `\\x` and octal escapes, UTF-7, full-width and other compatibility letters, base64 and hex (where
the whole value is such), control characters and `+` for a space are undone. Linear in the length of the value.
"""

from __future__ import annotations

import re
from binascii import Error as NotBase64
from binascii import a2b_base64, a2b_hex, a2b_qp
from functools import lru_cache
from unicodedata import category, normalize

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

ROUNDS = 4
"""How often decoding is repeated: real back ends undo two, at most three layers."""

NAMED = {
    "lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'", "colon": ":", "lpar": "(", "rpar": ")", "tab": "\t", "newline": "\n",
    "nbsp": " ", "sol": "/", "bsol": "\\", "semi": ";", "comma": ",", "period": ".", "num": "#", "dollar": "$", "excl": "!", "equals": "=",
    "lbrace": "{", "lcub": "{", "rbrace": "}", "rcub": "}", "lbrack": "[", "lsqb": "[", "rbrack": "]", "rsqb": "]", "grave": "`",
    "diacriticalgrave": "`", "ast": "*", "midast": "*", "plus": "+", "percnt": "%", "vert": "|", "verbar": "|", "lowbar": "_", "quest": "?",
    "commat": "@", "hat": "^",
}  # fmt: skip
"""Entities for ASCII signs; the thousands of others stand for letters that no attack needs."""

BEST_FIT = {
    "\u02b9": "'",
    "\u02bc": "'",
    "\u02c8": "'",
    "\u2032": "'",
    "\u2215": "/",
    "\u2044": "/",
    "\u2216": "\\",
    "\u2039": "<",
    "\u203a": ">",
    "\u3008": "<",
    "\u3009": ">",
    "\u2329": "<",
    "\u232a": ">",
    "\u2236": ":",
    "\u2223": "|",
    "\u0131": "i",
    "\u017f": "s",
    "\u212a": "k",
    "\u2026": "\u2026",
    "\u560a": "\n",
    "\u560d": "\r",
}
"""What code pages and case folding turn letters into, beyond the compatibility forms; the ellipsis of prose stays."""

MAGIC = ("\x80\x02", "\x80\x03", "\x80\x04", "\x80\x05", "\xac\xed", "\x00\x01\x00\x00\x00\xff", "\x04\x08", "\x1f\x8b", "\xff\x01")
"""How binary serialisations start: worth a look though they are no text."""


def forms(value: str) -> tuple[tuple[str, str], ...]:
    """Normal forms of `value` as `(text, steps taken)`, itself first; at most 2 * ROUNDS + 4 of them."""
    text, steps = value, ""
    made = [(value, "")]
    for _ in range(ROUNDS):
        undone, step = undo(text)
        if not step or undone == text:
            break
        text, steps = undone, f"{steps} {step}" if steps else step
        made.append((text, steps))
    if "+" in text and " " not in text:
        made.append((text.replace("+", " "), f"{steps} plus".lstrip()))
    if not text.isprintable():
        bare = CONTROLS().sub("", text)
        if bare != text:
            made.append((bare, f"{steps} control".lstrip()))
    return tuple(made)


def undo(text: str) -> tuple[str, str]:
    """`text` with one layer of every encoding undone, and the names of those that were."""
    steps = []
    before = text
    if "%" in text and PERCENT().search(text):
        text = percent(text)
        if text != before:
            steps.append("percent")
            before = text
    if "&" in text:
        text = ENTITY().sub(_ENTITIES.__getitem_match__, text)
        if text != before:
            steps.append("entity")
            before = text
    if "\\" in text:
        text = ESCAPE().sub(_ESCAPES.__getitem_match__, text)
        if text != before:
            steps.append("escape")
            before = text
    if "0x" in text:
        text = HEX_RUN().sub(_unhex_run, text)
        if text != before:
            steps.append("hex")
            before = text
    if "+A" in text:
        text = UTF7().sub(_utf7, text)
        if text != before:
            steps.append("utf-7")
            before = text
    if not text.isascii():
        text = folded(text)
        if text != before:
            steps.append("unicode")
            before = text
    if not steps:
        opened = unwrapped(text)
        if opened:
            return opened
    return text, " ".join(steps)


def squeezed(text: str) -> str:
    """A long text with its repetitions cut down: where one piece of at most 64 characters repeats for over 1,024, 512 of them stay.

    Safety: what repeats says the same twice; and whatever stands before, between and behind stays. Found by comparing slices in C: 3 us a KB.
    """
    kept = []
    at, size = 0, len(text)
    while at < size:
        period = text.find(text[at : at + 32], at + 1, at + 97) - at
        if period > 0:
            end, step = at + period, 16384
            while step >= 64:
                if end + step <= size and text.startswith(text[end - period : end - period + step], end):
                    end += step
                else:
                    step //= 2
            if end - at > 1024:
                kept.append(text[at : at + 512])
                at = end - 64
                continue
        kept.append(text[at : at + 512])
        at += 512
    return "".join(kept)


def percent(text: str) -> str:
    """Percent-decoding, `%u0041` too; what is no escape stays. Overlong UTF-8 becomes the character that it stands for."""
    if "%u" in text or "%U" in text:
        text = PERCENT_U().sub(lambda found: chr(int(found[1], 16)), text)
    raw = text.encode("utf-8", "surrogatepass")
    # quoted-printable is the same code with another sign, and its decoder is written in C: 8 times faster than a substitution per escape
    raw = a2b_qp(NO_ESCAPE().sub(b"%25", raw).replace(b"=", b"%3D").replace(b"%", b"="))
    return text_of(raw)


def text_of(raw: bytes) -> str:
    """Bytes as text: UTF-8, overlong sequences too, else Latin-1."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    raw = OVERLONG().sub(_overlong, raw)
    return str(ESCAPED_BYTE().sub(_latin, raw.decode("utf-8", "surrogateescape")))


def folded(text: str) -> str:
    """Compatibility letters as ASCII, invisible ones gone, overlong UTF-8 that was read as Latin-1 decoded; other letters stay."""
    if OVERLONG_LATIN().search(text):
        text = OVERLONG_LATIN().sub(lambda found: _overlong_text(found[0]), text)
    letters = set(FOLDABLE().findall(text))
    table = {ord(letter): plain for letter in letters if (plain := _plain(letter)) is not None}
    if len(table) > 24:
        return text.translate(table)
    for letter, plain in table.items():  # translate costs 100 ns a letter where not all is ASCII, replace 1
        text = text.replace(chr(letter), plain)
    return text


def unwrapped(text: str) -> tuple[str, str] | None:
    """What the whole value holds as base64 or hex, if that is text or a known serialisation."""
    if len(text) < 8:
        return None
    if HEX_START().match(text) and HEX().fullmatch(text):
        digits = text[2:] if text[1] in "xX" else text
        if not _promising(text_of(a2b_hex(digits[:128]))):
            return None
        return text_of(a2b_hex(digits)), "hex"
    body = text
    cut = text.find("base64,", 0, 256)
    if cut >= 0:
        body = text[cut + 7 :]
    if not BASE64_START().match(body) or not BASE64().fullmatch(body):
        return None
    if "\n" in body or "\r" in body:
        body = body.replace("\r", "").replace("\n", "")
    if "-" in body or "_" in body:
        body = body.replace("-", "+").replace("_", "/")
    body = body.rstrip("=")
    try:
        if not _promising(text_of(a2b_base64(body[:96] + "=" * (-len(body[:96]) % 4)))):
            return None
        inner = text_of(a2b_base64(body + "=" * (-len(body) % 4)))
    except (NotBase64, ValueError):
        return None
    return inner, "base64"


def _promising(inner: str) -> bool:
    """Whether decoded bytes begin as text or a known serialisation: of random ones every third is a control character or no UTF-8."""
    start = inner[:64]
    return len(inner) > 3 and (len(UNREADABLE().sub("", start)) * 7 > len(start) * 6 or inner.startswith(MAGIC))


@lru_cache(maxsize=4096)
def _plain(letter: str) -> str | None:
    """The ASCII that a letter may become, None if it stays."""
    if letter in BEST_FIT:
        return BEST_FIT[letter] if BEST_FIT[letter] != letter else None
    if category(letter) == "Cf":
        return ""
    plain = normalize("NFKC", letter)
    return plain if plain.isascii() else None


class _Memory(dict):  # type: ignore[type-arg]  # keys are the escapes, values what they stand for
    """What each escape stands for, worked out once: a substitution costs 0.25 us instead of 0.6."""

    def __init__(self, read: Any) -> None:
        self.read = read

    def __missing__(self, escape: str) -> str:
        if len(self) > 4096:
            self.clear()
        self[escape] = made = self.read(escape)
        return str(made)

    def __getitem_match__(self, found: Any) -> str:
        return str(self[found[0]])


def _entity(escape: str) -> str:
    name = escape.strip("&;")
    if name[0] == "#":
        try:
            return chr(int(name[2:], 16) if name[1] in "xX" else int(name[1:]))
        except (ValueError, OverflowError):
            return escape
    return NAMED.get(name.lower(), escape)


def _escape(escape: str) -> str:
    sign = escape[1]
    if sign in "uUx":
        return chr(int(escape[2:].strip("{}"), 16))
    if sign in "01":
        return chr(int(escape[1:], 8))
    return sign


_ENTITIES = _Memory(_entity)
_ESCAPES = _Memory(_escape)


def _latin(found: Any) -> str:
    return chr(ord(found[0]) - 0xDC00)


def _overlong(found: Any) -> bytes:
    return _overlong_text(found[0].decode("latin-1")).encode()


def _overlong_text(sequence: str) -> str:
    """The ASCII character of an overlong sequence: the low seven bits of its last two bytes."""
    return chr((ord(sequence[-2]) & 1) << 6 | (ord(sequence[-1]) & 0x3F))


def _unhex_run(found: Any) -> str:
    return "".join(chr(int(pair, 16)) for pair in found[0][2:].split("0x"))


def _utf7(found: Any) -> str:
    try:
        return str(found[0].encode("ascii").decode("utf-7"))
    except UnicodeDecodeError:
        return str(found[0])


def _pattern(source: Any, flags: int = 0) -> Any:
    """A pattern that is compiled when it is first needed."""
    return lru_cache(maxsize=1)(lambda: re.compile(source, flags))


CONTROLS = _pattern(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")
ENTITY = _pattern(r"&(?:#[xX]0{0,8}[0-9a-fA-F]{1,6};?|#0{0,8}[0-9]{1,7};?|[a-zA-Z]{2,16};|(?:lt|gt|quot|amp)(?![a-zA-Z=]))")
ESCAPE = _pattern(r"\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[01][0-7]{2}|u\{0{0,4}[0-9a-fA-F]{1,4}\}|U000[0-9a-fA-F]{5}|[\"/])")
PERCENT = _pattern(r"%(?:[0-9a-fA-F]{2}|[uU][0-9a-fA-F]{4})")
ESCAPED_BYTE = _pattern("[\udc80-\udcff]")
PERCENT_U = _pattern(r"%[uU]([0-9a-fA-F]{4})")
NO_ESCAPE = _pattern(rb"%(?![0-9a-fA-F]{2})")
HEX_RUN = _pattern(r"0x[2-7][0-9a-fA-F](?:0x[2-7][0-9a-fA-F])+")
UTF7 = _pattern(r"\+A[A-Za-z0-9+/]{2,}-?")
OVERLONG = _pattern(
    rb"[\xc0\xc1][\x80-\xbf\x00-\x1f./\\]|\xe0[\x80\x81][\x80-\xbf]|\xf0\x80[\x80\x81][\x80-\xbf]|\xf8\x80\x80[\x80\x81][\x80-\xbf]|"
    rb"\xfc\x80\x80\x80[\x80\x81][\x80-\xbf]"
)
OVERLONG_LATIN = _pattern("[\xc0\xc1][\x80-\xbf]|\xe0[\x80\x81][\x80-\xbf]|\xf0\x80[\x80\x81][\x80-\xbf]")
HEX = _pattern(r"(?:0[xX])?+(?:[0-9a-fA-F]{2}){6,}+")
HEX_START = _pattern(r"(?:0[xX])?(?:[2-7][0-9a-fA-F]|0[9aAdD]|80|[aA][cC]|[eE][dD]|04|1[fF]|8[bB]|00|01|[fF][fF]|95){2}")
BASE64_START = _pattern(r"[A-Za-f][A-HQ-Xg-nw-z0-3][A-Za-z0-9+/_-]{6}|gA|rO|H4|AAE|BA|[3-9][A-Za-z0-9+/_-]{7}[A-Za-z0-9+/_=-]{8}")
"""How text or a known serialisation starts in base64: the first bit of two letters of ASCII is zero; a first letter beyond ASCII has a longer run."""
BASE64 = _pattern(r"[A-Za-z0-9+/_\r\n-]{8,}+={0,2}\s*")
FOLDABLE = _pattern(
    "[\u00a0\u00aa\u00ad\u00b2\u00b3\u00b9\u00ba\u0131-\u0133\u017f\u01c7-\u01cc\u01f1-\u01f3\u02b0\u02b2\u02b3\u02b7-\u02b9"
    "\u02bc\u02c8\u02e1-\u02e3\u037e\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u1d2c-\u1dbb\u1fef\u2000-\u200f\u2024\u2025\u2028"
    "-\u202f\u2032-\u203c\u2044-\u20a8\u2100-\u217f\u2215-\u2236\u2329\u232a\u2460-\u24ea\u2a74-\u2a76\u2c7c\u2c7d\u3000"
    "\u3008\u3009\u3250-\u325f\u32b1-\u32cf\u3371-\u33ff\u560a\u560d\ua7f2-\ua7f4\ufb00-\ufb06\ufb29\ufe10-\ufe6b\ufeff-\uff5e\ufff9-"
    "\ufffb\U000107a5\U000110bd-\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001d400-\U0001d6a3\U0001d7ce-\U0001d7ff\U0001f100-"
    "\U0001f190\U0001fbf0-\U0001fbf9\U000e0001-\U000e007f]"
)
"""Letters that become ASCII, and invisible ones: all whose compatibility form is ASCII, and those of `BEST_FIT`. A test holds it to the tables of Unicode."""
UNREADABLE = _pattern("[\x00-\x08\x0e-\x1f\x7f-\xff\ud800-\udfff]")
