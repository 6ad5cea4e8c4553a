"""One invocation on its way through the steps. Read this file to understand the guard.

    event > recognise > extract > validate > detect > decide -+-> call handler > answer
                                                              +-> refused: sources.<kind>.refuse > answer

An invocation has a `Visit`, and nothing outlives it. An error inside the guard becomes a finding of the control `guard`, here
and nowhere else; its mode says whether the event passes.
"""

from __future__ import annotations

from _contextvars import ContextVar  # `contextvars` only hands it on, and costs 0.3 M instructions
from functools import cache
from time import perf_counter_ns
from types import CoroutineType

from serverless_guard import decide, detectors, shield, sources
from serverless_guard.errors import ActionBlocked, InputBlocked
from serverless_guard.values import ALLOW, TYPE_CHECKING, Finding

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from types import ModuleType
    from typing import Any

    from serverless_guard import inputs
    from serverless_guard.plan import Plan
    from serverless_guard.values import Part, Verdict

GUARD_ERROR = "SG-GRD-001"
UNEXPECTED_SOURCE = "SG-SRC-001"
SCHEMA_VIOLATION = "SG-SCH-001"
PLACES = {"headers": "header"}
BODILESS = ("GET", "HEAD", "DELETE", "OPTIONS")


class Visit:
    """One invocation under one plan: what was found, and what the handler tried."""

    __slots__ = ("attempts", "context", "egress", "event", "finish", "modes", "outer", "plan", "raw", "source", "spent_ns", "started", "step", "verdict")

    def __init__(self, plan: Plan, event: Any, context: Any) -> None:
        self.plan = plan
        self.event = event  # what the handler gets
        self.raw = event  # the mapping behind an event object of Powertools or Pydantic
        self.context = context
        self.egress = plan.egress
        self.modes = plan.modes
        self.attempts: list[Finding] = []  # the latch: what the shield saw the handler try
        self.finish: Callable[[Any], Any] | None = None  # puts the records that left a batch into the answer
        self.source = "unknown"
        self.step = "source"
        self.started = perf_counter_ns()
        self.spent_ns = 0  # the guard's own time on the event
        self.verdict: Verdict = ALLOW
        self.outer: Visit | None = None  # the visit around this one, where guards are nested


_visiting: ContextVar[Visit | None] = ContextVar("serverless_guard_visit", default=None)


def invoke(plan: Plan, handler: Callable[..., Any], event: Any, context: Any = None, *more: Any, **named: Any) -> Any:
    """The answer of `handler` to an event, under `plan`; a coroutine's answer is guarded until it ends."""
    if (outer := _visiting.get()) is not None and _same(outer, plan, event):
        return handler(event, context, *more, **named)
    visit = Visit(plan, event, context)
    if enter(visit):
        return refuse(visit)
    seat = _sit(visit)
    try:
        result = handler(visit.event, context, *more, **named)
    except Exception:
        _rise(visit, seat)
        if decided_by_attempts(visit):
            return refuse(visit)
        raise  # the handler's own error goes on as it is
    except BaseException:
        _rise(visit, seat)
        raise
    _rise(visit, seat)
    if result.__class__ is CoroutineType:
        return _await(visit, result)
    return leave(visit, result)


async def invoke_async(plan: Plan, handler: Callable[..., Awaitable[Any]], event: Any, context: Any = None, *more: Any, **named: Any) -> Any:
    """As `invoke`, for a handler that is a coroutine function."""
    if (outer := _visiting.get()) is not None and _same(outer, plan, event):
        return await handler(event, context, *more, **named)
    visit = Visit(plan, event, context)
    if enter(visit):
        return refuse(visit)
    return await _await(visit, handler(visit.event, context, *more, **named))


async def _await(visit: Visit, coroutine: Awaitable[Any]) -> Any:
    seat = _sit(visit)
    try:
        result = await coroutine
    except Exception:
        _rise(visit, seat)
        if decided_by_attempts(visit):
            return refuse(visit)
        raise  # the handler's own error goes on as it is
    except BaseException:
        _rise(visit, seat)
        raise
    _rise(visit, seat)
    return leave(visit, result)


