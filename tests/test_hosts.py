"""Hosts: one spelling of one host, and what an `egress` list allows."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serverless_guard import hosts
from serverless_guard.errors import PolicyError
from serverless_guard.sinks import http

SPELLINGS = """
169.254.169.254 169.254.169.254. 2852039166 0xA9FEA9FE 0xa9.0xfe.0xa9.0xfe 0251.0376.0251.0376 169.254.43518 169.16689662 0000251.254.169.0xfe
169.254.169.254 ::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1 ::ffff:0:a9fe:a9fe ::FFFF:169.254.169.254%eth0
169.254.169.254 １６９.254.169.254 169。254。169。254 ①⑥⑨.254.169.254
127.0.0.1 127.1 127.0.1 2130706433 0x7f.1 0177.0.0.1 017700000001 ::1 0:0:0:0:0:0:0:1 ::ffff:127.0.0.1 ::1%lo
8.0.0.1 010.0.0.1 8.1
"""
ADDRESSES = [line.split() for line in SPELLINGS.strip().splitlines()]

NAMES = {
    "api.example.com": ["api.example.com", "API.Example.COM", "api.example.com.", "ａｐｉ.example.com", "api。example。com", "api．example｡com"],
    "xn--mnchen-3ya.de": ["münchen.de", "MÜNCHEN.de", "xn--mnchen-3ya.de", "XN--MNCHEN-3YA.DE."],
}

KINDS = {
    "": ["1.1.1.1", "172.32.0.1", "192.169.0.1", "100.63.0.1", "100.128.0.1", "169.253.1.1", "223.255.255.255", "2001:db8::1", "2606:4700::1111"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "fc00::1", "fdff::1"],
    "loopback": ["127.0.0.1", "127.255.255.255", "::1"],
    "link-local": ["169.254.1.1", "169.254.169.253", "fe80::1", "febf::1"],
    "metadata": ["169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "fd00:ec2::254", "fd00:ec2::23"],
    "never": ["0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "ff02::1"],
}

ALLOWED = [
    # entries, then what they allow, then what they do not
    (["api.example.com"], ["api.example.com:443"], ["api.example.com:80", "example.com:443", "x.api.example.com:443", "udp api.example.com:443"]),
    (["http://api.example.com"], ["api.example.com:80"], ["api.example.com:443"]),
    (["postgres://db.example"], ["db.example:5432"], ["db.example:443"]),
    (["*.example.com"], ["a.example.com:443"], ["example.com:443", "a.b.example.com:443", "aexample.com:443"]),
    (["**.example.com"], ["a.example.com:443", "a.b.c.example.com:443"], ["example.com:443", "aexample.com:443", "example.com.evil.net:443"]),
    (["**.eu-west-1.amazonaws.com"], ["b.s3.eu-west-1.amazonaws.com:443"], ["s3.amazonaws.com:443"]),
    (["a.example:8000-8010"], ["a.example:8000", "a.example:8010"], ["a.example:7999", "a.example:8011", "a.example:443"]),
    (["a.example:80,443,9000-9001"], ["a.example:80", "a.example:443", "a.example:9001"], ["a.example:81"]),
    (["a.example:*"], ["a.example:1", "a.example:65535"], ["b.example:1"]),
    (["1.2.3.4"], ["1.2.3.4:443"], ["1.2.3.4:80", "1.2.3.5:443"]),
    (["10.0.0.0/8:5432"], ["10.0.0.0:5432", "10.255.255.255:5432", "::ffff:10.1.1.1:5432"], ["11.0.0.0:5432", "10.0.0.0:443"]),
    (["1.2.3.4/32", "0.0.0.0/0:53"], ["1.2.3.4:443", "9.9.9.9:53"], ["1.2.3.5:443", "2001:db8::1:53"]),
    (["2001:db8::/32", "[2001:db9::1]:80"], ["2001:db8:1::5:443", "2001:db9::1:80"], ["2001:db9::1:443", "2001:dba::1:443"]),
    (["udp://1.1.1.1:53"], ["udp 1.1.1.1:53"], ["1.1.1.1:53"]),
    (["https://api.example.com/"], ["api.example.com:443"], []),
    (["**.example.com", "!evil.example.com"], ["a.example.com:443"], ["evil.example.com:443", "evil.example.com:80"]),
    (["**.example.com:*", "!evil.example.com:22"], ["evil.example.com:443"], ["evil.example.com:22"]),
    (["0.0.0.0/0", "!10.0.0.0/8"], ["1.1.1.1:443"], ["10.1.1.1:443", "udp 10.1.1.1:53"]),
    (["api.ru", "a.com", "!**.ru"], ["a.com:443"], ["x.ru:443"]),
    ([], [], ["a.example:443", "1.1.1.1:443"]),
]

PLATFORM = [
    "AWS_LAMBDA_RUNTIME_API", "AWS_XRAY_DAEMON_ADDRESS", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "OTEL_EXPORTER_OTLP_ENDPOINT",
    "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT",
]  # fmt: skip

MISTAKES = {
    "*": "would allow everything",
    "*.com": "such as `*.example.com`",
    "**.com": "such as `**.example.com`",
    "a*.example.com": "`*.example.com` for one label",
    "a.*.example.com": "wildcards are",
    "10.1.0.0/8": "write `10.0.0.0/8`",
    "2001:db8::1/32": "write `2001:db8::/32`",
    "::/0": "write `2000::/3`",
    "2002:a00::/24": "write `10.0.0.0`",
    "[::ffff:1.2.3.4]:80": "write `1.2.3.4`",
    "2001:db8::/x": "prefix length",
    "1.2.3.4/²": "must be ASCII",
    "1.2.3.4/33": "write `1.2.3.4/32`",
    "htps://a.example": "did you mean `https`",
    "ex ample.com": "such as `example.com`",
    "GETT a.example/x": "did you mean `GET`",
    "GET,PSOT a.example/x": "did you mean `POST`",
    "GET  a.example": "such as",
    "GET postgres://a.example/x": "write `postgres://a.example`",
    "a.example/v1/*": "write `/v1`",
    "a.example/v1/../v2": "write `/v1/v2`",
    "a.example/v1?x=1": "write `/v1`",
    "münchen.de": "punycode",
    "ａpi.example.com": "write `api.example.com`",
    "127.1": "write `127.0.0.1`",
    "0x7f.0.0.1": "write `127.0.0.1`",
    "010.0.0.1": "write `8.0.0.1`",
    "a.example:": "write `a.example:443`",
    "a.example:0": "1 to 65535",
    "a.example:70000": "1 to 65535",
    "a.example:90-80": "lower first",
    "a.example:http": "no valid port",
    "tcp://a.example": "write `tcp://a.example:port`",
    "443": "write `host:443`",
    "user:secret@a.example": "write `a.example`",
    "::1:443": "write `[::1]:443` or `[::1:443]`",
    "[::1": "write `[::1]:443`",
    "a..example": "no host name",
    "300.1.1.1": "no host name",
    "aws:dynamodb": "`aws:dynamodb:GetItem@table/orders`",
    "aws:*:*": "names no service",
    "aws:DynamoDB:GetItem": "names no service",
    "aws:xray:PutTraceSegments@x": "write `aws:xray:PutTraceSegments`",
    "aws:sqs:SendMessage@": "no resource after",
    "aws:sqs:SendMessage@arn:aws:sqs:eu-west-1:123456789012:orders": "write its last part, `aws:sqs:SendMessage@orders`",
    "unix:app.sock": "such as `unix:/tmp/app.sock`",
    "": "is empty",
    "!": "is empty",
}


def seen(rules: hosts.Rules, target: str) -> bool:
    """Whether a target `host:port`, `udp host:port` is allowed."""
    protocol = hosts.UDP if target.startswith("udp ") else hosts.TCP
    host, _, port = target.removeprefix("udp ").rpartition(":")
    value = hosts.read(host)
    if isinstance(value, int):
        found = [bool(table and hosts.address_rule(table, value, int(port), protocol)) for table in rules]
    else:
        found = [bool(table and hosts.name_rule(table, value, int(port), protocol)) for table in rules]
    return found == [True, False]


@pytest.mark.parametrize("spellings", ADDRESSES, ids=lambda row: f"{row[0]} {row[1]}")
def test_every_spelling_of_an_address_is_that_address(spellings: list[str]) -> None:
    assert {spelling: hosts.written(hosts.read(spelling)) for spelling in spellings} == dict.fromkeys(spellings, spellings[0])  # type: ignore[arg-type]  # or it fails


def test_what_old_c_libraries_stop_reading_at_is_no_way_round() -> None:
    assert hosts.read("8.0.0.1 x") == hosts.read("8.0.0.1")


@pytest.mark.parametrize("plain", NAMES)
def test_every_spelling_of_a_name_is_that_name(plain: str) -> None:
    assert {spelling: hosts.read(spelling) for spelling in NAMES[plain]} == dict.fromkeys(NAMES[plain], plain)


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_addresses(kind: str) -> None:
    assert {address: hosts.kind(hosts.read(address)) for address in KINDS[kind]} == dict.fromkeys(KINDS[kind], kind)  # type: ignore[arg-type]


@pytest.mark.parametrize(("entries", "allowed", "refused"), ALLOWED, ids=lambda value: ",".join(value)[:40])
def test_entries_allow_what_they_say(entries: list[str], allowed: list[str], refused: list[str]) -> None:
    rules = hosts.parse(entries)
    assert [target for target in allowed if not seen(rules, target)] == []
    assert [target for target in refused if seen(rules, target)] == []


@pytest.mark.parametrize("entry", MISTAKES)
def test_a_mistake_names_the_entry_and_the_right_spelling(entry: str) -> None:
    with pytest.raises(PolicyError) as caught:
        hosts.parse(["a.example", entry], "guard.json")
    assert MISTAKES[entry] in str(caught.value)
    assert "`egress[1]`" in str(caught.value)
    assert "(in guard.json)" in str(caught.value)
    assert caught.value.path == "egress[1]"


def test_a_form_that_is_not_there_yet_says_so_and_what_to_write() -> None:
    with pytest.raises(PolicyError, match=r"not supported yet, write .*`aws:dynamodb:GetItem@table/orders`"):
        hosts.parse(["@own-account"])


LINES = [
    # entry, then requests that it allows and does not
    ("GET api.example", ["GET /", "GET /x/y"], ["POST /", "get /"]),
    (
        "GET,POST https://api.example/v1",
        ["GET /v1", "POST /v1/x", "GET /v1?a=/../b", "GET //v1//x", "GET /%76%31/x", "GET /v1/100%25"],
        ["PUT /v1", "GET /v10", "GET /", "GET /v2"],
    ),
    (
        "api.example:443/v1/",
        ["DELETE /v1/", "GET /v1/x"],
        ["GET /v1", "GET /v1/../v2", "GET /v1/%2e%2e/v2", "GET /v1/%252e%252e/v2", "GET /v1/..;/v2", "GET /v1\\..\\v2", "GET /v1/%25252e%25252e/v2"],
    ),
    ("api.example", ["GET /", "POST /x/../y"], []),
    ("1.2.3.4/v1", ["GET /v1"], ["GET /v2"]),
    ("1.2.3.0/24:443/v1", ["GET /v1"], ["GET /v2"]),
    ("[2001:db8::1]:443/v1", ["GET /v1"], ["GET /v2"]),
]


@pytest.mark.parametrize(("entry", "allowed", "refused"), LINES, ids=lambda value: value if isinstance(value, str) else "")
def test_methods_and_paths_allow_what_they_say(entry: str, allowed: list[str], refused: list[str]) -> None:
    allow = hosts.parse([entry]).allow

    def covered(line: str) -> bool:
        method, _, path = line.partition(" ")
        asked = (method, hosts.normal_path(path))
        addresses = [hosts.read(address) for address in ("1.2.3.4", "2001:db8::1")]
        found = [hosts.address_rule(allow, address, 443, hosts.TCP, asked) for address in addresses if isinstance(address, int)]
        return any((*found, hosts.name_rule(allow, "api.example", 443, hosts.TCP, False, asked)))

    assert [line for line in allowed if not covered(line)] == []
    assert [line for line in refused if covered(line)] == []


@given(st.text(max_size=200))
def test_a_path_settles_or_is_refused(path: str) -> None:
    once = hosts.normal_path(path)
    assert once == "" or (once.startswith("/") and "/../" not in once and "//" not in once)
    assert once == "" or hosts.normal_path(once) == once or "?" in once or "#" in once


def test_private_addresses_need_a_mark_unless_the_name_is_of_aws() -> None:
    allow = hosts.parse(["db.internal:5432", "cache.internal:6379#private", "mine.abc.eu-west-1.rds.amazonaws.com:5432"]).allow
    assert hosts.name_rule(allow, "db.internal", 5432, hosts.TCP)
    assert not hosts.name_rule(allow, "db.internal", 5432, hosts.TCP, True)
    assert hosts.name_rule(allow, "cache.internal", 6379, hosts.TCP, True)
    assert hosts.name_rule(allow, "mine.abc.eu-west-1.rds.amazonaws.com", 5432, hosts.TCP, True)


def test_a_unix_socket_is_named_by_its_path() -> None:
    rules = hosts.parse(["unix:/tmp/app.sock", "!unix:/tmp/other.sock"])
    assert "/tmp/app.sock" in rules.allow[5]
    assert rules.deny is not None
    assert "/tmp/other.sock" in rules.deny[5]


def test_platform_reads_the_endpoints_that_are_configured() -> None:
    localhost = hosts.read("127.0.0.1")
    found = hosts.platform(
        {
            "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
            "AWS_XRAY_DAEMON_ADDRESS": "tcp:169.254.100.1:2000 udp:169.254.100.1:2001",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9001/2021-04-23/credentials",
            "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": "2773",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://collector.example:4318",
            "DD_API_KEY": "x",
        }
    )
    assert found.runtime_api == (localhost, 9001)
    assert found.credentials == {(localhost, 9001)}
    xray = hosts.read("169.254.100.1")
    assert found.plumbing == {(xray, 2000), (xray, 2001), *((localhost, port) for port in (2773, 4318, 8124, 8125, 8126))}


@pytest.mark.parametrize("value", ["", "x", ":", "127.0.0.1:x", "[::1", "127.0.0.1:999999", "http://", "\ud800:1"])
def test_platform_leaves_out_what_it_cannot_read(value: str) -> None:
    found = hosts.platform(dict.fromkeys(PLATFORM, value))
    assert found.runtime_api == hosts.NOWHERE
    assert not found.credentials


PIECES = st.sampled_from(
    [
        "!",
        "*.",
        "**.",
        "a",
        "example.com",
        "1.2.3.4",
        "/8",
        ":443",
        ":1-2",
        ",",
        "[::1]",
        "::",
        "#private",
        "udp://",
        "unix:/x",
        "GET ",
        "://",
        "@",
        "%",
        "é",
        "\0",
        "0x7f",
        "/",
    ]
)
ENTRIES = st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=6).map("".join))


@given(st.lists(ENTRIES, max_size=4))
@example(["²"])
@example(["a:²"])
def test_parsing_gives_rules_or_a_policy_error(entries: list[str]) -> None:
    try:
        rules = hosts.parse(entries)
    except PolicyError as error:
        assert "`egress[" in str(error)
    else:
        hosts.name_rule(rules.allow, "a.example.com", 443, hosts.TCP)
        hosts.address_rule(rules.allow, 0xFFFF01020304, 443, hosts.TCP)


@given(st.text(max_size=255))
def test_reading_a_host_never_raises_and_settles(host: str) -> None:
    once = hosts.read(host)
    if isinstance(once, str) and once.isascii() and " " not in once and not once.endswith("."):
        assert hosts.read(once) == once


@given(st.integers(0, 2**32 - 1), st.lists(st.sampled_from(["%d", "0%o", "0x%x", "0x%X", "000%o"]), min_size=4, max_size=4), st.integers(1, 4))
def test_numeric_spellings_give_one_verdict(value: int, forms: list[str], parts: int) -> None:
    octets = [value >> 24, value >> 16 & 255, value >> 8 & 255]
    head = octets[: parts - 1]
    tail = value & (1 << (8 * (5 - parts))) - 1
    spelling = ".".join(form % number for form, number in zip(forms, [*head, tail], strict=False))
    plain = str(ipaddress.IPv4Address(value))
    assert hosts.read(spelling) == hosts.read(plain) == hosts.read(f"::ffff:{plain}") == hosts.read(f"64:ff9b::{plain}")
    rules = hosts.parse([f"{ipaddress.ip_network((value, 20), strict=False)}:*"])
    assert hosts.address_rule(rules.allow, hosts.read(spelling), 5, hosts.TCP)  # type: ignore[arg-type]


@given(st.integers(0, 2**128 - 1), st.integers(0, 128))
def test_networks_hold_what_ipaddress_says_they_hold(value: int, length: int) -> None:
    network = ipaddress.ip_network((value | 1 << 125, length), strict=False)  # away from the IPv4 addresses in front
    inside = hosts.read(str(network.network_address)) == int(network.network_address)  # no 6to4 either
    if length > 2 and inside:
        rules = hosts.parse([f"[{network}]:*"])
        for address in (network[0], network[-1], ipaddress.IPv6Address(value)):
            read = hosts.read(str(address))
            assert isinstance(read, int)
            if read == int(address):
                assert bool(hosts.address_rule(rules.allow, read, 443, hosts.TCP)) == (address in network)


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]{2,6}){1,4}", fullmatch=True), st.integers(1, 65535))
def test_a_name_allows_itself_and_no_other(name: str, port: int) -> None:
    rules = hosts.parse([f"{name}:{port}"])
    assert seen(rules, f"{name.upper()}.:{port}")
    for other in (f"x.{name}", f"x{name}", f"{name}.evil.net", name.partition(".")[2]):
        assert not seen(rules, f"{other}:{port}")


class Connection:
    """What the guard reads of an `http.client` connection."""

    def __init__(self, method: str | None) -> None:
        self._method, self.host, self.port = method, "api.example", 443


WORDS = ["GET", "POST ", " /v1", "/", " HTTP/1.1", "\r\n", "Host:", " a.example", ":", "80", "[::1]", "://", "@", "x", " "]
HEADS = st.lists(st.sampled_from(WORDS), max_size=12).map("".join)


@given(st.one_of(st.binary(max_size=300), HEADS.map(str.encode)), st.sampled_from([None, "GET", "POST"]))
def test_any_bytes_of_a_request_are_read_or_passed_over(data: bytes, method: str | None) -> None:
    call = http.read("http.client.send", (Connection(method), data))
    if call is not None:
        kind, (host, asked, path), port, _ = call
        assert kind == "http"
        assert isinstance(host, (str, int))
        assert asked == data.partition(b" ")[0].decode("latin-1")
        assert path == "" or path.startswith("/")
        assert 0 <= port < 100_000
