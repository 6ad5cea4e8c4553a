"""Bedrock agents: an action group with an API schema or with function details.

Event and response: https://docs.aws.amazon.com/bedrock/latest/userguide/agents-lambda.html
"""

from __future__ import annotations

from serverless_guard.sources import http_answer, others
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(
    [
        "messageVersion",
        "agent",
        "inputText",
        "sessionId",
        "actionGroup",
        "apiPath",
        "httpMethod",
        "function",
        "parameters",
        "requestBody",
        "sessionAttributes",
        "promptSessionAttributes",
    ]
)


def parts(event: dict[str, Any]) -> list[Part]:
    """What the user said and what the model made of it: both are untrusted."""
    get = event.get
    found: list[Part] = [
        ("requestBody", get("requestBody"), "body", -1, ""),
        ("parameters", get("parameters"), "query", -1, ""),
        ("inputText", get("inputText"), "attribute", -1, ""),
        ("sessionAttributes", get("sessionAttributes"), "attribute", -1, ""),
        ("promptSessionAttributes", get("promptSessionAttributes"), "attribute", -1, ""),
        ("sessionId", get("sessionId"), "attribute", -1, ""),
        ("agent", get("agent"), "aws", -1, ""),
    ]
    found += [(name, get(name), "aws", -1, "") for name in ("messageVersion", "actionGroup", "apiPath", "httpMethod", "function")]
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """An HTTP status for an API, a failed function else; the agent goes on with that."""
    body = http_answer(verdict)["body"]
    response: dict[str, Any] = {"actionGroup": event.get("actionGroup")}
    if event.get("function") is not None:
        response |= {"function": event["function"], "functionResponse": {"responseState": "FAILURE", "responseBody": {"TEXT": {"body": body}}}}
    else:
        response |= {
            "apiPath": event.get("apiPath"),
            "httpMethod": event.get("httpMethod"),
            "httpStatusCode": verdict.status,
            "responseBody": {"application/json": {"body": body}},
        }
    return {"messageVersion": "1.0", "response": response}
