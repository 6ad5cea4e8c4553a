"""Amazon MQ: ActiveMQ queues and RabbitMQ queues.

Event: https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html
There is no partial response: what the handler does not get is taken as done, unless the whole batch fails.
"""

from __future__ import annotations

from serverless_guard.sources import batch, octets, settled, without
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict


def parts(event: dict[str, Any]) -> list[Part]:
    """Data and properties of each message: whoever sends it writes both."""
    found: list[Part] = [("", event, "aws", -1, "messages rmqMessagesByQueue")]
    for index, (path, message) in enumerate(_rows(event)):
        if message.__class__ is dict:
            found.append((path + ".data", message.get("data"), "body", index, "base64"))
            found.append((path, octets({key: value for key, value in message.items() if key != "data"}), "attribute", index, ""))
        else:
            found.append((path, message, "record", index, ""))
    queues = event.get("rmqMessagesByQueue")
    if queues.__class__ is dict:
        found.append(("rmqMessagesByQueue", {queue: None if rows.__class__ is list else rows for queue, rows in queues.items()}, "attribute", -1, ""))
    elif queues is not None:
        found.append(("rmqMessagesByQueue", queues, "event", -1, ""))
    if event.get("messages").__class__ is not list:
        found.append(("messages", event.get("messages"), "event", -1, ""))
    return found


def records(event: dict[str, Any]) -> list[Any]:
    """The messages of all queues, in the order of the event."""
    return [message for _, message in _rows(event)]


def keep(event: dict[str, Any], refused: set[int]) -> dict[str, Any]:
    """The event without these messages."""
    queues = event.get("rmqMessagesByQueue")
    if queues.__class__ is not dict:
        return without(event, refused, "messages")
    kept, index = {}, len(batch(event, "messages"))
    for queue, rows in queues.items():
        if rows.__class__ is list:
            kept[queue] = [message for place, message in enumerate(rows, index) if place not in refused]
            index += len(rows)
        else:
            kept[queue] = rows
    return {**without(event, refused, "messages"), "rmqMessagesByQueue": kept}


def answer(event: dict[str, Any], refused: set[int], result: Any) -> Any:
    """The handler's result as it is: nobody reads it."""
    return result


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """Nothing, so that it is not delivered again; with `fail` an error, and the broker delivers the batch again."""
    settled(verdict, "the messages were refused")


def _rows(event: dict[str, Any]) -> list[tuple[str, Any]]:
    rows = [(f"messages[{place}]", message) for place, message in enumerate(batch(event, "messages"))]
    queues = event.get("rmqMessagesByQueue")
    if queues.__class__ is dict:
        rows += [(f"rmqMessagesByQueue.{queue}[{place}]", message) for queue in queues for place, message in enumerate(batch(queues, queue))]
    return rows
