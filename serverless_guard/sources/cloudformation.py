"""CloudFormation custom resources.

Request and response: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
A stack waits for the response up to an hour, so a refusal must be put to `ResponseURL`; only where that leads to S3.
"""

from __future__ import annotations

from serverless_guard.sources import blocked, others
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(
    [
        "RequestType",
        "ServiceToken",
        "ResponseURL",
        "StackId",
        "RequestId",
        "LogicalResourceId",
        "PhysicalResourceId",
        "ResourceType",
        "ResourceProperties",
        "OldResourceProperties",
        "ServiceTimeout",
    ]
)
RESPONSE_URL = "https://cloudformation-custom-resource-response-"
TIMEOUT_S = 10


def parts(event: dict[str, Any]) -> list[Part]:
    """The properties, which templates and their parameters fill; the rest is AWS's."""
    get = event.get
    found: list[Part] = [
        ("ResourceProperties", get("ResourceProperties"), "body", -1, ""),
        ("OldResourceProperties", get("OldResourceProperties"), "attribute", -1, ""),
        ("PhysicalResourceId", get("PhysicalResourceId"), "attribute", -1, ""),
        ("LogicalResourceId", get("LogicalResourceId"), "aws", -1, ""),
    ]
    found += [(name, get(name), "aws", -1, "") for name in ("RequestType", "ServiceToken", "StackId", "RequestId", "ResourceType", "ServiceTimeout")]
    found.append(("ResponseURL", get("ResponseURL"), "url", -1, ""))
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """FAILED, put to the address that CloudFormation waits at."""
    if not _ours(event.get("ResponseURL")):
        raise blocked(verdict, "the request was refused")
    physical = event.get("PhysicalResourceId")
    answer = {
        "Status": "FAILED", "Reason": f"refused ({verdict.id})", "PhysicalResourceId": physical if physical.__class__ is str
            else str(event.get("LogicalResourceId")),
        "StackId": event.get("StackId"), "RequestId": event.get("RequestId"), "LogicalResourceId": event.get("LogicalResourceId"),
    }  # fmt: skip
    _put(event["ResponseURL"], answer, verdict)
    return answer


def _ours(url: Any) -> bool:
    """Whether this leads to the bucket in which CloudFormation waits."""
    if url.__class__ is not str or not url.startswith(RESPONSE_URL):
        return False
    host = url[8:].partition("/")[0]
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn")) and ".s3" in host and not any(sign in host for sign in "@?#\\")


def _put(url: str, answer: dict[str, Any], verdict: Verdict) -> None:
    from importlib import import_module
    from json import dumps

    request = import_module("urllib.request")  # by name: 117 M instructions that nobody but a refused stack pays
    data = dumps(answer).encode()
    try:
        request.urlopen(request.Request(url, data, {"Content-Type": ""}, method="PUT"), timeout=TIMEOUT_S).close()
    except OSError:
        raise blocked(verdict, "the request was refused, and its response could not be put") from None
