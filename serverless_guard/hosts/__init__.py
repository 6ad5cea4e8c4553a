"""Hosts: the one spelling of a host, and the rules that an `egress` list gives (the list itself is read in `hosts.entries`).

An address is one 128-bit number, IPv4 as IPv4-mapped IPv6, so that a network is one shift and one comparison. Names and
addresses are read as the C library reads them (`inet_aton`), else a second spelling of a host would be a second host.
Functions that the audit hook calls keep what they use in positional defaults: a global can be swapped by anyone.
"""

from __future__ import annotations

import _socket
from functools import lru_cache

from serverless_guard.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeAlias

TCP, UDP = 1, 2
ANY_PORT, EVERY_PORT = -1, 65536  # of a name that is about to be looked up: some port of it is allowed; all ports of it are denied
LOCALHOST = 0xFFFF_7F00_0001
NOWHERE = (-1, 0)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")
SCHEMES = {
    "https": "443", "http": "80", "wss": "443", "ws": "80", "ssh": "22", "sftp": "22", "ftp": "21", "smtp": "25", "smtps": "465", "ldap": "389", "ldaps": "636",
    "postgres": "5432", "postgresql": "5432", "mysql": "3306", "redis": "6379", "rediss": "6379", "mongodb": "27017", "amqp": "5672", "amqps": "5671",
    "mssql": "1433", "kafka": "9092", "memcached": "11211", "nats": "4222", "tcp": "", "udp": "",
}  # fmt: skip  # a table reads better in rows
"""The port that a scheme stands for when the entry names none; `tcp` and `udp` have none."""
FIRST_OCTETS = {0: "never", 10: "private", 127: "loopback"} | dict.fromkeys(range(224, 256), "never")
"""Kind of an IPv4 address by its first octet, where that decides: this network, RFC 1918, loopback, multicast, reserved, broadcast."""
PUBLIC_AWS = (".amazonaws.com", ".api.aws", ".amazonaws.com.cn")
"""Names whose private answers are VPC endpoints or the owner's own resources."""

Line: TypeAlias = "tuple[frozenset[str], str] | tuple[()]"
Rule: TypeAlias = "tuple[int, int, int, bool, str, Line]"
"""`(first port, last port, TCP | UDP, private addresses through DNS too, the entry as written, (methods, path prefix) or ())`."""
ByName: TypeAlias = "dict[str, tuple[Rule, ...]]"
ByAddress: TypeAlias = "dict[int, tuple[Rule, ...]]"
AwsRule: TypeAlias = "tuple[str, str, str, str]"
Table: TypeAlias = "tuple[ByName, ByName, ByName, ByAddress, tuple[tuple[int, int, Rule], ...], dict[str, str], tuple[AwsRule, ...]]"
"""`(names, parents of *.names, parents of **.names, addresses, networks as (shift, prefix, rule), paths of Unix sockets,
(service, action, resource, entry) of AWS calls)`: exact types, read by index."""


class Rules(NamedTuple):
    """What an `egress` list allows and denies."""

    allow: Table
    deny: Table | None  # None where no entry denies, which spares each call a look


class Platform(NamedTuple):
    """Endpoints of the Lambda platform itself, as `platform` reads them."""

    runtime_api: tuple[int, int] = (-1, 0)  # address and port; always refused inside an invocation
    plumbing: frozenset[tuple[int, int]] = frozenset()  # X-Ray daemon, extensions, collectors: allowed without an entry
    credentials: frozenset[tuple[int, int]] = frozenset()  # SnapStart's credentials: allowed for botocore alone


def parse(entries: Iterable[str], origin: str = "", path: str = "egress") -> Rules:
    """The rules that `entries` give (`hosts.entries`). Raises PolicyError with the entry and the nearest right spelling."""
    from serverless_guard.hosts.entries import rules

    return rules(entries, origin, path)


