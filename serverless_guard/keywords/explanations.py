"""Why a value does not fit, for a person: jsonschema's best match where that is safe to ask, and words for every keyword.

Nothing here tells the value, nor a name that the sender chose: a property that no schema declares is `*`.
"""

from __future__ import annotations

import json

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.keywords.documents import Documents

SHOWN = 160  # characters of a schema's own words

WORDS = {
    "minimum": "at least {}", "maximum": "at most {}", "exclusiveMinimum": "more than {}", "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}", "minLength": "at least {} characters", "maxLength": "at most {} characters",
    "minItems": "at least {} items", "maxItems": "at most {} items", "minProperties": "at least {} properties",
    "maxProperties": "at most {} properties", "enum": "one of {}", "const": "{}", "pattern": "text that matches {}", "format": "the format {}",
}  # fmt: skip
PHRASES = {
    "additionalProperties": "no other properties", "unevaluatedProperties": "no other properties", "additionalItems": "no more items",
    "items": "no more items", "unevaluatedItems": "no more items", "uniqueItems": "no item twice", "anyOf": "one of the alternatives",
    "oneOf": "exactly one of the alternatives", "not": "a value that does not fit the schema under `not`", "false": "nothing here",
    "contains": "a fitting item", "minContains": "more fitting items", "maxContains": "fewer fitting items", "schema": "a fitting value",
}  # fmt: skip
CLASSES = {"2020-12": "202012", "2019-09": "201909", "7": "7", "6": "6", "4": "4", "3": "3"}


def expected(keyword: str, value: Any) -> str:
    """What a keyword wants, in a few words."""
    if keyword in ("required", "dependentRequired") or (keyword == "dependencies" and isinstance(value, str)):
        return f"the property `{value}`"
    if keyword in PHRASES:
        return PHRASES[keyword]
    if keyword == "type":
        return " or ".join(value) if isinstance(value, list) else str(value)
    text = json.dumps(value)
    return WORDS.get(keyword, "{}").format(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")


def small(value: Any, most: int) -> bool:
    """Whether a value holds at most so many others."""
    left, stack = most, [value]
    while stack and left >= 0:
        value = stack.pop()
        if isinstance(value, (dict, list)):
            left -= len(value)
            stack.extend(value.values() if isinstance(value, dict) else value)
    return left >= 0


def best_match(documents: Documents, root: Any, value: Any) -> tuple[str, str, str] | None:
    """`(path, keyword, expected)` of the error that jsonschema finds most telling; None without jsonschema, or where it sees no error."""
    judge = validator(documents, root)
    if judge is None:
        return None
    import re

    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    try:
        error = best_match(judge.iter_errors(value))
    except (Unresolvable, RecursionError, ArithmeticError, TypeError, ValueError, re.error):  # odd values, and patterns that Python does not know
        return None
    if error is None:
        return None
    declared = {name for node in documents.nodes.values() for name in node.known.get("properties", ())}
    path = "$"
    for step in error.absolute_path:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step not in declared:
            path += ".*"
        else:
            path += f".{step}" if step.isidentifier() and step.isascii() else f"[{step!r}]"
    keyword, wanted = str(error.validator or "false"), error.validator_value
    if keyword == "required":
        wanted = next((name for name in wanted if name not in error.instance), wanted)
    return path, keyword, expected(keyword, wanted)


def validator(documents: Documents, schema: Any) -> Any:
    """jsonschema's validator with every document at hand; None where it cannot be imported, or knows no such draft."""
    try:
        from jsonschema import validators
        from referencing import Registry, jsonschema
    except ImportError:  # it drags a Rust wheel, which does not load on every Lambda
        return None
    resources = []
    for uri, root in documents.resources.items():
        name = CLASSES.get(documents.draft(root))
        if name is None:
            return None
        resources.append((uri, getattr(jsonschema, f"DRAFT{name}").create_resource(root)))
    name = CLASSES.get(documents.draft(schema))
    return getattr(validators, f"Draft{name}Validator")(schema, registry=Registry().with_resources(resources)) if name else None


def complaint(documents: Documents, root: Any) -> tuple[str, str] | None:
    """jsonschema's own verdict on a schema, as `(JSON pointer, message)`; None when it has no objection, or is not there."""
    judge = validator(documents, root)
    if judge is None or not isinstance(root, dict):
        return None
    from jsonschema import SchemaError

    try:
        judge.check_schema(root)
    except SchemaError as error:
        return "#" + "".join(f"/{step}" for step in error.absolute_path), f"does not fit its meta-schema: keyword `{error.validator}`"
    return None
