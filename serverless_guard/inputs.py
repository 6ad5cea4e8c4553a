"""What an event says, with its envelopes opened: JSON in strings, base64, gzip, URL encoding. The content type never decides.

`opened` collects every string of the untrusted parts for the one cheap look, fast and without paths; `walk` leads to each of them
with its path, when something looked odd. Both are linear in the text, hold the bounds of `policy.Limits`, and never raise.

A bound that is hit is a finding; what lies beyond it was not looked at, and the finding says so:

    SG-LIM-001  more text than `max_bytes`            SG-LIM-006  a string longer than `max_string`
    SG-LIM-002  one decoding gave over `max_decoded`  SG-LIM-007  more envelopes inside one another than `max_envelopes`
    SG-LIM-003  nested deeper than `max_depth`        SG-LIM-008  a key twice in one object
    SG-LIM-004  more keys than `max_keys`             SG-LIM-009  a number that is not finite (NaN, Infinity, 1e999)
    SG-LIM-005  more list items than `max_items`      SG-LIM-010  a whole number that no float can hold
"""

from __future__ import annotations

import binascii
import json
import re
import zlib

from serverless_guard.values import TYPE_CHECKING, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from serverless_guard.policy import Limits
    from serverless_guard.values import Part

    Walked = tuple[str, str, int, str, bool]

TITLES = {
    "SG-LIM-001": "the event holds more text than allowed",
    "SG-LIM-002": "a decoded value is larger than allowed",
    "SG-LIM-003": "the event nests deeper than allowed",
    "SG-LIM-004": "the event holds more keys than allowed",
    "SG-LIM-005": "the event holds more list items than allowed",
    "SG-LIM-006": "a string is longer than allowed",
    "SG-LIM-007": "more envelopes are nested than allowed",
    "SG-LIM-008": "an object has the same key twice",
    "SG-LIM-009": "a number is not finite",
    "SG-LIM-010": "a whole number is too large",
}

SEP = "\x1f"
HUGE = 10**308
USUAL = frozenset(
    name
    for plain in """accept accept-charset accept-encoding accept-language cache-control cdn-loop connection content-encoding content-language
    content-length content-type dnt expect forwarded from host if-match if-modified-since if-none-match if-range if-unmodified-since max-forwards
    origin pragma priority range referer save-data te traceparent tracestate trailer transfer-encoding upgrade upgrade-insecure-requests user-agent via
    x-amz-cf-id x-amz-content-sha256 x-amz-date x-amzn-trace-id x-correlation-id x-csrf-token x-forwarded-for x-forwarded-host x-forwarded-port
    x-forwarded-proto x-request-id x-requested-with sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode sec-fetch-site
    sec-fetch-user sec-gpc cloudfront-forwarded-proto cloudfront-is-android-viewer cloudfront-is-desktop-viewer cloudfront-is-ios-viewer
    cloudfront-is-mobile-viewer cloudfront-is-smarttv-viewer cloudfront-is-tablet-viewer cloudfront-viewer-address cloudfront-viewer-asn
    cloudfront-viewer-city cloudfront-viewer-country cloudfront-viewer-country-name cloudfront-viewer-http-version cloudfront-viewer-latitude
    cloudfront-viewer-longitude cloudfront-viewer-time-zone cloudfront-viewer-tls""".split()
    for name in (plain, plain.title(), plain.replace("cloudfront", "CloudFront").title().replace("Cloudfront", "CloudFront"))
)
"""Headers that no handler takes for base64; they are read as text all the same."""

_base64 = re.compile("[A-Za-z0-9+/_-]{16,}={0,2}").fullmatch
_plain_key = re.compile(r"[\w$@:/-]{1,64}").fullmatch
_shown_key = re.compile(r"[\w$@:/. -]{1,64}").fullmatch
_SAFE = bytes(range(48, 58)) + bytes(range(65, 91)) + bytes(range(97, 123)) + b"-_:/.+=,@{}$*\x1f"


