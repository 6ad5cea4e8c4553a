"""Makes Python functions of schemas: the text of a module whose `wrong(value)` is true when a value does not fit.

Members of this folder write nodes: `fail(...)`, `call(...)`, `when(...)`, `each(...)`, `do(...)`. A subschema of the same function
is written inline; a reference target, a branch with a loop, or a deep place is a function of its own. Every function takes
the value and is true for a wrong one. In the explaining form it also takes the path, and gives `(path, number of the reason)`.

A dynamic reference depends on the resources that lead to it. There are finitely many ways, so each gets a function of its
own (`scope`), and the generated code decides nothing about references while it runs.
"""

from __future__ import annotations

from importlib import import_module

from serverless_guard.keywords import VOCABULARIES
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from serverless_guard.keywords.documents import Documents, Node

    Nodes = list[tuple[Any, ...]]
    Scope = tuple[tuple[str, str], ...]

INLINE = 240  # characters of a condition that is written in place rather than as a function
DEEP = 8  # nested blocks after which a function is made: CPython allows 20 loops in one another and 100 levels of indentation

GUARDS = {
    "object": "isinstance({0}, dict)",
    "array": "isinstance({0}, list)",
    "string": "isinstance({0}, str)",
    "number": "({0}.__class__ is int or {0}.__class__ is float or number({0}))",
}
LOOPS = frozenset((
    "properties", "patternProperties", "additionalProperties", "propertyNames", "unevaluatedProperties",
    "items", "additionalItems", "prefixItems", "contains", "unevaluatedItems",
))  # fmt: skip


class At:
    """Where code is being written: the schema, the variable that holds the value, and what is known on the way."""

    __slots__ = ("known", "level", "node", "path", "schema", "scope", "seen", "types", "var")

    def __init__(self, schema: dict[str, Any], node: Node, var: str, path: str, scope: Scope, seen: str = "", level: int = 0) -> None:
        self.schema = schema
        self.node = node
        self.known = node.known  # the keywords of the schema that mean something in its draft
        self.var = var  # name of the local variable
        self.path = path  # f-string text: "{p}.items[{i_1}]"
        self.scope = scope  # dynamic anchor -> URI of the outermost resource that has it
        self.seen = seen  # name of the set of evaluated names and indices, "" when nobody asks
        self.level = level  # blocks around
        given = self.known.get("type")
        self.types: list[str] = given if given.__class__ is list else [given] if given.__class__ is str else []


