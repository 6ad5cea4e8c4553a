"""Where security events go: one member a file, the table of members here.

A member is a module with `connect(environ) -> emit`; `emit(event)` takes one event, a plain dict as `ocsf.event` makes it, and
may raise: telemetry tells of that once and goes on. An emitter is imported with the first event that it is to carry.
"""

from __future__ import annotations

from importlib import import_module

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Emit = Callable[[dict[str, Any]], object]

EMITTERS: dict[str, str] = {
    "stdout": "one JSON line on standard output",
}


def names() -> tuple[str, ...]:
    """All public names."""
    return tuple(EMITTERS)


def connect(name: str, environ: Mapping[str, str]) -> Emit:
    """The `emit` of a member, connected; raises KeyError for a name that is not in the table."""
    EMITTERS[name]
    emit: Emit = import_module(f"serverless_guard.emitters.{name}").connect(environ)
    return emit
