"""The envelopes that `inputs` opens, one function each: text in, what it holds out. All are linear, and raise nothing but `TooLarge`.

JSON: https://www.rfc-editor.org/rfc/rfc8259, base64: https://www.rfc-editor.org/rfc/rfc4648, gzip: https://www.rfc-editor.org/rfc/rfc1952,
JSON Web Token: https://www.rfc-editor.org/rfc/rfc7519
"""

from __future__ import annotations

import binascii
import json
import re
import zlib

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    Json = tuple[str, Any, int, str]

DEPTH, DECODED, ITEMS, DIGITS, TWICE = "SG-LIM-003", "SG-LIM-002", "SG-LIM-005", "SG-LIM-010", "SG-LIM-008"
SPACE = " \t\r\n\ufeff"
BLANKS = SPACE + "\x1e"
"""What may stand between two JSON values, RFC 7464 among it."""
MEMBERS = 64
"""Members of one gzip stream: each costs a copy of what follows."""

_raw_decode = json.JSONDecoder().raw_decode
_lenient = json.JSONDecoder(strict=False).raw_decode
_RUN = "[A-Za-z0-9_-]+"
_CONTROL = bytes(range(9)) + b"\x0b\x0c" + bytes(range(14, 32)) + b"\x7f"


class TooLarge(Exception):
    """`(rule)` of the bound that an envelope breaks; it stays closed."""


def from_json(text: str, limit: int) -> Json | None:
    """`(step, value, colons, rule)` of a text that is a JSON object, list or escaped string; None for any other text.

    Duplicate keys are found by counting: outside its strings, JSON has one colon for each pair. So a text has as many colons as its value has pairs and
    colons in keys and strings, unless a later twin replaced a pair. `colons` is the number to compare with; the caller counts while it walks.
    Only `\\u003a` can hide a colon: a text with such an escape is read pair by pair, and `rule` tells. Counting costs 2 % of a parse, an
    `object_pairs_hook` 100 %. Raises TooLarge where the parser gives up.
    """
    head = text[:1]
    if head and head in SPACE:
        text = text.lstrip(SPACE)
        head = text[:1]
    if head != "{" and head != "[" and (head != '"' or "\\" not in text):
        return None
    if len(text) > limit:
        raise TooLarge(DECODED)
    try:
        value, end = _raw_decode(text)
    except json.JSONDecodeError:
        return _lines(text)
    except RecursionError:
        raise TooLarge(DEPTH) from None
    except ValueError:
        raise TooLarge(DIGITS) from None
    if end != len(text) and text[end:].strip(SPACE):
        return _lines(text)
    if "\\u003" in text:
        return _by_pairs(text)
    return "json", value, text.count(":"), ""


def pairs(text: str) -> Any:
    """A JSON text with every object as the list of its pairs, so that a key that comes twice hides nothing; None where it is no strict JSON."""
    try:
        return json.loads(text, object_pairs_hook=lambda found: [[key, value] for key, value in found])
    except (ValueError, RecursionError):
        return None


def from_base64(text: str, limit: int, declared: bool) -> tuple[str, str] | None:
    """`(step, text)` out of base64 in either alphabet, inflated where it is gzip or zlib; None where it is no base64.

    What is decoded must look like text, unless base64 is `declared`: an identifier in hexadecimal is valid base64 too.
    """
    if "-" in text or "_" in text:
        text = text.replace("-", "+").replace("_", "/")
    try:
        data = binascii.a2b_base64(text + "==")
    except ValueError:
        return None
    step = "base64"
    if data[:2] in (b"\x1f\x8b", b"\x78\x01", b"\x78\x9c", b"\x78\xda"):
        inflated = _inflate(data, limit)
        if inflated is not None:
            step, data = "base64+gzip", inflated
    if len(data) > limit:
        raise TooLarge(DECODED)
    if data.isascii():
        plain = data.decode("ascii")
        strange = 0 if plain.isprintable() else len(data) - len(data.translate(None, _CONTROL))
    else:
        plain = data.decode("utf-8", "replace")
        strange = plain.count("\ufffd") + len(data) - len(data.translate(None, _CONTROL))
    return (step, plain) if declared or strange * 4 <= len(plain) else None


def from_url(text: str) -> str:
    """The text with `+` and `%xx` decoded once, as `urllib.parse.unquote_plus` does it, whose import costs 8 % of a start."""
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    head, *rest = text.encode("utf-8", "surrogatepass").split(b"%")
    done = [head]
    for piece in rest:
        try:
            done.append(binascii.a2b_hex(piece[:2]) + piece[2:] if piece else b"%")
        except ValueError:
            done.append(b"%" + piece)
    return b"".join(done).decode("utf-8", "replace")


def from_form(text: str, most: int) -> dict[str, Any] | None:
    """The fields of `a=1&b=2`, decoded; a name that comes twice has a list. None for what is no form. Raises TooLarge for more than `most`."""
    if "=" not in text or "\n" in text.rstrip("\r\n"):
        return None
    if text.count("&") >= most:
        raise TooLarge(ITEMS)
    found: dict[str, Any] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        name, value = from_url(name), from_url(value)
        earlier = found.get(name)
        if earlier is None:
            found[name] = value
        elif earlier.__class__ is list:
            earlier.append(value)
        else:
            found[name] = [earlier, value]
    return found


