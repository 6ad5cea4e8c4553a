"""CloudWatch Logs subscriptions: log lines in JSON, gzipped, in base64.

Event: https://docs.aws.amazon.com/lambda/latest/dg/services-cloudwatchlogs.html
"""

from __future__ import annotations

from serverless_guard.sources import others, settled
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(("awslogs",))


def parts(event: dict[str, Any]) -> list[Part]:
    """The log lines: whoever is logged about may have written them."""
    logs = event.get("awslogs")
    found: list[Part] = [("awslogs", logs, "body", -1, "")]
    if logs.__class__ is dict:
        found = [("awslogs.data", logs.get("data"), "body", -1, "base64+gzip"), ("awslogs", logs, "aws", -1, "data")]
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """Nothing, so that it is not delivered again; with `fail` an error, for the dead-letter queue."""
    settled(verdict, "the log lines were refused")
