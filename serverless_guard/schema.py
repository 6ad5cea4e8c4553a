"""JSON Schema to a plain Python function: checked at start, written at the first validation, or ahead of time.

At start a schema is read and judged, by this compiler's own strictness: jsonschema would cost more than the whole guard.
The first validation writes and compiles the function. The clean path stays there; a violation is explained by jsonschema's
best match where that can be imported, else by the compiler's own explaining form, which names the first failure.
What is not compiled is listed in `Check.uncovered` and handed to jsonschema. Nothing is ever fetched.
https://json-schema.org/specification
"""

from __future__ import annotations

import json
import os
from functools import lru_cache

from serverless_guard.errors import PolicyError
from serverless_guard.keywords.documents import Documents
from serverless_guard.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

EXPLAINED = 500  # values in an instance that jsonschema may explain: it takes 30 us for each, and a sender chooses how many
SHOWN = 160  # characters of a schema's own words in an explanation


class Violation(NamedTuple):
    """Why a value does not fit: where, which keyword, and what that wants. Nothing of the value, nor a name the sender chose."""

    path: str  # "$.items[0].qty"; a name that no schema declares is `*`
    keyword: str  # "minimum"
    expected: str  # "at least 1"


class Check:
    """One schema, ready: `check(value)` is None for a value that fits, else a `Violation`. Immutable, safe between threads."""

    __slots__ = ("_documents", "_explaining", "_formats", "_root", "_wrong", "uncovered")

    def __init__(self, documents: Documents, root: Any, formats: Mapping[str, Callable[[Any], Any] | None]) -> None:
        self.uncovered = tuple(documents.uncovered)  # JSON pointers of subschemas that jsonschema runs
        self._documents = documents
        self._root = root
        self._formats = formats
        self._wrong: Callable[[Any], Any] = self._first
        self._explaining: tuple[Callable[[Any, str], Any], list[tuple[str, Any]]] | None = None

    def __call__(self, value: Any) -> Violation | None:
        try:
            if not self._wrong(value):
                return None
            return self._violation(value)
        except RecursionError:
            return Violation("$", "depth", "less nesting than this schema can follow")

    @property
    def _linear(self) -> bool:
        """Whether jsonschema is linear in the value too: it backtracks in patterns, and compares items pair by pair."""
        for node in self._documents.nodes.values():
            known = node.known
            patterns = [*known.get("patternProperties", ()), *([known["pattern"]] if "pattern" in known else ())]
            if known.get("uniqueItems") is True or any(_matcher(pattern)[0] == "automaton" for pattern in patterns):
                return False
        return True

    def text(self) -> str:
        """The Python text of the check."""
        return str(self._writer(False).module(self._root))

    def _first(self, value: Any) -> Any:
        self._wrong = self._executed(self.text())
        return self._wrong(value)

    def _writer(self, explain: bool) -> Any:
        from serverless_guard.keywords import formats
        from serverless_guard.keywords.writer import Writer

        return Writer(self._documents, _matcher, explain, self._formats, formats.NAMES if self._documents.asserting else ())

    def _executed(self, text: str) -> Callable[..., Any]:
        from serverless_guard.keywords import runtime

        space: dict[str, Any] = {name: getattr(runtime, name) for name in ("number", "integer", "equal", "unique", "multiple")}
        exec(compile(text, "<schema>", "exec"), space)  # noqa: S102  # the text was written by `Writer`, every name in it through repr()
        if "ready" in space:
            space["ready"](self._supply)
        return space["wrong"]  # type: ignore[no-any-return]  # made by the line above

    def _supply(self, kind: str, argument: str) -> Callable[[Any], Any]:
        if kind == "format":
            from serverless_guard.keywords import formats

            return self._formats.get(argument) or formats.made(argument, _fault)
        if kind == "delegate":
            return _delegate(self._documents, argument)
        if kind == "automaton":
            from serverless_guard.keywords import automata

            return automata.Automaton(_pattern(argument).tree).search
        import re

        return re.compile(argument).search

    def _violation(self, value: Any) -> Violation:
        if self._explaining is None:
            writer = self._writer(True)
            self._explaining = self._executed(writer.module(self._root)), writer.reasons
        explain, reasons = self._explaining
        path, reason = explain(value, "$")
        best = _best_match(self._documents, self._root, value) if self._linear and _small(value) else None
        return best or Violation(path, reasons[reason][0], expected(*reasons[reason]))