class Writer:
    """Writes one module.

    matcher: pattern -> `("regex", text for re)` or `("automaton", pattern)`
    forking: calls between functions -> those that must remember what they found (`calls.forking`)
    explain: whether the explaining form is written
    formats: names of the formats that are asserted; `claimed`: of all that could be, for a meta-schema that asserts them
    keywords: names of the user's own keywords
    """

    __slots__ = (
        "_calls", "_constants", "_count", "_forking", "_functions", "_heavy", "_matcher", "_members", "_names", "_queue", "_supplies", "_writing",
        "claimed", "documents", "explain", "formats", "keywords", "reasons", "remembering",
    )  # fmt: skip

    def __init__(
        self,
        documents: Documents,
        matcher: Callable[[str], tuple[str, str]],
        forking: Callable[[dict[Any, list[tuple[Any, str]]]], set[Any]],
        explain: bool,
        formats: tuple[str, ...],
        claimed: tuple[str, ...],
        keywords: tuple[str, ...],
    ) -> None:
        self.documents = documents
        self.explain = explain
        self.formats = formats
        self.claimed = claimed
        self.keywords = keywords
        self._matcher = matcher
        self._forking = forking
        used = {keyword for node in documents.nodes.values() for keyword in node.known}
        needed = [name for name, own in VOCABULARIES.items() if not used.isdisjoint(own) or (keywords and name == "generic")]
        self._members = [import_module(f"serverless_guard.keywords.{name}") for name in needed]
        self._begin(set())

    def _begin(self, remembering: set[Any]) -> None:
        self.reasons: list[tuple[str, Any]] = []  # (keyword, its value) by number
        self._constants: dict[str, str] = {}
        self._supplies: dict[tuple[str, ...], str] = {}
        self._functions: dict[tuple[int, Scope, bool], str] = {}
        self._queue: list[tuple[Any, Scope, bool, str]] = []
        self._heavy: set[int] = set()
        self._names: dict[str, int] = {"wrong": 1, "root_wrong": 1}  # those given, and by hint the last number
        self._count = 0
        self._calls: dict[Any, list[tuple[Any, str]]] = {}
        self._writing: Any = None  # key of the function that is being written
        self.remembering = remembering  # keys of functions that keep what they found

    def module(self, root: Any) -> str:
        """The text: constants, `ready(supply)` which makes patterns and formats, and the functions, `wrong` first."""
        bodies = self._bodies(root)
        remembering = self._forking(self._calls)
        if remembering:
            self._begin(remembering)
            bodies = self._bodies(root)
        lines = [f"{name} = {text}" for text, name in self._constants.items()]
        if self._supplies:
            names = ", ".join(self._supplies.values())
            lines += ["", "", "def ready(supply):", f"    global {names}"]
            lines += [f"    {name} = supply({kind!r}, {', '.join(arguments)})" for (kind, *arguments), name in self._supplies.items()]
        return "\n".join(lines) + "\n\n\n" + "\n\n\n".join(bodies) + "\n"

    def _bodies(self, root: Any) -> list[str]:
        bodies = []
        if self.remembering:
            p = ", p" * self.explain
            bodies.append(f"def wrong(value{p}):\n    return root_wrong(value, {{}}{p})")
        self._function(root, self._entered((), root), False, "root_wrong" if self.remembering else "wrong")
        while self._queue:
            bodies.append(self._written(*self._queue.pop(0)))
        return bodies

    # What members write with

    def fail(self, at: At, condition: str, keyword: str, value: Any, step: str = "") -> tuple[Any, ...]:
        """The value is wrong when `condition` holds; "" is always."""
        return "fail", condition, keyword, value, at.path + step

    def when(self, condition: str, then: Nodes, otherwise: Nodes | None = None) -> tuple[Any, ...]:
        return "when", condition, then, otherwise or []

    def each(self, header: str, body: Nodes) -> tuple[Any, ...]:
        return "each", header, body

    def do(self, line: str) -> tuple[Any, ...]:
        return "do", line

    def name(self, hint: str) -> str:
        """A new local name: lower case, ending in a number, so that it hides no name of the module."""
        self._count += 1
        return f"{identifier(hint)}_{self._count}"

    def literal(self, value: Any) -> str:
        """A JSON value as Python text; objects and lists become constants of the module."""
        return self.constant(spelled(value)) if value.__class__ in (dict, list) else spelled(value)

    def constant(self, text: str) -> str:
        return self._constants.setdefault(text, f"CONSTANT_{len(self._constants) + 1}")

    def supplied(self, kind: str, *arguments: Any) -> str:
        """The name of something that is made at the first validation: a pattern, a format, a keyword of one's own."""
        texts = tuple(spelled(argument) for argument in arguments)
        return self._supplies.setdefault((kind, *texts), f"{kind.upper()}_{len(self._supplies) + 1}")

    def step(self, name: str) -> str:
        """A declared property's name as a step of a path."""
        text = f".{name}" if name.isidentifier() and name.isascii() else f"[{name!r}]"
        return text.replace("{", "{{").replace("}", "}}")

    def asserts(self, at: At, name: str) -> bool:
        """Whether a format is asserted: by choice, or since the schema's own meta-schema says so."""
        return name in self.formats or (at.node.draft in self.documents.asserting and name in self.claimed)

    def pattern(self, pattern: str) -> str:
        """The name of what searches for a pattern."""
        kind, text = self._matcher(pattern)
        return self.supplied(kind, text)

    def inside(self, schema: Any, at: At, var: str, step: str) -> Nodes:
        """Code for a value inside this one."""
        if schema is True or schema is False:
            return [] if schema else [("fail", "", "false", False, at.path + step)]
        return self._placed(schema, at, var, at.path + step, "", at.level + 1)

    def place(self, schema: Any, at: At) -> Nodes:
        """Code for another schema on the same value, whose evaluated names count."""
        if schema is True or schema is False:
            return [] if schema else [("fail", "", "false", False, at.path)]
        return self._placed(schema, at, at.var, at.path, at.seen, at.level)

    def refer(self, schema: Any, at: At) -> Nodes:
        """Code for a reference: a call, since targets are shared and may be recursive."""
        if schema is True or schema is False:
            return self.place(schema, at)
        return [("call", self._function(schema, self._entered(at.scope, schema), bool(at.seen)), at.var, at.path, at.seen)]

    def bad(self, schema: Any, at: At, seen: str = "", var: str = "", step: str = "") -> str:
        """A condition that is true when the value is wrong for `schema`."""
        if schema is True or schema is False:
            return "False" if schema else "True"
        node = self.documents.node(schema)
        var, path = var or at.var, at.path + step
        scope = self._entered(at.scope, schema)
        if id(schema) not in self._heavy and LOOPS.isdisjoint(node.known):
            before = len(self._calls[self._writing])
            text = self._condition(self._nodes(At(schema, node, var, path, scope, seen, at.level)))
            if text is not None and len(text) <= INLINE:
                return text
            del self._calls[self._writing][before:]  # it is not written here after all
        self._heavy.add(id(schema))
        return self._call(self._function(schema, scope, bool(seen)), var, path, seen)

    # How functions come about

    def _placed(self, schema: Any, at: At, var: str, path: str, seen: str, level: int) -> Nodes:
        scope = self._entered(at.scope, schema)
        if level > DEEP:
            return [("call", self._function(schema, scope, bool(seen)), var, path, seen)]
        return self._nodes(At(schema, self.documents.node(schema), var, path, scope, seen, level))

    def _nodes(self, at: At) -> Nodes:
        """All tests of one schema; those of one type under a test of that type, unless the type is declared."""
        out: Nodes = []
        if at.node.pointer in self.documents.uncovered:
            return [self.fail(at, f"not {self.supplied('delegate', at.node.pointer)}({at.var})", "schema", True)]
        outer = at.seen
        own = "unevaluatedProperties" in at.known or "unevaluatedItems" in at.known
        if own:
            at.seen = self.name("seen")
            out.append(self.do(f"{at.seen} = set()"))
        for member in self._members:
            out += self._guarded(at, member.TYPE, member.write(self, at))
        if own:
            for member in self._members:
                if hasattr(member, "rest"):
                    out += self._guarded(at, member.TYPE, member.rest(self, at))
            if outer:
                out.append(self.do(f"{outer} |= {at.seen}"))
        return out

    def _guarded(self, at: At, kind: str, nodes: Nodes) -> Nodes:
        if not nodes or not kind:
            return nodes
        fitting = [name for name in at.types if name == kind or (kind == "number" and name == "integer")]
        if at.types and not fitting:
            return []
        return nodes if at.types and len(fitting) == len(at.types) else [self.when(GUARDS[kind].format(at.var), nodes)]

    def _function(self, schema: Any, scope: Scope, tracked: bool, name: str = "") -> tuple[int, Scope, bool]:
        """The key of the function for a schema, which is written later."""
        key = (id(schema), scope, tracked)
        if key not in self._functions:
            if not name:
                steps = self.documents.node(schema).pointer.rpartition("#")[2].split("/")
                hint = identifier("_".join(step for step in steps[-3:] if step) or "root", 40)
                name = f"{hint}_wrong"
                while name in self._names:
                    self._names[hint] = self._names.get(hint, 1) + 1
                    name = f"{hint}_{self._names[hint]}_wrong"
                self._names[name] = 1
            self._functions[key] = name
            self._queue.append((schema, scope, tracked, name))
        return key

    def _written(self, schema: Any, scope: Scope, tracked: bool, name: str) -> str:
        self._writing = (id(schema), scope, tracked)
        self._calls[self._writing] = []
        arguments = ", ".join(["value"] + ["seen"] * tracked + ["memo"] * bool(self.remembering) + ["p"] * self.explain)
        lines = []
        if self._writing in self.remembering:
            lines = self._memory(name, arguments, tracked)
            name = f"{name}_anew"
        lines.append(f"def {name}({arguments}):")
        if schema is True or schema is False:
            nodes = [] if schema else [("fail", "", "false", False, "{p}")]
        else:
            node = self.documents.node(schema)
            lines.append(f"    # {ascii(node.pointer)[1:-1]}")
            nodes = self._nodes(At(schema, node, "value", "{p}", scope, "seen" if tracked else ""))
        self._render(nodes, lines, "    ")
        lines.append(f"    return {None if self.explain else False}")
        return "\n".join(lines)

    def _memory(self, name: str, arguments: str, tracked: bool) -> list[str]:
        """A function that asks another once for each value: more than one way leads to it, at every level of a recursive schema."""
        if not tracked:
            body = [f"        memo[key] = {name}_anew({arguments})", "    return memo[key]"]
        else:
            own = arguments.replace("seen", "mine")
            body = [
                "        mine = set()",
                f"        memo[key] = {name}_anew({own}), mine",
                "    found, mine = memo[key]",
                "    seen |= mine",
                "    return found",
            ]
        return [f"def {name}({arguments}):", f"    key = {name!r}, id(value)", "    if key not in memo:", *body, "", ""]

    def _entered(self, scope: Scope, schema: Any) -> Scope:
        """The scope after entering the resource of `schema`."""
        if schema.__class__ is not dict or not self.documents.dynamic:
            return scope
        base = self.documents.node(schema).base
        known = dict(scope)
        return scope + tuple((name, base) for name in self.documents.dynamic.get(base, ()) if name not in known)

    # How nodes become text

    def _call(self, key: tuple[int, Scope, bool], var: str, path: str, seen: str) -> str:
        self._calls[self._writing].append((key, path))
        arguments = [var] + [seen] * bool(seen) + ["memo"] * bool(self.remembering) + [formatted(path)] * self.explain
        return f"{self._functions[key]}({', '.join(arguments)})"

    def _condition(self, nodes: Nodes) -> str | None:
        """Nodes as one condition, or None when they need statements."""
        parts = []
        for node in nodes:
            if node[0] == "fail":
                parts.append(grouped(node[1]) if node[1] else "True")
            elif node[0] == "call":
                parts.append(self._call(*node[1:]))
            elif node[0] == "when":
                then, otherwise = self._condition(node[2]), self._condition(node[3])
                if then is None or otherwise is None:
                    return None
                parts.append(f"({then} if {node[1]} else {otherwise})" if node[3] else f"({grouped(node[1])} and {grouped(then)})")
            else:
                return None
        return " or ".join(parts) if parts else "False"

    def _render(self, nodes: Nodes, lines: list[str], indent: str) -> None:
        if not nodes:
            return
        for node in nodes:
            kind = node[0]
            if kind == "do":
                lines.append(indent + node[1])
            elif kind == "fail":
                deeper = indent
                if node[1]:
                    lines.append(f"{indent}if {node[1]}:")
                    deeper += "    "
                lines.append(f"{deeper}return {self._reason(node[2], node[3], node[4]) if self.explain else True}")
            elif kind == "call" and self.explain:
                lines += [f"{indent}found = {self._call(*node[1:])}", f"{indent}if found:", f"{indent}    return found"]
            elif kind == "call":
                lines += [f"{indent}if {self._call(*node[1:])}:", f"{indent}    return True"]
            else:
                opening = "if" if kind == "when" else "for"
                while True:
                    lines.append(f"{indent}{opening} {node[1]}:")
                    self._render(node[2] or [("do", "pass")], lines, indent + "    ")
                    otherwise = node[3] if kind == "when" else []
                    if len(otherwise) != 1 or otherwise[0][0] != "when":
                        break
                    opening, node = "elif", otherwise[0]  # a chain stays flat
                if otherwise:
                    lines.append(f"{indent}else:")
                    self._render(otherwise, lines, indent + "    ")

    def _reason(self, keyword: str, value: Any, path: str) -> str:
        self.reasons.append((keyword, value))
        return f"{formatted(path)}, {len(self.reasons) - 1}"


def formatted(path: str) -> str:
    """A path with names in braces as an expression."""
    return "p" if path == "{p}" else "f" + repr(path)


def grouped(condition: str) -> str:
    """A condition that can stand beside another."""
    return f"({condition})" if " or " in condition or " and " in condition or " if " in condition else condition


def identifier(text: str, most: int = 20) -> str:
    """A readable piece of a Python name; whatever a schema says, nothing but ASCII letters, digits and underscores."""
    name = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in text[-most:]).strip("_").lower() or "x"
    return f"x{name}" if name[0].isdigit() else name


def spelled(value: Any) -> str:
    """A JSON value as Python text."""
    if value.__class__ is dict:
        return "{" + ", ".join(f"{name!r}: {spelled(item)}" for name, item in value.items()) + "}"
    if value.__class__ is list:
        return "[" + ", ".join(map(spelled, value)) + "]"
    if value.__class__ is float and abs(value) == float("inf"):
        return "1e999" if value > 0 else "-1e999"
    return repr(value)
