"""`@guard` around every kind of handler: it stays the function it was, is guarded once, and mistakes fail at start."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from serverless_guard import Guard, PolicyError, guard
from serverless_guard.decorator import MARK, is_coroutine_function, is_guarded, plan_of, protect

ROOT = Path(__file__).parents[1]
ATTACK = {"note": "x' UNION SELECT card FROM customers -- "}
CLEAN = {"note": "it's fine"}
ANSWER = {"statusCode": 200}


class Context:
    """As little of a context as the guard reads."""

    def __init__(self) -> None:
        self.aws_request_id = str(uuid4())  # telemetry bounds the lines of one request: another test's id would share them


def request(body: Any) -> dict[str, Any]:
    """An HTTP API event, whose refusal is an answer rather than an error."""
    return {
        "version": "2.0",
        "routeKey": "POST /orders",
        "rawPath": "/orders",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": "/orders"}, "domainName": "x.execute-api.eu-west-1.amazonaws.com"},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def refused(handler: Any, *given: Any, **named: Any) -> bool:
    """Whether a guarded handler refuses an attack, and lets a clean event through to the handler."""
    answers = [handler(request(body), *given, **named) for body in (CLEAN, ATTACK)]
    answers = [asyncio.run(answer) if inspect.iscoroutine(answer) else answer for answer in answers]
    assert answers[0] == ANSWER, "the clean event did not reach the handler"
    return bool(answers[1].get("statusCode") == 403)


@guard(mode="block")
def module_level(event: Any, context: Any) -> Any:
    """Its docstring."""
    return ANSWER


@guard
def bare(event: dict[str, Any], context: Any, extra: int = 3) -> Any:
    return ANSWER


class Service:
    """Handlers that are methods."""

    answer = ANSWER

    @guard(mode="block")
    def decorated(self, event: Any, context: Any) -> Any:
        return self.answer

    @guard(mode="block")
    async def decorated_async(self, evt: Any, ctx: Any) -> Any:
        return self.answer

    def plain(self, event: Any, context: Any) -> Any:
        return self.answer

    @classmethod
    def of_class(cls, event: Any, context: Any) -> Any:
        return cls.answer

    @staticmethod
    def static(event: Any, context: Any) -> Any:
        return ANSWER

    @staticmethod
    @guard(mode="block")
    def guarded_static(event: Any, context: Any) -> Any:
        return ANSWER

    def __call__(self, event: Any, context: Any) -> Any:
        return self.answer


class AsyncService:
    async def __call__(self, event: Any, context: Any) -> Any:
        return ANSWER


async def waiting(event: Any, context: Any) -> Any:
    await asyncio.sleep(0)
    return ANSWER


def handler(event: Any, context: Any) -> Any:
    return ANSWER


def passing(function: Any) -> Any:
    """A decorator of somebody else's that names what it wraps."""

    @functools.wraps(function)
    def inner(*given: Any, **named: Any) -> Any:
        return function(*given, **named)

    return inner


def silent(function: Any) -> Any:
    """A decorator of somebody else's that hides what it wraps."""
    return lambda event, context: function(event, context)


# It stays what it was


def test_bare_called_and_called_with_nothing_all_guard() -> None:
    for decorated in (guard(handler), guard()(handler), guard(mode="block")(handler)):
        assert is_guarded(decorated)
        assert decorated({}, None) == ANSWER


def test_name_docstring_signature_and_annotations_are_kept() -> None:
    assert (module_level.__name__, module_level.__doc__, module_level.__module__) == ("module_level", "Its docstring.", __name__)
    assert str(inspect.signature(bare)).startswith("(event: 'dict[str, Any]', context: 'Any', extra: 'int' = 3)")
    assert inspect.isfunction(module_level)
    assert inspect.unwrap(module_level)({}, None) == ANSWER


def test_a_guarded_function_pickles_by_its_name() -> None:
    assert pickle.loads(pickle.dumps(module_level)) is module_level


def test_the_wrapper_holds_its_plan_and_nothing_else() -> None:
    before = dict(vars(module_level))
    assert set(before) == {"__wrapped__", MARK}
    module_level(request(CLEAN), Context())
    module_level(request(ATTACK), Context())
    assert vars(module_level) == before


def test_each_handler_has_its_own_settings() -> None:
    one, other = guard(mode="block")(handler), guard(mode="monitor")(handler)
    assert refused(one, None)
    assert not refused(other, None)
    assert plan_of(one) is not plan_of(other)
    assert not is_guarded(handler)


# Every kind of handler


