"""AppSync resolvers: a Lambda data source called directly, through a template, or in batches.

https://docs.aws.amazon.com/appsync/latest/devguide/resolver-mapping-template-reference-lambda.html
https://docs.aws.amazon.com/appsync/latest/devguide/tutorial-lambda-resolvers.html
A batch is a list of such events, and answered by a list as long.
"""

from __future__ import annotations

from serverless_guard.sources import blocked, others
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(["arguments", "identity", "source", "request", "prev", "info", "stash", "typeName", "fieldName"])
REPORTS = True
"""Failures go back record by record, in a batch."""


def parts(event: Any) -> list[Part]:
    """The arguments and all that the client or an earlier resolver gave; field and type are the schema's."""
    if event.__class__ is not list:
        return _parts(event, "", -1)
    return [part for index, item in enumerate(event) for part in _parts(item, f"[{index}]", index)]


def records(event: Any) -> list[Any]:
    """The items of a batch."""
    return event if event.__class__ is list else []


def keep(event: Any, refused: set[int]) -> Any:
    """The batch without these items; an event that is no batch stays what it is."""
    return [item for index, item in enumerate(event) if index not in refused] if event.__class__ is list else event


def answer(event: Any, refused: set[int], result: Any) -> Any:
    """The handler's results with an error in the place of each refused item."""
    if event.__class__ is not list:
        return result
    results = list(result) if result.__class__ is list else []
    error = {"data": None, "errorMessage": "Forbidden", "errorType": "Forbidden"}
    return [dict(error) if index in refused else results.pop(0) if results else None for index in range(len(event))]


def refuse(event: Any, verdict: Verdict) -> Any:
    """An error, which AppSync puts beside the field; in a batch one for each item."""
    if event.__class__ is list:
        return answer(event, set(range(len(event))), None)
    raise blocked(verdict, "the request was refused")


def _parts(event: Any, path: str, record: int) -> list[Part]:
    if event.__class__ is not dict:
        return [(path, event, "body", record, "")]
    get = event.get
    at = f"{path}." if path else ""
    request = get("request")
    found: list[Part] = [
        (at + "arguments", get("arguments"), "body", record, ""),
        (at + "identity", get("identity"), "attribute", record, ""),
        (at + "source", get("source"), "attribute", record, ""),
        (at + "prev", get("prev"), "attribute", record, ""),
        (at + "stash", get("stash"), "attribute", record, ""),
        (at + "info", get("info"), "attribute", record, ""),
        (at + "typeName", get("typeName"), "aws", record, ""),
        (at + "fieldName", get("fieldName"), "aws", record, ""),
    ]
    if request.__class__ is dict:
        found.append((at + "request.headers", request.get("headers"), "header", record, ""))
        found.append((at + "request", request, "aws", record, "headers"))
    else:
        found.append((at + "request", request, "header", record, ""))
    return found if event.keys() <= KNOWN else found + others(event, KNOWN, at, record)
