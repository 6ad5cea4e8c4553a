"""What an event says, with its envelopes opened: JSON in strings, base64, gzip, URL encoding, forms. The content type never decides.

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

import re
from functools import cache
from operator import itemgetter

from serverless_guard.inputs import envelopes
from serverless_guard.inputs.envelopes import TooLarge
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
OPENING = '{["' + envelopes.SPACE
NOTHING = ("", None, 0, "")
HUGE = 1e308
NAMES = """
    accept accept-charset accept-encoding accept-language cache-control cdn-loop connection content-encoding content-language content-length content-type
    dnt expect forwarded from host if-match if-modified-since if-none-match if-range if-unmodified-since max-forwards origin pragma priority range referer
    save-data te traceparent tracestate trailer transfer-encoding upgrade upgrade-insecure-requests user-agent via x-amz-cf-id x-amz-content-sha256 x-amz-
    date x-amzn-trace-id x-correlation-id x-csrf-token x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto x-request-id x-requested-with
    sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user sec-gpc cloudfront-forwarded-proto
    cloudfront-is-android-viewer cloudfront-is-desktop-viewer cloudfront-is-ios-viewer cloudfront-is-mobile-viewer cloudfront-is-smarttv-viewer
    cloudfront-is-tablet-viewer cloudfront-viewer-address cloudfront-viewer-asn cloudfront-viewer-city cloudfront-viewer-country cloudfront-viewer-
    country-name cloudfront-viewer-http-version cloudfront-viewer-latitude cloudfront-viewer-longitude cloudfront-viewer-time-zone cloudfront-viewer-tls
"""
USUAL = frozenset([*NAMES.split(), *NAMES.title().replace("Cloudfront", "CloudFront").split()])
"""Headers that no handler takes for base64; they are read as text all the same."""

first = itemgetter(0)
WORDS = "[A-Za-z0-9+/_.-]{16,}={0,2}"
BASE64 = r"(?!(?:[0-9a-f-]+|[0-9A-F-]+)\Z)[A-Za-z0-9+/_\r\n-]{16,}={0,2}\s*"
"""Base64 in either alphabet. Hexadecimal is left out, most identifiers are that: it decodes to no quote, blank, slash, dot or parenthesis."""
_PLAIN_KEY = r"[\w$@:/-]{1,64}"
_SHOWN_KEY = r"[\w$@:/. -]{1,64}"
_SAFE = bytes(range(48, 58)) + bytes(range(65, 91)) + bytes(range(97, 123)) + b"-_:/.+=,@{}$*\x1f"


KNOWN: set[int] = set()
"""Hashes of header values that were looked at before and found harmless: most headers come with every request, and looking at them anew
costs a third of the whole look. A string's hash is keyed by the process, 64 bits wide; no value is kept."""
KNOWN_KEYS: set[str] = set()
"""The same of keys, as they are: header names, and the fields of the JSON that a function is sent. None has a colon, which would upset the counting."""
KNOWN_MOST, KNOWN_AT_ONCE, KNOWN_LENGTH, KNOWN_KEY_LENGTH = 4096, 256, 4096, 64


class Opened:
    """An event with its envelopes open.

    texts: every string found, keys too; not those that were opened as JSON, nor AWS-made ones that hold only what AWS writes
    joined: all of `texts` in one string, with `SEP` between
    values: decoded value of each part, parallel to the parts: a body's JSON as parsed, else text as decoded, else as it came
    findings: bounds that were hit
    nodes: what each opened string gave, `{string: [(step, value)]}`
    headers, keys: header values and keys among the texts; `remember` lets the next event pass without them, where this one was harmless
    """

    __slots__ = ("findings", "headers", "joined", "keys", "limits", "nodes", "texts", "values")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.texts: list[str] = []
        self.joined = ""
        self.values: list[Any] = []
        self.findings: list[Finding] = []
        self.nodes: dict[str, list[tuple[str, Any]]] = {}
        self.headers: list[str] = []
        self.keys: list[str] = []

    def breach(self, rule: str, detail: object = "") -> None:
        """Note a bound that was hit, once."""
        if all(finding.rule != rule for finding in self.findings):
            size = rule < "SG-LIM-008"  # the rest is odd rather than large: it is reported
            self.findings.append(Finding(rule, "limits", TITLES[rule], confidence="high" if size else "medium", detail=str(detail), cwe=400 if size else 20))


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


