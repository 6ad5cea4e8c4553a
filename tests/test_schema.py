"""Schemas: judged at start, compiled to a plain function, explained without the value; jsonschema is the oracle."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import threading
import time
import types
from collections import OrderedDict
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from serverless_guard import schema
from serverless_guard.errors import PolicyError
from serverless_guard.keywords import VOCABULARIES, automata, formats, patterns, runtime, table
from serverless_guard.keywords.documents import join

ORDER = {
    "type": "object",
    "required": ["id", "items"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "pattern": "^ord_[a-z0-9]{8}$"},
        "items": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/item"}},
        "note": {"type": ["string", "null"], "maxLength": 20},
    },
    "$defs": {"item": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}, "qty": {"type": "integer", "minimum": 1}}}},
}
GOOD = {"id": "ord_abcdefgh", "items": [{"sku": "a", "qty": 2}], "note": None}

# ---------------------------------------------------------------- the verdict is jsonschema's

NAMES = st.sampled_from(["a", "b", "c", "$ref", 'it\'s "x"\n', "{0}"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.0, 1.0, 1.5, -0.5, 2**63, 10**30, 1e300, -0.0])
    | st.sampled_from(["", "a", "ab", "b1", "é", "a\n", "𝒳"])
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12)
COUNTS = st.integers(0, 3)
BOUNDS = st.sampled_from([-1, 0, 1, 1.5, 2, 10**30])
PATTERNS = st.sampled_from(["^a", "b", "^[a-z]*$", "a|é", "^.$"])
TYPES = st.sampled_from(["string", "integer", "number", "object", "array", "boolean", "null"])


def keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.lists(NAMES, max_size=3, unique=True)
    some = st.lists(inner, min_size=1, max_size=3)
    every = st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
            "enum": st.lists(VALUES, min_size=1, max_size=4),
            "const": VALUES,
            "minimum": BOUNDS,
            "maximum": BOUNDS,
            "exclusiveMinimum": BOUNDS,
            "exclusiveMaximum": BOUNDS,
            "multipleOf": st.sampled_from([1, 2, 0.5]),  # 1.5 of 2**63 is beyond the oracle
            "minLength": COUNTS,
            "maxLength": COUNTS,
            "pattern": PATTERNS,
            "minItems": COUNTS,
            "maxItems": COUNTS,
            "uniqueItems": st.booleans(),
            "prefixItems": some,
            "items": inner,
            "contains": inner,
            "minContains": COUNTS,
            "maxContains": COUNTS,
            "unevaluatedItems": inner,
            "minProperties": COUNTS,
            "maxProperties": COUNTS,
            "required": names,
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "patternProperties": st.dictionaries(PATTERNS, inner, max_size=2),
            "additionalProperties": inner,
            "propertyNames": inner,
            "dependentRequired": st.dictionaries(NAMES, names, max_size=2),
            "dependentSchemas": st.dictionaries(NAMES, inner, max_size=2),
            "unevaluatedProperties": inner,
            "allOf": some,
            "anyOf": some,
            "oneOf": some,
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
            "$ref": st.just("#/$defs/shared"),
        },
    )
    return every.flatmap(lambda made: st.just(dict(list(made.items())[:6])) if len(made) > 6 else st.just(made))


SCHEMAS = st.recursive(st.booleans() | st.just({}), keywords, max_leaves=8)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(SCHEMAS, SCHEMAS, st.lists(VALUES, min_size=1, max_size=8))
def test_every_verdict_is_that_of_jsonschema(root: Any, shared: Any, values: list[Any]):
    root = {**root, "$defs": {"shared": shared}} if isinstance(root, dict) else root
    try:
        check = schema.compiled(root)
    except PolicyError as error:
        assert "refers to itself without end" in str(error)
        assume(False)
    judge = jsonschema.Draft202012Validator(root)
    for value in values:
        violation = check(value)
        assert (violation is None) == judge.is_valid(value), (root, value, violation)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(SCHEMAS, st.sampled_from([("7", jsonschema.Draft7Validator), ("6", jsonschema.Draft6Validator), ("2019-09", jsonschema.Draft201909Validator)]), VALUES)
def test_older_drafts_too(root: Any, draft: tuple[str, Any], value: Any):
    name, judge = draft
    assume(not re.search(r'"(\$ref|prefixItems|unevaluatedItems)": ', json.dumps(root)))
    check = schema.compiled(root, draft=name)
    assert (check(value) is None) == judge(root).is_valid(value)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(SCHEMAS, VALUES)
def test_the_explaining_form_agrees_with_the_fast_one(root: Any, value: Any):
    assume("$ref" not in json.dumps(root))
    check = schema.compiled(root)
    fast = check(value)
    explained = check._executed((writer := check._writer(True)).module(check._read()[1]))(value, "$")
    assert (fast is None) == (explained is None)
    if explained:
        assert explained[0].startswith("$") and writer.reasons[explained[1]][0]


@given(st.integers(-(10**20), 10**20), st.integers(0, 12), st.integers(1, 10**6), st.integers(0, 12))
def test_multiples_are_those_of_decimal_arithmetic(digits: int, places: int, unit: int, unit_places: int):
    value = float(f"{digits}e-{places}")
    own, power = runtime.decimal(value)
    from fractions import Fraction

    assert runtime.multiple(value, unit, -unit_places) == ((Fraction(own) * Fraction(10) ** power / (Fraction(unit) / 10**unit_places)).denominator == 1)
    assert schema.compiled({"multipleOf": 0.1})(1.1) is None
    assert schema.compiled({"multipleOf": 0.01})(19.99) is None


@given(st.lists(VALUES, max_size=8))
def test_unique_is_what_pairs_say(values: list[Any]):
    pairs = any(runtime.equal(one, other) for index, one in enumerate(values) for other in values[:index])
    assert runtime.unique(values) != pairs


# ---------------------------------------------------------------- patterns

EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "b", ".", r"\d", r"\w", r"\s", "[ab]", "[^a]", "[a-c_-]", r"\.", "$", "^", "-", r"\x41", r"\u00e9", "é"]),
    lambda inner: (
        st.builds("({})".format, inner)
        | st.builds("(?:{}|{})".format, inner, inner)
        | st.builds("{}{}".format, inner, inner)
        | st.builds("(?:{})*".format, inner)
        | st.builds("(?:{}){{1,3}}".format, inner)
        | st.builds("(?:{})+?".format, inner)
    ),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS, st.lists(st.text("ab1 _.\né-", max_size=8), max_size=6))
def test_the_linear_matcher_agrees_with_re(pattern: str, texts: list[str]):
    if schema._fault(pattern):
        return
    found = patterns.read(pattern)
    search = re.compile(found.text).search
    automaton = automata.Automaton(found.tree)
    for text in texts:
        assert automaton.search(text) == bool(search(text)), (pattern, found.text, text)


@settings(max_examples=300, deadline=None)
@given(st.text("ab\\()[]{}|*+?^$.-dwsbkpPu0129,<>=!:x", max_size=16))
def test_whatever_is_read_can_be_run(pattern: str):
    if schema._fault(pattern) == "":
        kind, text = schema._matcher(pattern)
        if kind == "regex":
            re.compile(text)


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", r"^(\w+\s?)*$", "(a|aa)*$", "^(a|a)*$", r"\d+x", "a.*b.*c$", r"^\s*[a-z ]*\s*$", "(x+x+)+y", "^(a{1,9}){1,9}$", "^([a-z]+)*!$"]
)
def test_a_catastrophic_pattern_is_matched_in_linear_time(pattern: str):
    check = schema.compiled({"pattern": pattern})
    assert schema._matcher(pattern)[0] == "automaton"
    took = []
    for size in (20_000, 80_000):
        text = ("a1 x"[hash(pattern) % 2] * size) + "!"
        start = time.perf_counter()
        check(text)
        took.append(time.perf_counter() - start)
    assert took[1] < 1


@pytest.mark.parametrize(
    "pattern", ["^ord_[a-z0-9]{8,32}$", r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", "^[A-Z]{3}$", r"^\d{4}-\d{2}-\d{2}$", r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$", "foo"]
)
def test_a_common_pattern_runs_in_re(pattern: str):
    assert schema._matcher(pattern)[0] == "regex"


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("(a", "does not close"), ("a)", "was not opened"), ("*a", "nothing to repeat"), ("[a", "does not close"), ("a{2,1}", "out of order"),
        (r"\Z", "write `$`"),
        (r"\A", "write `^`"), ("(?i)a", "does not know"), (r"(a)\2", "group that it does not have"), (r"\p{Greek}", "general categories"),
        ("(?P<n>a)", "(?<name>"),
        (r"^(?=(a+)+$)b", "linear"), (r"^(a+)\1$", "linear"), ("a++", "repetition"), ("[b-a]", "out of order"), ("a{", "no count"), ("\\", "backslash"),
    ],
)  # fmt: skip
def test_a_pattern_that_is_none_is_a_mistake_at_start(pattern: str, told: str):
    with pytest.raises(PolicyError, match=re.escape(told)):
        schema.compiled({"properties": {"a": {"pattern": pattern}}})


def test_the_end_of_a_pattern_lets_no_newline_through():
    check = schema.compiled({"pattern": "^[a-z]+$"})
    assert check("abc") is None
    assert check("abc\n") is not None


# ---------------------------------------------------------------- mistakes are told at start


@pytest.mark.parametrize(
    ("wrong", "pointer", "told"),
    [
        ({"type": "strng"}, "#/type", "did you mean `string`"),
        ({"properties": {"a": {"minimum": "1"}}}, "#/properties/a/minimum", "must be a number"),
        ({"properties": {"a/b~": 7}}, "#/properties/a~1b~0", "must be a schema"),
        ({"required": "id"}, "#/required", "list of strings"),
        ({"required": ["a", "a"]}, "#/required", "twice"),
        ({"maxLength": -1}, "#/maxLength", "whole number"),
        ({"allOf": []}, "#/allOf", "at least one"),
        ({"enum": 1}, "#/enum", "list of values"),
        ({"multipleOf": 0}, "#/multipleOf", "above 0"),
        ({"$ref": "#/$defs/nothing"}, "#/$ref", "no such place"),
        ({"$ref": "https://example.com/remote.json"}, "#/$ref", "never fetched"),
        ({"$ref": "#"}, "#", "without end"),
        ({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}}, "", "without end"),
        ({"$schema": "https://example.com/own"}, "#/$schema", "is none of"),
        ({"dependentRequired": {"a": "b"}}, "#/dependentRequired", "list of strings"),
        ({"$dynamicAnchor": 1}, "#/$dynamicAnchor", "must be a string"),
        ("{}x", "", "is not JSON: line 1, column 3"),
        ('{"minimum": NaN}', "", "is not JSON"),
        ({"const": {1, 2}}, "", "JSON values"),
        ("nowhere.json", "", "cannot read the schema `nowhere.json`"),
        (7, "", "must be an object"),
    ],
)
def test_a_schema_that_is_none(wrong: Any, pointer: str, told: str):
    with pytest.raises(PolicyError) as caught:
        schema.compiled(wrong, origin="SERVERLESS_GUARD_SCHEMA_BODY")
    assert told in str(caught.value) and "SERVERLESS_GUARD_SCHEMA_BODY" in str(caught.value)
    assert caught.value.path == pointer or not pointer
    assert schema.judge(wrong)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    SCHEMAS, st.dictionaries(st.sampled_from(["type", "minimum", "items", "required", "allOf", "$ref", "properties", "maxLength", "enum"]), VALUES, max_size=2)
)
def test_what_its_meta_schema_refuses_is_refused(root: Any, odd: dict[str, Any]):
    wrong = {**root, **odd} if isinstance(root, dict) else odd
    try:
        jsonschema.Draft202012Validator.check_schema(wrong)
    except jsonschema.SchemaError:
        with pytest.raises(PolicyError):
            schema.compiled(wrong)


ALL_DRAFTS = ("2020-12", "2019-09", "7", "6", "4", "openapi-3.0")
KEYWORDS = sorted({"$schema", "$vocabulary"}.union(*map(table, ALL_DRAFTS)))
REFERENCES = st.sampled_from(
    ["#", "#/a", "#/properties/a", "a", "#a", "", "%", "#/%zz", "http://json-schema.org/draft-07/schema#", "x:y", "//", "?", "../a.json"]
)
ANYTHING = st.recursive(
    SCALARS | REFERENCES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYWORDS) | NAMES, inner, max_size=4),
    max_leaves=14,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.dictionaries(st.sampled_from(KEYWORDS), ANYTHING, max_size=4), st.sampled_from(ALL_DRAFTS), VALUES)
def test_whatever_is_given_as_a_schema_is_compiled_or_a_mistake(root: Any, draft: str, value: Any):
    try:
        check = schema.compiled(root, draft=draft, formats=True)
    except PolicyError as error:
        assert str(error)
        return
    assert check(value) is None or check(value).keyword
    json.dumps(schema.judge(root, draft=draft))


def test_a_good_schema_has_no_problems():
    assert schema.judge(ORDER) == []
    assert schema.judge({"$schema": "http://json-schema.org/draft-07/schema#", **ORDER}) == []


def test_every_keyword_of_a_draft_has_a_member_that_writes_its_code():
    written = {keyword for own in VOCABULARIES.values() for keyword in own}
    silent = {"$id", "id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$defs", "definitions", "contentSchema"}
    for draft in ALL_DRAFTS:
        assert set(table(draft)) <= written | silent, draft
    assert all(hasattr(importlib.import_module(f"serverless_guard.keywords.{name}"), verb) for name in VOCABULARIES for verb in ("TYPE", "write"))


# ---------------------------------------------------------------- where schemas come from


def test_files_refer_to_one_another(tmp_path: Path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "order.json").write_text(json.dumps({"properties": {"to": {"$ref": "parts/address.json"}, "zip": {"$ref": "parts/address.json#/$defs/zip"}}}))
    (tmp_path / "parts" / "address.json").write_text(json.dumps({"properties": {"zip": {"$ref": "#/$defs/zip"}}, "$defs": {"zip": {"$ref": "../zip.json"}}}))
    (tmp_path / "zip.json").write_text('{"type": "string"}')
    check = schema.compiled("order.json", str(tmp_path))
    assert check({"to": {"zip": "a"}, "zip": "b"}) is None
    assert check({"to": {"zip": 1}}) == schema.Violation("$.to.zip", "type", "string")
    (tmp_path / "zip.json").write_text("{")
    with pytest.raises(PolicyError, match=r"zip\.json"):
        schema.compiled("order.json", str(tmp_path))


def test_any_folder_will_do(tmp_path: Path):
    folder = tmp_path / "a#b?c d%20e"
    folder.mkdir()
    (folder / "my order.json").write_text(json.dumps({"$ref": "an%20item.json#/$defs/a", "$defs": {"b": {"$ref": "#/$defs/c"}, "c": True}}))
    (folder / "an item.json").write_text(json.dumps({"$defs": {"a": {"type": "string"}}}))
    assert schema.compiled("my order.json", str(folder))(1) == ("$", "type", "string")
    assert schema.baked(loaded(schema.source("my order.json", str(folder))), "my order.json", str(folder))(1) == ("$", "type", "string")
    assert schema.compiled(ORDER, str(folder))(GOOD) is None


def test_text_mapping_and_boolean():
    assert schema.compiled(json.dumps(ORDER))(GOOD) is None
    assert schema.compiled(OrderedDict(ORDER))(GOOD) is None
    assert schema.compiled(True)(GOOD) is None
    assert schema.compiled(False)(GOOD).keyword == "false"


def test_a_check_is_immutable():
    mine = {"type": "string"}
    check = schema.compiled(mine)
    mine["type"] = "integer"
    assert check("a") is None


def test_one_content_is_compiled_once(tmp_path: Path):
    assert schema.compiled(ORDER) is schema.compiled(json.loads(json.dumps(ORDER)))
    assert schema.compiled(ORDER) is not schema.compiled(ORDER, formats=True)
    (tmp_path / "a.json").write_text('{"type": "string"}')
    first = schema.compiled("a.json", str(tmp_path))
    (tmp_path / "a.json").write_text('{"type": "integer"}')
    assert first is not schema.compiled("a.json", str(tmp_path))


def test_a_package_resource(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "shop_of_the_test").mkdir()
    (tmp_path / "shop_of_the_test" / "__init__.py").touch()
    (tmp_path / "shop_of_the_test" / "order.json").write_text(json.dumps(ORDER))
    monkeypatch.syspath_prepend(tmp_path)
    assert schema.compiled("package:shop_of_the_test/order.json")(GOOD) is None
    with pytest.raises(PolicyError, match="no package `shop_of_nowhere`"):
        schema.compiled("package:shop_of_nowhere/order.json")


def test_a_yaml_file(tmp_path: Path):
    pytest.importorskip("yaml")
    (tmp_path / "a.yaml").write_text("type: object\nproperties:\n  day: {type: string, const: 2026-01-01}\n")
    assert schema.compiled("a.yaml", str(tmp_path))({"day": "2026-01-01"}) is None
    (tmp_path / "b.yaml").write_text("a: [")
    with pytest.raises(PolicyError, match="is not YAML"):
        schema.compiled("b.yaml", str(tmp_path))


OPENAPI: dict[str, Any] = {
    "openapi": "3.0.3",
    "paths": {
        "/orders": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}}}, "get": {"responses": {}}},
        "/orders/{id}": {"parameters": [], "put": {"requestBody": {"$ref": "#/components/requestBodies/Change"}}},
    },
    "components": {
        "requestBodies": {"Change": {"content": {"application/json": {"schema": {"type": "object", "required": ["note"]}}}}},
        "schemas": {"Order": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "nullable": True, "example": {"type": "odd"}},
            "size": {"type": "integer", "minimum": 1, "exclusiveMinimum": True}}}},
    },
}  # fmt: skip


def test_an_openapi_document_by_operation(tmp_path: Path):
    (tmp_path / "api.json").write_text(json.dumps(OPENAPI))
    checks = schema.operations("api.json", str(tmp_path))
    assert sorted(checks) == ["POST /orders", "PUT /orders/{id}"]
    assert checks["POST /orders"]({"id": None}) is None
    assert checks["POST /orders"]({"id": "a", "size": 1}) == ("$.size", "exclusiveMinimum", "more than 1")
    assert checks["PUT /orders/{id}"]({}) == ("$", "required", "the property `note`")
    assert schema.compiled("api.json#/components/schemas/Order", str(tmp_path))({}) is not None
    assert schema.compiled("api.json#POST /orders", str(tmp_path))({}) is not None
    with pytest.raises(PolicyError, match="did you mean `POST /orders`"):
        schema.compiled("api.json#POST /order", str(tmp_path))
    with pytest.raises(PolicyError, match="no such place"):
        schema.compiled("api.json#/components/schemas/Odr", str(tmp_path))
    newer = {**OPENAPI, "openapi": "3.1.0"}
    newer["components"]["schemas"]["Order"] = {"type": "object", "properties": {"id": {"type": ["string", "null"]}, "size": {"exclusiveMinimum": 1}}}
    (tmp_path / "new.json").write_text(json.dumps(newer))
    assert schema.compiled("new.json#POST /orders", str(tmp_path))({"size": 1}).keyword == "exclusiveMinimum"
    (tmp_path / "order.json").write_text(json.dumps(ORDER))
    with pytest.raises(PolicyError, match="no OpenAPI document"):
        schema.operations("order.json", str(tmp_path))


def test_models_export_their_own():
    import dataclasses

    import pydantic

    class Order(pydantic.BaseModel):
        id: str = pydantic.Field(pattern="^ord_")
        size: int = pydantic.Field(ge=1)

    @dataclasses.dataclass
    class Item:
        sku: str
        qty: int = 1

    assert schema.compiled(Order)({"id": "ord_1", "size": 1}) is None
    assert schema.compiled(Order)({"id": "ord_1", "size": 0}).path == "$.size"
    assert schema.compiled(Item)({"sku": "a"}) is None
    assert schema.compiled(Item)({"qty": 1}).keyword == "required"


def test_formats_are_asserted_by_choice():
    dated = {"format": "date"}
    assert schema.compiled(dated)("today") is None
    assert schema.compiled(dated, formats=True)("today").keyword == "format"
    assert schema.compiled(dated, formats="date")("2024-02-29") is None
    assert schema.compiled(dated, formats=["date"])("2023-02-29") == ("$", "format", 'the format "date"')
    assert schema.compiled({"format": "even"}, formats={"even": lambda text: len(text) % 2 == 0})("odd") is not None
    with pytest.raises(PolicyError, match="did you mean `date-time`"):
        schema.compiled(dated, formats=["datetime"])
    with pytest.raises(PolicyError, match="must be a function"):
        schema.compiled(dated, formats={"even": 1})


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(formats.NAMES)), st.text('01239:-.TZz+/@aAf[]#?%{}~,"W \n', max_size=30))
def test_a_format_never_raises(name: str, text: str):
    assert bool(formats.made(name, schema._reads)(text)) in (True, False)


@pytest.mark.parametrize("name", sorted(formats.NAMES))
def test_a_format_is_linear(name: str):
    test = formats.made(name, schema._reads)
    start = time.perf_counter()
    for piece in ("1", "a", "a.", "1:", "/", "%41", "{a}", "a@", "::", "\\", '"', "-", "P1", "~0", "(", "[a"):
        test(piece * 20_000)
        test("http://" + piece * 20_000 + "\n")
    assert time.perf_counter() - start < 3


def even_length(wanted: bool, value: Any) -> bool:
    """A keyword of one's own."""
    return not isinstance(value, str) or (len(value) % 2 == 0) == wanted


