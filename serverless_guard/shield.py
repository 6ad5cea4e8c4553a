"""The run-time guard: one audit hook a process (PEP 578), armed once, never disarmed.

    INIT      before the first invocation: everything is allowed, names and their addresses are noted
    SEALED    each act is judged by the policy of the invocation it belongs to, or, where it belongs to none (a thread
              started without its context), by those of all invocations under way; between invocations by the last one

The policy is a matter of the process: a lost context never means no policy. A refusal is noted on the invocation first and raised
second, so that code which swallows the exception does not hide it. https://docs.python.org/3/library/audit_events.html

The hook and all that it calls use no global and no closure: what they need stands in positional defaults, of exact types, since
anyone can swap a global. It never logs (logging raises audit events), and an error in it counts as a refusal.
"""

from __future__ import annotations

import _socket
import sys
from _contextvars import ContextVar  # `contextvars` only hands it on, and costs 0.3 M instructions
from itertools import count
from time import monotonic

from serverless_guard import hosts
from serverless_guard.errors import ActionBlocked, GuardError, PolicyError
from serverless_guard.sinks import calling, network
from serverless_guard.values import TYPE_CHECKING, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, Protocol, TypeAlias

    class Invocation(Protocol):
        """What the shield needs of an invocation."""

        @property
        def egress(self) -> hosts.Rules | None: ...  # None: not declared
        @property
        def modes(self) -> Mapping[str, str]: ...  # of `egress`, `metadata` and `runtime_api`: off, monitor, block
        @property
        def attempts(self) -> list[Finding]: ...  # the latch: what the handler tried

    Seat: TypeAlias = tuple[Any, ...]

GRANT_S = 900  # how long an answer of the name server counts; no client of ours keeps one that long without asking again
MAX_ADDRESSES, MAX_NAMES = 4096, 64  # addresses with grants, and names an address (a content network shares them)
MAX_ATTEMPTS = 100  # findings an invocation
TITLES = {
    "SG-EGR-001": ("Outbound call to a host that is not declared", 918),
    "SG-EGR-002": ("Outbound call to an address that is not declared", 918),
    "SG-EGR-003": ("Outbound call to an instance-metadata or other reserved address", 918),
    "SG-EGR-004": ("Outbound call to the Runtime API of Lambda", 918),
    "SG-EGR-006": ("HTTP request with a method or path that is not declared", 918),
    "SG-EGR-007": ("AWS call that is not declared", 862),
    "SG-EGR-005": ("Socket of a kind that is not declared", 668),
}
"""Title and CWE of each rule."""
BUGS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

_live: dict[int, Seat] = {}
_current: ContextVar[Seat | None] = ContextVar("serverless_guard_seat", default=None)
_last: list[Seat] = []
_platform: list[tuple[Any, ...]] = []
_grants: network.Grants = {}
_serial = count(1)
_readers: dict[str, Callable[..., network.Call | None]] = dict.fromkeys(network.EVENTS, network.read)  # by audit event
_judges: dict[str, Callable[..., network.Refusal | None]] = {"address": network.judge_address}  # by kind of call; all others: network.judge
_allowed: ContextVar[tuple[tuple[hosts.Table, None], ...]] = ContextVar("serverless_guard_allowed", default=())
_aside: ContextVar[bool] = ContextVar("serverless_guard_aside", default=False)
_watched = [0]  # how far `_watch` has come


def enter(
    invocation: Invocation,
    live: dict[int, Seat] = _live,
    current: ContextVar[Seat | None] = _current,
    last: list[Seat] = _last,
    serial: Iterator[int] = _serial,
    watched: list[int] = _watched,
) -> Seat:
    """Puts the policy of an invocation in force; its seat, for `leave`."""
    egress, modes, before = invocation.egress, invocation.modes, current.get()
    if before is not None and before[0] not in live:
        before = None  # what an earlier invocation left behind
    kept = {"egress": modes["egress"], "metadata": modes["metadata"], "runtime_api": modes["runtime_api"]}  # the handler can reach the other one
    rules = None if egress is None or kept["egress"] == "off" else (egress[0], egress[1])
    wanted = 2 if rules is not None and (rules[0][6] or (rules[1] and rules[1][6])) else 1
    if wanted > watched[0]:
        _watch(wanted)
    seat = (next(serial), before, rules, kept["metadata"] != "off", kept["runtime_api"] != "off", kept, invocation.attempts)
    live[seat[0]] = seat
    last[:] = (seat,)
    current.set(seat)
    return seat