def compiled(reference: Any, base: str = "", origin: str = "", formats: Any = (), documents: Mapping[str, Any] | None = None, draft: str = "2020-12") -> Check:
    """The check of a schema: a mapping, a boolean, JSON text that starts with `{`, or a file relative to the folder `base`.

    `formats` says which are asserted: True for all that are known, names, or functions of a string by name; `documents` are schemas by URI, for references.
    A schema without `$schema` is read as `draft`. Raises PolicyError for what is no schema; `origin` says where it was named.
    """
    known, root = _read(reference, base, origin, documents or {}, draft)
    if known.problems:
        message, pointer = known.problems[0]
        raise PolicyError(f"schema `{pointer}` {message}", pointer, origin)
    if known.uncovered and not _installed("jsonschema"):
        pointer = known.uncovered[0]
        raise PolicyError(f"schema `{pointer}` is of a draft that needs the package `jsonschema`, which is not installed", pointer, origin)
    return Check(known, root, _asserted(formats, origin))


def judge(reference: Any, base: str = "", origin: str = "", documents: Mapping[str, Any] | None = None, draft: str = "2020-12") -> list[tuple[str, str]]:
    """Everything that is wrong with a schema, as `(JSON pointer, message)`; with jsonschema's own verdict where it is installed."""
    try:
        known, root = _read(reference, base, origin, documents or {}, draft)
    except PolicyError as error:
        return [(error.path, str(error))]
    problems = [(pointer, message) for message, pointer in known.problems]
    if not problems and _installed("jsonschema") and isinstance(root, dict):
        from jsonschema import SchemaError, validators

        try:
            validators.validator_for(root, validators.Draft202012Validator).check_schema(root)
        except SchemaError as error:
            problems.append(("#" + "".join(f"/{step}" for step in error.absolute_path), f"does not fit its meta-schema: keyword `{error.validator}`"))
    return problems


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


def _read(reference: Any, base: str, origin: str, documents: Mapping[str, Any], draft: str) -> tuple[Documents, Any]:
    folder = os.path.abspath(base or os.curdir)
    uri = f"file://{folder}/"
    if isinstance(reference, str) and not reference.lstrip().startswith("{"):
        path = os.path.join(folder, reference)
        schema, uri = _file(path, reference, origin), f"file://{path}"
    elif isinstance(reference, str):
        schema = _parsed(reference, "the schema", origin)
    else:
        try:
            own = reference if isinstance(reference, bool) else dict(reference)
            schema = json.loads(json.dumps(own, allow_nan=False))  # its own copy: a check is immutable
        except (TypeError, ValueError, RecursionError):
            raise PolicyError("a schema must be an object of JSON values, `true` or `false`, or the name of a file", "", origin) from None
    known = Documents(draft, documents, _beside, _fault)
    known.read(schema, uri)
    return known, schema


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> Any:
    from serverless_guard.keywords import patterns

    return patterns.read(pattern)


def _fault(pattern: str) -> str:
    """What is wrong with a pattern. Whether a regular one is dangerous need not be known at start: it has a linear matcher."""
    try:
        found = _pattern(pattern)
    except ValueError as fault:
        return f"is no regular expression: it {fault}"
    from serverless_guard.keywords import automata

    if "$" in pattern[: pattern.rfind("^")] and automata.crossed(found.tree):
        return "is no useful regular expression: it has `^` behind `$`"
    if found.regular and (automata.size(found.tree) <= automata.MAX_POSITIONS or automata.plain(found.tree)):
        return ""
    if automata.dangerous(found.tree):
        return "can take more than linear time, and has a look, a back reference or counts that keep it from being matched in another way"
    import re

    try:
        re.compile(found.text)
    except (re.error, OverflowError) as fault:
        return f"is a regular expression that Python cannot run: {fault}"
    return ""


def _matcher(pattern: str) -> tuple[str, str]:
    """How a pattern is searched for: by `re`, or in linear time where `re` might backtrack."""
    from serverless_guard.keywords import automata

    found = _pattern(pattern)
    return ("automaton", pattern) if found.regular and automata.dangerous(found.tree) else ("regex", found.text)


