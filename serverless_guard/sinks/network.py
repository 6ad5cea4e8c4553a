"""Outbound calls through Python's sockets: names before the query leaves, addresses when they are connected to.

CWE-918 (server-side request forgery) and CWE-201 (data sent where it should not go). Rules:

    SG-EGR-001  a host name that `egress` does not declare               SG-EGR-004  the Runtime API of Lambda
    SG-EGR-002  an address that `egress` does not declare                SG-EGR-005  another kind of socket
    SG-EGR-003  an instance-metadata or otherwise senseless address      SG-EGR-006, SG-EGR-007  see http and aws

An address is allowed by an entry of its own or by a grant: a name that was looked up, gave this address, and is allowed at this
port. Metadata, loopback and link-local addresses are never granted by a name (`localhost` excepted), private ones only where
the entry says `#private`. Attack: `requests.get(event["url"])` with `http://169.254.169.254/latest/meta-data/`. Near miss: the
X-Ray daemon at `169.254.100.1:2000`.

Python's C code looks a host name that is handed straight to `connect` up before it raises the event, with no event for the lookup.
The shield covers the methods of `socket.socket` for that; from `_socket.socket` itself the query leaves before the call is refused.
"""

from __future__ import annotations

import _socket
import sys
from math import inf
from time import monotonic

from serverless_guard import hosts
from serverless_guard.sinks import cover, wrap
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any, TypeAlias

CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"})
EVENTS = CONNECTS | LOOKUPS | {"socket.bind", "socket.__new__"}
FAMILIES = {_socket.AF_UNIX: "unix", _socket.AF_INET: "inet", _socket.AF_INET6: "inet"}

Call: TypeAlias = "tuple[str, Any, int, int]"
"""`(kind, target, port, protocols)`: kind is lookup, reverse, name, address, unix, family, listen, tls or http; the target is a name
or an address as `hosts.read` gives them, a path, or the number of a socket family; for tls `(name, peer)`, for http `(host, method, path)`."""
Refusal: TypeAlias = "tuple[str, str, str, str]"
"""`(rule, control, target as host:port, why)`."""
OTHER_LINE = "uses a method or a path that is not declared; its entry is `{entry}`"
UNDECLARED = "is not declared; add `{entry}` to `egress`"
AT_PRIVATE_ADDRESS = "is at a private address; add `{entry}#private` to `egress`"
DENIED = "is denied by the entry `{entry}` of `egress`"
SWITCH = "is refused inside an invocation; set `controls.{entry}` to `off` to allow it"
Grants: TypeAlias = "dict[int, dict[str, float]]"
"""The names that gave an address when they were looked up, and until when (`monotonic`) that counts."""


def read(
    event: str,
    args: tuple[Any, ...],
    connects: frozenset[str] = CONNECTS,
    family_of: Callable[[Any], int] = _socket.socket.family.__get__,  # a C descriptor, which a subclass cannot override
    type_of: Callable[[Any], int] = _socket.socket.type.__get__,
    families: Mapping[int, str] = FAMILIES,
    host_of: Callable[[str], str | int] = hosts.read,
    text_of: Callable[[Any], str] = hosts.text,
    is_a: Callable[..., bool] = isinstance,
    kinds: tuple[Any, Any, Any] = (int, tuple, str),
    item: Callable[..., Any] = tuple.__getitem__,
    length: Callable[[Any], int] = tuple.__len__,
    number: Callable[[Any], int] = int.__int__,
    kind_of: Callable[[Any], type] = type,  # `__class__` can be made to lie
) -> Call | None:
    """The call behind an audit event, or None where there is nothing to judge. TypeError where it cannot be read for certain."""
    if event in connects or event == "socket.bind":
        sock, address = args
        family = families.get(family_of(sock))
        if family == "inet":
            if not is_a(address, kinds[1]) or length(address) < 2:
                return None  # sendmsg on a connected socket, or what C code itself will refuse
            host, port = item(address, 0), item(address, 1)
            datagram = type_of(sock) & 0xF == 2
            if kind_of(host) is not kinds[2] or kind_of(port) is not kinds[0] or host.__len__() > 255:  # the usual case is spared two calls
                host, port = text_of(host), number(port)
            target = 0xFFFF_0000_0000 if host == "" else 0xFFFF_FFFF_FFFF if host == "<broadcast>" else host_of(host)
            if event == "socket.bind":
                return None if datagram or port == 0 else ("listen", target, port, 1)
            return ("address" if is_a(target, kinds[0]) else "name"), target, port, 2 if datagram else 1
        if address is None or event == "socket.bind":
            return None
        return ("unix", text_of(address), 0, 3) if family else ("family", family_of(sock), 0, 3)
    if event == "socket.__new__":
        _, family, kind, _ = args
        return None if family == -1 or (family in families and kind & 0xF != 3) else ("family", family, 0, 3)
    host, port = args[0], 0
    if event == "socket.getnameinfo":
        host = item(host, 0)
    elif event == "socket.getaddrinfo" and is_a(args[1], kinds[0]):
        port = args[1]
    if host is None or host == "":
        return None
    target = host_of(text_of(host))
    if is_a(target, kinds[0]):
        return ("reverse", target, 0, 3) if event in ("socket.gethostbyaddr", "socket.getnameinfo") else None
    return "lookup", target, port, 3