def remember(opened: Opened, plain: bool) -> None:
    """Leave the header values of a harmless event out of the next looks, and the keys of one in which nothing looked odd (`plain`).

    Every detector must have passed them. Keys have a memory of their own, since a detector may mind in a key what it does not in a header.
    """
    if len(opened.headers) <= KNOWN_AT_ONCE:
        if len(KNOWN) > KNOWN_MOST:
            KNOWN.clear()
        KNOWN.update([hash(text) for text in opened.headers if len(text) <= KNOWN_LENGTH])
    if plain and len(opened.keys) <= KNOWN_AT_ONCE:
        if len(KNOWN_KEYS) > KNOWN_MOST:
            KNOWN_KEYS.clear()
        KNOWN_KEYS.update([key for key in opened.keys if len(key) <= KNOWN_KEY_LENGTH and ":" not in key])


def opened(parts: Sequence[Part], limits: Limits) -> Opened:
    """All strings of the parts, with what is wrapped in them.

    Nearly every event is one of JSON in plain strings, and `_quick` sees all that there is in it; for any other it gives up, and the
    thorough look is taken. A test holds the two to one another.
    """
    try:
        found = _quick(parts, limits)
    except (TypeError, ValueError, LookupError, RecursionError, TooLarge):
        found = None
    if found is None:
        from serverless_guard.inputs import thorough

        found = thorough.opened(parts, limits)
    return found