def is_sku(text: str) -> bool:
    """A format of one's own."""
    return text.startswith("sku-")


def test_keywords_of_ones_own():
    check = schema.compiled({"properties": {"a": {"evenLength": True}}}, keywords={"evenLength": even_length})
    assert check({"a": "ab"}) is None
    assert check({"a": "abc"})[:2] == ("$.a", "evenLength")


# ---------------------------------------------------------------- ahead of time


def loaded(text: str) -> Any:
    module = types.ModuleType("compiled_schema")
    exec(compile(text, "compiled_schema", "exec"), module.__dict__)
    return module


def test_a_compiled_schema_is_a_module_of_its_own():
    text = schema.source(ORDER)
    assert text == schema.source(json.loads(json.dumps(ORDER)))
    check = schema.baked(loaded(text), ORDER)
    assert check(GOOD) is None
    for explained in (True, False):
        assert check({**GOOD, "items": [{"sku": "a", "qty": 0}]}) == ("$.items[0].qty", "minimum", "at least 1"), explained
    with pytest.raises(PolicyError, match="has changed since it was compiled"):
        schema.baked(loaded(text), {**ORDER, "required": ["id"]})
    assert "PATTERN" not in text and "REGEX_1 = supply('regex', '^ord_[0-9a-z]{8}\\\\Z')" in text
    other = loaded(re.sub(r"PYTHON = .*", "PYTHON = ('cpython-399', 1)", text))
    assert schema.baked(other)(GOOD) is None and schema.baked(other)({**GOOD, "id": "x"}).keyword == "pattern"
    with pytest.raises(PolicyError, match="another version"):
        schema.baked(loaded(text.replace("VERSION = ", "VERSION = 9")))


