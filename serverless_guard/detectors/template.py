r"""A template expression that does something: `{{7*7}}`, `${T(java.lang.Runtime)...}`, `<%= system('id') %>`, `\input{/etc/passwd}`.

SG-TPL-001, CWE-1336. Jinja2, Twig, Django, Mako, Tornado, Freemarker, Velocity, Thymeleaf, Spring and OGNL expressions, ERB, Slim, EJS, Handlebars,
Pug, Smarty, Razor, Angular, LaTeX.

Expressions are cut out between the delimiters of the engines and read: names, fields and filters alone are placeholders,
which every mail template has. Arithmetic on literals, calls, dunder and class names, assignments, control tags act.

    attack          {{ cycler.__init__.__globals__.os.popen('id').read() }}
    near miss       Hello {{ user.name | upper }}, you owe ${amount} ({{#if late}}late{{/if}})

High: arithmetic on literals or reaching for the system. Medium: a call, a control tag, an assignment, as the whole value. Low: in a text.

https://cwe.mitre.org/data/definitions/1336.html  https://portswigger.net/research/server-side-template-injection
"""

from __future__ import annotations

import re
from functools import cache

from serverless_guard.detectors import Evidence
from serverless_guard.values import TYPE_CHECKING
from serverless_guard.words import expressions
from serverless_guard.words.padding import through_padding
from serverless_guard.words.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

RULE = "SG-TPL-001"
CWE = 1336
TITLE = "a template expression that does something"
NEEDS = (
    "{{", "{%", "${", "#{", "*{", "%{", "@{", "!{", "@html.", "@using", "\\newwrite", "<%", "@(", "<#", "[#", "#set", "#foreach", "#include", "#parse",
    "#evaluate", "{$", "php}", ("{", "*", "}"), ("{", "("), ("$", "."), ("\\", "{"), ("\\", "|"), "\\write", "\\catcode", "\\open", "\\newread",
    "\\read", "\\input", "\\include", "\\csname", "@system", "[=",
)  # fmt: skip

_PAIRS = (
    ("{{", "}}", r"\{\{((?:[^}{]|\}(?!\})|\{(?!\{)){0,400})\}\}"),
    ("{%", "%}", r"\{%([^%]{0,400})%\}"),
    ("${", "}", r"\$\{([^}$]{0,400})\}"),
    ("#{", "}", r"#\{([^}#]{0,400})\}"),
    ("*{", "}", r"\*\{([^}*]{0,400})\}"),
    ("%{", "}", r"%\{([^}%]{0,400})\}"),
    ("!{", "}", r"!\{([^}!]{0,400})\}"),
    ("@{", "}", r"@\{([^}@]{0,400})\}"),
    ("<%", "%>", r"<%([^%<]{0,400})%>"),
    ("@(", ")", r"@\(([^)@]{0,400})\)"),
    ("{$", "}", r"\{\$([^}{]{0,400})\}"),
    ("[=", "]", r"\[=([^\]\[]{0,400})\]"),
)
_MANY = 500
_NOBODY = ("__globals__", "__subclasses__", "__builtins__", "getRuntime", "freemarker.template.utility")
_SPAN = 2000
_PATIENCE = 40000

