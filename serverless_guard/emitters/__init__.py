"""Where security events go: one member a file, the table of members here.

A member is a module with `connect(environ, argument) -> emit`; `emit(event)` takes one event, a plain dict as `ocsf.event` makes
it, and may raise: telemetry tells of that once and goes on. An `emit` that has `all(events)` gets the events of one step
together. An emitter is imported with the first event that it is to carry; what it writes through, never before.
"""

from __future__ import annotations

from importlib import import_module

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Emit = Callable[[dict[str, Any]], object]

EMITTERS: dict[str, str] = {
    "stdout": "one JSON line on standard output; `stdout:flat` with the keys of Powertools Logger instead of OCSF",
    "emf": "CloudWatch metrics in the embedded metric format; `emf:Namespace`",
    "otel": "an event on the current span, a log record and metrics, where the function set OpenTelemetry up",
    "powertools": "Powertools Logger and Metrics, as the function set them up; `powertools:logger` or `powertools:metrics` for one of them",
    "eventbridge": "Amazon EventBridge; `eventbridge:bus-name-or-arn`",
    "securityhub": "AWS Security Hub, as ASFF findings; `securityhub:product-arn`",
}
"""What an emitter does, by name; an argument may follow the name and a colon."""


def names() -> tuple[str, ...]:
    """All public names."""
    return tuple(EMITTERS)


def connect(reference: str, environ: Mapping[str, str]) -> Emit:
    """The `emit` of a member, connected; `reference` is its name, or its name and an argument. Raises KeyError for an unknown name."""
    name, _, argument = reference.partition(":")
    EMITTERS[name]
    emit: Emit = import_module(f"serverless_guard.emitters.{name}").connect(environ, argument)
    return emit


def summary(event: Mapping[str, Any]) -> dict[str, Any]:
    """What a few columns say of an event: the values that metrics, spans and flat logs are made of; empty ones left out."""
    info, metadata, evidence = event.get("finding_info", {}), event.get("metadata", {}), (event.get("evidences") or [{}])[0]
    data, point = evidence.get("data", {}), evidence.get("dst_endpoint", {})
    made = {
        "finding_id": metadata.get("uid"),
        "rule_id": metadata.get("event_code"),
        "control": info.get("analytic", {}).get("category"),
        "type": (info.get("types") or [""])[0],
        "action": event.get("action"),
        "disposition": event.get("disposition"),
        "severity": event.get("severity") or event.get("severity_id"),
        "confidence": event.get("confidence"),
        "title": info.get("title"),
        "detail": info.get("desc"),
        "source": data.get("event_source"),
        "path": data.get("json_path"),
        "record": data.get("record"),
        "client_ip": evidence.get("src_endpoint", {}).get("ip"),
        "target": point.get("hostname") or point.get("ip"),
        "target_port": point.get("port"),
        "policy": event.get("policy", {}).get("name"),
        "request_id": event.get("unmapped", {}).get("faas.invocation_id"),
        "trace_id": event.get("unmapped", {}).get("trace_id"),
        "tenant_id": metadata.get("tenant_uid"),
        "guard_time_us": event.get("unmapped", {}).get("serverless_guard.guard_time_us"),
    }
    return {name: value for name, value in made.items() if value not in (None, "")}


def function(event: Mapping[str, Any]) -> dict[str, str]:
    """The function that an event is about: name, arn, version, region, account, service; empty where it is not known."""
    resource = (event.get("resources") or [{}])[0]
    cloud = event.get("cloud", {})
    labels = dict(label.partition(":")[::2] for label in event.get("metadata", {}).get("labels", ()))
    return {
        "name": resource.get("name", ""),
        "arn": resource.get("uid", ""),
        "version": resource.get("version", ""),
        "region": cloud.get("region", ""),
        "account": cloud.get("account", {}).get("uid", ""),
        "service": labels.get("service", "") or resource.get("name", ""),
    }