def test_a_compiled_file_is_refused_when_it_or_one_beside_it_has_changed(tmp_path: Path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "order.json").write_text(json.dumps({"properties": {"to": {"$ref": "../parts/address.json"}}}))
    (tmp_path / "parts" / "address.json").write_text(json.dumps({"properties": {"zip": {"type": "string"}}, "unevaluatedProperties": False}))
    text = schema.source("schemas/order.json", str(tmp_path))
    assert str(tmp_path) not in text
    module = loaded(text)
    check = schema.baked(module, "schemas/order.json", str(tmp_path))
    assert check({"to": {"zip": "a"}}) is None
    assert check({"to": {"zip": 1}}) == ("$.to.zip", "type", "string")
    assert schema.baked(module)({"to": {"zip": 1}}) is not None
    with pytest.raises(PolicyError, match="not that of the file"):
        schema.baked(module, "schemas/other.json", str(tmp_path))
    (tmp_path / "parts" / "address.json").write_text("{}")
    with pytest.raises(PolicyError, match=r"parts/address\.json` has changed"):
        schema.baked(module, "schemas/order.json", str(tmp_path))


def test_functions_of_ones_own_are_imported_by_a_compiled_schema(tmp_path: Path):
    own = {"properties": {"a": {"format": "sku"}, "b": {"evenLength": True}, "c": {"format": "date"}}}
    text = schema.source(own, formats={"sku": is_sku, "date": None}, keywords={"evenLength": even_length})
    check = schema.baked(loaded(text))
    assert check({"a": "sku-1", "b": "ab", "c": "2026-01-01"}) is None
    assert check({"a": "x"}).keyword == "format" and check({"b": "x"}).keyword == "evenLength" and check({"c": "x"}).keyword == "format"
    with pytest.raises(PolicyError, match="cannot be imported by name"):
        schema.source(own, formats={"sku": lambda text: True})


