"""What the user says: one immutable model, from which variables, checks and the shipped JSON Schema are derived.

A field is an annotated line below; its annotation names its kind in `KINDS`, and its line in the class docstring is its
documentation everywhere. `build` turns layers of plain mappings into a `Policy`; a mistake names its path, where it was
written, and the nearest right key.
"""

from __future__ import annotations

from serverless_guard.errors import PolicyError
from serverless_guard.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, TypeAlias

    Layer = tuple[str, Mapping[str, Any]]

ENV_PREFIX = "SERVERLESS_GUARD_"
MODES = ("off", "monitor", "block")
CONTROLS = ("source", "limits", "schema", "egress", "metadata", "runtime_api")
"""Controls that enforce what was declared, or what is always enforced; detectors have modes of their own in `detect`."""

SCHEMA_WORDS = ("$schema", "$id", "$ref", "$defs", "type", "properties", "required", "items", "enum", "const", "oneOf", "anyOf", "allOf", "not", "if")
"""One of these under `schema` makes it a JSON Schema by itself, that of the body."""


class Limits(NamedTuple):
    """Bounds on one event, over all decoded data together. A bound that is hit is a finding.

    max_bytes: characters of text in the event, with all that was decoded from it
    max_decoded: bytes that one decoding step (base64, gzip, JSON in a string) may give
    max_depth: how deep objects and lists nest, envelopes included
    max_keys: keys of all objects together
    max_items: elements of all lists together
    max_string: characters of one string
    max_envelopes: how many envelopes are opened inside one another
    """

    max_bytes: Size = 20_000_000
    max_decoded: Size = 10_000_000
    max_depth: Size = 64
    max_keys: Size = 100_000
    max_items: Size = 200_000
    max_string: Size = 10_000_000
    max_envelopes: Size = 6


class Schemas(NamedTuple):
    """JSON Schemas, each a file (relative to the policy file, else to the handler) or the schema itself.

    body: what the caller sent: HTTP body, each queue record's body, SNS message, EventBridge detail, else the event
    query: query parameters, as an object of strings
    path: path parameters, as an object of strings
    headers: headers, as an object with lower-case names
    event: the whole event as AWS delivers it
    record: each record of a batch as AWS delivers it
    """

    body: Schema = None
    query: Schema = None
    path: Schema = None
    headers: Schema = None
    event: Schema = None
    record: Schema = None


class Policy(NamedTuple):
    """All that a user can say.

    version: version of this format, 1
    name: name of the policy, written into each security event
    mode: sets every control at once; empty: what is declared is enforced, what is inferred is reported
    controls: mode of single controls: source, limits, schema, egress, metadata, runtime_api
    detect: mode of single detectors by name, `{"sqli": "block"}`
    source: event sources that may invoke the function; empty: any
    schema: JSON Schemas of the parts of an event
    limits: bounds on one event
    egress: outbound destinations that the handler may call; absent: any but the metadata addresses and the Runtime API
    on_refuse: what a refused record or asynchronous event becomes: fail (retried, then dead-lettered), drop; empty: what suits its source
    on_error: what an error inside the guard does: block, monitor; empty: as the control that failed
    preview: whether security events show a masked preview of what matched
    explain: whether the caller of a refused request is told path and keyword of the schema that failed
    """

    version: Version = 1
    name: Text = ""
    mode: Mode = ""
    controls: ControlModes = ()
    detect: DetectModes = ()
    source: Names = ()
    schema: Schemas = Schemas()
    limits: Limits = Limits()
    egress: Entries = None
    on_refuse: OnRefuse = ""
    on_error: OnError = ""
    preview: Flag = True
    explain: Flag = False


SECTIONS: dict[str, type] = {"Schemas": Schemas, "Limits": Limits}
SWITCHES = {
    "DISABLED": "the kill switch",
    "POLICY": "the policy file",
    "HANDLER": "the handler behind the redirect",
    "NEXT_WRAPPER": "the next exec wrapper",
    "CHAIN_KEY": "the secret that signs the chain of security events",
}
"""Variables that are no field of the policy: they say where it is, or how the guard is attached."""


def build(layers: list[Layer], detectors: tuple[str, ...] = (), sources: tuple[str, ...] = ()) -> Policy:
    """The policy that `layers` give, `(origin, mapping)` each, the weakest first; a section is merged key by key.

    `detectors` and `sources` are the names that `detect` and `source` may use. Raises PolicyError.
    """
    names = {"DetectModes": detectors, "Names": sources, "ControlModes": CONTROLS}
    policy = Policy()
    for origin, mapping in layers:
        policy = _overlay(policy, mapping, "", origin, names)
    return policy


