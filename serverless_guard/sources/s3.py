"""S3 event notifications.

Event: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
Keys come URL-encoded (`red flower.jpg` is `red+flower.jpg`), and whoever may upload chooses them. Invoked asynchronously.
"""

from __future__ import annotations

from serverless_guard.sources import batch, others, settled, without
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(("Records",))


def parts(event: dict[str, Any]) -> list[Part]:
    """The key of each object, and what AWS writes around it."""
    found: list[Part] = []
    for index, record in enumerate(batch(event)):
        path = f"Records[{index}]"
        s3 = record.get("s3") if record.__class__ is dict else None
        thing = s3.get("object") if s3.__class__ is dict else None
        if thing.__class__ is dict:
            found.append((path + ".s3.object.key", thing.get("key"), "key", index, "url"))
            found.append((path + ".s3.object", thing, "aws", index, "key"))
            found.append((path + ".s3", s3, "aws", index, "object"))
            found.append((path, record, "aws", index, "s3"))
        else:
            found.append((path, record, "record", index, ""))
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def records(event: dict[str, Any]) -> list[Any]:
    """The notifications of the event."""
    return batch(event)


def keep(event: dict[str, Any], refused: set[int]) -> dict[str, Any]:
    """The event without these notifications."""
    return without(event, refused)


def answer(event: dict[str, Any], refused: set[int], result: Any) -> Any:
    """The handler's result as it is: nobody reads it."""
    return result


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """Nothing, so that it is not delivered again; with `fail` an error, for the dead-letter queue."""
    settled(verdict, "the notification was refused")
