"""Reads a `pattern`, which JSON Schema takes from ECMA 262 with Unicode, and says it in Python's `re`.

The two differ where it matters: Python's `$` lets a newline through, its digits, word characters and white space are those of
all scripts, its dot is another. `read` gives the tree that `automata` looks at, and the text for `re`; what ECMA 262 does not
know is a mistake rather than a surprise. https://tc39.es/ecma262/#sec-patterns
"""

from __future__ import annotations

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    Ranges = tuple[tuple[int, int], ...]
    Tree = tuple[Any, ...]

LAST = 0x10FFFF
MAX_LENGTH = 10_000
MAX_NESTING = 60
MAX_POSITIONS = 300  # of an automaton that is run: a step is linear in them
MANY = 10  # a count up to which a bounded repetition is cheap
MAX_REPEAT = 65_535

DIGIT: Ranges = ((48, 57),)
WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
SPACE: Ranges = (
    (9, 13), (32, 32), (160, 160), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip
LINE_ENDS: Ranges = ((10, 10), (13, 13), (0x2028, 0x2029))
OPENINGS = {"?:": "group", "?=": "look", "?!": "look", "?<=": "look", "?<!": "look", "?<": "name"}
CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "0": 0}
SYNTAX = frozenset("^$\\.*+?()[]{}|/-")


class Pattern:
    """A pattern that was read."""

    __slots__ = ("plain", "regular", "size", "text", "tree")

    def __init__(self, tree: Tree, text: str, regular: bool) -> None:
        self.tree = tree  # ("set", ranges) ("all", parts) ("any", branches) ("repeat", part, least, most) ("^",) ("$",) ("edge",) ("look", part) ("same",)
        self.text = text  # the same for `re`
        self.regular = regular  # without lookaround, back references and word edges
        self.size = _size(tree)  # characters it can match one by one, repetitions written out
        self.plain = _plain(tree)  # harmless at a glance: no long repetition, or one of a single character behind a leading `^`


class Fault(ValueError):
    """What is wrong with a pattern, for a person."""


def read(pattern: str) -> Pattern:
    """The tree and the Python text of a pattern. Raises Fault."""
    if len(pattern) > MAX_LENGTH:
        raise Fault(f"is longer than {MAX_LENGTH} characters")
    reader = _Reader(pattern)
    tree = reader.branches(0)
    if reader.at < len(pattern):
        raise Fault("closes a group that was not opened")
    if reader.references and max(reader.references) > reader.groups:
        raise Fault("refers to a group that it does not have")
    if not set(reader.named) <= reader.names:
        raise Fault("refers to a group that it does not have")
    return Pattern(tree, "".join(reader.out), reader.regular)


def _size(tree: Tree) -> int:
    kind = tree[0]
    if kind == "repeat":
        _, part, least, most = tree
        return _size(part) * int(max(least if most is None else most, 1))
    if kind in ("all", "any"):
        return sum(_size(part) for part in tree[1])
    return _size(tree[1]) if kind == "look" else 1


def _plain(tree: Tree) -> bool:
    parts = tree[1] if tree[0] == "all" else [tree]
    loops = [part for part in parts if part[0] == "repeat"]
    if any(part[0] not in ("set", "^", "$", "repeat") for part in parts) or any(part[1][0] != "set" for part in loops):
        return False
    long = [part for part in loops if part[3] is None or part[3] > part[2] + MANY]
    if not long:
        return len(loops) <= 3
    return len(loops) == 1 and parts[0][0] == "^"


