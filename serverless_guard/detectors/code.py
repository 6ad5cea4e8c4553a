r"""Source code that would run if the value reached an `eval`: Python first, then PHP, JavaScript, Java, Perl, Ruby.

SG-COD-001, CWE-94 (CWE-95).

The value is asked for structure that data does not have: a chain of dunder attributes, a call of something that runs, reads or
imports, a call through a variable, a tag that opens a script, an expression that leaves a string and calls. Source files
and snippets in prose have all of that without any aim, so a value of many lines, or a sentence around the code, leaves only
what nobody writes by chance.

    attack          1 if __import__('os').popen('id').read() else 0
    near miss       def f(self): super().__init__()  and  sort_by(people, &age)  and  call me (again) on Monday

High: reaching for the interpreter or the system. Medium: any call of PHP's library, a call through a variable, an endless loop.
Low: in a text.

https://cwe.mitre.org/data/definitions/94.html  https://owasp.org/www-community/attacks/Code_Injection
"""

from __future__ import annotations

import re
from functools import cache

from serverless_guard.detectors import Evidence
from serverless_guard.words import functions
from serverless_guard.words.padding import through_padding
from serverless_guard.words.patterns import pattern

RULE = "SG-COD-001"
CWE = 94
TITLE = "source code that would run in an interpreter"
NEEDS = (
    "sys.", ("system", '"'), ("system", "'"), ("exec", '"'), ("eval", '"'), ("include", '"'), ("require", "/"), "<esi:", "(", "<?", "__", "$_",
    ("$", "{"), "java.", "xwork", "@{", "require[", "process", "php]", "php}", "os.", "subprocess", ("_", "="), "com.", ".system", "import ",
    "classloader",
)  # fmt: skip

_CALL = pattern(r"(?<!\w)([A-Za-z_]\w{1,60}+)(?:\s{0,4}/\*[^*]{0,40}\*/)?([ \t\r\n]{0,6})\(")
_OPENS = pattern(r"\s{0,4}(?:['\"$)@`]|/[/*]|\d+\s{0,2}[,)]|[\"']|\w+[(.]|\\[\"'])")
_NOBODY = (
    "__subclasses__(",
    "__globals__",
    "__builtins__",
    "__import__(",
    "__mro__",
    "__bases__",
    "__base__",
    "__code__",
    "__loader__",
    "__reduce",
    "__getattribute__",
    "_$$ND_FUNC",
)
_IMPORTS = pattern(r"(?:^|[\s;('\"])(?:import|from)\s{1,4}(\w{2,20})(?=\s{0,4}(?:$|[;,)'\"\n#]|as\b|import\b))")
_BARE = pattern(
    r"^\W{0,4}(?:system|exec|eval|spawn)\s{1,3}([\"'])[^\"'\n]{1,200}\1\W{0,4}$|(?<![\w.])(?:include|require)(?:_once)?\s{1,3}[\"'](?:https?:|"
    r"php:|data:|ftp:|/|\.\./)",
    re.I,
)
_ALONE = pattern(
    r"\s{0,4}(?:(?:exit|quit|help|dir|input|vars|locals|globals|license|credits|memoryview)\(\s{0,2}(?:b?['\"]{2})?\)|import\s{1,4}(?:os|"
    r"subprocess|pty|socket|shutil|ctypes|commands|builtins)|"
    r"from\s{1,4}(?:os|subprocess|pty|shutil|builtins)\s{1,4}import\s{1,4}[\w*, ]{1,80}|f(?:'\{[^']{1,160}\}'|\"\{[^\"]{1,160}\}\"))[\s;#]{0,4}\Z"
)
_THROUGH = pattern(r"(?<![\w.])@?\${1,3}(?:[A-Za-z_]\w{0,40}|\{[^{}\n]{1,40}\})(?:[\[{][^\]}\n]{0,40}[\]}]){0,3}\(")
_STRINGS = pattern(
    r"[\[(]\s{0,4}(?:\([a-z]+\)\s{0,4})?[\"']?(?:system|exec|passthru|shell_exec|assert|eval|phpinfo|"
    r"popen)[\"']?\s{0,4}(?:/\*[^*]{0,40}\*/)?\s{0,4}[\])](?:\s{0,2}\[\d\])?\s{0,4}(?:[})]\s{0,4})?\(|"
    r"\(\s{0,4}/\*[^*]{0,40}\*/\s{0,4}\w{2,20}\s{0,4}\)\s{0,4}\(|\(\s{0,4}[\"']\w{1,20}[\"']\s{0,2}\.\s{0,2}[\"']\w{1,20}[\"']\s{0,4}\)\s{0,4}\("
)
_WHOLE = pattern(r"[^\w\n]{0,6}\w{1,80}\s{0,4}(?:\([^()\n]{0,200}\)?){1,2}[\s;}'\"/#-]{0,12}\Z")
_STRING_HINTS = ("system", "exec", "passthru", "assert", "eval", "phpinfo", "popen", "/*", '"."', "'.'", '" . "', "' . '")
_INI = pattern(
    r"\s{0,4}(?:allow_url_(?:include|fopen)|auto_(?:prepend|append)_file|disable_functions|open_basedir|memory_limit|safe_mode|suhosin\.\w{1,40}|"
    r"opcache\.\w{1,40}|cgi\.\w{1,40}|"
    r"session\.\w{1,40}|zend\.\w{1,40}|error_reporting|display_errors|max_execution_time)\s{0,4}=\s{0,4}[\w/:.\"'-]{1,80}\s{0,4}\Z",
    re.I,
)
_PROSE = pattern(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}[ .,?;:]")
_QUOTED = pattern(r"[\"'][^\"']{0,400}[\"']")
_NOT_PHP = ("", "q", "http", "scope", "timeout", "window", "document", "this", "jq")
_ENDINGS = ("s", "es", "ed", "er", "ing", "ly", "d", "r", "n", "utive", "ution", "ment", "or")
_TRIES = 64


