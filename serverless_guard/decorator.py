"""`@guard`: settings over environment over policy file, around a sync or async handler.

Everything is read, checked and compiled when a handler is decorated, so that a mistake fails the start. What comes out is a
plain function with the handler's name, signature, `__wrapped__` and pickling.
"""

from __future__ import annotations

import functools
import os
import sys

from serverless_guard import plan as plans
from serverless_guard.errors import PolicyError
from serverless_guard.loaders import env
from serverless_guard.pipeline import invoke, invoke_async
from serverless_guard.policy import Policy, kinds, nearest
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, overload

    from serverless_guard.plan import Plan

    Handler = TypeVar("Handler", bound=Callable[..., Any])

MARK = "__serverless_guard__"
"""Attribute of a guarded handler, its plan. `functools.wraps` of a decorator above copies it, so that it is found there too."""

OWN_SETTINGS = ("policy", "detectors", "emitters")
_IS_COROUTINE_FUNCTION = 0x80  # inspect.CO_COROUTINE; importing inspect costs a quarter of the runtime client's start


class Guard:
    """A guard with its settings at hand, for tests and frameworks; `@guard` makes one for each handler.

    Settings are the fields of the policy as keyword arguments, and:

    policy:     a policy file, a mapping, or `scheme:reference`; default: `SERVERLESS_GUARD_POLICY`, else the file beside the handler
    detectors:  detectors of your own, objects with the attributes of a module in `serverless_guard/detectors/`
    emitters:   emitters of your own, callables that take one event (a dict); they run beside standard output

    Raises PolicyError for a mistake in any of them.
    """

    __slots__ = ("plan",)

    def __init__(self, folder: str = "", **settings: Any) -> None:
        known = (*kinds(Policy), *OWN_SETTINGS)
        for name in settings:
            if name not in known:
                raise PolicyError(f"unknown setting `{name}`{nearest(name, known)}", name, "the arguments of `guard`")
        detectors, emitters = settings.pop("detectors", None) or (), settings.pop("emitters", None) or ()
        names = tuple(str(getattr(detector, "NAME", "")) for detector in detectors)
        policy, folder = plans.read_policy(settings, folder, names)
        self.plan: Plan = plans.compile_plan(policy, folder, detectors, emitters)
        plans.arm(self.plan)

    @classmethod
    def from_policy(cls, policy: Any, **settings: Any) -> Guard:
        """The guard of a policy: a file, a mapping, or a reference. Raises PolicyError."""
        return cls(policy=policy, **settings)

    def wrap(self, handler: Handler) -> Handler:
        """The handler, guarded; a handler that is guarded already comes back as it is."""
        return handler if is_guarded(handler) else _wrap(handler, self.plan)

    def __repr__(self) -> str:
        policy = self.plan.policy
        return f"Guard(name={policy.name!r}, mode={policy.mode or 'as declared'!r})"


if TYPE_CHECKING:

    @overload
    def guard(handler: Handler, /) -> Handler: ...

    @overload
    def guard(**settings: Any) -> Callable[[Handler], Handler]: ...


def guard(handler: Any = None, /, **settings: Any) -> Any:
    """Guard a Lambda handler: `@guard`, or `@guard(mode="block", schema="order.json", egress=["api.stripe.com:443"])`.

    The settings are those of `Guard`. With `SERVERLESS_GUARD_DISABLED` set the handler comes back untouched. Guarding twice
    guards once. Raises PolicyError, at import of the handler's module, for a mistake in the settings.
    """
    if handler is None:
        return functools.partial(_guarded, settings=settings)
    return _guarded(handler, settings)


def protect(handler: Any, *, run_coroutines: bool = False, **settings: Any) -> Any:
    """What the layer calls: as `guard`, and a coroutine handler is run to its end, since the runtime client awaits nothing."""
    guarded = _guarded(handler, settings)
    if not (run_coroutines and is_coroutine_function(guarded)):
        return guarded

    @functools.wraps(guarded)
    def run(event: Any, context: Any = None) -> Any:
        import asyncio

        return asyncio.run(guarded(event, context))

    return run


