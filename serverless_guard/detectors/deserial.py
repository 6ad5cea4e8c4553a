r"""A serialised object that would run code when it is read back.

SG-DES-001, CWE-502. Python pickle, PyYAML and jsonpickle, Java, PHP, .NET, Ruby, node-serialize, Fastjson and Jackson types, XMLDecoder and XStream.

Each format announces itself: a pickle by its protocol and the opcodes that import and call, Java by `AC ED 00 05`, PHP by
counted class names, YAML by tags that construct, JSON by fields that name a type. Text forms (base64, hex) arrive
here undone. Plain data of the same formats (a pickled dict, a PHP array, a YAML document) does not count.

    attack          !!python/object/apply:subprocess.check_output [[id]]
    near miss       a:1:{s:4:"name";s:3:"Ana";}  and  !!str 42  and  {"@type": "Person"}

High: an object or a call. Medium: the start of a format that cannot be told apart further. Low: in prose.

https://cwe.mitre.org/data/definitions/502.html  https://docs.python.org/3/library/pickle.html
"""

from __future__ import annotations

import re
from binascii import a2b_base64, a2b_hex

from serverless_guard.detectors import Evidence
from serverless_guard.words.padding import through_padding
from serverless_guard.words.patterns import pattern

RULE = "SG-DES-001"
CWE = 502
TITLE = "a serialised object that runs code when it is read"
NEEDS = (
    "\x80", "\xac\xed", "ro0ab", "aced0005", (":", "{", '"'), "python/", "!!", "!<", ("c", "\n", "."), ("c", "\\n", "."), ("(i", "\n"), ("(i", "\\n"),
    ("(s'", "n"), "8002", "8003", "8004", "8005", "py/", "$$nd_func", "aaeaaad", "\xff\xff\xff\xff", "\x04\x08", "!ruby", "!php", ("java", "."),
    ("org.", "."), ("com.", "."), ("system.", "."), "transformer", "closure", "factory", "impl", "handler", "comparator", "inputstream", "expexception",
    "<org", "<com", "<sun", "<dynamic", "processbuilder", "<java", "gasv", "gaj", "ganj", "gar9", "tzo", "yto", "qzo",
)  # fmt: skip

