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
from serverless_guard.detectors.words.padding import through_padding
from serverless_guard.detectors.words.patterns import pattern
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

RULE = "SG-TPL-001"
CWE = 1336
TITLE = "a template expression that does something"
NEEDS = (
    "{{",
    "{%",
    "${",
    "#{",
    "*{",
    "%{",
    "@{",
    "<%",
    "@(",
    "<#",
    "[#",
    "#set",
    "#foreach",
    "#include",
    "#parse",
    "#evaluate",
    "{$",
    "php}",
    ("{", "*", "}"),
    ("{", "("),
    ("$", "."),
    ("\\", "{"),
    ("\\", "|"),
    "\\write",
    "\\catcode",
    "\\open",
    "\\newread",
    "\\read",
    "\\input",
    "\\include",
    "\\csname",
    "@system",
    "[=",
)

_PAIRS = (
    ("{{", "}}", r"\{\{((?:[^}{]|\}(?!\})|\{(?!\{)){0,400})\}\}"),
    ("{%", "%}", r"\{%([^%]{0,400})%\}"),
    ("${", "}", r"\$\{([^}$]{0,400})\}"),
    ("#{", "}", r"#\{([^}#]{0,400})\}"),
    ("*{", "}", r"\*\{([^}*]{0,400})\}"),
    ("%{", "}", r"%\{([^}%]{0,400})\}"),
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

_STRONG = pattern(
    r"__\w{2,40}__|(?<![\w$])_(?:self|context|charset|_mmarker|\.|globals)|getClass\b|\bclass\.(?:forName|getResource|protectionDomain|"
    r"classLoader|inspect|module)|\.class\.|\bforName\b|getRuntime|ProcessBuilder|\bT\s{0,2}\(|\?\s?(?:new|api|eval|interpret)\b|freemarker\.|"
    r"\bnew\s{1,4}[\w.]+\s{0,2}[(\[{]|\bjavax?\.\w|\borg\.\w+\.\w|\bgroovy\.|require\s{0,2}\(|child_process|\bprocess\.(?:binding|env|mainModule|"
    r"exit)|\bconstructor\b|templateSettings|registerUndefined|"
    r"\b(?:system|exec|shell_exec|passthru|popen\d?|proc_open|eval|assert|call_user_func(?:_array)?|file_get_contents|file_put_contents|phpinfo|"
    r"readfile|execSync|spawn_sync|getenv|include_once|instance_eval|define_method)\b\s{0,2}(?=[(\"'`|\]])|"
    r"['\"](?:system|exec|shell_exec|passthru|popen|call_user_func|assert|phpinfo|ini_set|file_get_contents)['\"]|\|\s{0,2}(?:filter|map|sort|"
    r"reduce|attr|passthru|system|exec)\s{0,2}\(|[|~]\s{0,2}(?:passthru|system|shell_exec)\b|"
    r"\b(?:lipsum|cycler|joiner|namespace|url_for|get_flashed_messages|range)\s{0,2}[.(|\[]\s{0,2}[_a-z'\"]{2}|\bself\.(?:module|template|attr|"
    r"context|_|init)|\b(?:config|settings|request|app|session|g|handler)\.(?:items|iteritems|application|class|setAttribute|getAttribute|request|"
    r"SECRET|from_|__|settings)|\bconfig\s{0,2}\[|"
    r"\b(?:File|IO|Dir|Kernel|Process|System|Open4|Open3|Runtime|Object|Reflect|Class|Files|Paths|Scanner|Erlang|Code|Node)(?:\.|::|"
    r"\s{0,2}=)\s?\w|\bos\.(?:system|popen|environ|exec)|\bsubprocess\b|\b(?:getSession|setAttribute|readAllBytes|getText|classLoader|"
    r"protectionDomain|getMethod|getDeclared|newInstance|invoke)\b|"
    r"#_memberAccess|#context|@java\.|@ognl|\$smarty\.|\bSmarty\b|/etc/|`[^`\n]{1,200}`|%x[({\[|!]|\bimport\s{1,4}\w|\brequire\s{1,4}['\"]|"
    r"\bwrite\s{0,2}\(|\bglobals\s{0,2}\(|\bdump\s{0,2}\(|\{[^{}]{0,80}(?:options|shell_exec)['\"]",
)
_WORD = pattern(r"[A-Za-z_]\w{1,40}")
_MARKS = ("__", "_.", "?", "T(", "T (", "'system'", "#_", "@", "$smarty", "/etc/", "`", "%x", "|", "~", "'options'", "::")
_ARITHMETIC = pattern(r"[\s=!@:({\[\-]{0,6}['\"]?\d{1,12}['\"]?\s{0,3}(?:\*\*?|[+\-/%])\s{0,3}['\"]?\(?\d{1,12}['\"]?[\s)}\]*+/\-\d.]{0,20}$")
_CALL = pattern(r"(?:^|[\s(])\.[A-Z]\w{1,40}\s{1,3}[\"'(]|[A-Za-z_]\w*[!?]?\s{0,2}\(|[A-Za-z_]\w*\.\w+\s{1,3}['\"]")
_ASSIGNS = pattern(r"\s{0,4}[A-Za-z_]\w{0,40}(?:\.\w{1,40}){0,3}\s?=(?![=>])|[A-Za-z_]\w{1,40} \w{1,40} = ")
_TAG = pattern(
    r"[-+]?\s{0,4}(?:set|print|import|include|from|extends|macro|for|if|with|do|apply|filter|block|autoescape|call|debug|load|python|module|while|raw|"
    r"try|exec|ssi|csrf_token|php)\b"
)
_HINT_WORDS = """
_self _context _charset _env _globals _mmarker getClass class forName getRuntime ProcessBuilder freemarker new java javax org groovy require
child_process process constructor templateSettings
registerUndefinedFilterCallback registerUndefinedFunctionCallback system exec shell_exec passthru popen popen2 popen3 popen4 proc_open eval assert
call_user_func call_user_func_array
file_get_contents file_put_contents phpinfo readfile execSync spawn_sync getenv include_once instance_eval define_method ini_set lipsum cycler joiner
namespace url_for get_flashed_messages range self config
settings request app session handler File IO Dir Kernel Process System Open4 Open3 Runtime Object Reflect Class Files Paths Scanner Erlang Code Node
os subprocess getSession setAttribute readAllBytes getText
classLoader protectionDomain getMethod getMethods getDeclaredConstructors getDeclaredMethods newInstance invoke context Smarty import write globals
dump options
"""
_NAMES = frozenset(
    (
        "config",
        "self",
        "settings",
        "request",
        "lipsum",
        "_context",
        "_self",
        "@root",
        "debug",
        "dump",
        "applicationScope",
        "sessionScope",
        "requestScope",
        "pageContext",
        "facesContext",
    )
)
_DIRECTIVES = (  # (literal in lower case that must occur, pattern that starts with it, strength)
    ("#", r"#(?:set|foreach|include|parse|evaluate|define)\s{0,4}\(\s{0,4}[\$\"']", 3),
    ("<#", r"<#(?:assign|include|import|function|macro|list|setting|if|attempt|visit|recurse)\s[^>]{1,400}", 2),
    ("[#", r"\[#(?:assign|include|import|function|macro|list|setting|if|attempt|visit|recurse)\s[^\]]{1,400}", 2),
    (".getclass", r"\$!?\{?\w{1,40}\.getclass\s?\(", 3),
    (".class.", r"\$!?\{?\w{1,40}\.class\.(?:for|get)", 3),
    (".inspect", r"\$!?\{?\w{1,40}\.inspect\s?\(", 3),
    ("php}", r"php\}", 3),
    ("{self::", r"\{self::\w", 3),
    ("{smarty_", r"\{smarty_\w", 3),
    ("{if ", r"\{if\s{1,4}(?:system|exec|passthru|shell_exec|phpinfo|readfile|file_get_contents)\s{0,2}\(", 3),
    ("{system", r"\{system\s{0,2}\(", 3),
    ("{exec", r"\{exec\s{0,2}\(", 3),
    ("{passthru", r"\{passthru\s{0,2}\(", 3),
    ("{shell_exec", r"\{shell_exec\s{0,2}\(", 3),
    ("{phpinfo", r"\{phpinfo\s{0,2}\(", 3),
    ("{readfile", r"\{readfile\s{0,2}\(", 3),
    ("{file_get_contents", r"\{file_get_contents\s{0,2}\(", 3),
    ("{fetch", r"\{fetch\s{1,4}file", 2),
    ("{include", r"\{include\s{1,4}file", 2),
    ("{math", r"\{math\s{1,4}equation", 2),
    ("{{", r"\{\{\s{0,2}[#&]?(?:with|each|lookup|if)\s{1,4}(?:\(|\"[^\"]{0,80}\"|\S{1,60}\s{1,4}as\s{1,4}\|)", 2),
    ("{{<%", r"\{\{<%", 2),
    ("@system.", r"@system\.\w", 3),
    ("[[${", r"\[\[\$\{", 2),
)
_LATEX = pattern(
    r"(?<![\w:\\])\\(?:(?:input|include|verbatiminput|lstinputlisting|InputIfFileExists|includegraphics|import|usepackage|directlua|pdffiledump|"
    r"loop)\s{0,3}[\[{|/\\]|write18\b|immediate\s{0,3}\\|(?:open(?:in|out)|newread|newwrite|read)\s{0,3}(?:\\|\d)|catcode\s{0,3}[`\d\\]|csname\b|"
    r"(?:url|href|unicode)\{\s{0,3}(?:javascript|file|run):|def\\\w+\{|[a-z]+\{[^{}]{0,40}/etc/)"
)
_SINGLE = pattern(r"\s{0,4}\{\s{0,3}['\"]?\d{1,9}['\"]?\s{0,3}[*+\-]\s{0,3}['\"]?\d{1,9}['\"]?\s{0,3}\}\s{0,4}\Z")


@through_padding
def detect(text: str, where: str) -> Evidence | None:
    """Evidence that `text` holds a template expression that acts; linear in its length."""
    best = 0
    shape = ""
    outside = len(text)
    seen: set[tuple[str, str]] = set()
    weak = ""
    document = text.count("\n") > 3
    for spans, (opener, expression) in enumerate(_expressions(text)):
        outside -= len(expression) + 4
        if spans > _PATIENCE or best == 3:
            break
        if (
            opener not in ("{$", "{%", "<%")
            and expression.replace(".", "").replace(" ", "").isalnum()
            and expression.strip() not in _NAMES
            and "constructor" not in expression
        ):
            continue
        if (opener, expression) in seen:
            continue
        seen.add((opener, expression))
        strength, what = _acts(opener, expression)
        if strength > best:
            best, shape = strength, f"{opener} {what}"
    if best == 0:
        low = text.lower()
        for literal, source, strength in _DIRECTIVES:
            directive = re.search(source, low) if literal in low else None
            if directive:
                best, shape = strength if strength == 3 or not _STRONG.search(text, directive.start(), directive.end() + 400) else 3, "directive"
                outside = len(text) - len(directive[0]) if best < 3 else min(outside, 40)
                break
    if best == 0 and "\\" in text:
        latex = _LATEX.search(text)
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
    return Evidence("high" if best == 3 and not document else "medium" if best > 1 else "low", weak or shape)


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
    return (any(map(expression.__contains__, _MARKS)) or not _hints().isdisjoint(_WORD.findall(expression))) and _STRONG.search(expression) is not None


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
    if expression.strip(" ={}#&") in _NAMES:
        return 2, "name of the engine's own"
    if opener in ("{{", "<%", "${", "#{", "*{", "%{", "@{"):
        if expression[:1] == "{" and opener == "${":
            return 0, ""  # the same text comes again as {{
        if _CALL.search(expression):
            return 2, "call"
        if opener in ("{{", "${", "<%") and _ASSIGNS.match(expression.lstrip("%=-")) and " " not in expression.split("=", 1)[0].strip():
            return 2, "assignment"
        if opener == "<%" and re.match(r"[-=%!@#]?\s{0,4}(?:if|for|while|require|import|@\w|\$|page|include|end)\b", expression):
            return 2, "control tag"
    return 0, ""


@cache
def _hints() -> frozenset[str]:
    """Words without which, or without one of the marks, no expression reaches out."""
    return frozenset(_HINT_WORDS.split())
