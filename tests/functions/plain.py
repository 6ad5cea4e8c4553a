"""A function without a guard of its own: answers orders by HTTP, counts records of a batch, and can be made to call out.

What it is asked to do stands in the event at a place where no detector minds it.
"""

import json
import os
import socket
import time

SEEN = []  # record ids that the handler was given, in the order it was given them


def handler(event, context):
    """The handler as the function's configuration names it."""
    return answer(event)


async def handler_async(event, context):
    """The same as a coroutine, which the runtime client does not await."""
    return answer(event)


class Endpoint:
    """A handler that is an object, as some tracers have it."""

    def __call__(self, event, context):
        return answer(event)


endpoint = Endpoint()


def answer(event):
    """What to say to an event of whatever kind."""
    if isinstance(event, dict) and "Records" in event:
        SEEN.extend(record.get("messageId") or record["s3"]["object"]["key"] for record in event["Records"])
        return {"batchItemFailures": [], "seen": list(SEEN)}
    path = event.get("rawPath", "") if isinstance(event, dict) else ""
    if path == "/slow-call":
        time.sleep(0.3)
    if path in ("/call", "/slow-call"):
        socket.create_connection(("undeclared.example", 443), 2)
    if path == "/swallow":
        try:
            socket.create_connection(("undeclared.example", 443), 2)
        except Exception:
            return {"statusCode": 200, "body": "nothing happened"}
    if path == "/declared":
        host, _, port = os.environ["DECLARED"].rpartition(":")
        with socket.create_connection((host, int(port)), 2):
            return {"statusCode": 200, "body": "connected"}
    if path == "/runtime-api":
        host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].rpartition(":")
        with socket.create_connection((host, int(port)), 2):
            return {"statusCode": 200, "body": "connected"}
    if path == "/slow-pid":
        time.sleep(0.3)
        return {"statusCode": 200, "body": str(os.getpid())}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps({"order": "taken"})}