def test_an_operation_can_be_compiled_ahead_of_time(tmp_path: Path):
    (tmp_path / "api.json").write_text(json.dumps(OPENAPI))
    module = loaded(schema.source("api.json#PUT /orders/{id}", str(tmp_path)))
    assert schema.baked(module, "api.json#PUT /orders/{id}", str(tmp_path))({}) == ("$", "required", "the property `note`")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(SCHEMAS, st.lists(VALUES, max_size=4))
def test_a_compiled_schema_has_the_verdicts_of_its_source(root: Any, values: list[Any]):
    assume("$ref" not in json.dumps(root))
    check = schema.compiled(root)
    baked = schema.baked(loaded(schema.source(root)), root)
    assert [baked(value) for value in values] == [check(value) for value in values]


# ---------------------------------------------------------------- alternatives that tell themselves apart

BRANCHES = st.lists(st.tuples(st.deferred(lambda: TAGS), SCHEMAS, st.booleans()), min_size=2, max_size=4)
TAGS = st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=2, unique=True)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(st.tuples(TAGS, SCHEMAS, st.booleans()), min_size=2, max_size=4),
    st.sampled_from(["oneOf", "anyOf"]),
    st.booleans(),
    VALUES,
    st.sampled_from(["a", "b", "e", 1, None]),
)
def test_tagged_alternatives_have_the_verdict_of_all(branches: list[Any], keyword: str, closed: bool, value: Any, tag: Any):
    made = [
        {"type": "object", "required": ["k"], "properties": {"k": {"enum": tags} if many else {"const": tags[0]}, "a": inner}} for tags, inner, many in branches
    ]
    root: dict[str, Any] = {keyword: made, **({"unevaluatedProperties": False} if closed else {})}
    assume("$ref" not in json.dumps(root))
    check, judge = schema.compiled(root), jsonschema.Draft202012Validator(root)
    for one in (value, {"k": tag, "a": value}, {"k": tag}, {"a": value}):
        assert (check(one) is None) == judge.is_valid(one), (root, one)


