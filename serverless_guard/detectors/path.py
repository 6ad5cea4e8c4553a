r"""A path that leaves the folder it is joined to, or names a file of the system.

SG-PTH-001, CWE-22 (and CWE-98 for stream wrappers). S3 keys, names inside archives (zip slip), parameters, URL paths.

The value is brought to segments as a file system would (both slashes, runs of them, `.`, path parameters as in `..;`,
dots that survive a filter as in `....//`, bad overlong and `%u` spellings of dot and slash that the normal forms leave alone),
then walked: how far above its start does it climb? A whole value that climbs is traversal; in a text it counts only if it
ends in a file that attackers want. Absolute paths count by the folder they start with, wrappers (`php://`, `phar://`) by
their scheme, a NUL by the ending it hides.

    attack          reports/../../../../proc/self/environ
    near miss       docs/v2/../images/logo.png  and  C:\Users\ana\notes..old.txt

High: climbs two levels or from the root, or names a secret. Medium: one level, or some file of a system folder. Low: the same in prose.

https://cwe.mitre.org/data/definitions/22.html  https://owasp.org/www-community/attacks/Path_Traversal
"""

from __future__ import annotations

import re
from functools import cache

from serverless_guard.detectors import Evidence
from serverless_guard.words.files import SECRETS, WANTED
from serverless_guard.words.padding import through_padding
from serverless_guard.words.patterns import pattern

RULE = "SG-PTH-001"
CWE = 22
TITLE = "a path that leaves its folder or names a file of the system"
NEEDS = ("..", "/", "\\", ".ini", ".ht", "passw", ".env", "id_rsa", "%", "0x2")

_FOREIGN = pattern(
    r"%(?:%([0-9a-f]{2})%%([0-9a-f]{2})|u(?:e[0-9a-f]|f0)[0-9a-f]{2}|c[01]%([0-9a-z]{2})|c0(?=\.)|(?:e0%80|f0%80%80|f8%80%80%80|"
    r"fc%80%80%80%80)%([0-9a-f]{2})|bg%qf|(2e|2f|5c|00))",
    re.I,
)
_HEXED = pattern(r"0x(2e|2f|5c)", re.I)
_SPELLINGS = ("%u", "%c0", "%c1", "%e0%80", "%f0%80", "%f8%80", "%fc%80", "%bg%", "0x2", "0x5c", "%2e", "%2f", "%5c", "%00", "%%2", "%%3", "%%5", "%%6")
_THERE_AND_BACK = pattern(r"(?<![^/])(?!\.\.?/)[^/]{1,255}/\.\./")
_WORDS = pattern(r"[a-z_]{2,}")
_TOKENS = pattern(r"[\s\"'<>()\[\]{}=&?,|`]+")
_SYSTEM = pattern(
    r"[\s\"'/\\]*(?:[a-z]:)?/+(?:(?:private|volumes/[^/\s]{1,40}|mnt/c|host|chroot)/){0,2}(?:applications/mamp|etc/[\w.]|run/secrets/|proc/[\w.]|"
    r"sys/(?:class|kernel|devices|fs|block|bus|module|firmware|power|dev|hypervisor)\b|root/(?:\.|flag|[\w-]{1,40}\.\w)|boot/(?:grub|vmlinuz|"
    r"initr|config|efi|loader)|"
    r"dev/(?:null|zero|u?random|[shv]d[a-z]|xvd|nvme|tty|k?mem|shm|tcp|udp|fd|stdin|stdout|stderr|disk|core|log)\b|"
    r"var/(?:log|logs|adm|spool|lib|www|run|mail|backups?|cache|db|apache2?|nginx|htdocs|tmp|lock|opt|webmin|cpanel|task|runtime|named|nfs|yp)\b|"
    r"usr/(?:local|lib|lib64|pkg|share|bin|sbin|home|apache2?|ports|etc|src|include|spool|adm)\b|"
    r"opt/(?:lampp|xampp|apache2?|httpd|nginx|tomcat\d?|bitnami|local|ibm|oracle|lsws|jboss|aws)\b|"
    r"s?bin/(?:(?:ba|z|da|k|c|tc)?sh|cat|ls|id|ping|nc|netcat|rm|cp|mv|ps|su|echo|uname|chmod|init|ifconfig|mount|tar|sed|grep|login|passwd|kill|"
    r"sleep)\b|tmp/[\w.]|"
    r"windows/(?:system|win|temp|repair|panther|debug|inf|tasks|php|explorer|regedit|security|notepad)|winnt/|inetpub/|xampp/|wamp/|boot\.ini|"
    r"program ?files[^/]{0,8}/(?:apache|mysql|xampp|php|filezilla|windows)|home/[^/\s]{1,32}/\.|users/[^/\s]{1,32}/(?:\.|ntuser)|"
    r"(?:nginx|apache2?)/(?:conf|logs|sites|htdocs|bin|php)|logs?/(?:[\w.-]{1,40}/){0,3}(?:access|error)[_.]?log|www/(?:html|htdocs|conf|logs|cgi-bin)|"
    r"web/(?:conf|logs)|library/(?:webserver|logs|preferences)|system/library/)",
    re.I,
)
_WRAPPERS = (
    "php://",
    "phar://",
    "expect://",
    "glob://",
    "zlib://",
    "compress.zlib://",
    "compress.bzip2://",
    "ogg://",
    "rar://",
    "zip://",
    "ssh2.",
    "netdoc:",
    "jar:http",
    "jar:file",
    "data:text/plain",
    "data://text",
)
_HIDDEN = pattern(r"\.[\w-]{1,12}\x00[\w./]{0,40}$|\x00\.?(?:html?|jpe?g|png|gif|pdf|txt|php)\b", re.I)
_DOTTED = pattern(
    r"(?:[./]{0,60}/)?\.(?:env|git|svn|hg|htpasswd|htaccess|ssh|aws|passwd|bash_history|bashrc|profile|npmrc|netrc|dockerenv|ds_store|kube|docker|pgpass|"
    r"mysql_history)(?:[/.][\w./-]{0,60})?$",
    re.I,
)


