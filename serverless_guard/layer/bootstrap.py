"""Patches the Lambda runtime client, so that whatever handler it resolves is guarded, outermost.

The layer and the wheel ship this file as the flat module `serverless_guard_bootstrap`: a `.pth` line runs `start` whenever
Python starts, in children of the function too. So it imports nothing of the guard, looks at one variable, and puts one finder
before the others; the guard itself loads with the handler.

A `.pth` line that raises is printed and forgotten, and the function would run without protection. So an error while
attaching is kept for the moment at which the runtime client asks for the handler, where it becomes an init error.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # not from `values`, which belongs to the guard
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

CLIENT = "awslambdaric.bootstrap"
MARK = "__serverless_guard_attached__"
OFF = ("", "0", "false", "no", "n", "f", "off")  # as `policy.FLAGS`; any other value pulls the kill switch
PREFIX = "serverless_guard failed to start: "


def start() -> None:
    """Attach to the runtime client, or see to it that this happens when it loads. Nothing outside Lambda, nothing twice."""
    if not os.environ.get("AWS_LAMBDA_RUNTIME_API"):
        return
    client = sys.modules.get(CLIENT)
    if client is not None:
        attach(client)
    elif not any(finder.__class__.__module__ == __name__ for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())


class Finder:
    """Attaches when the runtime client loads, then takes itself out."""

    __slots__ = ("busy",)

    def __init__(self) -> None:
        self.busy = False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The spec that another finder gives for the runtime client, with a loader that attaches; None for any other module."""
        if name != CLIENT or self.busy:
            return None
        self.busy = True
        try:
            for finder in sys.meta_path:
                find = getattr(finder, "find_spec", None)
                spec = find and find(name, path, target)
                if spec is not None:
                    spec.loader = Loader(spec.loader, self)
                    return spec
            return None
        finally:
            self.busy = False


class Loader:
    """The runtime client's own loader, which attaches when it is done."""

    __slots__ = ("finder", "inner")

    def __init__(self, inner: Any, finder: Finder) -> None:
        self.inner = inner
        self.finder = finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def exec_module(self, module: Any) -> None:
        module.__spec__.loader = module.__loader__ = self.inner
        self.inner.exec_module(module)
        attach(module)
        if self.finder in sys.meta_path:
            sys.meta_path.remove(self.finder)


def attach(client: ModuleType) -> None:
    """Let the runtime client resolve guarded handlers only. Raises ImportError for a client that resolves none."""
    resolve = getattr(client, "_get_handler", None)
    if resolve is None:
        raise ImportError(f"{PREFIX}this version of the runtime client resolves handlers in a way that is not known")
    if hasattr(resolve, MARK):
        return
    twins: dict[str, tuple[Any, Any]] = {}  # some tracers resolve the handler anew for each invocation

    def _get_handler(name: str) -> Any:
        protect = _tried(client, _protect)
        handler = resolve(name)  # an error of the function's own code stays its own
        twin = twins.get(name)
        if twin is None or twin[0] is not handler:
            twins[name] = twin = (handler, _tried(client, lambda: protect(handler, run_coroutines=True)))
        return twin[1]

    setattr(_get_handler, MARK, True)
    client._get_handler = _get_handler  # type: ignore[attr-defined]  # looked up by name whenever the client needs a handler


def _protect() -> Any:
    """What guards a handler, loaded before the function's own code is. Under the kill switch nothing of the guard loads."""
    if os.environ.get("SERVERLESS_GUARD_DISABLED", "").strip().lower() not in OFF:
        return _run_only
    from serverless_guard.decorator import protect

    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        from serverless_guard.layer import snapshot

        snapshot.watch()
    return protect


def _run_only(handler: Any, run_coroutines: bool = True) -> Any:
    """The handler as it is; a coroutine function still runs to its end, or the kill switch would break what it is to save."""
    if not getattr(getattr(handler, "__code__", None), "co_flags", 0) & 0x80:  # inspect.CO_COROUTINE
        return handler

    def run(event: Any, context: Any) -> Any:
        import asyncio

        return asyncio.run(handler(event, context))

    return run


def _tried(client: Any, step: Callable[[], Any]) -> Any:
    """What `step` gives; any error as the runtime client's own kind of fault, which it reports as an init error."""
    try:
        return step()
    except Exception as error:  # noqa: BLE001  # whatever it is, the function must not run without its guard
        import traceback  # loaded by the runtime client

        # a mistake in the settings is told by its message, anything else is a defect of ours that wants a trace
        trace = [] if type(error).__name__ == "PolicyError" else traceback.format_tb(error.__traceback__)
        raise client.FaultException(type(error).__name__, f"{PREFIX}{error}", trace) from None