def place(host: str | int, port: int, whole: type = int, spell: Callable[[int], str] = hosts.written) -> str:
    """A target as people write it: `host:port`."""
    name = spell(host) if host.__class__ is whole else f"{host}"[:253]  # type: ignore[arg-type]  # a number where its class says so
    return f"{name}:{port}" if port else name


def botocore_asks(frame_of: Callable[[int], Any] = sys._getframe) -> bool:
    """Whether botocore's fetcher of container credentials is what calls."""
    frame = frame_of(2)
    while frame is not None:
        if frame.f_globals.get("__name__") in ("botocore.utils", "aiobotocore.utils"):
            return True
        frame = frame.f_back
    return False


def judge_address(
    call: Call,
    rules: tuple[hosts.Table, hosts.Table | None] | None,
    metadata: bool,
    runtime_api: bool,
    platform: tuple[Any, ...],
    grants: Grants,
    names: tuple[tuple[str, float], ...] = (),
    asked: tuple[str, str] | None = None,
    kind_of: Callable[[int], str] = hosts.kind,
    name_rule: Callable[..., str] = hosts.name_rule,
    address_rule: Callable[..., str] = hosts.address_rule,
    now: Callable[[], float] = monotonic,
    ever: float = inf,
    localhost: str = "localhost",
    other: str = "",
    undeclared: str = UNDECLARED,
    denied: str = DENIED,
    switch: str = SWITCH,
    private: str = AT_PRIVATE_ADDRESS,
    other_line: str = OTHER_LINE,
    place: Callable[..., str] = place,
    asked_by_botocore: Callable[[], bool] = botocore_asks,
) -> Refusal | None:
    """What is wrong with a call to an address: one that `names` (each with its time) just answered, or that was granted earlier."""
    _, address, port, protocols = call
    runtime, plumbing, credentials, _ = platform
    kind = kind_of(address)
    if kind:
        if (address, port) in plumbing or ((address, port) in credentials and ((address, port) != runtime or asked_by_botocore())):
            return None
        if runtime_api and port == runtime[1] and (address == runtime[0] or (kind in ("loopback", "never") and kind_of(runtime[0]) == "loopback")):
            return "SG-EGR-004", "runtime_api", place(address, port), switch.replace("{entry}", "runtime_api")
        if metadata and kind in ("metadata", "never"):
            return "SG-EGR-003", "metadata", place(address, port), switch.replace("{entry}", "metadata")
    if rules is None:
        return None
    allow, deny = rules
    entry = address_rule(deny, address, port, protocols, asked or ()) if deny else ""
    if kind == "loopback":
        names = ((localhost, ever),)
    elif kind not in ("", "private"):
        names = ()
    elif not names and address in grants:
        names = (*grants[address].items(),)
    time, name, declared = now() if names else 0.0, "", not entry
    for name, until in names if declared else ():
        if until > time:
            entry = name_rule(deny, name, port, protocols, False, asked or ()) if deny else ""
            if not entry and name_rule(allow, name, port, protocols, kind == "private", asked):
                return None
            if asked and not entry and not other:
                other = name_rule(allow, name, port, protocols, kind == "private")
    if declared and address_rule(allow, address, port, protocols, asked):
        return None
    name = "" if kind == "loopback" else name
    target = place(name or address, port)
    if asked and not entry and (other or address_rule(allow, address, port, protocols)):
        return "SG-EGR-006", "egress", target, other_line.replace("{entry}", other or address_rule(allow, address, port, protocols))
    why = denied if entry else private if name and kind == "private" else undeclared
    wanted = entry or (f"udp://{target}" if protocols == 2 else target)
    return "SG-EGR-001" if name else "SG-EGR-002", "egress", target, why.replace("{entry}", wanted)


def judge_name(
    name: str,
    port: int,
    protocols: int,
    rules: tuple[hosts.Table, hosts.Table | None],
    asked: tuple[str, str] | None = None,
    name_rule: Callable[..., str] = hosts.name_rule,
    undeclared: str = UNDECLARED,
    denied: str = DENIED,
    other_line: str = OTHER_LINE,
    place: Callable[..., str] = place,
) -> Refusal | None:
    """What is wrong with a call to a name at a port: ANY_PORT for a lookup, which only an entry for every port can deny."""
    allow, deny = rules
    entry = name_rule(deny, name, 65536 if port == -1 else port, protocols, False, asked or ()) if deny else ""
    if not entry and name_rule(allow, name, port, protocols, False, asked):
        return None
    target = place(name, port if port > 0 else 0)
    other = name_rule(allow, name, port, protocols) if asked and not entry else ""
    if other:
        return "SG-EGR-006", "egress", target, other_line.replace("{entry}", other)
    wanted = entry or ("udp://" if protocols == 2 else "") + place(name, port if port > 0 else 443)
    return "SG-EGR-001", "egress", target, (denied if entry else undeclared).replace("{entry}", wanted)


