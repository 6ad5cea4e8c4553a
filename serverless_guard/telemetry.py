"""Tell of what was found: one event for each finding, bounded in number and size, to every emitter; none of them can fail the handler.

This file is on the way to the handler and imports nothing; what it needs comes with the first event of a process. What a
process keeps (the key of the hashes, the sequence, the emitters) starts anew after a fork and after a restored snapshot.
"""

from __future__ import annotations

import os

from serverless_guard.values import TYPE_CHECKING, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from serverless_guard.facts import Facts
    from serverless_guard.policy import Policy
    from serverless_guard.values import Verdict

MAX_LINES = 16  # of one invocation; what comes after is counted, but the first of its kind is always told
MAX_FAILURES = 3  # of an emitter in a row, then it is left alone for a while: each may cost its time-out
REST_S = 60
REMEMBERED = 64  # invocations whose lines are counted at once
CHAIN_KEY = "SERVERLESS_GUARD_CHAIN_KEY"  # of the environment; signs the chain
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

SUPPRESSED = "SG-GRD-002"
EMITTER_FAILED = "SG-GRD-003"
UNTELLABLE = "SG-GRD-004"


class Process:
    """What this process keeps between events."""

    __slots__ = ("chain", "connected", "counts", "failures", "head", "key", "lock", "resting", "sequence", "signing", "told")

    def __init__(self) -> None:
        from _thread import RLock

        self.lock = RLock()  # a signal handler may tell of something while its thread tells of something else
        self.key = os.urandom(16)
        self.sequence = 0
        self.chain = os.urandom(8).hex()
        self.head = ""
        self.signing: bytes | None = None  # the key of the chain, once it was looked up
        self.connected: dict[Any, Any] = {}  # emit functions by emitter
        self.failures: dict[Any, int] = {}  # in a row, by emitter
        self.resting: dict[Any, float] = {}  # until when an emitter is left alone
        self.told: set[Any] = set()  # emitters whose failure was told
        self.counts: dict[str, Count] = {}  # by request id


class Count:
    """What was told of one invocation so far."""

    __slots__ = ("id", "kinds", "left_out", "lines")

    def __init__(self) -> None:
        self.lines = 0
        self.left_out = 0
        self.id = ""  # of the first event of the last step
        self.kinds: set[tuple[str, str]] = set()  # control and action

    def has_room(self, finding: Finding, action: str) -> bool:
        """Whether to tell of one more: a flood of one kind must not hide the first of another."""
        kind = str(finding.control), action
        if self.lines >= MAX_LINES and (kind in self.kinds or len(self.kinds) >= MAX_LINES):
            return False
        self.kinds.add(kind)
        self.lines += 1
        return True


_process: Process | None = None
_hooked = False


def facts(context: object, environ: Mapping[str, str], source: str = "", event: Any = None, policy: Policy | None = None, cold: bool | None = None) -> Facts:
    """Facts of the function and the invocation, from whatever the context is; never raises."""
    from serverless_guard import facts

    for known in (context, None):
        for seen in (event, None):
            try:
                return facts.gather(known, environ, source, seen, policy, cold)
            except Exception:
                continue
    return facts.Facts(source=source)


def tell(verdict: Verdict, modes: Mapping[str, str], facts: Facts, emitters: Sequence[Any] = (), guard_us: int = 0, on_error: str = "") -> str:
    """Tell of the findings of a verdict; the id of the first event, which the refused caller is given.

    At most `MAX_LINES` events an invocation, what was refused first, and then events that say how many were left out.
    `emitters` are names of the table (`eventbridge:bus`) or callables of the user's own; standard output is always one. Never raises.
    """
    refusing = verdict.action == "refuse"
    told = []
    for finding in verdict.findings:
        try:
            told.append((finding, _action(finding, refusing, modes, on_error)))
        except Exception:
            told.append((finding, verdict.action))
    return _tell(told, facts, emitters, guard_us)


def note(findings: Sequence[Finding], action: str, facts: Facts, emitters: Sequence[Any] = (), guard_us: int = 0) -> str:
    """As `tell`, for findings that no verdict was made of: `redact`, `learn`, `unauthorized`, ... as `ocsf.ACTIONS` has them."""
    return _tell([(finding, action) for finding in findings], facts, emitters, guard_us)


def renew() -> None:
    """Forget this process's key, sequence and emitters. A fork and a restored SnapStart snapshot do it by themselves."""
    global _process
    _process = None


def _tell(told: list[tuple[Finding, str]], facts: Facts, emitters: Sequence[Any], guard_us: int) -> str:
    uid = ""
    try:
        process = _current(facts.environ)
        events = _events(process, told, facts, guard_us)
        uid = events[0]["metadata"]["uid"] if events else ""
        if not events and facts.request_id in process.counts:
            uid = process.counts[facts.request_id].id
        if events:
            _emit(process, events, facts, _with_stdout(emitters))
    except Exception as error:
        _last_words(f"telemetry failed: {type(error).__name__}")
    return uid or _uid(0)


def _action(finding: Finding, refusing: bool, modes: Mapping[str, str], on_error: str) -> str:
    """What was done about one finding of a verdict: only a sure one, of a control that blocks, was a reason to refuse."""
    if finding.control == "guard":
        return "fail-closed" if refusing and (on_error or modes.get(finding.detail, "monitor")) == "block" else "fail-open"
    return "refuse" if refusing and finding.confidence == "high" and modes.get(finding.control) == "block" else "report"


