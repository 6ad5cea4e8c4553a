"""Clients that know more of a call than its address: they are made to say it, in audit events of the guard's own.

    serverless_guard.tls     (server name, address of the peer or None)     ssl, before the handshake
    serverless_guard.http    (method, scheme, host, port, path)             httpx and botocore, before a connection is looked for

CPython itself raises `http.client.send`, which covers urllib, urllib3 and requests. A host name handed straight to a socket is looked up
here first: C code does so before its event, when the query has left and nobody knows what it answered.
Refusing botocore where it sends, rather than in its HTTP client, spares three attempts and a wrapped error (facts in the tests).
"""

from __future__ import annotations

import _socket
import sys

from serverless_guard import hosts
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

INET = (_socket.AF_INET, _socket.AF_INET6)


def watch() -> None:
    """Covers the clients that are loaded, and the others once they load. Nothing is imported for it."""
    waiting = {}
    for name, cover in COVERS.items():
        module = sys.modules.get(name)
        if module is None or getattr(getattr(module, "__spec__", None), "_initializing", False):
            waiting[name] = cover
        else:
            cover(module)
    if waiting:
        sys.meta_path.insert(0, _Finder(waiting))


class _Finder:
    """A finder that finds nothing of its own, and covers a module after its own loader has run it."""

    def __init__(self, waiting: dict[str, Callable[[ModuleType], None]]) -> None:
        self.waiting = waiting

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        cover = self.waiting.get(name)
        if cover is None:
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target) if finder is not self else None
            if spec is not None:
                _after(spec.loader, cover)
                return spec
        return None


def _after(loader: Any, cover: Callable[[ModuleType], None]) -> None:
    """Has a module covered when its loader, which is its alone, has run it."""
    run = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        run(module)
        cover(module)

    loader.exec_module = exec_module


def _cover_socket(module: ModuleType) -> None:
    for name in ("connect", "connect_ex", "sendto", "sendmsg"):
        _wrap(module.socket, name, _settle)


def _settle(real: Callable[..., Any], sock: Any, *given: Any) -> Any:
    """Calls a method whose last argument may be an address, with the host in it looked up where that is a name."""
    address = given[-1] if given else None
    if address.__class__ is tuple and len(address) > 1 and isinstance(address[0], (str, bytes)) and 0 < len(address[0]) < 256:
        family = _socket.socket.family.__get__(sock)
        host = address[0] if isinstance(address[0], str) else address[0].decode("latin-1")
        if family in INET and host != "<broadcast>" and isinstance(hosts.read(host), str):
            found = _socket.getaddrinfo(host, address[1], family)[0][4][0]
            given = (*given[:-1], (found, *address[1:]))
    return real(sock, *given)


def _cover_ssl(module: ModuleType) -> None:
    _wrap(module.SSLContext, "wrap_socket", _name_to_peer)
    _wrap(module.SSLContext, "wrap_bio", _name)


def _name_to_peer(real: Callable[..., Any], context: Any, sock: Any, server_side: bool = False, *given: Any, **named: Any) -> Any:
    name = named.get("server_hostname") or (given[2] if len(given) > 2 else None)
    if name and not server_side:
        try:
            peer = _socket.socket.getpeername(sock)[0]
        except (OSError, TypeError):
            peer = None
        sys.audit("serverless_guard.tls", name, peer)
    return real(context, sock, server_side, *given, **named)


def _name(
    real: Callable[..., Any], context: Any, incoming: Any, outgoing: Any, server_side: bool = False, server_hostname: Any = None, session: Any = None
) -> Any:
    if server_hostname and not server_side:
        sys.audit("serverless_guard.tls", server_hostname, None)
    return real(context, incoming, outgoing, server_side, server_hostname, session)


def _cover_httpx(module: ModuleType) -> None:
    _wrap(module.HTTPTransport, "handle_request", _ask_httpx)
    _wrap(module.AsyncHTTPTransport, "handle_async_request", _ask_httpx)


def _ask_httpx(real: Callable[..., Any], transport: Any, request: Any) -> Any:
    url = request.url
    sys.audit("serverless_guard.http", request.method, url.scheme, request.headers.get("host") or url.host, url.port or 0, url.raw_path.decode("latin-1"))
    return real(transport, request)


def _cover_botocore(module: ModuleType) -> None:
    _wrap(module.URLLib3Session, "send", _ask_botocore)


def _ask_botocore(real: Callable[..., Any], session: Any, request: Any) -> Any:
    scheme, _, rest = request.url.partition("://")
    authority, slash, path = rest.partition("/")
    sys.audit("serverless_guard.http", request.method, scheme, authority, 0, slash + path)
    return real(session, request)


def _wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
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


COVERS: dict[str, Callable[[ModuleType], None]] = {
    "socket": _cover_socket,
    "ssl": _cover_ssl,
    "httpx._transports.default": _cover_httpx,
    "botocore.httpsession": _cover_botocore,
}
"""Modules whose clients are covered."""
