r"""One look at the whole event; detectors only where it looks odd.

`odd` is the cheap look over all texts together, and over each text by itself it says which of them `search` reads closely.

Why: detectors cost 20 to 200 us a value, and an event has hundreds of values. How: one pass with one pattern whose alternatives all begin
with a sign (a quote, a bracket, a space, the border between two texts), so that `re` skips from sign to sign at 2 ns a byte;
words that need no sign are looked for behind spaces and borders. Safety: the look may say maybe, never a false no. A test
holds it to every attack of the tests and of the corpus in every encoding: what a detector finds, the look must have passed on.

An event with more different odd-looking values than `MOST_CLOSELY` is a finding by itself, SG-LIM-011: what lies beyond was not read.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from serverless_guard.values import TYPE_CHECKING, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

RANK = {"high": 3, "medium": 2, "low": 1}
PLACES = {"param": "query", "form": "body", "json": "body", "cookie": "header"}
"""Other words for where a value stands."""
BORDER = "\x1f"

QUOTED = (
    r"[\s\x00)}\]]{0,12}(?:[;|&+*/%^=<>!~#\\\"'`-](?!v=\"| ?charset=| ?boundary=| ?filename=| ?\w{1,40}=\"|\s[a-z]+ [a-z]+ [a-z])|(?:x?or|and|union|"
    r"having|order|group|limit|like|between|is|in|not(?= (?:like|in|null|between|regexp|\d))|rlike|regexp|procedure|into|where|waitfor|exec|execute|"
    r"declare|if|begin|"
    r"insert|update|delete|drop|select|collate|div|mod|sounds|except|intersect|returning|for|offset|glob|ilike|similar|nand|goto)(?![a-z])|[\w.]{1,40}\(|"
    r"\d{1,8} (?:or|and)\b|on[a-z]{3,32}\s{0,4}=|\[?\$|(?:style|src|href)\s{0,4}=)"
)
"""What follows a quote when it ends a string for an attack, and seldom in prose."""
INSIDE = (
    "localhost|localtest|local\\b|local\\.gd|localdomain|internal|metadata|svc\\b|consul|lan\\b|home\\b|corp\\b|intranet|private|nip\\.io|sslip|xip\\.|"
    "lvh\\.|vcap\\.|lacolhost|localho\\.|smackaho|127-|dod\\.network|1u\\.ms|rbndr|traefik\\.me|backname|oast|burp|interact\\.|dnslog|ceye\\.|requestrepo|"
    "canarytokens|ngrok|docker|kubernetes"
)
"""Pieces of host names that lead inside, or to those who wait for a call."""
SIGNS = {
    "'": QUOTED.replace("'`-]", "`-]", 1) + r"|[\s)}\]]{0,12}(?::\s{0,8}['\"\d]|,\s{0,8}['\"(\d$@nx{])|(?<=['=(|&+;> ]')\x1f|(?<=\\')",
    '"': QUOTED,
    "(": r"[^\w\s'\"+.$@%<\u0080-\uffff-]|['\"]|\s{0,4}(?:select|\w{1,20}\s?[=*]|[&|!(*`])|(?<=[a-z_]{2}\()(?!e?s\))|(?<=[a-z]\d\()|(?<=[\]})'\"`/*?.$+!~^&|"
    r"%@<-]\()|\)|\x1f",
    ")": r"\(|\s{0,4}(?:[{;|&'\"=#%*+\[<>`](?![ \x1f]|\d)|\){0,8}\s{0,8}(?:--|#|/\*|;|\|)|(?:or|and|union|limit|order|having|when|as|then|from|"
    r"where)\b[^\x1f]{0,40}[=<>'\"])",
    ";": r"(?<!&amp;)(?<!&lt;)(?<!&gt;)\s{0,4}[^\s\x1f]",
    "&": r"[&#|$<({`\\]|[a-z]{2,8};(?<!amp;)|\s{0,4}[a-z/.$]{1,40}(?:\s{0,4}(?:[-/|;&$'\"<>`\\0-9])|\s{1,8}\S)|\s{0,4}[a-z]{1,12}\s{0,4}\x1f|[\w.%-]{0,40}\[|"
    r"[\w%]{0,40}%",
    "-": r"-[\s+;>#]{0,8}(?:\x1f|[;>#+])",
    "/": r"(?<!\*/)\*|(?<=\x1fpy/)|(?<=[\x1f\s\"'=(]/)/|(?:etc|proc|sys|root|boot|dev|var|usr|opt|s?bin|tmp|windows|winnt|inetpub|private|volumes|xampp|wamp|"
    r"program|host|chroot|web-inf|meta-inf|run)/|(?:home|users)/[^/\x1f]{1,32}/(?:\.|ntuser)|"
    r"\.(?:env|git|svn|hg|ht|ssh|aws|kube|docker|npm|net|passw|\.)|passw|shadow|id_rsa|(?:access|error)[_.-]?log|(?:c99|r57|b374k|wso|weevely|shell|cmd|"
    r"backdoor|webshell|phpshell|r0nin|alfa|rfi|rce|pwn|exploit|payload|evil)\d{0,4}\.|"
    r"(?:php|my|system|desktop|win|boot)\.ini|(?:httpd|nginx)\.conf|wp-config|web\.config|global\.asa|config\.php|(?:database|secrets)\.yml|server\.xml|"
    r"application\.|appsettings|settings\.py|known_hosts|hosts\.|sam\.|\?|\w{0,3}\?[?/*]|(?<=etc/)|gshadow",
    ".": r"cookie|ini|log\b|prototype|\.0x|ht(?:acc|pass)|passw|\.[/\\;%]|(?:env|git|svn|ssh|aws/|netrc|npm|docker|kube|pgpass|bash|profile|mysql|ds_store|"
    r"psql|python_)|(?<=127\.)",
    ":": rf"//(?!(?:[a-z0-9-]{{1,63}}\.){{1,5}}[a-z]{{2,12}}(?:[/?#\s\"'<>),.;\x1f]|:\d{{2,5}}\b))|//[^/\x1f ]{{0,64}}(?:{INSIDE}|[@\\#%\[])|:(?:1\b|ffff|"
    rf"\d{{0,4}}\])|\s?\d{{1,8}}:[\"{{]|(?<=\x1f[a-z]:)\d{{1,8}}:|"
    r"(?<=script:)|(?<=php:)|(?<=phar:)|(?<=file:)|(?<=gopher:)|(?<=dict:)|(?<=ldap:)|(?<=ldaps:)|(?<=jar:)|(?<=jndi:)|(?<=expect:)|(?<=data:)|"
    r"(?<=http:)[^/]|(?<=https:)[^/]|/(?!/)|\\|///",
    "_": r"_[a-z_]{2,24}__|_(?:schema|type(?!name)|proto|viewstate|construct|destruct|wakeup|call|define|import|class|init|globals|builtins|dict|"
    r"mro|base|sub|get|set)",
    "*": r"/(?!\*)|\)\(|\{",
    "@": r"[@({]|type|import|java|system",
    "=": r"\s?(?:alert|confirm|prompt|eval|document|window)\b|(?<=[\x1f ]=)\s?[a-z(+@-]|(?:com|org|java)\.|(?:gas|gaj|gan|gar|ro0|aaea|h4si|tzo|yto|"
    r"qzo)[\w+/]{8}",
    ">": r"[>/(&.|]|\s{0,4}/",
    "#": r"[{(!]|\s{0,4}\x1f|exec|set\b|\$",
    "!": r"!?\{|![a-z]{1,20}[/.]|<|=",
    "%": r"[{(]|[0-9a-f]{2}|u[0-9a-f]{3}|[nsxp*.%$-]\S|\d{1,4}\$|bg|\w{1,40}%",
    "<": r"[^\s\d=<\x1f-](?![\w.+-]{0,64}@)|[\x00-\x20/\\]{0,8}[a-z!?%\[:&`](?<!@)(?![\w.+-]{0,64}@)|[<(]",
    "$": r"[^\s\d\x1f.,)](?<!\$\x1f)",
    "[": r"(?![\w\s.,:/+-]{0,80}\](?:[\s\x1f.,;:!?)]|$))",
    "\\`|{": "",
    "^~": r"[^\s\x1f]",
    "]": r"\s{0,4}[|(/=\[]",
    "}": r"\s{0,8}[;|&']",
    "\r": r"(?!\n)",
    "\n": r"[\s\x00]{0,8}(?:[a-z][\w-]{1,40}[ \t\r\n]{0,4}:|http/|(?:get|post|put|delete|head|options|patch|trace|connect|mail|rcpt|ehlo|helo|vrfy|expn|auth|"
    r"retr|dele|uidl|apop|stls|set|add|config|flushall|quit|eval|slaveof|gets?|incr|decr)\b|"
    r"[a-z]{0,4}\d{1,6} (?:uid|fetch|store|copy|search|login|select|examine|create|delete|rename|subscribe|list|lsub|append|capab|logout|noop|starttls|"
    r"auth|expunge)|[a-z.]{2,10}(?:\s{0,4}\x1f|\r?\n(?![a-z])|\s{1,4}[-/.$~'\"])|[;|&`$<./\\'\"#{@=(-](?!\s))",
}
"""By sign: what may follow it in an attack, and seldom in data. Lower case; `\\x1f` is the border between two texts. A rare sign needs little."""
UNLIKE = {
    ";": r"\s?(?:[\w!~.-]{1,40}=(?![^;\x1f]{0,64}[;&|]\s?\$)|q=|v=|win|wow64|x64|rv:|intel mac|linux|u;|brand|cpu |android |macos|ubuntu|compatible|"
    r"[\w.+-]{1,40}/\d|\+?https?:|en[;-]|arm|cros |i686|msie |trident|applewebkit|sm-|mobile)",
    "&": r"[\w.%\[\]~-]{1,64}=|amp;(?:[a-z]\b| \d)|lt;[\d ]|raquo;|nbsp;|copy;|hellip;",
    "|": r"[0-9a-f]{20,40}\x1f|\d{9,40}\x1f",
    "$": r"default\b|schema|ref\b|id\b|defs|anchor|dynamic|comment\b|date\b|oid\b|latest|vocab|recursive",
}
"""What is harmless behind a sign though it looks alike: parameters, the names of browsers, the keywords of JSON Schema."""
CONDITION = r"[ (]{1,3}[^\x1f ]{0,24}(?: ?[=<>!]| (?:is (?:not )?null|in ?\(|r?like ?['\"(\d%]|between \d|regexp)| {0,4}--| {0,4}/\*| {0,4}#)"
CALL = r"[ (`=?;/]"
WORDS = {
    "a": rf"nd{CONDITION}|lter {{1,8}}(?:table|user|database|role|login)|lert{CALL}|(?<=[\d)] a)s [\"'`]?\w{{1,40}}[\"'`]? from",
    "b": r"enchmark|ehavior {0,4}:",
    "c": rf"ase {{1,4}}when|md(?:\.exe)? {{1,4}}/[ck]|reate {{1,8}}(?:table|user|database|view|procedure|function|role|index|login)|onfirm{CALL}|"
    rf"onstructor[.\[]",
    "d": r"rop {1,8}[a-z]{1,40}[ ;]|elete {1,8}from|eclare {1,8}@|b\.\w{1,40}[.(]|ocument[.\[]|ata:|ict:",
    "e": r"xec(?:ute)?[ (]|xpression {0,4}\(|val[ .(]|xpect:",
    "f": r"rom[ (]\S{0,64}[(`_]|ile:",
    "g": r"roup {1,8}by {1,8}[\w.]{1,40}[,(]|rant {1,8}all|opher:",
    "h": rf"aving{CONDITION}",
    "i": r"nto {1,8}(?:out|dump)file|nsert {1,8}into|nformation_schema|mport (?:['\"]|os|sys|subprocess|socket|pty|time|commands|base64|pickle)",
    "j": r"avascript|ar:|ndi",
    "l": r"imit {1,8}\d|oad_file|daps?:|ocalhost",
    "n": rf"ot{CONDITION.replace(chr(94), chr(94) + ';')}|ew (?:function|image|activex|java)",
    "o": rf"r{CONDITION}|rder {{1,8}}by {{1,8}}[\d('\"]|n[a-z]{{3,32}} {{0,4}}=",
    "p": rf"rocedure |hp:|har:|rompt{CALL}|arent[.\[]",
    "r": r"eturn[ (]{1,4}(?:true|this|\(|function)",
    "s": r"elect[^a-z0-9_][^\x1f]{0,400}?(?:from|into|[\d(*@'\"])|leep|hutdown|tyle {0,4}=|elf[.\[]",
    "t": rf"runcate {{1,8}}table|hrow{CALL}|his[.\[]|op[.\[]",
    "u": r"nion[^a-z0-9_][^\x1f]{0,200}?select|pdate {1,8}\S{1,64} {1,8}set",
    "v": r"bscript",
    "w": rf"h(?:ere|en){CONDITION}|aitfor|indow[.\[]",
    "x": rf"or{CONDITION}|i:include",
    "-": r"-?[a-z0-9]",
    "@": "import",
    "/": r"dev/",
    "1": r"27\.",
    ".": r"\.\.{0,8}[/\\;%]",
}
"""By first letter, what an attack may go on with behind a space or at the beginning of a text."""
FIRST = {
    "=": r" ?[a-z]{1,20}[(|!]", "+": r" ?[a-z]{1,20}[(|!]", "-": r" ?[a-z]{1,20}[(|!]|-", "@": r" ?[a-z]{1,20}[(|!]", "/": r"\*", "#": "", "|": "",
    ";": "", "&": "", "`": "", "!": "", "~": "", ">": "", "0": "x", ".": r"[^\d. \x1f]",
    "a": r"ced\w{13}|:\d{1,8}:", "b": r"ah\w{13}|:\d:|ash\b[^=.\x1f/]",
    "c": r"(?:at|url|md|p|hmod)\b[^=.\x1f/]|__|os |posix|sys|builtins|om\.|zo\w{13}", "d": r"(?:ir|ig)\b[^=.\x1f/]|:\d",
    "e": r"(?:cho|nv)\b[^=.\x1f/]", "g": r"a[snji][\w+/]{13}",
    "h": r"4si\w{13}", "i": r"(?:d|pconfig|fconfig)\b[^=.\x1f/]|:\d", "j": r"ava[x.]", "l": r"s\b[^=.\x1f/]", "m": r"v\b[^=.\x1f/]",
    "n": r"(?:c|et|slookup)\b[^=.\x1f/]", "o": r"rg\.apache|:\d{1,8}:", "p": r"(?:ing|s|owershell|ython|erl|hp)\b[^=.\x1f/]|y/",
    "r": r"(?:m|uby)\b[^=.\x1f/]|o0\w{13}", "s": r"(?:h|udo)\b[^=.\x1f/]|ystem\.|un\.|:\d{1,8}:", "t": r"ype\b[^=.\x1f/]|zo\w{13}",
    "u": r"name\b[^=.\x1f/]", "w": r"(?:get|hoami)\b[^=.\x1f/]", "y": r"(?:to|jo|[23]|19)[\w+/]{13}",
}  # fmt: skip
"""The same at the beginning of a text alone: programs, formulas, serialised objects."""
HEXED = r"(?:0x)?(?:[2-7][0-9a-f]|0[9ad]){8}"
"""Text in hex, at the beginning of a text: random digits look so in 1 of 1,700."""


MOST_CLOSELY = 5_000
"""So many different odd-looking values of one event are read closely, at about 0.1 ms each; more of them are a finding of their own."""
LONG = 4096
EDGE = 1024
"""A text longer than `LONG` is read closely at its two edges, `EDGE` characters each, and around what `SHARP` finds in between."""
AROUND = 160
SHARP_QUOTED = (
    r"[\s)]{0,8}(?:(?:or|and|union|having|order by|waitfor|like|xor)[^a-z\x1f]{1,8}['\"\d\w(]|;\s{0,4}(?:drop|select|insert|update|delete|exec|declare|"
    r"waitfor|shutdown|create|alter)\b|--\s|\|\|\s?['\"(]|&&\s?this|;?\s?(?:alert|confirm|prompt|eval)\b|[\s/>]{0,4}on[a-z]{3,20}\s?=)"
)
SHARP_COMMAND = (
    r"\s{0,4}(?:/bin/|/usr/)?(?:cat|ls|id|ping|curl|wget|nc|whoami|uname|cmd|powershell|bash|sh|python\d?|perl|ruby|php|sleep|echo|rm|dir|type|net|"
    r"nslookup)\b[\s;|&\x1f]"
)
SHARP = {
    "'\"": SHARP_QUOTED,
    "<": r"[\s/\\]{0,4}(?:script|iframe|object|embed|applet|svg|img|body|link|meta|base|form|style|video|audio|details|marquee|math|input|"
    r"[a-z:]{1,20}[^<>]{1,200}\son[a-z]{3,20}\s?=|!entity|!doctype|!--#|\?php|\?=|%[=@ ][^%\x1f]{1,80}%>|xi:|xsl:|v:)",
    "=": r"[\"'\s(]{0,2}(?:javascript|vbscript)\s{0,4}:",
    "$": r"\{[^{}\x1f]{2,80}\}|\(\s{0,4}[a-z/]{2,20}[\s)/]|(?:ne|gt|lt|gte|lte|nin|regex|where|exists)[\"'\]\s]",
    "{": r"\{[^{}\x1f]{2,120}\}\}|%[^{}\x1f]{2,120}%\}",
    "#*": r"\{[^{}\x1f]{2,80}\}",
    "`": r"[a-z/ ]{2,24}[^`\x1f]{0,40}`",
    ";|&": SHARP_COMMAND,
    "/": r"\.\.[/\\]|(?:etc|proc|var/log|root)/[\w.]",
    "\\": r"\.\.[/\\]|(?:windows|boot|winnt)",
    ":": r"//(?:127\.|10\.|169\.254|192\.168|172\.(?:1[6-9]|2\d|3[01])\.|localhost|0x|\[|metadata|\d{8,10}[/:])|\d{1,4}:\"",
    "_": r"_(?:class|proto|globals|import|builtins|init|subclasses|mro|schema|reduce|dict)",
    ")": r"\s?\(\s?[&|!]?\s?\(?[a-z]{1,20}\s?[~<>]?=",
    "(": r"(?<=(?:eval|exec|stem|thru|open|info|sert|uire)\()",
    "\n": r"\s{0,4}(?:set-cookie|location|content-(?:length|type)|transfer-encoding|x-[a-z-]{2,30}|bcc|cc|to|from|subject|http/1|mail from|rcpt to)\s?[:/]|"
    + SHARP_COMMAND,
    "!": r"!(?:python|js|java|ruby)",
    "%": r"[0-9]{0,3}\$?n%|[0-9]{1,4}\$n|2e%2e|c0%a",
    "\xac": "\xed",
}
"""By sign, what a long text is searched for between its edges: shapes, so that noise and prose give next to none."""
SHARP_WORDS = (
    r"union[^a-z0-9][^\x1f]{0,60}?select|(?:or|and) {1,4}['\"(]{0,2}[\w@]{1,20}['\")]{0,2} ?(?:=|<|>|like\b)|select [^\x1f]{1,200}? from |waitfor |"
    r"(?:pg_)?sleep ?\( ?\d|benchmark ?\(|into (?:out|dump)file|information_schema|order by \d|drop (?:table|database)|insert into |"
    r"delete from |exec |declare @|\.\.[/\\][^\x1f]{0,40}(?:\.\.[/\\]|etc|passwd|win|boot|proc)|php://|file://|gopher://|dict://|phar://|ldaps?://|jndi|"
    r"(?:eval|exec|system|passthru|popen|shell_exec|phpinfo|assert|subprocess\.\w{1,12}|os\.\w{1,12}|require|child_process|runtime) ?[(.]|"
    r"constructor ?[.\[(]|this\.\w{1,20}(?:\.match| ?[=!]=)|on[a-z]{4,20} ?= ?[\"'a-z(]|o:\d{1,4}:\"|py/(?:object|reduce)"
)


def odd(texts: list[str], joined: str = "") -> bool:
    """Whether any of `texts` might hold something that a detector would find; `joined` are all of them with `BORDER` between."""
    if not joined:
        joined = BORDER.join(texts)
    if len(joined) > LONG and max(map(len, texts), default=0) > LONG:
        texts = [text if len(text) <= LONG else _text().squeezed(text) for text in texts]
        if any(_regions(text) for text in texts if len(text) > LONG):
            return True
        texts = [text for text in texts if len(text) <= LONG]
        joined = BORDER.join(texts)
    if not joined.isascii():
        joined = _text().folded(joined)
        texts = joined.split(BORDER)
    low = f"{BORDER}{joined.lower()}{BORDER}"
    for sign in LOOK:
        if GATES.get(sign, sign) in low and _sign(sign)(low):
            return True
    raw = low.encode("utf-8", "surrogatepass")
    if len(raw.translate(None, CONTROLS)) != len(raw) or (f"{BORDER}on" in low and HANDLER().search(low)):
        return True
    if any(map(BEGINNING().match, [text for text in texts if text[:3] in BEGINS])):
        return True
    several = [text for text in texts if " " in text]
    if "+" in low or "\n" in low or "\t" in low:
        several += [text for text in texts if " " not in text and ("+" in text or "\n" in text or "\t" in text)]
    if not several:
        return False
    low = _spaced(f"{BORDER}{BORDER.join(several).lower()}{BORDER}")
    return bool(_words().search(low) or ("union" in low and GLUED().search(low)))


@cache
def _text() -> Any:
    """The normal forms, imported when first needed: clean ASCII needs none."""
    from serverless_guard import text

    return text


def _spaced(low: str) -> str:
    """White space and plus as one kind of space, and one at the beginning of each text, bracket and item."""
    for space in "+\t\n\r":
        if space in low:
            low = low.replace(space, " ")
    for sign in (BORDER, "(", ","):
        low = low.replace(sign, sign + " ")
    return re.sub(f"{BORDER} +", f"{BORDER} ", low) if f"{BORDER}  " in low else low


def search(walked: Iterable[tuple[str, str, int, str, bool]], detectors: Iterable[tuple[str, Any]]) -> list[Finding]:
    """What the detectors find in `(path, where, record, text, is_key)`: for each value and detector the strongest evidence."""
    from serverless_guard.text import forms, squeezed

    members = [(name, member, getattr(member, "NEEDS", ("",)), member.__name__.startswith(OWN)) for name, member in detectors]
    ours = [member for member in members if member[3]]
    strongest: dict[tuple[str, str, int], Finding] = {}
    known: dict[tuple[str, str], dict[str, tuple[int, Any, str]]] = {}  # what was found in a text, by the kind of place
    for path, where, record, text, is_key in walked:
        where = "key" if is_key else PLACES.get(where, where)
        best = known.get((text, where))
        if best is not None:
            _keep(best, members, path, record, text, strongest)
            continue
        look = members
        if len(text) <= LONG and not odd([text]):
            if len(ours) == len(members):
                continue
            look = [member for member in members if not member[3]]
        elif text[:1] in ("{", "[") and is_json(text):
            look = [member for member in members if getattr(member[1], "RAW", not member[3])]
        if len(known) >= MOST_CLOSELY:
            title = "More values look odd than are read closely"
            return [*strongest.values(), Finding("SG-LIM-011", "limits", title, path, detail=f"over {MOST_CLOSELY}", cwe=400)]
        best = known[text, where] = {}
        seen: set[str] = set()
        spelled = forms(text if len(text) <= LONG else squeezed(text))
        if len(spelled) > 2 and len(spelled[0][0]) > LONG:
            spelled = (spelled[0], *spelled[-2:])  # of a long text its first form and its last: those in between are nearly the same
        for form, steps in spelled:
            for piece in (form,) if len(form) <= LONG else _regions(form):
                if piece not in seen:
                    seen.add(piece)
                    _detect(piece, steps, where, look, best)
        _keep(best, look, path, record, text, strongest)
    return list(strongest.values())


def _keep(
    best: dict[str, tuple[int, Any, str]],
    look: list[tuple[str, Any, Any, bool]],
    path: str,
    record: int,
    text: str,
    strongest: dict[tuple[str, str, int], Finding],
) -> None:
    """What was found in one text becomes findings at its path; a value and what it decodes to stand at one path, the stronger counts."""
    if not best:
        return
    for name, member, _, _ in look:
        if name in best:
            _, evidence, steps = best[name]
            detail = f"{evidence[1]}, after {steps}" if steps else evidence[1]
            told = strongest.get((member.RULE, path, record))
            if told is None or RANK[evidence[0]] > RANK[told.confidence]:
                strongest[member.RULE, path, record] = Finding(member.RULE, name, member.TITLE, path, evidence[0], detail, member.CWE, record, text)


def _detect(text: str, steps: str, where: str, members: list[tuple[str, Any, Any, bool]], best: dict[str, tuple[int, Any, str]]) -> None:
    """Let each detector look whose needs are met, and keep the strongest evidence of each."""
    low = text.lower()
    for name, member, needs, _ in members:
        if name in best and best[name][0] == 3:
            continue
        for need in needs:
            if need in low if need.__class__ is str else all(map(low.__contains__, need)):
                evidence = member.detect(text, where)
                if evidence and RANK[evidence[0]] > best.get(name, (0,))[0]:
                    best[name] = (RANK[evidence[0]], evidence, steps)
                break


def _regions(text: str) -> list[str]:
    """The pieces of a long text that are worth a close look: its edges where they look odd, and the surroundings of sharp shapes."""
    low = text.lower()
    spans = [(0, EDGE)] if odd([text[:EDGE]]) else []
    sharp = [found.start() for found in _sharp().finditer(low, EDGE - 64)]
    sharp = sorted(sharp + [found.start() for found in SHARP_WORDS_LOOK().finditer(_spaced(low), EDGE - 64)])
    for start in sharp if len(sharp) <= 2 * MOST else sharp[:MOST] + sharp[-MOST:]:
        if spans and start - AROUND <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], start + AROUND))
        else:
            spans.append((start - AROUND, start + AROUND))
    pieces = [text[max(start, 0) : end] for start, end in spans]
    if odd([text[-EDGE:]]):
        pieces.append(text[-EDGE:])
    return pieces


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


def _alternative(sign: str, follow: str) -> str:
    unlike = UNLIKE.get(sign, "")
    return _within(re.escape(sign) + (f"(?={follow})" if follow else "") + (f"(?!{unlike})" if unlike else ""))


def _within(source: str) -> str:
    """A pattern whose white space stays within one text: `\\s` alone takes the border for a space."""
    return "".join(
        piece.replace("\\s", " \\t-\\r") if piece[0] == "[" else piece.replace("\\s", "[ \\t-\\r]")
        for piece in re.findall(r"\[\^?(?:\\.|[^\]\\])+\]|(?:\\.|[^\[\\])+", source)
    )


@cache
def _sign(sign: str) -> Any:
    """The search for one rare sign: compiled when it first occurs."""
    return re.compile(_alternative(sign, LOOK[sign])).search


@cache
def _sharp() -> Any:
    """One pattern of alternatives that each begin with a sign, so that `re` skips from sign to sign."""
    return re.compile("|".join([_alternative(sign, follow) for group, follow in SHARP.items() for sign in group]))


@cache
def _words() -> Any:
    """The pattern of `WORDS` and `FIRST`: one space, then by letter."""
    letters = sorted({*WORDS, *FIRST}, key=OFTEN.find)
    each = [[WORDS[letter]] if letter in WORDS else [] for letter in letters]
    for letter, follows in zip(letters, each, strict=True):
        if letter in FIRST:
            follows.append(f"(?<={BORDER} {re.escape(letter)})(?:{FIRST[letter]})")
    return re.compile(
        " (?:" + "|".join([f"{re.escape(letter)}(?:{'|'.join(follows)})" for letter, follows in zip(letters, each, strict=True)]) + f"|(?<={BORDER} ){HEXED})"
    )


OFTEN = "eaotinsrhldpcmuwfgbyvkqxjz-/.\"=;_():'&%*@#+\n\r!<>$[]{}|`\\^~01"
"""Signs and letters, the most frequent first: the alternatives are tried in this order, 2 ns each."""


OWN = "serverless_guard.detectors."
MOST = 10
"""So many sharp shapes are read closely from the begin of a long text, and as many from its end."""
SHARP_WORDS_LOOK = _pattern(f" (?={SHARP_WORDS})")
LOOK = {sign: follow for group, follow in SIGNS.items() for sign in group}
CONTROLS = bytes([*range(9), 11, 12, *range(14, 31), 127])
GLUED = _pattern(r"union(?<=[0-9]union)")
"""The one word of SQL that is tried right behind a number: some databases take them apart."""
GATES = {"-": "--", "_": "__"}
"""Signs that say nothing alone: what must be there before they are looked for."""
HANDLER = _pattern(f"{BORDER}on[a-z]{{3,32}}\\s{{0,4}}=")
_OBJECTS = (
    "com sun org con pro jav Sys py/ os. sub loc lvh all aut dis ope mem saf suh opc cgi ses zen err max gAJ gAN gAS gAR gAQ gAW gAa rO0 H4s AAE BAh Tzo Tz1 "
    "YTo YT1 Yjo Yzo Yyo Y18 Y19 Y20 Y21 Y24 Y25 Y28 Y29 Y2E Y2F Y2I Y2J Y2M Y2N Y2Q Y2R Y2U Y2V Y2Y Y2Z Y2c Y2d Y2g Y2h Y2k Y2l Y2o Y2p Y2s Y2t Y2w Y2x Y3A "
    "Y3B Y3E Y3F Y3I Y3J Y3M Y3N Y3Q Y3R Y3U Y3V Y3Y Y3Z Y3c Y3d Y3g Y3h Y3k Y3l Y3o Y3p Qzo ace 800"
)
_HEXED = "0x 20 22 24 27 28 29 2d 2e 2f 2D 2E 2F 31 3b 3c 3B 3C 68 6a 6A 73 75 7b 7B"
BEGINS = frozenset(_OBJECTS.split()) | {first + second for first in _HEXED.split() for second in "0123456789abcdefABCDEF"}
"""The first three letters of what is looked at though it needs no sign: serialised objects in base64, text in hex, names of classes and settings."""
BEGINNING = _pattern(
    r"com\.|sun\.|org\.|constructor(?![a-z])|prototype$|javax?\.|System\.|py/|os\.|subprocess\.|localtest|(?:allow_url_|auto_|disable_fun|open_base|memory_l|"
    r"safe_mode|suhosin|opcache|cgi\.|session\.|zend\.|error_rep|display_err|max_exec)|lvh\.|(?:[\w-]{1,40}\.){0,6}(?:nip|sslip)\.io|(?:gA[JNSQWa]|rO0|H4sI|"
    r"AAEAAAD|BAh|Tz[o1]|YT[o1]|Y[jzy]o|Qzo|Y[123]|aced|800[2-5])[\w+/-]{12}|(?:0x)?(?:[2-7][0-9a-fA-F]|0[9adAD]){8}[0-9a-fA-F]*$"
)