_GLOBAL = pattern(r"(?:^|[\n(\]}\[\x80-\x85.0-9])c([A-Za-z_][\w.]{0,60})\n([A-Za-z_][\w.]{0,60})\n")
_CALLS = pattern(r"(?:t|tp\d{1,6}\n|\)|\x85|\x86|\x87|tq.|\x85q.|\x94|p\d{1,6}\n|l|\])R|[(\n]o\.|\no(?:\.|\Z)", re.S)
_INSTANCE = pattern(r"(?:^|[\n(])i([A-Za-z_][\w.]{0,60})\n([A-Za-z_]\w{0,60})\n")
_PHP = pattern(r"(?<![\w:])[OC]:\+?\d{1,6}:\\?\"[\w\\\x80-\xff]{1,200}\\?\":\d{1,6}:\{")
_YAML = pattern(
    r"!(?:!|<tag:yaml\.org,2002:|<!)?(?:python/(?:object|name|module|apply|cpickle)|(?:python/)?object/(?:apply|new)[:/]|ruby/(?:object|hash|"
    r"struct|class|module|sym|regexp|exception|array)\b|php/(?:object|const)|"
    r"(?:javax?|com\.sun|org\.\w{1,20}|ch\.qos|com\.mchange|sun|groovy|bsh|clojure)\.[\w.$]{3,120}[\s\[\]{(>])",
    re.I,
)
_TAGS = ("python/", "object", "ruby/", "php/", "java", "com.", "org.", "ch.", "sun.", "groovy", "bsh.", "clojure")
_JSONPICKLE = pattern(
    r"\A[\"']?py/(?:object|reduce|function|type|repr|newobj|newargs|newargsex|initargs|mod|method|ref|iterator|bytes|b64)[\"']?\Z|"
    r"[\"']py/(?:object|reduce|function|type|repr|newobj|newargs|newargsex|mod|method)\\?[\"']\s{0,4}:"
)
_DOTNET = pattern(
    r"\bSystem\.(?:Windows\.Data\.ObjectDataProvider|Diagnostics\.Process(?:StartInfo)?\b|Configuration\.Install\.AssemblyInstaller|"
    r"Management\.Automation|Workflow\.ComponentModel|Windows\.Markup\.XamlReader|Windows\.ResourceDictionary|"
    r"Security\.(?:Principal\.(?:WindowsIdentity|ClaimsIdentity|GenericPrincipal)|Claims)|Data\.(?:DataSet|Services\.Internal)|"
    r"Reflection\.Assembly\b|Activator\b|IO\.FileInfo|Resources\.ResXResourceReader|Web\.Security\.RolePrincipal|Collections\.Generic\.SortedSet)|"
    r""
    r"\bObjectDataProvider\b|\bTypeConfuseDelegate\b|\bMicrosoft\.VisualStudio\.Text\.Formatting\b|, (?:PresentationFramework|"
    r"System\.Management\.Automation|mscorlib, Version)"
)
_DOTNET_HINTS = ("System.", "ObjectDataProvider", "TypeConfuse", ", P", ", mscorlib")
_JAVA_TYPE = pattern(
    r"\A[\"'\[]{0,3}L?(?:com\.sun\.(?:rowset|org\.apache|jndi|corba|xml)|org\.apache\.(?:commons\.(?:collections4?|beanutils|configuration2?|"
    r"dbcp2?|proxy|jelly)|xalan|xbean|tomcat\.dbcp|naming|shiro|ibatis|openjpa|aries|activemq|hadoop\.shaded|catalina|cocoon|axis2|log4j)|"
    r"ch\.qos\.logback|"
    r"javax\.(?:naming|script|swing|management|imageio|xml\.transform)|java\.(?:lang\.(?:Runtime|ProcessBuilder|AutoCloseable|Class|Thread|"
    r"reflect)|net\.(?:URL|URLClassLoader|Inet4Address|InetAddress|InetSocketAddress)|rmi|util\.(?:logging|jar|prefs|ServiceLoader)|beans|"
    r"io\.File|security\.SignedObject)|"
    r"org\.springframework\.(?:beans|context|aop|jndi|core\.(?:io|serializer))|com\.(?:mchange|zaxxer|caucho|ibatis|alibaba\.fastjson|p6spy|"
    r"pastdev|newrelic|nqadmin|cowtowncoder|ibm\.spss)|org\.(?:hibernate|jboss|mozilla\.javascript|codehaus\.groovy|python\.core|h2|jdom2?|"
    r"postgresql|quartz|eclipse\.jetty|slf4j\.ext|jsecurity)|bsh\.|groovy\.|sun\.(?:rmi|reflect)|oracle\.jdbc|br\.com\.anteros|jdk\.|rome\.)"
    r"[\w.$;]{1,200}[\"'\]]{0,3}\Z"
)  # fmt: skip
_GADGETS = (
    "invokertransformer", "chainedtransformer", "instantiatetransformer", "constanttransformer", "clonetransformer", "forclosure", "instantiatefactory",
    "prototypeclonefactory",
    "prototypeserializationfactory", "templatesimpl", "jdbcrowsetimpl", "badattributevalueexpexception", "annotationinvocationhandler", "beancomparator",
    "objectinputstream", "whileclosure",
)  # fmt: skip
_ELEMENTS = (  # (literal in lower case that must occur, pattern that starts with it)
    ('"java', r"<(?:java|object|void|handler|sorted-set|tree-map)\b[^<>]{0,120}(?:class|interface)\s{0,2}=\s{0,2}\"(?:javax?|sun|com\.sun|org)\."),
    ("'java", r"<(?:java|object|void|handler|sorted-set|tree-map)\b[^<>]{0,120}(?:class|interface)\s{0,2}=\s{0,2}'(?:javax?|sun|com\.sun|org)\."),
    ("<java.", r"<java\.(?:lang|util|beans|io|net)\.[a-z]"),
    ("<dynamic-proxy", r"<dynamic-proxy\b"),
    ("<javax.", r"<javax(?:\.[a-z]\w{0,30}){1,8}[\s>/]"),
    ("<com.sun.", r"<com\.sun(?:\.[a-z]\w{0,30}){1,8}[\s>/]"),
    ("<org.", r"<org(?:\.[a-z]\w{0,30}){2,8}[\s>/]"),
    ("<jdk.", r"<jdk(?:\.[a-z]\w{0,30}){2,8}[\s>/]"),
    ("<sun.", r"<sun(?:\.[a-z]\w{0,30}){1,8}[\s>/]"),
)
_HEX = pattern(r"[0-9a-fA-F]{20,}")
_JAVA = ("\xac\xed\x00\x05", "rO0AB", "\xac\xed\x05sr")
_NET = ("\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01", "AAEAAAD/////AQ")
_RUBY = pattern(r"\A\x04\x08(?:[ocCmMeuU]:|[\[{I].{0,80}[oU]:)", re.S)
_PREFIXES = ("gASV", "gAJj", "gANj", "gAR9", "gAJ9", "gAJd", "Tzo", "YTo", "Qzo")
_BASE64 = pattern(r"(?<![\w+/])(?:gASV|gAJj|gANj|gAR9|gAJ9|gAJd|Tzo|YTo|Qzo)[\w+/-]{16,400}")