def _sit(visit: Visit) -> shield.Seat:
    """The handler is about to be called: what happens from now on in this context, and in threads without one, is its own."""
    visit.spent_ns = perf_counter_ns() - visit.started
    visit.outer = _visiting.get()
    _visiting.set(visit)
    return shield.enter(visit)


def _rise(visit: Visit, seat: shield.Seat) -> None:
    shield.leave(seat)
    _visiting.set(visit.outer)


def _same(outer: Visit, plan: Plan, event: Any) -> bool:
    """Whether a guard around this one looks at the same event with the same settings: guarding twice guards once."""
    return event is outer.event and (plan is outer.plan or (plan.policy == outer.plan.policy and plan.detectors == outer.plan.detectors))


def enter(visit: Visit) -> bool:
    """Look at the event; tell of what was found; True when the handler must not be called."""
    findings = look(visit)
    if findings:
        verdict = decide.judge(findings, visit.modes, visit.plan.policy.on_error)
        if verdict is not ALLOW:
            return _judged(visit, verdict)
    return False


def look(visit: Visit) -> list[Finding]:
    """What is wrong with the event; an error of the guard itself is a finding too."""
    try:
        return _look(visit)
    except Exception as error:
        return [_failure(visit.step, error)]


def leave(visit: Visit, result: Any) -> Any:
    """The handler's answer, or the refusal that something it tried calls for even where its code swallowed the error."""
    if visit.attempts and decided_by_attempts(visit):
        return refuse(visit)
    return result if visit.finish is None else visit.finish(result)


def decided_by_attempts(visit: Visit) -> bool:
    """Tell of what the handler tried; True when that decides the answer."""
    visit.started = perf_counter_ns() - visit.spent_ns
    verdict = decide.judge(visit.attempts, visit.modes, visit.plan.policy.on_error)
    if verdict is ALLOW:
        return False
    verdict = _told(visit, verdict)
    if verdict.action != "refuse":
        return False
    # the handler may have done half of its work: an asynchronous source retries rather than forgets, unless told to drop
    visit.finish = None
    visit.verdict = verdict._replace(refused=(), on_refuse=verdict.on_refuse or "fail")
    return True


def refuse(visit: Visit) -> Any:
    """The answer of a refused invocation in its source's own shape; may raise, where raising is that shape."""
    try:
        return sources.module(visit.source).refuse(visit.raw, visit.verdict) if visit.finish is None else visit.finish(None)
    except InputBlocked as blocked:
        kind = ActionBlocked if visit.attempts else InputBlocked
        raise kind(str(blocked), visit.verdict.findings[0].rule, visit.verdict.id) from None


@cache
def readers() -> tuple[ModuleType, ModuleType]:
    """`inputs` and `scan`, which read an event. They come with the first one: at a start they would cost 5 % of the runtime client's own."""
    from serverless_guard import inputs, scan

    return inputs, scan


def _look(visit: Visit) -> list[Finding]:
    """The steps up to the decision. Clean events leave it with nothing found and nothing imported."""
    plan, event = visit.plan, visit.event
    inputs, scan = readers()
    if event.__class__ is not dict:
        visit.raw = event = inputs.raw(event)
    visit.source = name = sources.recognise(event)
    findings: list[Finding] = []
    if plan.expected and name not in plan.expected:
        findings.append(Finding(UNEXPECTED_SOURCE, "source", "Event from a source that is not declared", detail=name, cwe=441))
        if plan.modes["source"] == "block":
            return findings
    source = sources.module(name)
    if hasattr(source, "keep"):
        visit.raw = source.keep(event, set())  # a handler may empty the list that a refusal must still name
    visit.step = "limits"
    parts = source.parts(event)
    opened = inputs.opened(parts, plan.limits)
    if opened.findings:
        findings += opened.findings
    if plan.checks:
        visit.step = "schema"
        findings += _violations(plan, event, source, parts, opened)
    if plan.detect or plan.detectors:
        visit.step = "detect"
        odd = bool(plan.detectors) or scan.odd(opened.texts, opened.joined)
        if odd:
            members = [(name, detectors.load(name)) for name in plan.detect] + [(member.NAME, member) for member in plan.detectors]
            found = scan.search(inputs.walk(parts, opened), members)
            findings += found
            if found or len(plan.detect) < len(detectors.DETECTORS):
                return findings
        if opened.headers or opened.keys:
            inputs.remember(opened, plain=not odd)
    return findings


