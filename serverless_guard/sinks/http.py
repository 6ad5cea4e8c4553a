"""Requests where their client shows them: the line of an HTTP request, and the server name of a TLS handshake.

    http.client.send         raised by CPython: urllib, urllib3, requests, botocore
    serverless_guard.http    raised by the guard's own covers: httpx, botocore  (method, scheme, host, port, path)
    serverless_guard.tls     raised by the guard's own cover: ssl               (server name, address of the peer or None)

SG-EGR-006: a method or a path that no entry of its host declares; SG-EGR-001: a host that is not declared, behind a proxy, a
forged `Host` header, or an address which an allowed name shares. A client that shows neither is held to names and addresses
alone. botocore is asked where it sends: refused later, in its HTTP client, it would try three times and wrap the error.
"""

from __future__ import annotations

import _socket
import sys

from serverless_guard import hosts
from serverless_guard.sinks import cover, wrap
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

EVENTS = frozenset({"http.client.send", "serverless_guard.http", "serverless_guard.tls"})


def asked(
    authority: str,
    port: int,
    method: str,
    path: str,
    host_of: Callable[[str], Any] = hosts.read,
    path_of: Callable[[str], str] = hosts.normal_path,
    number: Callable[[str], int] = int,
) -> tuple[str, Any, int, int]:
    """A request to `host[:port]`, at `port` where that names none."""
    host, colon, digits = authority.rpartition("@")[2].rpartition(":")
    if not colon or not digits.isdecimal() or len(digits) > 5:
        host, digits = authority.rpartition("@")[2], ""
    return "http", (host_of(host.strip("[]")[:255]), method, path_of(path)), number(digits) if digits else port, 1


def request(
    connection: Any,
    data: Any,
    own: Callable[[Any, str], Any] = object.__getattribute__,
    methods: tuple[str, ...] = hosts.METHODS,
    family_of: Callable[[Any], int] = _socket.socket.family.__get__,
    asked: Callable[..., Any] = asked,
    is_a: Callable[..., bool] = isinstance,
    socket: type = _socket.socket,
    unix: int = _socket.AF_UNIX,
    kind_of: Callable[[Any], type] = type,
    kinds: tuple[type, ...] = (bytes, int),
    number: Callable[[str], int] = int,
) -> tuple[str, Any, int, int] | None:
    """The request whose head `http.client` sends, or None for anything else that it sends."""
    if kind_of(data) is not kinds[0]:
        return None
    fields = own(connection, "__dict__")
    method = data[:32].partition(b" ")[0].decode("latin-1")
    known = fields.get("_method")
    if method not in (known, "CONNECT") and (known or method not in methods):
        return None  # a body; or the first bytes of a request that was put together by hand
    head = data[:65536].decode("latin-1").partition("\r\n\r\n")[0]
    place, _, version = head.partition("\r\n")[0][len(method) + 1 :].rpartition(" ")
    if not version.startswith("HTTP/"):
        return None
    sock = fields.get("sock")
    if is_a(sock, socket) and family_of(sock) == unix:
        return None
    host, port = fields.get("_tunnel_host") or fields.get("host") or "", fields.get("_tunnel_port") or fields.get("port") or 0
    if kind_of(port) is not kinds[1]:
        port = number(f"{port}") if f"{port}".isdecimal() else 0
    if method == "CONNECT":
        authority, place = place, "/"
    elif "://" in place:
        scheme, _, place = place.partition("://")
        authority, slash, path = place.partition("/")
        place, port = slash + path, 443 if scheme.lower() == "https" else 80
    else:
        at = head.lower().find("\r\nhost:")
        authority = head[at + 7 :].partition("\r\n")[0].strip() if at > 0 else ""
    return asked(authority or host, port, method, place) if authority or host else None


def read(
    event: str,
    args: tuple[Any, ...],
    host_of: Callable[[str], str | int] = hosts.read,
    text_of: Callable[[Any], str] = hosts.text,
    request: Callable[..., Any] = request,
    asked: Callable[..., Any] = asked,
) -> tuple[str, Any, int, int] | None:
    """The request behind an event, as `network.judge` takes it: `("http", (host, method, path), port, TCP)` or `("tls", (name, peer), 0, TCP)`."""
    if event == "http.client.send":
        return request(*args)  # type: ignore[no-any-return]  # a call or None
    if event == "serverless_guard.tls":
        name, peer = args
        return "tls", (host_of(text_of(name)), peer and host_of(text_of(peer))), 0, 1
    method, scheme, host, port, path = args
    return asked(host, port or (443 if scheme == "https" else 80), method, path)  # type: ignore[no-any-return]  # a call


def watch() -> None:
    """Covers ssl, httpx and botocore."""
    cover({"ssl": _cover_ssl, "httpx._transports.default": _cover_httpx, "botocore.httpsession": _cover_botocore})


def _cover_ssl(module: ModuleType) -> None:
    wrap(module.SSLContext, "wrap_socket", _name_to_peer)
    wrap(module.SSLContext, "wrap_bio", _name)


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
    wrap(module.HTTPTransport, "handle_request", _ask_httpx)
    wrap(module.AsyncHTTPTransport, "handle_async_request", _ask_httpx)


def _ask_httpx(real: Callable[..., Any], transport: Any, request: Any) -> Any:
    url = request.url
    sys.audit("serverless_guard.http", request.method, url.scheme, request.headers.get("host") or url.host, url.port or 0, url.raw_path.decode("latin-1"))
    return real(transport, request)


def _cover_botocore(module: ModuleType) -> None:
    wrap(module.URLLib3Session, "send", _ask_botocore)


def _ask_botocore(real: Callable[..., Any], session: Any, request: Any) -> Any:
    scheme, _, rest = request.url.partition("://")
    authority, slash, path = rest.partition("/")
    sys.audit("serverless_guard.http", request.method, scheme, authority, 0, slash + path)
    return real(session, request)
