"""JSON Schema to a plain Python function: judged at start, written at the first validation, or ahead of time.

At start a schema is read and judged by this compiler's own strictness: jsonschema would cost more than the whole guard.
The first validation writes and compiles the function. The clean path stays there; a violation is explained by jsonschema's
best match where that can be imported, else by the compiler's own explaining form, which names the first failure.
What is not compiled is listed in `Check.uncovered` and handed to jsonschema. Nothing is ever fetched.
https://json-schema.org/specification
"""

from __future__ import annotations

import json
from functools import lru_cache, partial

from serverless_guard.errors import PolicyError
from serverless_guard.keywords import VERSION, origins
from serverless_guard.keywords.documents import Documents, join
from serverless_guard.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from serverless_guard.keywords.origins import Origin

    Functions = Mapping[str, Callable[..., Any] | None]

EXPLAINED = 500  # values in an instance that jsonschema may explain: it takes 30 us for each, and a sender chooses how many
CACHED = 64
_checks: dict[Any, Check] = {}


class Violation(NamedTuple):
    """Why a value does not fit: where, which keyword, and what that wants. Nothing of the value, nor a name the sender chose."""

    path: str  # "$.items[0].qty"; a name that no schema declares is `*`
    keyword: str  # "minimum"
    expected: str  # "at least 1"


class Check:
    """One schema, ready: `check(value)` is None for a value that fits, else a `Violation`. Immutable, safe between threads."""

    __slots__ = ("_explaining", "_formats", "_keywords", "_module", "_read", "_wrong", "uncovered")

    def __init__(
        self, read: Callable[[], tuple[Documents, Any]], formats: Functions, keywords: Functions, uncovered: tuple[str, ...], module: Any = None
    ) -> None:
        self.uncovered = uncovered  # JSON pointers of subschemas that jsonschema runs
        self._read = read  # the schema; of a baked one only when a violation is to be explained
        self._formats = formats
        self._keywords = keywords
        self._module = module  # that `source` wrote, None when the function is yet to be written
        self._wrong: Callable[[Any], Any] = self._first
        self._explaining: tuple[Callable[[Any, str], Any], list[tuple[str, Any]], bool] | None = None

    def __call__(self, value: Any) -> Violation | None:
        try:
            return self._violation(value) if self._wrong(value) else None
        except RecursionError:
            return Violation("$", "depth", "less nesting than this schema can follow")

    def text(self) -> str:
        """The Python text of the check: constants, `ready(supply)` where there is something to make first, and `wrong(value)`."""
        return str(self._writer(False).module(self._read()[1]))

    def _first(self, value: Any) -> Any:
        if self._module is None:
            self._wrong = self._executed(self.text())
        else:
            if hasattr(self._module, "ready"):
                self._module.ready(self._supply)
            self._wrong = self._module.wrong
        return self._wrong(value)

    def _writer(self, explain: bool) -> Any:
        from serverless_guard.keywords.writer import Writer

        documents = self._read()[0]
        asserted = tuple(self._formats)
        if documents.asserting:
            from serverless_guard.keywords import formats

            asserted += formats.NAMES
        return Writer(documents, _matcher, _forking, explain, tuple(self._formats), asserted, tuple(self._keywords))

    def _executed(self, text: str) -> Callable[..., Any]:
        from serverless_guard.keywords import runtime

        space: dict[str, Any] = {name: getattr(runtime, name) for name in runtime.HELPERS}
        exec(compile(text, "<schema>", "exec"), space)  # noqa: S102  # the text was written by `Writer`, every name in it through repr()
        if "ready" in space:
            space["ready"](self._supply)
        return space["wrong"]  # type: ignore[no-any-return]  # made by the line above

    def _supply(self, kind: str, argument: str, value: Any = None) -> Callable[[Any], Any]:
        """What generated code asks for by name before its first run."""
        if kind == "regex" and self._module is not None:
            from serverless_guard.keywords import runtime

            return runtime.search(self._module, argument)
        if kind == "regex":
            import re

            return re.compile(argument).search
        if kind == "automaton":
            from serverless_guard.keywords import automata

            return automata.Automaton(_pattern(argument).tree).search
        if kind == "keyword":
            function = self._keywords[argument]
            assert function is not None  # formats alone may be built in
            return partial(function, value)
        if kind == "format":
            from serverless_guard.keywords import formats

            return self._formats.get(argument) or formats.made(argument, _reads)
        from serverless_guard.keywords import explanations

        documents = self._read()[0]
        return explanations.validator(documents, documents.find(argument)).is_valid  # type: ignore[no-any-return]  # jsonschema's own

    def _violation(self, value: Any) -> Violation:
        from serverless_guard.keywords import explanations

        documents, root = self._read()
        if documents.problems:  # a compiled schema whose references hold on one machine only
            return Violation("$", "schema", "a value that fits")
        if self._explaining is None:
            writer = self._writer(True)
            text = writer.module(root)
            linear = not writer.remembering and documents.linear(lambda pattern: _matcher(pattern)[0] == "regex")
            self._explaining = self._executed(text), writer.reasons, linear
        explain, reasons, linear = self._explaining
        if linear and explanations.small(value, EXPLAINED):
            best = explanations.best_match(documents, root, value)
            if best:
                return Violation(*best)
        path, reason = explain(value, "$") or ("$", -1)
        if reason < 0:
            return Violation("$", "schema", "a value that fits")
        return Violation(path, reasons[reason][0], explanations.expected(*reasons[reason]))


