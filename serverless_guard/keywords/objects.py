"""Keywords for objects: counts, `required`, properties by name, by pattern and all others, names, dependencies, `unevaluatedProperties`."""

from __future__ import annotations

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.keywords.writer import At, Nodes, Writer

TYPE = "object"


def write(writer: Writer, at: At) -> Nodes:
    """The tests that these keywords ask for."""
    known, x, out = at.known, at.var, []
    least, most = known.get("minProperties", 0), known.get("maxProperties")
    if least:
        out.append(writer.fail(at, f"not {x}" if least == 1 else f"len({x}) < {int(least)}", "minProperties", least))
    if most is not None:
        out.append(writer.fail(at, f"len({x}) > {int(most)}", "maxProperties", most))
    required = known.get("required", [])
    properties = known.get("properties", {})
    out += [writer.fail(at, f"{name!r} not in {x}", "required", name) for name in required]
    # names that are declared are counted on the way, so that a further one shows in the length: a third of the price of comparing names
    count = writer.name("count") if _closed(at) and not writer.explain else ""
    if count:
        out.append(writer.do(f"{count} = {sum(name in properties for name in required)}"))
    for name, schema in properties.items():
        out += _property(writer, at, name, schema, name in required, count)
    if count:
        out.append(writer.fail(at, f"len({x}) != {count}", "additionalProperties", False))
    out += _others(writer, at, bool(count))
    if "propertyNames" in known:
        key = writer.name("key")
        names = writer.inside(known["propertyNames"], at, key, ".*")
        if names:
            out.append(writer.each(f"{key} in {x}", names))
    for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
        for name, needed in known.get(keyword, {}).items():
            if needed.__class__ is list:
                then = [writer.fail(at, f"{other!r} not in {x}", keyword, other) for other in needed]
            else:
                then = writer.place(needed, at)
            if then:
                out.append(writer.when(f"{name!r} in {x}", then))
    return out


def rest(writer: Writer, at: At) -> Nodes:
    """`unevaluatedProperties`, after everything else has said which names it looked at."""
    if "unevaluatedProperties" not in at.known:
        return []
    schema = at.known["unevaluatedProperties"]
    out = []
    if schema is False:
        out.append(writer.fail(at, f"not {at.var}.keys() <= {at.seen}", "unevaluatedProperties", False))
    else:
        key, item = writer.name("key"), writer.name("item")
        body = writer.inside(schema, at, item, ".*")
        if body:
            out.append(writer.each(f"{key}, {item} in {at.var}.items()", [writer.when(f"{key} not in {at.seen}", body)]))
    return [*out, writer.do(f"{at.seen}.update({at.var})")]


def _closed(at: At) -> bool:
    """Whether no name may stand there but those of `properties`."""
    return at.known.get("additionalProperties") is False and bool(at.known.get("properties")) and not at.known.get("patternProperties")


def _property(writer: Writer, at: At, name: str, schema: Any, required: bool, count: str) -> Nodes:
    item = writer.name(name)
    body = writer.inside(schema, at, item, writer.step(name))
    if body and schema is not False:
        body = [writer.do(f"{item} = {at.var}[{name!r}]"), *body]
    if required:
        return body
    counted = [writer.do(f"{count} += 1")] if count else []
    return [writer.when(f"{name!r} in {at.var}", [*counted, *body])] if counted or body else []


def _others(writer: Writer, at: At, closed: bool) -> Nodes:
    """Properties by pattern and additional ones, in one loop over the names; and which names have now been looked at."""
    known, x, out = at.known, at.var, []
    properties, patterns, additional = known.get("properties", {}), known.get("patternProperties", {}), known.get("additionalProperties", True)
    names = ", ".join(map(repr, properties))
    key, item = writer.name("key"), writer.name("item")
    body: Nodes = []
    others = [f"{key} not in {{{names}}}"] if properties else []
    for pattern, schema in patterns.items():
        matches = f"isinstance({key}, str) and {writer.pattern(pattern)}({key})"
        then = writer.inside(schema, at, item, ".*")
        if at.seen:
            then = [*then, writer.do(f"{at.seen}.add({key})")]
        if then:
            body.append(writer.when(matches, then))
        others.append(f"not ({matches})")
    if closed:
        pass
    elif additional is False and not patterns:
        out.append(writer.fail(at, f"not {x}.keys() <= {writer.constant(f'frozenset(({names},))')}" if properties else x, "additionalProperties", False))
    else:
        last = [writer.fail(at, "", "additionalProperties", False)] if additional is False else writer.inside(additional, at, item, ".*")
        if last:
            body += [writer.when(" and ".join(others), last)] if others else last
    if body:
        out.append(writer.each(f"{key}, {item} in {x}.items()", body))
    if at.seen and "additionalProperties" in known:
        out.append(writer.do(f"{at.seen}.update({x})"))
    elif at.seen and properties:
        out.append(writer.do(f"{at.seen}.update(({names},))"))
    return out
