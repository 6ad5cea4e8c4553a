"""SG-XSS-001: markup or script that a browser would run (CWE-79, CAPEC-63).

Looks for what runs script in a text, attribute, URL, style or script position: an element that loads or holds script, an event
handler (inside a tag, or behind a quote that ends an attribute), a script URL however it is spaced and encoded, a style that
binds code, a break-out of a JavaScript string that calls something, and server-side includes. Markup that only formats is harmless.

Attack:             `"><img src=x onerror=alert(1)>`
Harmless near miss: `Use <b>bold</b> and <a href="https://example.com">links</a>; a < b and on = off`

References: https://cwe.mitre.org/data/definitions/79.html, https://html.spec.whatwg.org/multipage/parsing.html
"""

from __future__ import annotations

from serverless_guard.detectors import Evidence
from serverless_guard.words.patterns import pattern

RULE = "SG-XSS-001"
CWE = 79
TITLE = "Markup or script that a browser would run"
NEEDS = (
    "<", "alert", "confirm", "prompt", "eval", "document", "location", "window", "constructor", "settimeout", "setinterval", "fromcharcode",
    "behavior", "-moz-binding", "@import", "expression",
    ("on", "="), ("v", "s", "c", "r", "p", "t", ":"), ("[", "]", "("), "\xbcscript", "url(", "reflect.", "function`", "datasrc", "data:text",
    "fscommand", "asfunction", "innerhtml", "tostring", "import(", "throw",
)  # fmt: skip

EVENTS = (
    "abort|activate|after|animation|app|audio|aux|before|begin|blur|bounce|cancel|canplay|cell|change|click|close|command|connection|context|control|"
    "copy|cue|cut|data|dblclick|device|drag|drop|duration|emptied|end|error|"
    "fetch|filter|finish|focus|form|full|gesture|got|hash|help|input|install|invalid|key|language|layout|lose|load|lost|media|message|mouse|move|moz|"
    "navigation|offline|online|open|orientation|outofsync|page|paste|pause|play|point|"
    "pop|progress|property|rate|ready|rejection|repeat|reset|resize|resume|reverse|row|scroll|search|security|seek|select|show|slot|speech|stalled|start|"
    "state|stop|storage|submit|suspend|sync|time|toggle|touch|track|transition|"
    "unhandled|unload|url|user|volume|waiting|webkit|wheel|zoom"
)
LEVELS = ((4, "high"), (3, "medium"), (2, "low"))


def detect(text: str, where: str) -> Evidence | None:
    """Evidence that a browser would run something in `text`."""
    low = text.lower()
    if "\xbc" in low:
        low = low.replace("\xbc", "<").replace("\xbe", ">")  # US-ASCII with the eighth bit dropped
    weight, shape = 0, ""
    for look in (_tags, _attributes, _schemes, _styles, _calls):
        heavier, seen = look(low)
        if heavier > weight:
            weight, shape = heavier, seen
            if weight > 4:
                break
    if weight and len(text) > 200 and text.count("\n") > 2:
        weight -= 1  # documents show markup and code
    for least, confidence in LEVELS:
        if weight >= least:
            return Evidence(confidence, shape)  # type: ignore[arg-type]  # LEVELS holds the three words
    return None


def _tags(low: str) -> tuple[int, str]:
    """Elements and declarations that load, hold or include code."""
    if "<" not in low:
        return 0, ""
    weight, shape = 0, ""
    for found in ELEMENT.finditer(low):
        name = found[2].rpartition(":")[2]
        if found[1]:
            heavier = (
                3
                if name in ("script", "style", "noscript", "textarea", "title", "xmp", "plaintext", "iframe", "noembed", "noframes") and name != "title"
                else 0
            )
            seen = f"end of {name}"
        else:
            heavier = ELEMENTS.get(name, 0)
            seen = f"{name} element"
        if heavier > weight:
            weight, shape = heavier, seen
    declared = DECLARATION.search(low)
    if declared and weight < 4:
        return 4, "server-side include" if declared[0].startswith("<!--") else "declaration that loads"
    if weight < 4 and "<meta" in low and META.search(low):
        return 4, "meta element that redirects or sets"
    if weight < 3 and "<link" in low and LINK.search(low):
        return 3, "link element that loads"
    return weight, shape


def _attributes(low: str) -> tuple[int, str]:
    """Event handlers in a tag, behind a quote, or at the start; attributes that hold markup or script."""
    if "=" not in low:
        return 0, ""
    weight, shape = 0, ""
    found = HANDLER.search(low)
    other = None if found else ANY_HANDLER.search(low)
    if other:
        return 3, "event handler of another name in a tag"
    if "datasrc" in low and DATA_SOURCE.search(low):
        return 3, "data source in a tag"
    if found:
        before = low[: found.start() + 1]
        opened = before.rfind("<")
        if opened >= 0 and TAG_NAME.match(low, opened):
            return 5, "event handler in a tag"
        value = low[found.end() : found.end() + 256]
        code = SCRIPTY.search(value)
        if BREAK_OUT.match(before[-64:].strip() or "'"):
            return (4 if code else 3), "event handler behind a quote"
        if not before[:-1].strip(" \t/'\"`>;,.") or opened >= 0:
            return (4 if code else 2), "event handler"
        if CALL.match(value.lstrip("\"' ")):
            weight, shape = 3, "event handler"
    if "srcdoc" in low and SRCDOC.search(low):
        return 4, "document in an attribute"
    return weight, shape


