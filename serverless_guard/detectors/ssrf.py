r"""A URL that makes the function call itself, its network or the cloud's metadata service, or fetch code from outside.

SG-SRF-001, CWE-918 (remote file inclusion: CWE-98).

Hosts are read as lenient URL parsers read them (`http:host`, `http:\\host`, user information, any scheme), brought to an
address (decimal, octal, hex, short, IPv4 in IPv6, trailing dots, names of services that answer with the address in
their name), and judged: metadata, loopback, link-local, private. Schemes that speak to other services by themselves.

    attack          https://example.com@0xA9FEA9FE/latest/meta-data/
    near miss       https://10.example.com/a?next=%2Fhome  and the address 192.168.1.10 in a form

High: metadata, an odd spelling, loopback by address, a scheme that speaks other protocols. Medium: `localhost`, private addresses,
files of known attack kits. Low: in prose. Plain local URLs in headers (`Origin`, `Referer`) do not count.

https://cwe.mitre.org/data/definitions/918.html  https://url.spec.whatwg.org/#host-parsing
"""

from __future__ import annotations

import re

from serverless_guard import hosts
from serverless_guard.detectors import Evidence
from serverless_guard.words.padding import through_padding
from serverless_guard.words.patterns import pattern

RULE = "SG-SRF-001"
CWE = 918
TITLE = "a URL that leads back inside"
NEEDS = ("://", "//", "\\\\", ":/", ":\\", "http:", "https:", "file:", "localhost", "169.254.", "127.0.0.1/", "metadata", "localtest", "lvh.me", "nip.io")

