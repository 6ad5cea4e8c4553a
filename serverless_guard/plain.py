"""Security events in plain words, and the events among the lines of a log."""

from __future__ import annotations

import json

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

PRODUCT = "serverless_guard"
DETECTION_FINDING = 2004
DENIED = 2

DISPOSITIONS = {1: "Allowed", 2: "Blocked", 15: "Detected", 17: "Logged", 26: "Unauthorized", 27: "Error"}
"""Names of what a long event keeps only as numbers."""

OUTCOMES = {
    "Blocked": "Refused",
    "Unauthorized": "Refused, since it is not authorised",
    "Detected": "Reported, not refused",
    "Logged": "Noted",
    "Allowed": "Allowed",
}
"""What a disposition means, at the head of the sentence; `Error` depends on what became of the event."""

SEEN = {"schema": "Keyword", "source": "Recognised as", "guard": "Failed in"}
"""What the detail of a finding is, by its control."""


def event(line: str) -> dict[str, Any] | None:
    """The security event that a line of the log holds, None for any other line; never raises."""
    if PRODUCT not in line or not line.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if _at(found, "class_uid") != DETECTION_FINDING or _at(found, "metadata", "product", "name") != PRODUCT:
        return None
    assert isinstance(found, dict)
    return found


def plain(event: Any) -> str:
    """One or two sentences that say what a security event tells; an event with fields missing says what it has. Never raises.

    "Refused: SQL that would change the meaning of a query, at body.note of the apigateway-http event. Seen: quote, or, number =
    number (13 characters, outline `' a 9=9`); rule SG-SQL-001, CWE-89, high confidence."
    """
    title = _text(event, "finding_info", "title") or _text(event, "message") or "a finding without a title"
    if title[1:2].islower():  # a sentence goes on in small letters, an abbreviation does not
        title = title[0].lower() + title[1:]
    return f"{_outcome(event)}: {title}{_place(event)}. {_grounds(event)}."


def denied(event: Any) -> bool:
    """Whether something was refused, rather than reported."""
    return bool(_at(event, "action_id") == DENIED)


def _outcome(event: Any) -> str:
    disposition = _text(event, "disposition") or DISPOSITIONS.get(_at(event, "disposition_id"), "")
    if disposition == "Error":
        return "Refused, since the guard failed" if denied(event) else "Let pass, though the guard failed"
    return OUTCOMES.get(disposition, "Told")


def _place(event: Any) -> str:
    """Where it was: the destination of a call, else the path in the event, and the event's source."""
    evidence = _at(event, "evidences", 0)
    target = _target(evidence)
    if target:
        return f", to {target}"
    data = _at(evidence, "data")
    path, record, source = _text(data, "path") or _text(data, "json_path"), _at(data, "record"), _text(data, "event_source")
    where = f", at {path}" if path else ""
    if isinstance(record, int) and f"[{record}]" not in path:
        where += f", record {record}"
    if not source:
        return where
    known = "an event of no known source" if source == "unknown" else f"the {source} event"
    return f"{where} of {known}" if where else f", in {known}"


def _target(evidence: Any) -> str:
    point = _at(evidence, "dst_endpoint")
    host, port = _text(point, "hostname") or _text(point, "ip"), _at(point, "port")
    if host:
        shown = f"[{host}]" if ":" in host else host
        return f"{shown}:{port}" if isinstance(port, int) else host
    operation, service = _text(evidence, "api", "operation"), _text(evidence, "api", "service", "name")
    return f"{service} {operation}".strip()


def _grounds(event: Any) -> str:
    """Why: what was seen, as far as it may be told, and by which rule."""
    seen = _text(event, "finding_info", "desc")
    match = _at(event, "evidences", 0, "data", "match")
    length, outline = _at(match, "len"), _text(match, "preview")
    size = f"{length} character{'' if length == 1 else 's'}" if isinstance(length, int) else ""
    size = f"{size}, outline `{outline}`" if size and outline else size
    word = SEEN.get(_text(event, "finding_info", "analytic", "category"), "Seen")
    grounds = f"{word}: {seen} ({size})" if seen and size else f"{word}: {seen or size}" if seen or size else ""
    tags = _at(event, "finding_info", "tags")
    cwe = [_text(tag, "value") for tag in tags if _text(tag, "name") == "cwe"] if isinstance(tags, list) else []
    confidence = _text(event, "confidence").lower()
    facts = [f"rule {_text(event, 'metadata', 'event_code') or 'unknown'}", *cwe, *([f"{confidence} confidence"] if confidence else [])]
    rule = ", ".join(facts)
    return f"{grounds}; {rule}" if grounds else rule[0].upper() + rule[1:]


def _at(value: Any, *steps: str | int) -> Any:
    """What stands at the end of the steps, None where one of them leads nowhere."""
    for step in steps:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _text(value: Any, *steps: str | int) -> str:
    found = _at(value, *steps)
    return found if isinstance(found, str) else ""