def leave(seat: Seat, live: dict[int, Seat] = _live, current: ContextVar[Seat | None] = _current) -> None:
    """Ends an invocation. Its policy stays in force until the next one begins."""
    live.pop(seat[0], None)
    current.set(seat[1])


class Allowance:
    """`with allowance:` opens more destinations for a block of code, in its own context; what a policy denies stays denied.

    It can only be made at start: code that came in with an event cannot make one. Raises PolicyError, and GuardError inside an invocation.
    """

    __slots__ = ("_before", "_rules", "reason")

    def __init__(self, *entries: str, reason: str = "", live: dict[int, Seat] = _live, last: list[Seat] = _last) -> None:
        if live or last:
            raise GuardError("an allowance can only be made at start, before the first invocation")
        found = hosts.parse(entries, "", "allow")
        if found.deny or found.allow[6]:
            raise PolicyError("an allowance can neither deny nor name AWS calls; put such entries in `egress`", "allow")
        self._rules: tuple[hosts.Table, None] = (found.allow, None)
        self._before: list[Any] = []
        self.reason = reason

    def __enter__(self) -> Allowance:
        self._before.append(_allowed.set((*_allowed.get(), self._rules)))
        return self

    def __exit__(self, *error: object) -> None:
        _allowed.reset(self._before.pop())


class Aside:
    """`with Aside():` the guard's own calls (an emitter, a loader) are let through, between invocations only: in one it changes nothing."""

    __slots__ = ("_before",)

    def __enter__(self) -> Aside:
        self._before = _aside.set(True)
        return self

    def __exit__(self, *error: object) -> None:
        _aside.reset(self._before)


def forget() -> None:
    """Drops what names were seen to answer: after a SnapStart restore those answers are old."""
    _grants.clear()


def arm(environ: Mapping[str, str], own: Callable[[], str] = _socket.gethostname) -> None:
    """Adds the audit hook and notes the platform's endpoints. The first call arms; a later one changes nothing."""
    if _platform:
        return
    _platform.append((*hosts.platform(environ), frozenset({"localhost", "ip6-localhost", own().lower()})))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
        real = getattr(_socket, name)
        noting = _noting(real)
        for module in (_socket, sys.modules.get("socket")):
            if getattr(module, name, None) is real:  # `socket` copies all of them but getaddrinfo, where it was imported earlier
                setattr(module, name, noting)
    sys.addaudithook(_hook)


def _watch(wanted: int) -> None:
    """Loads at the first invocation, not at start, what sees more than names and addresses: 1 requests, 2 AWS calls too."""
    from serverless_guard.sinks import http

    members = [network, http]
    if wanted > 1:
        from serverless_guard.sinks import aws

        members.append(aws)
        _judges["aws"] = aws.judge
    for member in members[_watched[0] and 2 :]:
        _readers.update(dict.fromkeys(member.EVENTS, member.read))
        member.watch()
    _watched[0] = wanted


def _noting(real: Callable[..., Any]) -> Callable[..., Any]:
    """A name-server function that notes what a name answered."""

    def lookup(*given: Any, _real: Callable[..., Any] = real, _note: Callable[[Any, Any], None] = _note, **named: Any) -> Any:
        answer = _real(*given, **named)
        _note(given[0] if given else named.get("host"), answer)
        return answer

    lookup.__name__ = lookup.__qualname__ = real.__name__
    lookup.__doc__ = real.__doc__
    return lookup


