"""Hosts: the one spelling of a host, and the rules that an `egress` list gives.

    entry = [!][scheme://]host[:ports][#private]      host = name | *.name | **.name | ip | cidr      ports = n | n-m | list | *
          | unix:/path

An address is one 128-bit number, IPv4 as IPv4-mapped IPv6, so that a network is one shift and one comparison. Names and
addresses are read as the C library reads them (`inet_aton`), else a second spelling of a host would be a second host.
Functions that the audit hook calls keep what they use in positional defaults: a global can be swapped by anyone.
"""

from __future__ import annotations

import _socket
from functools import lru_cache

from serverless_guard.errors import PolicyError
from serverless_guard.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeAlias

TCP, UDP = 1, 2
ANY_PORT, EVERY_PORT = -1, 65536  # of a name that is about to be looked up: some port of it is allowed; all ports of it are denied
LOCALHOST = 0xFFFF_7F00_0001
NOWHERE = (-1, 0)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")
NAME = "abcdefghijklmnopqrstuvwxyz0123456789-_."
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

Rule: TypeAlias = "tuple[int, int, int, bool, str]"
"""`(first port, last port, TCP | UDP, private addresses through DNS too, the entry as written)`."""
ByName: TypeAlias = "dict[str, tuple[Rule, ...]]"
Table: TypeAlias = "tuple[ByName, ByName, ByName, dict[int, tuple[Rule, ...]], tuple[tuple[int, int, Rule], ...], dict[str, str]]"
"""`(names, parents of *.names, parents of **.names, addresses, networks as (shift, prefix, rule), paths of Unix sockets)`: exact types, read by index."""


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
    """The rules that `entries` give. Raises PolicyError with the entry and the nearest right spelling."""
    allow, deny = _empty(), _empty()
    for index, entry in enumerate(entries):
        try:
            denied = entry.startswith("!")
            _add(deny if denied else allow, entry, entry[1:] if denied else entry, denied)
        except _Wrong as wrong:
            raise PolicyError(f"`{path}[{index}]` {wrong}", f"{path}[{index}]", origin) from None
    return Rules(_sealed(allow), _sealed(deny) if any(deny) else None)


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


def name_rule(table: Table, name: str, port: int, protocols: int, private: bool = False, aws: tuple[str, ...] = PUBLIC_AWS) -> str:
    """The entry of `table` that covers a name at a port, "" for none. With `private`, one that covers private addresses."""
    if len(name) > 253:
        return ""
    names, ones, deeps = table[0], table[1], table[2]
    private = private and not name.endswith(aws)
    found = names.get(name)
    if found:
        for low, high, kinds, opened, entry in found:
            if (low <= port <= high or port == -1) and kinds & protocols and (opened or not private):
                return entry
    parent = name.partition(".")[2]
    found = ones.get(parent)
    while parent and (found or deeps):
        for low, high, kinds, opened, entry in (found or ()) + deeps.get(parent, ()):
            if (low <= port <= high or port == -1) and kinds & protocols and (opened or not private):
                return entry
        found, parent = None, parent.partition(".")[2]
    return ""


def address_rule(table: Table, address: int, port: int, protocols: int) -> str:
    """The entry of `table` that covers an address at a port, "" for none."""
    found = table[3].get(address)
    if found:
        for low, high, kinds, _, entry in found:
            if (low <= port <= high or port == -1) and kinds & protocols:
                return entry
    for shift, prefix, (low, high, kinds, _, entry) in table[4]:
        if address >> shift == prefix and (low <= port <= high or port == -1) and kinds & protocols:
            return entry
    return ""


def written(address: int) -> str:
    """An address as people write it: `10.0.0.1`, `[2001:db8::1]`."""
    if address >> 32 == 0xFFFF:
        return _socket.inet_ntoa((address & 0xFFFFFFFF).to_bytes(4, "big"))
    return f"[{_socket.inet_ntop(_socket.AF_INET6, address.to_bytes(16, 'big'))}]"


