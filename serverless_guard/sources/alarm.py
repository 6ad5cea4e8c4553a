"""CloudWatch alarms that invoke a function.

Event: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
"""

from __future__ import annotations

from serverless_guard.sources import settled
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict


def parts(event: dict[str, Any]) -> list[Part]:
    """The alarm as its author describes it; the rest is AWS's."""
    return [("alarmData", event.get("alarmData"), "body", -1, ""), ("", event, "aws", -1, "alarmData")]


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """Nothing, so that it is not delivered again; with `fail` an error, for the dead-letter queue."""
    settled(verdict, "the alarm was refused")