@pytest.mark.parametrize(
    "callable_",
    [
        handler,
        lambda event, context: ANSWER,
        functools.partial(lambda answer, event, context: answer, ANSWER),
        Service(),
        Service().plain,
        Service.of_class,
        Service.static,
        waiting,
        functools.partial(waiting),
        AsyncService(),
        AsyncService().__call__,
        passing(handler),
        silent(handler),
        passing(waiting),
        silent(waiting),
    ],
    ids=[
        *(
            "function",
            "lambda",
            "partial",
            "object",
            "bound method",
            "class method",
            "static method",
            "async",
            "partial of async",
            "async object",
            "bound async",
        ),
        *("wrapped", "hidden", "wrapped async", "hidden async"),
    ],
)
def test_any_callable_is_guarded(callable_: Any) -> None:
    assert refused(guard(mode="block")(callable_), Context())


def test_methods_are_guarded_where_they_are_defined() -> None:
    service = Service()
    assert refused(service.decorated, Context())
    assert refused(service.decorated_async, Context())
    assert refused(service.guarded_static, Context())
    assert refused(functools.partial(Service.decorated, service), Context())


@pytest.mark.parametrize(
    ("function", "is_one"), [(waiting, True), (functools.partial(waiting), True), (AsyncService(), True), (handler, False), (Service(), False), (len, False)]
)
def test_a_coroutine_function_stays_one_and_a_plain_one_stays_plain(function: Any, is_one: bool) -> None:
    assert is_coroutine_function(function) is is_one
    if function is not len:
        assert inspect.iscoroutinefunction(guard(function)) is is_one


def test_event_and_context_may_be_named() -> None:
    assert refused(lambda event: guard(mode="block")(handler)(event=event, context=None))
    assert refused(lambda event: guard(mode="block")(handler)(event, context=None))
    assert refused(lambda event: guard(mode="block")(handler)(context=None, event=event))


def test_event_and_context_may_be_called_otherwise() -> None:
    def of_others(evt: Any, ctx: Any = None, *rest: Any, more: int = 0) -> Any:
        return {**ANSWER, "rest": rest, "more": more} if rest or more else ANSWER

    decorated = guard(mode="block")(of_others)
    assert refused(decorated)
    assert refused(lambda event: decorated(evt=event, ctx=None))
    assert refused(lambda event: Service().decorated_async(evt=event, ctx=None))
    assert decorated({}, None, 5, more=2) == {**ANSWER, "rest": (5,), "more": 2}


def test_the_handler_gets_the_very_event_and_context() -> None:
    seen: list[Any] = []
    event, context = request(CLEAN), Context()
    guard(mode="block")(lambda *given: seen.extend(given))(event, context)
    assert seen[0] is event
    assert seen[1] is context


@pytest.mark.parametrize("wrong", ["policy.json", {"mode": "block"}, 3, [handler]])
def test_settings_are_keyword_arguments_and_a_handler_is_callable(wrong: Any) -> None:
    with pytest.raises(PolicyError, match="`guard` takes a handler, not a `"):
        guard(wrong)


# Once


def test_guarding_twice_guards_once() -> None:
    once = guard(mode="block")(handler)
    assert guard(once) is once
    assert guard(mode="monitor")(once) is once
    assert protect(once) is once
    assert Guard(mode="off").wrap(once) is once


def test_a_guard_below_other_decorators_is_seen_through_them() -> None:
    below = passing(functools.partial(passing(guard(mode="block")(handler))))
    assert guard(mode="monitor")(below) is below
    assert refused(below, Context())


def test_a_guard_above_other_decorators_guards_what_they_wrap() -> None:
    assert refused(guard(mode="block")(passing(silent(passing(handler)))), Context())


def test_a_second_guard_that_cannot_see_the_first_refuses_alike() -> None:
    assert refused(guard(mode="block")(silent(guard(mode="block")(handler))), Context())


def test_a_second_copy_of_the_package_sees_the_mark_of_the_first(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "serverless_guard", tmp_path / "serverless_guard", ignore=shutil.ignore_patterns("__pycache__"))
    program = f"""
import sys
from serverless_guard import guard
def handler(event, context): return 1
first = guard(handler)
one = sys.modules["serverless_guard"].__file__
for name in [name for name in sys.modules if name.split(".")[0] == "serverless_guard"]: del sys.modules[name]
sys.path.insert(0, {str(tmp_path)!r})
from serverless_guard import guard as other
assert sys.modules["serverless_guard"].__file__ != one and other is not guard
assert other(mode="block")(first) is first
"""
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT)


def test_an_object_that_only_holds_a_guarded_function_is_not_guarded_by_it() -> None:
    class Dispatcher:
        def __init__(self) -> None:
            self.func = module_level

        def __call__(self, event: Any, context: Any) -> Any:
            return ANSWER

    assert not is_guarded(Dispatcher())
    assert refused(guard(mode="block")(Dispatcher()), Context())