@through_padding
def detect(text: str, where: str) -> Evidence | None:
    """Evidence that `text` is a path out of its folder or to the system; linear in its length."""
    if where == "key" and "/" not in text and "\\" not in text:
        return None
    path = _spelled(text) if "%" in text or "0x" in text else text
    foreign = path != text
    path = path.replace("\\", "/")
    for pair in ("//", "/./"):
        for _ in range(20):
            if pair not in path:
                break
            path = path.replace(pair, "/")
    low = path.lower()
    words = path.count(" ") + path.count("\n")
    prose = words > 5 or "<" in path or "](" in path
    if ".." in path:
        found = _climbs(path, low, prose, foreign)
        if found:
            return found
    if ":" in text:
        at = _wrapper(text.lower())
        if at >= 0:
            certain = not low.startswith("data:") and (at == 0 or not words)
            return Evidence("low" if prose else "high" if certain else "medium", "stream wrapper")
    if "\0" in text and text.count("\0") < 3 and _HIDDEN.search(path):
        return Evidence("medium", "NUL before an ending")
    if prose:
        return Evidence("low", "secret file in a text") if len(path) < 4000 and _secret(low) == 2 and "etc/passwd" in low else None
    if words > 2:
        return Evidence("medium", "secret file") if _secret(low) == 2 and ("/" in path) else None
    if _SYSTEM.match(path):
        return Evidence("high" if _secret(low) else "medium", "absolute path of the system")
    if path[1:3] == ":/" and _secret(low):
        return Evidence("medium", "known file on a drive")
    if "?" not in path[:80] and _DOTTED.match(path):
        return Evidence("high" if "/" in path else "medium", "hidden file with secrets")
    if _secret(low) == 2 and ("/" in path or path.startswith((".", "boot", "id_"))) and ("://" not in text or low.startswith("file:")):
        return Evidence("high", "secret file")
    return None


def _wrapper(low: str) -> int:
    """Where a stream wrapper starts, -1 for nowhere."""
    for scheme in _WRAPPERS:
        at = low.find(scheme)
        if at >= 0 and (at == 0 or not (low[at - 1].isalnum() or low[at - 1] in ".+-_")):
            return at
    return -1


