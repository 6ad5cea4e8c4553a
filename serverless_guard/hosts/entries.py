"""The list of outbound destinations, as people write it.

    entry = [!][METHOD[,METHOD] ][scheme://]host[:ports][/prefix][#private]
          | [!]udp://host:ports | [!]unix:/path | [!]aws:service:Action[@resource]
    host  = name | *.name (one label) | **.name (any depth) | ip | cidr          ports = n | n-m | list | *

`!` denies, and wins. Without a scheme the port is 443, of a denied entry every port. An entry has one spelling: what could be meant in two
ways is refused with both. Imported when a list is declared.
"""

from __future__ import annotations

from serverless_guard.errors import PolicyError
from serverless_guard.hosts import EVERY_PORT, METHODS, SCHEMES, TCP, UDP, Rules, normal_path, read, written
from serverless_guard.policy import nearest
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from serverless_guard.hosts import Line, Table

AWS_RESOURCES = frozenset("bedrock dynamodb events firehose kinesis kms lambda logs s3 secretsmanager sns sqs ssm states".split())  # noqa: SIM905  # reads better
"""Services whose calls the guard knows to name their resource (`sinks.aws`)."""
NAME = "abcdefghijklmnopqrstuvwxyz0123456789-_."


def rules(entries: Iterable[str], origin: str = "", path: str = "egress") -> Rules:
    """The rules that `entries` give. Raises PolicyError with the entry and the nearest right spelling."""
    allow, deny = _empty(), _empty()
    for index, entry in enumerate(entries):
        try:
            denied = entry.startswith("!")
            _add(deny if denied else allow, entry, entry[1:] if denied else entry, denied)
        except _Wrong as wrong:
            raise PolicyError(f"`{path}[{index}]` {wrong}", f"{path}[{index}]", origin) from None
    return Rules(_sealed(allow), _sealed(deny) if any(deny) else None)


class _Wrong(Exception):
    """What is wrong with an entry."""


def _empty() -> list[dict[Any, Any]]:
    return [{}, {}, {}, {}, {}, {}, {}]


def _sealed(table: list[dict[Any, Any]]) -> Table:
    """The table as the hook reads it: rules in tuples, networks in a row."""
    rows: list[Any] = [{key: tuple(rules) for key, rules in part.items()} for part in table[:4]]
    return (*rows, tuple((shift, prefix, rule) for (shift, prefix), rules in table[4].items() for rule in rules), dict(table[5]), tuple(table[6].values()))


def _add(table: list[dict[Any, Any]], entry: str, text: str, denied: bool) -> None:
    """Reads one entry into its table, or raises _Wrong."""
    _refuse_unreadable(entry, text)
    if text.startswith("unix:"):
        if not text.startswith("unix:/"):
            raise _Wrong(f"`{entry}` needs an absolute path, such as `unix:/tmp/app.sock`")
        table[5][text[5:]] = entry
        return
    if text.startswith("aws:"):
        table[6][entry] = (*_aws(entry, text), entry)
        return
    text, private = (text.removesuffix("#private"), True) if text.endswith("#private") else (text, False)
    methods, text = _methods(entry, text)
    scheme, mark, rest = text.partition("://")
    scheme, rest = (scheme.lower(), rest) if mark else ("", text)
    if mark and scheme not in SCHEMES:
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
    if text.startswith("@"):
        raise _Wrong(f"`{entry}` names an account, which is not supported yet, write the calls, such as `aws:dynamodb:GetItem@table/orders`")
    if text in ("*", "**", "*:*", "0.0.0.0", "::"):
        raise _Wrong(f"`{entry}` would allow everything, name the hosts, or leave `egress` out")
    if text.isdigit():
        raise _Wrong(f"`{entry}` is a port without a host, write `host:{text}`")
    if not text:
        raise _Wrong("is empty, write a destination, such as `api.example.com:443`")


def _aws(entry: str, text: str) -> tuple[str, str, str]:
    """Service, action and resource of an `aws:` entry."""
    service, _, rest = text[4:].partition(":")
    action, at, resource = rest.partition("@")
    if not action.replace("*", "").isalnum() and action != "*":
        raise _Wrong(f"`{entry}` needs a service and an action, write them as `aws:dynamodb:GetItem@table/orders`")
    if not service.replace("-", "").isalnum() or service != service.lower():
        raise _Wrong(f"`{entry}` names no service, write it as IAM does, such as `aws:dynamodb:{action}`")
    if at and service not in AWS_RESOURCES:
        raise _Wrong(f"`{entry}` names a resource, which is not known yet for `{service}`, write `aws:{service}:{action}`")
    if resource.startswith("arn:"):
        resource = resource.split(":", 5)[-1]
        raise _Wrong(f"`{entry}` names an ARN, write its last part, `aws:{service}:{action}@{resource}`")
    if (at and not resource) or resource != "".join(resource.split()):
        raise _Wrong(f"`{entry}` has no resource after the `@`, write `aws:{service}:{action}@name`")
    return service, action, resource


def _methods(entry: str, text: str) -> tuple[frozenset[str], str]:
    """The HTTP methods in front of an entry, and the rest of it."""
    first, space, rest = text.partition(" ")
    methods = first.upper().split(",")
    if space and first.replace(",", "").isalpha():
        unknown = [method for method in methods if method not in METHODS]
        if not unknown and rest == "".join(rest.split()):
            return frozenset(methods), rest
        if unknown and first == first.upper():
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
        rest = name.replace("*", "").strip("./") or "host"
        raise _Wrong(f"`{entry}` is no host, wildcards are `*.{rest}` for one label and `**.{rest}` for any depth")
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