def _schemes(low: str) -> tuple[int, str]:
    """URLs that run script, however spaced."""
    if ":" not in low and "url(" not in low:
        return 0, ""
    tight = low.translate(SPACES)
    if "script:" in tight or "url(javascript" in tight or "mocha:" in tight or "asfunction:" in tight:
        found = SCHEME.search(tight)
        if found:
            return 5, "script URL in an attribute"
        start = tight.lstrip("'\"")
        if start.startswith(("javascript:", "vbscript:", "livescript:")) and CODE.search(low[len("javascript:") - 2 : 256]):
            return 4, "script URL"
        if CALL_URL.search(tight):
            return 3, "script URL that calls"
    if "data:text" in tight or "data:image/svg" in tight or "data:application" in tight or "data:," in tight:
        found = DATA_URL.search(tight)
        if found:
            return 4, "data URL with a document"
    return 0, ""


def _styles(low: str) -> tuple[int, str]:
    """Styles that bind code."""
    if "(" not in low and ":" not in low and "@" not in low:
        return 0, ""
    bare = COMMENT.sub("", low) if "/*" in low else low
    if "\\" in bare:
        bare = CSS_ESCAPE.sub(lambda found: chr(int(found[1], 16) & 0x7F), bare).replace("\\", "")
    if ("expression" in bare or "behavior" in bare or "binding" in bare or "@import" in bare or "-o-link" in bare) and STYLE.search(bare):
        return 4, "style that binds code"
    return 0, ""


def _calls(low: str) -> tuple[int, str]:
    """JavaScript that calls, alone or behind the quote that ends a string."""
    if "(" not in low and "`" not in low and "=" not in low:
        return 0, ""
    found = CALL_ANYWHERE.search(low)
    if found:
        before = low[: found.start()]
        if not before.strip(" \t;+-*/!~({[,'\"`\\"):
            return 4, "call of a browser function"
        if JS_BREAK.search(before[-256:]):
            return 4, "call of a browser function behind a quote"
        after = low[found.end() : found.end() + 64]
        return (3 if after.rstrip().endswith(("//", "--", "+'", '+"', "-'", '-"', ";")) or "document." in after[:24] else 2), "call of a browser function"
    if OBJECTS.search(low):
        return 3, "access of browser objects"
    return 0, ""


ELEMENTS = {
    "script": 5, "iframe": 4, "frame": 4, "frameset": 4, "object": 4, "embed": 4, "applet": 4, "bgsound": 4, "layer": 4, "ilayer": 4, "isindex": 4,
    "base": 4, "xss": 4, "vmlframe": 4, "handler": 4,
    "listener": 4, "portal": 4, "import": 4, "event-source": 4, "implementation": 3, "animate": 3, "animation": 3, "animatetransform": 3,
    "animatemotion": 3, "set": 3, "foreignobject": 3, "keygen": 3, "xml": 3,
    "marquee": 3, "basefont": 3, "fscommand": 3, "plaintext": 3, "xmp": 3, "noembed": 3,
}  # fmt: skip
"""Elements that run or load code in a page: 4 by themselves, 3 and 2 where they only open the way to it."""
CALLS = (
    "alert|confirm|prompt|eval|settimeout|setinterval|setimmediate|execscript|document\\.write(?:ln)?|msgbox|string\\.fromcharcode|unescape|atob|fetch|"
    "importscripts|window\\.open|document\\.[a-z]+|print|function|write|focus"
)
SPACES = dict.fromkeys([*range(33), 127, 0xA0, 0x180E, 0x2028, 0x2029, 0x3000, *range(0x2000, 0x2010)])


