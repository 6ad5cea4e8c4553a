r"""A name that reaches behind the data: `__proto__`, `constructor.prototype`, `__class__.__init__.__globals__`.

SG-POL-001, CWE-1321 (Python classes: CWE-915). Deep merges and setters by path in JavaScript and Python.

Names of fields are cut into the segments that setters would take (`.`, `[`, `]`), and each is looked up. In a value, only what
assigns through such a name counts: a query string, a JSON document, a path followed by `=`.

    attack          settings[__proto__][isAdmin]=1
    near miss       __typename, __v, and a sentence about the __init__ method

High: a field's name, or an assignment in a value. Low: in code.

https://cwe.mitre.org/data/definitions/1321.html  https://blog.abdulrah33m.com/prototype-pollution-in-python/
"""

from __future__ import annotations

from serverless_guard.detectors import Evidence
from serverless_guard.words.padding import through_padding
from serverless_guard.words.patterns import pattern

RULE = "SG-POL-001"
CWE = 1321
TITLE = "a field name that reaches into prototypes or classes"
NEEDS = ("__", ("constructor", "prototype"))

_DUNDERS = frozenset(
    (
        "__proto__", "__class__", "__base__", "__bases__", "__mro__", "__subclasses__", "__init__", "__new__", "__globals__", "__builtins__",
        "__dict__", "__code__", "__closure__", "__func__", "__self__", "__wrapped__", "__getattribute__", "__defaults__", "__kwdefaults__",
        "__reduce__", "__reduce_ex__", "__setattr__", "__getattr__", "__delattr__", "__qualname__", "__loader__", "__spec__", "__import__",
        "__annotations__", "__call__", "__module__", "__definegetter__", "__definesetter__", "__lookupgetter__", "__lookupsetter__",
    )
)  # fmt: skip
_SEGMENTS = pattern(r"[.\[\]\"'/:\s%>-]+")
_ASSIGNS = pattern(
    r"(?:^|[?&;{,\s\[.\"'(])(?:__proto__[\"']?\]?\s{0,4}(?:[.\[]|=(?!=)|:)|constructor[\"']?\]?\s{0,2}[.\[:]\s{0,2}[\[{]?\s{0,2}[\"']?prototype|"
    r"[\w\]]{0,20}\[[\"']?__(?:class|base|bases|mro|init|globals|builtins|dict|proto|subclasses|code|func|self|spec|loader|defaults|kwdefaults|"
    r"qualname)__[\"']?\]|"
    r"__(?:class|base|init|globals|dict|code|defaults|kwdefaults|builtins)__[.\[][\w.\[\]\"']{0,120}\s{0,4}=(?!=)|"
    r"[\"']__(?:class|init|globals|builtins|bases?|dict)__[\"']\s{0,4}:)"
)


@through_padding
def detect(text: str, where: str) -> Evidence | None:
    """Evidence that `text` names what lies behind the data; linear in its length."""
    if where == "key":
        return _key(text)
    if len(text) < 200 and text.lower() in _DUNDERS:
        return Evidence("medium", "dunder name as a value")
    if "=" not in text and ":" not in text:
        return None
    low = text.lower() if "__PROTO" in text or "CONSTRUCTOR" in text else text
    found = _ASSIGNS.search(low)
    if found is None:
        return None
    if text.count("\n") > 3 or text.count(" ") > 12:
        return Evidence("low", "assignment through a prototype, in a text") if "{" not in text and text.count("\n") < 2 else None
    return Evidence("high", "assignment through a prototype or class")


def _key(text: str) -> Evidence | None:
    if len(text) > 2000:
        text = text[:1000] + "." + text[-1000:]
    segments = _SEGMENTS.split(text.lower())
    if not _DUNDERS.isdisjoint(segments):
        return Evidence("high", "dunder name of a field")
    if "constructor" in segments and "prototype" in segments[segments.index("constructor") :]:
        return Evidence("high", "prototype in the name of a field")
    return None
