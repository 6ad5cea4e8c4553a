"""SG-CRL-001: a line break that begins a header, a response or a command of its own (CWE-113, CWE-93, CAPEC-105).

Looks behind line breaks, also those of double encodings and of letters that lose their upper byte: the name of a known HTTP or
mail header with a colon, a status line, a request line, a command of SMTP, IMAP, POP3, Redis or memcached. Text of several lines is
harmless.

Attack:             `en%0d%0aSet-Cookie: session=1`
Harmless near miss: two lines, `Dear team,` and `location: room 5`, in a body

References: https://cwe.mitre.org/data/definitions/113.html, https://www.rfc-editor.org/rfc/rfc9110#section-5.5
"""

from __future__ import annotations

from serverless_guard.detectors import Evidence
from serverless_guard.words.patterns import pattern

RULE = "SG-CRL-001"
CWE = 113
TITLE = "A line break that begins a header or a command of its own"
NEEDS = ("\n", "\r", "\u560a", "\u560d", "\u010d\u010b", "\u2028", "\u2029", "\x85", "%0", "\\r", "\\n")

HEADERS = (
    "set-cookie2?|location|content-length|content-type|content-disposition|content-encoding|content-security-policy|transfer-encoding|refresh|"
    "access-control-[a-z-]+|x-[a-z]+(?:-[a-z]+)*|cache-control|host|connection|cookie|"
    "authorization|referer|user-agent|origin|upgrade|link|status|etag|expires|last-modified|vary|via|server|strict-transport-security|www-authenticate|"
    "proxy-[a-z-]+|forwarded|te|trailer|pragma|accept(?:-[a-z]+)?|remote-addr|"
    "b?cc|to|from|subject|reply-to|return-path|mime-version|sender|message-id|date|content-transfer-encoding|injected[a-z-]*|header[a-z-]*|p3p|"
    "clear-site-data|age|allow|public-key-pins|report-to|nel|sec-[a-z-]+"
)


def detect(text: str, where: str) -> Evidence | None:
    """Evidence that a line break in `text` begins something of its own."""
    low = FOLD.sub("\n", text.lower()) if not text.isascii() or "\r" in text else text.lower()
    low = low.strip(" \t")
    if "\\" in low and ESCAPED.search(low):
        low = ESCAPED.sub("\n", low)
    if "\n" not in low:
        return None
    if COMMAND.search(low):
        return Evidence("high", "command of a mail or cache protocol behind a line break")
    if STATUS.search(low):
        return Evidence("high", "request or status line behind a line break")
    single = where in ("header", "path", "url")
    if single and BREAK_ONLY.search(low):
        found = HEADER.search(low)
        return Evidence("high" if found else "medium", "header behind a line break" if found else "line break where none may stand")
    found = HEADER.search(low)
    if found:
        lines = low.count("\n") + 1
        first = low[: low.find("\n")]
        if not first.strip() or (lines <= 4 and len(first.split()) < 3 and not first.rstrip().endswith((",", ":", ".", "!", ";", "-"))):
            return Evidence("high", "header behind a line break")
        if found[1] in STRONG:
            return Evidence("medium", "header behind a line break")
    return None


STRONG = frozenset(("set-cookie", "content-length", "transfer-encoding", "access-control-allow-origin", "bcc"))


FOLD = pattern("(?:[\r\u560a\u560d\u2028\u2029\x85\n]|\u010d[\u010a\u010b])+")
ESCAPED = pattern(r"(?:\\r)?\\n|\\r")
BREAK_ONLY = pattern(r"\n\s*[^\s]")
HEADER = pattern(rf"\n\s{{0,16}}({HEADERS})[ \t]{{0,8}}(?:\n[ \t]?)?:")
STATUS = pattern(r"\n\s{0,16}(?:http/\d(?:\.\d)?\s+\d{3}|(?:get|post|put|delete|head|options|patch|trace|connect)\s+\S{1,256}\s+http/\d)")
COMMAND = pattern(
    r"\n\s{0,16}(?:mail\s+from:|rcpt\s+to:|ehlo\s+\S|helo\s+\S|vrfy\s+\S|expn\s+\S|auth\s+(?:login|plain|cram-md5|[a-z-]+\s+[a-z0-9+/]{8,}=*)|"
    r"[a-z]{0,4}\d{1,6}\s+(?:uid\s+)?(?:fetch|store|copy|search|login|select|examine|create|delete|rename|subscribe|list|lsub|append|capability|logout|"
    r"noop|starttls|authenticate|expunge)\b|"
    r"(?:retr|dele|uidl|stls|apop)\s+\S|\*\d{1,3}\n\s?\$\d|(?:config\s+set|slaveof|flushall|flushdb|eval\s+[\"'].*redis)\b|(?:set|add|replace|append|"
    r"prepend|cas)\s+\S{1,250}\s+\d+\s+\d+\s+\d+|(?:gets?|delete|incr|decr)\s+\S{1,250}\s*$|quit\s*(?:\n|$))"
)
