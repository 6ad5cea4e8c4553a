"""SNS topics.

Event: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
Invoked asynchronously: nobody reads the answer, and an error means two more tries and then the dead-letter queue.
"""

from __future__ import annotations

from serverless_guard.sources import batch, others, settled, without
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(("Records",))


def parts(event: dict[str, Any]) -> list[Part]:
    """Message, subject and attributes of each notification."""
    found: list[Part] = []
    for index, record in enumerate(batch(event)):
        path = f"Records[{index}]"
        sns = record.get("Sns") if record.__class__ is dict else None
        if sns.__class__ is dict:
            found.append((path + ".Sns.Message", sns.get("Message"), "body", index, ""))
            found.append((path + ".Sns.Subject", sns.get("Subject"), "attribute", index, ""))
            found.append((path + ".Sns", sns, "aws", index, "Message Subject SigningCertUrl UnsubscribeUrl"))
            found.extend((f"{path}.Sns.{name}", _address(sns.get(name)), "aws", index, "") for name in ("SigningCertUrl", "UnsubscribeUrl"))
            found.append((path, record, "aws", index, "Sns"))
        else:
            found.append((path, record, "record", index, ""))
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def records(event: dict[str, Any]) -> list[Any]:
    """The notifications; AWS delivers one at a time."""
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


def _address(value: Any) -> Any:
    """An address without what makes it look like one, where it is AWS's own; what an imitator adds to it stays."""
    if value.__class__ is str and value.startswith("https://sns."):
        return value[12:].replace("/?Action=Unsubscribe&SubscriptionArn=", "/", 1)
    return value
