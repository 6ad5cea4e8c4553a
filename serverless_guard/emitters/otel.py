"""OpenTelemetry, where the function itself set it up: an event on the current span, a log record, and metrics.

https://opentelemetry.io/docs/specs/semconv/registry/attributes/security-rule/, .../faas/, .../server/, .../client/
The guard imports the API only if the function did, makes no exporter and no provider, and never flushes: without a set-up of
the function's own, nothing happens.
"""

from __future__ import annotations

import sys

from serverless_guard.emitters import function, summary
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

SCOPE = "serverless_guard"
EVENT = "serverless_guard.finding"
SEVERITIES = {"INFO": 9, "WARN": 13, "ERROR": 17}
ATTRIBUTES = {
    "finding_id": "serverless_guard.finding.id",
    "rule_id": "security_rule.uuid",
    "title": "security_rule.name",
    "control": "security_rule.category",
    "detail": "security_rule.description",
    "policy": "security_rule.ruleset.name",
    "action": "serverless_guard.action",
    "severity": "serverless_guard.severity",
    "confidence": "serverless_guard.confidence",
    "source": "serverless_guard.source",
    "path": "serverless_guard.match.path",
    "record": "serverless_guard.record",
    "client_ip": "client.address",
    "target": "server.address",
    "target_port": "server.port",
    "request_id": "faas.invocation_id",
    "tenant_id": "serverless_guard.tenant.id",
}
"""Attribute by column of the summary; of the function's own, only what a resource may not say."""


def connect(environ: Mapping[str, str], argument: str = "") -> Callable[[dict[str, Any]], None]:
    """`emit(event)`: tell the span, the logger and the meter that the function has, as many of them as there are."""
    instruments: dict[str, Any] = {}

    def emit(event: dict[str, Any]) -> None:
        told = attributes(event)
        if "opentelemetry.trace" in sys.modules:
            _span(event, told)
        if "opentelemetry._logs" in sys.modules:
            _record(event, told)
        if "opentelemetry.metrics" in sys.modules:
            _count(event, instruments)

    return emit


def attributes(event: dict[str, Any]) -> dict[str, str | int]:
    """The attributes of an event under the names of the semantic conventions where they have one."""
    told = summary(event)
    made = {name: told[column] for column, name in ATTRIBUTES.items() if column in told}
    where = function(event)
    made |= {name: value for name, value in (("faas.name", where["name"]), ("faas.version", where["version"]), ("cloud.resource_id", where["arn"])) if value}
    return made


def _span(event: dict[str, Any], told: dict[str, str | int]) -> None:
    from opentelemetry import trace

    span = trace.get_current_span()
    if span.is_recording():
        span.add_event(EVENT, told, event["time"] * 1_000_000)
        if event.get("action_id") == 2:
            span.set_attribute("serverless_guard.blocked", True)


def _record(event: dict[str, Any], told: dict[str, str | int]) -> None:
    from opentelemetry._logs import LogRecord, SeverityNumber, get_logger

    level = str(event.get("level"))
    get_logger(SCOPE).emit(
        LogRecord(
            timestamp=event["time"] * 1_000_000,
            severity_text=level,
            severity_number=SeverityNumber(SEVERITIES.get(level, 9)),
            body=event.get("message"),
            attributes=told,
            event_name=EVENT,
        )
    )


def _count(event: dict[str, Any], instruments: dict[str, Any]) -> None:
    from opentelemetry import metrics

    if not instruments:
        meter = metrics.get_meter(SCOPE)
        instruments["findings"] = meter.create_counter("serverless_guard.findings", "{finding}", "What the guard found")
        instruments["duration"] = meter.create_histogram("serverless_guard.duration", "us", "Time that the guard took until it told")
    told = summary(event)
    few = {"serverless_guard.control": told.get("control", ""), "serverless_guard.action": told.get("action", "")}
    instruments["findings"].add(1, few)
    instruments["duration"].record(told.get("guard_time_us", 0), few)
