"""SQS queues, standard and FIFO.

Event and partial batch response: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html (the mapping must have `ReportBatchItemFailures`:
without it Lambda deletes the refused records with the rest).
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
    """Body and attributes of each message; id, receipt and ARN are AWS's."""
    found: list[Part] = []
    for index, record in enumerate(records(event)):
        path = f"Records[{index}]"
        if record.__class__ is dict:
            attributes = record.get("attributes")
            found.append((path + ".body", record.get("body"), "body", index, ""))
            if attributes.__class__ is dict:
                found.append(
                    (path + ".attributes", attributes, "aws", index, "MessageGroupId MessageDeduplicationId" if "MessageGroupId" in attributes else "")
                )
                if "MessageGroupId" in attributes:  # the sender's choice, with what it wants delivered once
                    found.append((path + ".attributes.MessageGroupId", attributes["MessageGroupId"], "attribute", index, ""))
                    found.append((path + ".attributes.MessageDeduplicationId", attributes.get("MessageDeduplicationId"), "attribute", index, ""))
                found.append((path, record, "aws", index, "body attributes"))
            else:
                found.append((path, record, "aws", index, "body"))
        else:
            found.append((path, record, "record", index, ""))
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def records(event: dict[str, Any]) -> list[Any]:
    """The messages of the batch."""
    return batch(event)


def keep(event: dict[str, Any], refused: set[int]) -> dict[str, Any]:
    """The event without these messages."""
    return without(event, refused)


def held(event: dict[str, Any], refused: set[int]) -> set[int]:
    """With a FIFO queue all later messages of a refused message's group too: they would overtake it."""
    groups: set[Any] = set()
    left_out = set(refused)
    for index, record in enumerate(records(event)):
        group = _group(record)
        if group is None:
            continue
        if index in refused:
            groups.add(group)
        elif group in groups:
            left_out.add(index)
    return left_out


def answer(event: dict[str, Any], refused: set[int], result: Any) -> Any:
    """The handler's failures and the refused messages in one `batchItemFailures`."""
    return failures([_identifier(record) for index, record in enumerate(records(event)) if index in refused], result)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """Every message failed; with `drop` none, so that the queue deletes them."""
    return answer(event, set() if verdict.on_refuse == "drop" else set(range(len(records(event)))), None)


def _identifier(record: Any) -> str:
    found = record.get("messageId") if record.__class__ is dict else ""
    return found if found.__class__ is str else ""


def _group(record: Any) -> Any:
    """The message group of a FIFO message, None outside FIFO queues."""
    if record.__class__ is not dict or record.get("eventSourceARN").__class__ is not str or not record["eventSourceARN"].endswith(".fifo"):
        return None
    attributes = record.get("attributes")
    group = attributes.get("MessageGroupId") if attributes.__class__ is dict else None
    return (record["eventSourceARN"], group if group.__class__ is str else "")