class _Wrong(Exception):
    """What is wrong with an entry."""


def _empty() -> list[dict[Any, Any]]:
    return [{}, {}, {}, {}, {}, {}]


def _sealed(table: list[dict[Any, Any]]) -> Table:
    """The table as the hook reads it: rules in tuples, networks in a row."""
    rows: list[Any] = [{key: tuple(rules) for key, rules in part.items()} for part in table[:4]]
    return (*rows, tuple((shift, prefix, rule) for (shift, prefix), rules in table[4].items() for rule in rules), dict(table[5]))


def _add(table: list[dict[Any, Any]], entry: str, text: str, denied: bool) -> None:
    """Reads one entry into its table, or raises _Wrong."""
    _refuse_unreadable(entry, text)
    if text.startswith("unix:"):
        if not text.startswith("unix:/"):
            raise _Wrong(f"`{entry}` needs an absolute path, such as `unix:/tmp/app.sock`")
        table[5][text[5:]] = entry
        return
    text, private = (text.removesuffix("#private"), True) if text.endswith("#private") else (text, False)
    scheme, mark, rest = text.rpartition("://")
    scheme = scheme.lower()
    if mark and scheme not in SCHEMES:
        from serverless_guard.policy import nearest

        raise _Wrong(f"`{entry}` has an unknown scheme `{scheme}`{nearest(scheme, SCHEMES)}")
    host, ports = _split(entry, rest)
    ranges = _ports(entry, ports) if ports else [(0, EVERY_PORT)] if denied and not mark else _ports(entry, SCHEMES[scheme or "https"])
    protocols = UDP if scheme == "udp" else TCP | UDP if denied and not mark else TCP
    place, key = _place(entry, host, denied)
    table[place].setdefault(key, []).extend((low, high, protocols, private, entry) for low, high in ranges)


def _refuse_unreadable(entry: str, text: str) -> None:
    """The mistakes and the forms that are no plain host."""
    if not text.isascii():
        from unicodedata import normalize

        folded = normalize("NFKC", text).replace("\u3002", ".").lower()
        raise _Wrong(f"`{entry}` must be ASCII, {f'write `{folded}`' if folded.isascii() else 'write the name in punycode, as `xn--...`'}")
    first, space, rest = text.partition(" ")
    methods = first.upper().split(",")
    if space and all(method in METHODS for method in methods):
        raise _Wrong(f"`{entry}` names HTTP methods, which are not supported yet, write `{rest.rpartition('://')[2].partition('/')[0]}`")
    if space and first.isalpha() and first.isupper():
        raise _Wrong(f"`{entry}` has an unknown HTTP method `{first}`, and methods are not supported yet, write `{rest}`")
    if space or not text.isprintable():
        raise _Wrong(f"`{entry}` has a space, write one destination an entry, such as `{''.join(text.split())}`")
    if text.startswith(("aws:", "@")):
        raise _Wrong(f"`{entry}` names AWS calls, which are not supported yet, write the endpoint, such as `dynamodb.eu-west-1.amazonaws.com`")
    if text in ("*", "**", "*:*", "0.0.0.0", "::"):
        raise _Wrong(f"`{entry}` would allow everything, name the hosts, or leave `egress` out")
    if text.isdigit():
        raise _Wrong(f"`{entry}` is a port without a host, write `host:{text}`")
    if not text:
        raise _Wrong("is empty, write a destination, such as `api.example.com:443`")


