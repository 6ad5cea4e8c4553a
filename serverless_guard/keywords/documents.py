"""Reads schemas: every subschema with its base, draft and place, every reference with its target, every mistake with its pointer.

Nothing is fetched: a reference leads into a document at hand, to one that `find` gives (a file beside it), or is a mistake.
RFC 3986 section 5, RFC 6901, https://json-schema.org/draft/2020-12/json-schema-core#section-8
"""

from __future__ import annotations

from serverless_guard.keywords import DRAFTS, TYPES, UNCOVERED_DRAFTS, VALIDATION, table
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Schema = dict[str, Any]
    Find = Callable[[str], Any]

IDENTITIES = frozenset(("$id", "id", "$anchor", "$dynamicAnchor", "$recursiveAnchor"))
MAX_NODES = 100_000


class Node:
    """What is known of one subschema besides its own text. No named tuple: to define one costs half a million instructions at start."""

    __slots__ = ("base", "draft", "known", "pointer")

    def __init__(self, base: str, draft: str, pointer: str, known: Schema) -> None:
        self.base = base  # URI of the resource it belongs to, without a fragment
        self.draft = draft  # "2020-12"
        self.pointer = pointer  # where it stands in its document, "#/properties/a"
        self.known = known  # its keywords that mean something in its draft


