"""Calls to AWS through botocore, by service, action and resource, before the first attempt.

    serverless_guard.aws    raised by the guard's own cover of botocore's clients
                            (service, operation, ((action, resource), ...), host, port)

CWE-862. SG-EGR-007: a call that no `aws:` entry declares, on an endpoint that no entry names either. Attack: a handler made to
`Scan` the table it only reads items of. Near miss: `Query` on an index of a table that is declared as `table/orders*`.

Actions are IAM's (`lambda:InvokeFunction`, `s3:ListBucket`); the name of the API operation is taken as well. Resources are the
last part of an ARN (`table/orders`, `function:resize`, `bucket/key`), from the parameters of the call. A transaction, a batch and a
copy are several calls. While an allowed call runs, and only in its own context, its endpoint needs no entry of its own.
Source of the names that differ: https://docs.aws.amazon.com/service-authorization/latest/reference/ (read November 2026).
"""

from __future__ import annotations

import sys

from serverless_guard import hosts
from serverless_guard.sinks import calling, cover, wrap
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any

EVENTS = frozenset({"serverless_guard.aws"})
UNDECLARED = "is not declared; add `{entry}` to `egress`"
DENIED = "is denied by the entry `{entry}` of `egress`"
BUGS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

PREFIXES = {"monitoring": "cloudwatch", "email": "ses", "elasticloadbalancing": "elasticloadbalancing", "iotdata": "iot", "tagging": "tag"}
"""IAM's prefix of a service, where the name that requests are signed with is another."""

ACTIONS = {
    "lambda:Invoke": "InvokeFunction", "lambda:InvokeAsync": "InvokeFunction", "lambda:InvokeWithResponseStream": "InvokeFunction",
    "s3:ListObjects": "ListBucket", "s3:ListObjectsV2": "ListBucket", "s3:HeadBucket": "ListBucket", "s3:ListBuckets": "ListAllMyBuckets",
    "s3:HeadObject": "GetObject", "s3:SelectObjectContent": "GetObject", "s3:ListObjectVersions": "ListBucketVersions",
    "s3:CreateMultipartUpload": "PutObject", "s3:UploadPart": "PutObject", "s3:CompleteMultipartUpload": "PutObject",
    "s3:DeleteObjects": "DeleteObject", "s3:ListParts": "ListMultipartUploadParts", "s3:ListMultipartUploads": "ListBucketMultipartUploads",
    "sqs:SendMessageBatch": "SendMessage", "sqs:DeleteMessageBatch": "DeleteMessage", "sqs:ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "sns:PublishBatch": "Publish", "bedrock:Converse": "InvokeModel", "bedrock:ConverseStream": "InvokeModelWithResponseStream",
    "execute-api:PostToConnection": "ManageConnections", "execute-api:GetConnection": "ManageConnections", "execute-api:DeleteConnection": "ManageConnections",
    "dynamodb:ExecuteStatement": "PartiQL*", "dynamodb:BatchExecuteStatement": "PartiQL*", "dynamodb:ExecuteTransaction": "PartiQL*",
}  # fmt: skip  # a table reads better in rows
"""IAM's action for an operation, where that has another name."""

RESOURCES: dict[str, tuple[tuple[str, str], ...]] = {
    "dynamodb": (("TableName", "table/{}"),),
    "sqs": (("QueueUrl", "{}"), ("QueueName", "{}")),
    "sns": (("TopicArn", "{}"), ("TargetArn", "{}"), ("Name", "{}")),
    "lambda": (("FunctionName", "function:{}"),),
    "secretsmanager": (("SecretId", "secret:{}"), ("Name", "secret:{}")),
    "ssm": (("Name", "parameter/{}"), ("Names", "parameter/{}"), ("Path", "parameter/{}")),
    "kms": (("KeyId", "key/{}"),),
    "kinesis": (("StreamName", "stream/{}"), ("StreamARN", "{}")),
    "firehose": (("DeliveryStreamName", "deliverystream/{}"),),
    "states": (("stateMachineArn", "{}"), ("executionArn", "{}"), ("activityArn", "{}")),
    "events": (("EventBusName", "event-bus/{}"),),
    "logs": (("logGroupName", "log-group:{}"),),
    "bedrock": (("modelId", "foundation-model/{}"),),
}
"""Where a service's calls name their resource, and how that stands in an ARN; `s3` is read in `resources`."""


def like(pattern: str, value: str) -> bool:
    """Whether `value` is `pattern`, in which `*` stands for any characters. Linear in the value for each star."""
    first, *middle = pattern.split("*")
    if not middle:
        return pattern == value
    last = middle.pop()
    at, end = len(first), len(value) - len(last)
    if end < at or not value.startswith(first) or not value.endswith(last):
        return False
    for part in middle:
        at = value.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return at <= end


def covered(entries: tuple[hosts.AwsRule, ...], service: str, operation: str, action: str, resource: str, like: Callable[[str, str], bool] = like) -> str:
    """The `aws:` entry that covers one call, "" for none."""
    for wanted, act, on, entry in entries:
        if wanted == service and (like(act.lower(), action.lower()) or like(act.lower(), operation.lower())) and (not on or like(on, resource)):
            return entry
    return ""


def read(event: str, args: tuple[Any, ...]) -> tuple[str, Any, int, int]:
    """The call behind the event, as `judge` takes it."""
    return "aws", args, 0, 1