def test_a_tag_is_not_looked_for_where_null_will_do():
    branches = [{"type": "object", "nullable": True, "required": ["k"], "properties": {"k": {"enum": [kind]}}} for kind in "ab"]
    assert schema.compiled({"anyOf": branches}, draft="openapi-3.0")(None) is None


def test_a_schema_of_many_alike_parts_is_compiled_in_linear_time():
    start = time.perf_counter()
    assert schema.compiled({"allOf": [{"anyOf": [{"items": True, "properties": {"a": True}}, {"items": {"type": "null"}}]}] * 3000})([]) is None
    assert time.perf_counter() - start < 10


def test_a_tagged_alternative_says_what_is_wrong_inside():
    branch = {"type": "object", "required": ["kind"], "properties": {"size": {"type": "integer"}}}
    alternatives = [{**branch, "properties": {**branch["properties"], "kind": {"const": kind}}} for kind in ("post", "pickup")]
    check = schema.compiled({"oneOf": alternatives, "uniqueItems": True})
    assert check({"kind": "post", "size": "x"}) == ("$.size", "type", "integer")
    assert check({"kind": "none"}).keyword == "oneOf"


# ---------------------------------------------------------------- violations

SECRET = "s3cr3t-value"


@pytest.mark.parametrize(
    ("value", "path", "keyword", "expected"),
    [
        ({"items": [{"sku": "a"}]}, "$", "required", "the property `id`"),
        ({**GOOD, "id": SECRET}, "$.id", "pattern", 'text that matches "^ord_[a-z0-9]{8}$"'),
        ({**GOOD, "items": []}, "$.items", "minItems", "at least 1 items"),
        ({**GOOD, "items": [{"sku": "a"}, {"sku": SECRET, "qty": 0}]}, "$.items[1].qty", "minimum", "at least 1"),
        ({**GOOD, "note": SECRET * 9}, "$.note", "maxLength", "at most 20 characters"),
        ({**GOOD, "note": 1}, "$.note", "type", "string or null"),
        ({**GOOD, SECRET: 1}, "$", "additionalProperties", "no other properties"),
        ([SECRET], "$", "type", "object"),
    ],
)
@pytest.mark.parametrize("explained", [500, -1])
def test_a_violation_says_where_and_what_and_never_the_value(
    value: Any, path: str, keyword: str, expected: str, explained: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(schema, "EXPLAINED", explained)
    violation = schema.compiled(ORDER)(value)
    assert violation == (path, keyword, expected)
    assert SECRET not in repr(violation)


@pytest.mark.parametrize("explained", [500, -1])
def test_a_name_that_the_sender_chose_is_not_told(explained: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(schema, "EXPLAINED", explained)
    check = schema.compiled({"additionalProperties": {"type": "object", "properties": {"a b": {"type": "string"}}}})
    assert check({SECRET: {"a b": 1}}) == ("$.*['a b']", "type", "string")


def test_odd_names_in_a_schema_are_no_code():
    names = ['"', "'", "\\", "\n", "{x}", "{{", "__import__('os')", "\u2028", "\ud800", "", "value", "def", "a" * 300]
    check = schema.compiled({"properties": {name: {"type": "string"} for name in names}, "required": names, "additionalProperties": False})
    assert check(dict.fromkeys(names, "x")) is None
    for name in names:
        assert check({**dict.fromkeys(names, "x"), name: 1}).keyword == "type"
        assert check._violation({**dict.fromkeys(names, "x"), name: 1})


def test_functions_of_alike_names_are_kept_apart():
    names = ["a", "A", "a_2", "a-2", "a_2_wrong", "wrong", "root", "root_wrong", "a_3", "é"]
    parts = {name: {"items": {"const": name}} for name in names}
    check = schema.compiled({"properties": {name: {"$ref": f"#/$defs/{name}"} for name in names}, "$defs": parts})
    assert check({name: [name] for name in names}) is None
    for name in names:
        assert check({name: ["other"]}) == (
            f"$.{name}[0]" if name.isascii() and name.isidentifier() else f"$[{name!r}][0]",
            "const",
            f'"{name}"' if name.isascii() else '"\\u00e9"',
        )


def test_values_of_other_classes_than_those_of_json():
    class Text(str): ...

    class Bag(dict): ...

    from decimal import Decimal

    check = schema.compiled(ORDER)
    assert check(Bag(id=Text("ord_abcdefgh"), items=[Bag(sku=Text("a"), qty=Decimal("2"))])) is None
    assert check(Bag(id=Text("x"), items=[Bag(sku="a")])).keyword == "pattern"
    open_check = schema.compiled({"properties": {"a": {"minLength": 2, "minimum": 3}}})
    assert open_check(Bag(a=Text("x"))) is not None
    assert open_check(Bag(a=Decimal(1))) is not None
    assert runtime.unique([Decimal("1.5"), 1.5]) is False
    assert schema.compiled({"multipleOf": 0.1})(Decimal("0.30")) is None
    for odd in (Decimal("NaN"), Decimal("Infinity"), Decimal("1e999999"), (1,), b"x", {1, 2}, object(), float("nan"), {1: 2}, "\ud800"):
        check(odd)
        open_check({"a": odd})
        schema.compiled({"multipleOf": 0.5})(odd)
        schema.compiled({"uniqueItems": True, "enum": [1, "a", [2], {"b": 1}], "patternProperties": {"a": True}})([odd])


# ---------------------------------------------------------------- bounds

TREE = {"type": "object", "properties": {"next": {"$ref": "#"}, "many": {"type": "array", "items": {"$ref": "#"}}}}


def nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"next": value}
    return value


def test_a_value_too_deep_is_a_violation_and_never_a_recursion_error():
    check = schema.compiled(TREE)
    assert check(nested(200)) is None
    assert check(nested(100_000)).keyword == "depth"
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert schema.compiled({"uniqueItems": True})([deep, 1]).keyword == "depth"
    assert schema.compiled({"type": "object"})(deep).keyword == "type"


def test_a_schema_nested_deeply_is_compiled():
    deep: Any = {"type": "integer"}
    for level in range(60):
        deep = {"properties": {"a": deep}} if level % 2 else {"items": deep}
    assert schema.compiled(deep)(1) is None
    value: Any = "x"
    for level in range(60):
        value = {"a": value} if level % 2 else [value]
    assert schema.compiled(deep)(value).keyword == "type"
    logic: Any = {"type": "integer"}
    for _ in range(40):
        logic = {"anyOf": [logic, {"not": logic if _ < 3 else True}]}
    assert schema.compiled(logic)(1) is None


def test_time_is_linear_in_the_value():
    mersenne = 2**61 - 1  # integers that are multiples of it have one hash
    check = schema.compiled({"type": "array", "uniqueItems": True, "items": {"enum": [*range(50), {"type": "number"}]}, "contains": {"const": 1}})
    colliding = schema.compiled({"uniqueItems": True})
    start = time.perf_counter()
    assert colliding([mersenne * index for index in range(50_000)]) is None
    assert check([[index] for index in range(50_000)]) is not None
    assert time.perf_counter() - start < 2


NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}