ELEMENT = pattern(
    r"<[\s\x00-\x20]*(/?)[\s\x00-\x20/\\]*((?:[a-z][\w.-]*:)?(?:"
    + "|".join(sorted(ELEMENTS, key=len, reverse=True))
    + r"|noscript|textarea|title|noframes))(?![\w,.)\]-])"
)
DECLARATION = pattern(
    r"<!--#\s*(?:exec|include|echo|config|printenv|set|fsize|flastmod|if|elif)\b|<\?\s*import\b|<\?xml-stylesheet|<!entity\s|<\?php|<%=?\s*(?:eval|response|"
    r"execute)|<!\[if"
)
META = pattern(r"<meta[^<]*(?:http-equiv|charset\s*=[\s\"']*(?:utf-7|hz-gb|iso-2022|mac-farsi))|<meta[^<]*url\s*=")
LINK = pattern(r"<link[^<]*(?:rel\s*=[\s\"']*(?:stylesheet|import|serviceworker|manifest|preload))")
TAG_NAME = pattern(r"<[\s\x00-\x20/]*[a-z!?\[]")
ANY_HANDLER = pattern(r"<[a-z][^<]{0,512}?[\s\"'/]on[a-z]{3,24}\s{0,8}=\s{0,8}[^\s>]")
DATA_SOURCE = pattern(r"<[a-z][^<]{0,512}?\sdatasrc\s{0,8}=")
HANDLER = pattern(r"(?:^|[\s\"'`/;>\x00-\x20\x7f-\xff,)])on(?:" + EVENTS + r")[a-z]{0,24}[\s\x00-\x20\\]*=(?!=)[\s\x00-\x20]*(?=\S)")
BREAK_OUT = pattern(r".*[\"'`\u201c\u201d](?:[\s/>]*+[a-z-]++(?:\s*+=\s*+[^\s\"'`]*+)?+)*+[\s\"'`/;>]*+$")
SCRIPTY = pattern(r"^[\s\"'`]*(?:[\w$.\[\]\\]+[\s]*(?:[(`=+\[]|\?\.)|[(\[{!~+-]+[\w$'\"]|javascript|vbscript|\\u00|/\*)")
CALL = pattern(r"[\w$.]+\s*\(")
SRCDOC = pattern(r"srcdoc\s*=[\s\"']*(?:<|&)")
SCHEME = pattern(
    r"[=(\"'`,;\[](?:url\()?[\"'`]?[^\w\"'`=]{0,8}(?:javascript|vbscript|livescript|mocha|asfunction|jscript):[^,\"'\s]|^[^\w]{0,8}(?:javascript|vbscript|"
    r"livescript|asfunction):[^\s]{0,200}?[(`=\[%]"
)
CALL_URL = pattern(r"url\([\"']?(?:javascript|vbscript)|(?:javascript|vbscript|asfunction):[^\s]{0,60}?[\w)][(`]")
CODE = pattern(r"[\w$)\]][(`=\[]|//|/\*|\\u00|%")
DATA_URL = pattern(
    r"data:(?:text/(?:html|xml|javascript|vbscript|css|x-scriptlet)|image/svg\+?xml|application/(?:xhtml|xml|javascript|x-javascript))[^<]{0,40}[;,]|"
    r"data:,(?:<|%3c|alert|\*\{)|data:text/[a-z]+;?charset"
)
CSS_ESCAPE = pattern(r"\\(0{0,4}[2-7][0-9a-f])\s?")
COMMENT = pattern(r"/\*(?:[^*]|\*(?!/))*\*/|<!--[^>]{0,64}-->")
STYLE = pattern(
    r"[:;\"'{]\s{0,8}expression\s{0,4}\(|behavior\s*:\s*url\s*\(|-moz-binding\s*:|[;\s\"'{]binding\s*:\s*url|@import\s*(?:url|['\"][^'\"]*(?:javascript|"
    r"data:|//))|-o-link(?:-source)?\s*:"
)
CALL_ANYWHERE = pattern(
    r"(?<![\w.$`])(?<!def )(?<!function )(?:(?:window|self|top|parent|frames|this|globalthis|document)(?:\.|\[[\"'`/]))*(?:alert|confirm|prompt|eval|"
    r"settimeout|setinterval|execscript|document\.write(?:ln)?|string\.fromcharcode|importscripts|msgbox)"
    r"(?:[\"'`\]/)]|\.(?:call|apply|bind)|/\*\*/){0,3}(?:\?\.)?(?:\(|`|&lpar;|\s\((?=[\d'\"`/)]|document|window|this))|(?<![\w.$])(?:location|"
    r"document\.(?:location|cookie)|window\.location|self\.location)(?:\.href)?\s?=\s?(?:['\"`/]|https?:|javascript|document|location|window|string\.|"
    r"name\b|self|top|atob|eval|unescape|decode)|(?<![\w.$])new\s+image\b[^;]{0,16}src|\bdocument\.(?:cookie|domain)\b|throw\s?(?:onerror|/)"
)
JS_BREAK = pattern(r"(?:[\"'`]\s*[)}\]]*\s*[;+*/%&|^,<>=?:!~-]|</script|\*/|}\s*;?|^[\w\s]{0,16}\)\s*;|;)[^\"'`\n]{0,128}$")
OBJECTS = pattern(
    r"\b(?:top|self|window|this|parent|frames|globalthis|document)\[[^\]\n]{1,64}\]\s*(?:\(|\[|=)|\[\]\[?[\"'`.]?(?:constructor|filter|map|find|sort)|"
    r"constructor\.constructor|\d\.\.tostring\(|\.constructor\(|innerhtml\s*=|\$\{?alert|"
    r"(?:onerror|onload)\s*=\s*(?:alert|eval|confirm|prompt)|document\.write|fscommand|(?<![\w.$`])(?<!def )eval\s*\(|\bimport\s?\(\s?[\"'`](?:data:|//|"
    r"https?:)|\breflect\.(?:set|get|apply|construct)\b|(?<![\w.])function`|\.(?:find|map|filter|foreach|sort)\((?:alert|confirm|prompt|eval)\)|"
    r"=\s?(?:alert|eval|prompt|confirm)\s?[,;]|\(!{1,2}\[\][+ ]\[\]\)|setter\s*=|__definegetter__|expression\(|atob`|\bwith\s?\(document\)"
)
