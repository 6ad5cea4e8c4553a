"""S3 Batch Operations.

Event and response: https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
"""

from __future__ import annotations

from serverless_guard.sources import batch, without
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

REPORTS = True
"""Failures go back task by task."""


def parts(event: dict[str, Any]) -> list[Part]:
    """The key of each task, URL-encoded, and the arguments of the job; the rest is AWS's."""
    found: list[Part] = [("", event, "aws", -1, "tasks")]
    if event.get("tasks").__class__ is not list:
        found.append(("tasks", event.get("tasks"), "event", -1, ""))
    for index, task in enumerate(records(event)):
        path = f"tasks[{index}]"
        if task.__class__ is dict:
            found.append((path + ".s3Key", task.get("s3Key"), "key", index, "url"))
            found.append((path, task, "aws", index, "s3Key"))
        else:
            found.append((path, task, "record", index, ""))
    return found


def records(event: dict[str, Any]) -> list[Any]:
    """The tasks of the invocation."""
    return batch(event, "tasks")


def keep(event: dict[str, Any], refused: set[int]) -> dict[str, Any]:
    """The event without these tasks."""
    return without(event, refused, "tasks")


def answer(event: dict[str, Any], refused: set[int], result: Any) -> Any:
    """The handler's results and the refused tasks as `PermanentFailure`."""
    failed = [
        {"taskId": _id(task), "resultCode": "PermanentFailure", "resultString": "refused"} for index, task in enumerate(records(event)) if index in refused
    ]
    made = result if result.__class__ is dict else {
        "invocationSchemaVersion": event.get("invocationSchemaVersion"), "treatMissingKeysAs": "PermanentFailure", "invocationId": event.get("invocationId"),
    }  # fmt: skip
    own = made.get("results")
    return {**made, "results": [*(own if own.__class__ is list else ()), *failed]}


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """Every task failed for good: the job's report says so, and nothing is tried again."""
    return answer(event, set(range(len(records(event)))), None)


def _id(task: Any) -> Any:
    return task.get("taskId") if task.__class__ is dict else None