class Documents:
    """All schemas that one root reaches. `problems` is empty when they can be compiled."""

    __slots__ = (
        "_default", "_fault", "_find", "_name", "_pending", "_tables",
        "anchors", "asserting", "dynamic", "nodes", "problems", "resources", "targets", "uncovered",
    )  # fmt: skip

    def __init__(self, default: str, find: Find, name: Callable[[str], str], fault: Callable[[str], str]) -> None:
        """`find(uri)` gives another document or None, `name(uri)` what a person calls it; `fault(pattern)` says what is wrong with a pattern, or nothing."""
        self.nodes: dict[int, Node] = {}  # by id() of the subschema, which `resources` keeps alive
        self.resources: dict[str, Any] = {}  # URI -> root of the resource
        self.anchors: dict[tuple[str, str], Schema] = {}
        self.dynamic: dict[str, dict[str, Schema]] = {}  # URI -> its dynamic anchors; "" for `$recursiveAnchor`
        self.targets: dict[tuple[int, str], tuple[Any, str]] = {}  # (id of the subschema, keyword) -> target and its URI
        self.problems: list[tuple[str, str]] = []  # (message, pointer)
        self.uncovered: list[str] = []
        self.asserting: set[str] = set()  # drafts, by the name given here, whose meta-schema asserts formats
        self._default = default  # the draft of a document without `$schema`
        self._fault = fault
        self._find = find
        self._name = name
        self._pending: list[tuple[Schema, str, str]] = []  # (subschema, keyword, pointer) of references to resolve
        self._tables: dict[str, dict[str, str]] = {}

    def read(self, root: Any, uri: str, fragment: str = "") -> Any:
        """Take in a root schema and everything that it refers to; or, with a fragment, one place in a document that is no schema itself."""
        if fragment:
            self.resources[uri] = root
            try:
                root = self.at(f"{uri}#{fragment}")
            except LookupError:
                self.problems.append(("is no such place in the document", f"#{fragment}"))
        else:
            self._walk(root, uri, self._default, "#")
            self.resources[uri] = root
        while self._pending:
            holder, keyword, pointer = self._pending.pop()
            self._resolve(holder, keyword, pointer)
        if self.targets and not self.problems:
            self._refuse_circles()
        return root

    def node(self, schema: Schema) -> Node:
        return self.nodes[id(schema)]

    def find(self, pointer: str) -> Any:
        """The subschema at a pointer that `Node` gives."""
        wanted = next(key for key, node in self.nodes.items() if node.pointer == pointer)
        stack = list(self.resources.values())
        while stack:
            value = stack.pop()
            if id(value) == wanted:
                return value
            if isinstance(value, (dict, list)):
                stack.extend(value.values() if isinstance(value, dict) else value)
        raise LookupError

    def patterns(self) -> list[str]:
        """Every regular expression, in the order of reading."""
        found: list[str] = []
        for node in self.nodes.values():
            found += node.known.get("patternProperties", ())
            found += [node.known["pattern"]] if "pattern" in node.known else []
        return found

    def linear(self, safe: Callable[[str], bool]) -> bool:
        """Whether jsonschema takes linear time: it backtracks in patterns that are not safe, and compares items pair by pair."""
        return all(map(safe, self.patterns())) and all(node.known.get("uniqueItems") is not True for node in self.nodes.values())

    def draft(self, schema: Any) -> str:
        node = self.nodes.get(id(schema))
        return node.draft if node else self._default

    def at(self, uri: str) -> Any:
        """The schema that an absolute URI with fragment names, or LookupError."""
        base, _, fragment = uri.partition("#")
        if base not in self.resources:
            self._load(base)
        root = self.resources[base]
        if not fragment:
            return root
        if not fragment.startswith("/"):
            return self.anchors[base, unquote(fragment)]
        return self._descend(root, base, fragment)

    def _load(self, uri: str) -> None:
        document = self._find(uri)
        if document is None:
            raise LookupError
        self.resources[uri] = document
        self._walk(document, uri, self._default, f"{self._name(uri)}#")

    def _descend(self, value: Any, base: str, fragment: str) -> Any:
        """What a JSON pointer leads to; a place that is no known subschema is read as one."""
        holder = value
        for step in fragment[1:].split("/"):
            step = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(value, list):
                if not step.isdecimal() or int(step) >= len(value):
                    raise LookupError
                value = value[int(step)]
            elif isinstance(value, dict):
                value = value[step]
            else:
                raise LookupError
            holder = value if id(value) in self.nodes else holder
        if isinstance(value, dict) and id(value) not in self.nodes:
            around = self.nodes.get(id(holder))
            prefix = self.nodes[id(self.resources[base])].pointer.partition("#")[0] if id(self.resources[base]) in self.nodes else ""
            self._walk(value, around.base if around else base, around.draft if around else self._default, f"{prefix}#{fragment}")
        if not isinstance(value, (dict, bool)):
            raise LookupError
        return value

    def _walk(self, schema: Any, base: str, draft: str, pointer: str) -> None:
        """Every subschema below, without recursion: schemas of any depth are read."""
        stack = [(schema, base, draft, pointer)]
        nodes, tables = self.nodes, self._tables
        while stack:
            schema, base, draft, pointer = stack.pop()
            if schema is True or schema is False:
                if draft in ("4", "openapi-3.0") and not pointer.endswith(("/additionalProperties", "/additionalItems")):
                    self.problems.append((f"must be an object, not {schema}".lower(), pointer))
                continue
            if schema.__class__ is not dict:
                self.problems.append(("must be a schema: an object, `true` or `false`", pointer))
                continue
            if id(schema) in nodes:
                continue
            if len(nodes) >= MAX_NODES:
                self.problems.append((f"has more than {MAX_NODES} subschemas", "#"))
                return
            if "$schema" in schema:
                draft = self._draft(schema["$schema"], draft, pointer)
            if draft not in tables:
                tables[draft] = table(draft)
            shapes = tables[draft]
            known = {keyword: value for keyword, value in schema.items() if keyword in shapes}
            if draft.__class__ is str and draft in UNCOVERED_DRAFTS:
                self.uncovered.append(pointer)
                nodes[id(schema)] = Node(base, draft, pointer, {})
                continue
            if "$ref" in known and draft in ("7", "6", "4", "openapi-3.0"):
                known = {"$ref": known["$ref"]}  # its neighbours mean nothing in these drafts
            if not IDENTITIES.isdisjoint(known):
                base = self._identify(schema, known, base, draft, pointer)
            nodes[id(schema)] = Node(base, draft, pointer, known)
            for keyword, value in known.items():
                shape = shapes[keyword]
                if shape == "schema":
                    stack.append((value, base, draft, f"{pointer}/{keyword}"))
                elif shape == "reference":
                    if value.__class__ is str:
                        self._pending.append((schema, keyword, f"{pointer}/{keyword}"))
                    else:
                        self.problems.append(("must be a string", f"{pointer}/{keyword}"))
                else:
                    wrong, children = SHAPES[shape](value)
                    if not wrong and shape in ("pattern", "patterns"):
                        wrong = next(filter(None, map(self._fault, [value] if shape == "pattern" else value)), "")
                    if wrong:
                        self.problems.append((wrong, f"{pointer}/{keyword}"))
                    for step, child in children:
                        stack.append((child, base, draft, f"{pointer}/{keyword}{step}"))

    def _identify(self, schema: Schema, known: Schema, base: str, draft: str, pointer: str) -> str:
        """The base of a subschema, its resource and its anchors noted."""
        given = known.get("id" if draft == "4" else "$id")
        if given.__class__ is str and given:
            uri, _, fragment = join(base, given).partition("#")
            if not given.startswith("#"):
                base = uri
                self.resources.setdefault(base, schema)
            if fragment and draft in ("7", "6", "4"):
                self.anchors[base, fragment] = schema
        for keyword in ("$anchor", "$dynamicAnchor"):
            if keyword in known and known[keyword].__class__ is str:
                self.anchors[base, known[keyword]] = schema
                if keyword == "$dynamicAnchor":
                    self.dynamic.setdefault(base, {})[known[keyword]] = schema
        if known.get("$recursiveAnchor") is True and self.resources.get(base) is schema:
            self.dynamic.setdefault(base, {})[""] = schema
        return base

    def _draft(self, uri: Any, draft: str, pointer: str) -> str:
        """The draft that `$schema` names; a meta-schema of one's own is read for its vocabularies."""
        if uri.__class__ is not str:
            self.problems.append(("must be a string", f"{pointer}/$schema"))
            return draft
        uri = uri.rstrip("#")
        if uri in DRAFTS:
            return DRAFTS[uri]
        meta = self._find(uri)
        if not isinstance(meta, dict) or not isinstance(meta.get("$schema"), str) or meta["$schema"].rstrip("#") == uri:
            self.problems.append((f"names `{uri}`, which is none of {', '.join(f'`{known}`' for known in DRAFTS)}", f"{pointer}/$schema"))
            return draft
        own = self._draft(meta["$schema"], draft, pointer)
        vocabulary = meta.get("$vocabulary")
        if not isinstance(vocabulary, dict):
            return own
        shapes = dict(table(own))
        made = own
        if not any(name.endswith("/vocab/validation") for name in vocabulary):
            made += " without validation"
            shapes = {keyword: shape for keyword, shape in shapes.items() if keyword not in VALIDATION}
        if any(name.endswith("/vocab/format-assertion") for name in vocabulary):
            made += " with formats"
            self.asserting.add(made)
        self._tables[made] = shapes
        return made

    def _resolve(self, holder: Schema, keyword: str, pointer: str) -> None:
        reference = holder[keyword]
        uri = join(self.nodes[id(holder)].base, reference)
        try:
            self.targets[id(holder), keyword] = (self.at(uri), uri)
        except LookupError:
            where = "no such place in the schema" if uri.partition("#")[0] in self.resources else "not at hand, and remote schemas are never fetched"
            self.problems.append((f"refers to `{reference}`, which is {where}", pointer))

    def _refuse_circles(self) -> None:
        """A schema that applies itself to the same value has no verdict."""
        state: dict[int, int] = {}
        for holder, _ in self.targets:
            stack: list[tuple[int, Iterator[Any]]] = []
            if holder not in state:
                state[holder] = 1
                stack.append((holder, self._applied(holder)))
            while stack:
                here, children = stack[-1]
                child = next(children, None)
                if child is None:
                    state[here] = 2
                    stack.pop()
                elif state.get(id(child)) == 1:
                    self.problems.append(("refers to itself without end", self.nodes[id(child)].pointer))
                    return
                elif id(child) not in state:
                    state[id(child)] = 1
                    stack.append((id(child), self._applied(id(child))))

    def _applied(self, here: int) -> Iterator[Schema]:
        """The subschemas that look at the same value as this one."""
        known = self.nodes[here].known
        found: list[Any] = [known.get(keyword) for keyword in ("not", "if", "then", "else")]
        for keyword in ("allOf", "anyOf", "oneOf"):
            found += known.get(keyword, ())
        for keyword in ("dependentSchemas", "dependencies"):
            found += known.get(keyword, {}).values()
        found += [self.targets[here, keyword][0] for keyword in ("$ref", "$dynamicRef", "$recursiveRef") if (here, keyword) in self.targets]
        return iter([schema for schema in found if schema.__class__ is dict])