@pytest.mark.parametrize(
    "node",
    [
        {"anyOf": [{**NODE, "properties": {**NODE["properties"], "kind": {"const": kind}}} for kind in ("a", "b")]},
        {"oneOf": [{**NODE, "properties": {**NODE["properties"], "kind": {"const": kind}}} for kind in ("a", "b")]},
        {**NODE, "allOf": [{"$ref": "#/$defs/same"}], "unevaluatedProperties": False},
        {"if": NODE, "then": NODE, "else": {"not": NODE}},
        {"properties": {"next": {"$ref": "#/$defs/node"}}, "patternProperties": {"^n": {"$ref": "#/$defs/node"}}},
        {"properties": {"next": {"$ref": "#/$defs/node"}}, "additionalProperties": False, "dependentSchemas": {"next": NODE}},
    ],
)
def test_a_recursive_schema_that_forks_takes_linear_time(node: Any):
    check = schema.compiled({"$ref": "#/$defs/node", "$defs": {"node": node, "same": {**NODE, "properties": {**NODE["properties"], "kind": True}}}})
    value: Any = {"kind": "b"}
    for _ in range(64):
        value = {"next": value}
    start = time.perf_counter()
    check(value)
    check({"next": value, "kind": 1})
    check({"next": {"kind": []}})
    assert time.perf_counter() - start < 2