def test_a_chain_of_wrappers_that_bites_its_tail_ends() -> None:
    def looping(event: Any, context: Any) -> Any:
        return ANSWER

    looping.__wrapped__ = looping  # type: ignore[attr-defined]  # what a careless decorator might do
    assert not is_guarded(looping)
    assert refused(guard(mode="block")(looping), Context())


# Beside the decorators of others


def test_powertools_decorators_work_above_and_below() -> None:
    pytest.importorskip("aws_lambda_powertools")
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.middleware_factory import lambda_handler_decorator
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2, event_source

    @lambda_handler_decorator
    def middleware(handler: Any, event: Any, context: Any) -> Any:
        return handler(event, context)

    class LambdaContext(Context):
        function_name = "orders"
        memory_limit_in_mb = 128
        invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders"

    logger = Logger(service="orders", stream=sys.stderr)

    @guard(mode="block")
    @logger.inject_lambda_context
    @middleware
    @event_source(data_class=APIGatewayProxyEventV2)
    def above(event: Any, context: Any) -> Any:
        assert event.raw_path == "/orders"
        return ANSWER

    @logger.inject_lambda_context
    @middleware
    @event_source(data_class=APIGatewayProxyEventV2)
    @guard(mode="block")
    def below(event: Any, context: Any) -> Any:
        assert event.raw_path == "/orders"
        return ANSWER

    for decorated in (above, below):
        assert refused(decorated, LambdaContext())


def test_a_wrapt_wrapper_is_a_handler_like_any_other() -> None:
    wrapt = pytest.importorskip("wrapt")

    @wrapt.decorator
    def tracing(wrapped: Any, instance: Any, given: Any, named: Any) -> Any:
        return wrapped(*given, **named)

    assert refused(guard(mode="block")(tracing(handler)), Context())
    traced = tracing(guard(mode="block")(handler))
    assert refused(traced, Context())
    assert guard(traced) is traced


# At start


def test_a_mistake_in_the_settings_fails_when_the_handler_is_decorated() -> None:
    with pytest.raises(PolicyError, match=r"unknown setting `moed`, did you mean `mode` \(in the arguments of `guard`\)"):
        guard(moed="block")(handler)
    with pytest.raises(PolicyError, match="`egress\\[1\\]`"):
        guard(egress=["api.stripe.com", "https://"])(handler)
    with pytest.raises(PolicyError, match="schema"):
        guard(schema={"type": "objekt"})(handler)
    with pytest.raises(PolicyError, match=r"no-such-schema\.json"):
        guard(schema="no-such-schema.json")(handler)
    with pytest.raises(PolicyError, match=r"no-such-policy\.json"):
        guard(policy="no-such-policy.json")(handler)


def test_a_detector_of_ones_own_must_be_one() -> None:
    class Half:
        NAME, RULE = "half", "SG-OWN-001"

    with pytest.raises(PolicyError, match="a detector must have `detect`, `half` has not"):
        guard(detectors=[Half])(handler)


def test_the_policy_beside_the_handler_is_found_and_its_files_are_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "serverless-guard.json").write_text('{"mode": "block", "schema": "schemas/order.json"}')
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "order.json").write_text('{"required": ["note"]}')
    code = "def handler(event, context):\n    return {'statusCode': 200}\n"
    (tmp_path / "app.py").write_text(code)
    space: dict[str, Any] = {}
    exec(compile(code, str(tmp_path / "app.py"), "exec"), space)
    decorated = guard(passing(space["handler"]))
    assert refused(decorated, Context())
    assert decorated(request({}), Context())["statusCode"] == 400


def test_the_kill_switch_leaves_the_handler_untouched_whatever_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVERLESS_GUARD_DISABLED", "1")
    assert guard(handler) is handler
    assert guard(mode="blok", nonsense=True)(handler) is handler
    assert protect(handler) is handler


def test_the_layer_runs_a_coroutine_handler_to_its_end() -> None:
    assert refused(protect(waiting, run_coroutines=True, mode="block"), Context())
    assert not inspect.iscoroutinefunction(protect(waiting, run_coroutines=True))
    assert refused(protect(guard(mode="block")(waiting), run_coroutines=True), Context())
    assert protect(waiting, run_coroutines=True).__name__ == "waiting"


def test_an_explicit_guard_says_what_it_is_and_wraps_many() -> None:
    made = Guard.from_policy({"name": "orders"}, mode="block")
    assert repr(made) == "Guard(name='orders', mode='block')"
    assert repr(Guard()) == "Guard(name='', mode='as declared')"
    assert refused(made.wrap(handler), Context())
    assert plan_of(made.wrap(handler)) is plan_of(made.wrap(waiting)) is made.plan


def test_an_explicit_guard_tells_the_nearest_setting() -> None:
    with pytest.raises(PolicyError, match="did you mean `emitters`"):
        Guard(emiters=[])
