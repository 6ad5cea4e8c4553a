"""Refused records leave the event before the handler sees it, and come back to the caller as its source has it."""

from __future__ import annotations

from serverless_guard.errors import InputBlocked
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from serverless_guard.values import Verdict

    Split = tuple[Any, Callable[[Any], Any]]


def split(source: ModuleType, event: Any, verdict: Verdict) -> Split:
    """The event for the handler, and `finish(result)`, which makes the answer from what the handler returned.

    `source` is a member with `keep` and `answer`, `verdict.refused` the records to leave out. The event is None where no record
    is left, or where one refused record fails them all: then the handler is not called, and the answer is `finish(None)`.
    """
    refused = set(verdict.refused)
    failing = refused
    if verdict.on_refuse == "drop":
        failing = set()
    elif hasattr(source, "held"):
        refused = failing = source.held(event, refused)
    raises = verdict.on_refuse == "fail" and not getattr(source, "REPORTS", False)
    kept = None if raises or len(refused) >= len(source.records(event)) else source.keep(event, refused)

    def finish(result: Any) -> Any:
        if raises:
            raise InputBlocked("a record of the event was refused", verdict.findings[0].rule if verdict.findings else "", verdict.id)
        return source.answer(event, failing, result)

    return kept, finish
