r"""One look at the whole event; detectors only where it looks odd.

`odd` is the cheap look over all texts together, and over each text by itself it says which of them `search` reads closely.

Why: detectors cost 20 to 200 us a value, and an event has hundreds of values. How: one pass with one pattern whose alternatives all begin
with a sign (a quote, a bracket, a space, the border between two texts), so that `re` skips from sign to sign at 2 ns a byte;
words that need no sign are looked for behind spaces and borders. Safety: the look may say maybe, never a false no. A test
holds it to every attack of the tests and of the corpus in every encoding: what a detector finds, the look must have passed on.
"""

from __future__ import annotations

import re
from functools import lru_cache

from serverless_guard.values import TYPE_CHECKING, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

RANK = {"high": 3, "medium": 2, "low": 1}
PLACES = {"param": "query", "form": "body", "json": "body", "cookie": "header"}
"""Other words for where a value stands."""
BORDER = "\x1f"

SIGNS = (
    # a quote, and behind it what SQL, a script or a markup would go on with
    r"'(?=[\s\x00)}\]]*(?:[;|&+*/%^=<>!~#\\\"`-]|:\s*['\"\d]|\x1f(?<=['=(|&+;> ]['\x1f])|,\s*['\"(\d$@nx{]|(?:x?or|and|union|having|order|group|limit|like|between|is|in|not|rlike|regexp|procedure|into|where|waitfor|exec|execute|declare|if|begin|insert|update|delete|drop|"
    r"select|collate|div|mod|sounds|except|intersect|returning|for|offset|glob|ilike|similar|nand|goto)(?![a-z])|[\w.]+\(|\d+ (?:or|and)\b|on[a-z]{3,}\s*=|\[?\$|style\s*=|src\s*=|href\s*=))|'(?<=\\')|'[\"`]"
    r"|\"(?=[\s\x00)}\]]*(?:[;|&+*/%^=<>!~#\\'`-](?!v=\"| ?charset=| ?boundary=| ?filename=| ?\w+=\")|(?:x?or|and|union|having|order|group|limit|like|between|is|in|not|rlike|where|waitfor|exec|select)(?![a-z])|[\w.]+\(|on[a-z]{3,}\s*=|style\s*=|src\s*=|href\s*=|\$))"
    r"|`|[\u2018\u201c\u201d](?=\s*[-+>;)(]|\s*on[a-z]+=)",
    # brackets
    r"<(?=[\s\x00-\x20/\\]*[a-z!?%\[:&`])(?![\w.+-]{1,64}@)",
    r"\((?=\s*(?:select|[&|!(*'\"`])|\w{1,20}\s?=\s?[*(])|\((?<=[a-z_\]})'\"`/*?.$]\()(?!e?s\)|\w\))|\(\)",
    r"\)(?=\s*(?:[({;|&'\"=#%*+\[<>`](?![ \x1f]|\d)|\)*\s*(?:--|#|/\*|;|\|)|(?:or|and|union|limit|order|having|when|as|then|from|where)\b[^\x1f]{0,40}[=<>(*'\"]))",
    r"[{$@#*%](?=[{(])|\{(?=\s*[{%#|\\$<;]|\s*[\"']?[$_@]|\s*['\"]?\w{0,40}['\"]?\s*[{|;(]|[\w.\[\]]{0,64}__)|\$(?=[\[({$@_'\"&])|\$(?=[a-z]+(?:[\s\[(;:.=-]|$))|\}(?=\s{0,8}[;|&'])",
    r"\[(?=[^\x1f\]]{1,64}\]\s*[(\[=]|\]\s*[(\[+]|[\"']?\$|!)|\](?=\s*[|(/=]|\s*\[)",
    # signs that seldom stand in data
    r"\\|[|^~](?=[^\x1f\s])|\|(?= ?\S)",
    r";(?=\s*[^\s\x1f])(?<!&amp;)(?<!&lt;)(?<!&gt;)(?!\s?(?:[\w!~.-]{1,40}=(?![^;\x1f]{0,64}[;&|]\s?\$)|q=|v=|win|wow64|x64|rv:|intel mac|linux|u;|cpu |android |macos|ubuntu|compatible|[\w.+-]{1,40}/\d|\+?https?:|en[;-]|arm|cros |i686|msie |trident|applewebkit|sm-|mobile))",
    r"&(?=[&#|$<({`\\]|[a-z]{2,8};(?<!&amp;)|\s*[a-z/.$]+(?:\s*(?:$|[-/|;&\x1f$'\"<>`\\.0-9])|\s+\S+))(?![\w.%\[\]~-]{1,64}=)(?!amp;[ a-z]|lt;[\d ]|raquo;|nbsp;|copy;|hellip;| )|& (?=[a-z]+ [-/.$'\"\d])|&(?=[\w.%-]*\[|[\w%]*%)",
    r"%(?=[0-9a-f]{2}|u[0-9a-f]{3}|[nsxp*.%$-]\S|\d+\$|bg|\w+%)|=(?=\s*[\"'`]*(?:javascript|data:|vbscript|cmd\||@\w|\$\w))|!(?=!?\{|![a-z]+[/.])|#(?=\{|\s*\x1f|exec|set\b|\$)|--(?=[\s\x1f+;>#]*(?:\x1f|[;>#+]|$))|/(?<!\*/)(?=\*)|\*(?=/(?!\*)|\)\()|@(?=@|type|\(|import)|_(?=_)",
    # addresses and paths
    r":(?=//(?:[^a-z]|[a-z\d.-]*(?:localhost|\.local\b|internal|metadata|\.(?:nip|xip|sslip)\.|\d\.\d+\.\d)|[^/\x1f ]{0,64}[@\\#%\[]|0x)|:(?:1\b|ffff|\d*\]))|:(?=\s?\d{1,8}:[\"{])",
    r"/(?=(?:etc|proc|sys|root|boot|dev|var|usr|opt|s?bin|tmp|windows|winnt|inetpub|private|volumes|xampp|wamp|program|host|chroot)/|(?:home|users)/[^/\x1f]{1,32}/(?:\.|ntuser)|\.(?:env|git|svn|hg|ht|ssh|aws|kube|docker|npm|net|passw)|\w*(?:\.ini|passw|shadow)|[\w./-]{0,40}(?:(?:access|error)[_.-]?log|\.ht(?:acc|pass)|id_rsa)|\.\.)",
    # line breaks and controls inside a text
    r"[\x00-\x08\x0b\x0c\x0e-\x1e\x7f]|\r(?!\n)|\n(?=[\s\x00]*(?:[a-z][\w-]{1,40}[ \t\r\n]*:|http/|(?:get|post|put|delete|head|options|patch|trace|connect|mail|rcpt|ehlo|helo|vrfy|expn|auth|retr|dele|uidl|apop|stls|set|add|config|flushall|quit|eval|slaveof|gets?|incr|decr)\b|"
    r"[a-z]{0,4}\d{1,6} (?:uid|fetch|store|copy|search|login|select|examine|create|delete|rename|subscribe|list|lsub|append|capab|logout|noop|starttls|auth|expunge)|[a-z.]{2,12}(?:\s*(?:\x1f|\r?\n(?![a-z]))|\s+[-/.$~'\"])|[;|&`$<./\\'\"#{@=(-](?!\s)))",
)
"""Alternatives that begin with a sign, to be tried on lower-cased text between two borders."""
WORDS = (
    r"[\x1f\s\"'/(,=+>](?=union[^a-z0-9_][^\x1f]{0,200}?select|select[^a-z0-9_][^\x1f]{0,400}?(?:from|into|[\d(*@'\"])|(?:or|and|xor|not|having|where)[\s(+]{1,3}[^\x1f\s]{0,24}(?:\s?[=<>!]|\(| (?:is (?:not )?null|in ?\(|r?like ?['\"(\d%]|between \d|regexp)| ?--| ?/\*| ?#)|order[\s+]+by[\s+]+[\d(]|group[\s+]+by[\s+]+[\w.]+[,(]|limit[ +]\d|sleep|waitfor|benchmark|"
    r"into[\s+]+(?:out|dump)file|drop[\s+]+[a-z]+[ ;]|insert[\s+]+into|delete[\s+]+from|update[\s+]+\S+[\s+]+set|exec(?:ute)?[\s+(]|declare[\s+]+@|shutdown|(?:alter|create|truncate|grant) +(?:table|user|database|view|procedure|function|all|role|index|login)|procedure\s|information_schema|load_file|"
    r"from[\s(]\S*[(`_]|(?<=[\d)] )as [\"'`]?\w+[\"'`]? from|return[\s(]+(?:true|this|\(|function)|db\.\w+[.(]|"
    r"on[a-z]{3,32}\s*=|javascript|vbscript|style\s*=|-moz-|behavior|expression|@import|(?:document|window|this|self|top|parent)[.\[]|eval|(?:alert|confirm|prompt|throw)[ (`=?;/]|import (?:os|sys|subprocess|socket|pty|time|commands|base64|pickle)|constructor[.\[]|"
    r"-[\w-]|\\|[a-z]:[\\/]|/dev/|php:|phar:|data:|file:|gopher:|dict:|ldaps?:|jar:|jndi|expect:|localhost|127\.|xi:include|\$(?!default|schema|ref\b|id\b|defs|anchor|dynamic|comment|date\b|oid\b|latest|vocab|recursive)[a-z_]|\.\.+[/\\;%])"
    r"|\x1f(?=\s*(?:[=+@-]\s?[a-z]+[(|!]|--|/\*|#|\||;|&|`|(?:cat|ls|id|ping|curl|wget|nc|whoami|uname|cmd|powershell|bash|sh|python|perl|ruby|php|type|dir|net|ipconfig|ifconfig|ps|rm|cp|mv|chmod|echo|env|sudo|nslookup|dig)\b[^=.\x1f/]|"
    r"(?:gas|gan|gaj|gai|ro0|aaea|h4si|bah|tzo|yto|yjo|czo|aced|y[23]|y19)[a-z0-9+/]{13}|[a-z]:\d+:|c__|cos\n|cposix|csys|cbuiltins|py/|com\.|org\.apache|java|sun\.|javax|system\.|[!~>]|0x|(?:(?:[2-7][0-9a-f]|0[9ad])){8}|\.(?![\d.\s])|\d{1,4}\)(?! )))"
)
"""Words, behind a space, another sign or at the beginning of a text."""