def _quick(parts: Sequence[Part], limits: Limits) -> Opened | None:
    """As `opened`, None where something may be hidden from it: it sees strings, and JSON in them."""
    result = Opened(limits)
    values, nodes, texts = result.values, result.nodes, result.texts
    names: set[Any] = set()
    own: list[str] = []
    aws: list[str] = []
    level: list[Any] = []
    docs: list[Any] = []
    suspects: list[Any] = []
    twin: list[Any] | None = None
    size = colons = 0
    for _, value, where, _, encoding in parts:
        kind = value.__class__
        if kind is dict:
            if where == "aws":
                aws_strings(value, encoding, aws, level)
            elif where == "header" or where == "query":
                found = [*value.values()]
                if found and found[0].__class__ is list:
                    # a multi-value twin that says the same as the single values adds nothing: 2 KB of text in 6
                    if twin is None or sum(map(len, found)) != len(found) or list(map(first, found)) != twin:
                        if where == "header":
                            return None
                        level.append(value)
                    else:
                        names.update(value)
                else:
                    twin = found
                    names.update(value)
                    if where == "query":
                        own += found
                    else:
                        result.headers += [text for text in found if hash(text) not in KNOWN]
                        suspects += [value[name] for name in value if name not in USUAL]
            else:
                level.append(value)
        elif kind is str:
            if where == "aws":
                aws.append(value)
            elif where == "body" and not encoding:
                if value in nodes:
                    value = nodes[value][0][1]
                else:
                    step, opened_value, count, rule = envelopes.from_json(value, limits.max_decoded) or NOTHING
                    if step != "json" or rule or opened_value.__class__ is str:
                        return None
                    size += len(value)
                    colons += count
                    nodes[value] = [("json", opened_value)]
                    value = opened_value
                    docs.append(value)
            elif not encoding:
                own.append(value)
            elif encoding == "url":
                own.append(value)
                if "%" in value or "+" in value:
                    plain = envelopes.from_url(value)
                    nodes[value] = [("url", plain)]
                    own.append(plain)
                    value = plain
            else:
                return None
        elif kind is list:
            level.append(value)
            if where == "header":
                suspects += value
        elif value is not None:
            return None
        values.append(value)
    base64, words = _patterns()
    tokens = 0
    for text in suspects:
        if len(text) > 15 and hash(text) not in KNOWN:
            if "eyJ" in text:
                tokens += text.count("eyJ")
                for claims in envelopes.from_token(text):
                    step, value, count, rule = envelopes.from_json(claims, limits.max_decoded) or NOTHING
                    if step != "json" or rule:
                        return None
                    size += len(claims)
                    colons += count
                    nodes.setdefault(text, []).append(("jwt", value))
                    docs.append([value])
            else:
                for word in words(text):
                    if base64(word) and envelopes.from_base64(word, limits.max_decoded, False):
                        return None
    if aws and unlike_aws(aws):
        own += aws
    texts += result.headers
    joined = SEP.join(texts)
    if "eyJ" in joined and joined.count("eyJ") != tokens:
        return None
    quiet = len(texts)
    texts += own
    counts = _collect(level, texts, names, limits, (len(names), 0, 0))
    names = names - KNOWN_KEYS
    more = SEP.join([*texts[quiet:], *names])
    start = 0
    for _ in range(limits.max_envelopes + 1):
        if counts is None or "eyJ" in more:
            return None
        joined += SEP + more
        if "{" in joined or "[" in joined or "\\" in joined:
            inner = _nested(texts, start, names, nodes, limits)
            if inner is None:
                return None
            if inner:
                docs += [value for value, _, _ in inner]
                colons += sum([count for _, count, _ in inner])
                size += sum([length for _, _, length in inner])
                joined = SEP.join([*texts, *result.keys, *names])
        for text in texts[quiet:]:
            if len(text) > 15:
                if " " not in text:
                    if base64(text) and envelopes.from_base64(text, limits.max_decoded, False):
                        return None
                elif (text[0] == " " or text[-1] == " ") and base64(text.strip()):
                    return None
        result.keys += names
        if len(joined) + size > limits.max_string or len(joined) + size > limits.max_bytes:
            return None
        if not docs:
            result.joined = joined
            texts += result.keys
            return result
        start = quiet = len(texts)
        names = set()
        keys = counts[0]
        counts = _collect(docs, texts, names, limits, counts)
        names = names - KNOWN_KEYS
        more = SEP.join(texts[start:])
        if counts is None or colons != counts[0] - keys + more.count(":"):
            return None
        fields = SEP.join(names)
        if ":" in fields:
            return None
        more += SEP + fields
        docs, colons = [], 0
    return None


def _collect(level: list[Any], texts: list[str], names: set[Any], limits: Limits, counts: tuple[int, int, int]) -> tuple[int, int, int] | None:
    """Strings and keys of containers; gives keys, items and levels with what was counted before, None where a bound or an odd value is."""
    keys, items, depth = counts
    _, _, max_depth, max_keys, max_items, _, _ = limits
    append = texts.append
    while level:
        depth += 1
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
                        return None
                elif kind is dict or kind is list:
                    below.append(value)
                elif value is not None and kind is not bool:
                    return None
            if keys > max_keys or items > max_items:
                return None
        level = below
    return None if depth > max_depth else (keys, items, depth)


def _nested(texts: list[str], start: int, names: set[Any], nodes: dict[str, Any], limits: Limits) -> list[tuple[Any, int, int]] | None:
    """Value, colons and length of each string that is JSON, which is blanked: what it says stands there opened. None where one is JSON in part."""
    found: list[tuple[Any, int, int]] = []
    for name in names:
        if name[:1] in OPENING and name:
            return None
    for index in range(start, len(texts)):
        text = texts[index]
        if text[:1] in OPENING and len(text) > 7:
            if text in nodes:
                return None
            opened = envelopes.from_json(text, limits.max_decoded)
            if opened is not None:
                step, value, count, rule = opened
                if step != "json" or rule or value.__class__ is str:
                    return None
                nodes[text] = [("json", value)]
                texts[index] = ""
                found.append((value, count, len(text)))
    return found