def fields(section: type = Policy, prefix: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every field as `(dotted path, kind, default)`, sections opened: `("limits.max_depth", "Size", 64)`."""
    for field, kind in kinds(section).items():
        if kind in SECTIONS:
            yield from fields(SECTIONS[kind], f"{prefix}{field}.")
        else:
            yield f"{prefix}{field}", kind, section._field_defaults[field]  # type: ignore[attr-defined]  # every section is a NamedTuple


def variable(path: str) -> str:
    """The environment variable of a field: `limits.max_depth` is `SERVERLESS_GUARD_LIMITS_MAX_DEPTH`."""
    return ENV_PREFIX + path.upper().replace(".", "_")


def kinds(section: type) -> dict[str, str]:
    """The kind of each field of a section, as its annotation names it."""
    return KINDS_OF[section.__name__]


def documentation(section: type) -> dict[str, str]:
    """What each field of a section is, as the section's docstring says it."""
    lines = (line.strip().partition(": ") for line in (section.__doc__ or "").splitlines())
    return {name: text for name, colon, text in lines if colon and name in kinds(section)}


def is_schema(value: Any) -> bool:
    """Whether what stands under `schema` is a JSON Schema by itself, rather than an object of them."""
    return _is_mapping(value) and any(key in SCHEMA_WORDS for key in value) and any(key not in kinds(Schemas) for key in value)


def nearest(word: object, known: Any) -> str:
    """`, did you mean ...` with the nearest of `known`, else the list of all of them."""
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in sorted(known)}
    close = get_close_matches(str(word).lower(), by_lower, 1, 0.6)
    return f", did you mean `{by_lower[close[0]]}`" if close else f", known are {', '.join(f'`{name}`' for name in by_lower.values())}"


def _overlay(base: Any, mapping: Any, path: str, origin: str, names: dict[str, tuple[str, ...]]) -> Any:
    """A section with the fields that `mapping` sets, each checked."""
    section = type(base)
    if not _is_mapping(mapping):
        raise PolicyError(f"`{path or 'policy'}` must be an object, not {_noun(mapping)}", path, origin)
    changes: dict[str, Any] = {}
    for key in mapping:
        here = f"{path}.{key}" if path else str(key)
        if key == "$comment" or (key == "$schema" and not path):
            continue
        kind = kinds(section).get(key)
        if kind is None:
            raise PolicyError(f"unknown setting `{here}`{nearest(key, kinds(section))}", here, origin)
        value = mapping[key]
        if kind in SECTIONS:
            value = _shorthand(kind, value)
            changes[key] = _overlay(getattr(base, key), value, here, origin, names)
        else:
            changes[key] = _checked(kind, value, here, origin, names, getattr(base, key))
    made = base._replace(**changes)
    if section is Limits and made.max_bytes < made.max_string:
        made = made._replace(max_string=made.max_bytes)
    return made


def _shorthand(kind: str, value: Any) -> Any:
    """`schema` given as one file or one schema means the body's."""
    if kind == "Schemas" and (isinstance(value, str) or is_schema(value)):
        return {"body": value}
    return value


def _checked(kind: str, value: Any, path: str, origin: str, names: dict[str, tuple[str, ...]], base: Any) -> Any:
    """The value as the model keeps it, or PolicyError."""
    wanted, read = KINDS[kind]
    try:
        return read(value, names.get(kind, ()), base)
    except _Wrong as wrong:
        raise PolicyError(f"`{path}{wrong.args[1]}` {wrong.args[0]}", path + wrong.args[1], origin) from None
    except (TypeError, ValueError):
        raise PolicyError(f"`{path}` must be {wanted}, not {_noun(value)}", path, origin) from None


class _Wrong(Exception):
    """`(message, path below the field)` of a mistake inside a field's value."""


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict) or (hasattr(value, "keys") and hasattr(value, "__getitem__"))