def _note(host: Any, answer: Any) -> None:
    """Grants the addresses of an answer to the name that was asked for, unless no name may stand for them."""
    if not isinstance(host, (str, bytes)):
        return
    name = hosts.read(hosts.text(host))
    if isinstance(name, int):
        return
    addresses = [answer] if isinstance(answer, str) else answer[2] if isinstance(answer, tuple) else {place[0] for *_, place in answer}
    until = monotonic() + GRANT_S
    for written in addresses:
        address = hosts.read(written) if isinstance(written, str) else ""
        if isinstance(address, int) and hosts.kind(address) in ("", "private"):
            names = _grants.setdefault(address, {})
            names.pop(name, None)  # the newest name stands last
            names[name] = until
            if len(names) > MAX_NAMES:
                names.pop(next(iter(names)), None)
    while len(_grants) > MAX_ADDRESSES:
        _grants.pop(next(iter(_grants)), None)


def _refuse(
    refusals: list[tuple[Seat, network.Refusal]],
    titles: dict[str, tuple[str, int]] = TITLES,
    most: int = MAX_ATTEMPTS,
    finding: type[Finding] = Finding,
    blocked: type[ActionBlocked] = ActionBlocked,
) -> None:
    """Notes each refusal on its invocation, then raises ActionBlocked where one of them is to block."""
    error = None
    for seat, (rule, control, target, why) in refusals:
        modes, attempts = seat[5], seat[6]
        title, cwe = titles[rule]
        found = finding(rule, control, title, cwe=cwe, target=target)
        if len(attempts) < most and found not in attempts:
            attempts.append(found)
        if modes[control] == "block":
            error = blocked(f"outbound call to `{target}` {why}", rule)
    if error is not None:
        raise error


def _hook(
    event: str,
    args: tuple[Any, ...],
    readers: dict[str, Callable[..., network.Call | None]] = _readers,
    current: Callable[[], Seat | None] = _current.get,
    live: dict[int, Seat] = _live,
    last: list[Seat] = _last,
    platforms: list[tuple[Any, ...]] = _platform,
    grants: network.Grants = _grants,
    judges: dict[str, Callable[..., network.Refusal | None]] = _judges,
    judge_other: Callable[..., network.Refusal | None] = network.judge,
    calling: Callable[[], tuple[str, int] | None] = calling.get,
    within: Callable[..., bool] = network.within,
    allowed: Callable[[], tuple[tuple[hosts.Table, None], ...]] = _allowed.get,
    refuse: Callable[..., None] = _refuse,
    aside: Callable[[], bool] = _aside.get,
    bugs: tuple[type[Exception], ...] = BUGS,
    unreadable: str = "has an address of an odd type; give the host as a str and the port as an int",
) -> None:
    """Judges what an audit event says. Called for every audit event of the process: all others leave at the first line."""
    if event not in readers:
        return
    seat = current()
    if seat is None or seat[0] not in live:
        if aside():
            return
        seats = [*live.values()]
        if not seats:
            if seat is None:
                if not last:
                    return
                seat = (*last[0][:4], False, *last[0][5:])  # the runtime client itself may call the Runtime API
            seats = [seat]
    else:
        seats = [seat]
        while seat[1] is not None:
            seat = seat[1]
            seats.append(seat)
    try:
        call = readers[event](event, args)
        if call is None:
            return
        platform = platforms[0]
    except bugs:
        call = platform = None
    refusals = []
    for seat in seats:
        rules, metadata, runtime_api, modes = seat[2:6]
        try:
            judge = judges.get(call[0], judge_other)  # type: ignore[index]  # None is a bug that is caught below
            refusal = judge(call, rules, metadata, runtime_api, platform, grants)
            if refusal is not None and modes[refusal[1]] != "block" and refusal[1] != "egress":
                refusals.append((seat, refusal))
                refusal = judge(call, rules, False, False, platform, grants)
            if refusal is not None and rules is not None and rules[0][6] and within(refusal, calling()):
                refusal = None
            for more in allowed() if refusal is not None and refusal[1] == "egress" and not refusal[3].startswith("is denied") else ():
                refusal = refusal and judge(call, more, False, False, platform, grants)
        except bugs:
            refusal = ("SG-EGR-005", "egress" if rules else "metadata", event, unreadable) if rules or metadata else None
        if refusal is not None:
            refusals.append((seat, refusal))
    if refusals:
        refuse(refusals)
