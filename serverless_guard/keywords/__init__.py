"""The keywords of JSON Schema: what each may hold, draft by draft, and which member of this folder writes code for it.

A member that writes code has `TYPE` (the JSON type it speaks of, "" for any) and `write(writer, at) -> nodes`;
`documents` reads schemas, `writer` makes functions of nodes, `patterns` and `formats` know strings, `runtime` is what
generated code calls. They meet in `schema.py`, and do not know each other.
https://json-schema.org/specification
"""

from __future__ import annotations

VERSION = 1
"""Of the form of compiled schemas: raise it when the code that is written, or what it calls, changes."""

VOCABULARIES = {
    "generic": ("type", "enum", "const", "nullable"),
    "numbers": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "strings": ("minLength", "maxLength", "pattern", "format"),
    "arrays": (
        "minItems", "maxItems", "uniqueItems", "prefixItems", "items",
        "additionalItems", "contains", "minContains", "maxContains", "unevaluatedItems",
    ),
    "objects": (
        "minProperties", "maxProperties", "required", "properties", "patternProperties",
        "additionalProperties", "propertyNames", "dependencies", "dependentRequired", "dependentSchemas", "unevaluatedProperties",
    ),
    "logic": ("$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "not", "if", "then", "else"),
}  # fmt: skip
"""Members that write code, with their keywords, in the order in which their tests run: cheap ones first."""

DRAFTS = {
    "https://json-schema.org/draft/2020-12/schema": "2020-12",
    "https://json-schema.org/draft/2019-09/schema": "2019-09",
    "http://json-schema.org/draft-07/schema": "7",
    "http://json-schema.org/draft-06/schema": "6",
    "http://json-schema.org/draft-04/schema": "4",
    "http://json-schema.org/draft-03/schema": "3",
    "https://spec.openapis.org/oas/3.1/dialect/base": "2020-12",
    "https://spec.openapis.org/oas/3.0/dialect": "openapi-3.0",
}
"""The value of `$schema`, without an empty fragment, and the draft that it names."""

UNCOVERED_DRAFTS = ("3",)
"""Drafts that are not compiled: a schema of theirs is handed to jsonschema."""

TYPES = ("string", "integer", "number", "object", "array", "boolean", "null")

_ALWAYS = {
    "type": "types", "enum": "values", "multipleOf": "positive", "maximum": "number", "minimum": "number",
    "maxLength": "count", "minLength": "count", "pattern": "pattern", "format": "text",
    "maxItems": "count", "minItems": "count", "uniqueItems": "flag",
    "maxProperties": "count", "minProperties": "count", "required": "strings",
    "dependencies": "dependencies", "properties": "map", "patternProperties": "patterns", "additionalProperties": "schema",
    "allOf": "schemas", "anyOf": "schemas", "oneOf": "schemas", "not": "schema", "$ref": "reference",
}  # fmt: skip
_TUPLES = {"items": "items", "additionalItems": "schema"}
_SINCE_6 = {"const": "any", "contains": "schema", "propertyNames": "schema", "exclusiveMaximum": "number", "exclusiveMinimum": "number", "$id": "id"}
_SINCE_7 = {"if": "schema", "then": "schema", "else": "schema"}
_SINCE_2019 = {
    "$defs": "map", "$anchor": "anchor", "dependentRequired": "needs", "dependentSchemas": "map",
    "maxContains": "count", "minContains": "count", "unevaluatedItems": "schema", "unevaluatedProperties": "schema",
    "contentSchema": "schema", "definitions": "map",
}  # fmt: skip
_SINCE_2020 = {"prefixItems": "schemas", "items": "schema", "$dynamicRef": "reference", "$dynamicAnchor": "anchor"}
_UNTIL_7 = {"definitions": "map", **_TUPLES}
_FLAGS = {"exclusiveMaximum": "flag", "exclusiveMinimum": "flag"}

VALIDATION = frozenset((
    "type", "enum", "const", "multipleOf", "maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "maxLength", "minLength", "pattern",
    "maxItems", "minItems", "uniqueItems", "maxContains", "minContains", "maxProperties", "minProperties", "required", "dependentRequired",
))  # fmt: skip
"""What falls away under a meta-schema whose `$vocabulary` does not name the validation vocabulary."""


def table(draft: str) -> dict[str, str]:
    """Every keyword of a draft with the shape of its value, which `documents.SHAPES` checks."""
    if draft == "2020-12":
        return {**_ALWAYS, **_SINCE_6, **_SINCE_7, **_SINCE_2019, **_SINCE_2020}
    if draft == "2019-09":
        return {**_ALWAYS, **_SINCE_6, **_SINCE_7, **_SINCE_2019, **_TUPLES, "$recursiveRef": "reference", "$recursiveAnchor": "flag"}
    if draft == "7":
        return {**_ALWAYS, **_SINCE_6, **_SINCE_7, **_UNTIL_7}
    if draft == "6":
        return {**_ALWAYS, **_SINCE_6, **_UNTIL_7}
    if draft == "4":
        return {**_ALWAYS, **_FLAGS, **_UNTIL_7, "id": "id"}
    return {**_ALWAYS, **_FLAGS, "items": "schema", "nullable": "flag"}