def _spelled(text: str) -> str:
    """The value with those spellings of dot and slash undone that only careless decoders accept."""
    for _ in range(4):
        if "%25" not in text:
            break
        text = text.replace("%25", "%")
    low = text.lower()
    if not any(map(low.__contains__, _SPELLINGS)):
        return text
    if "0x" in low:
        text = _HEXED.sub(lambda found: "." if found[1][1] in "eE" else "/", text)
    text = _FOREIGN.sub(_native, text)
    return _FOREIGN.sub(_native, text) if "%" in text else text


def _climbs(path: str, low: str, prose: bool, foreign: bool) -> Evidence | None:
    """How far a token of the value climbs above its start."""
    secret = 0
    for token in _TOKENS.split(path) if prose or len(path) > 400 or _TOKENS.search(path) else (path,):
        if ".." not in token or ("/" not in token and token != path):
            continue
        lowest, rooted = _lowest(token)
        if lowest >= 0 or (lowest == -1 and ":/" in token[1:12] and not token[:2].endswith(":")):
            continue  # browsers and servers alike stop at the root of a site
        secret = secret or _secret(low) or 3
        if prose:
            if secret == 2 or (lowest < -2 and secret == 1):
                return Evidence("medium", "climbs to a secret file, in a text")
            continue
        known = secret < 3
        shape = f"climbs {'from the root' if rooted else 'above its start'}{', to a known file' if known else ''}{', odd spelling' if foreign else ''}"
        if known or foreign or lowest < -1 or rooted:
            return Evidence("high", shape)
        return Evidence("medium", shape)
    return None


def _lowest(token: str) -> tuple[int, bool]:
    """The lowest level that a walk through the segments reaches, down to -3, and whether it started at the root."""
    if "://" in token[:12] or ":/" in token[:12]:
        token = token.split(":/", 1)[1].lstrip("/")
        token = token[token.find("/") + 1 :] if "/" in token else ""
    rooted = token.startswith("/")
    depth = lowest = 0
    if len(token) > 4000:
        token = _THERE_AND_BACK.sub("", _THERE_AND_BACK.sub("", token))
    segments = token.split("/")
    for place, segment in enumerate(segments):
        if ";" in segment:
            segment = segment.split(";", 1)[0]
        if not segment or segment == ".":
            continue
        if segment == ".." or (segment[:2] == ".." and segment.strip("\0 \t^") == ".."):
            if place + 1 == len(segments) and len(segments) == 1 and token != "..":
                break  # an ellipsis
            depth -= 1
            if depth < lowest:
                lowest = depth
                if lowest == -3:
                    break
        elif segment[:4] == "...." and len(segments) > 1 and not segment.strip("."):
            depth -= 1
            lowest = min(lowest, depth)
            if lowest == -3:
                break
        else:
            if segment.endswith("..") and place + 1 < len(segments) and segment[:-2].strip("A\0") == "":
                depth -= 1
                lowest = min(lowest, depth)
            else:
                depth += 1
    return lowest, rooted


def _secret(low: str) -> int:
    """2 for a file nobody names by chance, 1 for one that attackers want, 0 for none."""
    if len(low) > 400 and _known().isdisjoint(_WORDS.findall(low)):
        return 0
    if any(map(low.__contains__, SECRETS)):
        return 2
    return 1 if any(map(low.__contains__, WANTED)) else 0


@cache
def _known() -> frozenset[str]:
    """The words of all known files: a long value without any of them need not be searched 80 times."""
    return frozenset(word for name in (*SECRETS, *WANTED) for word in _WORDS.findall(name))


def _native(found: re.Match[str]) -> str:
    """Dot or slash for a spelling of it that only a careless decoder accepts."""
    first, second, overlong, long_form, plain = found.groups()
    if first:
        return chr(int(first, 16)) + chr(int(second, 16)) if first[0] not in "3" else _nibbles(first, second)
    code = (overlong or long_form or plain or "").lower()
    if code in ("2e", "ae", "ee"):
        return "."
    if code == "00":
        return "\0"
    whole = found.group().lower()
    if whole == "%c0":
        return ""
    return "/"


def _nibbles(first: str, second: str) -> str:
    pair = chr(int(first, 16)) + chr(int(second, 16))
    try:
        return chr(int(pair, 16))
    except ValueError:
        return "/"
