"""What an attack looks like: one class of injection a file.

A member is a module; its docstring is its public page (id, CWE, what it looks for, one attack, one harmless near miss,
references). It has

    RULE    stable id, "SG-SQL-001"
    CWE     number, 89
    TITLE   one sentence for a person: "SQL that would change the meaning of a query"
    NEEDS   what a value must contain before `detect` is worth a call: a tuple of alternatives, each a lower-case literal,
            or a tuple of literals that must all occur. It is tried on the lower-cased text. It may say maybe, never a
            false no. Prefer single characters (10 GB/s) to words (1 GB/s); `("",)` is "always".

    detect(text, where) -> Evidence | None
            text   one normal form of the value (serverless_guard.text.forms: the value itself first, then with percent, entities,
                   escapes, full-width letters, base64, ... undone), its case kept. Bytes behind base64 or hex that
                   are no UTF-8 arrive as Latin-1, one character a byte: a pickle starts with "\\x80\\x04".
            where  header query path url body record attribute key event; `key` is the name of a field or parameter,
                   all others are values. Object keys and form field names come one by one as `key`.
            Never raises; linear in the length of `text` (128 KB in at most 5 ms); keeps no state; never logs or
            returns a piece of the value: `shape` names token kinds ("quote or number = number comment").

and may have

    RAW     True: it also gets JSON texts as they arrived, beside the strings inside them (which is all that others get)

Confidence is calibrated: `high` blocks in block mode (at most 1 in 2,000 harmless values may get it), `medium` and `low`
report. All three count as found.

Who looks for what, where names do not say it: `code` Python, and PHP, JavaScript, Java, Perl and Ruby code; `shell` Unix and
Windows; `path` also absolute sensitive files and stream wrappers; `ssrf` also remote file inclusion; `template` also LaTeX;
`format` also spreadsheet formulas; `xss` also server-side includes; `xxe` also XSLT and XInclude; `ldap` also XPath;
`crlf` also mail and cache protocols behind a line break; `nosql` operators in keys and values, and server-side JavaScript.
"""

from __future__ import annotations

from sys import modules

from serverless_guard.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import ModuleType
    from typing import Literal


class Evidence(NamedTuple):
    """Why a value is taken for an attack."""

    confidence: Literal["high", "medium", "low"]
    shape: str  # token kinds and the position in which it would strike; never the value


DETECTORS: dict[str, str] = {
    "sqli": "sqli",
    "nosql": "nosqli",
    "shell": "cmdi",
    "code": "pycode",
    "template": "ssti",
    "path": "traversal",
    "ssrf": "ssrf",
    "xxe": "xxe",
    "xss": "xss",
    "ldap": "ldap",
    "crlf": "crlf",
    "deserial": "deser",
    "lookup": "jndi",
    "graphql": "graphql",
    "pollution": "other",
    "format": "other",
}
"""Name of each member and the class of attack that it stands for."""


def names() -> tuple[str, ...]:
    """All detectors."""
    return tuple(DETECTORS)


def load(name: str) -> ModuleType:
    """The member of that name, imported when it is first asked for."""
    module = modules.get(f"{__name__}.{name}")
    if module is None:
        from importlib import import_module

        module = import_module(f"{__name__}.{name}")
    return module
