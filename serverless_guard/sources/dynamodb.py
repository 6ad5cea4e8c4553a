"""DynamoDB streams.

Event: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
Partial batch response: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
"""

from __future__ import annotations

from serverless_guard.sources import batch, failures, others, without
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(("Records",))
REPORTS = True
"""Failures go back record by record."""


def parts(event: dict[str, Any]) -> list[Part]:
    """Keys and images of each item: whoever writes to the table chooses them."""
    found: list[Part] = []
    for index, record in enumerate(batch(event)):
        path = f"Records[{index}]"
        change = record.get("dynamodb") if record.__class__ is dict else None
        if change.__class__ is dict:
            found.append((path + ".dynamodb", change, "body", index, ""))
            found.append((path, record, "aws", index, "dynamodb"))
        else:
            found.append((path, record, "record", index, ""))
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def records(event: dict[str, Any]) -> list[Any]:
    """The records of the batch."""
    return batch(event)


def keep(event: dict[str, Any], refused: set[int]) -> dict[str, Any]:
    """The event without these records."""
    return without(event, refused)


def held(event: dict[str, Any], refused: set[int]) -> set[int]:
    """All records from the first refused one on: a stream is resumed there, and would hand them out twice."""
    return set(range(min(refused), len(batch(event)))) if refused else set()


def answer(event: dict[str, Any], refused: set[int], result: Any) -> Any:
    """The handler's failures and the first refused record, where the stream resumes."""
    return failures([_sequence(record) for record in batch(event)[min(refused) :][:1]] if refused else [], result)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """The batch fails from its first record on; with `drop` the stream goes on behind it."""
    return answer(event, set() if verdict.on_refuse == "drop" or not batch(event) else {0}, None)


def _sequence(record: Any) -> str:
    change = record.get("dynamodb") if record.__class__ is dict else None
    found = change.get("SequenceNumber") if change.__class__ is dict else ""
    return found if found.__class__ is str else ""