_WORD = pattern(r"[A-Za-z_]\w{1,40}")
_MARKS = ("__", "_.", "?", "T(", "T (", "'system'", "#_", "@", "$smarty", "/etc/", "`", "%x", "|", "~", "'options'", "::")
_ARITHMETIC = pattern(r"[\s=!@:({\[\-]{0,6}(?:['\"]\w{1,12}['\"]|\d{1,12})\s{0,3}(?:\*\*?|[+\-/%])\s{0,3}['\"]?\(?\d{1,12}['\"]?[\s)}\]*+/\-\d.]{0,20}$")
_CALL = pattern(r"(?:^|[\s(])\.[A-Z]\w{1,40}\s{1,3}[\"'(]|[A-Za-z_]\w*[!?]?\s{0,2}\(|[A-Za-z_]\w*\.\w+\s{1,3}['\"]")
_ASSIGNS = pattern(r"\s{0,4}[A-Za-z_]\w{0,40}(?:\.\w{1,40}){0,3}\s?=(?![=>])|[A-Za-z_]\w{1,40} \w{1,40} = ")
_TAG = pattern(
    r"[-+]?\s{0,4}(?:set|print|import|include|from|extends|macro|for|if|with|do|apply|filter|block|autoescape|call|debug|load|python|module|while|raw|"
    r"try|exec|ssi|csrf_token|php)\b"
)
_CALLED = pattern(r"([A-Za-z_$][\w$]*)[!?]?\s{0,2}\(")
_HARMLESS = frozenset(
    (
        "if", "unless", "_", "__", "t", "$t", "tc", "$tc", "tr", "trans", "translate", "i18n", "gettext", "ngettext", "default", "date", "truncate",
        "round", "join", "number_format", "format", "formatDate", "formatNumber", "csrf_token",
    )
)  # fmt: skip
_FRAMEWORK = pattern(
    r"\s{0,4}(?:request|settings|config|messages\.storages|app\.(?:request|config|session|user)|current_app|url_for|"
    r"handler)\.?\w{0,40}(?:\.\w{1,40}){0,4}\s{0,4}\Z"
)
_NAMES = frozenset(
    (
        "config", "self", "settings", "request", "lipsum", "_context", "_self", "@root", "debug", "dump", "applicationScope", "sessionScope",
        "requestScope", "pageContext", "facesContext",
    )
)  # fmt: skip
_SINGLE = pattern(r"\s{0,4}\{\s{0,3}['\"]?\d{1,9}['\"]?\s{0,3}[*+\-]\s{0,3}['\"]?\d{1,9}['\"]?\s{0,3}\}\s{0,4}\Z")


@through_padding
def detect(text: str, where: str) -> Evidence | None:
    """Evidence that `text` holds a template expression that acts; linear in its length."""
    best = 0
    shape = ""
    outside = len(text)
    seen: set[tuple[str, str]] = set()
    document = text.count("\n") > 3
    for spans, (opener, expression) in enumerate(_expressions(text)):
        outside -= len(expression) + 4
        if spans > _PATIENCE or best == 3:
            break
        if (opener, expression) in seen or _plain(opener, expression):
            continue
        seen.add((opener, expression))
        strength, what = _acts(opener, expression)
        if strength > best:
            best, shape = strength, f"{opener} {what}"
    if best < 3:
        low = text.lower()
        for literal, source, strength in expressions.DIRECTIVES:
            directive = re.search(source, low) if literal in low else None
            if directive and strength >= best:
                best, shape = strength if strength == 3 or not expressions.STRONG.search(text, directive.start(), directive.end() + 400) else 3, "directive"
                outside = len(text) - len(directive[0]) if best < 3 else min(outside, 40)
                break
    if best == 0 and "\\" in text:
        latex = expressions.LATEX.search(text)
        if latex and not document:
            best, shape = (3 if "/etc" in text or "|" in text or "write18" in text else 2), "LaTeX command"
            outside = 0 if text.count(" ") < 12 else 100
    if best == 0 and "{" in text and _SINGLE.match(text):
        best, shape, outside = 2, "{ arithmetic on literals", 0
    if best == 0:
        return None
    if outside > 60 and text.count(" ") > 8:  # a text with an expression in it
        if best < 3:
            return None
        return Evidence("low", shape + ", in a text") if not document or any(map(text.__contains__, _NOBODY)) else None
    if best == 2 and outside > 20 and shape.endswith("call"):
        return None
    return Evidence("high" if best == 3 and not document else "low" if "control" in shape else "medium", shape)