def platform(environ: Mapping[str, str]) -> Platform:
    """The platform's own endpoints among the variables of the function; what cannot be read is left out.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    """
    variables = {key: environ[key] for key in environ if key.startswith(("AWS_", "_AWS_XRAY", "PARAMETERS_SECRETS_EXTENSION", "OTEL_EXPORTER_OTLP", "DD_"))}
    plumbing = set()
    for word in variables.get("AWS_XRAY_DAEMON_ADDRESS", "").split():
        plumbing.add(_endpoint(word.removeprefix("tcp:").removeprefix("udp:")))
    for key, value in variables.items():
        if key.startswith("OTEL_EXPORTER_OTLP") and key.endswith("ENDPOINT"):
            address, port = _endpoint(value)
            if kind(address) in ("loopback", "link-local"):
                plumbing.add((address, port))
    ports = [int(port) for port in (variables.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "2773"),) if port.isdecimal()]
    ports = ports if any(key.startswith("PARAMETERS_SECRETS_EXTENSION") for key in variables) else []
    if any(key in variables for key in ("DD_API_KEY", "DD_API_KEY_SECRET_ARN", "DD_KMS_API_KEY", "DD_LAMBDA_HANDLER")):
        ports += [8124, 8125, 8126]
    plumbing.update((LOCALHOST, port) for port in ports)
    credentials = _endpoint(variables.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", ""))
    return Platform(_endpoint(variables.get("AWS_LAMBDA_RUNTIME_API", "")), frozenset(plumbing - {NOWHERE}), frozenset({credentials} - {NOWHERE}))


def text(
    value: Any,
    is_a: Callable[..., bool] = isinstance,
    kinds: tuple[type, type] = (str, bytes),
    exact: Callable[[str], str] = str.__str__,
    decode: Callable[..., str] = bytes.decode,
    kind_of: Callable[[Any], type] = type,  # `__class__` can be made to lie
) -> str:
    """The characters that C code reads from a string or bytes, whatever a subclass says. TypeError where that is not certain."""
    same = exact(value) if is_a(value, kinds[0]) else decode(value, "latin-1") if is_a(value, kinds[1]) else ""
    if (kind_of(value) is kinds[0] or same.isascii()) and 0 < same.__len__() < 256:  # C code asks a codec about the rest, which asks a subclass
        return same
    if kind_of(value) in kinds and not value:
        return ""
    raise TypeError  # also a bytearray: it could change between this look and the call


def embedded(value: int) -> int:
    """The IPv4 address inside an IPv6 one (compatible, translated, NAT64, 6to4, loopback), as a mapped one; else the value itself."""
    if value == 1:
        return 0xFFFF_7F00_0001  # both loopbacks are this host: a client that tries ::1 first must not meet another answer
    if value >> 112 == 0x2002:
        return value >> 80 & 0xFFFFFFFF | 0xFFFF << 32
    if value >> 32 in (0xFFFF0000, 0x64FF9B << 64) or 0xFFFF < value < 1 << 32:
        return value & 0xFFFFFFFF | 0xFFFF << 32
    return value


@lru_cache(1024)  # a connect asks for the same few spellings: 0.1 us instead of 0.9
def read(
    host: str,
    aton: Callable[..., bytes] = _socket.inet_aton,
    pton: Callable[..., bytes] = _socket.inet_pton,
    embedded: Callable[[int], int] = embedded,
) -> str | int:
    """The one spelling of `host`: an address as a number, a name in lower case without its last dot. Never raises.

    As glibc does, a host whose last label is a number (`127.1`, `0x7f.1`, `2130706433`, `0177.0.0.1`) is an address or nothing.
    It remembers: keep what is longer than 255 characters away from it.
    """
    if not host.isascii():
        try:
            host = host.encode("idna").decode()  # what `_socket` does with it before the C library sees it
        except UnicodeError:
            return host
    if ":" in host:
        try:
            value = int.from_bytes(pton(10, host.partition("%")[0]), "big")
        except (OSError, ValueError):
            return host.lower()
        return value if value >> 32 == 0xFFFF else embedded(value)
    host = host.removesuffix(".")
    last = host.rpartition(".")[2]
    if last.isdigit() or " " in host or last[:2] in ("0x", "0X"):
        try:
            return int.from_bytes(aton(host), "big") | 0xFFFF << 32  # older C libraries stop reading at a space: so does `inet_aton`
        except (OSError, ValueError):
            pass
    return host.lower()


def kind(address: int, octets: dict[int, str] = FIRST_OCTETS) -> str:
    """What stands behind an address: "" for the internet, else private, loopback, link-local, metadata, never."""
    if address >> 32 == 0xFFFF:
        octet = address >> 24 & 0xFF
        if octet in octets:
            return octets[octet]
        second = address >> 16 & 0xFF
        if octet == 169 and second == 254:
            return "metadata" if address & 0xFFFF in (0xA9FE, 0xAA02, 0xAA17) else "link-local"
        if octet == 100 and 64 <= second < 128:
            return "metadata" if address & 0xFFFFFFFF == 0x646464C8 else "private"
        return "private" if (octet == 192 and second == 168) or (octet == 172 and 16 <= second < 32) else ""
    if address < 2:
        return "loopback" if address == 1 else "never"
    top = address >> 112
    if top & 0xFE00 == 0xFC00:
        return "metadata" if address in (0xFD000EC2 << 96 | 0x254, 0xFD000EC2 << 96 | 0x23) else "private"
    return "link-local" if top & 0xFFC0 == 0xFE80 else "never" if top >> 8 == 0xFF else ""


def decoded(path: str) -> str:
    """A path with its percent signs undone, once."""
    first, *rest = path.split("%")
    digits = "0123456789abcdefABCDEF"
    return first + "".join([chr(int(part[:2], 16)) + part[2:] if len(part) > 1 and part[0] in digits and part[1] in digits else f"%{part}" for part in rest])


def normal_path(path: str, decoded: Callable[[str], str] = decoded) -> str:
    """The path that a server might read: decoded, slashes single, without query; "" where it could climb (`..`) into another one."""
    path = path.partition("?")[0].partition("#")[0]
    if path[:1] == "/" and "%" not in path and "//" not in path and "/." not in path and "\\" not in path:
        return path  # the usual case, in a tenth of the time
    path = decoded(decoded(path))
    steps = path.replace("\\", "/").split("/")
    if path != decoded(path) or [step for step in steps if step.partition(";")[0] in ("..", ".")]:
        return ""
    return "/" + "/".join([step for step in steps if step]) + ("/" if len(steps) > 1 and not steps[-1] and path.strip("/\\") else "")


def says(line: Line, asked: tuple[str, str] | tuple[()]) -> bool:
    """Whether methods and prefix of an entry cover a request's method and normal path."""
    if not line:
        return True
    if not asked:
        return False
    methods, prefix = line
    return (not methods or asked[0] in methods) and (asked[1] == prefix or asked[1].startswith(prefix if prefix.endswith("/") else prefix + "/"))


def name_rule(
    table: Table,
    name: str,
    port: int,
    protocols: int,
    private: bool = False,
    asked: tuple[str, str] | tuple[()] | None = None,
    aws: tuple[str, ...] = PUBLIC_AWS,
    says: Callable[..., bool] = says,
) -> str:
    """The entry of `table` that covers a name at a port, "" for none.

    private: only one that covers private addresses; asked: the method and normal path of a request, `()` for an entry
    without either, None for any entry (a connection that some request may use)
    """
    if len(name) > 253:
        return ""
    private = private and not name.endswith(aws)
    found, parent, ones, deeps = table[0].get(name, ()), name, table[1], table[2]
    while True:
        for low, high, kinds, opened, entry, line in found:
            if (low <= port <= high or port == -1) and kinds & protocols and (opened or not private) and (asked is None or not line or says(line, asked)):
                return entry
        if not (ones or deeps) or "." not in parent:
            return ""
        parent = parent.partition(".")[2]
        found, ones = deeps.get(parent, ()) + (ones.get(parent, ()) if ones else ()), {}


def address_rule(
    table: Table, address: int, port: int, protocols: int, asked: tuple[str, str] | tuple[()] | None = None, says: Callable[..., bool] = says
) -> str:
    """The entry of `table` that covers an address at a port, "" for none; `asked` as for `name_rule`."""
    for low, high, kinds, _, entry, line in table[3].get(address, ()):
        if (low <= port <= high or port == -1) and kinds & protocols and (asked is None or not line or says(line, asked)):
            return entry
    for shift, prefix, (low, high, kinds, _, entry, line) in table[4]:
        if address >> shift == prefix and (low <= port <= high or port == -1) and kinds & protocols and (asked is None or not line or says(line, asked)):
            return entry
    return ""


def written(address: int) -> str:
    """An address as people write it: `10.0.0.1`, `[2001:db8::1]`."""
    if address >> 32 == 0xFFFF:
        return _socket.inet_ntoa((address & 0xFFFFFFFF).to_bytes(4, "big"))
    return f"[{_socket.inet_ntop(_socket.AF_INET6, address.to_bytes(16, 'big'))}]"


def _endpoint(text: str) -> tuple[int, int]:
    """Address and port of a URL or `host:port` whose host is an address or localhost, else NOWHERE."""
    scheme, _, rest = text.rpartition("://")
    authority = rest.partition("/")[0]
    host, _, port = authority.rpartition(":")
    if not host or not port.isdecimal() or len(port) > 5:
        host, port = authority, SCHEMES.get(scheme.lower(), "")
    address = read(host.strip("[]"))
    address = LOCALHOST if address == "localhost" else address
    return (address, int(port)) if isinstance(address, int) and port else NOWHERE
