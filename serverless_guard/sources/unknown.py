"""Direct invocation, Step Functions, the test console, and any event that bears no source's signature.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-sync.html
"""

from __future__ import annotations

from serverless_guard.sources import blocked
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict


def parts(event: Any) -> list[Part]:
    """The whole event: every string of it is untrusted."""
    return [("", event, "body", -1, "")]


def refuse(event: Any, verdict: Verdict) -> Any:
    """An error: the one answer that every caller of `Invoke` can tell from a result. `drop` answers null."""
    if verdict.on_refuse == "drop":
        return None
    raise blocked(verdict, "the event was refused")