def _violations(plan: Plan, event: Any, source: Any, parts: list[Part], opened: inputs.Opened) -> list[Finding]:
    """What the event has that its schemas do not allow. A part that the event does not have is not checked."""
    found = []
    for role, check in plan.checks:
        for path, value, record in subjects(role, event, source, parts, opened):
            violation = check(value)
            if violation is not None:
                where = path + violation.path[1:] if path else violation.path[1:].lstrip(".")
                found.append(
                    Finding(SCHEMA_VIOLATION, "schema", "Input that its schema does not allow", where, detail=violation.keyword, cwe=20, record=record)
                )
    return found


def subjects(role: str, event: Any, source: Any, parts: list[Part], opened: inputs.Opened) -> Iterator[tuple[str, Any, int]]:
    """What a schema is held to, as `(path, value, record)`."""
    if role == "event":
        yield "", event, -1
    elif role == "record":
        for index, record in enumerate(source.records(event) if hasattr(source, "records") else ()):
            yield f"Records[{index}]", record, index
    else:
        place = PLACES.get(role, role)
        for index, (path, _, where, record, _) in enumerate(parts):
            if where == place:
                value = opened.values[index]
                if role == "body":
                    if value is None and _bodiless(event):
                        return
                elif value is None:
                    value = {}  # AWS writes null where there are no parameters
                elif role == "headers" and value.__class__ is dict:
                    value = {str(name).lower(): text for name, text in value.items()}
                yield path, value, record
                if record < 0:
                    return  # the multi-value twin of a part has another shape


def _bodiless(event: Any) -> bool:
    """Whether an event without a body is an HTTP request that need not have one."""
    if event.__class__ is not dict:
        return False
    context = event.get("requestContext")
    http = context.get("http") if context.__class__ is dict else None
    return event.get("httpMethod", http.get("method") if http.__class__ is dict else "") in BODILESS


def _judged(visit: Visit, verdict: Verdict) -> bool:
    """Tell of a verdict and act on it; True when the whole event is refused."""
    visit.verdict = verdict = _told(visit, verdict)
    if verdict.action != "refuse":
        return False
    if not verdict.refused:
        return True
    from serverless_guard import batch

    kept, visit.finish = batch.split(sources.module(visit.source), visit.raw, verdict)
    if kept is None:
        return True
    visit.event = readers()[0].like(visit.event, kept)
    return False


def _told(visit: Visit, verdict: Verdict) -> Verdict:
    """The verdict with the ids that its answer needs, after its findings were emitted."""
    from serverless_guard import telemetry

    plan = visit.plan
    elapsed_us = (perf_counter_ns() - visit.started) // 1000
    facts = telemetry.facts(visit.context, plan.environ, visit.source, visit.raw, plan.policy)
    with shield.Aside():  # an emitter may call where the handler may not
        id = telemetry.tell(verdict, visit.modes, facts, plan.emitters, elapsed_us, plan.policy.on_error)
    request_id = getattr(visit.context, "aws_request_id", "")
    return verdict._replace(id=id, request_id=request_id if isinstance(request_id, str) else "", on_refuse=plan.policy.on_refuse, explain=plan.policy.explain)


def _failure(step: str, error: Exception) -> Finding:
    """An error of the guard as a finding: the step and the error's class, never its message, which may hold a value."""
    return Finding(GUARD_ERROR, "guard", f"The guard failed while checking {step}: {type(error).__name__}", detail=step, cwe=755)
