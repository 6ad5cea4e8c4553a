"""Firehose data transformation.

Event and response: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
Every record must come back by its id; one that failed is kept in the `processing-failed` prefix of the destination.
"""

from __future__ import annotations

from serverless_guard.sources import batch, without
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

REPORTS = True
"""Failures go back record by record."""


def parts(event: dict[str, Any]) -> list[Part]:
    """Data of each record; ids and times are AWS's."""
    found: list[Part] = [("", event, "aws", -1, "records")]
    rows = event.get("records")
    if rows.__class__ is not list:
        found.append(("records", rows, "event", -1, ""))
    for index, record in enumerate(records(event)):
        path = f"records[{index}]"
        if record.__class__ is dict:
            found.append((path + ".data", record.get("data"), "body", index, "base64"))
            found.append((path, record, "aws", index, "data"))
        else:
            found.append((path, record, "record", index, ""))
    return found


def records(event: dict[str, Any]) -> list[Any]:
    """The records of the batch."""
    return batch(event, "records")


def keep(event: dict[str, Any], refused: set[int]) -> dict[str, Any]:
    """The event without these records."""
    return without(event, refused, "records")


def answer(event: dict[str, Any], refused: set[int], result: Any) -> Any:
    """The handler's records and the refused ones as `ProcessingFailed`, in the order of the event."""
    if result is not None and (result.__class__ is not dict or result.get("records").__class__ is not list):
        return result  # malformed: Firehose takes the whole batch as failed
    own = result["records"] if result is not None else []
    told = {_id(item): item for item in own} | {_id(record): _failed(record) for index, record in enumerate(records(event)) if index in refused}
    order = [_id(record) for record in records(event)]
    rest = [item for item in own if _id(item) not in order]
    return {**(result or {}), "records": [told[name] for name in order if name and name in told] + rest}


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """Every record failed; with `drop` every record dropped, which Firehose keeps nowhere."""
    failed = answer(event, set(range(len(records(event)))), None)
    if verdict.on_refuse == "drop":
        failed["records"] = [{**item, "result": "Dropped"} for item in failed["records"]]
    return failed


def _failed(record: Any) -> dict[str, Any]:
    return {"recordId": _id(record), "result": "ProcessingFailed", "data": record.get("data") if record.__class__ is dict else None}


def _id(record: Any) -> str:
    found = record.get("recordId") if record.__class__ is dict else ""
    return found if found.__class__ is str else ""
