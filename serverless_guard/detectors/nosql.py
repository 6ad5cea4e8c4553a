"""SG-NOS-001: operators or script for a document database (CWE-943, CAPEC-676).

Looks for a MongoDB operator where a field name belongs (`{"password": {"$ne": ""}}`, `password[$ne]=`), the same written in a
text that a handler parses or joins into a query, and JavaScript that leaves a string of a `$where` clause. The operators are
the language's own; another word behind a dollar (`$ref`, `$schema`, `$id`, `$9.99`) is harmless.

Attack:             `{"username": "admin", "password": {"$gt": ""}}`
Harmless near miss: `{"$ref": "#/definitions/price", "note": "from $in to $out"}`

References: https://cwe.mitre.org/data/definitions/943.html, https://www.mongodb.com/docs/manual/reference/operator/query/
"""

from __future__ import annotations

from serverless_guard.detectors import Evidence
from serverless_guard.words.patterns import pattern

RULE = "SG-NOS-001"
CWE = 943
TITLE = "Operators or script for a document database"
NEEDS = (
    "$",
    ("'", ";"),
    ('"', ";"),
    ("'", "|"),
    ('"', "|"),
    ("'", "&"),
    ('"', "&"),
    ("this.", "'"),
    ("this.", '"'),
    ("this.", "="),
    ("db.", "("),
    ("return", "'"),
    ("return", '"'),
    ("date", "'"),
    ("date", '"'),
    ("mapreduce",),
    ("sleep(", "'"),
    ("sleep(", '"'),
    ("||", "'"),
    ("||", '"'),
    ("==", "'"),
    ("==", '"'),
)

_OPERATORS = (
    "eq ne gt gte lt lte in nin and or nor not exists type expr jsonschema mod regex options text where geointersects geowithin near nearsphere all "
    "elemmatch size bitsallclear bitsallset bitsanyclear bitsanyset "
    "comment function accumulator lookup unionwith graphlookup out merge group project match set unset inc push pull rename currentop slice search meta "
    "maxscan maxtimems returnkey cond like iregex"
)
OPERATORS = frozenset(_OPERATORS.split())
"""Query operators, and the stages that a pipeline may be led to; `$ref`, `$id`, `$schema`, `$date`, `$oid` are data."""
_SHARP = "ne gt gte lt lte nin regex where exists expr or nor and elemmatch function accumulator not in eq jsonschema"
SHARP = frozenset(_SHARP.split())


def detect(text: str, where: str) -> Evidence | None:
    """Evidence that `text` is, or holds, an operator or script."""
    low = text.lower()
    if "$" in low:
        if where == "key":
            return _key(low)
        found = WRITTEN.search(low)
        if found and (found[1] or found[2] or found[3] or found[4]) in OPERATORS - {"comment"}:
            return Evidence("high", "operator where a field name belongs, in a text")
        found = LOOSE.search(low)
        if found and found[1] in OPERATORS:
            return Evidence("medium", "operator behind a quote or bracket")
    found = SCRIPT.search(low)
    if found:
        return Evidence("high" if found.start() < 64 else "medium", "script behind the quote that ends a string of $where")
    if SHELL.search(low):
        return Evidence("medium", "call on the database object")
    return None


def _key(low: str) -> Evidence | None:
    """A field or parameter name: `$ne`, `password[$ne]`, `filter.$where`."""
    name = low.strip()
    if name[0] == "$":
        word = name[1:]
        if word in SHARP:
            return Evidence("high", "operator as a field name")
        return Evidence("medium", "operator as a field name") if word in OPERATORS and word != "comment" else None  # JSON Schema has `$comment` too
    found = BRACKETED.search(name)
    if found and (found[1] or found[2]) in OPERATORS:
        return Evidence("high", "operator in a parameter name")
    return None


BRACKETED = pattern(r"\[[\"']?\$([a-z]+)[\"']?\]|\.\$([a-z]+)$")
WRITTEN = pattern(
    r"\w\.\$([a-z]+)=|\[[\"']?\$([a-z]+)[\"']?\](?:\[[^\]\n]{0,32}\])?\s?=|[{,]\s{0,16}[\"']?\$([a-z]+)[\"']?\s{0,16}:|"
    r"^\s{0,16}[\"']?\$([a-z]+)[\"']?\s{0,16}:\s{0,16}[\[{\"'\d]"
)
LOOSE = pattern(r"[\"'\])}]\s{0,16},?\s{0,16}\$([a-z]+)\s{0,16}:")
SCRIPT = pattern(
    r"[\"'][\s)};]{0,16}(?:\|\||&&|;|\+)\s{0,16}(?:!{0,2}\(?(?:this|obj)\.\w|return\b|(?:var|let)\s|(?:do|while|for|if)\s{0,8}[({]|"
    r"\w{1,16}\s?=\s?new\s+date|sleep\s?\(|db\.\w|function\b|throw\b|emit\()"
    r"|[\"'][\s)}]{0,16}(?:\|\||&&)\s{0,16}[\"'\w.]{1,24}\s{0,4}(?:===?|!==?)\s{0,4}[\"'\w]|^\s{0,16}(?:return|;\s?return)\s+(?:true\s{0,4}[;}]|this\.|"
    r"\(?function)|\bthis\.\w{1,64}\s{0,4}(?:\.match\s?\(|===?|!=|>|<)|^\s*(?:\|\||&&)\s*this\.\w|function\s?\(\)\s?\{\s?(?:return|while|sleep|var)"
)
SHELL = pattern(
    r"\bdb\.(?:\w{1,64}\.)?(?:find|findone|insert|insertone|insertmany|update|updateone|remove|deleteone|deletemany|drop|dropdatabase|aggregate|mapreduce|"
    r"runcommand|getcollectionnames|adminCommand|eval|save|count|distinct|createuser)\s{0,4}\(|\bmapreduce\s?\(\s?function"
)
