"""Run a handler on an event, under the guard, and say what happened.

The handler gets a context like Lambda's. One that is not guarded yet is
guarded as the layer would do it; --policy sets SERVERLESS_GUARD_POLICY for
the call. Shown are its answer, each security event in plain words, and what
else it printed. `-` reads the event from standard input. The handler runs
for real, with the rights and the credentials of this shell.

example:
  serverless-guard invoke app.handler event.json
  serverless-guard invoke functions/orders/app.py:handler event.json
  SERVERLESS_GUARD_MODE=block serverless-guard invoke src/app.handler -

exit codes: 0 answered, 1 refused, or the handler failed,
            2 usage, or a handler, event or policy that is not readable
"""

from __future__ import annotations

import json
import os
from time import monotonic, perf_counter_ns

from serverless_guard import decorator, handlers, plain, terminal
from serverless_guard.commands import Usage, parser, read_event
from serverless_guard.errors import Blocked
from serverless_guard.loaders import env
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

TIMEOUT_S = 900  # the longest that Lambda lets a function run


class Context:
    """What Lambda hands to a handler beside the event. https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    def __init__(self, name: str) -> None:
        from uuid import uuid4

        self.aws_request_id = str(uuid4())
        self.function_name = name
        self.function_version = "$LATEST"
        self.invoked_function_arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"
        self.memory_limit_in_mb = "128"
        self.log_group_name = f"/aws/lambda/{name}"
        self.log_stream_name = "invoke"
        self.identity = None
        self.client_context = None
        self.tenant_id = None
        self._deadline = monotonic() + TIMEOUT_S

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would end the function."""
        return max(0, int(1000 * (self._deadline - monotonic())))


def run(argv: list[str]) -> int:
    """Run it and say what happened."""
    arguments = parser("invoke", __doc__)
    arguments.add_argument("handler", metavar="HANDLER", help="module.function, folder/module.function or file.py:function")
    arguments.add_argument("event", metavar="EVENT.json", help="event as Lambda delivers it, `-` for standard input")
    arguments.add_argument("--policy", metavar="POLICY", help="policy file for a handler whose own @guard names none")
    arguments.add_argument("--format", choices=("text", "json"), default="text", help="for people or for programs (default: text)")
    given = arguments.parse_args(argv)
    event = read_event(given.event)
    if given.policy:
        env.point_to_policy(os.path.abspath(given.policy))

    told: dict[str, Any] = {"handler": given.handler, "outcome": "answered", "answer": None, "error": None}
    with handlers.captured() as log:
        _invoke(given.handler, event, told)
    events = [found for found in map(plain.event, log) if found]
    told["events"] = [{"plain": plain.plain(found), **found} for found in events]
    told["printed"] = [line for line in log if plain.event(line) is None]
    if any(plain.denied(found) for found in events):
        told["outcome"] = "refused"
    if given.format == "json":
        print(json.dumps(told, indent=2))
    else:
        _show(told)
    return 0 if told["outcome"] == "answered" else 1


def _invoke(name: str, event: Any, told: dict[str, Any]) -> None:
    """Find the handler, guard it, call it, and note what came of it in `told`."""
    try:
        handler = handlers.find(name)
    except handlers.HandlerFailed as failed:
        raise Usage(f"{failed.doing} failed: {failed}{_where(failed.error)}") from None
    handler = decorator.protect(handler, run_coroutines=True)
    told["guarded"] = decorator.is_guarded(handler)
    function = os.path.basename(name.rpartition(":")[0] or name).removesuffix(".py") if ".py" in name else name.replace("/", ".").split(".")[-2]
    started = perf_counter_ns()
    try:
        answer = handlers.attempt(handler, event, Context(function or "function"))
    except handlers.HandlerFailed as failed:
        told["outcome"] = "refused" if isinstance(failed.error, Blocked) else "failed"
        told["error"] = {"type": type(failed.error).__name__, "message": str(failed.error), "at": _where(failed.error).removeprefix(" at ")}
        return
    finally:
        told["elapsed_ms"] = round((perf_counter_ns() - started) / 1e6, 3)
    try:
        told["answer"] = json.loads(json.dumps(answer, default=_number))
    except (TypeError, ValueError, RecursionError) as error:
        told["outcome"] = "failed"
        told["error"] = {"type": "Runtime.MarshalError", "message": f"the answer is no JSON: {str(error).lower()}", "at": ""}


def _number(value: Any) -> Any:
    """A decimal as the runtime client writes it."""
    from decimal import Decimal

    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"a `{type(value).__name__}` cannot be written")


def _where(error: BaseException) -> str:
    """` at file.py:12`, the innermost line of the user's own code."""
    own = os.path.dirname(os.path.abspath(__file__))
    trace, found = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if os.path.exists(code.co_filename) and not code.co_filename.startswith(os.path.dirname(own)):
            found = f" at {os.path.basename(code.co_filename)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def _show(told: dict[str, Any]) -> None:
    colour = {"answered": "green", "refused": "red", "failed": "yellow"}[told["outcome"]]
    guarded = "" if told["guarded"] else ", not guarded: the kill switch is on"
    print(f"{terminal.printable(told['handler'])}: {terminal.paint(told['outcome'], colour)} in {told['elapsed_ms']:,} ms{guarded}")
    if told["error"]:
        print(f"\n{terminal.paint('raised', 'bold')}")
        at = f" (at {told['error']['at']})" if told["error"]["at"] else ""
        print(terminal.wrapped(f"{told['error']['type']}: {told['error']['message']}{at}", 2, 4))
    else:
        print(f"\n{terminal.paint('answer', 'bold')}")
        print("\n".join(f"  {terminal.printable(line)}" for line in json.dumps(told["answer"], indent=2, ensure_ascii=False).splitlines()))
    print(f"\n{terminal.paint('security events', 'bold')}")
    for number, event in enumerate(told["events"], 1):
        print(terminal.wrapped(f"{number}. {event['plain']}", 2, 5))
    if not told["events"]:
        print("  none")
    if told["printed"]:
        print(f"\n{terminal.paint('printed by the handler', 'bold')}")
        for line in told["printed"]:
            print(f"  | {terminal.printable(line)}")