def judge(
    call: tuple[str, Any, int, int],
    rules: tuple[hosts.Table, hosts.Table | None] | None,
    metadata: bool,
    runtime_api: bool,
    platform: tuple[Any, ...],
    grants: Any = None,
    covered: Callable[..., str] = covered,
    read_host: Callable[[str], Any] = hosts.read,
    name_rule: Callable[..., str] = hosts.name_rule,
    address_rule: Callable[..., str] = hosts.address_rule,
    undeclared: str = UNDECLARED,
    denied: str = DENIED,
    whole: type = int,
    loopback: int = hosts.LOCALHOST,
) -> tuple[str, str, str, str] | None:
    """What is wrong with a call, or None. Without any `aws:` entry the endpoints decide, as for every other host.

    The platform's own endpoints (the X-Ray daemon) need no entry.
    """
    if rules is None:
        return None
    allow, deny = rules
    service, operation, acts, host, port = call[1]
    missing = ""
    for action, resource in acts:
        shown = resource if service != "s3" else resource.partition("/")[0] + ("/*" if "/" in resource else "")  # a key may hold anything
        shown = f"aws:{service}:{action}@{shown}"[:253] if resource else f"aws:{service}:{action}"
        entry = covered(deny[6], service, operation, action, resource) if deny else ""
        if entry:
            return "SG-EGR-007", "egress", shown, denied.replace("{entry}", entry)
        if not missing and not covered(allow[6], service, operation, action, resource):
            missing = shown
    if not missing or not allow[6]:
        return None
    value = read_host(host[:255])
    if value.__class__ is whole or value == "localhost":
        value = loopback if value == "localhost" else value
        declared = (value, port) in platform[1] or address_rule(allow, value, port, 1) or name_rule(allow, host, port, 1)
    else:
        bucket = acts[0][1].partition("/")[0]
        declared = name_rule(allow, value, port, 1) or (service == "s3" and name_rule(allow, f"{bucket}.{value}", port, 1))
    return None if declared else ("SG-EGR-007", "egress", missing, undeclared.replace("{entry}", missing))


def watch() -> None:
    """Covers botocore's clients."""
    cover({"botocore.client": _cover_client})


def calls(service: str, operation: str, params: dict[str, Any]) -> list[tuple[str, str]]:
    """What a call does: `(action, resource)` each, the resource "" where the parameters name none."""
    action = ACTIONS.get(f"{service}:{operation}", operation)
    if service == "s3":
        return list(_s3_calls(operation, action, params))
    if service == "dynamodb" and "TransactItems" in params:
        items = [item for items in params["TransactItems"] for item in items.items()]
        names = {"Put": "PutItem", "Get": "GetItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
        return [(names.get(kind, kind), _resource("table/{}", item.get("TableName"))) for kind, item in items]
    if service == "dynamodb" and "RequestItems" in params:
        return [(action, _resource("table/{}", table)) for table in params["RequestItems"]]
    if service == "events" and operation == "PutEvents":
        return [(action, _resource("event-bus/{}", entry.get("EventBusName") or "default")) for entry in params.get("Entries") or ()]
    for name, form in RESOURCES.get(service, ()):
        value = params.get(name)
        if value:
            suffix = f"/index/{params['IndexName']}" if service == "dynamodb" and params.get("IndexName") else ""
            return [(action, _resource(form, one) + suffix) for one in (value if isinstance(value, list) else [value])]
    return [(action, "")]


def _resource(form: str, value: Any) -> str:
    """A value of a parameter as the last part of an ARN."""
    text = str(value or "")
    if text.startswith("arn:"):
        return text.split(":", 5)[-1]
    if "://" in text:
        text = text.rpartition("/")[2]  # a queue's URL
    if form == "key/{}" and text.startswith("alias/"):
        return text
    if form.startswith("function:") and ":function:" in text:
        text = text.rpartition(":function:")[2]
    return form.replace("{}", text.removeprefix("/") if form.startswith("parameter") else text)


def _s3_calls(operation: str, action: str, params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    bucket = _resource("{}", params.get("Bucket"))
    source = params.get("CopySource")
    if source:
        if isinstance(source, dict):
            source = f"{source.get('Bucket', '')}/{source.get('Key', '')}"
        yield "GetObject", _resource("{}", str(source).partition("?")[0].removeprefix("/"))
        action = "PutObject"
    if operation == "DeleteObjects":
        for item in (params.get("Delete") or {}).get("Objects") or ():
            yield action, f"{bucket}/{item.get('Key', '')}"
    elif params.get("Key"):
        yield action, f"{bucket}/{params['Key']}"
    elif bucket or not source:
        yield action, bucket


def _cover_client(module: ModuleType) -> None:
    wrap(module.BaseClient, "_make_api_call", _call)


def _call(real: Callable[..., Any], client: Any, operation: str, params: dict[str, Any]) -> Any:
    scheme, _, rest = client.meta.endpoint_url.partition("://")
    host, _, port = rest.partition("/")[0].rpartition(":")
    endpoint = (host, int(port)) if host and port.isdecimal() else (rest.partition("/")[0], 80 if scheme == "http" else 443)
    service = client._service_model.signing_name
    service = PREFIXES.get(service, service)
    try:
        acts = calls(service, operation, params)
    except BUGS:  # parameters that botocore will refuse itself
        acts = []
    sys.audit("serverless_guard.aws", service, operation, tuple(acts) or ((operation, ""),), *endpoint)
    token = calling.set(endpoint)
    try:
        return real(client, operation, params)
    finally:
        calling.reset(token)