def from_multipart(text: str, limit: int) -> list[dict[str, str]] | None:
    """Name, file name, headers and content of each part of a multipart body; None for what is none.

    Any line that begins with two hyphens divides: which boundary the reader of the body believes in does not matter.
    """
    if text[:2] != "--" or "disposition" not in text[:4096].lower():
        return None
    found = []
    for piece in ("\n" + text).replace("\r\n", "\n").split("\n--")[1:]:
        head, _, content = piece.partition("\n\n")
        head = head.partition("\n")[2]
        if not head:
            continue
        part = {
            name.lower().rstrip("*"): from_url(value.strip('"')) if name.endswith("*") else value.strip('"')
            for name, value in re.findall(_FIELDS, head, re.IGNORECASE)
        }
        part["headers"], part["content"] = head, content
        if "base64" in head.lower():
            plain = from_base64(content, limit, True)
            part["content"] = plain[1] if plain else content
        found.append(part)
    return found or None


def from_xml(text: str, most: int) -> list[str] | None:
    """The texts of an XML or HTML document, with CDATA sections and comments taken out of them; no entity is resolved. None for what is none."""
    if text[:1] != "<" and text.lstrip(SPACE)[:1] != "<":
        return None
    if text.count("<") > most:
        raise TooLarge(ITEMS)
    found: list[str] = []
    run: list[str] = []
    at, end = 0, len(text)
    while at < end:
        if text.startswith("<![CDATA[", at):
            stop = _find(text, "]]>", at)
            run.append(text[at + 9 : stop])
            at = stop + 3
        elif text.startswith("<!--", at):
            at = _find(text, "-->", at) + 3
        elif text[at] == "<":
            stop = _find(text, ">", at)
            found.append("".join(run))
            found.append(text[at + 1 : stop])
            run = []
            at = stop + 1
        else:
            stop = _find(text, "<", at)
            run.append(text[at:stop])
            at = stop
    found.append("".join(run))
    return [piece for piece in found if piece and not piece.isspace()]


def from_token(text: str) -> list[str]:
    """Header and claims of the JSON Web Tokens in a text (`Bearer eyJ...`, `token=eyJ...`), as the JSON they are. No signature is looked at."""
    found: list[str] = []
    run = re.compile(_RUN).match
    at = text.find("eyJ")
    while at >= 0:
        head = run(text, at)
        end = head.end() if head else at + 3
        if text[end : end + 1] == "." and (at == 0 or not run(text, at - 1)):
            body = run(text, end + 1)
            for segment in (text[at:end], body.group() if body else ""):
                try:
                    data = binascii.a2b_base64(segment.replace("-", "+").replace("_", "/") + "==")
                except ValueError:
                    continue
                if data[:1] == b"{" and data.rstrip()[-1:] == b"}":
                    found.append(data.decode("utf-8", "replace"))
            end = body.end() if body else end
        at = text.find("eyJ", end)
    return found


def _lines(text: str) -> Json | None:
    """JSON values one after another, as in JSON Lines, or a value that a lenient parser would take."""
    values: list[Any] = []
    count, rules = 0, ""
    at, end = 0, len(text)
    while at < end and text[at] in "{[":
        start = at
        try:
            value, at = _lenient(text, at)
        except (ValueError, RecursionError):
            break
        piece = text[start:at]
        if "\\u003" in piece:
            _, value, more, rule = _by_pairs(piece)
            count, rules = count + more, rules or rule
        else:
            count += piece.count(":")
        values.append(value)
        while at < end and text[at] in BLANKS:
            at += 1
    if not values:
        return None
    return "json lines", values if len(values) > 1 else values[0], count, rules


def _by_pairs(text: str) -> Json:
    twice: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) < len(found):
            twice.append(TWICE)
        return made

    value = json.loads(text, object_pairs_hook=pairs, strict=False)
    return "json", value, colons(value), TWICE if twice else ""


def colons(value: Any) -> int:
    """How many colons a value has as JSON: one a pair, and those in its strings. Raises TooLarge."""
    try:
        return json.dumps(value, ensure_ascii=False).count(":")
    except RecursionError:
        raise TooLarge(DEPTH) from None


def _inflate(data: bytes, limit: int) -> bytes | None:
    """All members of a gzip stream, or one of zlib; None where it is neither."""
    done: list[bytes] = []
    size = 0
    for _ in range(MEMBERS):
        inflate = zlib.decompressobj(47)
        try:
            done.append(inflate.decompress(data, limit + 1 - size))
        except zlib.error:
            return b"".join(done) if done else None
        size += len(done[-1])
        data = inflate.unused_data
        if size > limit:
            raise TooLarge(DECODED)
        if data[:2] != b"\x1f\x8b":
            return b"".join(done)
    raise TooLarge(DECODED)


_FIELDS = r'\b(name\*?|filename\*?)=("[^"\n]*"|[^;"\n]*)'


def _find(text: str, mark: str, start: int) -> int:
    found = text.find(mark, start)
    return len(text) if found < 0 else found
