"""Doors for tests: try a value against the detectors, build events.

from serverless_guard.testing import detect, sample

assert not detect("O'Neill")
assert detect("' or 1=1 --", where="query")[0].rule == "SG-SQL-001"
assert handler(sample("apigateway-rest", {"note": "' or 1=1 --"}), None)["statusCode"] == 403
"""

from __future__ import annotations

from json import dumps

from serverless_guard import detectors, inputs, scan
from serverless_guard.policy import Limits
from serverless_guard.samples import sample
from serverless_guard.scan import PLACES
from serverless_guard.text import unwrapped
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Finding

__all__ = ["Detection", "detect", "sample"]


class Detection:
    """A finding, and the class of attack that it stands for; every field of the finding is an attribute."""

    __slots__ = ("finding", "type")

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        self.type = detectors.DETECTORS.get(finding.control, finding.control)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.finding, name)

    def __repr__(self) -> str:
        return f"<{self.type} {self.finding.confidence} {self.finding.rule} at {self.finding.path}: {self.finding.detail}>"


def detect(value: Any, where: str = "param") -> list[Detection]:
    """What the detectors find in one value, a string or a JSON structure, as it would stand in `where`.

    `where` is header, query (or param), path, url, body, record, attribute, key, event or json.
    """
    if value.__class__ is str and not scan.odd([value]) and value[:1] not in ("{", "[", '"') and not (len(value) > 7 and " " not in value and unwrapped(value)):
        return []
    parts = [("value", value, PLACES.get(where, where), -1, "")]
    opened = inputs.opened(parts, Limits())
    if value.__class__ is not str and not scan.odd(opened.texts, opened.joined):
        return []
    walked = [(path, where, record, text, is_key or where == "key") for path, where, record, text, is_key in inputs.walk(parts, opened)]
    if value.__class__ is not str:
        walked.insert(0, ("value", "body", -1, dumps(value, default=str), False))
    elif " " not in value and (inner := unwrapped(value)):
        walked.append(("value", where, -1, inner[0], False))
    return [Detection(finding) for finding in scan.search(walked, _members())]


def _members() -> list[tuple[str, Any]]:
    return [(name, detectors.load(name)) for name in detectors.DETECTORS]
