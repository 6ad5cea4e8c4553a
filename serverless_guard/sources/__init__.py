"""Who can invoke a function: how to tell, what of the event is untrusted, and how to say no.

One source a file. A member is a module with

    parts(event) -> list of Part           the untrusted parts of the event, a handful of plain tuples; never raises
    refuse(event, verdict) -> answer       what the whole invocation answers when it is refused; may raise InputBlocked

and, where an event is a batch of records,

    records(event) -> list                 the records
    keep(event, refused) -> event          a shallow copy without the records of these indexes; the original stays as it is
    answer(event, refused, result)         the handler's result with the refused records told to the caller
    held(event, refused) -> set            optional: the records to leave out so that order is kept, `refused` and more

A signature is data: terms with a space between, all of which must hold. `a/b/0` is there, `!a/b` is not there, `a/b=x` is the
string `x`, `a/b~x` is a string with `x` in it. The first term names the key by which the line is found.
An event that bears the marks of two sources is `unknown`: every string of it is untrusted then.
"""

from __future__ import annotations

from importlib import import_module

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType
    from typing import Any

    from serverless_guard.values import Part, Verdict

    Term = tuple[tuple[str | int, ...], str, str]
    Line = tuple[str, frozenset[str], frozenset[str], tuple[Term, ...]]

UNKNOWN = "unknown"

SOURCES: dict[str, tuple[str, str]] = {
    "apigateway-rest": ("rest", "httpMethod resource requestContext !requestContext/elb !methodArn !actionGroup"),
    "apigateway-http": ("http", "rawPath version=2.0 requestContext/http !requestContext/domainName~.lambda-url. !routeArn"),
    "function-url": ("http", "rawPath version=2.0 requestContext/http requestContext/domainName~.lambda-url. !routeArn"),
    "alb": ("alb", "httpMethod requestContext/elb"),
    "sqs": ("sqs", "Records/0/eventSource=aws:sqs"),
    "sns": ("sns", "Records/0/EventSource=aws:sns"),
    "s3": ("s3", "Records/0/eventSource=aws:s3"),
    "eventbridge": ("eventbridge", "detail-type source detail"),
    UNKNOWN: ("unknown", ""),
}
"""Public name, and for each the module that knows it and its signature."""

REASONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 413: "Request Too Long", 429: "Too Many Requests", 500: "Internal Server Error"}


def names() -> tuple[str, ...]:
    """All public names."""
    return tuple(SOURCES)


def module(name: str) -> ModuleType:
    """The member that knows the source of this public name."""
    member = _MEMBERS.get(name)
    if member is None:
        member = _MEMBERS[name] = import_module(f"{__name__}.{SOURCES[name][0]}")
    return member


def recognise(event: Any) -> str:
    """The public name of the source whose signature the event bears, `unknown` for any other event."""
    if event.__class__ is not dict:
        return UNKNOWN
    lines = _LINES or _compile()
    found = UNKNOWN
    keys = event.keys()
    for mark in lines.keys() & keys:
        for name, needs, lacks, terms in lines[mark]:
            if needs <= keys and lacks.isdisjoint(keys):
                for path, test, operand in terms:
                    if not _holds(event, path, test, operand):
                        break
                else:
                    if found is not UNKNOWN:
                        return UNKNOWN
                    found = name
    return found


def others(mapping: Mapping[Any, Any], known: frozenset[str], prefix: str = "", record: int = -1) -> list[Part]:
    """Keys that AWS does not write at this place, as untrusted parts: who imitates a source gains nothing by them."""
    return [(f"{prefix}{key}", value, "event", record, "") for key, value in mapping.items() if key not in known]


def http_answer(verdict: Verdict) -> dict[str, Any]:
    """The refusal that HTTP callers understand; it says neither rule nor value, and of a schema only what the policy lets it say."""
    from json import dumps

    body: dict[str, Any] = {"message": REASONS.get(verdict.status, "Forbidden"), "request_id": verdict.request_id, "security_response_id": verdict.id}
    if verdict.explain and verdict.status == 400:
        body["errors"] = [{"path": finding.path, "keyword": finding.detail} for finding in verdict.findings if finding.control == "schema"]
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return {"statusCode": verdict.status, "headers": headers, "body": dumps(body), "isBase64Encoded": False}


def signature(text: str) -> tuple[Term, ...]:
    """The terms of a signature, each `(path, test, operand)`."""
    return tuple(_term(word) for word in text.split())


def _term(word: str) -> Term:
    test, operand = "there", ""
    if word[0] == "!":
        test, word = "not there", word[1:]
    for sign, name in (("=", "is"), ("~", "holds")):
        head, found, tail = word.partition(sign)
        if found:
            test, word, operand = ("not " if test == "not there" else "") + name, head, tail
    return tuple(int(step) if step.isdigit() else step for step in word.split("/")), test, operand


def _holds(event: Any, path: tuple[str | int, ...], test: str, operand: str) -> bool:
    """Whether one term holds; a test on a value that is no string fails, whichever way it asks."""
    value = event
    for step in path:
        if value.__class__ is dict and step in value:
            value = value[step]
        elif value.__class__ is list and step == 0 and value:
            value = value[0]
        else:
            return test[:3] == "not"
    if test == "there":
        return True
    if test == "is":
        return value.__class__ is str and bool(value == operand)
    if test == "holds":
        return value.__class__ is str and operand in value
    if test == "not holds":
        return not (value.__class__ is str and operand in value)
    return False if test == "not there" else not (value.__class__ is str and value == operand)


def _compile() -> dict[str, list[Line]]:
    """The table by the first key of each signature; what is asked of the top-level keys alone is asked of all of them at once."""
    for name, (_, text) in SOURCES.items():
        terms = signature(text)
        if terms:
            needs = frozenset(str(path[0]) for path, test, _ in terms if test[:3] != "not")
            lacks = frozenset(str(path[0]) for path, test, _ in terms if test == "not there" and len(path) == 1)
            deep = tuple(term for term in terms if len(term[0]) > 1 or term[2])
            _LINES.setdefault(str(terms[0][0][0]), []).append((name, needs, lacks, deep))
    return _LINES


_LINES: dict[str, list[Line]] = {}
_MEMBERS: dict[str, ModuleType] = {}