@through_padding
def detect(text: str, where: str) -> Evidence | None:
    """Evidence that `text` is code that would run; linear in its length."""
    lines = text.count("\n")
    if (len(text) > 400 and lines > 3) or lines > 6 or "```" in text:
        written = "def " in text or "class " in text or "import " in text or "function" in text
        return None if written or not any(map(text.__contains__, _NOBODY[:4])) else Evidence("medium", "dunder chain, in a text")
    low = text.lower()
    prose = _is_prose(text)
    called = _called(text, low, prose, lines) if "(" in text else None
    found = called if called and called.confidence == "high" else _snippet(text, low, prose) or called
    if found:
        return found
    if len(text) < 200 and not lines and _ALONE.match(text):
        return Evidence("medium", "statement of Python")
    if prose or lines:
        return Evidence("medium", "call through a variable") if lines < 2 and not prose and "$" in text and text.count(" ") < 6 and _through(text) else None
    if (";" in text or ")" in text) and not functions.MODULES.isdisjoint(_IMPORTS.findall(text)):
        return Evidence("medium", "Python that imports")
    if "$" in text and "(" in text and text.count(" ") < 6 and _through(text):
        return Evidence("medium", "call through a variable")
    if _BARE.search(text):
        return Evidence("medium", "statement that runs a string")
    return Evidence("medium", "setting of the interpreter") if "=" in text and len(text) < 200 and _INI.match(text) else None


def _snippet(text: str, low: str, prose: bool) -> Evidence | None:
    """The strongest of the snippets that stand in the text as code."""
    best: Evidence | None = None
    several = "\n" in text.strip()
    for literal, source, confidence, shape in functions.SNIPPETS:
        if literal not in low or (best and confidence != "high"):
            continue
        if prose and not (literal == "__" or literal[0] in "<$@" or literal in ("child_process", "nd_func")):
            continue  # a name of that language in a sentence
        if several and shape.startswith("Python") and literal != "__" and not low.lstrip().startswith(("eval", "exec")):
            continue  # lines of a program
        match = re.search(source, low)
        if match is None or (low[match.start() - 1 : match.start()] == "`" and literal != "$_"):
            continue  # a name in Markdown
        if literal == "console" and (match.start() > 12 or len(text) > 80):
            continue
        best = Evidence(confidence if not prose else "medium" if literal == "__" else "low", shape)
        if best.confidence == "high":
            break
    return best


