"""Life-cycle events of IoT clients, as a rule hands them on. Other rules hand on what their SQL selects: those events bear no mark, and are `unknown`.

https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html
"""

from __future__ import annotations

from serverless_guard.sources import settled
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict


def parts(event: dict[str, Any]) -> list[Part]:
    """All of it: a client chooses its id."""
    return [("", event, "body", -1, "")]


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """Nothing, so that it is not delivered again; with `fail` an error, for the dead-letter queue."""
    settled(verdict, "the event was refused")
