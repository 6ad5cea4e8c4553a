"""What a handler may do wrong while it runs: one kind of act a file.

A member is a module with

    EVENTS              names of the audit events (PEP 578) that it reads
    read(event, args)   the call behind an event, as plain values, or None where there is nothing to judge
    watch()             has clients that know more than Python's own events say it in events of the guard's own

`read` runs inside the process's one audit hook, so it obeys its rules: no global, no closure (what it uses stands in positional
defaults), exact types, no call into the watched code's objects, no import or log line on the usual way.
https://docs.python.org/3/library/audit_events.html
"""

from __future__ import annotations

import sys
from _contextvars import ContextVar

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

SINKS = {
    "network": "outbound calls: names before they are looked up, addresses when they are connected to",
    "http": "the line of a request and the name in a TLS handshake, where the client shows them",
    "aws": "calls to AWS by service, action and resource",
}
"""Name of each member, and what it watches."""

calling: ContextVar[tuple[str, int] | None] = ContextVar("serverless_guard_calling", default=None)
"""The endpoint (host, port) of the AWS call under way in this context, where that was judged."""


def cover(covers: dict[str, Callable[[ModuleType], None]]) -> None:
    """Runs each cover on its module: now where that is loaded, else once it loads. Nothing is imported for it."""
    waiting = {}
    for name, act in covers.items():
        module = sys.modules.get(name)
        if module is None or getattr(getattr(module, "__spec__", None), "_initializing", False):
            waiting[name] = act
        else:
            act(module)
    if waiting:
        sys.meta_path.insert(0, _Finder(waiting))


def wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
    """Puts `around(real, ...)` in the place of a method, under its name."""
    real = getattr(owner, name, None)
    if real is None or getattr(real, "_serverless_guard", False):
        return

    def method(*given: Any, **named: Any) -> Any:
        return around(real, *given, **named)

    method.__name__, method.__qualname__, method.__doc__ = name, f"{owner.__name__}.{name}", real.__doc__
    method.__wrapped__ = real  # type: ignore[attr-defined]  # what functools.wraps sets
    method._serverless_guard = True  # type: ignore[attr-defined]  # so that it is wrapped once
    setattr(owner, name, method)


class _Finder:
    """A finder that finds nothing of its own, and covers a module after its own loader has run it."""

    def __init__(self, waiting: dict[str, Callable[[ModuleType], None]]) -> None:
        self.waiting = waiting

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        cover = self.waiting.get(name)
        if cover is None:
            return None
        for finder in sys.meta_path:
            spec: Any = finder.find_spec(name, path, target) if finder is not self else None
            if spec is not None:
                spec.loader = _Loader(spec.loader, cover)
                return spec
        return None


class _Loader:
    """Runs a module by its own loader, which it may share with others (a zip file's does), covers it, and gives the loader back."""

    def __init__(self, real: Any, cover: Callable[[ModuleType], None]) -> None:
        self.real, self.cover = real, cover

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def create_module(self, spec: Any) -> Any:
        return self.real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = module.__spec__.loader = self.real  # type: ignore[union-attr]  # it was imported by its spec
        self.real.exec_module(module)
        self.cover(module)
