"""The nouns that travel down the line: part, finding, verdict, attempt.

`NamedTuple` is `typing.NamedTuple` for the type checker and a light equal of it at run time: importing `typing` costs 11.7 M
instructions, 9 % of the runtime client's whole start, and the client does not load it; a class from `collections.namedtuple`
costs 0.5 M, one made here 0.1 M.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias
    from typing import NamedTuple as NamedTuple  # `as` re-exports it
else:
    from _collections import _tuplegetter

    class _Record(tuple):
        """What every named tuple of the guard can do; the methods are those of `collections.namedtuple`."""

        __slots__ = ()

        def __new__(cls, *given, **named):
            fields = cls._fields
            if len(given) != len(fields) or named:
                defaults = cls._field_defaults
                rest = fields[len(given) :]
                given += tuple([named.pop(field) if field in named else defaults[field] for field in rest if field in named or field in defaults])
                if named or len(given) != len(fields):
                    raise TypeError(f"{cls.__name__} takes the fields {', '.join(fields)}")
            return tuple.__new__(cls, given)

        def _replace(self, **changes):
            made = tuple.__new__(type(self), [changes.pop(field, value) for field, value in zip(self._fields, self, strict=True)])
            if changes:
                raise ValueError(f"{type(self).__name__} has no fields {', '.join(changes)}")
            return made

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            return f"{type(self).__name__}({', '.join(f'{field}={value!r}' for field, value in self._asdict().items())})"

        def __getnewargs__(self):
            return tuple(self)

    class _Fields(type):
        """Turns a class body of annotated fields into a named tuple, as `typing.NamedTuple` does."""

        def __new__(mcs, name, bases, body):
            annotations = body.get("__annotations__", {})
            fields = tuple(annotations)
            body["_field_defaults"] = {field: body[field] for field in fields if field in body}
            for index, field in enumerate(fields):
                body[field] = _tuplegetter(index, "")
            body |= {"__slots__": (), "_fields": fields, "__match_args__": fields}
            return type(name, (_Record,), body)

    NamedTuple = type.__new__(_Fields, "NamedTuple", (), {})

Part: TypeAlias = "tuple[str, Any, str, int, str]"
"""One untrusted part of an event, as its source names it: `(path, value, where, record, encoding)`.

path:      where it stands, `body`, `headers`, `Records[2].body`
value:     as AWS delivered it: a string, bytes, a mapping, a list, or None
where:     the kind of place: header, query, path, url, body, record, attribute, key, event
record:    index of the batch record it belongs to, -1 outside a batch
encoding:  how AWS wrapped it: "" as it is, "base64", "base64+gzip", "url" (percent and plus)

A plain tuple: a named one costs ten times as much to build (0.45 us against 0.04), and an event has dozens.
"""


class Finding(NamedTuple):
    """One thing that is wrong with an event, an answer or an attempt. Its `sample` never leaves the process as it is."""

    rule: str  # stable id, "SG-SQL-001"
    control: str  # who found it: source, limits, schema, egress, guard, or the detector's name
    title: str  # one sentence for a person, without any value of the event
    path: str = ""  # where, through the envelopes: "Records[2].body.Message.note"
    confidence: str = "high"  # high, medium, low
    detail: str = ""  # what was seen: keyword, bound, token shape; never the value
    cwe: int = 0  # number of the CWE, 0 for none
    record: int = -1  # index of the batch record, -1 for the whole event
    sample: str = ""  # what matched; telemetry alone reads it, and writes its length, keyed hash and masked preview
    target: str = ""  # for attempts: "host:port" that was called

    def __repr__(self) -> str:
        return f"Finding({self.rule} at {self.path or '-'}: {self.title})"


class Verdict(NamedTuple):
    """What is to happen with an invocation, and why."""

    action: str  # allow, report, refuse
    status: int = 200  # the HTTP status that says it: 400, 403, 413, 500
    findings: tuple[Finding, ...] = ()
    refused: tuple[int, ...] = ()  # records of a batch to leave out; () with `refuse` means the whole event
    id: str = ""  # id of the security event, handed to the caller as `security_response_id`
    request_id: str = ""  # Lambda request id
    on_refuse: str = ""  # fail, drop, or "" for what the source does by itself
    explain: bool = False  # whether the caller is told which path of a schema failed, and by which keyword


ALLOW = Verdict("allow")
