"""How a shell reads one simple command: words with their quoting undone, and paths with wildcards as what they may spell."""

from __future__ import annotations

import re

from serverless_guard.words import programs
from serverless_guard.words.patterns import pattern

SURE = (  # (literal that must occur, pattern): each starts with a literal, which `re` looks for at the speed of a substring
    ("()", r"\A\s{0,4}\(\)\s{0,3}\{[^}]{0,24}\}\s{0,3}[;>]"),
    ("<<<", r"(?<![<=])\s?<<<(?!<)\s{0,2}[\w\"'$(]"),
    (";", r";\s{0,4}(?:\./[\w.]|\.\s{1,2}[/~]|/(?:tmp|usr|bin|opt|var|home|dev|sbin)/[\w./-]{1,80}\s{0,4}(?:$|[;|&\s#]))"),
    ("|", r"\|\s{0,4}(?:\./[\w.]|/(?:tmp|usr|bin|opt|var|home|dev|sbin)/[\w./-]{1,80}\s{0,4}(?:$|[;|&\s#]))"),
    ("&&", r"&&\s{0,4}(?:\./[\w.]|/(?:tmp|usr|bin|opt|var|home|dev|sbin)/[\w./-]{1,80}\s{0,4}(?:$|[;|&\s#]))"),
    ("do", r"(?:while|until)\s{1,4}[^;\n]{1,80};\s{0,4}do\b|for\s{1,4}\w{1,40}\s{1,4}in\s[^;\n]{1,120};\s{0,4}do\b"),
    ("then", r"if\s{1,4}[^;\n]{1,120};\s{0,4}then\b"),
    (":(){", r":\(\)\{"),
    ("-", r"\A\s{0,2}-{1,2}(?:o?proxycommand|use-compress-program|checkpoint-action|to-command|upload-pack|receive-pack|open-files-in-pager)\b"),
    ("ifs", r"\$(?:ifs\b|\{ifs\b)"),
    ("/dev/", r"/dev/(?:tcp|udp)/[\w.$]{1,60}/"),
    ("sh", r"\|\s{0,4}(?:/(?:usr/)?bin/)?(?:ba|da|z|k|c|tc)?sh\s{0,4}(?:\Z|[;&|#\n'\"`)-])"),
    ("%comspec", r"%comspec(?:%|:)"),
    ("cmd", r"cmd(?:\.exe)?\s{1,4}/[ck]\b"),
    ("for ", r"for\s{1,4}(?:/\w\s{1,4})?%%?\S\s{1,4}in\s{0,4}\([^)\n]{0,80}\)\s{0,4}do\b"),
    ("powershell", r"powershell(?:\.exe)?\s{1,4}-(?:e|enc|nop|w|c|ex)\w{0,20}\s"),
    (":~", r"%\w{3,20}:~\d{0,3},\d{0,3}%"),
    ("nc", r"nc(?:\.\w{1,12})?\s[^\n;|&]{0,60}-[a-z]{0,4}e\s{1,4}(?:/|cmd|sh|bash)"),
    (">(", r"\A\s{0,4}>\([\w/ ]"),
    ("alias", r"alias\s{1,4}\w{1,20}=[^;&|\n]{1,20}[;&|\n]"),
    ("${", r"\$\{!?\w{1,20}:\d{1,3}:\d{1,3}\}"),
    ("iex", r"iex\s{0,2}\("),
    ("iwr", r"iwr\s{0,2}\("),
    ("invoke-", r"invoke-(?:expression|webrequest|command|restmethod)\s{1,4}[-$('\"h\w]"),
)
"""Shell syntax that nothing else has."""
ARGUMENT = pattern(
    r"-[\w-]|/\w{1,12}$|~?\.{0,2}/|\\\\|[A-Za-z]:[\\/]|[$%*?\"'`<>{@^!]|[a-z]+://|\d{1,3}(?:\.\d{1,3}){3}|"
    r"[\w*?-]+\.[A-Za-z]{2,4}\d?$|\.{1,2}$|-$|[\w.-]+[/\\][\w./\\*?-]*$|0x[\da-f]+$|localhost|\w+=|passwd$|shadow$|\+%",
    re.I,
)
"""How the first argument of a program looks, and the next word of a sentence does not."""
_GLOB = pattern(r"(?:^|[\s;|&`({,=<>])(/?[\w*?\[\]!^.-]{1,24}(?:/[\w*?\[\]!^/.-]{1,24}){1,4})")


