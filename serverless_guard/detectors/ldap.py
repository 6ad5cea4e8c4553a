"""SG-LDP-001: filter or path syntax for a directory (CWE-90, CAPEC-136), or for an XML document (XPath, CWE-643).

Looks for a value that closes the filter it would stand in and opens another (`*)(uid=*`), for whole filters with a wildcard or
a negation, and for XPath that leaves a string or adds an axis. A pair of brackets, a distinguished name and a lone star are harmless.

Attack:             `admin)(|(password=*`
Harmless near miss: `cn=Jane (Doe),ou=People,dc=example,dc=com (2 * 3)`

References: https://cwe.mitre.org/data/definitions/90.html, https://www.rfc-editor.org/rfc/rfc4515, https://cwe.mitre.org/data/definitions/643.html
"""

from __future__ import annotations

from serverless_guard.detectors import Evidence
from serverless_guard.words.patterns import pattern

RULE = "SG-LDP-001"
CWE = 90
TITLE = "Filter syntax for a directory or an XML document"
NEEDS = (
    (")", "("),
    ("*", "("),
    ("(", "=", "*"),
    ("(", "=", "&"),
    ("(", "=", "|"),
    ("(", "=", "!"),
    ("or", "(", ")"),
    ("//", "["),
    ("../", "'"),
    ("|", "//"),
    ("::", "(", ")"),
    ("]", "["),
)


def detect(text: str, where: str) -> Evidence | None:
    """Evidence that `text` carries filter structure."""
    low = text.lower()
    found = CLOSING.search(low)
    if found:
        return Evidence("high", "end of one filter and begin of another")
    if WHOLE.search(low):
        return Evidence("medium", "whole filter with a wildcard or combination")
    if CUT.search(low):
        return Evidence("medium", "end of a filter with the rest cut off")
    if XPATH.search(low):
        return Evidence("medium", "path expression of an XML document")
    return None


ATTRIBUTE = r"[a-z][\w;.-]{0,63}(?::dn)?(?::[\d.]{3,64}:?|:[\w-]{1,32}:)?[~<>:]{0,2}="
"""Attribute description and the sign of a match, `memberOf:1.2.840.113556.1.4.803:=`."""
CLOSING = pattern(
    rf"\)\s?\(\s?(?:[&|!]\s?(?:\(|\)|$)|[&|!]?\s?\(?\s?{ATTRIBUTE}(?:\*|[^()\s]{{0,64}}(?:\*|\)|\s|$)))|\*\s?\(\s?[&|!]\s?\(|[=*]\s?\)\s?\(\s?[&|!]|"
    rf"\)\s?\)\s?\(\s?[&|!]\s?\(|\)\s?\(\s?\(\s?[&|!]|^[^()]{{0,64}}\)\s?\([&|!]$"
)
WHOLE = pattern(rf"\(\s?[&|!]\s?\(\s?{ATTRIBUTE}|^\s*\(\s?(?:{ATTRIBUTE}[^()=;]*\*[^()=;]*\)\s*$|{ATTRIBUTE}\*)")
CUT = pattern(rf"\)\s?(?:\)\s?){{0,16}}(?:%00|\x00)|\(\s?[&|]\s?\)|^[^()]{{0,64}}\*\)\)+;?$|\)\s?\(\s?{ATTRIBUTE}[^()]{{0,64}}(?:\)\s?){{0,16}}\(\s?$")
XPATH = pattern(
    r"['\"]\s{0,8}(?:or|and|\|)\s{1,8}(?:not\()?(?:count|name|local-name|string-length|substring|contains|starts-with|position|doc|normalize-space|"
    r"string|boolean|last)\s?\("
    r"|['\"]\s{0,4}\]\s{0,4}(?:\||//|/\w|\[(?:\d|@))[^\[]{0,64}$|\)\s{0,4}(?:or|and)\s{1,4}(?:contains|count|string-length|substring|starts-with|"
    r"name)\s?\(\s?(?:\.\.?/|//|/|@|\()"
    r"|(?:substring|string-length|count|name|contains|starts-with|doc)\s?\(\s?(?:\.{0,2}//?|/\*|parent::|child::|ancestor::)[\w*@\[(]|\|\s?//\*?\w*|"
    r"(?:parent|child|ancestor|descendant|following-sibling|preceding-sibling|self)(?:-or-self)?::(?:node\(\)|\*|text\(\))|doc\s?\(\s?['\"]?https?:"
)