class Opened:
    """An event with its envelopes open.

    texts: every string found, keys too; those of AWS-made fields only where they hold what AWS does not write
    joined: all of `texts` in one string
    values: decoded value of each part, parallel to the parts: a body's JSON as parsed, else text as decoded, else as it came
    findings: bounds that were hit
    nodes: what each opened string gave, `{id(string): [(step, value)]}`; the strings live as long as `texts` does
    """

    __slots__ = ("findings", "joined", "limits", "nodes", "texts", "values")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.texts: list[str] = []
        self.joined = ""
        self.values: list[Any] = []
        self.findings: list[Finding] = []
        self.nodes: dict[int, list[tuple[str, Any]]] = {}

    def breach(self, rule: str, detail: str = "") -> None:
        """Note a bound that was hit, once."""
        if all(finding.rule != rule for finding in self.findings):
            self.findings.append(Finding(rule, "limits", TITLES[rule], detail=detail, cwe=400 if rule < "SG-LIM-008" else 20))


def raw(event: Any) -> Any:
    """The plain mapping behind an event: of a Powertools data class, of a pydantic model, of any other mapping; else the event itself."""
    if event.__class__ is dict or event.__class__ is list or event is None or isinstance(event, (str, bytes, int, float)):
        return event
    inner = getattr(event, "raw_event", None)
    if isinstance(inner, dict):
        return inner if inner.__class__ is dict else dict.copy(inner)
    if isinstance(event, dict):
        return dict.copy(event)
    dump = getattr(event, "model_dump", None)
    if callable(dump):
        return dump(by_alias=True)
    if hasattr(event, "keys") and hasattr(event, "__getitem__"):
        return {key: event[key] for key in event.keys()}  # noqa: SIM118  # all that is known of it is that it has keys
    return event


def like(event: Any, plain: Any) -> Any:
    """A mapping in the class of the event that it takes the place of."""
    if event.__class__ is dict or event.__class__ is plain.__class__:
        return plain
    if hasattr(event, "raw_event"):
        return event.__class__(plain)
    validate = getattr(event, "model_validate", None)
    return validate(plain) if callable(validate) else plain


def opened(parts: Sequence[Part], limits: Limits) -> Opened:
    """All strings of the parts, with what is wrapped in them."""
    result = Opened(limits)
    texts = result.texts
    own: list[str] = []  # strings that are parts themselves
    aws: list[str] = []
    level: list[Any] = []
    suspects: list[tuple[str, int]] = []
    wrapped: list[tuple[int, str, str]] = []
    for index, (_, value, where, _, encoding) in enumerate(parts):
        kind = value.__class__
        if kind is dict:
            if where == "header":
                _headers(value, texts, level, suspects)
            elif where == "aws":
                _aws(value, encoding.split(" "), aws, level)
            else:
                level.append(value)
        elif kind is str:
            if where == "aws":
                aws.append(value)
            else:
                own.append(value)
                if encoding or where == "body":
                    wrapped.append((index, value, encoding))
        elif kind is list:
            level.append(value)
        elif value is not None:
            plain = _plain(value)
            if plain.__class__ is str:
                own.append(plain)
                wrapped.append((index, plain, encoding))
            else:
                level.append([value])
        result.values.append(value)
    if aws and _unlike_aws(aws):
        own.extend(aws)
    opening = _Opening(result)
    opening.headers = len(texts)
    texts += own
    opening.run(level, wrapped, suspects)
    return result


def walk(parts: Sequence[Part], opened: Opened) -> Iterator[Walked]:
    """Every string with its way through the envelopes: `(path, where, record, text, whether it is a key)`.

    For the slow path: `opened` found something odd, and now it matters where.
    """
    nodes = opened.nodes
    left = 2 * len(opened.texts) + 1000 if opened.findings else 1 << 60
    for start, value, where, record, encoding in parts:
        skipped = encoding.split(" ") if where == "aws" else ()
        where = "attribute" if where == "aws" else where
        pending: list[tuple[str, Any]] = [(start, value)]
        while pending and left > 0:
            path, value = pending.pop()
            if value.__class__ is not str:
                value = _plain(value)
            if value.__class__ is dict:
                below = []
                for key, item in value.items():
                    text = key if key.__class__ is str else _key(key)
                    if skipped and path == start and text in skipped:
                        continue
                    left -= 1
                    yield path, where, record, text, True
                    below.append((_step(path, text), item))
                pending.extend(reversed(below))
            elif value.__class__ is list:
                left -= len(value)
                pending.extend((f"{path}[{index}]", value[index]) for index in range(len(value) - 1, -1, -1))
            elif value.__class__ is str:
                left -= 1
                yield path, where, record, value, False
                pending.extend((path, inner) for _, inner in nodes.get(id(value), ()))


