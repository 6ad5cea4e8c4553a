"""What may be told of a value that must not be told: its length, a keyed hash and a shape; and names that hide a secret.

A hash without a key would give a card number back to whoever tries all of them; the key lives and dies with the process,
so equal values are equal within one environment and mean nothing outside it. A pure tool: it keeps no state.
"""

from __future__ import annotations

import re

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from re import Pattern
    from typing import Any

SHAPE_LENGTH = 8
NAME_LENGTH = 40
LABEL_LENGTH = 30  # of a host: no real name of a machine is longer by habit, an exfiltrated value is
HASHED = 65_536  # characters of a value that are hashed; the length is told besides

SPLIT = re.compile(r"[ ./:]")
RUNS = re.compile(r"[^\W\d_]+|\d+|(.)\1+|.", re.DOTALL)
PLAIN = re.compile(r"[A-Za-z_$@:-][\w$@:-]*\Z|\d{1,3}\Z|\*\Z|\{[A-Za-z_]\w*\+?\}\Z", re.ASCII)
WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
STEPS = re.compile(r"""(\[(?:\d{1,9}|key of \d{1,9} characters)\]|\["[^"]*"\]|\['[^']*'\]|[./])""")
INSIDE = re.compile(r"\d(?=[A-Za-z])(?![A-Z][a-z]|[a-z]{3})")  # a digit amid letters, and no word begins after it
CREDENTIAL = (
    r"(?i)(?:A3T|AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA|ABIA|ACCA)[A-Z0-9]{12,}|eyJ[\w-]{6,}|gh[opsur]_|github_pat"
    r"|xox[abeoprs]-|[srp]k_(?:live|test)|AIza|glpat|npm_[A-Z0-9]{8,}"
)


def digest(value: str, key: bytes) -> str:
    """16 hexadecimal digits that are equal for equal values under one key (BLAKE2b, RFC 7693)."""
    return blake2(value[:HASHED].encode("utf-8", "surrogatepass"), key, 8)


def blake2(data: bytes, key: bytes = b"", size: int = 16) -> str:
    """BLAKE2b in hexadecimal. `hashlib` would load OpenSSL for it: 12 M instructions, twenty times this module."""
    try:
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b
    return blake2b(data, key=key, digest_size=size).hexdigest()


def shape(value: str) -> str:
    """At most 8 characters of a value's outline: runs of letters are `a`, of digits `9`, other scripts too; marks stay.

    `' OR 1=1--` is `' a 9=9-`: enough to tell an injection from a typing mistake, and nothing of a secret, not even the
    length of its words.
    """
    outline = []
    for run in RUNS.finditer(value[:256]):
        char = run.group()[0]
        if char.isalpha():
            char = "a"
        elif char.isdecimal() or char.isdigit() or char.isnumeric():
            char = "9"
        elif not char.isascii() or not char.isprintable():
            char = "?"
        outline.append(char * min(2, run.end() - run.start()) if run.group(1) else char)
        if len(outline) == SHAPE_LENGTH:
            break
    return "".join(outline)[:SHAPE_LENGTH]


def path(value: str, key: bytes, limit: int = 240) -> str:
    """A path through an event (or of a URL), with every name masked that could be a value, cut in its middle to `limit`."""
    if len(value) > 2048:
        value = value[:1024] + value[-1024:]
    told = "".join(_separator(step, key) if index % 2 else step and name(step, key) for index, step in enumerate(STEPS.split(value)))
    return told if len(told) <= limit else f"{told[: limit // 2 - 1]}..{told[len(told) - limit // 2 + 1 :]}"


def name(value: str, key: bytes) -> str:
    """A name as it is where it reads as one, else `~length:hash`. Event keys belong to whoever wrote the event."""
    return value if _reads_as_name(value) else f"~{len(value)}:{digest(value, key)[:8]}"


def host(value: str, key: bytes) -> str:
    """A host name with labels masked that carry a value out (`<secret>.attacker.example`); addresses stay."""
    labels = value[:512].split(".")
    return ".".join(label if _reads_as_label(label) else f"~{len(label)}:{digest(label, key)[:8]}" for label in labels)[:255]


def clean(value: Any, limit: int) -> str:
    """Printable text of at most `limit` characters: no control, format or surrogate character reaches a log viewer."""
    text = value if value.__class__ is str else str(value)
    if len(text) > limit:
        text = text[: limit - 2] + ".."
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


def _separator(step: str, key: bytes) -> str:
    """An index or a mark as it is; a key in quotes wholly or not at all, since a secret may hold marks of its own."""
    if step[:2] not in ('["', "['"):
        return step
    words = SPLIT.split(step[2:-2])
    return step if all(not word or _reads_as_name(word) for word in words) else f'["~{len(step) - 4}:{digest(step[2:-2], key)[:8]}"]'


def _reads_as_name(value: str) -> bool:
    """Whether a person could have called a field this: identifier characters, few digits, words with vowels.

    A wrong no costs a readable name in one line of the log; a wrong yes could tell a secret.
    """
    if (len(value) < 8 and value.isalpha() and value.isascii()) or (len(value) < 4 and value.isdecimal()):
        return True
    if len(value) > NAME_LENGTH or not PLAIN.match(value) or _credential().match(value):
        return False
    digits = sum(char.isdigit() for char in value)
    if digits and (digits > 4 or (digits == 4 and len(value) < 8) or (len(value) > 4 and INSIDE.search(value))):
        return False
    if len(value) < 8:
        return True
    words = WORDS.findall(value)
    if len(value) >= 12 and 3 * len(words) > len(value):
        return False
    return all(len(word) < 7 or sum(char in "aeiouyAEIOUY" for char in word) * 5 >= len(word) for word in words)


def _reads_as_label(label: str) -> bool:
    return len(label) <= LABEL_LENGTH and not _credential().match(label)


def _credential() -> Pattern[str]:
    return re.compile(CREDENTIAL)  # the module `re` caches it