class _Reader:
    """One pass over a pattern, from left to right; a group is one level of recursion."""

    __slots__ = ("at", "groups", "named", "names", "out", "pattern", "references", "regular")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.out: list[str] = []
        self.regular = True
        self.groups = 0
        self.names: set[str] = set()
        self.named: list[str] = []
        self.references: list[int] = []

    def branches(self, depth: int) -> Tree:
        if depth > MAX_NESTING:
            raise Fault(f"nests more than {MAX_NESTING} groups")
        found: list[Tree] = []
        parts: list[Tree] = []
        pattern, end = self.pattern, len(self.pattern)
        while self.at < end:
            letter = pattern[self.at]
            if letter == ")":
                break
            self.at += 1
            if letter == "|":
                self.out.append("|")
                found.append(("all", parts))
                parts = []
                continue
            start = len(self.out)
            part = self._part(letter, depth)
            if self.at < end and pattern[self.at] in "*+?{":
                part = self._repeated(part, start)
            parts.append(part)
        found.append(("all", parts))
        return found[0] if len(found) == 1 else ("any", found)

    def _part(self, letter: str, depth: int) -> Tree:
        if letter == "(":
            return self._group(depth)
        if letter == "[":
            return self._set(*self._class())
        if letter == ".":
            return self._set(LINE_ENDS, True)
        if letter == "\\":
            return self._escape()
        if letter == "^":
            self.out.append("^")
            return ("^",)
        if letter == "$":
            self.out.append(r"\Z")  # `$` of Python would let one newline through
            return ("$",)
        if letter in "*+?":
            raise Fault(f"has nothing to repeat before `{letter}`")
        if letter in "{}]":
            raise Fault(f"has `{letter}` that opens or closes nothing: write `\\{letter}` for the character")
        return self._set(((ord(letter), ord(letter)),), False)

    def _set(self, ranges: Ranges, negated: bool) -> Tree:
        """One character of a set, in its normal form."""
        ranges = normal(ranges)
        if negated:
            ranges = inverted(ranges)
        if not ranges:
            self.out.append("(?!)")
        elif len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
            self.out.append(_spelled(ranges[0][0]))
        else:
            shown, sign = (inverted(ranges), "^") if ranges[-1][1] == LAST and len(ranges) > 1 else (ranges, "")
            self.out.append(f"[{sign}{''.join(_spelled(low) if low == high else f'{_spelled(low)}-{_spelled(high)}' for low, high in shown)}]")
        return ("set", ranges)

    def _group(self, depth: int) -> Tree:
        pattern, kind, opening = self.pattern, "", "("
        if pattern.startswith("?", self.at):
            mark = next((mark for mark in OPENINGS if pattern.startswith(mark, self.at)), "")
            kind = OPENINGS.get(mark, "")
            if not kind:
                raise Fault(f"has a group `(?{pattern[self.at + 1 : self.at + 2]}` that ECMA 262 does not know{HINTS.get(pattern[self.at : self.at + 3], '')}")
            self.at += len(mark)
            opening = f"({mark}"
            if kind == "name":
                name = pattern[self.at : max(pattern.find(">", self.at), self.at)]
                if not name.isidentifier() or name in self.names:
                    raise Fault("has a group with no name, an odd name, or the name of another")
                self.names.add(name)
                self.at += len(name) + 1
                opening = f"(?P<{name}>"
        if kind in ("", "name"):
            self.groups += 1
        self.out.append(opening)
        tree = self.branches(depth + 1)
        if not pattern.startswith(")", self.at):
            raise Fault("opens a group that it does not close")
        self.at += 1
        self.out.append(")")
        if kind == "look":
            self.regular = False
            return ("look", tree)
        return tree

    def _repeated(self, part: Tree, start: int) -> Tree:
        pattern = self.pattern
        letter = pattern[self.at]
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(letter, (0, None))
        self.at += 1
        if letter == "{":
            close = pattern.find("}", self.at)
            low, comma, high = pattern[self.at : max(close, self.at)].partition(",")
            if close < 0 or not (low.isascii() and low.isdecimal()) or (high and not (high.isascii() and high.isdecimal())) or len(low) > 6 or len(high) > 6:
                raise Fault("has `{` that is no count: write `{2}`, `{2,}` or `{2,5}`, or `\\{` for the character")
            least, most = int(low), int(low) if not comma else int(high) if high else None
            if (most is not None and most < least) or max(least, most or 0) > MAX_REPEAT:
                raise Fault(f"has a count that is out of order, or above {MAX_REPEAT}")
            self.at = close + 1
        if part[0] in ("^", "$", "edge", "look"):
            raise Fault("repeats what matches no character")
        count = letter if letter != "{" else f"{{{least}}}" if least == most else f"{{{least},{'' if most is None else most}}}"
        if pattern.startswith("?", self.at):
            self.at += 1
            count += "?"
        if self.at < len(pattern) and pattern[self.at] in "*+?":
            raise Fault("repeats a repetition")
        if pattern.startswith("{", self.at):
            raise Fault("repeats a repetition")
        self.out.append(count)
        return ("repeat", part, least, most)

    def _escape(self) -> Tree:
        """An escape outside a class."""
        pattern = self.pattern
        letter = pattern[self.at : self.at + 1]
        if letter in ("b", "B"):
            self.at += 1
            self.regular = False
            word = "[A-Za-z0-9_]"
            self.out.append(f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))" if letter == "b" else f"(?:(?<={word})(?={word})|(?<!{word})(?!{word}))")
            return ("edge",)
        if letter in "123456789" and letter:
            end = self.at + 1
            while pattern[end : end + 1].isdecimal() and end - self.at < 3:
                end += 1
            self.references.append(int(pattern[self.at : end]))
            self.at = end
            self.regular = False
            self.out.append(f"(?:\\{self.references[-1]})")
            return ("same",)
        if letter == "k" and pattern.startswith("<", self.at + 1):
            name, close, _ = pattern[self.at + 2 :].partition(">")
            if not close or not name.isidentifier():
                raise Fault("refers to a group without a name")
            self.named.append(name)
            self.at += len(name) + 3
            self.regular = False
            self.out.append(f"(?P={name})")
            return ("same",)
        return self._set(*self._escaped(False))

    def _escaped(self, in_class: bool) -> tuple[Ranges, bool]:
        """The set that an escape names, and whether it is the set of all others."""
        pattern = self.pattern
        letter = pattern[self.at : self.at + 1]
        if not letter:
            raise Fault("ends in a backslash")
        self.at += 1
        if letter in "dDwWsS":
            return {"d": DIGIT, "w": WORD, "s": SPACE}[letter.lower()], letter.isupper()
        if letter in "pP" and pattern.startswith("{", self.at):
            name, close, _ = pattern[self.at + 1 :].partition("}")
            self.at += len(name) + 2
            if not close:
                raise Fault("has a property escape that is not closed")
            return category(name), letter == "P"
        if letter in CONTROLS and not (letter == "0" and pattern[self.at : self.at + 1].isdecimal()):
            code = CONTROLS[letter]
        elif letter == "b" and in_class:
            code = 8
        elif letter == "c" and pattern[self.at : self.at + 1].isascii() and pattern[self.at : self.at + 1].isalpha():
            code = ord(pattern[self.at]) % 32
            self.at += 1
        elif letter in "xu":
            code = self._hexadecimal(letter)
        elif letter in SYNTAX or (not letter.isalnum() and letter != "_"):
            code = ord(letter)
        else:
            raise Fault(f"has the escape `\\{letter}`, which ECMA 262 does not know{HINTS.get(letter, '')}")
        return ((code, code),), False

    def _hexadecimal(self, letter: str) -> int:
        pattern = self.pattern
        if letter == "u" and pattern.startswith("{", self.at):
            digits = pattern[self.at + 1 :].partition("}")[0]
            self.at += len(digits) + 2
        else:
            digits = pattern[self.at : self.at + (4 if letter == "u" else 2)]
            self.at += len(digits)
            if len(digits) != (4 if letter == "u" else 2):
                digits = ""
        try:
            code = int(digits, 16) if digits.isalnum() and len(digits) < 9 else LAST + 1
        except ValueError:
            code = LAST + 1
        if code > LAST:
            raise Fault(f"has the escape `\\{letter}` without a code point behind it")
        if 0xD800 <= code < 0xDC00 and pattern.startswith("\\u", self.at):
            low = pattern[self.at + 2 : self.at + 6]
            if len(low) == 4 and low.isalnum() and low[:2].lower() in ("dc", "dd", "de", "df"):
                try:
                    code = 0x10000 + ((code - 0xD800) << 10) + int(low, 16) - 0xDC00
                    self.at += 6
                except ValueError:
                    pass
        return code

    def _class(self) -> tuple[Ranges, bool]:
        """A class in square brackets."""
        pattern, end = self.pattern, len(self.pattern)
        negated = pattern.startswith("^", self.at)
        self.at += negated
        found: list[tuple[int, int]] = []
        low = -1  # the character before a dash, -1 for none
        dash = False
        while True:
            if self.at >= end:
                raise Fault("opens a class that it does not close")
            letter = pattern[self.at]
            self.at += 1
            if letter == "]":
                break
            if letter == "-" and low >= 0 and not dash and not pattern.startswith("]", self.at):
                dash = True
                continue
            if letter == "\\":
                ranges, others = self._escaped(True)
                ranges = inverted(normal(ranges)) if others else ranges
            else:
                ranges = ((ord(letter), ord(letter)),)
            single = ranges[0][0] if len(ranges) == 1 and ranges[0][0] == ranges[0][1] else -1
            if dash:
                if single < low:
                    raise Fault("has a range that is out of order, or does not end in one character")
                found.append((low, single))
                low, dash = -1, False
            else:
                found += ranges
                low = single
        return tuple(found), negated


