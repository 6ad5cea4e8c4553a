"""What is known of the function, the invocation and the caller when something has to be told, and of nothing before.

https://docs.aws.amazon.com/lambda/latest/dg/python-context.html, https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html,
https://www.w3.org/TR/trace-context/, https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

from __future__ import annotations

from serverless_guard import redact
from serverless_guard.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from serverless_guard.policy import Policy

HTTP_SOURCES = ("apigateway-rest", "apigateway-http", "function-url", "alb", "lattice", "websocket", "cloudfront", "appsync")

_digested: tuple[object, str] = (None, "")


class Facts(NamedTuple):
    """The function and the invocation that an event is about. Empty where the platform does not say."""

    function: str = ""
    arn: str = ""
    version: str = ""
    region: str = ""
    account: str = ""
    request_id: str = ""
    trace_id: str = ""  # 32 hexadecimal digits, as in W3C trace context
    tenant_id: str = ""
    log_stream: str = ""  # names the execution environment
    service: str = ""
    cold: bool | None = None
    source: str = ""  # public name of the event source
    policy: str = ""
    policy_digest: str = ""
    mode: str = ""
    preview: bool = True
    client_ip: str = ""
    method: str = ""
    http_path: str = ""  # the declared route where the source tells it, else the path; masked when written
    http_id: str = ""  # API Gateway's own id of the request
    user: str = ""  # of the authorizer
    caller_trace_id: str = ""  # that the request came with
    event: Any = None  # to look up the record that a finding names; nothing of it is copied
    environ: Any = None  # for emitters that are named by the environment


def gather(context: Any, environ: Mapping[str, str], source: str = "", event: Any = None, policy: Policy | None = None, cold: bool | None = None) -> Facts:
    """The facts that a Lambda context (or anything, or None), an environment and an event give."""
    arn = _attribute(context, "invoked_function_arn")
    pieces = arn.split(":") if arn.startswith("arn:") else []
    w3c = _attribute(context, "w3c_traceparent")
    trace = environ.get("_X_AMZN_TRACE_ID", "")
    function = _attribute(context, "function_name") or environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    made = Facts(
        function=function,
        arn=arn,
        version=_attribute(context, "function_version") or environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
        region=environ.get("AWS_REGION", "") or (pieces[3] if len(pieces) > 3 else ""),
        account=pieces[4] if len(pieces) > 4 else "",
        request_id=_attribute(context, "aws_request_id"),
        trace_id=trace_id(w3c or trace),
        tenant_id=_attribute(context, "tenant_id"),
        log_stream=_attribute(context, "log_stream_name") or environ.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
        service=environ.get("POWERTOOLS_SERVICE_NAME", "") or function,
        cold=cold,
        source=source,
        event=event,
        environ=environ,
    )
    if policy is not None:
        made = made._replace(policy=policy.name, policy_digest=_policy_digest(policy), mode=policy.mode or "default", preview=policy.preview)
    return _asked(made, event) if source in HTTP_SOURCES and event.__class__ is dict else made


def _asked(made: Facts, event: dict[str, Any]) -> Facts:
    """The facts with who asked for what. Only of sources where the platform, not the caller, says so."""
    context, headers = _at(event, "requestContext"), _headers(event)
    http, identity, authorizer = _at(context, "http"), _at(context, "identity"), _at(context, "authorizer")
    claims = _at(_at(authorizer, "jwt"), "claims") or _at(authorizer, "claims")
    route = _text(context, "routeKey").partition(" ")[2] or _text(context, "resourcePath")
    return made._replace(
        client_ip=_text(http, "sourceIp") or _text(identity, "sourceIp") or _text(headers, "x-forwarded-for").rpartition(",")[2].strip(),
        method=_text(http, "method") or _text(event, "httpMethod"),
        http_path=route or _text(http, "path") or _text(event, "path"),
        http_id=_text(context, "requestId"),
        user=_text(claims, "sub") or _text(authorizer, "principalId") or _text(_at(authorizer, "iam"), "userArn") or _text(identity, "userArn"),
        caller_trace_id=trace_id(_text(headers, "traceparent")) or trace_id(_text(headers, "x-amzn-trace-id")),
    )


def _headers(event: dict[str, Any]) -> dict[str, str]:
    """Headers by name in small letters; of several values the last, which the nearest proxy wrote."""
    made = {name.lower(): value for name, value in _at(event, "headers").items() if name.__class__ is value.__class__ is str}
    for name, values in _at(event, "multiValueHeaders").items():
        if name.__class__ is str and values.__class__ is list and values and values[-1].__class__ is str:
            made.setdefault(name.lower(), values[-1])
    return made


def trace_id(header: str) -> str:
    """The 32 digits of a trace, from an X-Ray header (`Root=1-5759e988-bd86...;Parent=...`) or a W3C `traceparent`; else empty."""
    for field in header[:512].split(";"):
        name, _, value = field.strip().partition("=")
        pieces = value.split("-") if name == "Root" else field.strip().split("-")
        digits = "".join(pieces[1:3]) if name == "Root" else pieces[1] if len(pieces) == 4 else ""
        if len(digits) == 32 and all(char in "0123456789abcdef" for char in digits):
            return digits
    return ""


def origin(event: Any, index: int) -> dict[str, str]:
    """Id and trace of what a finding is about: the batch record at `index`, else the event itself where it has an id."""
    if index < 0:
        return {"event_id": redact.clean(_text(event, "id"), 64)} if _text(event, "detail-type") else {}
    records = event.get("Records") if event.__class__ is dict else None
    if records.__class__ is not list or index >= len(records):
        return {}
    record = records[index]
    sns = _at(record, "Sns")
    id = _text(record, "messageId") or _text(sns, "MessageId") or _text(record, "eventID") or _text(_at(record, "responseElements"), "x-amz-request-id")
    w3c = _at(_at(record, "messageAttributes"), "traceparent"), _at(_at(sns, "MessageAttributes"), "traceparent")
    trace = trace_id(_text(w3c[0], "stringValue")) or trace_id(_text(w3c[1], "Value")) or trace_id(_text(_at(record, "attributes"), "AWSTraceHeader"))
    return {"record_id": redact.clean(id, 64), "record_trace_id": trace}


def _policy_digest(policy: Policy) -> str:
    """The digest of what a policy says, the same wherever it is deployed; kept for the policy that was asked for last."""
    global _digested
    if _digested[0] is not policy:
        _digested = policy, redact.blake2(repr(policy).encode("utf-8", "replace"))
    return _digested[1]


def _attribute(context: Any, name: str) -> str:
    """A string attribute of a context; empty where it is missing, of another type, or raises."""
    if name == "w3c_traceparent":
        headers = getattr(context, "w3c", None)
        found = headers() if callable(headers) else None
        return _text(found, "traceparent")
    value = getattr(context, name, "")
    return value if value.__class__ is str else ""


def _at(holder: Any, key: str) -> Any:
    """What stands at a key of a mapping, and an empty mapping for anything else."""
    value = holder.get(key) if holder.__class__ is dict else None
    return value if value.__class__ is dict else {}


def _text(holder: Any, key: str) -> str:
    value = holder.get(key) if holder.__class__ is dict else None
    return value if value.__class__ is str else ""
