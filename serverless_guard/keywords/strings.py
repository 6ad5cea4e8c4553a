"""Keywords for strings: lengths in code points, `pattern`, and `format` where formats are asserted."""

from __future__ import annotations

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from serverless_guard.keywords.writer import At, Nodes, Writer

TYPE = "string"


def write(writer: Writer, at: At) -> Nodes:
    """The tests that these keywords ask for."""
    known, x, out = at.known, at.var, []
    least, most = known.get("minLength", 0), known.get("maxLength")
    if least == 1:
        out.append(writer.fail(at, f"not {x}", "minLength", least))
    elif least:
        out.append(writer.fail(at, f"len({x}) < {int(least)}", "minLength", least))
    if most is not None:
        out.append(writer.fail(at, f"len({x}) > {int(most)}", "maxLength", most))
    if "pattern" in known:
        out.append(writer.fail(at, f"not {writer.pattern(known['pattern'])}({x})", "pattern", known["pattern"]))
    if "format" in known and writer.asserts(at, known["format"]):
        out.append(writer.fail(at, f"not {writer.supplied('format', known['format'])}({x})", "format", known["format"]))
    return out