def compiled(
    reference: Any,
    base: str = "",
    origin: str = "",
    formats: Any = (),
    keywords: Functions | None = None,
    documents: Mapping[str, Any] | None = None,
    draft: str = "2020-12",
) -> Check:
    """The check of a schema: a mapping, a boolean, JSON text that starts with `{`, or a file relative to the folder `base`.

    Also `package:name/path.json`, `openapi.json#/components/schemas/Order`, `openapi.json#POST /orders`, a Pydantic model,
    a dataclass. `formats` says which are asserted: True for all that are known, names, or functions of a string by name;
    `keywords` are functions `(value of the keyword, instance) -> bool` by name; `documents` are schemas by URI, for references.
    A schema without `$schema` is read as `draft`. Raises PolicyError for what is no schema; `origin` says where it was named.
    """
    source_ = origins.Origin(reference, base, origin, documents or {})
    asserted = _asserted(formats, origin)
    key = (*source_.texts.values(), source_.uri, source_.fragment, draft, *asserted.items(), *(keywords or {}).items())
    if not documents and key in _checks:
        return _checks[key]
    known, root = _understood(source_, draft)
    if known.problems:
        message, pointer = known.problems[0]
        raise PolicyError(f"schema `{pointer}` {message}", pointer, origin)
    if known.uncovered and not origins.installed("jsonschema"):
        pointer = known.uncovered[0]
        raise PolicyError(f"schema `{pointer}` is of a draft that needs the package `jsonschema`, which is not installed", pointer, origin)
    check = Check(lambda: (known, root), asserted, keywords or {}, tuple(known.uncovered))
    if not documents and len(source_.texts) == 1:  # a schema that other files belong to is read anew: they may have changed
        if len(_checks) >= CACHED:
            _checks.clear()
        _checks[key] = check
    return check


def operations(reference: str, base: str = "", origin: str = "", formats: Any = ()) -> dict[str, Check]:
    """The checks of the JSON bodies of an OpenAPI document, by method and route: `{"POST /orders/{id}": Check}`."""
    root = origins.Origin(reference, base, origin, {}).root
    if not origins.openapi(root):
        raise PolicyError(f"`{reference}` is no OpenAPI document of version 3", "", origin)
    return {operation: compiled(f"{reference}#{pointer}", base, origin, formats) for operation, pointer in origins.operations(root).items()}


def judge(reference: Any, base: str = "", origin: str = "", documents: Mapping[str, Any] | None = None, draft: str = "2020-12") -> list[tuple[str, str]]:
    """Everything that is wrong with a schema, as `(JSON pointer, message)`; with jsonschema's own verdict where it is installed."""
    try:
        known, root = _understood(origins.Origin(reference, base, origin, documents or {}), draft)
    except PolicyError as error:
        return [(error.path, str(error))]
    problems = [(pointer, message) for message, pointer in known.problems]
    if not problems:
        from serverless_guard.keywords import explanations

        complaint = explanations.complaint(known, root)
        problems += [complaint] if complaint else []
    return problems


def source(reference: Any, base: str = "", origin: str = "", formats: Any = (), keywords: Functions | None = None, draft: str = "2020-12") -> str:
    """A module that `baked` makes a check of: nothing is read, parsed or written at start. The same text for the same schema."""
    from serverless_guard.keywords import modules, runtime

    check = compiled(reference, base, origin, formats, keywords, None, draft)
    source_ = origins.Origin(reference, base, origin, {})
    documents, _ = _understood(source_, draft)
    facts = {
        "DRAFT": draft,
        "PYTHON": runtime.python(),
        "FORMATS": {name: modules.importable(function, name, origin) for name, function in _asserted(formats, origin).items()},
        "KEYWORDS": {name: modules.importable(function, name, origin) for name, function in (keywords or {}).items()},
        "UNCOVERED": tuple(documents.uncovered),
    }
    expressions = dict.fromkeys(text for kind, text in map(_matcher, documents.patterns()) if kind == "regex")
    return modules.written(source_, check.text(), runtime.HELPERS, list(expressions), facts)