def _headers(value: dict[Any, Any], texts: list[str], level: list[Any], suspects: list[tuple[str, int]]) -> None:
    """Names and values of headers or cookies, single or in lists. Only a header that is not usual is tried for base64."""
    texts.extend(value)
    for item in value.values():
        if item.__class__ is str:
            texts.append(item)
        elif item.__class__ is list:
            texts.extend(item)
        elif item is not None:
            level.append([item])
    for name in value.keys() - USUAL:
        item = value[name]
        if item.__class__ is str:
            suspects.append((item, 1))
        elif item.__class__ is list:
            suspects.extend((each, 2) for each in item)


def _aws(value: dict[Any, Any], skipped: list[str], aws: list[str], level: list[Any]) -> None:
    """The own strings of a mapping that AWS fills; what is nested in it is not AWS's word. `skipped` are keys that are parts themselves."""
    for key, item in value.items():
        kind = item.__class__
        if key in skipped:
            continue
        if key.__class__ is str:
            aws.append(key)
        else:
            level.append([key])
        if kind is str:
            aws.append(item)
        elif kind is dict or kind is list:
            level.append(item)
        elif item is not None and kind is not bool:
            level.append([item])


def _unlike_aws(aws: list[str]) -> bool:
    """Whether these hold a character or a sequence that AWS writes in no id, ARN, time or template: then they are read like any other.

    Safety: what stays unread holds no quote, bracket, backslash, semicolon, pipe, percent, `..`, `://`, `{{`, `${`, `__`, nor a
    space but before `/` and `+0` (route keys, request times).
    """
    text = SEP.join(aws)
    if not text.isascii():
        return True
    for seen in ("..", "://", "{{", "${", "__"):
        if seen in text:
            return True
    return bool(text.replace(" /", "").replace(" +0", "").encode("ascii").translate(None, _SAFE))


