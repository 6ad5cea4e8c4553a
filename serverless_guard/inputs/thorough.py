"""The thorough look: every envelope that there is, in rounds, with exact bounds. `inputs.opened` comes here where its quick look may miss something."""

from __future__ import annotations

import re

from serverless_guard.inputs import BASE64, HUGE, KNOWN, KNOWN_KEYS, SEP, USUAL, WORDS, Opened, as_plain, aws_strings, envelopes, first, spelled, unlike_aws
from serverless_guard.inputs.envelopes import TooLarge
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from serverless_guard.policy import Limits
    from serverless_guard.values import Part


def opened(parts: Sequence[Part], limits: Limits) -> Opened:
    """All strings of the parts, with what is wrapped in them."""
    result = Opened(limits)
    opening = Opening(result)
    texts, values = result.texts, result.values
    level: list[Any] = []
    aws: list[str] = []
    own: list[str] = []  # strings that are parts themselves
    bodies: list[tuple[int, str, str]] = []  # those that may be envelopes: index, string, encoding
    for _, value, where, _, encoding in parts:
        kind = value.__class__
        if kind is str:
            if where == "aws":
                aws.append(value)
            elif encoding or where == "body":
                bodies.append((len(values), value, encoding))
            else:
                own.append(value)
        elif kind is dict:
            if where == "header":
                opening.headers(value, level)
            elif where == "query":
                own += opening.flat(value, level)
            elif where == "aws":
                aws_strings(value, encoding, aws, level)
            else:
                level.append(value)
        elif kind is list:
            level.append(value)
            if where == "header":
                opening.suspects += value
        elif value is not None:
            plain = as_plain(value)
            if plain.__class__ is str:
                bodies.append((len(values), plain, encoding))
            else:
                level.append([value])
        values.append(value)
    if aws and unlike_aws(aws):
        own += [text if text.__class__ is str else spelled(text) for text in aws]
    opening.quiet = len(texts)
    texts += own
    for index, text, encoding in bodies:
        opening.part(index, text, encoding)
    opening.run(level)
    return result