@cache
def _patterns() -> tuple[Any, Any]:
    """`(base64, words)`: whether a string is base64 as a whole, and the words of a header that may be."""
    return re.compile(BASE64).fullmatch, re.compile(WORDS).findall


def walk(parts: Sequence[Part], opened: Opened) -> Iterator[Walked]:
    """Every string with its way through the envelopes: `(path, where, record, text, whether it is a key)`.

    For the slow path: `opened` found something odd, and now it matters where.
    """
    nodes = opened.nodes
    left = 2 * len(opened.texts) + 1000 if opened.findings else 1 << 60  # a cut event may be endless
    for start, value, where, record, encoding in parts:
        aws = where == "aws"
        where = "attribute" if aws else where
        skipped = encoding.split(" ") if aws else ()
        pending: list[tuple[str, Any]] = [(start, value)]
        while pending and left > 0:
            path, value = pending.pop()
            value = value if value.__class__ is str else as_plain(value)
            if value.__class__ is str:
                steps = nodes.get(value, ())
                if not (aws and path.count(".") <= start.count(".") + 1 and not unlike_aws([value])) and not (steps and steps[0][0] == "json"):
                    left -= 1
                    yield path, where, record, value, False
                pending.extend((path, inner) for _, inner in steps)
                if steps and steps[0][0] == "json twice":
                    pending.append((path, envelopes.pairs(value)))
            elif value.__class__ is dict:
                below = []
                for key, item in value.items():
                    text = key if key.__class__ is str else spelled(key)
                    if not (text in skipped and path == start):
                        left -= 1
                        yield path, where, record, text, True
                        below.append((_step(path, text), item))
                        if text in nodes:
                            below += [(path, inner) for _, inner in nodes[text]]
                pending.extend(reversed(below))
            elif value.__class__ is list:
                left -= len(value)
                pending.extend((f"{path}[{index}]", value[index]) for index in range(len(value) - 1, -1, -1))


def aws_strings(value: dict[Any, Any], skip: str, aws: list[str], level: list[Any]) -> None:
    """The own strings of a mapping that AWS fills; what is nested in it is not AWS's word. `skip` names keys that are parts themselves."""
    skipped = skip.split(" ") if skip else ()
    for key, item in value.items():
        kind = item.__class__
        if item is None or kind is int or kind is bool or (skipped and key in skipped):
            continue
        if kind is str:
            aws.append(item)
        else:
            level.append(item if kind is dict or kind is list else [item])
    aws.extend(value)


def unlike_aws(aws: list[str]) -> bool:
    """Whether these hold a character or a sequence that AWS writes in no id, ARN, time or template: then they are read like any other.

    Safety: what stays unread holds no quote, parenthesis, backslash, semicolon, pipe, percent, `..`, `//`, `{{`, `${`, `__`, nor a
    space but before `/` and `+0` (route keys, request times).
    """
    try:
        text = SEP.join(aws)
    except TypeError:
        return True
    if not text.isascii() or "//" in text or ("." in text and ".." in text) or ("_" in text and "__" in text):
        return True
    if "{" in text and ("{{" in text or "${" in text):
        return True
    if " " in text:
        text = text.replace(" /", "").replace(" +0", "")
    return bool(text.encode("ascii").translate(None, _SAFE))


def as_plain(value: Any) -> Any:
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


def spelled(key: Any) -> str:
    """A key that is no plain str, as text."""
    plain = as_plain(key)
    return plain if plain.__class__ is str else repr(plain) if plain is not None else repr(key) if isinstance(key, (int, float)) or key is None else ""


def _step(path: str, key: str) -> str:
    """The path one key further down; a key that may carry a payload shows only its length, since paths are written to logs."""
    if re.fullmatch(_PLAIN_KEY, key):
        return f"{path}.{key}" if path else key
    return f'{path}["{key}"]' if re.fullmatch(_SHOWN_KEY, key) else f"{path}[key of {len(key)} characters]"
