"""Keywords for numbers: bounds, and `multipleOf` on exact decimals.

Python compares integers and floats exactly, whatever their size.
"""

from __future__ import annotations

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.keywords.writer import At, Nodes, Writer

TYPE = "number"


def write(writer: Writer, at: At) -> Nodes:
    """The tests that these keywords ask for."""
    known, x, out = at.known, at.var, []
    for keyword, exclusive, outside, touching in (("minimum", "exclusiveMinimum", "<", "<="), ("maximum", "exclusiveMaximum", ">", ">=")):
        flag = known.get(exclusive)
        if keyword in known:
            sign = touching if flag is True else outside
            out.append(writer.fail(at, f"{x} {sign} {writer.literal(known[keyword])}", exclusive if flag is True else keyword, known[keyword]))
        if flag is not None and flag.__class__ is not bool:
            out.append(writer.fail(at, f"{x} {touching} {writer.literal(flag)}", exclusive, flag))
    if "multipleOf" in known:
        out.append(writer.fail(at, _no_multiple(at, known["multipleOf"]), "multipleOf", known["multipleOf"]))
    return out


def _no_multiple(at: At, unit: Any) -> str:
    if unit == int(unit) and at.types == ["integer"]:
        return f"{at.var} % {int(unit)}"
    mantissa, _, power = repr(unit).partition("e")
    whole, _, fraction = mantissa.partition(".")
    return f"not multiple({at.var}, {int(whole + fraction)}, {int(power or 0) - len(fraction)})"
