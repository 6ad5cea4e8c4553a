"""What generated code calls where a plain expression will not do: JSON's notions of number, equality and uniqueness.

Every function is linear in its argument and bounded in what a sender can make it do: keys of sets are strings, whose
hashes are secret, since the hashes of numbers are not and colliding ones make a set quadratic.
"""

from __future__ import annotations

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

HELPERS = ("equal", "integer", "multiple", "number", "unique")
"""What generated code may call."""

MAX_DIGITS = 4_000  # of a `Decimal`; a float has 17, and an exponent up to 308


def number(value: Any) -> bool:
    """Whether a value is a JSON number: booleans are not; `Decimal`, which boto3 and simplejson make, is, unless it is NaN, which compares with nothing."""
    return (isinstance(value, (int, float)) and value.__class__ is not bool) or (value.__class__.__name__ == "Decimal" and not value.is_nan())


def integer(value: Any) -> bool:
    """Whether a value is a JSON integer: 1.0 is one, True is not."""
    if isinstance(value, int):
        return value.__class__ is not bool
    if isinstance(value, float):
        return value.is_integer()
    return value.__class__.__name__ == "Decimal" and bool(value.is_finite() and value == value.to_integral_value())


def equal(value: Any, wanted: Any) -> bool:
    """Whether two values are one JSON value: 1 is 1.0 but not True, at any depth. As deep as `wanted`, which a schema holds."""
    if isinstance(wanted, dict):
        return isinstance(value, dict) and len(value) == len(wanted) and all(name in value and equal(value[name], item) for name, item in wanted.items())
    if isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and all(map(equal, value, wanted))
    if isinstance(wanted, bool) or wanted is None:
        return value is wanted
    if isinstance(wanted, str):
        return isinstance(value, str) and value == wanted
    same: bool = value == wanted
    return number(value) and same


def unique(values: list[Any]) -> bool:
    """Whether no two values of a list are equal as JSON values."""
    seen: set[str] = set()
    for value in values:
        seen.add(f"{len(value)}:{value}" if value.__class__ is str else canonical(value))
    return len(seen) == len(values)


def canonical(value: Any) -> str:
    """One string for all spellings of one JSON value, another for every other value."""
    parts: list[str] = []
    _spell(value, parts)
    return "".join(parts)


def _spell(value: Any, parts: list[str]) -> None:
    if isinstance(value, str):
        parts.append(f"{len(value)}:{value}")
    elif isinstance(value, dict):
        parts.append("{")
        for name in sorted(value, key=str):
            _spell(str(name), parts)
            _spell(value[name], parts)
        parts.append("}")
    elif isinstance(value, list):
        parts.append("[")
        for item in value:
            _spell(item, parts)
        parts.append("]")
    elif value is None or value is True or value is False:
        parts.append(repr(value))
    elif isinstance(value, (int, float)) and integer(value):
        parts.append(f"i{int(value):x},")  # hexadecimal: decimal digits of a huge integer are quadratic, and forbidden beyond 4,300
    elif number(value):
        digits, power = decimal(value)
        while digits and power is not None and power < 0 and digits % 10 == 0:
            digits, power = digits // 10, power + 1
        if power is not None and 0 <= power < MAX_DIGITS:
            parts.append(f"i{digits * 10**power:x},")
        else:
            parts.append(f"f{digits:x}e{power}," if power is not None else f"f{value!r},")
    else:
        parts.append(f"o{value!r},")


def multiple(value: Any, digits: int, exponent: int) -> bool:
    """Whether a number is a multiple of `digits * 10 ** exponent`, exactly as its shortest decimal spelling says.

    1.1 is a multiple of 0.1, 1e308 is none of 0.123456789.
    """
    if isinstance(value, int):
        own, power = value, 0
    else:
        own, power = decimal(value)
        if power is None:
            return False
    shift = power - exponent
    if shift >= 0:
        return bool(own * 10**shift % digits == 0)
    return bool(own % (digits * 10**-shift) == 0)


def decimal(value: Any) -> tuple[int, Any]:
    """`(digits, exponent)` of a number's shortest decimal spelling; the exponent is None for NaN, infinities, and a `Decimal` beyond all bounds."""
    if isinstance(value, int):
        return value, 0
    mantissa, _, power = repr(value).partition("e") if isinstance(value, float) else format(value, "e").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    if not (whole + fraction).lstrip("-").isdigit() or len(mantissa) > MAX_DIGITS or abs(int(power or 0)) > MAX_DIGITS:
        return 0, None
    return int(whole + fraction), int(power or 0) - len(fraction)


def search(module: Any, text: str) -> Callable[[str], object]:
    """What searches for a regular expression: made from its code list in a fiftieth of the time, if that is for this Python."""
    code = module.CODES.get(text)
    if code is not None and python() == module.PYTHON:
        import _sre  # type: ignore[import-not-found]  # private to `re`

        return _sre.compile(text, code[0], code[1], code[2], {}, (None,) * (code[2] + 1)).search  # type: ignore[no-any-return]  # the same
    import re

    return re.compile(text).search


def python() -> tuple[str, int]:
    """The interpreter that a code list of `re` is for."""
    import _sre
    import sys

    return str(sys.implementation.cache_tag), int(_sre.MAGIC)