def baked(module: Any, reference: Any = None, base: str = "", origin: str = "") -> Check:
    """The check of a module that `source` wrote. Raises PolicyError when `reference`, or a file beside it, is not what was compiled."""
    if getattr(module, "VERSION", None) != VERSION:
        raise PolicyError("a compiled schema was written by another version of serverless_guard: compile it anew", "", origin)
    if reference is not None:
        from serverless_guard.keywords import modules

        modules.refuse_changes(module, reference, base, origin, lambda: origins.Origin(reference, base, origin, {}).texts[""])
    formats, keywords = module.FORMATS, module.KEYWORDS
    if formats or keywords:
        from serverless_guard.keywords import modules

        formats, keywords = ({name: modules.imported(place) for name, place in given.items()} for given in (formats, keywords))
    return Check(lru_cache(maxsize=1)(partial(_reread, module)), formats, keywords, module.UNCOVERED, module)


def _understood(source_: Origin, draft: str) -> tuple[Documents, Any]:
    known = Documents(origins.openapi(source_.root) or draft, source_.find, source_.relative, _fault)
    fragment = source_.fragment
    if not fragment:
        known.read(source_.root, source_.uri)
        return known, source_.root
    if " /" in fragment:
        found = origins.operations(source_.root)
        if fragment not in found:
            from serverless_guard.policy import nearest

            known.problems.append((f"has no operation with a JSON body{nearest(fragment, found)}", f"#{fragment}"))
            return known, True
        fragment = found[fragment]
    return known, known.read(source_.root, source_.uri, fragment)


def _reread(module: Any) -> tuple[Documents, Any]:
    """The documents of a compiled schema, under a folder that is no machine's."""
    from serverless_guard.keywords.modules import ANYWHERE

    home = origins.location(f"{ANYWHERE}/")
    uris = {name: name if "://" in name else join(home, origins.location(name).removeprefix("file://")) for name in module.DOCUMENTS}
    documents = {uri: json.loads(module.DOCUMENTS[name]) for name, uri in uris.items()}
    source_ = origins.Origin(documents[uris[module.NAME]], ANYWHERE, "", documents)
    source_.fragment, source_.uri = module.FRAGMENT, uris[module.NAME]
    return _understood(source_, module.DRAFT)


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> Any:
    from serverless_guard.keywords import patterns

    return patterns.read(pattern)


def _reads(pattern: str) -> bool:
    """Whether a text that a sender gave is a regular expression."""
    from serverless_guard.keywords import patterns

    try:
        return bool(patterns.read(pattern))
    except ValueError:
        return False


def _fault(pattern: str) -> str:
    """What is wrong with a pattern. Whether a regular one is dangerous need not be known at start: it has a linear matcher."""
    from serverless_guard.keywords import patterns

    try:
        found = _pattern(pattern)
    except ValueError as fault:
        return f"is no regular expression: it {fault}"
    if found.regular and (found.plain or (found.size <= patterns.MAX_POSITIONS and "$" not in pattern[: pattern.rfind("^")])):
        return ""
    from serverless_guard.keywords import automata

    if automata.crossed(found.tree):
        return "is no useful regular expression: it has `^` behind `$`"
    if (not found.regular or found.size > patterns.MAX_POSITIONS) and automata.dangerous(found.tree):
        return "can take more than linear time, and has a look, a back reference or counts that keep it from being matched in another way"
    import re

    try:
        re.compile(found.text)
    except (re.error, OverflowError) as fault:
        return f"is a regular expression that Python cannot run: {fault}"
    return ""


def _matcher(pattern: str) -> tuple[str, str]:
    """How a pattern is searched for: by `re`, or in linear time where `re` might backtrack."""
    found = _pattern(pattern)
    if found.plain or not found.regular:
        return "regex", found.text
    from serverless_guard.keywords import automata

    return ("automaton", pattern) if automata.dangerous(found.tree) else ("regex", found.text)


def _forking(edges: Any) -> set[Any]:
    """Functions that must remember what they found; only a schema whose functions call one another has any."""
    if not any(edges.values()):
        return set()
    from serverless_guard.keywords import calls

    return calls.forking(edges)


def _asserted(formats: Any, origin: str) -> Functions:
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
