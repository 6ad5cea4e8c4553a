"""API Gateway WebSocket API: connections, messages and their end.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
"""

from __future__ import annotations

from serverless_guard.sources import http_answer, others
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(
    ["headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "stageVariables", "requestContext", "body", "isBase64Encoded"]
)


def parts(event: dict[str, Any]) -> list[Part]:
    """The message, and what the client wrote when it connected; the context is AWS's, but for identity and claims nested in it."""
    get = event.get
    found: list[Part] = [
        ("body", get("body"), "body", -1, "base64" if get("isBase64Encoded") else ""),
        ("headers", get("headers"), "header", -1, ""),
        ("multiValueHeaders", get("multiValueHeaders"), "header", -1, ""),
        ("queryStringParameters", get("queryStringParameters"), "query", -1, ""),
        ("multiValueQueryStringParameters", get("multiValueQueryStringParameters"), "query", -1, ""),
        ("stageVariables", get("stageVariables"), "aws", -1, ""),
        ("requestContext", get("requestContext"), "aws", -1, ""),
    ]
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """An HTTP answer: it ends a connection that is being made, and answers a message where its route has a response."""
    return http_answer(verdict)