def _events(process: Process, told: list[tuple[Finding, str]], facts: Facts, guard_us: int) -> list[dict[str, Any]]:
    """The events of some findings, as many as the invocation has lines left, and one that counts the rest."""
    from time import time_ns

    from serverless_guard import chain, ocsf
    from serverless_guard.values import __version__

    time_ms = time_ns() // 1_000_000
    nothing = facts._replace(source="", event=None, client_ip="", method="", http_path="", user="")
    correlation = facts.request_id or _uid(time_ms)
    events: list[dict[str, Any]] = []

    def add(finding: Finding, action: str) -> bool:
        process.sequence += 1
        uid = _uid(time_ms)
        stamp = ocsf.Stamp(uid, process.sequence, time_ms, correlation, process.key, guard_us, __version__, process.chain, process.head)
        try:
            event = ocsf.event(finding, action, facts, stamp)
        except Exception as error:
            odd = Finding(UNTELLABLE, "guard", f"A finding cannot be told: {type(error).__name__}")
            event = ocsf.event(odd, action, nothing, stamp)
        process.head = event.seal(process.signing or b"")
        events.append(event)
        return True

    with process.lock:
        if process.signing is None:
            process.signing = chain.key((facts.environ or {}).get(CHAIN_KEY, ""))
        count = _count(process, facts.request_id)
        told.sort(key=lambda pair: pair[1] not in ("refuse", "fail-closed", "unauthorized"))
        rest = [(finding, action) for finding, action in told if not (count.has_room(finding, action) and add(finding, action))]
        if rest:
            before, count.left_out = count.left_out, count.left_out + len(rest)
            if count.left_out.bit_length() > before.bit_length():  # at once, then whenever the number has doubled
                title = f"{count.left_out} further findings of this invocation are counted, not told"
                add(Finding(SUPPRESSED, "guard", title, detail=f"{len(rest)} of them in this step"), rest[0][1])
        if events:
            count.id = events[0]["metadata"]["uid"]
    return events


def _emit(process: Process, events: list[dict[str, Any]], facts: Facts, emitters: tuple[Any, ...]) -> None:
    """Every event to every emitter, one emitter after the other; one that fails is told of once, through the others."""
    from time import monotonic

    working: list[Any] = []
    failed: list[str] = []
    for emitter in emitters:
        key = emitter if emitter.__class__ is str else id(emitter)
        if process.resting.get(key, 0.0) > monotonic():
            continue
        try:
            emit = process.connected.get(key) or _connect(process, key, emitter, facts)
            together = getattr(emit, "all", None)
            if together:
                together(events)
            else:
                for event in events:
                    emit(event)
            process.failures.pop(key, None)
            working.append(emit)
        except Exception as error:
            process.failures[key] = process.failures.get(key, 0) + 1
            if process.failures[key] >= MAX_FAILURES:
                process.resting[key] = monotonic() + REST_S
            if key not in process.told:
                process.told.add(key)
                failed.append(f"The emitter {_name(emitter)} failed: {type(error).__name__}")
    for message in failed:
        _tell_of_failure(process, message, facts, working)


def _with_stdout(emitters: Sequence[Any]) -> tuple[Any, ...]:
    """The emitters with standard output, first: what is there survives whatever the others do."""
    lines = tuple(emitter for emitter in emitters if emitter.__class__ is str and emitter.partition(":")[0] == "stdout")
    return (*(lines or ("stdout",)), *(emitter for emitter in emitters if emitter not in lines))


def _connect(process: Process, key: Any, emitter: Any, facts: Facts) -> Any:
    """The emit function of an emitter: a name of the table, a module or object with `connect`, or a callable."""
    if emitter.__class__ is str:
        from serverless_guard import emitters

        emit: Any = emitters.connect(emitter, facts.environ or {})
    else:
        emit = emitter.connect() if hasattr(emitter, "connect") else emitter
    process.connected[key] = emit
    return emit


def _tell_of_failure(process: Process, message: str, facts: Facts, working: list[Any]) -> None:
    """One event about an emitter, through those that work; where none does, one line on standard error."""
    heard = False
    if working:
        for event in _events(process, [(Finding(EMITTER_FAILED, "guard", message), "fail-open")], facts, 0):
            for emit in working:
                try:
                    emit(event)
                    heard = True
                except Exception:
                    continue
    if not heard:
        _last_words(message)


def _name(emitter: Any) -> str:
    return emitter if emitter.__class__ is str else str(getattr(emitter, "__name__", type(emitter).__name__))


def _last_words(message: str) -> None:
    """A line on standard error, the last resort; where that is closed too, nothing is left to say it with."""
    try:
        os.write(2, f"serverless_guard: {message}\n".encode("ascii", "replace")[:512])
    except OSError:
        return


def _count(process: Process, request_id: str) -> Count:
    """The count of an invocation; where it has no id, each step counts for itself."""
    counts = process.counts
    if not request_id:
        return Count()
    if request_id not in counts and len(counts) >= REMEMBERED:
        del counts[next(iter(counts))]
    return counts.setdefault(request_id, Count())


def _current(environ: Mapping[str, str] | None = None) -> Process:
    """What the process keeps, made with its first event; what is made before a fork or a snapshot ends with it."""
    global _process, _hooked
    if _process is None:
        if not _hooked:
            _hooked = True
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=renew)
            if environ and environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
                _hook_restore()
        _process = Process()
    return _process


def _hook_restore() -> None:
    try:
        from snapshot_restore_py import register_after_restore
    except ImportError:
        return
    register_after_restore(renew)


def _uid(time_ms: int) -> str:
    """A ULID: 26 characters that sort by time, 80 bits of them random. https://github.com/ulid/spec"""
    number = time_ms << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join(DIGITS[number >> shift & 31] for shift in range(125, -1, -5))
