"""One finding as an OCSF 1.5.0 Detection Finding (class 2004, profiles `cloud` and `security_control`), at most one line long.

https://schema.ocsf.io/1.5.0/classes/detection_finding, https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
(why `level` and `timestamp` stand beside it: without both, Lambda's log filter takes a line for INFO and drops it).
Imported with the first event of a process, never before.
"""

from __future__ import annotations

import json
import time

from serverless_guard import chain, redact
from serverless_guard.facts import HTTP_SOURCES, origin
from serverless_guard.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.facts import Facts
    from serverless_guard.values import Finding

    Plain = dict[str, Any]
else:
    Plain = dict

VERSION = "1.5.0"
MAX_BYTES = 4095  # and a newline: what one write to a pipe carries whole (PIPE_BUF)
OPEN_PREFIX = "serverless_guard."

ACTIONS: dict[str, tuple[int, str, int, str, bool, str]] = {
    "refuse": (2, "Denied", 2, "Blocked", True, "ERROR"),
    "report": (3, "Observed", 15, "Detected", True, "WARN"),
    "unauthorized": (2, "Denied", 26, "Unauthorized", True, "ERROR"),
    "redact": (4, "Modified", 17, "Logged", False, "WARN"),
    "allow": (1, "Allowed", 1, "Allowed", False, "INFO"),
    "learn": (3, "Observed", 17, "Logged", False, "INFO"),
    "fail-open": (1, "Allowed", 27, "Error", True, "ERROR"),
    "fail-closed": (2, "Denied", 27, "Error", True, "ERROR"),
}
"""What was done: action, disposition, whether it is an alert, and the level that Lambda's log filter reads."""

DID = {"refuse": "refused", "report": "reported", "unauthorized": "refused", "redact": "removed", "allow": "allowed", "learn": "noted"}
DID |= {"fail-open": "let pass", "fail-closed": "refused"}

SEVERITIES = ("Unknown", "Informational", "Low", "Medium", "High", "Critical")
CONFIDENCES = {"low": (1, "Low"), "medium": (2, "Medium"), "high": (3, "High")}
MISTAKES = ("schema", "limits", "source")
"""Controls whose findings are more often a mistake than an attack: one step less severe."""

TYPES = {"schema": "schema", "limits": "limits", "source": "source", "egress": "egress", "metadata": "egress", "runtime_api": "egress", "guard": "guard"}
"""Finding type by control; every other control is a detector, and its type is injection."""

ATTACKS: dict[str, tuple[tuple[str, str], tuple[str, str], tuple[str, str] | None]] = {
    "metadata": (("TA0006", "Credential Access"), ("T1552", "Unsecured Credentials"), ("T1552.005", "Cloud Instance Metadata API")),
    "shell": (("TA0002", "Execution"), ("T1059", "Command and Scripting Interpreter"), None),
    "code": (("TA0002", "Execution"), ("T1059", "Command and Scripting Interpreter"), ("T1059.006", "Python")),
    "injection": (("TA0001", "Initial Access"), ("T1190", "Exploit Public-Facing Application"), None),
}
"""MITRE ATT&CK by control, else by type, only where it is certain. An undeclared call need not be exfiltration: no entry."""

HTTP_METHODS = ("OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT")

TRIM = (
    ("observables",),
    ("finding_info", "attacks"),
    ("class_name",),
    ("finding_info", "data_sources"),
    ("evidences", 0, "actor"),
    ("evidences", 0, "http_request"),
    ("evidences", 0, "connection_info"),
    ("metadata", "labels"),
    ("resources", 0, "labels"),
    ("finding_info", "desc"),
    ("unmapped", "faas.instance"),
    ("status",),
    ("confidence",),
    ("severity",),
    ("action",),
    ("disposition",),
)
"""What goes first where a line would be too long, the dearest last; what then remains is shortened string by string."""

WHOLE = ("timestamp", "uid", "log_name", "log_provider", "correlation_uid", "trace_id", "hash", chain.CHAIN, chain.PREVIOUS, chain.HASH)


class Stamp(NamedTuple):
    """What an event gets from the process that tells it."""

    uid: str
    sequence: int
    time_ms: int
    correlation: str
    key: bytes  # of the keyed hashes
    guard_us: int = 0
    product: str = ""  # version of the guard
    chain: str = ""  # name of the chain that the event is a link of; empty for none
    previous: str = ""  # hash of the link before