def words(text: str, at: int) -> tuple[list[str], int, bool, str]:
    """The words of the simple command at `at`, quoting undone: (words, end, whether the first was spliced, what closed it)."""
    found: list[str] = []
    word: list[str] = []
    spliced = False
    quote = ""
    index, last = at, min(len(text), at + 240)
    braces = False
    while index < last and text[index] in " \t\"'(\\{@!\n\r":
        braces = braces or text[index] == "{"
        index += 1
    while index < last and len(found) < 9:
        char = text[index]
        if quote:
            if char == quote:
                quote = ""
            else:
                word.append(char)
            index += 1
            continue
        if char in "\"'":
            if not found and word:
                spliced = (
                    spliced
                    or text[index + 1 : index + 2] == char
                    or (index + 1 < last and text[index + 1].isalpha() and text.find(char, index + 1, index + 8) > 0)
                )
            if char in text[index + 1 : last]:
                quote = char
                if found:
                    word.append(char)
        elif char == "\\" and text[index + 1 : index + 2] in ("n", "r") and not text[index + 2 : index + 3].isalnum():
            break
        elif char in " \t" or (char == "," and braces):
            if word:
                found.append("".join(word))
                word = []
        elif char in ";|&\n\r`)":
            break
        elif not found and char == "\\" and index + 1 < last and text[index + 1].isalpha() and not _drive(word):
            spliced = spliced or (bool(word) and "/" not in word)
        elif not found and char == "^":
            spliced = True
        elif not found and char == "$" and index + 1 < last and text[index + 1] in "@*-$?!#(){" and word:
            spliced = True
            index = _skip(text, index, last)
            continue
        elif not found and word and char in "<>":
            found.append("".join(word))
            word = [char]
        elif not found and char == "=":
            break
        else:
            word.append(char)
        index += 1
    if word:
        found.append("".join(word))
    return found, index, spliced, text[index : index + 1]


def _skip(text: str, index: int, last: int) -> int:
    """Past an expansion that gives nothing: `$@`, `${x}`, `$()`."""
    opener = text[index + 1]
    if text[index + 1 : index + 3] == "((":
        close = text.find("))", index, min(last, index + 24))
        return close + 2 if close > 0 else index + 3
    if opener in "({":
        close = text.find(")" if opener == "(" else "}", index, min(last, index + 16))
        return close + 1 if close > 0 else index + 2
    return index + 2


def _drive(word: list[str]) -> bool:
    return ":" in word or "." in word or "\\" in word


def spells_a_system_path(text: str) -> bool:
    """Whether a path with wildcards in `text` matches a file or program that systems have."""
    tried = 0
    for match in _GLOB.finditer(text):
        path = match.group(1)
        if not ("?" in path or "[" in path or ("*" in path and sum(map(str.isalpha, path)) > 4 and path.startswith("/"))):
            continue
        tried += 1
        if tried > 8:
            break
        spelled = _glob_pattern(path)
        if spelled is not None and any(map(spelled.fullmatch, programs.TARGETS.split())):
            return True
    return False


def _glob_pattern(path: str) -> re.Pattern[str] | None:
    path = re.sub(r"/{2,}", "/", re.sub(r"\*{2,}", "*", path))
    if path.count("*") > 4 or (not any(map(str.isalpha, path)) and path.count("?") < 5):
        return None
    spelled = re.sub(
        r"\\\[([!^]?)([\w\\/.-]{1,12})\\\]",
        lambda m: "[" + ("^" if m[1] else "") + m[2].replace("\\-", "-") + "]",
        re.escape(path).replace(r"\!", "!").replace(r"\^", "^"),
    )
    try:
        return re.compile(spelled.replace(r"\*", "[^/]{0,12}").replace(r"\?", "[^/]?"))
    except re.error:
        return None


def program(word: str) -> str:
    """The program's name: without its folder, in lower case."""
    if "/" in word or "\\" in word:
        word = word.replace("\\", "/").rsplit("/", 1)[1]
    return word.lower()
