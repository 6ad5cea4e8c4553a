"""Kafka topics, of MSK and self-managed clusters.

Event: https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html and https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html
Partial batch response: https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
"""

from __future__ import annotations

from serverless_guard.sources import batch, failures, octets
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

REPORTS = True
"""Failures go back record by record."""


def parts(event: dict[str, Any]) -> list[Part]:
    """Value, key and headers of each record: its producer writes them; the rest is the broker's."""
    found: list[Part] = [("", event, "aws", -1, "records")]
    if event.get("records").__class__ is not dict:
        found.append(("records", event.get("records"), "event", -1, ""))
    for index, (topic, place, record) in enumerate(_rows(event)):
        path = f"records.{topic}[{place}]"
        if record.__class__ is dict:
            found.append((path + ".value", record.get("value"), "body", index, "base64"))
            found.append((path + ".key", record.get("key"), "attribute", index, "base64"))
            found.append((path + ".headers", octets(record.get("headers")), "attribute", index, ""))
            found.append((path, record, "aws", index, "value key headers"))
        else:
            found.append((path, record, "record", index, ""))
    found.append(("records", {topic: None for topic, _, _ in _rows(event)} | _odd(event), "aws", -1, ""))
    return found


def records(event: dict[str, Any]) -> list[Any]:
    """The records of all partitions, in the order of the event."""
    return [record for _, _, record in _rows(event)]


def keep(event: dict[str, Any], refused: set[int]) -> dict[str, Any]:
    """The event without these records; a partition that has none left is left out."""
    kept: dict[Any, list[Any]] = {}
    for index, (topic, _, record) in enumerate(_rows(event)):
        if index not in refused:
            kept.setdefault(topic, []).append(record)
    return {**event, "records": _odd(event) | kept}


def held(event: dict[str, Any], refused: set[int]) -> set[int]:
    """With each refused record all that follow it in its partition: it is resumed there, and would hand them out twice."""
    stopped: set[Any] = set()
    left_out: set[int] = set()
    for index, (topic, _, _) in enumerate(_rows(event)):
        if index in refused:
            stopped.add(topic)
        if topic in stopped:
            left_out.add(index)
    return left_out


def answer(event: dict[str, Any], refused: set[int], result: Any) -> Any:
    """The handler's failures and the first refused record of each partition, where it resumes."""
    first: dict[Any, Any] = {}
    for index, (topic, _, record) in enumerate(_rows(event)):
        if index in refused and topic not in first:
            first[topic] = {"partition": topic, "offset": record.get("offset") if record.__class__ is dict else None}
    return failures(list(first.values()), result)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """Every partition fails from its first record on; with `drop` they go on behind it."""
    return answer(event, set() if verdict.on_refuse == "drop" else set(range(len(_rows(event)))), None)


def _rows(event: dict[str, Any]) -> list[tuple[Any, int, Any]]:
    topics = event.get("records")
    if topics.__class__ is not dict:
        return []
    return [(topic, place, record) for topic in topics for place, record in enumerate(batch(topics, topic))]


def _odd(event: dict[str, Any]) -> dict[Any, Any]:
    """What stands among the partitions and is none."""
    topics = event.get("records")
    return {topic: rows for topic, rows in topics.items() if rows.__class__ is not list} if topics.__class__ is dict else {}