def event(finding: Finding, action: str, facts: Facts, stamp: Stamp) -> Event:
    """The event of one finding, every string bounded, printable and without a value of the user's event."""
    clean, key = redact.clean, stamp.key
    action_id, action_name, disposition_id, disposition, alert, level = ACTIONS[action]
    severity = _severity(finding, action)
    confidence_id, confidence = CONFIDENCES.get(finding.confidence, (0, "Unknown"))
    kind = TYPES.get(finding.control, "injection")
    control, rule = clean(finding.control, 40), clean(finding.rule, 40)
    title, where = clean(finding.title, 200), redact.path(clean(finding.path, 4096), key)
    made = Event(
        {
            "level": level,
            "timestamp": timestamp(stamp.time_ms),
            "message": f"{title}{f' at {where}' if where else ''}: {DID[action]} ({rule})",
            "metadata": {
                "version": VERSION,
                "profiles": ["cloud", "security_control"],
                "product": {
                    "name": "serverless_guard",
                    "vendor_name": "serverless_guard",
                    "version": stamp.product,
                    "feature": {"name": control, "uid": control},
                },
                "log_name": "serverless_guard.finding",
                "log_provider": "serverless_guard",
                "uid": stamp.uid,
                "correlation_uid": clean(stamp.correlation, 64),
                "event_code": rule,
                "sequence": stamp.sequence,
            },
            "category_uid": 2,
            "class_uid": 2004,
            "class_name": "Detection Finding",
            "activity_id": 1,
            "type_uid": 200401,
            "time": stamp.time_ms,
            "severity_id": severity,
            "severity": SEVERITIES[severity],
            "confidence_id": confidence_id,
            "confidence": confidence,
            "status_id": 1,
            "status": "New",
            "is_alert": alert,
            "action_id": action_id,
            "action": action_name,
            "disposition_id": disposition_id,
            "disposition": disposition,
            "finding_info": {
                "uid": stamp.uid,
                "title": title,
                "types": [kind],
                "created_time": stamp.time_ms,
                "analytic": {"name": f"{control}.{rule}", "uid": rule, "type_id": 1, "type": "Rule", "category": control},
            },
            "cloud": {"provider": "AWS"},
            "evidences": [_evidence(finding, facts, where, key)],
        }
    )
    info = made["finding_info"]
    if finding.detail:
        info["desc"] = clean(finding.detail, 400)
    if facts.source:
        info["data_sources"] = [f"lambda.{clean(facts.source, 40)}"]
    if finding.cwe:
        info["tags"] = [{"name": "cwe", "value": f"CWE-{clean(finding.cwe, 8)}"}]
    attack = ATTACKS.get(finding.control) or (ATTACKS.get(kind) if facts.source in HTTP_SOURCES else None)
    if attack:
        info["attacks"] = [_attack(*attack)]
    if facts.policy or facts.policy_digest:
        made["policy"] = _given(name=clean(facts.policy, 128), uid=facts.policy_digest, is_applied=True)
    _place(made, facts, clean)
    observed = [_observable(point, made["evidences"][0][point]) for point in ("dst_endpoint", "src_endpoint") if point in made["evidences"][0]]
    if observed:
        made["observables"] = observed
    made["unmapped"] = _given(**{"faas.invocation_id": clean(facts.request_id, 64), "faas.instance": clean(facts.log_stream, 96), "trace_id": facts.trace_id})
    if facts.caller_trace_id not in ("", facts.trace_id):
        made["unmapped"]["caller_trace_id"] = facts.caller_trace_id
    if facts.cold is not None:
        made["unmapped"]["faas.coldstart"] = facts.cold
    made["unmapped"][OPEN_PREFIX + "mode"] = clean(facts.mode, 16)
    made["unmapped"][OPEN_PREFIX + "guard_time_us"] = stamp.guard_us
    if stamp.chain:
        made["unmapped"].update(chain.link(stamp.chain, stamp.previous))  # last, as `chain.seal` wants them
    made.line = fit(made)
    return made


class Event(Plain):
    """An event with the line it is written as: serialised once, hashed and written as it stands."""

    __slots__ = ("line",)
    line: str

    def seal(self, key: bytes = b"") -> str:
        """Close the event as a link of its chain; its hash."""
        self.line, digest = chain.seal(self.line, key)
        if digest:
            self["unmapped"][chain.HASH] = digest
        return digest


def fit(event: dict[str, Any], limit: int = MAX_BYTES) -> str:
    """The line of an event, made at most `limit` bytes long: fields go in the order of `TRIM`, then the longest strings are cut."""
    text = line(event)
    for place in TRIM:
        if len(text) <= limit:
            return text
        holder: Any = event
        for step in place[:-1]:
            holder = holder.get(step) if isinstance(holder, dict) else holder[0] if holder else None
        if isinstance(holder, dict) and place[-1] in holder:
            del holder[place[-1]]
            text = line(event)
    for length in (160, 80, 40, 20):
        if len(text) <= limit:
            break
        event.update(_cut(dict(event), length))
        text = line(event)
    return text


def line(event: Any) -> str:
    """One line of ASCII JSON, without its newline."""
    return json.dumps(event, ensure_ascii=True, check_circular=False, separators=(",", ":"))


def timestamp(time_ms: int) -> str:
    """RFC 3339, in UTC, with milliseconds."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(time_ms // 1000))}.{time_ms % 1000:03d}Z"


def _severity(finding: Finding, action: str) -> int:
    """High for what was refused with confidence and for the guard's own failure, a step less for each doubt."""
    if action in ("allow", "learn"):
        return 1
    if finding.control == "guard":
        return 4
    doubts = (action not in ("refuse", "unauthorized")) + (finding.confidence != "high") + (finding.control in MISTAKES)
    return max(2, 4 - doubts)


