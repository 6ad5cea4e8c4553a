"""Amazon EventBridge: every event on a bus, to be matched by rules.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
Needs `events:PutEvents`. The call is made while the function waits, so its time-outs are short; the line on standard output
was written before. Source `serverless_guard`, detail type `Detection Finding`, detail the OCSF event.
"""

from __future__ import annotations

import json

from serverless_guard.emitters import function
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

SOURCE = "serverless_guard"
DETAIL_TYPE = "Detection Finding"
MOST = 10  # entries of one call
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 1, 2


class Bus:
    """A bus that takes events, ten a call."""

    __slots__ = ("client", "name")

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name

    def __call__(self, event: dict[str, Any]) -> None:
        self.all([event])

    def all(self, events: list[dict[str, Any]]) -> None:
        """Put them all; raises RuntimeError when the bus refused one."""
        refused = 0
        for start in range(0, len(events), MOST):
            answer = self.client.put_events(Entries=[self._entry(event) for event in events[start : start + MOST]])
            refused += answer.get("FailedEntryCount", 0)
        if refused:
            raise RuntimeError(f"{refused} events were refused by the bus")

    def _entry(self, event: dict[str, Any]) -> dict[str, Any]:
        entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": detail(event), "Time": event["time"] / 1000, "EventBusName": self.name}
        arn = function(event)["arn"]
        return entry | ({"Resources": [arn]} if arn else {})


def connect(environ: Mapping[str, str], argument: str = "") -> Bus:
    """The bus that `argument` names, else the account's default one. Raises ImportError without boto3."""
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUT_S, retries={"total_max_attempts": 2})
    return Bus(boto3.client("events", config=config), argument or "default")


def detail(event: Mapping[str, Any], beside: Iterable[str] = ("level", "timestamp")) -> str:
    """The OCSF event alone, as JSON: what stands beside it for Lambda's log filter is left out."""
    return json.dumps({key: value for key, value in event.items() if key not in beside}, ensure_ascii=True, separators=(",", ":"))
