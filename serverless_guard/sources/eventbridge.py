"""EventBridge rules and Scheduler.

Event: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
Whoever may `PutEvents` on the bus chooses `source`, `detail-type`, `resources` and `detail`. Invoked asynchronously.
"""

from __future__ import annotations

from serverless_guard.sources import settled
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict


def parts(event: dict[str, Any]) -> list[Part]:
    """The detail, what else the sender chooses, and the rest as AWS writes it."""
    get = event.get
    return [
        ("detail", get("detail"), "body", -1, ""),
        ("detail-type", get("detail-type"), "attribute", -1, ""),
        ("source", get("source"), "attribute", -1, ""),
        ("", event, "aws", -1, "detail detail-type source"),
    ]


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """Nothing, so that it is not delivered again; with `fail` an error, for the dead-letter queue."""
    settled(verdict, "the event was refused")
