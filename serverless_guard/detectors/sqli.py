"""SG-SQL-001: SQL that would change the meaning of a query (CWE-89, CAPEC-66).

Looks for a value that leaves the place where a query would put it (a number, a quoted string, an identifier, a list of VALUES)
and adds structure of its own: a condition that is always true, UNION SELECT, a second statement, a comment that cuts the query
off, a sub-query, a delay or error probe. The value is split into SQL tokens, once as it stands and once behind each kind of
quote that it contains, and a small grammar decides. The common dialects and PartiQL are one language here.

Attack:             `' or 1=1 -- `
Harmless near miss: `the dogs' and cats' home; select the best from our range`

References: https://cwe.mitre.org/data/definitions/89.html, https://owasp.org/www-community/attacks/SQL_Injection
"""

from __future__ import annotations

from serverless_guard.detectors import Evidence
from serverless_guard.values import TYPE_CHECKING
from serverless_guard.words.patterns import pattern
from serverless_guard.words.sql import (
    CLAUSE,
    CONDITIONAL,
    CONSTANT,
    DEEDS,
    DELAY,
    ENGLISH,
    OBJECT_KINDS,
    PROBE,
    SHARP,
    STATEMENT,
    SYSTEM,
    TRUTHS,
    UNARY,
    tokens,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

RULE = "SG-SQL-001"
CWE = 89
TITLE = "SQL that would change the meaning of a query"
NEEDS = (
    "'", '"', "=", "(", ";", "--", "/*", "#", "`", "@@", "|", "&&", "<", ">", ("union", "select"), ("order", "by"), ("select", "from"), "like", " or ",
    " and ", ("limit",), " is ", "between", ("drop", "table"), ("having",), ("into",), "waitfor", "exec", "shutdown",
)  # fmt: skip

SHORT = 800
"""How much is read behind each place where SQL may begin."""
QUOTES = ("'", '"', "`")
PLACES = {"": "in a numeric or bare position", "'": "in a single-quoted string", '"': "in a double-quoted string", "`": "in a quoted name"}
LEVELS = ((4, "high"), (3, "medium"), (2, "low"))


def detect(text: str, where: str) -> Evidence | None:
    """Evidence that `text` carries SQL structure out of the place where it lands."""
    best, shape = 0, ""
    document = 2 if len(text) > 60 and text.count("\n") > 2 else 0  # prose, code and markup of several lines are full of quotes
    for sql in normal(text.lower()):
        for weight, seen, quote in _readings(sql):
            weight -= document
            if weight > best:
                best, shape = weight, f"{seen} {PLACES[quote]}"
            if best >= 4:
                break
    for least, confidence in LEVELS:
        if best >= least:
            return Evidence(confidence, shape)  # type: ignore[arg-type]  # LEVELS holds the three words
    if len(text) < 8 and EMPTIED.fullmatch(text):
        return Evidence("low", "operator between two quotes")
    return None


def normal(low: str) -> tuple[str, ...]:
    """The text with white space as one space and comments inside gone; where comments split words, also with them joined."""
    if "\n" in low:
        low = LINE_COMMENT.sub(" \n", low)
    if "/*" in low:
        spaced = VERSIONED.sub(" ", low) if "/*!" in low else low
        spaced = SPACE.sub(" ", BLOCK_COMMENT.sub(" ", spaced).replace("*/", " "))
        joined = SPACE.sub(" ", BLOCK_COMMENT.sub("", low))
        return (spaced, joined) if joined != spaced else (spaced,)
    plain = SPACE.sub(" ", low)
    if '""' in plain and plain[0] == '"':
        return plain, plain.replace('""', '"')
    return (plain,)


def _readings(sql: str) -> Iterator[tuple[int, str, str]]:
    """`(weight, shape, quote)` of the value in each position that it may land in.

    Whatever follows the first quote of a value is SQL if the value stands in such quotes, so the first ends of a string are
    tried, not all of hundreds. A long value in a bare position is read around each place where SQL may begin.
    """
    if len(sql) <= SHORT:
        yield (*_weigh(sql, "", 1), "")
    else:
        yield (*_weigh(sql[:SHORT], "", 1), "")
        read = SHORT - 64
        for number, found in enumerate(ANCHOR.finditer(sql, read)):
            if found.start() >= read:
                start = sql.rfind(" ", 0, max(found.start() - 24, 0)) + 1
                yield (*_weigh(sql[max(start, found.start() - 64) : found.start() + SHORT], "", 1), "")
                read = found.start() + SHORT - 64
            if number == 400:
                break
    for quote in QUOTES:
        if quote not in sql:
            continue
        for number, found in enumerate(BREAK_OUT[quote].finditer(sql)):
            before = sql.count(quote, 0, found.start())
            place = -1 if quote == "`" else 2 if before == 0 else 1 if before % 2 == 0 else 0
            yield (*_weigh(sql[found.start() + 1 : found.start() + SHORT], quote, place), quote)
            if number == 7:
                break


def _weigh(sql: str, quote: str, place: int) -> tuple[int, str]:
    """How much the tokens weigh as a continuation of a query, and the shape of what weighs most.

    `place` is what the position adds: 2 behind the value's first quote, 1 bare, less behind a later quote.
    """
    kinds, words = tokens(sql)
    if not kinds:
        return 0, ""
    if quote and kinds[0] not in FOLLOWS and words[0] not in CLAUSE and words[0] not in STATEMENT:
        odd_start = len(kinds) > 1 and ((kinds[1] == "(" and words[0] in SHARP) or (kinds[0] == "(" and quote != "`") or (kinds[0] == "n" and kinds[1] == "l"))
        if not odd_start:
            return 0, ""
        place -= 1
    if quote and len(words) > 1 and words[1][0] == quote and ((kinds[0] in "kc" and words[0].isalpha()) or (kinds[0] == "l" and len(words[1]) == 1)):
        return 0, ""  # a quoted word
    kinds += "$$$$"
    words += ("", "", "", "")
    query = _Query(kinds, words, bool(quote))
    weight, shape = query.evidence()
    if not weight:
        return 0, ""
    if quote:
        weight += place
        if kinds[-5] in "u#":
            weight += 1
    else:
        weight += query.prefix()
    return weight, shape


class _Query:
    """Tokens read as what would follow in a query. All walks are forward and bounded: linear in their number."""

    __slots__ = ("first", "kinds", "quoted", "words")

    def __init__(self, kinds: list[str], words: list[str], quoted: bool) -> None:
        self.kinds = kinds
        self.words = words
        self.quoted = quoted
        self.first = 0  # where the heaviest evidence stands

    def prefix(self) -> int:
        """What the tokens before the heaviest evidence say of a bare position: 1 an expression, 0 a filter, less for prose."""
        alike = equal = compared = 0
        before = ""
        for kind, word in zip(self.kinds[: self.first], self.words, strict=False):
            if (kind in "wnsuqv" and before and before in "wnsuqvk") or (kind == "k" and before == "w"):
                alike += 1
            elif kind == "c" and word == "=":
                equal += 1
            elif kind in "c?{}":
                compared += 1
            before = kind
        if alike or before == "u":
            return -1 if alike == 1 and self.kinds[self.first - 1] in "ns)" else -2
        return -2 if compared else 0 if equal else 1

    def evidence(self) -> tuple[int, str]:
        """The weight of the heaviest evidence, one more where there are two, and its shape."""
        most, others, shape = 0, 0, ""
        probes: set[str] = set()
        kinds, words = self.kinds, self.words
        for i in range(len(kinds) - 4):
            kind, word = kinds[i], words[i]
            weight, seen = 0, ""
            if kind == "l" or (kind == "k" and word in CONDITIONAL and (word != "if" or kinds[i + 1] == "(")):
                weight, seen = self.condition(i + 1, word)
            elif kind == "k":
                weight, seen = self.keyword(i, word)
            elif kind == ";":
                weight, seen = self.stacked(i + 1)
            elif kind == "w":
                if kinds[i + 1] == "(":
                    weight, seen = self.call(i)
                    probes.add(word)
                elif word in SYSTEM:
                    weight, seen = (2 if words[i - 1] in ("from", "join", "into", ",") else 1), "system table"
            elif kind == "v" and word[:2] == "@@" and word[2:]:
                weight, seen = 2, "server variable"
            elif i == 0 and self.quoted:
                if kind == "#":
                    weight, seen = self.cut(word)
                elif kind == "a":
                    weight, seen = self.concatenation(i)
                elif kind == "c":
                    weight, seen = self.comparison(i)
            elif kind == "#" and self.quoted and i < 6 and all(before == ")" for before in kinds[:i]):
                weight, seen = self.cut(word)
            if weight:
                if weight > most:
                    others += 1 if most else 0
                    most, shape, self.first = weight, seen, i
                    if most > 4:
                        break
                elif i - self.first < 24:
                    others += 1
        if most == 1 and len(probes) < 2 and not self.quoted and shape == "probe function":
            return 0, ""  # a call alone is code or prose
        return most + (1 if others and most < 4 else 0), shape

    def operand(self, i: int) -> tuple[str, int]:
        """Kind of the operand at `i`, and the index behind it; "" where there is none."""
        kinds, words = self.kinds, self.words
        start = i
        while (kinds[i] in "(" or words[i] in UNARY) and i - start < 24:
            i += 1
        kind = kinds[i]
        if kind in "nsuvq?":
            i += 1
            kind = "w" if kind == "?" else kind
        elif kind == "w":
            if kinds[i + 1] == "(":
                kind = "p" if words[i] in SHARP else "f"
                i = self.behind(i + 1)
            else:
                if words[i] in CONSTANT:
                    kind = "n" if words[i] in TRUTHS else "w"
                elif words[i] in ENGLISH:
                    return "", i
                i += 1
                while kinds[i] == "." and kinds[i + 1] in "wkq":
                    i += 2
        elif kind == "k" and words[i] in ("null", "true", "false"):
            kind, i = "n", i + 1
        elif kind == "k" and words[i] == "case" and "end" in words[i : i + 40]:
            kind, i = "p", words.index("end", i) + 1
        elif kind == "k" and words[i] in ("select", "case", "exists", "row", "interval", "array", "cast"):
            kind, i = ("p" if words[i] != "select" or self.select_list(i + 1) else "w"), i + 1
        else:
            return "", i
        while kinds[i] == ")" or (words[i] == "::" and kinds[i + 1] in "wk"):
            i += 1 if kinds[i] == ")" else 2
        if (kinds[i] == "a" or words[i] == "||") and words[i] not in ("collate", "escape") and i - start < 48:
            more, j = self.operand(i + 1)
            if more:
                return ("n" if kind in "n" and more in "n" else more if more in "pu" else kind), j
        return kind, i

    def behind(self, i: int) -> int:
        """Index behind the bracket that closes the one at `i`, at most 64 tokens on."""
        depth = 0
        for j in range(i, min(i + 64, len(self.kinds) - 4)):
            if self.kinds[j] == "(":
                depth += 1
            elif self.kinds[j] == ")":
                depth -= 1
                if not depth:
                    return j + 1
        return min(i + 1, len(self.kinds) - 4)

    def condition(self, i: int, word: str) -> tuple[int, str]:
        """A condition behind AND, OR, HAVING, WHERE, WHEN, ..."""
        kinds, words = self.kinds, self.words
        left, j = self.operand(i)
        if not left:
            return (2 if kinds[i] == "#" and i > 1 and kinds[i - 2] in "nsuq)" else 0), f"{word} comment"
        if words[j] == "not":
            j += 1
        if kinds[j] == "c" or (kinds[j] == "?" and left in "su"):
            compare = words[j]
            if compare == "is":
                k = j + 1 + (words[j + 1] in ("not", "distinct"))
                weight = 0 if words[k] not in ("null", "true", "false", "unknown", "?") and kinds[k] not in "n#" else 1 if left in "wq" else 3
                return weight, f"{word} {NOUNS[left]} is"
            k = j + 1
            while kinds[k] == "c" or kinds[k] in "|&" or words[k] == "not":
                k += 1
            right, after = self.operand(k)
            if not right:
                return (1 if left != "w" and kinds[k] in "$#" else 0), f"{word} {NOUNS[left]} {compare}"
            shape = f"{word} {NOUNS[left]} {compare} {NOUNS[right]}"
            if left in LITERAL and right in LITERAL:
                return 5 if words[k - 2].strip("'\"") == words[k].strip("'\"") else 3, shape
            if left == "p" or right == "p":
                return 3, shape
            if word == "if" and not self.quoted:
                return 0, ""
            if left + right in ("nf", "fn", "fs", "sf", "fu", "uf", "ff"):
                return (2 if word != "if" else 0), shape
            if compare == "in" and words[k] != "(":
                return 0, shape
            if compare.isalpha() and left == "w" and compare not in ("like", "rlike", "regexp", "between", "ilike"):
                return 0, shape
            if words[j - 1] == words[after - 1] and compare in ("=", "==", "like"):
                return 2 + (kinds[after] == "#"), shape
            return (0 if word in CONDITIONAL and not self.quoted and right == left == "w" else 1), shape
        ends = kinds[j] in "$#;)l" or (kinds[j] == "k" and words[j] in CLAUSE)
        shape = f"{word} {NOUNS[left]}"
        if left == "p":
            return 2, shape
        if word == "when" and words[j] == "then" and left in "nsv":
            return 1, shape
        if not ends or word in ("on", "when", "where", "if"):
            return 0, ""
        if left in "nsuvf":
            prose = (left == "s" and kinds[j] != "#") or (left == "u" and (" " in words[j - 1] or (j == i + 1 and not any(map(str.isalnum, words[i])))))
            return (0 if prose else 1 + (left != "f" or kinds[j] == "#") if self.quoted or kinds[j] == "#" else 0), shape
        return (1 if self.quoted and kinds[j] == "#" else 0), shape

    def select_list(self, i: int) -> int:
        """How much a select list at `i` weighs, 0 for none, to 4."""
        kinds, words = self.kinds, self.words
        start = i
        while words[i] in ("distinct", "all", "top", "distinctrow", "sql_no_cache") or (kinds[i] == "(" and i - start < 8):
            i += 1
        if words[i - 1] == "top" and kinds[i] == "n":
            i += 1
        items = literal = 0
        while items < 200:
            if words[i] == "*":
                kind, i = "*", i + 1
            else:
                kind, i = self.operand(i)
            if not kind:
                break
            items += 1
            literal += kind in "nsuvpf*"
            if words[i] == "as":
                i += 2
            elif kinds[i] == "w" and words[i + 1] in ("from", ","):
                i += 1
            if kinds[i] == "c":
                _, i = self.operand(i + 1)
            if kinds[i] != ",":
                break
            i += 1
        if not items:
            return 0
        if words[i] == "from" or words[i] == "into":
            table, j = self.operand(i + 1)
            if (table or kinds[i + 1] == "[") and not (kinds[i + 1] == "w" and words[i + 1] in ENGLISH):
                plain = literal == 0 and items == 1 and kinds[j] == "w" and words[j] not in ("where",)
                return 2 if plain else 4
            return 0
        if literal and (items > 1 or kinds[i] in "$#);" or words[i] in CLAUSE):
            return 3
        if items > 1 and kinds[i] in "$#);":
            return 2
        return 1 if kinds[i] in "#)" else 0

    def keyword(self, i: int, word: str) -> tuple[int, str]:
        """What a keyword at `i` begins."""
        kinds, words = self.kinds, self.words
        nxt = words[i + 1]
        if word in ("union", "except", "intersect", "minus"):
            j = i + 1
            while words[j] in ("all", "distinct", "distinctrow", "("):
                j += 1
            if words[j] in ("select", "values"):
                weight = self.select_list(j + 1)
                weight = 6 if weight >= 3 else 4 if weight == 2 else 2 + weight if weight or (i and kinds[i - 1] in "ns)") else 0
                return weight, f"{word} {words[j]} list"
            return 0, ""
        if word == "select":
            weight = self.select_list(i + 1)
            if i > 0 and kinds[i - 1] == "(":
                return (3 if weight >= 3 else weight), "sub-query"
            return (2 if weight >= 3 else weight - 1 if weight > 1 else 0), "select list"
        if word in ("order", "group") and nxt == "by":
            left, j = self.operand(i + 2)
            if left and left in "npfsu":
                return (3 if kinds[j] == "#" else 2 if kinds[j] in "$,)k;u" else 0), f"{word} by {NOUNS[left]}"
            return (1 if left and kinds[j] == "#" else 0), f"{word} by {NOUNS.get(left, 'nothing')}"
        if word == "limit" and kinds[i + 1] == "n":
            return (1 if kinds[i + 2] in ",#" or words[i + 2] in ("offset", "into", "procedure", "union") else 0), "limit"
        if word == "procedure" and nxt == "analyse":
            return 3, "procedure analyse"
        if word == "into" and nxt in ("outfile", "dumpfile"):
            return 4, "into file"
        if word == "waitfor" and nxt in ("delay", "time"):
            return 4, "waitfor delay"
        if word == "as":
            return (1 + (i > 0 and kinds[i - 1] in "n)") if kinds[i + 1] in "wsq" and words[i + 2] == "from" else 0), "alias from"
        if word in STATEMENT and (i == 0 or kinds[i - 1] in "(snu:"):
            weight = self.statement(i)
            return (0 if word == "call" else weight if i == 0 or weight > 2 else 0), f"{word} statement"
        return 0, ""

    def stacked(self, i: int) -> tuple[int, str]:
        """A statement behind a semicolon."""
        kinds, words = self.kinds, self.words
        weight = self.statement(i) if kinds[i] == "k" else 0
        if weight:
            return min(weight + 1, 4), f"; {words[i]}"
        if self.quoted and i == 1 and kinds[i] in "#$":
            return (2 if kinds[i] == "#" else 0), "; comment"
        return 0, ""

    def statement(self, i: int) -> int:
        """How much the tokens at `i` look like a whole statement: 0 not, 1 to 3."""
        kinds, words = self.kinds, self.words
        word, nxt, third = words[i], words[i + 1], words[i + 2]
        if word == "select":
            return min(self.select_list(i + 1), 3)
        if word in ("insert", "replace", "merge", "upsert"):
            follow = i + 2 if nxt == "into" else i + 1
            return (
                3
                if kinds[follow] in "wqk"
                and any(
                    w in ("select", "set") or (w in ("values", "value") and words[n + 1] == "(")
                    for n, w in enumerate(words[follow + 1 : follow + 16], follow + 1)
                )
                else 0
            )
        if word == "update":
            return 3 if kinds[i + 1] in "wqk" and "set" in words[i + 2 : i + 6] and "=" in words[i + 3 : i + 12] else 0
        if word in ("delete", "remove"):
            return 3 if nxt == "from" and kinds[i + 2] in "wqk" and third not in ENGLISH and (kinds[i + 3] in "$#;" or words[i + 3] in ("where", ".")) else 0
        if word in ("drop", "create", "alter", "truncate"):
            if nxt in OBJECT_KINDS and kinds[i + 2] in "wqkvs" and third not in ENGLISH:
                return (
                    3
                    if kinds[i + 3] in "$#;(.'su,)"
                    or words[i + 3] in ("cascade", "add", "as", "identified", "with", "exists", "values", "drop", "returns", "from")
                    else 2
                )
            return 3 if kinds[i + 1] in "wq" and kinds[i + 2] == ";" and kinds[i + 3] == "#" else 0
        if word in ("exec", "execute", "call"):
            return (
                3
                if nxt in ("(",)
                or (word == "call" and kinds[i + 1] == "w" and kinds[i + 2] == "(")
                or nxt.startswith(("xp_", "sp_", "@"))
                or (kinds[i + 1] == "w" and kinds[i + 2] == ".")
                or nxt == "immediate"
                or nxt == "master"
                else 0
            )
        if word == "declare":
            return 3 if kinds[i + 1] == "v" or (kinds[i + 1] == "w" and third in ("varchar", "int", "cursor", "char", "number")) else 0
        if word == "waitfor":
            return 3 if nxt in ("delay", "time") else 0
        if word == "shutdown":
            return 3 if kinds[i + 1] in "$#;" or nxt == "with" else 0
        if word == "if":
            return 2 if nxt in ("(", "not", "exists") and not DEEDS.isdisjoint(words[i : i + 32]) else 0
        if word == "begin":
            return 2 if nxt in STATEMENT or (kinds[i + 1] in "wv" and kinds[i + 2] in ".:=") else 0
        if word == "set":
            return 2 if kinds[i + 1] == "v" else 0
        if word in ("grant", "revoke"):
            return 3 if "to" in words[i + 2 : i + 12] and words[i + 1] in ("all", "select", "execute", "connect", "dba", "insert") else 0
        if word == "copy":
            return 3 if kinds[i + 1] in "w(" and any(w in ("from", "to", "program") for w in words[i + 2 : i + 14]) else 0
        if word in ("attach", "backup", "restore", "bulk", "load"):
            return 3 if nxt in ("database", "insert", "data") else 0
        if word in ("commit", "rollback"):
            return 1 if kinds[i + 1] in "$#;" else 0
        if word == "pragma":
            return 2
        if word == "show":
            return 2 if nxt in ("tables", "databases", "columns", "grants") else 0
        if word == "use":
            return 1 if kinds[i + 1] == "w" and kinds[i + 2] in "$#;" else 0
        return 0

    def call(self, i: int) -> tuple[int, str]:
        """A function call at `i`."""
        kinds, words = self.kinds, self.words
        word = words[i]
        if i > 1 and kinds[i - 1] == ".":
            word = f"{words[i - 2]}.{word}"
        if word in DELAY:
            return (4 if kinds[i + 2] in "n(-ws" and (not i or kinds[i - 1] not in ")ws") else 2), "delay function"
        if word in PROBE:
            weight = 2 if word in SHARP or (kinds[i + 2] in "n@" and "0x" in words[i + 2]) else 1
            return (weight if not i or kinds[i - 1] != "w" else 0), "probe function"
        return 0, ""

    def cut(self, word: str) -> tuple[int, str]:
        """A comment directly behind the quote that ends the string."""
        rest = word.lstrip("-#/*").strip(" ;+")
        if not rest:
            return 2, "comment that cuts the query off"
        return (1 if word[:2] in ("--", "/*") and (word[2:3] == " " or word[:2] == "/*") else 0), "comment that cuts the query off"

    def concatenation(self, i: int) -> tuple[int, str]:
        """An operator directly behind the quote: concatenation or arithmetic with the string."""
        kinds, words = self.kinds, self.words
        right, j = self.operand(i + 1)
        if right == "p":
            return 2, f"{words[i]} {NOUNS[right]}"
        if kinds[j] == "c" and right:
            other, _ = self.operand(j + 1)
            if other:
                return 1 + (right in LITERAL and other in LITERAL), f"{words[i]} {NOUNS[right]} {words[j]}"
        if right and kinds[j] == "#" and not words[j].lstrip("-#/* "):
            return 1, f"{words[i]} {NOUNS[right]} comment"
        return 0, ""

    def comparison(self, i: int) -> tuple[int, str]:
        """A comparison directly behind the quote."""
        kinds, words = self.kinds, self.words
        j = i + 1
        while kinds[j] == "c" or words[j] == "not":
            j += 1
        right, j = self.operand(j)
        if not right or (words[i][0] in "<>!" and words[i] not in ("<>", "!=") and right not in "np"):
            return 0, ""
        return (1 if kinds[j] in "cl#" or right == "p" else 0), f"{words[i]} {NOUNS[right]}"


NOUNS = {"n": "number", "s": "string", "u": "open string", "v": "variable", "q": "name", "w": "name", "p": "function", "f": "call", "": "nothing"}
LITERAL = frozenset("nsuv")
FOLLOWS = frozenset("lca#;),")
ANCHOR = pattern(
    r"[^a-z_](?=(?:union|except|intersect)[^a-z]{1,64}(?:all[^a-z]{1,64}|distinct[^a-z]{1,64})?select|(?:(?:x?or|and|having)[\s(]{1,8}|\|\||&&)[ "
    r"(+~!-]{0,8}(?:not[ (]{1,8})?(?:['\"@]|[\w.]{1,64} ?(?:[(=<>!]|like|is |in ?\(|between|r(?:like|egexp)))|select[ (]|"
    r"(?:pg_)?sleep ?\(|benchmark ?\(|waitfor |extractvalue|updatexml|load_file|xp_|dbms_|utl_|into (?:out|dump)file|information_schema|order by \d|drop "
    r"|insert into|delete from|update \w|exec|declare @|shutdown|procedure )"
)
EMPTIED = pattern(r"(['\"])\s?[-+&^*/%|]{1,2}\s?\1")
LINE_COMMENT = pattern(r"(?:--|#)[^\n]*\n")
BLOCK_COMMENT = pattern(r"/\*(?:[^*]|\*(?!/))*\*/")
VERSIONED = pattern(r"/\*!(?:\d{5,6})?")
SPACE = pattern(r"[\s\x00-\x20\xa0]+")
BREAK_OUT = {
    quote: pattern(
        quote
        + r"(?=[\s)]*(?:[-+*/%^&|=<>!~;,#]|(?:or|and|xor|union|having|order|group|limit|like|between|is|in|not|rlike|regexp|procedure|into|where|waitfor|exec|"
        r"execute|declare|if|begin|insert|update|delete|drop|select|collate|div|mod|sounds|except|intersect|returning|for|offset|glob|ilike|similar|nand|goto|as|"
        r"call|case|when|end)(?!\w)|[\w.]{1,64}\(|\d{1,16} (?:or|and)\b|\(|[-+&^*]?\Z))"
    )
    for quote in QUOTES
}