def _file(path: str, name: str, origin: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError) as error:
        raise PolicyError(f"cannot read the schema `{name}`: {getattr(error, 'strerror', None) or 'not a text file'}", "", origin) from None
    return _parsed(text, f"the schema `{name}`", origin)


def _parsed(text: str, name: str, origin: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        where = f": line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise PolicyError(f"{name} is not JSON{where}", "", origin) from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _beside(uri: str) -> Any:
    """A document that a reference names: a file, or one of the drafts' own meta-schemas from jsonschema's data."""
    if uri.startswith("file://"):
        path = uri[len("file://") :]
        return _file(path, os.path.basename(path), "") if os.path.isfile(path) else None
    if uri.startswith(("https://json-schema.org/draft", "http://json-schema.org/draft")) and _installed("jsonschema_specifications"):
        from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it ships no stubs

        found = REGISTRY.get(uri) or REGISTRY.get(uri + "#")
        return found.contents if found is not None else None
    return None


def _asserted(formats: Any, origin: str) -> Mapping[str, Callable[[Any], Any] | None]:
    """Formats to assert, by name; None for those that are built in."""
    if not formats:
        return {}
    from serverless_guard.keywords.formats import NAMES
    from serverless_guard.policy import nearest

    if formats is True:
        return dict.fromkeys(NAMES)
    if isinstance(formats, str):
        formats = (formats,)
    asserted = dict(formats) if hasattr(formats, "keys") else dict.fromkeys(formats)
    for name, function in asserted.items():
        if name not in NAMES and function is None:
            raise PolicyError(f"format `{name}` is not known{nearest(name, NAMES)}", "", origin)
        if function is not None and not callable(function):
            raise PolicyError(f"format `{name}` must be a function of a string", "", origin)
    return asserted


def _installed(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


def _small(value: Any) -> bool:
    """Whether a value is small enough for jsonschema to explain."""
    left, stack = EXPLAINED, [value]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            stack.extend(value.values())
            left -= len(value)
        elif isinstance(value, list):
            stack.extend(value)
            left -= len(value)
        if left < 0:
            return False
    return True


def _validator(documents: Documents, schema: Any) -> Any:
    """jsonschema's validator with every document at hand, or None where it cannot be imported."""
    try:
        from jsonschema import validators
        from referencing import Registry, jsonschema
    except ImportError:
        return None
    drafts = {"2020-12": "202012", "2019-09": "201909"}
    resources = []
    for uri, root in documents.resources.items():
        draft = documents.draft(root)
        if draft not in ("2020-12", "2019-09", "7", "6", "4"):
            return None
        resources.append((uri, getattr(jsonschema, f"DRAFT{drafts.get(draft, draft)}").create_resource(root)))
    draft = documents.draft(schema)
    return getattr(validators, f"Draft{drafts.get(draft, draft)}Validator")(schema, registry=Registry().with_resources(resources))


def _best_match(documents: Documents, root: Any, value: Any) -> Violation | None:
    validator = _validator(documents, root)
    if validator is None:
        return None
    import re

    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    try:
        error = best_match(validator.iter_errors(value))
    except (Unresolvable, RecursionError, ArithmeticError, TypeError, re.error):  # odd values, and patterns that Python does not know
        return None
    if error is None:
        return None
    declared = {name for node in documents.nodes.values() for name in node.known.get("properties", ())}
    path = "$"
    for step in error.absolute_path:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += (f".{step}" if step.isidentifier() and step.isascii() else f"[{step!r}]") if step in declared else ".*"
    wanted = error.validator_value
    if error.validator == "required":
        wanted = next((name for name in wanted if name not in error.instance), wanted)
    return Violation(path, str(error.validator or "false"), expected(str(error.validator or "false"), wanted))


def _delegate(documents: Documents, pointer: str) -> Callable[[Any], Any]:
    node_id = next(key for key, node in documents.nodes.items() if node.pointer == pointer)
    schema = next(iter(_schemas(documents, node_id)))
    from jsonschema import validators

    return validators.validator_for(schema, validators.Draft3Validator)(schema).is_valid


def _schemas(documents: Documents, node_id: int) -> list[Any]:
    found: list[Any] = []
    stack = list(documents.resources.values())
    while stack and not found:
        value = stack.pop()
        if id(value) == node_id:
            found.append(value)
        elif isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return found