def _noun(value: Any) -> str:
    """What kind of thing a wrong value is; the value itself may be a secret."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return f"the string `{value}`" if len(value) <= 24 and value.isprintable() else "a string"
    return "an object" if _is_mapping(value) else "a list" if isinstance(value, (list, tuple)) else f"a `{type(value).__name__}`"


def _size(value: Any, names: Any, base: Any) -> int:
    if isinstance(value, str):
        value = int(value.replace("_", ""))
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError
    return value


def _version(value: Any, names: Any, base: Any) -> int:
    if _size(value, names, base) != 1:
        raise ValueError
    return 1


def _text(value: Any, names: Any, base: Any) -> str:
    if not isinstance(value, str) or len(value) > 128 or any(sign < " " or sign == "\x7f" for sign in value):
        raise ValueError
    return value


def _flag(value: Any, names: Any, base: Any) -> bool:
    if isinstance(value, bool):
        return value
    return FLAGS[value.strip().lower()] if isinstance(value, str) and value.strip().lower() in FLAGS else _raise()


def _raise() -> bool:
    raise ValueError


def _choice(*choices: str) -> Any:
    def read(value: Any, names: Any, base: Any) -> str:
        if isinstance(value, str) and value.strip().lower() in choices:
            return value.strip().lower()
        if isinstance(value, str) and value == "":
            return ""
        if isinstance(value, str):
            raise _Wrong(f"cannot be {_noun(value)}{nearest(value, choices)}", "")
        raise ValueError

    return read


_mode = _choice(*MODES)


def _modes(value: Any, names: Any, base: Any) -> tuple[tuple[str, str], ...]:
    """`{"sqli": "block"}` or `sqli=block,path=off`, over what weaker layers said; sorted, so that equal policies are equal."""
    if isinstance(value, str):
        pairs = [entry.partition("=")[::2] for entry in value.split(",") if entry.strip()]
        value = {name.strip(): mode.strip() for name, mode in pairs}
    elif isinstance(value, (tuple, list)) and all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in value):
        value = dict(value)
    if not _is_mapping(value):
        raise ValueError
    merged = dict(base)
    for name in value:
        if names and name not in names:
            raise _Wrong(f"is not known{nearest(name, names)}", f".{name}")
        mode = value[name]
        if not isinstance(mode, str) or mode.strip().lower() not in MODES:
            raise _Wrong(f"must be one of {', '.join(f'`{choice}`' for choice in MODES)}, not {_noun(mode)}", f".{name}")
        merged[str(name)] = mode.strip().lower()
    return tuple(sorted(merged.items()))


def _list(value: Any) -> tuple[str, ...]:
    """A list of strings, or one string with commas."""
    if isinstance(value, str):
        return tuple(entry.strip() for entry in value.split(",") if entry.strip())
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise ValueError
    for index, entry in enumerate(value):
        if not isinstance(entry, str) or not entry.strip():
            raise _Wrong(f"must be a string, not {_noun(entry)}", f"[{index}]")
    return tuple(entry.strip() for entry in value)


def _names(value: Any, names: Any, base: Any) -> tuple[str, ...]:
    given = _list(value)
    for index, name in enumerate(given):
        if names and name not in names:
            raise _Wrong(f"`{name}` is no event source{nearest(name, names)}", "" if len(given) == 1 else f"[{index}]")
    return given


def _entries(value: Any, names: Any, base: Any) -> tuple[str, ...] | None:
    return None if value is None else _list(value)


def _schema(value: Any, names: Any, base: Any) -> Any:
    if value is None or isinstance(value, (str, bool)) or _is_mapping(value):
        return None if value == "" else value
    raise ValueError


FLAGS = dict.fromkeys(("1", "true", "yes", "y", "t", "on"), True) | dict.fromkeys(("0", "false", "no", "n", "f", "off", ""), False)

KINDS: dict[str, tuple[str, Any]] = {
    "Size": ("a whole number above zero", _size),
    "Version": ("1", _version),
    "Text": ("a string of at most 128 characters, none of them a control character", _text),
    "Flag": ("true or false", _flag),
    "Mode": ("one of `off`, `monitor`, `block`", _mode),
    "ControlModes": ("an object of control names and modes", _modes),
    "DetectModes": ("an object of detector names and modes", _modes),
    "Names": ("a list of event sources", _names),
    "Entries": ("a list of destinations", _entries),
    "OnRefuse": ("`fail` or `drop`", _choice("fail", "drop")),
    "OnError": ("`block` or `monitor`", _choice("block", "monitor")),
    "Schema": ("a file name or a JSON Schema", _schema),
}
"""How each kind of field is described and read; `read(value, names it may use, value of weaker layers)`."""

if TYPE_CHECKING:
    Size: TypeAlias = int
    Version: TypeAlias = int
    Text: TypeAlias = str
    Flag: TypeAlias = bool
    Mode: TypeAlias = str
    ControlModes: TypeAlias = tuple[tuple[str, str], ...]
    DetectModes: TypeAlias = tuple[tuple[str, str], ...]
    Names: TypeAlias = tuple[str, ...]
    Entries: TypeAlias = tuple[str, ...] | None
    OnRefuse: TypeAlias = str
    OnError: TypeAlias = str
    Schema: TypeAlias = Any

KINDS_OF: dict[str, dict[str, str]] = {section.__name__: dict(section.__annotations__) for section in (Policy, Schemas, Limits)}