class _Opening:
    """One run over one event, in rounds: walk the containers level by level, then open what turned out to be an envelope.

    Duplicate keys are found by counting: outside its strings, JSON has one colon for each pair. So the colons of a text are its pairs and the
    colons in its strings, and more of them are pairs that a later twin replaced. Only an escape of it can hide a
    colon; a text with such a one is parsed pair by pair. Counting costs 2 % of a parse, an `object_pairs_hook` 100 %.
    """

    __slots__ = ("colons", "cut", "envelopes", "fresh", "headers", "items", "keys", "result", "size")

    def __init__(self, result: Opened) -> None:
        self.result = result
        self.keys = self.items = self.size = self.envelopes = self.headers = 0
        self.colons = 0  # that the texts opened in this round must have
        self.cut = False  # a bound was hit: the counts are no longer whole
        self.fresh: dict[int, list[Any]] = {}  # containers to walk, by their depth

    def run(self, level: list[Any], wrapped: list[tuple[int, str, str]], suspects: list[tuple[str, int]]) -> None:
        """Fill the result."""
        result, limits = self.result, self.result.limits
        texts = result.texts
        joins: list[str] = []
        mark = 0
        self.fresh = {0: level}
        for envelopes in range(limits.max_envelopes + 1):
            keys = self.keys
            marks = self._walk()
            text = self._join(mark)
            joins.append(text)
            if envelopes and not self.cut and self.colons != self.keys - keys + text.count(":"):
                result.breach("SG-LIM-008")
            if self.cut:
                break
            self.colons = 0
            end = len(texts)
            for index, whole, encoding in wrapped:
                self._part(index, whole, encoding)
            self._search(mark, end, text, marks, suspects)
            if not self.fresh and len(texts) == end:
                break
            if envelopes == limits.max_envelopes:
                result.breach("SG-LIM-007", f"over {limits.max_envelopes}")
            mark, wrapped, suspects = end, [], []
            self.headers = 0
        result.joined = joins[0] if len(joins) == 1 else SEP.join(joins)

    def _walk(self) -> list[tuple[int, int]]:
        """Collect the strings of the fresh containers; gives `(first index in texts, depth)` of each level."""
        result, limits = self.result, self.result.limits
        texts = result.texts
        append = texts.append
        keys, items = self.keys, self.items
        fresh, self.fresh = self.fresh, {}
        marks = [(0, 0)]
        level: list[Any] = []
        depth = 0
        while level or fresh:
            if not level:
                depth = min(fresh)
            if depth in fresh:
                level += fresh.pop(depth)
            depth += 1
            if depth > limits.max_depth and level:
                return self._stop("SG-LIM-003", limits.max_depth, marks)
            marks.append((len(texts), depth))
            below: list[Any] = []
            for node in level:
                if node.__class__ is dict:
                    keys += len(node)
                    texts.extend(node)
                    node = node.values()
                else:
                    items += len(node)
                for value in node:
                    kind = value.__class__
                    if kind is str:
                        append(value)
                    elif kind is dict or kind is list:
                        below.append(value)
                    elif kind is int:
                        if not -HUGE < value < HUGE:
                            result.breach("SG-LIM-010", "over 308 digits")
                    elif kind is float:
                        if value - value != 0.0:
                            result.breach("SG-LIM-009")
                    elif value is not None and kind is not bool:
                        plain = _plain(value)
                        if plain.__class__ is str:
                            append(plain)
                        elif plain is not None:
                            below.append(plain)
                if keys > limits.max_keys:
                    return self._stop("SG-LIM-004", limits.max_keys, marks)
                if items > limits.max_items:
                    return self._stop("SG-LIM-005", limits.max_items, marks)
            level = below
        self.keys, self.items = keys, items
        return marks

    def _stop(self, rule: str, bound: int, marks: list[tuple[int, int]]) -> list[tuple[int, int]]:
        self.result.breach(rule, f"over {bound}")
        self.cut = True
        return marks

    def _join(self, mark: int) -> str:
        """The texts of this round in one string, measured."""
        result, limits = self.result, self.result.limits
        texts = result.texts
        fresh = texts[mark:] if mark else texts
        try:
            text = SEP.join(fresh)
        except TypeError:  # keys or header values of other types than str: only in events made in the process, or forged
            texts[mark:] = fresh = [item if item.__class__ is str else _key(item) for item in fresh]
            text = SEP.join(fresh)
        self.size += len(text)
        if len(text) > limits.max_string and any(len(item) > limits.max_string for item in fresh):
            result.breach("SG-LIM-006", f"over {limits.max_string} characters")
        if self.size > limits.max_bytes:
            self._stop("SG-LIM-001", limits.max_bytes, [])
        return text

    def _part(self, index: int, text: str, encoding: str) -> None:
        """Open a part that is a string: in the encoding that its source names, and as JSON; its value is what came out last."""
        result = self.result
        if encoding == "url":
            plain = _unquote(text)
            if plain != text:
                self._put(text, "url", plain, 0)
                text = result.values[index] = plain
        elif encoding:
            for step, data in _decoded(text, result, True):
                self._put(text, step, data, 0)
                result.values[index] = data
                text = data
        value = self._json(text)
        if value is not None:
            self._put(text, "json", value, 0)
            result.values[index] = value

    def _search(self, mark: int, end: int, joined: str, marks: list[tuple[int, int]], suspects: list[tuple[str, int]]) -> None:
        """Open what is an envelope among the texts of this round; headers only where the look at them together says that it may be."""
        texts, nodes = self.result.texts, self.result.nodes
        for text, depth in suspects:
            if len(text) > 15 and _base64(text):
                self._try(text, depth)
        if self.headers and not _starts(joined):
            mark = self.headers
        for position in range(mark, end):
            text = texts[position]
            if len(text) < 8:
                continue
            if text[0] in "{[\" \t\r\n\ufeff" or (len(text) > 15 and position >= self.headers and _base64(text)):
                if id(text) not in nodes:
                    self._try(text, next(depth for start, depth in reversed(marks) if start <= position))

    def _try(self, text: str, depth: int) -> None:
        """Open one string if it is JSON or base64."""
        value = self._json(text)
        if value is not None:
            self._put(text, "json", value, depth)
        elif _base64(text):
            for step, data in _decoded(text, self.result, False):
                self._put(text, step, data, depth)

    def _put(self, text: str, step: str, value: Any, depth: int) -> None:
        """Keep what a string gave, for the next round and for `walk`."""
        self.result.nodes.setdefault(id(text), []).append((step, value))
        if value.__class__ is str:
            self.result.texts.append(value)
            self.colons += value.count(":")
        else:
            self.fresh.setdefault(depth, []).append(value)

    def _json(self, text: str) -> Any:
        """The object, list or escaped string that this is as JSON, else None."""
        head = text[:1]
        if head and head in " \t\r\n\ufeff":
            text = text.lstrip(" \t\r\n\ufeff")
            head = text[:1]
        if head != "{" and head != "[" and (head != '"' or "\\" not in text):
            return None
        try:
            value = json.loads(text)
            colons = text.count(":") if "\\u003" not in text else -1
        except json.JSONDecodeError:
            return None
        except RecursionError:
            self.result.breach("SG-LIM-003", "nested deeper than the parser goes")
            return None
        except ValueError:
            self.result.breach("SG-LIM-010", "more digits than Python converts")
            return None
        if colons < 0:
            value, colons = self._by_pairs(text)
        if value.__class__ is not str:
            self.colons += colons
        return value

    def _by_pairs(self, text: str) -> tuple[Any, int]:
        """A text parsed pair by pair, with the colons that its value has."""

        def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
            made = dict(found)
            if len(made) < len(found):
                self.result.breach("SG-LIM-008")
            return made

        value = json.loads(text, object_pairs_hook=pairs)
        return value, json.dumps(value, ensure_ascii=False).count(":")


