"""Doors for tests: try a value against the detectors, build events.

    from serverless_guard.testing import detect

    assert not detect("O'Neill")
    assert detect("' or 1=1 --", where="query")[0].rule == "SG-SQL-001"
"""

from __future__ import annotations

from json import dumps, loads

from serverless_guard import detectors, scan
from serverless_guard.text import unwrapped
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from serverless_guard.values import Finding

__all__ = ["Detection", "detect"]


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
    if value.__class__ is str:
        if not scan.odd([value]) and not _wrapped(value):
            return []
        walked = [("value", where, -1, value, where == "key")]
        if value[:1] in '{["' and scan.is_json(value):
            walked += _leaves(loads(value), where)
    else:
        walked = list(_leaves(value, where))
        if not scan.odd([text for _, _, _, text, _ in walked]):
            return []
        walked.insert(0, ("value", where, -1, dumps(value, default=str), False))
    return [Detection(finding) for finding in scan.search(walked, _members())]


def _wrapped(value: str) -> bool:
    """Whether the value may be base64 or hex as a whole, which `inputs` opens in an event."""
    return len(value) > 7 and " " not in value and unwrapped(value) is not None


def _members() -> list[tuple[str, Any]]:
    return [(name, detectors.load(name)) for name in detectors.DETECTORS]


def _leaves(value: Any, where: str) -> Iterator[tuple[str, str, int, str, bool]]:
    """Every string of a structure with its path, keys included."""
    stack = [("value", value)]
    while stack:
        path, here = stack.pop()
        if isinstance(here, str):
            yield path, where, -1, here, False
        elif isinstance(here, bytes):
            yield path, where, -1, here.decode("utf-8", "replace"), False
        elif isinstance(here, dict):
            for key, inner in here.items():
                if isinstance(key, str):
                    yield f"{path}.{key}", where, -1, key, True
                stack.append((f"{path}.{key}", inner))
        elif isinstance(here, (list, tuple)):
            stack.extend((f"{path}[{index}]", inner) for index, inner in enumerate(here))