def _called(text: str, low: str, prose: bool, lines: int) -> Evidence | None:
    """What the names in front of parentheses are worth."""
    grades = _grades()
    best: Evidence | None = None
    if prose and not any(map(text.__contains__, _NOBODY)):
        return None
    for name, space in set(_CALL.findall(text)):
        grade = grades.get(name) or grades.get(name.lower(), 0)
        if grade == 0:
            library = "_" in name and name.partition("_")[0].lower() in functions.PREFIXES
            if not _WHOLE.match(text) or not (library or any(len(known) > 7 and name.lower().endswith(known) for known in grades)):
                continue
            grade = 1
        at = low.find(name.lower())
        for _ in range(_TRIES):
            if at < 0:
                break
            open_at = text.find("(", at + len(name))
            if open_at >= 0 and _code_here(text, at, open_at, name, grade, bool(space)):
                if grade == 2:
                    return Evidence("high", "call that runs")
                if lines < 2 or name in ("getattr", "setattr"):
                    best = Evidence("medium", "call of a library")
                break
            at = low.find(name.lower(), at + 1)
    if best is None and "$" not in text and any(map(low.__contains__, _STRING_HINTS)) and _STRINGS.search(text):
        return Evidence("high", "call through a string")
    return best


def _code_here(text: str, at: int, open_at: int, name: str, grade: int, space: bool) -> bool:
    """Whether the call at `at` stands where code would begin, and its argument looks like one."""
    before = text[max(0, at - 24) : at]
    last = before.rstrip()[-1:]
    if grade == 2 and name in ("getRuntime", "forName"):
        return True
    if (
        (last == "@" and name == "include")
        or (before[-1:] == "." and (before[-2:-1].isalnum() or before[-2:-1] in ")]/" or (grade == 1 and before[-2:-1] in "'\"`")))
        or before[-1:] == "`"
    ):
        return False  # a directive of GraphQL, a method, a name in Markdown
    argument = text[open_at + 1 : open_at + 40]
    if argument.partition(")")[0] in _ENDINGS:
        return False  # "system(s)"
    opens = _OPENS.match(argument) is not None or not argument
    if grade == 1:
        if name.lower() in functions.ENGLISH:
            if space or not opens:
                return False
            if name == "open" and not ("," in argument or "/" in argument or "." in argument or "|" in argument):
                return False
            if name in ("chr", "ord", "setTimeout", "setInterval") and before.strip():
                return False
            if name.lower() in ("require", "include") and not any(map(argument.__contains__, ("/", ":", "$", "..", ".php"))):
                return False
        if (space and not opens) or (last == "=" and name in ("open", "getattr")):
            return False
    elif space and not opens:
        return False
    return (
        not last
        or last in ";|&'\"`(){}=/@<>:,.!+-[\\\n%?"
        or before[-1:].isalnum()
        or before.rstrip().lower().endswith(("echo", "return", "print", "php", "or", "and", "if", "lambda", "new", "not", "in", "else", "await"))
    )


def _is_prose(text: str) -> bool:
    """Whether words stand around the code as in a sentence."""
    if text.count(" ") < 4:
        return False
    bare = _QUOTED.sub("", text[:4000])
    return len(_PROSE.findall(bare)) * 120 > len(bare) or bare.count(" ") * 5 > len(bare)


def _through(text: str) -> bool:
    """A call through a variable, as PHP has it: not jQuery, not Angular, not a price."""
    return any(found[0].strip("$@({} ") not in _NOT_PHP for found in _THROUGH.finditer(text))


@cache
def _grades() -> dict[str, int]:
    """2 for functions that run something, 1 for those that read or are part of a library."""
    return dict.fromkeys(functions.READS.split(), 1) | dict.fromkeys(functions.RUNS.split(), 2)
