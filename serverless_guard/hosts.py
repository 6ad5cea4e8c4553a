"""Hosts: the one spelling of a host, and the rules that an `egress` list gives.

    entry = [!][METHOD[,METHOD] ][scheme://]host[:ports][/prefix][#private]
          | [!]udp://host:ports | [!]unix:/path
    host  = name | *.name (one label) | **.name (any depth) | ip | cidr          ports = n | n-m | list | *

An address is one 128-bit number, IPv4 as IPv4-mapped IPv6, so that a network is one shift and one comparison. Names and
addresses are read as the C library reads them (`inet_aton`), else a second spelling of a host would be a second host.
Functions that the audit hook calls keep what they use in positional defaults: a global can be swapped by anyone.
"""

from __future__ import annotations

import _socket
import re
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

Line: TypeAlias = "tuple[frozenset[str], str] | tuple[()]"
Rule: TypeAlias = "tuple[int, int, int, bool, str, Line]"
"""`(first port, last port, TCP | UDP, private addresses through DNS too, the entry as written, (methods, path prefix) or ())`."""
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


def text(
    value: Any,
    is_a: Callable[..., bool] = isinstance,
    kinds: tuple[type, type] = (str, bytes),
    exact: Callable[[str], str] = str.__str__,
    decode: Callable[..., str] = bytes.decode,
) -> str:
    """The characters that C code reads from a string or bytes, whatever a subclass says. TypeError where that is not certain."""
    same = exact(value) if is_a(value, kinds[0]) else decode(value, "latin-1") if is_a(value, kinds[1]) else ""
    if (value.__class__ is kinds[0] or same.isascii()) and 0 < same.__len__() < 256:  # C code asks a codec about the rest, which asks a subclass
        return same
    if value == "" or value == b"":
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


def normal_path(
    path: str,
    decode: Callable[..., str] = re.compile("%([0-9a-fA-F]{2})").sub,
    char: Callable[[Any], str] = lambda match: chr(int(match[1], 16)),
) -> str:
    """The path that a server might read: decoded, slashes single, without query; "" where it could climb (`..`) into another one."""
    path = decode(char, decode(char, path.partition("?")[0].partition("#")[0]))
    steps = path.replace("\\", "/").split("/")
    if path != decode(char, path) or [step for step in steps if step.partition(";")[0] in ("..", ".")]:
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
    names, ones, deeps = table[0], table[1], table[2]
    private = private and not name.endswith(aws)
    found = names.get(name, ())
    parent = name.partition(".")[2] if ones or deeps else ""
    if parent:
        found += ones.get(parent, ())
        while parent and deeps:
            found += deeps.get(parent, ())
            parent = parent.partition(".")[2]
    for low, high, kinds, opened, entry, line in found:
        if (low <= port <= high or port == -1) and kinds & protocols and (opened or not private) and (asked is None or not line or says(line, asked)):
            return entry
    return ""


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
    methods, text = _methods(entry, text)
    scheme, mark, rest = text.partition("://")
    scheme, rest = (scheme.lower(), rest) if mark else ("", text)
    if mark and scheme not in SCHEMES:
        from serverless_guard.policy import nearest

        raise _Wrong(f"`{entry}` has an unknown scheme `{scheme}`{nearest(scheme, SCHEMES)}")
    host, ports, prefix = _split(entry, rest)
    ranges = _ports(entry, ports) if ports else [(0, EVERY_PORT)] if denied and not mark else _ports(entry, SCHEMES[scheme or "https"])
    protocols = UDP if scheme == "udp" else TCP | UDP if denied and not mark else TCP
    line: Line = (methods, prefix or "/") if methods or prefix else ()
    if line and scheme not in ("", "http", "https"):
        raise _Wrong(f"`{entry}` names a method or a path, which only HTTP has, write `{scheme}://{host}`")
    place, key = _place(entry, host, denied)
    table[place].setdefault(key, []).extend((low, high, protocols, private, entry, line) for low, high in ranges)


def _refuse_unreadable(entry: str, text: str) -> None:
    """The mistakes and the forms that are no plain host."""
    if not text.isascii():
        from unicodedata import normalize

        folded = normalize("NFKC", text).replace("\u3002", ".").lower()
        raise _Wrong(f"`{entry}` must be ASCII, {f'write `{folded}`' if folded.isascii() else 'write the name in punycode, as `xn--...`'}")
    if text.startswith(("aws:", "@")):
        raise _Wrong(f"`{entry}` names AWS calls, which are not supported yet, write the endpoint, such as `dynamodb.eu-west-1.amazonaws.com`")
    if text in ("*", "**", "*:*", "0.0.0.0", "::"):
        raise _Wrong(f"`{entry}` would allow everything, name the hosts, or leave `egress` out")
    if text.isdigit():
        raise _Wrong(f"`{entry}` is a port without a host, write `host:{text}`")
    if not text:
        raise _Wrong("is empty, write a destination, such as `api.example.com:443`")


def _methods(entry: str, text: str) -> tuple[frozenset[str], str]:
    """The HTTP methods in front of an entry, and the rest of it."""
    first, space, rest = text.partition(" ")
    methods = first.upper().split(",")
    if space and first.replace(",", "").isalpha():
        unknown = [method for method in methods if method not in METHODS]
        if not unknown and rest == "".join(rest.split()):
            return frozenset(methods), rest
        if unknown and first == first.upper():
            from serverless_guard.policy import nearest

            raise _Wrong(f"`{entry}` has an unknown HTTP method `{unknown[0]}`{nearest(unknown[0].upper(), METHODS)}")
    if space or not text.isprintable():
        raise _Wrong(f"`{entry}` has a space, write one destination an entry, such as `{''.join(text.split())}`")
    return frozenset(), text


def _split(entry: str, text: str) -> tuple[str, str, str]:
    """Host (or network), ports and path prefix of an entry."""
    authority, slash, rest = text.partition("/")
    if "@" in authority:
        raise _Wrong(f"`{entry}` has a user name, write `{authority.rpartition('@')[2]}`")
    if text.startswith("["):
        inside, close, after = text[1:].partition("]")
        ports, slash, rest = after.partition("/")
        if not close or ports[:1] not in ("", ":"):
            raise _Wrong(f"`{entry}` has its brackets wrong, write `[{inside}]:443`")
        return inside, ports[1:], _prefix(entry, slash + rest)
    if authority.count(":") > 1:  # an IPv6 address or network without brackets has no port
        start, _, end = authority.rpartition(":")
        if end.isdecimal() and not slash and isinstance(read(start), int):
            raise _Wrong(f"`{entry}` could be an address with a port or without, write `[{start}]:{end}` or `[{authority}]`")
        return text, "", ""
    length, more, last = rest.partition("/")
    length, colon, ports = length.partition(":")
    if slash and length.isdecimal() and not authority.strip("0123456789."):
        host, rest = f"{authority}/{length}", more + last
    else:
        host, colon, ports = authority.partition(":")
        rest = slash + rest
    if colon and not ports:
        raise _Wrong(f"`{entry}` has no port after the colon, write `{host}:443`")
    return host, ports, _prefix(entry, rest)


def _prefix(entry: str, path: str) -> str:
    """A path prefix as it is compared: "" for every path."""
    if path.strip("/") == "":
        return ""
    plain = "/" + "/".join(step for step in path.partition("?")[0].partition("#")[0].split("/") if step.strip("*") and step not in ("..", "."))
    if path != normal_path(path) or "*" in path or "%" in path:
        raise _Wrong(f"`{entry}` has a path that is no plain prefix, write `{plain}`")
    return path


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
