r"""A value that means something to a formatter or a spreadsheet: `{0.__class__}`, `%n%n`, `=cmd|' /c calc'!A1`.

SG-FMT-001, CWE-134 (spreadsheet formulas: CWE-1236). `str.format`, the printf family, Excel, LibreOffice, Google Sheets.

A replacement field of `str.format` that walks into an object's dunder attributes reads globals and settings; a chain of
conversions without anything between reads or writes a C stack; a cell that begins a formula calls a program (DDE) or
fetches a page when the export is opened.

    attack          {order.__init__.__globals__[SETTINGS]}
    near miss       {user.name}  and  100 %s of %d  and  =SUM(A1:A9)

High: dunder field, positional write, DDE. Medium: chains of conversions, formulas that fetch.

https://cwe.mitre.org/data/definitions/134.html  https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import re

from serverless_guard.detectors import Evidence
from serverless_guard.words.padding import through_padding
from serverless_guard.words.patterns import pattern

RULE = "SG-FMT-001"
CWE = 134
TITLE = "a value that a formatter or a spreadsheet would act on"
NEEDS = (("{", "__"), ("%", "n"), ("%", "x"), ("%", "p"), ("%", "s%"), ("=", "("), ("=", "|"), ("@", "("), ("+", "|"), ("-", "|"), ("+", "("), ("-", "("))

_FIELD = pattern(r"\{[\w.\[\]!:'\"\s-]{0,80}(?:\.|\[['\"]?)__\w{2,40}__|\{__\w{2,40}__[.\[]")
_NAMED = pattern(
    r"\{[\w.]{0,60}?(?:\.__class__)?\.?__(?:name|qualname|doc|version|module)__(?:![rsa])?(?::[^{}]{0,20})?\}"
)  # what f-strings of Python say about themselves
_WRITE = pattern(
    r"%\d{1,4}\$\d{0,6}(?:h{0,2}|l{0,2})[npx]|%\d{1,6}[cxdu]%(?:\d{1,3}\$)?h{0,2}n|%h{1,2}n|%\*\d{0,3}\$?n|%-?\d{0,6}n(?=%)|%[.]\d{4,8}[dxs]|"
    r"%\d{6,12}[dxs]"
)
_CHAIN = pattern(
    r"%(?:0?\d{1,3})?(?:h{0,2}|l{0,2})[nxpsdu](?:[.,:_|\- ]?%(?:0?\d{1,3})?(?:h{0,2}|l{0,2})[nxpsdu]){4,60}|%(?:0?\d{1,3})?l{0,2}[npx](?:[.,:_|"
    r"\- ]?%(?:0?\d{1,3})?l{0,2}[npx]){2,60}|%s%[pnx]%s%[pnx]"
)
_CELL = pattern(r"[\s\"';,\ufeff]{0,6}[=+@-]")
_DDE = pattern(
    r"[\s\"';,\ufeff]{0,6}[=+@-][^|\n]{0,80}?(?:\b(?:cmd|msexcel|mspaint|calc|powershell|rundll32|regsvr32|mshta|winword|excel|dde)\w{0,60}|"
    r"\))\s{0,4}\|\s{0,4}['\"=(]?[^!\n]{0,200}!\s{0,3}['\"_A-Za-z0-9]",
    re.I,
)
_FETCH = pattern(
    r"[\s\"';,\ufeff]{0,6}[=+@-][\w\s()+*/.,;:\"'&$-]{0,60}?\b(?:hyperlink|webservice|importxml|importdata|importhtml|importfeed|importrange|"
    r"image|dde|ddeauto|exec|call|register\.id|rtd|filterxml|query)\s{0,3}\(",
    re.I,
)


@through_padding
def detect(text: str, where: str) -> Evidence | None:
    """Evidence that a formatter or a spreadsheet would act on `text`; linear in its length."""
    if "__" in text and "{" in text and text.count("\n") < 4:
        for field in _FIELD.finditer(text):
            if not _NAMED.match(text, field.start()):
                return Evidence("high", "replacement field with a dunder attribute")
    if "%" in text:
        if "$" in text or "n" in text or "." in text or "000" in text or "999" in text:
            write = _WRITE.search(text)
            if write and text.count(" ") < 8:
                return Evidence("high" if write[0].endswith("n") else "medium", "conversion that writes or picks an argument")
        chain = _CHAIN.search(text) if text.count("%") > 2 else None
        if chain and (len(chain[0]) > 100 or len(chain[0]) * 3 > len(text.strip())):
            return Evidence("medium", "chain of conversions")
    if _CELL.match(text) and where != "header":
        if "|" in text and "!" in text and _DDE.match(text):
            return Evidence("high", "cell that calls a program")
        if "(" in text and _FETCH.match(text):
            return Evidence("medium", "cell with a formula that fetches")
    return None