def test_a_recursive_schema_that_does_not_fork_remembers_nothing():
    both = {"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "all": {"items": {"$ref": "#"}}}}
    assert "memo" not in schema.compiled(both).text()
    assert "memo" in schema.compiled({**both, "additionalProperties": {"$ref": "#"}, "allOf": [{"properties": {"left": {"items": {"$ref": "#"}}}}]}).text()


def test_threads_share_a_check():
    check = schema.compiled(ORDER)
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(check(GOOD))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [None] * 8


def test_a_clean_value_loads_no_jsonschema():
    code = (
        "import sys; from serverless_guard import schema\n"
        f"check = schema.compiled({ORDER!r}); assert check({GOOD!r}) is None\n"
        "heavy = {'jsonschema', 'referencing', 'rpds', 'dataclasses', 'inspect', 'urllib.parse', 'ipaddress', 'hashlib', 'jsonschema_specifications'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_jsonschema_may_be_absent():
    code = (
        "import sys; sys.modules['jsonschema'] = None; sys.modules['referencing'] = None\n"
        "from serverless_guard import schema\n"
        f"print(schema.compiled({ORDER!r})({{'id': 'x', 'items': [1]}}))"
    )
    assert "keyword='pattern'" in subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_draft_3_is_handed_to_jsonschema(monkeypatch: pytest.MonkeyPatch):
    check = schema.compiled({"properties": {"a": {"$schema": "http://json-schema.org/draft-03/schema#", "divisibleBy": 2, "type": "integer"}}})
    assert check.uncovered == ("#/properties/a",)
    assert check({"a": 4}) is None
    assert check({"a": 3}) is not None
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(PolicyError, match="needs the package `jsonschema`"):
        schema.compiled({"$schema": "http://json-schema.org/draft-03/schema#"})


@pytest.mark.parametrize(
    ("base", "reference", "joined"),
    [
        ("http://a/b/c/d;p?q", "g", "http://a/b/c/g"), ("http://a/b/c/d;p?q", "./g", "http://a/b/c/g"), ("http://a/b/c/d;p?q", "g/", "http://a/b/c/g/"),
        ("http://a/b/c/d;p?q", "/g", "http://a/g"), ("http://a/b/c/d;p?q", "//g", "http://g"), ("http://a/b/c/d;p?q", "g?y#s", "http://a/b/c/g?y#s"),
        ("http://a/b/c/d;p?q", "../..", "http://a/"), ("http://a/b/c/d;p?q", "../../../g", "http://a/g"), ("http://a/b/c/d;p?q", "g:h", "g:h"),
        ("http://a/b/c/d;p?q", "#s", "http://a/b/c/d;p?q#s"), ("http://a/b/c/d;p?q", "", "http://a/b/c/d;p?q"), ("http://a/b/c/d;p?q", "..", "http://a/b/"),
        ("", "a.json", "a.json"), ("urn:x:y", "#z", "urn:x:y#z"), ("http://a", "b", "http://a/b"),
    ],
)  # fmt: skip
def test_references_are_joined_as_rfc_3986_says(base: str, reference: str, joined: str):
    assert join(base, reference) == joined
