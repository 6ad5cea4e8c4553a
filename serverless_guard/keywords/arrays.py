"""Keywords for arrays: counts, items by place and all others, `contains`, `uniqueItems`, `unevaluatedItems`."""

from __future__ import annotations

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.keywords.writer import At, Nodes, Writer

TYPE = "array"


def write(writer: Writer, at: At) -> Nodes:
    """The tests that these keywords ask for."""
    known, x, out = at.known, at.var, []
    least, most = known.get("minItems", 0), known.get("maxItems")
    if least:
        out.append(writer.fail(at, f"not {x}" if least == 1 else f"len({x}) < {int(least)}", "minItems", least))
    if most is not None:
        out.append(writer.fail(at, f"len({x}) > {int(most)}", "maxItems", most))
    tuples = known.get("items").__class__ is list
    first = known["items"] if tuples else known.get("prefixItems", [])
    keyword = "additionalItems" if tuples else "items"
    for index, schema in enumerate(first):
        out += _place(writer, at, schema, index)
    if keyword in known:
        out += _others(writer, at, known[keyword], len(first), keyword)
    if at.seen and (first or keyword in known):
        out.append(writer.do(f"{at.seen}.update(range({f'len({x})' if keyword in known else len(first)}))"))
    if "contains" in known:
        out += _contains(writer, at)
    if known.get("uniqueItems") is True:
        out.append(writer.fail(at, f"len({x}) > 1 and not unique({x})", "uniqueItems", True))
    return out


def rest(writer: Writer, at: At) -> Nodes:
    """`unevaluatedItems`, after everything else has said which indices it looked at."""
    if "unevaluatedItems" not in at.known:
        return []
    index, item = writer.name("i"), writer.name("item")
    body = writer.inside(at.known["unevaluatedItems"], at, item, f"[{{{index}}}]")
    out = []
    if body:
        out.append(writer.each(f"{index}, {item} in enumerate({at.var})", [writer.when(f"{index} not in {at.seen}", body)]))
    return [*out, writer.do(f"{at.seen}.update(range(len({at.var})))")]


def _place(writer: Writer, at: At, schema: Any, index: int) -> Nodes:
    item = writer.name("item")
    body = writer.inside(schema, at, item, f"[{index}]")
    if not body:
        return []
    reads = [writer.do(f"{item} = {at.var}[{index}]")] if schema is not False else []
    return [writer.when(f"len({at.var}) > {index}", [*reads, *body])]


def _others(writer: Writer, at: At, schema: Any, first: int, keyword: str) -> Nodes:
    if schema is False:
        return [writer.fail(at, f"len({at.var}) > {first}" if first else at.var, keyword, schema)]
    index, item = writer.name("i"), writer.name("item")
    body = writer.inside(schema, at, item, f"[{{{index}}}]")
    source = f"{at.var}[{first}:]" if first else at.var
    header = f"{index}, {item} in enumerate({source}, {first})" if writer.explain else f"{item} in {source}"
    return [writer.each(header, body)] if body else []


def _contains(writer: Writer, at: At) -> Nodes:
    known, x = at.known, at.var
    index, item, count = writer.name("i"), writer.name("item"), writer.name("count")
    least, most = int(known.get("minContains", 1)), known.get("maxContains")
    marks = bool(at.seen) and at.node.draft != "2019-09"
    if not least and most is None and not marks:
        return []
    wrong = writer.bad(known["contains"], at, "", item, f"[{{{index}}}]")
    body = [writer.do(f"{count} += 1")]
    if marks:
        body.append(writer.do(f"{at.seen}.add({index})"))
    header = f"{index}, {item} in enumerate({x})" if marks or writer.explain else f"{item} in {x}"
    out = [writer.do(f"{count} = 0"), writer.each(header, [writer.when(f"not ({wrong})", body)])]
    if least:
        out.append(writer.fail(at, f"{count} < {least}", "minContains" if "minContains" in known else "contains", least))
    if most is not None:
        out.append(writer.fail(at, f"{count} > {int(most)}", "maxContains", most))
    return out