_NUMERIC = pattern(r"(?:0x[0-9a-f]{1,20}|\d{1,20})(?:\.(?:0x[0-9a-f]{1,20}|\d{1,20})){0,5}\.?\Z")
_LIKE = pattern("[\u2460-\u24ff\uff01-\uff5e]")
_URL = pattern(r"(?<![\w+.-])([a-z][a-z0-9+._-]{1,19}):(?:[/\\]{1,8}|(?<=http:)|(?<=https:)|(?<=file:))((?:[^\s/\\?#\"'<>`|^]| &?(?=[@#])){1,253})?", re.I)
_SECOND = pattern(r"[#?\\][^@\s]{0,40} ?@([^\s/\\?#@]{1,253})")
_FETCHES = frozenset(("gopher", "dict", "tftp", "ldapi", "rmi", "netdoc", "expect", "ogg", "ssh2"))
_QUIET = frozenset(
    (
        "javascript",
        "data",
        "mailto",
        "urn",
        "arn",
        "tel",
        "sms",
        "about",
        "blob",
        "android-app",
        "ios-app",
        "chrome",
        "chrome-extension",
        "moz-extension",
        "vscode",
    )
)
_METADATA = frozenset(
    (
        "metadata.google.internal", "metadata", "instance-data", "metadata.goog", "metadata.azure.com", "metadata.platformequinix.com", "rancher-metadata",
        "metadata.packet.net",
        "instance-data.ec2.internal", "metadata.tencentyun.com", "192.0.0.192", "kubernetes.default", "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    )
)  # fmt: skip
_LOOPBACK = frozenset(
    (
        "localhost",
        "localhost.localdomain",
        "localhost6",
        "ip6-localhost",
        "ip6-loopback",
        "localtest.me",
        "lvh.me",
        "vcap.me",
        "lacolhost.com",
        "lvh.be",
        "local.gd",
        "localho.st",
        "127-0-0-1.org.uk",
        "smackaho.st",
        "bugbounty.dod.network",
        "mail.ebc.apple.com",
        "spoofed.burpcollaborator.net",
    )
)
_INSIDE = (".internal", ".cluster.local", ".svc", ".consul", ".docker.internal", ".local", ".lan", ".home", ".corp", ".intranet", ".localdomain", ".private")
_ANSWERS = (
    ".nip.io",
    ".sslip.io",
    ".xip.io",
    ".localtest.me",
    ".lvh.me",
    ".vcap.me",
    ".local.gd",
    ".1u.ms",
    ".rbndr.us",
    ".traefik.me",
    ".backname.io",
    ".lacolhost.com",
)
_COLLECTS = (
    ".oastify.com",
    ".burpcollaborator.net",
    ".interact.sh",
    ".oast.fun",
    ".oast.pro",
    ".oast.site",
    ".oast.me",
    ".oast.live",
    ".oast.online",
    ".dnslog.cn",
    ".ceye.io",
    ".requestrepo.com",
    ".canarytokens.com",
)
_EMBEDDED = pattern(r"(?:^|[.-])(\d{1,3})[.-](\d{1,3})[.-](\d{1,3})[.-](\d{1,3})(?=[.-])|(?:^|[.-])([0-9a-f]{8})(?=[.-])")
_BARE = pattern(
    r"(?:(?:localhost|127(?:\.\d{1,3}){1,3}|0\.0\.0\.0|169\.254\.169\.254|\[::1?\]|"
    r"metadata\.google\.internal)(?::\d{1,5})?[/?][a-z_.%][\w/.?&=%-]*|169\.254\.169\.254/?|"
    r"(?:[\w-]{1,40}\.){0,6}(?:localtest\.me|lvh\.me|nip\.io|sslip\.io)/?[\w/.?&=%-]{0,80})\Z", re.I
)  # fmt: skip
_DEVELOPERS = pattern(r"/[\w/.-]*(?:\.(?:json|html?|js|css|png|svg|ico|map|ts)|/?(?:callback|oauth2?|auth|login|signin|redirect|cb)(?:/\w*)?)(?:[?#]|\Z)", re.I)
_KIT = pattern(
    r"/(?:c99|r57|b374k|wso\d*|weevely|shell\d*|cmd|backdoor|webshell|phpshell|r0nin|alfa|rfi|rce|pwn|exploit|payload|evil)\.(?:php\d?|phtml|txt|"
    r"jspx?|aspx?|sh|py|pl|exe|dll|jar|dtd|xml|gif|jpg)\??\Z",
    re.I,
)
_METADATA_PATH = pattern(
    r"/(?:latest/(?:meta-data|user-data|dynamic|api/token)|computeMetadata/v1|metadata/(?:v1|instance|identity)|opc/v[12]/|openstack/latest|"
    r"2\d{3}-\d\d-\d\d/meta-data)",
    re.I,
)
_FETCHED = pattern(r".*(?:\?|\.(?:txt|php|sh|exe|dtd|jar|bin))\??\Z")
_SYSTEM_FILE = pattern(r"[/\\]{0,4}(?:[a-z]:[/\\]{1,2})?(?:etc|proc|sys|var|root|dev|boot|windows|winnt|inetpub|boot\.ini)\b|[$\\]", re.I)
_BACKSLASHES = pattern(r"(?:\\{1,4}[\w.]{1,3}){4,}")
_PATIENCE = 4096


@through_padding
def detect(text: str, where: str) -> Evidence | None:
    """Evidence that `text` holds a URL that leads inside; linear in its length."""
    if where == "key" and "://" not in text:
        return None
    prose = text.count(" ") > 8
    found: Evidence | None = None
    seen: set[tuple[str, str]] = set()
    for url in _URL.finditer(text):
        scheme, host = url[1].lower(), url[2] or ""
        if (scheme, host) in seen or scheme in _QUIET or (url[0][-1] == ":" or host[:1] == ":"):
            continue
        seen.add((scheme, host))
        if len(seen) > _PATIENCE:
            break
        evidence = _judge(scheme, host, text, url, where)
        if evidence is None:
            continue
        if prose and url.start():
            if evidence.confidence != "high" or "loopback" in evidence.shape:
                continue
            evidence = evidence._replace(confidence="low")
        if found is None or evidence.confidence == "high":
            found = evidence
            if found.confidence == "high":
                break
    if found or seen or prose or where in ("header", "key") or len(text) > 300:
        return found
    if text[:2] in ("//", "\\\\", "/\\"):
        kind, odd = _kind(re.split(r"[/\\?#]", text[2:256], maxsplit=1)[0].rsplit("@", 1)[-1])
        if kind:
            return Evidence("high" if odd or kind == "metadata" else "medium", f"URL without a scheme, {kind}")
    return Evidence("medium", "internal host and path without a scheme") if _BARE.match(text.strip("\"' /\\@")) else None


def _judge(scheme: str, host: str, text: str, url: re.Match[str], where: str) -> Evidence | None:
    """What one URL leads to."""
    path = text[url.end() : url.end() + 200]
    if scheme in ("file", "local_file", "jar"):
        return _local_file(scheme, host, path, text)
    what = "URL with user information" if "@" in host else "URL"
    kind, odd = _kind(host.rsplit("@", 1)[-1])
    if not kind and ("@" in host or "@" in path):  # parsers differ in which part is the host
        second = _SECOND.match(path)
        for piece in [*host.replace("&", " ").replace("#", " ").replace("@", " ").split(), second[1] if second else ""] if "@" in host or second else ():
            kind, odd = _kind(piece)[0], True
            if kind:
                break
        else:
            odd = False
    if scheme in _FETCHES:
        return Evidence("high", f"{what}, scheme that speaks another protocol") if host or scheme == "gopher" else None
    if scheme in ("ldap", "ldaps") and host:
        return Evidence("high" if kind or odd else "medium", f"{what}, scheme that speaks another protocol")
    if kind == "metadata" or (kind and _METADATA_PATH.match(path)):
        return Evidence("high", f"{what}, metadata service")
    if kind == "collector":
        return Evidence("medium", f"{what}, host that records who calls")
    if kind and odd:
        return Evidence("high", f"{what}, {kind} address in an odd spelling")
    if kind and where == "header":
        return None
    if kind in ("loopback", "link-local", "never"):
        named = host.lower().rsplit("@", 1)[-1].startswith("localhost")
        return (
            None
            if named and _DEVELOPERS.match(path) and host.partition(":")[2] not in ("80", "443", "22")
            else Evidence("medium" if named else "high", f"{what}, {kind}")
        )
    if kind == "private":
        return Evidence("medium", f"{what}, private address")
    if odd or (not host.isascii() and _LIKE.search(host)):
        return Evidence("medium", f"{what}, host in an odd spelling")
    if " &@" in host or ("@" in path[:40] and "@" in host and "#" in path[:40]):
        return Evidence("medium", "URL that parsers read in two ways")
    if url.start() < 12 and where != "header" and len(text) < 300:
        if _KIT.match(path[path.rfind("/") :] if "/" in path else ""):
            return Evidence("medium", "file of an attack kit")
        if scheme in ("ftp", "http", "https") and hosts.read(host[:255]).__class__ is int and (scheme == "ftp" or _FETCHED.match(path)):
            return Evidence("medium", "file fetched from an address")
    return Evidence("high", "host behind backslashes") if "\\" in path[:2] and _BACKSLASHES.match(path) else None


def _local_file(scheme: str, host: str, path: str, text: str) -> Evidence | None:
    """A URL of a file on this machine; editors and schemas have some of their own."""
    if not (host or path.strip() or scheme != "file") or text.count("\n") > 2 or (scheme == "jar" and host):
        return None
    system = _SYSTEM_FILE.match(path if not host or host == "localhost" else host) or scheme != "file"
    return Evidence("high" if system else "medium", "URL of a local file")


def _kind(host: str) -> tuple[str, bool]:
    """What a host is (metadata, loopback, private, link-local, never, collector, or nothing) and whether it is spelled oddly."""
    if host[:1] == "[":
        address = hosts.read(host[1:255].partition("]")[0])
        if address.__class__ is not int:
            return "", False
        return hosts.kind(address), int(address) >> 32 == 0xFFFF and "ffff" in host.lower() + ("ffff" if "." in host else "")
    name = host.partition(":")[0].strip().lower().rstrip(",;)!")
    if not name or host.count(":") > 1 or len(name) > 253:
        return "", "::" in host and host.count(":") < 9 and host.replace(":", "").isalnum()
    if name in _METADATA:
        return "metadata", False
    address = hosts.read(name)
    if address.__class__ is int:
        if name.isdigit() and len(name) < 8 and name != "0":
            return "", False
        return hosts.kind(int(address)), hosts.written(int(address)) != name
    if _NUMERIC.match(name):
        return "", len(name) > 4  # beyond what an address holds, so that one parser cuts it and another does not
    name = name.rstrip(".")
    if name in _METADATA:
        return "metadata", False
    if name in _LOOPBACK or name.endswith(".localhost"):
        return "loopback", not name.startswith("localhost")
    if name.endswith(_ANSWERS):
        inner = _EMBEDDED.search(name)
        if inner is None:
            return "loopback", True
        packed = int(inner[5], 16) if inner[5] else int.from_bytes(bytes(int(part) & 255 for part in inner.groups()[:4]), "big")
        inside = hosts.kind(0xFFFF << 32 | packed)
        return inside, bool(inside)
    if name.endswith(_COLLECTS):
        return "collector", False
    return ("private", False) if name.endswith(_INSIDE) else ("", False)