def _plain(opener: str, expression: str) -> bool:
    """Whether nothing but names stands between the delimiters, and none that is the engine's own."""
    if opener in ("{$", "{%", "<%") or not expression.replace(".", "").replace(" ", "").isalnum():
        return False
    return expression.strip() not in _NAMES and _hints().isdisjoint(_WORD.findall(expression))


def _expressions(text: str) -> Iterator[tuple[str, str]]:
    """What stands between delimiters; what stands there again and again comes once."""
    for opener, closer, between in _PAIRS:
        start = text.find(opener)
        if start < 0:
            continue
        if text.count(opener) > _MANY:
            for inner in dict.fromkeys(re.findall(between, text)):
                yield opener, inner
            continue
        while start >= 0:
            close = text.find(closer, start + 2)
            if close < 0:
                if opener in ("{{", "${", "{%", "<%", "#{"):
                    yield opener, text[start + 2 : start + _SPAN]  # cut off, or closed by what the template goes on with
                break
            if closer in ("}", ")") and close - start < _SPAN:
                close = _balanced(text, start + 2, close, opener[1] if opener[1] in "{(" else "{", closer)
            yield opener, text[start + 2 : min(close, start + _SPAN)]
            start = text.find(opener, close + 1)


def _balanced(text: str, start: int, close: int, opener: str, closer: str) -> int:
    """The closer that belongs to the opener, when others stand between them."""
    for _ in range(8):
        if text.count(opener, start, close) <= text.count(closer, start, close):
            break
        further = text.find(closer, close + 1, close + _SPAN)
        if further < 0:
            break
        close = further
    return close


def _reaches(expression: str) -> bool:
    """Whether an expression names what reaches out of the template; its words are looked up before the pattern is tried."""
    return (any(map(expression.__contains__, _MARKS)) or not _hints().isdisjoint(_WORD.findall(expression))) and expressions.STRONG.search(
        expression
    ) is not None


def _acts(opener: str, expression: str) -> tuple[int, str]:
    """How surely an expression does something: 3 reaches or computes, 2 calls, 1 controls, 0 names something."""
    if _ARITHMETIC.match(expression):
        return 3, "arithmetic on literals"
    if _reaches(expression):
        if (
            opener == "${"
            and expression[:1] == "{"
            and re.match(r"\{\s{0,4}(?:secrets|github|env|matrix|steps|inputs|needs|vars|runner|hashFiles|format|contains)\b", expression)
        ):
            return 0, ""
        return 3, "expression that reaches for the system"
    if opener == "{%":
        return (2, "control tag") if _TAG.match(expression) else (0, "")
    if opener in ("[=", "@("):
        return 0, ""
    if opener == "{$":
        if expression.startswith("smarty."):
            return 3, "variable of the engine"
        return (2, "call") if "->" in expression and "(" in expression else (0, "")
    if opener == "%{" and expression.lstrip(" (")[:1] in ("#", "@"):
        return 3, "expression of OGNL"
    if opener == "{{" and _FRAMEWORK.match(expression):
        return 1, "object of the framework, control"
    if expression.strip(" ={}#&") in _NAMES:
        return 2, "name of the engine's own"
    if opener in ("{{", "<%", "${", "#{", "*{", "%{", "@{", "!{"):
        if expression[:1] == "{" and opener == "${":
            return 0, ""  # the same text comes again as {{
        if _CALL.search(expression) and not _HARMLESS.issuperset(_CALLED.findall(expression) or ("",)):
            return 2, "call"
        if opener in ("{{", "${", "<%") and _ASSIGNS.match(expression.lstrip("%=-")) and " " not in expression.split("=", 1)[0].strip():
            return 2, "assignment"
        if opener == "<%" and re.match(r"[-=%!@#]?\s{0,4}(?:if|for|while|require|import|@\w|\$|page|include|end)\b", expression):
            return 2, "control tag"
    return 0, ""


@cache
def _hints() -> frozenset[str]:
    """Words without which, or without one of the marks, no expression reaches out."""
    return frozenset(expressions.HINT_WORDS.split())