def _starts(joined: str) -> bool:
    """Whether one of these strings may be JSON or hold a token with JSON in it; looked at together, since hardly any header is."""
    for seen in ("\x1f{", "\x1f[", '\x1f"{', "\x1f ", "\x1f\t", "\x1f\n", "\x1f\r", "eyJ"):
        if seen in joined:
            return True
    return False


def _decoded(text: str, result: Opened, declared: bool) -> list[tuple[str, str]]:
    """Text out of base64, inflated where it is gzip or zlib. Bytes that are no text count only where base64 was `declared`."""
    limit = result.limits.max_decoded
    try:
        data = binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "==")
    except ValueError:
        return []
    step = "base64"
    if data[:2] in (b"\x1f\x8b", b"\x78\x9c", b"\x78\x01", b"\x78\xda"):
        inflate = zlib.decompressobj(47)
        try:
            data = inflate.decompress(data, limit + 1)
            step = "base64+gzip"
        except zlib.error:
            pass
    if len(data) > limit:
        result.breach("SG-LIM-002", f"over {limit} bytes")
        return []
    if declared:
        return [(step, data.decode("utf-8", "replace"))]
    try:
        plain = data.decode("utf-8")
    except UnicodeDecodeError:
        return []
    return [(step, plain)] if plain.isprintable() or step != "base64" or not _control(data) else []


def _control(data: bytes) -> bool:
    """Whether bytes hold control characters that text has not."""
    return len(data.translate(None, bytes(range(9)) + b"\x0b\x0c" + bytes(range(14, 32)) + b"\x7f")) < len(data)


def _unquote(text: str) -> str:
    """URL decoding as `unquote_plus` does it, without importing `urllib`."""
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    head, *rest = text.encode("utf-8", "surrogatepass").split(b"%")
    done = [head]
    for piece in rest:
        try:
            done.append(binascii.a2b_hex(piece[:2]) + piece[2:])
        except ValueError:
            done.append(b"%" + piece)
    return b"".join(done).decode("utf-8", "replace")


def _plain(value: Any) -> Any:
    """A value of another type as a str, list or dict; None for what holds no text."""
    kind = value.__class__
    if kind is str or kind is list or kind is dict:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "replace")
    if isinstance(value, memoryview):
        return value.tobytes().decode("utf-8", "replace")
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    if value is None or isinstance(value, (int, float)):
        return None
    value = raw(value)
    return value if value.__class__ is dict else None


def _key(key: Any) -> str:
    """A key that is no plain str, as text."""
    plain = _plain(key)
    return plain if plain.__class__ is str else repr(plain) if plain is not None else repr(key) if isinstance(key, (int, float)) or key is None else ""


def _step(path: str, key: str) -> str:
    """The path one key further down; a key that may carry a payload shows only its length, since paths are written to logs."""
    if _plain_key(key):
        return f"{path}.{key}" if path else key
    return f'{path}["{key}"]' if _shown_key(key) else f"{path}[key of {len(key)} characters]"