def normal(ranges: Any) -> Ranges:
    """Ranges in order, without overlaps."""
    out: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(high, out[-1][1]))
        else:
            out.append((low, high))
    return tuple(out)


def inverted(ranges: Ranges) -> Ranges:
    """All other code points."""
    out, low = [], 0
    for start, end in ranges:
        if start > low:
            out.append((low, start - 1))
        low = end + 1
    if low <= LAST:
        out.append((low, LAST))
    return tuple(out)


CATEGORIES: dict[str, Ranges] = {}
LONG_NAMES = {
    "letter": "L", "lowercase_letter": "Ll", "uppercase_letter": "Lu", "titlecase_letter": "Lt", "modifier_letter": "Lm", "other_letter": "Lo",
    "number": "N", "decimal_number": "Nd", "digit": "Nd", "letter_number": "Nl", "other_number": "No",
    "punctuation": "P", "punct": "P", "symbol": "S", "separator": "Z", "space_separator": "Zs", "mark": "M", "control": "Cc",
    "currency_symbol": "Sc", "math_symbol": "Sm", "dash_punctuation": "Pd",
}  # fmt: skip
HINTS = {"?P<": ": write `(?<name>`", "A": ": write `^`", "Z": ": write `$`", "z": ": write `$`", "a": ": write `\\x07`"}


