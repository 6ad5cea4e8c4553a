r"""A GraphQL document that asks for the schema, or for more work than a page needs.

SG-GQL-001, CWE-770 (introspection: CWE-200).

The document is read as tokens: `__schema` or `__type` selected, depth of braces, the same field asked for again and again under
other names (guessing codes in one request), one field repeated, directives piled up, fragments that spread themselves, many documents in one array.

    attack          mutation { a0: login(pin: "0000") { ok } a1: login(pin: "0001") { ok } ... }
    near miss       { small: photo(w: 100) { url } large: photo(w: 900) { url } }

Medium: introspection (tools of developers send it too), circles. High: the rest, far beyond what clients write.

https://spec.graphql.org/draft/  https://cheatsheetseries.owasp.org/cheatsheets/GraphQL_Cheat_Sheet.html
"""

from __future__ import annotations

import re
from collections import Counter

from serverless_guard.detectors import Evidence
from serverless_guard.words.padding import through_padding
from serverless_guard.words.patterns import pattern

RULE = "SG-GQL-001"
CWE = 770
TITLE = "a GraphQL document that abuses the server"
NEEDS = ("__schema", "__type", ("{", "{", "}"), ("@", "{"))

RAW = True  # an array of documents is seen only in the JSON text as it came

MAX_DEPTH = 15
"""Selections within selections; clients write five to ten."""
MAX_ALIASES = 10
"""How often one field may be asked for under other names; boards and galleries do five."""
MAX_REPEATS = 20
"""How often one field may stand in one selection without any alias."""
MAX_BATCH = 10
"""Documents in one array."""

_INTROSPECTION = pattern(r"(?<![\w$])__(?:schema[\s,]{0,20}(?:@\w{1,20}\s{0,4})?[{(]|type[\s,]{0,20}\()")
_DOCUMENT = pattern(
    r"\s{0,200}+(?:#[^\n]{0,400}+\s{0,40}+){0,8}+(?:(?:query|mutation|subscription|fragment)\b[^{]{0,2000})?\{|[\s\[]{0,40}\{\s{0,40}\"(?:query|"
    r"operationName|variables)\""
)
_ALIAS = pattern(r"(?<!\w)\w{1,80}+\s{0,4}:\s{0,4}([A-Za-z_]\w{0,80})")
_REPEATED = pattern(r"(?<![\w:$.\"])([A-Za-z_]\w{1,60})(?:[\s,]{1,20}\1(?!\w)){19}")
_DIRECTIVES = pattern(r"(?:@\w{1,40}(?:\([^()]{0,80}\))?\s{0,4}){12}")
_FRAGMENT = pattern(r"\bfragment\s{1,20}(\w{1,100})\s{1,20}on\b")
_SPREAD = pattern(r"\.\.\.\s{0,20}(?!on\b)(\w{1,100})")
_RUN = pattern(r"\b(?:cmd|command|exec|shell|script)\s{0,4}:\s{0,4}\"")
_BATCH = pattern(r"\{\s{0,40}\"(?:query|operationName|variables|id)\"\s{0,10}:")


@through_padding
def detect(text: str, where: str) -> Evidence | None:
    """Evidence that the GraphQL document `text` abuses the server; linear in its length."""
    if "__schema" in text or "__type" in text:
        found = _INTROSPECTION.search(text)
        if found and (len(text) < 20000 and text.count("\n") * 40 < len(text) + 2000):
            return Evidence("medium", "introspection")
    if "{" not in text or text[:2] == "{{" or not _DOCUMENT.match(text):
        return None
    if text.lstrip()[:1] == "[":
        if len(_BATCH.findall(text)) > MAX_BATCH:
            return Evidence("high", "batch of documents")
        return None
    if text.lstrip()[:2] in ('{"', '{ "'):
        text = text.replace('\\"', '"').replace("\\n", "\n")
    elif text.lstrip()[0] == "{" and '":' in text[:400]:
        return None  # JSON
    if _depth(text) > MAX_DEPTH:
        return Evidence("high", "selections too deep")
    if ":" in text:
        names = _ALIAS.findall(text)
        if len(names) > MAX_ALIASES:
            name, count = Counter(names).most_common(1)[0]
            if count > MAX_ALIASES and not name[0].isupper() and name not in ("true", "false", "null"):
                return Evidence("high", "one field under many aliases")
    if text.count(" ") + text.count("\n") + text.count("\t") + text.count(",") >= MAX_REPEATS - 1 and _REPEATED.search(text):
        return Evidence("high", "one field repeated")
    if "@" in text and _DIRECTIVES.search(text):
        return Evidence("high", "directives piled up")
    if "..." in text and _circle(text):
        return Evidence("medium", "fragments in a circle")
    if _RUN.search(text):
        return Evidence("medium", "argument that is a command")
    return None


def _depth(text: str) -> int:
    """The deepest selection, as far as needed to know that it is too deep."""
    if text.count("{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    for brace in re.findall(r"[{}]", text[:20000]):
        depth += 1 if brace == "{" else -1
        if depth > deepest:
            deepest = depth
            if deepest > MAX_DEPTH:
                break
    return deepest


def _circle(text: str) -> bool:
    """Whether a fragment spreads itself, at once or through others."""
    spreads: dict[str, set[str]] = {}
    parts = _FRAGMENT.split(text)
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        spreads.setdefault(name, set()).update(_SPREAD.findall(body))
    waiting = {name: len(others & spreads.keys()) for name, others in spreads.items()}
    spread_by: dict[str, list[str]] = {}
    for name, others in spreads.items():
        for other in others & spreads.keys():
            spread_by.setdefault(other, []).append(name)
    ready = [name for name, count in waiting.items() if not count]
    done = 0
    while ready:
        done += 1
        for name in spread_by.get(ready.pop(), ()):
            waiting[name] -= 1
            if not waiting[name]:
                ready.append(name)
    return done < len(spreads)
