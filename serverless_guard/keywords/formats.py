"""The formats that can be asserted, each a test of a string; linear, without looking anything up.

`made(name)` gives the test: where one expression says it all, that expression's own `fullmatch`. Not claimed is `idn-hostname`, whose
tables Python does not have. https://json-schema.org/draft/2020-12/json-schema-validation#section-7.3
"""

from __future__ import annotations

import re

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

UNRESERVED = r"A-Za-z0-9\-._~"
SUB = r"!$&'()*+,;="
HEX = "[0-9A-Fa-f]"
OTHER = r"\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef\U00010000-\U0001fffd\U00020000-\U0002fffd\U00030000-\U0003fffd\U000e1000-\U000efffd"
"""Code points that RFC 3987 adds to the unreserved ones."""
PRIVATE = r"\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
TIME = r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)(?:\.[0-9]+)?(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST = rf"(?=.{{1,253}}\Z){LABEL}(?:\.{LABEL})*"
OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
QUOTED = r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"'

EXPRESSIONS = {
    "ipv4": rf"{OCTET}(?:\.{OCTET}){{3}}",
    "uuid": f"{HEX}{{8}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{12}}",
    "duration": (
        r"P(?:[0-9]+W|(?=[0-9T])(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)?"
        r"(?:T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S))?)"
    ),
    "json-pointer": "(?:/(?:[^/~]|~[01])*)*",
    "relative-json-pointer": "(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^/~]|~[01])*)*)",
    "uri-template": (
        rf"(?:[^\x00-\x20\"%<>\\^`{{|}}\x7f]|%{HEX}{{2}}|"
        rf"\{{[+#./;?&=,!@|]?(?:[A-Za-z0-9_]|%{HEX}{{2}})+(?:\.(?:[A-Za-z0-9_]|%{HEX}{{2}})+)*(?::[1-9][0-9]{{0,3}}|\*)?"
        rf"(?:,(?:[A-Za-z0-9_]|%{HEX}{{2}})+(?:\.(?:[A-Za-z0-9_]|%{HEX}{{2}})+)*(?::[1-9][0-9]{{0,3}}|\*)?)*\}})*"
    ),
}
"""Formats that one expression decides; each has one way only to read any text."""

DAYS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
BYTES = frozenset(map(str, range(256)))
NAMES = (
    *EXPRESSIONS, "date-time", "date", "time", "ipv6", "hostname", "email", "idn-email", "uri", "uri-reference", "iri", "iri-reference", "regex",
)  # fmt: skip


def made(name: str, expression: Callable[[str], bool]) -> Callable[[str], object]:
    """The test of a format in `NAMES`, true for a string that has it; `expression` tests regular expressions."""
    if name in EXPRESSIONS:
        return re.compile(EXPRESSIONS[name]).fullmatch
    if name == "date":
        return _date(re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch)
    if name == "time":
        return _time(re.compile(TIME).fullmatch)
    if name == "date-time":
        return _date_time(_date(re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch), _time(re.compile(TIME).fullmatch))
    if name == "ipv6":
        return _ipv6
    if name == "hostname":
        return re.compile(HOST).fullmatch
    if name in ("email", "idn-email"):
        return _email(name == "idn-email")
    if name == "regex":
        return expression
    return _uri(name.startswith("iri"), name.endswith("reference"))


def _date(looks: Callable[[str], object]) -> Callable[[str], bool]:
    def date(text: str) -> bool:
        if not looks(text):
            return False
        year, month, day = int(text[:4]), int(text[5:7]), int(text[8:])
        return 1 <= month <= 12 and 1 <= day <= DAYS[month] and (month != 2 or day < 29 or (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)))

    return date


def _time(looks: Callable[[str], re.Match[str] | None]) -> Callable[[str], bool]:
    def time(text: str) -> bool:
        found = looks(text)
        if not found or found[3] != "60":
            return bool(found)
        minutes = int(found[1]) * 60 + int(found[2])  # a leap second ends a day of UTC
        if found[4]:
            away = int(found[5]) * 60 + int(found[6])
            minutes += away if found[4] == "-" else -away
        return minutes % 1440 == 1439

    return time


