"""Keywords that apply other schemas to the same value: references, `allOf`, `anyOf`, `oneOf`, `not`, `if`."""

from __future__ import annotations

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.keywords.writer import At, Nodes, Writer

TYPE = ""

TAGGED = 200  # alternatives that are told apart by a tag; more would nest too deeply


def write(writer: Writer, at: At) -> Nodes:
    """The tests that these keywords ask for."""
    known, out = at.known, []
    for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
        if keyword in known:
            out += writer.refer(_target(writer, at, keyword), at)
    for schema in known.get("allOf", ()):
        out += writer.place(schema, at)
    if "anyOf" in known:
        out += _any_of(writer, at, known["anyOf"])
    if "oneOf" in known:
        out += _one_of(writer, at, known["oneOf"])
    if "not" in known:
        out.append(writer.fail(at, f"not ({writer.bad(known['not'], at)})", "not", known["not"]))
    if "if" in known:
        out += _if(writer, at)
    return out


def _target(writer: Writer, at: At, keyword: str) -> Any:
    """The target of a reference; a dynamic one leads to the outermost resource in scope that has the anchor."""
    schema, uri = writer.documents.targets[id(at.schema), keyword]
    if keyword == "$ref" or schema.__class__ is bool:
        return schema
    node = writer.documents.node(schema)
    name = "" if keyword == "$recursiveRef" else uri.partition("#")[2]
    if writer.documents.dynamic.get(node.base, {}).get(name) is not schema:
        return schema
    return writer.documents.dynamic[dict(at.scope).get(name, node.base)][name]


def _marked(writer: Writer, at: At, schema: Any, out: Nodes) -> tuple[str, str]:
    """The condition that `schema` does not fit, and the set that its marks go to, which counts only if it does."""
    if not at.seen:
        return writer.bad(schema, at), ""
    seen = writer.name("seen")
    out.append(writer.do(f"{seen} = set()"))
    return writer.bad(schema, at, seen), seen


def _any_of(writer: Writer, at: At, schemas: list[Any], keyword: str = "anyOf") -> Nodes:
    tag, tags = _tagged(writer, schemas)
    if tag:
        return _by_tag(writer, at, schemas, keyword, tag, tags)
    if not at.seen:
        return [writer.fail(at, " and ".join(f"({writer.bad(schema, at)})" for schema in schemas), keyword, schemas)]
    out: Nodes = []
    fits = writer.name("fits")
    out.append(writer.do(f"{fits} = 0"))
    for schema in schemas:
        wrong, seen = _marked(writer, at, schema, out)
        out.append(writer.when(f"not ({wrong})", [writer.do(f"{fits} += 1"), writer.do(f"{at.seen} |= {seen}")]))
    return [*out, writer.fail(at, f"not {fits}", keyword, schemas)]


def _tagged(writer: Writer, schemas: list[Any]) -> tuple[str, list[list[str]]]:
    """A property by which alternatives tell themselves apart, and its values in each: required everywhere, and no string twice."""
    found: dict[str, list[list[str]]] = {}
    if len(schemas) > TAGGED:
        return "", []
    for schema in schemas:
        known = _resolved(writer, schema)
        if known.get("type") != "object" or known.get("nullable"):
            return "", []
        for name in known.get("required", ()):
            inner = _resolved(writer, known.get("properties", {}).get(name))
            values = [inner["const"]] if "const" in inner else inner.get("enum", [None])
            if all(value.__class__ is str for value in values):
                found.setdefault(name, []).append(values)
    for name, tags in found.items():
        flat = [value for values in tags for value in values]
        if len(tags) == len(schemas) > 1 and len(set(flat)) == len(flat):
            return name, tags
    return "", []


def _resolved(writer: Writer, schema: Any) -> dict[str, Any]:
    """The keywords of a schema, or of what it merely refers to."""
    seen = 0
    while schema.__class__ is dict and seen < 10:
        known = writer.documents.node(schema).known
        if list(known) != ["$ref"]:
            return known
        schema = writer.documents.targets[id(schema), "$ref"][0]
        seen += 1
    return {}


def _by_tag(writer: Writer, at: At, schemas: list[Any], keyword: str, tag: str, tags: list[list[str]]) -> Nodes:
    """Only the alternative whose tag the value has can fit, so only that is looked at: the others would all fail on the tag."""
    name = writer.name(tag)
    nodes = [writer.fail(at, "", keyword, schemas)]
    for schema, values in reversed(list(zip(schemas, tags, strict=True))):
        test = f"{name} == {values[0]!r}" if len(values) == 1 else f"{name} in ({', '.join(map(repr, values))})"
        nodes = [writer.when(test, writer.place(schema, at), nodes)]
    fitting = [writer.do(f"{name} = {at.var}.get({tag!r})"), *nodes]
    return [writer.when(f"isinstance({at.var}, dict)", fitting, [writer.fail(at, "", keyword, schemas)])]


def _one_of(writer: Writer, at: At, schemas: list[Any]) -> Nodes:
    tag, tags = _tagged(writer, schemas)
    if tag:
        return _by_tag(writer, at, schemas, "oneOf", tag, tags)
    if not at.seen:
        return [writer.fail(at, " + ".join(f"(not ({writer.bad(schema, at)}))" for schema in schemas) + " != 1", "oneOf", schemas)]
    *out, _ = _any_of(writer, at, schemas)
    fits = out[0][1].partition(" ")[0]
    return [*out, writer.fail(at, f"{fits} != 1", "oneOf", schemas)]


def _if(writer: Writer, at: At) -> Nodes:
    known = at.known
    out: Nodes = []
    then, otherwise = (writer.place(known[keyword], at) if keyword in known else [] for keyword in ("then", "else"))
    if not then and not otherwise and not at.seen:
        return []
    wrong, seen = _marked(writer, at, known["if"], out)
    if seen:
        then = [writer.do(f"{at.seen} |= {seen}"), *then]
    return [*out, writer.when(f"not ({wrong})", then, otherwise)]