class Opening:
    """One run over one event, in rounds: walk what was opened level by level, then open what turns out to be an envelope."""

    __slots__ = (
        "colons", "cut", "docs", "fresh", "items", "keys", "marks", "max_decoded", "names", "places", "plain", "quiet", "result", "room", "seen", "size",
            "spans", "suspects", "twin",
    )  # fmt: skip

    def __init__(self, result: Opened) -> None:
        self.result = result
        self.max_decoded = result.limits.max_decoded
        self.room = result.limits.max_bytes  # for text that comes out of base64
        self.keys = self.items = self.size = self.colons = 0
        self.cut = False  # a bound was hit: what follows is not looked at
        self.quiet = 0  # how many texts are not tried for base64: headers
        self.twin: list[Any] = []  # values of the single-value headers or query
        self.suspects: list[Any] = []  # header values that are tried for base64
        self.names: set[Any] = set()  # keys of this round, each once
        self.plain: list[str] = []  # strings that were opened in this round
        self.fresh: dict[int, list[Any]] = {}  # containers that were opened in this round, by their depth
        self.docs: list[tuple[str, int]] = []  # the JSON of them, and how many colons their values must have
        self.spans: list[tuple[int, int]] = []  # where it stands in the join
        self.marks: list[tuple[int, int]] = []  # (first index in texts, depth) of each level of this round
        self.seen: dict[tuple[str, str], int] = {}  # part that was opened, by text and encoding
        self.places: dict[str, int] = {}  # index of each text, made when it is first needed

    def headers(self, value: dict[Any, Any], level: list[Any]) -> None:
        """Names and values of headers, single or in lists. Only a header that is not usual is tried for base64 and tokens."""
        values = self.flat(value, level)
        if not values:
            for name in value:
                if name not in USUAL and value[name].__class__ is list:
                    self.suspects += value[name]
            return
        fresh = self.result.headers = [text for text in values if hash(text) not in KNOWN]
        self.result.texts += fresh
        if fresh:
            self.suspects += [value[name] for name in value if name not in USUAL]

    def flat(self, value: dict[Any, Any], level: list[Any]) -> list[str]:
        """Names of headers or of a query, and their values where they are all strings; else they go to `level`.

        A multi-value twin that says the same as the single values adds nothing: leaving it out saves 2 KB of text in 6.
        """
        values = list(value.values())
        if values and values[0].__class__ is list:
            try:
                if sum(map(len, values)) == len(values) and list(map(first, values)) == self.twin:
                    self.keys += len(values)
                    self.names.update(value)
                    return []
            except (TypeError, LookupError):
                pass
            level.append(value)
            return []
        try:
            "".join(values)
        except TypeError:
            level.append(value)
            return []
        self.twin = values
        self.keys += len(values)
        self.names.update(value)
        return values

    def part(self, index: int, text: str, encoding: str) -> None:
        """Open a part, once: a batch that says the same in all of its n records would be n times n findings."""
        first = self.seen.setdefault((text, encoding), index)
        if first == index:
            self._opened(index, text, encoding)
        else:
            self.result.values[index] = self.result.values[first]

    def _opened(self, index: int, text: str, encoding: str) -> None:
        """Open a part: in the encoding that its source names, then as JSON, form, multipart or XML; its value is what came out as data."""
        result = self.result
        raw = text
        if encoding == "url":
            plain = envelopes.from_url(text)
            if plain != text:
                result.texts.append(text)
                self._put(text, "url", plain, 0)
                result.values[index] = text = plain
        elif encoding:
            result.texts.append(text)
            plain = self._from_base64(text, declared=True)
            if plain:
                result.values[index] = text = plain
        step = self._from_json(text, 0)
        self.size += len(text)
        if step == "json":
            result.values[index] = result.nodes[text][-1][1]
            return
        if text is raw:
            result.texts.append(text)
        if step or not text:
            return
        if len(text) > 15 and re.fullmatch(BASE64, text):
            self._from_base64(text)
        else:
            self._document(text)

    def _document(self, text: str) -> None:
        """Open a body as multipart, XML or a form."""
        most = self.result.limits.max_items
        try:
            if text[0] == "-":
                self._put(text, "multipart", envelopes.from_multipart(text, self.max_decoded), 0)
            elif text[0] == "<" or text.lstrip()[:1] == "<":
                self._put(text, "xml", envelopes.from_xml(text, most), 0)
            elif "=" in text:
                self._put(text, "form", envelopes.from_form(text, most), 0)
        except TooLarge as bound:
            self.result.breach(bound.args[0], f"over {most}")

    def run(self, level: list[Any]) -> None:
        """Fill the result."""
        result, limits = self.result, self.result.limits
        for text in self.suspects:
            if text.__class__ is str and len(text) > 15 and text not in result.nodes and hash(text) not in KNOWN:
                self._in_header(text)
        docs, self.fresh = self.fresh, {0: level}
        self._walk()
        start = self.quiet
        joined = [self._join(0)]
        self.fresh = docs
        for envelope in range(limits.max_envelopes + 1):
            if not self.cut and (self.fresh or self.plain):
                joined.append(self._docs())
            if self.cut:
                break
            text = joined[-1] if envelope or len(joined) == 1 else SEP.join(joined)
            self._search(start, text)
            if self.spans:
                self._blank(joined, text, envelope)
            if not self.fresh and not self.plain:
                break
            if envelope == limits.max_envelopes:
                result.breach("SG-LIM-007", f"over {limits.max_envelopes}")
            start = len(result.texts)
        result.joined = joined[0] if len(joined) == 1 else SEP.join(joined)
        result.texts += result.keys

    def _docs(self) -> str:
        """Walk what was opened in this round; gives its strings and keys in one string."""
        result = self.result
        texts = result.texts
        mark, keys = len(texts), self.keys
        self._walk()
        text = self._join(mark)
        if self.colons != self.keys - keys + text.count(":") and not self.cut and self._twice():
            result.breach("SG-LIM-008")
            for doc, _ in self.docs:  # what a twin hides is seen in the JSON alone
                result.nodes[doc][0] = ("json twice", result.nodes[doc][0][1])
                self.plain.append(doc)
        self.colons, self.docs = 0, []
        if self.plain:
            piece = SEP.join(self.plain)
            self._measure(piece, self.plain)
            texts += self.plain
            self.plain = []
            text += SEP + piece
        return text

    def _walk(self) -> None:
        """Collect strings and keys of the fresh containers, level by level."""
        result, limits = self.result, self.result.limits
        texts, names, marks = result.texts, self.names, self.marks
        append = texts.append
        keys, items, max_keys, max_items, max_depth = self.keys, self.items, limits.max_keys, limits.max_items, limits.max_depth
        fresh, self.fresh = self.fresh, {}
        level: list[Any] = []
        depth = 0
        while level or fresh:
            if not level:
                depth = min(fresh)
            if depth in fresh:
                level += fresh.pop(depth)
            depth += 1
            if depth > max_depth and level:
                return self._stop("SG-LIM-003", max_depth)
            marks.append((len(texts), depth))
            below: list[Any] = []
            for node in level:
                if node.__class__ is dict:
                    keys += len(node)
                    names.update(node)
                    node = node.values()
                else:
                    items += len(node)
                for value in node:
                    kind = value.__class__
                    if kind is str:
                        append(value)
                    elif kind is int or kind is float:
                        if not -HUGE < value < HUGE:
                            result.breach("SG-LIM-010" if kind is int else "SG-LIM-009")
                    elif kind is dict or kind is list:
                        below.append(value)
                    elif value is not None and kind is not bool:
                        plain = as_plain(value)
                        if plain.__class__ is str:
                            append(plain)
                        elif plain is not None:
                            below.append(plain)
                if keys > max_keys:
                    return self._stop("SG-LIM-004", max_keys)
                if items > max_items:
                    return self._stop("SG-LIM-005", max_items)
            level = below
        self.keys, self.items = keys, items
        return None

    def _stop(self, rule: str, bound: int) -> None:
        self.result.breach(rule, f"over {bound}")
        self.cut = True

    def _twice(self) -> bool:
        """Whether an object of this round has a key twice, by the books: keys with a colon upset the counting, since they are kept once."""
        return any(colons > envelopes.colons(self.result.nodes[doc][0][1]) for doc, colons in self.docs)

    def _join(self, mark: int) -> str:
        """The texts from this index on and the keys of this round in one string, measured."""
        texts = self.result.texts
        fresh = texts[mark:] if mark else texts
        names = [name for name in self.names if name not in KNOWN_KEYS]
        self.names = set()
        try:
            text = SEP.join(fresh) + SEP + SEP.join(names)
        except TypeError:  # keys that are no strings: only in events made in the process
            names = [name if name.__class__ is str else spelled(name) for name in names]
            text = SEP.join(fresh) + SEP + SEP.join(names)
        self._measure(text, fresh)
        self.result.keys += names
        return text

    def _measure(self, text: str, texts: list[str]) -> None:
        result, limits = self.result, self.result.limits
        self.size += len(text)
        if len(text) > limits.max_string and any(len(item) > limits.max_string for item in texts):
            result.breach("SG-LIM-006", f"over {limits.max_string}")
        if self.size > limits.max_bytes:
            self._stop("SG-LIM-001", limits.max_bytes)

    def _search(self, start: int, joined: str) -> None:
        """Open what is an envelope among the texts from `start` on, which stand in `joined`."""
        self.places, self.spans = {}, []
        for sign in "{[" if "\\" not in joined else '{["':
            if sign in joined:
                self._starting(sign, joined)
        if "eyJ" in joined:
            self._tokens(joined)
        for text in self.result.texts[start:]:
            if len(text) > 15:
                if " " not in text:
                    if re.fullmatch(BASE64, text) and text not in self.result.nodes:
                        self._from_base64(text)
                elif (text[0] == " " or text[-1] == " ") and re.fullmatch(BASE64, text.strip()) and text not in self.result.nodes:
                    self._from_base64(text.strip(), text)

    def _in_header(self, text: str) -> None:
        """A header or cookie: tokens in it (`Bearer eyJ...`), and base64 as a word of it (`Basic ...`, `session=...`)."""
        if "eyJ" in text:
            self._token(text)
        for word in re.findall(WORDS, text):
            if re.fullmatch(BASE64, word):
                self._from_base64(word, text)

    def _starting(self, sign: str, joined: str) -> None:
        """Strings that begin with `sign`, tried as JSON. They are found in the join, since hardly any string is."""
        result = self.result
        at = joined.find(sign)
        while at >= 0:
            start = at
            while start and joined[start - 1] in envelopes.SPACE:
                start -= 1
            if start == 0 or joined[start - 1] == SEP:
                stop = joined.find(SEP, at)
                stop = stop if stop >= 0 else len(joined)
                text = joined[start:stop]
                if len(text) < 8 or text in result.nodes:  # so little says nothing that it does not say as it is
                    at = stop - 1
                elif step := self._from_json(text):
                    at = stop - 1
                    if step == "json":
                        self.spans.append((start, stop))
                        place = self._place(text)
                        if place >= 0:
                            result.texts[place] = ""
            at = joined.find(sign, at + 1)

    def _tokens(self, joined: str) -> None:
        """Strings with a JSON Web Token in them."""
        at = joined.find("eyJ")
        while at >= 0:
            start, stop = joined.rfind(SEP, 0, at) + 1, joined.find(SEP, at)
            stop = stop if stop >= 0 else len(joined)
            text = joined[start:stop]
            if text not in self.result.nodes:
                self._token(text)
            at = joined.find("eyJ", stop)

    def _token(self, text: str) -> None:
        """Header and claims of each token in a string: `Bearer eyJ...`, `token=eyJ...`."""
        for claims in envelopes.from_token(text):
            self.items += 1
            if self.items > self.result.limits.max_items:
                return self._stop("SG-LIM-005", self.result.limits.max_items)
            found = self._parsed(claims)
            if found is not None:
                self.colons += found[2]
                self._put(text, "jwt", found[1], 1)
        return None

    def _from_json(self, text: str, depth: int = -1) -> str:
        """Open a string as JSON; gives the step that did, `json` or a more lenient one, empty where it is no JSON."""
        found = self._parsed(text)
        if found is None:
            return ""
        step, value, colons, rule = found
        if rule:
            step = "json twice" if step == "json" else step
        if value.__class__ is not str:
            self.colons += colons
            if not rule:
                self.docs.append((text, colons))
        self._put(text, step, value, depth)
        return step

    def _parsed(self, text: str) -> envelopes.Json | None:
        try:
            found = envelopes.from_json(text, self.max_decoded)
        except TooLarge as bound:
            self.result.breach(bound.args[0], "while decoding")
            return None
        if found and found[3]:
            self.result.breach(found[3])
        return found

    def _from_base64(self, text: str, holder: str = "", declared: bool = False) -> str:
        """Open a string as base64, found in `holder`; gives the text that came out."""
        if self.cut:
            return ""
        try:
            found = envelopes.from_base64(text, self.max_decoded, declared)
        except TooLarge as bound:
            self.result.breach(bound.args[0], "while decoding")
            return ""
        if found is None:
            return ""
        self.room -= len(found[1])
        if self.room < 0:
            self._stop("SG-LIM-001", self.result.limits.max_bytes)
        self._put(holder or text, found[0], found[1])
        return found[1]

    def _put(self, text: str, step: str, value: Any, depth: int = -1) -> None:
        """Keep what a string gave: for the next round, and for `walk`."""
        if value is None:
            return
        self.result.nodes.setdefault(text, []).append((step, value))
        if value.__class__ is str:
            self.plain.append(value)
            return
        if step in ("form", "multipart", "xml"):
            self.colons += envelopes.colons(value)
        if depth < 0:
            place = self._place(text)
            depth = next((depth for start, depth in reversed(self.marks) if start <= place), 1)
        self.fresh.setdefault(depth, []).append(value)

    def _place(self, text: str) -> int:
        """Index of a string among the texts, -1 for a key."""
        if not self.places:
            self.places = {found: index for index, found in enumerate(self.result.texts)}
        return self.places.get(text, -1)

    def _blank(self, joined: list[str], text: str, envelope: int) -> None:
        """Take the strings that were opened as JSON out of the join: all that they say stands there opened, without the signs of JSON."""
        pieces, at = [], 0
        for start, stop in sorted(self.spans):
            pieces.append(text[at:start])
            at = stop
        pieces.append(text[at:])
        text = "".join(pieces)
        if envelope:
            joined[-1] = text
        else:
            joined[:] = [text]