def judge(
    call: Call,
    rules: tuple[hosts.Table, hosts.Table | None] | None,
    metadata: bool,
    runtime_api: bool,
    platform: tuple[Any, ...],
    grants: Grants,
    at_address: Callable[..., Refusal | None] = judge_address,
    at_name: Callable[..., Refusal | None] = judge_name,
    kind_of: Callable[[int], str] = hosts.kind,
    name_rule: Callable[..., str] = hosts.name_rule,
    address_rule: Callable[..., str] = hosts.address_rule,
    resolve: Callable[..., list[Any]] = _socket.getaddrinfo,
    host_of: Callable[[str], Any] = hosts.read,
    ever: float = inf,
    loopback: int = hosts.LOCALHOST,
    undeclared: str = UNDECLARED,
    switch: str = SWITCH,
    place: Callable[..., str] = place,
) -> Refusal | None:
    """What is wrong with a call of any other kind than an address, or None.

    rules: what is allowed and what is denied, None where `egress` is not declared
    metadata, runtime_api: whether those are refused
    platform: the fields of `hosts.Platform`, then the names of this very host
    """
    kind, target, port, protocols = call
    if kind == "http":
        host, *asked = target
        host = loopback if host == "localhost" else host
        if host.__class__ is not str:
            return at_address(("address", host, port, 1), rules, metadata, runtime_api, platform, grants, (), asked)
        return None if rules is None else at_name(host, port, 1, rules, asked)
    if kind == "name":
        refusal = at_name(target, port, protocols, rules) if target != "localhost" and rules is not None else None
        for *_, answer in () if refusal else resolve(target, port):  # where the name does not exist, this raises what `connect` would
            refusal = refusal or at_address(("address", host_of(answer[0]), port, protocols), rules, metadata, runtime_api, platform, grants, ((target, ever),))
        return refusal
    if rules is None:
        return None
    allow, deny = rules
    if kind == "lookup":
        refusal = None if target in platform[3] else at_name(target, -1, 3, rules)
        return refusal and (*refusal[:2], place(target, port), refusal[3] if "!" in refusal[3] else undeclared.replace("{entry}", place(target, port or 443)))
    if kind == "tls":
        name, peer = target
        if name.__class__ is not str or name in platform[3] or (address_rule(allow, peer, -1, 1) if peer else allow[3] or allow[4]):
            return None  # an address that is declared itself may call itself what it likes
        return at_name(name, -1, 1, rules)
    if kind == "reverse":
        if kind_of(target) or target in grants or address_rule(allow, target, -1, 3):
            return None
        return "SG-EGR-002", "egress", place(target, 0), undeclared.replace("{entry}", place(target, 443))
    if kind == "unix":
        if target in allow[5] and not (deny and target in deny[5]):
            return None
        target = f"unix:{target[:253]}"
        return "SG-EGR-005", "egress", target, undeclared.replace("{entry}", target)
    if kind == "listen":
        if target == "localhost" or (target.__class__ is not str and kind_of(target) == "loopback"):
            return None
        return "SG-EGR-005", "egress", place(target, port), "would be open to other hosts; listen on `127.0.0.1`"
    return "SG-EGR-005", "egress", f"socket family {target}", switch.replace("{entry}", "egress")


def within(refusal: tuple[str, str, str, str], endpoint: tuple[str, int] | None, aws: tuple[str, ...] = hosts.PUBLIC_AWS) -> bool:
    """Whether a refused connection or lookup is the endpoint of the allowed AWS call under way."""
    if endpoint is None or not refusal[3].startswith("is not declared"):
        return False
    host, port = endpoint
    name, _, _ = refusal[2].rpartition(":")
    return name == host or name.endswith(f".{host}") or name.endswith(aws) or (refusal[2] == f"127.0.0.1:{port}" and host == "localhost")


def watch() -> None:
    """Covers the methods of `socket.socket` that take an address: a host name in it is looked up before C code does so unseen."""
    cover({"socket": _cover_socket})


def _cover_socket(module: ModuleType) -> None:
    for name in ("connect", "connect_ex", "sendto", "sendmsg"):
        wrap(module.socket, name, _settle)


def _settle(real: Callable[..., Any], sock: Any, *given: Any) -> Any:
    """Calls a method whose last argument may be an address, with the host in it looked up where that is a name."""
    address = given[-1] if given else None
    if address.__class__ is tuple and len(address) > 1 and isinstance(address[0], (str, bytes)) and 0 < len(address[0]) < 256:
        family = _socket.socket.family.__get__(sock)
        host = address[0] if isinstance(address[0], str) else address[0].decode("latin-1")
        if FAMILIES.get(family) == "inet" and host != "<broadcast>" and isinstance(hosts.read(host), str):
            found = _socket.getaddrinfo(host, address[1], family)[0][4][0]
            given = (*given[:-1], (found, *address[1:]))
    return real(sock, *given)
