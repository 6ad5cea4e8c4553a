"""Powertools for AWS Lambda: a line of its Logger and metrics of its Metrics, in the function's own set-up.

https://docs.powertools.aws.dev/lambda/python/latest/core/logger/, .../core/metrics/
The line has the keys that the function's Logger appends, and `security_event`; its level is the Logger's, so a Logger that
drops warnings drops reports. Metrics are written at once and touch none that the function is collecting.
"""

from __future__ import annotations

from serverless_guard.emitters import function, summary
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

NAMESPACE = "ServerlessGuard"


def connect(environ: Mapping[str, str], argument: str = "") -> Callable[[dict[str, Any]], None]:
    """`emit(event)`: log and count it; `argument` `logger` or `metrics` does one of the two. Raises ImportError without Powertools."""
    log = _logger() if argument in ("", "logger") else None
    count = _metrics(environ) if argument in ("", "metrics") else None

    def emit(event: dict[str, Any]) -> None:
        if log:
            log(event)
        if count:
            count(event)

    return emit


def _logger() -> Callable[[dict[str, Any]], None]:
    from aws_lambda_powertools import Logger

    logger = Logger()  # shares handler and keys with the function's own Logger of the same service

    def log(event: dict[str, Any]) -> None:
        tell = {"ERROR": logger.error, "WARN": logger.warning}.get(str(event.get("level")), logger.info)
        tell(event.get("message"), extra={"security_event": summary(event)})

    return log


def _metrics(environ: Mapping[str, str]) -> Callable[[dict[str, Any]], None]:
    from aws_lambda_powertools import single_metric
    from aws_lambda_powertools.metrics import MetricUnit

    namespace = environ.get("POWERTOOLS_METRICS_NAMESPACE", "") or NAMESPACE

    def count(event: dict[str, Any]) -> None:
        told, service = summary(event), function(event)["service"] or "service_undefined"
        dimensions = {"service": service, "control": str(told.get("control", "unknown")), "action": str(told.get("action", "Unknown"))}
        with single_metric("Findings", MetricUnit.Count, 1, namespace=namespace, default_dimensions=dimensions) as metric:
            metric.add_metadata("rule", told.get("rule_id", ""))
            metric.add_metadata("finding_id", told.get("finding_id", ""))

    return count