@through_padding
def detect(text: str, where: str) -> Evidence | None:
    """Evidence that `text` is or holds a serialised object; linear in its length."""
    start = text[:12]
    if start[:1] == "\x80" and start[1:2] in "\x02\x03\x04\x05":
        if "\x93" in text or _GLOBAL.search(text) or "R" in text[-40:]:
            return Evidence("high", "pickle that imports and calls")
        return Evidence("medium", "pickle")
    low = text.lower()
    if "\n" in text or "\\n" in text:
        found = _old_pickle(text)
        if found:
            return found
    for magic in _JAVA:
        if magic in text:
            return Evidence("high", "Java object stream")
    if start[:3] == "800" and start[3:4] in "2345" and _HEX.fullmatch(text[:4000]):
        inner = a2b_hex(text[: min(len(text), 4000) // 2 * 2]).decode("latin-1")
        if "\x93" in inner or _GLOBAL.search(inner):
            return Evidence("high", "pickle that imports and calls")
    if low.startswith("aced0005"):
        return Evidence("high", "Java object stream")
    for magic in _NET:
        if magic in text:
            return Evidence("high", ".NET BinaryFormatter stream")
    if start[:2] == "\x04\x08" and _RUBY.match(text):
        return Evidence("high", "Ruby Marshal object")
    inside = _BASE64.search(text) if any(map(text.__contains__, _PREFIXES)) else None
    if inside:
        found = _wrapped(inside[0])
        if found:
            return found
    return _announced(text, low, where)


def _wrapped(text: str) -> Evidence | None:
    """The start of a base64 run inside the value, such as one cookie among others."""
    body = text.replace("-", "+").replace("_", "/")
    try:
        inner = a2b_base64(body[: len(body) // 4 * 4]).decode("latin-1")
    except ValueError:
        return None
    if inner[:1] == "\x80":
        return Evidence("high" if "\x93" in inner or _GLOBAL.search(inner) else "medium", "pickle")
    return Evidence("high", "PHP object") if _PHP.search(inner) else None


def _announced(text: str, low: str, where: str) -> Evidence | None:
    """Formats of text that name the type to construct."""
    prose = text.count(" ") > 25
    if ":{" in text and _PHP.search(text):
        return Evidence("high", "PHP object")
    if "!" in text and any(map(low.__contains__, _TAGS)) and _YAML.search(text):
        return Evidence("low" if prose else "high", "YAML tag that constructs")
    if "py/" in text and _JSONPICKLE.search(text):
        return Evidence("high", "jsonpickle type")
    if "_$$nd_func$$_" in low:
        return Evidence("high", "node-serialize function")
    if where == "key":
        return None
    if not prose and any(map(text.__contains__, _DOTNET_HINTS)) and _DOTNET.search(text):
        return Evidence("high" if "," in text or len(text) < 120 else "medium", ".NET gadget type")
    if "." in text and len(text) < 300 and " " not in text and _JAVA_TYPE.match(text):
        return Evidence("medium", "Java gadget type as the value")
    if any(map(low.__contains__, _GADGETS)):
        return Evidence("low" if prose else "medium", "Java gadget")
    if "<" in text:
        for literal, source in _ELEMENTS:
            if literal in low and re.search(source, low):
                return Evidence("high", "element that constructs a Java object")
    return None


def _old_pickle(text: str) -> Evidence | None:
    """Protocols 0 and 1 have no magic number: an import, then a call, then the full stop at the end."""
    body = text if "\n" in text else text.replace("\\n", "\n")
    found = _GLOBAL.search(body) or _INSTANCE.search(body)
    if found is None:
        return None
    rest = body[found.end() :]
    ends = body.rstrip("\n\r \"'").endswith(".")
    if ends and (_CALLS.search(rest) or body[found.start() : found.end()].lstrip("\n(")[0] == "i" or "b." in rest[-6:]):
        return Evidence("high", "pickle that imports and calls")
    if (
        found[1] in ("os", "posix", "nt", "subprocess", "builtins", "__builtin__", "commands", "sys", "runpy", "pty", "importlib", "webbrowser")
        and rest[:1] in "(pq\x94"
    ):
        return Evidence("high" if "R" in rest else "medium", "pickle that imports")
    return None