def _date_time(date: Callable[[str], bool], time: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda text: text[10:11] in ("T", "t") and date(text[:10]) and time(text[11:])


def _ipv6(text: str) -> bool:
    """RFC 4291 section 2.2: eight groups, one run of them as `::`, the last two as an IPv4 address; no zone."""
    if not 2 <= len(text) <= 45:
        return False
    head, gap, tail = text.partition("::")
    groups = [*(head.split(":") if head else []), *(tail.split(":") if tail else [])]
    count = len(groups)
    if count and "." in groups[-1] and (tail or not gap):
        numbers = groups.pop().split(".")
        if len(numbers) != 4 or not all(part in BYTES for part in numbers):
            return False
        count += 1
    if not all(1 <= len(group) <= 4 and all(letter in "0123456789abcdefABCDEF" for letter in group) for group in groups):
        return False
    return count <= 7 if gap else count == 8


def _email(international: bool) -> Callable[[str], bool]:
    """RFC 5321 section 4.1.2, RFC 6531: a dotted or quoted local part, and a host or an address literal."""
    more = "\x80-\U0010ffff" if international else ""
    atom = ATOM.replace("-]+", f"{more}-]+")
    quoted = QUOTED.replace(r"\x7e]", rf"\x7e{more}]")
    local = re.compile(rf"(?:{atom}(?:\.{atom})*|{quoted})").fullmatch
    label = LABEL.replace("0-9]", f"0-9{more}]").replace("0-9-]", f"0-9{more}-]")
    host = re.compile(rf"{label}(?:\.{label})*").fullmatch
    ipv4 = re.compile(EXPRESSIONS["ipv4"]).fullmatch

    def email(text: str) -> bool:
        name, at, domain = text.rpartition("@")
        if not at or not local(name):
            return False
        if domain.startswith("[") and domain.endswith("]"):
            return bool(_ipv6(domain[6:-1]) if domain[1:6].lower() == "ipv6:" else ipv4(domain[1:-1]))
        return len(domain) <= 253 and bool(host(domain))

    return email


def _uri(international: bool, relative: bool) -> Callable[[str], bool]:
    """RFC 3986 appendix A, RFC 3987 section 2.2."""
    more = OTHER if international else ""
    character = rf"[{UNRESERVED}{SUB}:@{more}]|%{HEX}{{2}}"
    authority = rf"(?:(?:[{UNRESERVED}{SUB}:{more}]|%{HEX}{{2}})*@)?(?:\[([^\[\]]*)\]|(?:[{UNRESERVED}{SUB}{more}]|%{HEX}{{2}})*)(?::[0-9]*)?"
    segments = rf"(?:/(?:{character})*)*"
    first = rf"(?:{character})+" if not relative else rf"(?:[{UNRESERVED}{SUB}@{more}]|%{HEX}{{2}})+"
    scheme = r"[A-Za-z][A-Za-z0-9+.-]*:"
    query = rf"(?:\?(?:{character}|[/?{PRIVATE if international else ''}])*)?"
    tail = rf"{query}(?:#(?:{character}|[/?])*)?"
    absolute = re.compile(rf"{scheme}(?://{authority}{segments}|/(?:(?:{character})+{segments})?|(?:{character})+{segments}|){tail}").fullmatch
    short = re.compile(rf"(?://{authority}{segments}|/(?:(?:{character})+{segments})?|{first}{segments}|){tail}").fullmatch
    future = re.compile(rf"[vV]{HEX}+\.[{UNRESERVED}{SUB}:]+").fullmatch

    def uri(text: str) -> bool:
        found = absolute(text) or (relative and short(text))
        return bool(found) and (not found[1] or _ipv6(found[1]) or bool(future(found[1]))) if found else False

    return uri
