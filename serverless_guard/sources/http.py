"""API Gateway HTTP API (payload format 2.0) and Lambda function URLs, which speak the same format.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
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
        "routeKey",
        "rawPath",
        "rawQueryString",
        "cookies",
        "headers",
        "queryStringParameters",
        "pathParameters",
        "stageVariables",
        "requestContext",
        "body",
        "isBase64Encoded",
    ]
)


def parts(event: dict[str, Any]) -> list[Part]:
    """All that the caller writes; the context is AWS's, but for what is nested in it: claims, certificate, path, agent."""
    get = event.get
    found: list[Part] = [
        ("body", get("body"), "body", -1, "base64" if get("isBase64Encoded") else ""),
        ("headers", get("headers"), "header", -1, ""),
        ("cookies", get("cookies"), "header", -1, ""),
        ("queryStringParameters", get("queryStringParameters"), "query", -1, ""),
        ("rawQueryString", get("rawQueryString"), "query", -1, ""),
        ("pathParameters", get("pathParameters"), "path", -1, ""),
        ("rawPath", get("rawPath"), "path", -1, ""),
        ("requestContext", get("requestContext"), "aws", -1, ""),
        ("stageVariables", get("stageVariables"), "aws", -1, ""),
        ("routeKey", get("routeKey"), "aws", -1, ""),
    ]
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """An HTTP answer of the verdict's status."""
    return http_answer(verdict)