def odd(texts: list[str], joined: str = "") -> bool:
    """Whether any of `texts` might hold something that a detector would find; `joined` are all of them with `BORDER` between."""
    if not joined:
        joined = BORDER.join(texts)
    if not joined.isascii() and LETTERS().search(joined):
        return True
    low = f"{BORDER}{joined.lower()}{BORDER}"
    search = LOOK().search
    found = search(low)
    while found:
        end = low.find(BORDER, found.end())
        if hash(low[low.rfind(BORDER, 0, found.start() + 1) + 1 : end]) not in _harmless:
            return True
        found = search(low, end)
    return False


def search(walked: Iterable[tuple[str, str, int, str, bool]], detectors: Iterable[tuple[str, Any]]) -> list[Finding]:
    """What the detectors find in `(path, where, record, text, is_key)`: for each value and detector the strongest evidence."""
    from serverless_guard.text import forms

    members = [(name, member, getattr(member, "NEEDS", ("",)), member.__name__.startswith(OWN)) for name, member in detectors]
    ours = [member for member in members if member[3]]
    findings: list[Finding] = []
    for path, where, record, text, is_key in walked:
        look = members
        if not odd([text]):
            if len(ours) == len(members):
                continue
            look = [member for member in members if not member[3]]
        elif text[:1] in '{["' and is_json(text):
            look = [member for member in members if getattr(member[1], "RAW", not member[3])]
        before = len(findings)
        best: dict[str, tuple[int, Any, str]] = {}
        where = "key" if is_key else PLACES.get(where, where)
        for form, steps in forms(text):
            low = form.lower()
            for name, member, needs, _ in look:
                if name in best and best[name][0] == 3:
                    continue
                for need in needs:
                    if need in low if need.__class__ is str else all([literal in low for literal in need]):
                        evidence = member.detect(form, where)
                        if evidence and RANK[evidence[0]] > best.get(name, (0,))[0]:
                            best[name] = (RANK[evidence[0]], evidence, steps)
                        break
        for name, member, _, _ in look:
            if name in best:
                _, evidence, steps = best[name]
                detail = f"{evidence[1]}, after {steps}" if steps else evidence[1]
                findings.append(Finding(member.RULE, name, member.TITLE, path, evidence[0], detail, member.CWE, record, text))
        if where == "header" and len(findings) == before and len(ours) == len(look) == ALL and len(text) < 1024 and text.isprintable():
            if len(_harmless) >= 1024:
                _harmless.clear()
            _harmless.add(hash(text.lower()))
    return findings


def is_json(text: str) -> bool:
    """Whether a text is a JSON object, list or string: what is in it comes one by one."""
    from json import loads

    try:
        loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _pattern(source: str) -> Any:
    """A pattern that is compiled when it is first needed."""
    return lru_cache(maxsize=1)(lambda: re.compile(source))


OWN = "serverless_guard.detectors."
ALL = 16
"""How many detectors must have found nothing in a header before it counts as harmless: all of them."""
LOOK = _pattern("|".join(SIGNS) + "|" + WORDS)
LETTERS = _pattern(
    "[\xa0\xad\u02b9-\u02c8\u2000-\u200f\u2024\u2025\u2028-\u202f\u2032\u2039\u203a\u2044\u205f-\u209c\u2100-\u214f\u2215\u2216\u2223\u2236\u2329\u232a\u2460-\u24ff\u3000\u3008\u3009\u560a\u560d\ufe50-\ufe6f\uff01-\uff5e\U0001d400-\U0001d7ff\U0001f100-\U0001f189]"
)
"""Letters that a back end may fold to signs and letters of ASCII."""
_harmless: set[int] = set()
"""Hashes of header values that look odd and were found harmless, browsers' names above all: they come with every request. No value is kept."""
