"""Cognito user pool triggers.

Events: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
"""

from __future__ import annotations

from serverless_guard.sources import blocked
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict


def parts(event: dict[str, Any]) -> list[Part]:
    """User name and request: attributes, metadata, validation data, answers to challenges are the user's. The rest is AWS's."""
    get = event.get
    return [
        ("request", get("request"), "body", -1, ""),
        ("userName", get("userName"), "attribute", -1, ""),
        ("response", get("response"), "attribute", -1, ""),
        ("", event, "aws", -1, "request userName response"),
    ]


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """An error: Cognito ends what the user had begun, and shows the message."""
    raise blocked(verdict, "the request was refused")
