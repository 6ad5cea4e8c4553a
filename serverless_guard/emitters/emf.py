"""CloudWatch metrics in the embedded metric format: one line for each event, made into metrics by CloudWatch itself.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
Few dimensions, since each combination of their values is billed as a metric of its own; the rule and the function are
properties, to be searched but not billed.
"""

from __future__ import annotations

import json
import os

from serverless_guard.emitters import function, summary
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

FD = 1
NAMESPACE = "ServerlessGuard"
DIMENSIONS = ("service", "control", "action")
UNITS = {"Findings": "Count", "Blocked": "Count", "GuardErrors": "Count", "GuardLatency": "Microseconds"}


def connect(environ: Mapping[str, str], argument: str = "") -> Callable[[dict[str, Any]], None]:
    """`emit(event)`: write its metrics to standard output; `argument` is their namespace."""
    namespace = argument or NAMESPACE
    last = ""

    def emit(event: dict[str, Any]) -> None:
        nonlocal last
        invocation = event["metadata"]["correlation_uid"]
        line = json.dumps(metrics(event, namespace, invocation != last), ensure_ascii=True, separators=(",", ":"))
        last = invocation
        os.write(FD, line.encode("ascii") + b"\n")

    return emit


def metrics(event: dict[str, Any], namespace: str, first: bool) -> dict[str, Any]:
    """An event as metrics; the time that the guard took is told with the first event of an invocation, not with each."""
    told, where = summary(event), function(event)
    values = {"Findings": 1, "Blocked": int(event.get("action_id") == 2), "GuardErrors": int(told.get("control") == "guard")}
    if first:
        values["GuardLatency"] = told.get("guard_time_us", 0)
    named = [{"Name": name, "Unit": UNITS[name]} for name in values]
    return {
        "_aws": {"Timestamp": event["time"], "CloudWatchMetrics": [{"Namespace": namespace, "Dimensions": [list(DIMENSIONS)], "Metrics": named}]},
        "level": event.get("level"),  # Lambda's log filter drops a line below its level, and counts one without a level as INFO
        "timestamp": event.get("timestamp"),
        "service": where["service"] or "service_undefined",
        "control": told.get("control", "unknown"),
        "action": told.get("action", "Unknown"),
        "rule": told.get("rule_id", ""),
        "function_name": where["name"],
        "finding_id": told.get("finding_id", ""),
        **values,
    }
