"""AWS Config custom rules.

Event: https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
"""

from __future__ import annotations

from serverless_guard.sources import settled
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict


def parts(event: dict[str, Any]) -> list[Part]:
    """The resource as it is configured, and the rule's parameters, both JSON in a string; the rest is AWS's."""
    get = event.get
    return [
        ("invokingEvent", get("invokingEvent"), "body", -1, ""),
        ("ruleParameters", get("ruleParameters"), "attribute", -1, ""),
        ("", event, "aws", -1, "invokingEvent ruleParameters"),
    ]


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """Nothing: no evaluation is reported; with `fail` an error, for the dead-letter queue."""
    settled(verdict, "the configuration was refused")