def _split(entry: str, text: str) -> tuple[str, str]:
    """Host (or network) and ports of an entry."""
    if "@" in text:
        raise _Wrong(f"`{entry}` has a user name, write `{text.rpartition('@')[2]}`")
    if text.startswith("["):
        inside, _, after = text[1:].partition("]")
        if "]" not in text or (after and after[:1] != ":"):
            raise _Wrong(f"`{entry}` has its brackets wrong, write `[{inside}]:443`")
        return inside, after[1:]
    if text.count(":") > 1:  # an IPv6 address or network without brackets has no port
        start, _, end = text.rpartition(":")
        if end.isdigit() and isinstance(read(start), int):
            raise _Wrong(f"`{entry}` could be an address with a port or without, write `[{start}]:{end}` or `[{text}]`")
        return text, ""
    text = text.removesuffix("/")
    host, slash, after = text.partition("/")
    if slash and not (after.partition(":")[0].isdigit() and not host.strip("0123456789.")):
        raise _Wrong(f"`{entry}` has a path, which is not supported yet, write `{host}`")
    host, _, ports = text.partition(":")
    if text.endswith(":"):
        raise _Wrong(f"`{entry}` has no port after the colon, write `{host}:443`")
    return host, ports


def _ports(entry: str, text: str) -> list[tuple[int, int]]:
    """`443`, `8000-8010`, `80,443`, `*` as ranges."""
    if text == "*":
        return [(0, 65535)]
    if not text:
        raise _Wrong(f"`{entry}` needs a port, write `{entry}:port`")
    ranges = []
    for word in text.split(","):
        first, dash, last = word.partition("-")
        if not (first.isdecimal() and len(first) < 6 and (not dash or (last.isdecimal() and len(last) < 6))):
            raise _Wrong(f"`{entry}` has no valid port in `{text}`, write a number, `8000-8010`, `80,443` or `*`")
        low, high = int(first), int(last or first)
        if not 0 < low <= high <= 65535:
            raise _Wrong(f"`{entry}` has a port out of range in `{text}`, ports are 1 to 65535, the lower first")
        ranges.append((low, high))
    return ranges


def _place(entry: str, host: str, denied: bool) -> tuple[int, Any]:
    """Which part of the table a host belongs to, and its key there."""
    base, slash, length = host.partition("/")
    value = read(base)
    if isinstance(value, int):
        plain = written(value).strip("[]")
        if plain != base and (":" not in base or (value >> 32 == 0xFFFF and base != "::1")):
            raise _Wrong(f"`{entry}` is an odd spelling of an address, write `{plain}`")
        if not slash:
            return 3, value
        return 4, _network(entry, base, value, length)
    stars, _, parent = host.rpartition("*.")
    stars = stars + "*" if "*." in host else ""
    name = (parent if stars else host).lower().removesuffix(".")
    if slash or stars not in ("", "*", "**") or "*" in name:
        nearest = name.replace("*", "").strip("./") or "host"
        raise _Wrong(f"`{entry}` is no host, wildcards are `*.{nearest}` for one label and `**.{nearest}` for any depth")
    if stars and "." not in name and not denied:
        raise _Wrong(f"`{entry}` is too wide, name the domain, such as `{stars}.example.{name}`")
    labels = name.split(".")
    if name.strip(NAME) or len(name) > 253 or not all(0 < len(label) < 64 for label in labels) or labels[-1].isdigit():
        raise _Wrong(f"`{entry}` is no host name, address or network, write `name:port`, such as `api.example.com:443`")
    return len(stars), name


def _network(entry: str, base: str, value: int, length: str) -> tuple[int, int]:
    """A network as shift and prefix."""
    width = 128 if ":" in base else 32
    if not (length.isdecimal() and len(length) < 4 and int(length) <= width):
        raise _Wrong(f"`{entry}` has no valid prefix length, write `{base}/{width}`")
    shift = width - int(length)
    first = value >> shift << shift if width == 128 else 0xFFFF << 32 | (value & 0xFFFFFFFF) >> shift << shift
    if first != value:
        raise _Wrong(f"`{entry}` has host bits set, write `{written(first).strip('[]')}/{length}`")
    if width == 128 and 0xFFFF << 32 >> shift == value >> shift:
        raise _Wrong(f"`{entry}` holds the IPv4 addresses too, write `2000::/3` for the IPv6 internet")
    return shift, value >> shift


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