def join(base: str, reference: str) -> str:
    """A URI reference made absolute, RFC 3986 section 5.2; `urllib.parse` costs 9 % of the runtime's start."""
    base = base.partition("#")[0]
    if reference.startswith("#") or not reference:
        return base + reference
    if _scheme(reference):
        return reference
    scheme = _scheme(base)
    rest = base[len(scheme) :].partition("?")[0]
    if reference.startswith("//"):
        return scheme + reference
    authority = ""
    if rest.startswith("//"):
        name, _, path = rest[2:].partition("/")
        authority, rest = f"//{name}", f"/{path}"
    end = min((place for place in (reference.find("?"), reference.find("#")) if place >= 0), default=len(reference))
    path, tail = reference[:end], reference[end:]
    if not path.startswith("/"):
        path = rest[: rest.rfind("/") + 1] + path if path else rest
    kept: list[str] = []
    steps = path.split("/")
    for step in steps:
        if step == "..":
            if len(kept) > 1:
                kept.pop()
        elif step != ".":
            kept.append(step)
    if steps[-1] in (".", ".."):
        kept.append("")
    return scheme + authority + "/".join(kept) + tail


def _scheme(uri: str) -> str:
    """`https:`, or nothing for a relative reference."""
    scheme, colon, _ = uri.partition(":")
    return scheme + colon if colon and scheme[:1].isalpha() and scheme.replace("+", "").replace("-", "").replace(".", "").isalnum() else ""


