"""Keywords for a value of any type: `type`, `enum`, `const`, OpenAPI 3.0's `nullable`, and keywords of one's own."""

from __future__ import annotations

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.keywords.writer import At, Nodes, Writer

TYPE = ""

WRONG = {
    "string": "{0}.__class__ is not str and not isinstance({0}, str)",
    "integer": "{0}.__class__ is not int and not integer({0})",
    "number": "{0}.__class__ is not int and {0}.__class__ is not float and not number({0})",
    "object": "{0}.__class__ is not dict and not isinstance({0}, dict)",
    "array": "{0}.__class__ is not list and not isinstance({0}, list)",
    "boolean": "{0} is not True and {0} is not False",
    "null": "{0} is not None",
}
"""When a value is not of a type. The exact class first: nearly every value passes there, at half the price."""

WRONG_IN_4 = {**WRONG, "integer": "{0}.__class__ is not int and (not isinstance({0}, int) or isinstance({0}, bool))"}
"""In draft 4 a number with a fraction part is no integer, even if the part is zero."""


def write(writer: Writer, at: At) -> Nodes:
    """The tests that these keywords ask for."""
    known, out = at.known, []
    nullable = known.get("nullable") is True and "type" in known
    if at.types:
        wrong = WRONG_IN_4 if at.node.draft == "4" else WRONG
        names = at.types + ["null"] * (nullable and "null" not in at.types)
        if "number" in names and "integer" in names:
            names = [name for name in names if name != "integer"]
        out.append(writer.fail(at, " and ".join(wrong[name].format(at.var) for name in names), "type", known["type"]))
        at.types = names
    if "enum" in known:
        out.append(writer.fail(at, _none_of(writer, at, known["enum"]), "enum", known["enum"]))
    if "const" in known:
        out.append(writer.fail(at, _none_of(writer, at, [known["const"]]), "const", known["const"]))
    own = [name for name in writer.keywords if name in at.schema]
    return out + [writer.fail(at, f"not {writer.supplied('keyword', name, at.schema[name])}({at.var})", name, at.schema[name]) for name in own]


def _none_of(writer: Writer, at: At, wanted: list[Any]) -> str:
    """The condition that the value equals none of `wanted`; 1 is 1.0, but neither is true."""
    x = at.var
    strings = [value for value in wanted if value.__class__ is str]
    numbers = [value for value in wanted if value.__class__ in (int, float)]
    good = []
    if strings:
        test = f"{x} == {strings[0]!r}" if len(strings) == 1 else f"{x} in {{{', '.join(map(repr, strings))}}}"
        good.append(test if at.types == ["string"] else f"isinstance({x}, str) and {test}")
    if numbers:
        test = f"{x} == {writer.literal(numbers[0])}" if len(numbers) == 1 else f"{x} in {{{', '.join(map(writer.literal, numbers))}}}"
        good.append(test if at.types in (["integer"], ["number"]) else f"number({x}) and {test}")
    good += [f"{x} is {value}" for value in (True, False, None) if any(value is item for item in wanted)]
    good += [f"equal({x}, {writer.literal(value)})" for value in wanted if value.__class__ in (dict, list)]
    return f"not ({' or '.join(good)})" if good else ""
