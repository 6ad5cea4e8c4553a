"""Application Load Balancer with a Lambda target, with single and with multi-value headers.

Event and response: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from __future__ import annotations

from serverless_guard.sources import REASONS, http_answer, others
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(
    [
        "requestContext",
        "httpMethod",
        "path",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "headers",
        "multiValueHeaders",
        "body",
        "isBase64Encoded",
    ]
)


def parts(event: dict[str, Any]) -> list[Part]:
    """All of it but the target group: the balancer hands method, path and query on as they came, not decoded."""
    get = event.get
    found: list[Part] = [
        ("body", get("body"), "body", -1, "base64" if get("isBase64Encoded") else ""),
        ("headers", get("headers"), "header", -1, ""),
        ("multiValueHeaders", get("multiValueHeaders"), "header", -1, ""),
        ("queryStringParameters", get("queryStringParameters"), "query", -1, ""),
        ("multiValueQueryStringParameters", get("multiValueQueryStringParameters"), "query", -1, ""),
        ("path", get("path"), "path", -1, ""),
        ("httpMethod", get("httpMethod"), "attribute", -1, ""),
        ("requestContext", get("requestContext"), "aws", -1, ""),
    ]
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """An HTTP answer with `statusDescription`, its headers in the mode in which the event has its own."""
    answer = http_answer(verdict)
    answer["statusDescription"] = f"{verdict.status} {REASONS.get(verdict.status, 'Forbidden')}"
    if event.get("multiValueHeaders") is not None:
        answer["multiValueHeaders"] = {name: [value] for name, value in answer.pop("headers").items()}
    return answer
