"""API Gateway REST API, Lambda proxy integration.

Event and response: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

from serverless_guard.sources import http_answer, others
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(
    [
        "version",
        "resource",
        "path",
        "httpMethod",
        "headers",
        "multiValueHeaders",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "requestContext",
        "body",
        "isBase64Encoded",
    ]
)


def parts(event: dict[str, Any]) -> list[Part]:
    """All that the caller writes; the context is AWS's, but for the claims, the certificate and the agent nested in it."""
    get = event.get
    found: list[Part] = [
        ("body", get("body"), "body", -1, "base64" if get("isBase64Encoded") else ""),
        ("headers", get("headers"), "header", -1, ""),
        ("multiValueHeaders", get("multiValueHeaders"), "header", -1, ""),
        ("queryStringParameters", get("queryStringParameters"), "query", -1, ""),
        ("multiValueQueryStringParameters", get("multiValueQueryStringParameters"), "query", -1, ""),
        ("pathParameters", get("pathParameters"), "path", -1, ""),
        ("path", get("path"), "path", -1, ""),
        ("requestContext", get("requestContext"), "aws", -1, ""),
        ("stageVariables", get("stageVariables"), "aws", -1, ""),
        ("httpMethod", get("httpMethod"), "aws", -1, ""),
        ("resource", get("resource"), "aws", -1, ""),
    ]
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """An HTTP answer of the verdict's status."""
    return http_answer(verdict)