def unquote(text: str) -> str:
    """Percent escapes undone."""
    if "%" not in text:
        return text
    first, *others = text.encode("utf-8", "surrogatepass").split(b"%")
    for index, part in enumerate(others):
        try:
            others[index] = bytes.fromhex(part[:2].decode("ascii")) + part[2:]
        except (ValueError, UnicodeDecodeError):
            others[index] = b"%" + part
    return b"".join((first, *others)).decode("utf-8", "replace")


def escaped(name: str) -> str:
    """A name as one step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


NONE: tuple[tuple[str, Any], ...] = ()


def _map(value: Any) -> tuple[str, Any]:
    if value.__class__ is not dict:
        return "must be an object of schemas", NONE
    return "", [(f"/{escaped(name)}", child) for name, child in value.items()]


def _list(value: Any) -> tuple[str, Any]:
    if value.__class__ is not list or not value:
        return "must be a list of at least one schema", NONE
    return "", [(f"/{index}", child) for index, child in enumerate(value)]


def _items(value: Any) -> tuple[str, Any]:
    return ("", [(f"/{index}", child) for index, child in enumerate(value)]) if value.__class__ is list else ("", [("", value)])


def _count(value: Any) -> tuple[str, Any]:
    good = value.__class__ is int or (value.__class__ is float and value.is_integer())
    return "" if good and value >= 0 else "must be a whole number from 0 up", NONE


def _number(value: Any) -> tuple[str, Any]:
    return "" if value.__class__ in (int, float) else "must be a number", NONE


def _positive(value: Any) -> tuple[str, Any]:
    return "" if value.__class__ in (int, float) and 0 < value < float("inf") else "must be a number above 0", NONE


def _flag(value: Any) -> tuple[str, Any]:
    return "" if value.__class__ is bool else "must be `true` or `false`", NONE


def _text(value: Any) -> tuple[str, Any]:
    return "" if value.__class__ is str else "must be a string", NONE


def _strings(value: Any) -> tuple[str, Any]:
    if value.__class__ is not list or any(item.__class__ is not str for item in value):
        return "must be a list of strings", NONE
    return "" if len(set(value)) == len(value) else "must not name anything twice", NONE


def _types(value: Any) -> tuple[str, Any]:
    names = value if value.__class__ is list and value else [value]
    for name in names:
        if name.__class__ is not str or name not in TYPES:
            return _unknown_type(name), NONE
    return "", NONE


def _unknown_type(name: Any) -> str:
    from serverless_guard.policy import nearest

    return f"cannot be `{name}`{nearest(name, TYPES)}" if name.__class__ is str else "must be the name of a type, or a list of such names"


def _values(value: Any) -> tuple[str, Any]:
    return "" if value.__class__ is list else "must be a list of values", NONE


def _any(value: Any) -> tuple[str, Any]:
    return "", NONE


def _needs(value: Any) -> tuple[str, Any]:
    if value.__class__ is not dict:
        return "must be an object of lists of names", NONE
    return next((wrong for wrong in (_strings(names)[0] for names in value.values()) if wrong), ""), NONE


def _dependencies(value: Any) -> tuple[str, Any]:
    if value.__class__ is not dict:
        return "must be an object of schemas or lists of names", NONE
    wrong, _ = _needs({name: needed for name, needed in value.items() if needed.__class__ is list})
    return wrong, [(f"/{escaped(name)}", child) for name, child in value.items() if child.__class__ is not list]


SHAPES = {
    "map": _map, "schemas": _list, "items": _items, "count": _count, "number": _number, "positive": _positive, "flag": _flag,
    "text": _text, "strings": _strings, "types": _types, "values": _values, "any": _any, "needs": _needs,
    "dependencies": _dependencies, "pattern": _text, "patterns": _map, "id": _text, "anchor": _text,
}  # fmt: skip
"""How the value of each shape of keyword is checked: `(what is wrong or "", [(step of the pointer, subschema)])`."""