def _evidence(finding: Finding, facts: Facts, where: str, key: bytes) -> dict[str, Any]:
    clean = redact.clean
    made: dict[str, Any] = {}
    address = _address(facts.client_ip)
    if address:
        made["src_endpoint"] = {"ip": address}
    if finding.target:
        made.update(_destination(clean(finding.target, 600), key))
    method = facts.method if 2 < len(facts.method) < 12 and facts.method.isalpha() and facts.method.isascii() else ""
    asked = _given(
        http_method=method if method in HTTP_METHODS else "", url=_given(path=redact.path(clean(facts.http_path, 512), key, 160)), uid=clean(facts.http_id, 64)
    )
    if asked:
        made["http_request"] = asked
    if facts.user or facts.source:
        made["actor"] = _given(invoked_by=clean(facts.source, 40), user=_given(uid=clean(facts.user, 128)))
    data = _given(event_source=clean(facts.source, 40), json_path=where)
    if method and method not in HTTP_METHODS:
        data["http_method"] = method
    if finding.record.__class__ is int and finding.record >= 0:
        data["record"] = finding.record
        data.update(_given(**origin(facts.event, finding.record)))
    elif finding.record == -1:
        data.update(_given(**origin(facts.event, -1)))
    if finding.sample:
        sample = finding.sample if finding.sample.__class__ is str else str(finding.sample)
        data["match"] = {"len": len(sample), "hash": redact.digest(sample, key)} | ({"preview": redact.shape(sample)} if facts.preview else {})
    made["data"] = data
    return made


def _destination(target: str, key: bytes) -> dict[str, Any]:
    """`host:port`, `[v6]:port`, or an AWS call `aws:service:Action@resource`, whose resource is left out."""
    if target.startswith("aws:"):
        service, _, operation = target[4:].partition("@")[0].partition(":")
        return {"api": {"operation": redact.name(operation, key) if operation else "unknown", "service": {"name": redact.name(service, key)}}}
    host, colon, port = target.rpartition(":")
    if not colon or not port.isdecimal() or len(port) > 5 or int(port) > 65535 or (":" in host and not host.startswith("[")):
        host, port = target, ""
    host = host.strip("[]")
    address = _address(host)
    point: dict[str, Any] = {"ip": address} if address else {"hostname": redact.host(host, key) or "unknown"}
    if port:
        point["port"] = int(port)
    return {"dst_endpoint": point, "connection_info": {"direction_id": 2, "direction": "Outbound"}}


def _address(text: str) -> str:
    """The text where it is an IP address, else empty: a header may claim anything."""
    from _socket import AF_INET, AF_INET6, inet_pton

    try:
        inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except (OSError, ValueError):
        return ""
    return text if len(text) <= 40 else ""


def _attack(tactic: tuple[str, str], technique: tuple[str, str], sub: tuple[str, str] | None) -> dict[str, Any]:
    made: dict[str, Any] = {"version": "15.1", "tactic": _pair(tactic), "technique": _pair(technique)}
    if sub:
        made["sub_technique"] = _pair(sub)
    return made


def _pair(pair: tuple[str, str]) -> dict[str, str]:
    return {"uid": pair[0], "name": pair[1]}


def _observable(point: str, endpoint: dict[str, Any]) -> dict[str, Any]:
    if "ip" in endpoint:
        return {"name": f"evidences[].{point}.ip", "type_id": 2, "type": "IP Address", "value": endpoint["ip"]}
    return {"name": f"evidences[].{point}.hostname", "type_id": 1, "type": "Hostname", "value": endpoint["hostname"]}


def _place(made: dict[str, Any], facts: Facts, clean: Any) -> None:
    """Where it happened: account, region, function, tenant."""
    if facts.region:
        made["cloud"]["region"] = clean(facts.region, 40)
    if facts.account:
        made["cloud"]["account"] = {"uid": clean(facts.account, 40), "type_id": 10, "type": "AWS Account"}
    if facts.tenant_id:
        made["metadata"]["tenant_uid"] = clean(facts.tenant_id, 256)
    if facts.service:
        made["metadata"]["labels"] = [f"service:{clean(facts.service, 64)}"]
    if facts.arn or facts.function:
        place = {"uid": facts.arn, "name": facts.function, "version": facts.version, "region": facts.region}
        made["resources"] = [{name: clean(text, 200) for name, text in place.items() if text} | {"type": "AWS::Lambda::Function"}]


def _cut(value: Any, length: int) -> Any:
    """A copy whose strings are plain ASCII of at most `length` characters; what names the event stays whole."""
    if value.__class__ is dict:
        return {key: _cut(item, 64 if key in WHOLE else length) for key, item in value.items()}
    if value.__class__ is list:
        return [_cut(item, length) for item in value[:8]]
    if value.__class__ is str:
        return redact.clean(value, length).encode("ascii", "replace").decode("ascii").replace("\\", "/").replace('"', "'")
    return value


def _given(**fields: Any) -> dict[str, Any]:
    """The fields that are not empty."""
    return {name: value for name, value in fields.items() if value not in ("", {}, None)}
