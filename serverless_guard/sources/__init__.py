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

from serverless_guard.errors import InputBlocked
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType
    from typing import Any

    from serverless_guard.values import Part, Verdict

    Term = tuple[tuple[str | int, ...], str, str]
    Line = tuple[str, frozenset[str], frozenset[str], tuple[Term, ...]]
    Lines = tuple[list[tuple[tuple[str | int, ...], dict[str, str]]], list[Line]]

UNKNOWN = "unknown"

SOURCES: dict[str, tuple[str, str]] = {
    "apigateway-rest": ("rest", "httpMethod resource requestContext !requestContext/elb !methodArn !actionGroup"),
    "apigateway-http": ("http", "rawPath version=2.0 requestContext/http !requestContext/domainName~.lambda-url. !routeArn"),
    "function-url": ("http", "rawPath version=2.0 requestContext/http requestContext/domainName~.lambda-url. !routeArn"),
    "apigateway-websocket": ("websocket", "requestContext/connectionId requestContext/eventType requestContext/routeKey !httpMethod !rawPath !methodArn"),
    "apigateway-authorizer": ("authorizer", "methodArn type !routeArn"),
    "apigateway-http-authorizer": ("authorizer", "routeArn type=REQUEST !methodArn"),
    "alb": ("alb", "httpMethod requestContext/elb !methodArn"),
    "vpc-lattice": ("lattice", "requestContext/serviceArn version=2.0 method path headers !httpMethod !rawPath"),
    "vpc-lattice-v1": ("lattice", "raw_path method headers !requestContext"),
    "cloudfront": ("cloudfront", "Records/0/cf/request"),
    "appsync": ("appsync", "arguments identity request info/fieldName info/parentTypeName"),
    "appsync-template": ("appsync", "typeName fieldName arguments !info"),
    "appsync-authorizer": ("authorizer", "authorizationToken requestContext/apiId requestContext/queryString !methodArn !httpMethod"),
    "sqs": ("sqs", "Records/0/eventSource=aws:sqs"),
    "sns": ("sns", "Records/0/EventSource=aws:sns"),
    "s3": ("s3", "Records/0/eventSource=aws:s3"),
    "s3-batch": ("s3_batch", "invocationSchemaVersion tasks job"),
    "s3-object-lambda": ("s3_object", "userRequest xAmzRequestId"),
    "ses": ("ses", "Records/0/eventSource=aws:ses"),
    "iot": ("iot", "principalIdentifier clientId eventType timestamp"),
    "eventbridge": ("eventbridge", "detail-type source detail"),
    "cloudwatch-logs": ("logs", "awslogs/data"),
    "cloudwatch-alarm": ("alarm", "alarmData alarmArn"),
    "kinesis": ("kinesis", "Records/0/eventSource=aws:kinesis"),
    "dynamodb": ("dynamodb", "Records/0/eventSource=aws:dynamodb"),
    "firehose": ("firehose", "deliveryStreamArn invocationId records"),
    "kafka": ("kafka", "eventSource=aws:kafka records"),
    "kafka-self-managed": ("kafka", "eventSource~SelfManagedKafka records"),
    "mq": ("mq", "eventSource=aws:amq messages"),
    "mq-rabbit": ("mq", "eventSource=aws:rmq rmqMessagesByQueue"),
    "cognito": ("cognito", "triggerSource userPoolId request"),
    "cloudformation": ("cloudformation", "ResponseURL RequestType StackId LogicalResourceId"),
    "config": ("config", "invokingEvent resultToken configRuleArn"),
    "codepipeline": ("codepipeline", "CodePipeline.job"),
    "bedrock-agent": ("bedrock", "actionGroup messageVersion agent"),
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
    if event.__class__ is list and event and recognise(event[0]) in ("appsync", "appsync-template"):
        return "appsync"
    if event.__class__ is not dict:
        return UNKNOWN
    lines = _LINES or _compile()
    found = UNKNOWN
    keys = event.keys()
    for mark in lines.keys() & keys:
        known, rest = lines[mark]
        for path, by_value in known:
            value = _at(event, path)
            if value.__class__ is str and value in by_value:
                if found is not UNKNOWN:
                    return UNKNOWN
                found = by_value[value]
        for name, needs, lacks, terms in rest:
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


def blocked(verdict: Verdict, message: str) -> InputBlocked:
    """The error by which a source hears a refusal."""
    return InputBlocked(message, verdict.findings[0].rule if verdict.findings else "", verdict.id)


def settled(verdict: Verdict, message: str) -> None:
    """For sources whose answer nobody reads: a refusal is forgotten, so that it is not tried again; with `fail` it is an error."""
    if verdict.on_refuse == "fail":
        raise blocked(verdict, message)


def batch(event: dict[Any, Any], key: Any = "Records") -> list[Any]:
    """The records of a batch; none where there is no list of them."""
    found = event.get(key)
    return found if found.__class__ is list else []


def without(event: dict[str, Any], refused: set[int], key: str = "Records") -> dict[str, Any]:
    """A shallow copy of a batch without the records of these indexes."""
    if event.get(key).__class__ is not list:
        return dict(event)
    return {**event, key: [record for index, record in enumerate(event[key]) if index not in refused]}


def failures(identifiers: list[Any], result: Any) -> Any:
    """A handler's result with these records among its `batchItemFailures`; a malformed one stays: Lambda takes the whole batch as failed then."""
    own = result.get("batchItemFailures") if result.__class__ is dict else None
    if own is not None and own.__class__ is not list:
        return result
    told = [item.get("itemIdentifier") for item in own or () if item.__class__ is dict]
    known = {item for item in told if item.__class__ is str}
    more = [{"itemIdentifier": item} for item in identifiers if item.__class__ is not str or item not in known]
    return {**(result if result.__class__ is dict else {}), "batchItemFailures": [*(own or ()), *more]}


def octets(value: Any, depth: int = 0) -> Any:
    """A value with lists of byte values, as Kafka and RabbitMQ headers have them, as the text they are."""
    if depth > 8:
        return value
    if value.__class__ is dict:
        return {key: octets(item, depth + 1) for key, item in value.items()}
    if value.__class__ is list and value:
        if all(item.__class__ is int and -129 < item < 256 for item in value):
            return bytes(item % 256 for item in value).decode("utf-8", "replace")
        return [octets(item, depth + 1) for item in value]
    return value


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


def _at(event: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at a path, None where there is nothing."""
    for step in path:
        if event.__class__ is dict:
            event = event.get(step)
        elif event.__class__ is list and step == 0 and event:
            event = event[0]
        else:
            return None
    return event


def _compile() -> dict[str, Lines]:
    """The table by the first key of each signature: what one string tells apart by that string, the rest with what is asked of top-level keys asked at once."""
    for name, (_, text) in SOURCES.items():
        terms = signature(text)
        if not terms:
            continue
        by_path, rest = _LINES.setdefault(str(terms[0][0][0]), ([], []))
        if len(terms) == 1 and terms[0][1] == "is":
            path, _, operand = terms[0]
            for known, by_value in by_path:
                if known == path:
                    by_value[operand] = name
                    break
            else:
                by_path.append((path, {operand: name}))
            continue
        needs = frozenset(str(path[0]) for path, test, _ in terms if test[:3] != "not")
        lacks = frozenset(str(path[0]) for path, test, _ in terms if test == "not there" and len(path) == 1)
        rest.append((name, needs, lacks, tuple(term for term in terms if len(term[0]) > 1 or term[2])))
    return _LINES


_LINES: dict[str, Lines] = {}
_MEMBERS: dict[str, ModuleType] = {}