def is_guarded(handler: Any) -> bool:
    """Whether a guard stands anywhere in the chain of wrappers that names itself (`__wrapped__`, `functools.partial`)."""
    return plan_of(handler) is not None


def plan_of(handler: Any) -> Plan | None:
    """The plan by which a handler is guarded, None for one that is not."""
    for _ in range(32):
        plan: Plan | None = getattr(handler, "__dict__", {}).get(MARK)
        if plan is not None:
            return plan
        handler = _inner(handler)
        if handler is None:
            break
    return None


def is_coroutine_function(handler: Any) -> bool:
    """Whether calling `handler` gives a coroutine: an `async def`, a partial of one, an object whose `__call__` is one."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    if getattr(handler, "_is_coroutine_mark", None) is not None:
        return True  # inspect.markcoroutinefunction
    method = getattr(type(handler), "__call__", None)  # noqa: B004  # its code is wanted, not whether it can be called
    function = handler if hasattr(handler, "__code__") else getattr(handler, "__func__", None) or method
    code = getattr(function, "__code__", None)
    return code is not None and bool(code.co_flags & _IS_COROUTINE_FUNCTION)


def _guarded(handler: Any, settings: dict[str, Any]) -> Any:
    if not callable(handler):
        raise PolicyError(f"`guard` takes a handler, not a `{type(handler).__name__}`; settings are keyword arguments", "", "the arguments of `guard`")
    if env.disabled() or is_guarded(handler):
        return handler
    return _wrap(handler, Guard(_folder(handler), **settings).plan)


def _wrap(handler: Any, plan: Plan) -> Any:
    """The handler as a plain function that goes through the pipeline."""
    code = getattr(handler, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code is not None else ("event", "context")
    is_bound = getattr(handler, "__self__", None) is not None
    is_method = not is_bound and names[:1] in (("self",), ("cls",))
    if is_bound or is_method:
        names = names[1:]

    wrapper: Any
    if is_coroutine_function(handler):

        async def waiting(*given: Any, **named: Any) -> Any:
            call, given = (handler.__get__(given[0]), given[1:]) if is_method else (handler, given)
            return await invoke_async(plan, call, *_by_position(given, named, names), **named)

        wrapper = waiting
    elif is_method:

        def method(*given: Any, **named: Any) -> Any:
            return invoke(plan, handler.__get__(given[0]), *_by_position(given[1:], named, names), **named)

        wrapper = method
    else:

        def function(*given: Any, **named: Any) -> Any:
            if named:
                given = _by_position(given, named, names)
            return invoke(plan, handler, *given, **named)

        wrapper = function
    functools.update_wrapper(wrapper, handler)
    if not hasattr(handler, "__name__"):
        wrapper.__name__ = wrapper.__qualname__ = type(handler).__name__
    setattr(wrapper, MARK, plan)
    return wrapper


def _by_position(given: tuple[Any, ...], named: dict[str, Any], names: tuple[str, ...]) -> tuple[Any, ...]:
    """Event and context where the caller named them: they are taken out of `named` and put in their places."""
    for name in names[len(given) : 2]:
        if name not in named:
            break
        given += (named.pop(name),)
    return given


def _inner(handler: Any) -> Any:
    """What a wrapper says that it wraps, or what a partial calls, None for neither; any other object's `func` is its own matter."""
    return handler.func if isinstance(handler, functools.partial) else getattr(handler, "__wrapped__", None)


def _folder(handler: Any) -> str:
    """The folder of the file that a handler was written in, "" where there is none."""
    for _ in range(32):
        inner = _inner(handler)
        if inner is None:
            break
        handler = inner
    code = getattr(handler, "__code__", None)
    file = code.co_filename if code is not None else getattr(sys.modules.get(type(handler).__module__), "__file__", "")
    return os.path.dirname(os.path.abspath(file)) if file and os.path.exists(file) else ""