def category(name: str) -> Ranges:
    """The code points of a general category, from Python's Unicode database: 30 ms the first time, paid by who writes `\\p`."""
    short = name.removeprefix("General_Category=").removeprefix("gc=")
    short = LONG_NAMES.get(short.lower(), short)
    if name in ("Any", "ASCII"):
        return ((0, LAST if name == "Any" else 127),)
    if not CATEGORIES:
        from unicodedata import category as of

        start, before = 0, of("\0")
        found: dict[str, list[tuple[int, int]]] = {}
        for code in (*range(1, 0x40000), 0xE0000, *range(0xE0001, 0xE0200), 0xF0000, 0xFFFFE, 0x100000, 0x10FFFE, LAST + 1):
            now = of(chr(code)) if code <= LAST else ""
            if now != before:
                found.setdefault(before, []).append((start, code - 1))
                start, before = code, now
        for one, ranges in found.items():
            CATEGORIES[one] = tuple(ranges)
        for first in {one[0] for one in found}:
            CATEGORIES[first] = normal(pair for one, ranges in found.items() if one[0] == first for pair in ranges)
    if short not in CATEGORIES:
        raise Fault(f"has the property `{name[:40]}`, which is none of the general categories (`L`, `Lu`, `Nd`, ...)")
    return CATEGORIES[short]


def _spelled(code: int) -> str:
    """A code point as `re` reads it, inside a class or out of it."""
    letter = chr(code)
    if letter.isascii() and (letter.isalnum() or letter in " _@:;,<>=!\"'%`"):
        return letter
    if letter.isascii() and letter.isprintable():
        return "\\" + letter
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
