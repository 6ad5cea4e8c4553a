"""A hash chain through the lines of one process, so that a line that is missing, repeated or edited shows.

Each line holds the name of its chain, its number, the hash of the line before and, as its very last value, its own hash:
BLAKE2b (RFC 7693) over the whole line with that value as zeros. With a key it is a signature, and every line a signed head.
Without one, whoever can rewrite the log can rewrite the chain; and no chain shows that its last lines are gone, unless its
head (number and hash) was kept elsewhere: `verify` takes such heads. Pure: it keeps no state and reads nothing itself.
"""

from __future__ import annotations

import json

from serverless_guard import redact
from serverless_guard.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

CHAIN, PREVIOUS, HASH = "serverless_guard.chain", "serverless_guard.prev_hash", "serverless_guard.hash"
ZERO = "0" * 32
TAIL = f'"{HASH}":"{ZERO}"}}}}'


class Problem(NamedTuple):
    """One thing that is wrong with a chain."""

    kind: str  # edited, missing, repeated, conflicting, unlinked, unchained, cut, key
    chain: str
    sequence: int  # the number of the line, of a gap its first
    message: str
    line: int = 0  # where it stands in the log, counted from 1; 0 for what is not there


class Chain(NamedTuple):
    """What a log holds of one chain; its head is the last line's number and hash."""

    id: str
    function: str
    instance: str  # the log stream, which names the execution environment
    first: int
    last: int
    lines: int
    head: str
    began: str
    ended: str


class Link(NamedTuple):
    """One line of a chain, as the log holds it."""

    hash: str
    previous: str
    line: int
    intact: bool


class Report(NamedTuple):
    """What a log holds of all chains, and what is wrong with it."""

    chains: tuple[Chain, ...]
    problems: tuple[Problem, ...]  # by chain and number
    events: int  # lines of the guard that were read
    unchained: int  # of them those that are in no chain


def link(chain: str, previous: str) -> dict[str, str]:
    """The fields of a line before it is sealed: its chain, the hash of the line before, and room for its own."""
    return {CHAIN: chain, PREVIOUS: previous, HASH: ZERO}


def seal(text: str, key: bytes = b"") -> tuple[str, str]:
    """A line with its hash in place, and the hash; a line without room for one comes back as it is, with no hash."""
    if not text.endswith(TAIL):
        return text, ""
    digest = _hash(text, key)
    return f"{text[: -len(ZERO) - 3]}{digest}{text[-3:]}", digest


def key(secret: str) -> bytes:
    """The key that a secret of any length gives; none for none."""
    return bytes.fromhex(redact.blake2(secret.encode("utf-8", "surrogatepass"), size=32)) if secret else b""


def verify(lines: Iterable[str], key: bytes = b"", heads: Mapping[str, tuple[int, str]] | None = None) -> Report:
    """Check every chain that the lines of a log hold, in whatever order; lines that are not the guard's are passed over.

    A line may be the bare JSON, or follow what a log service puts before it. `heads` are last lines kept elsewhere, number
    and hash by chain: a log that ends before one was cut.
    """
    seen: dict[str, dict[int, Link]] = {}
    ends: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    problems: list[Problem] = []
    events = unchained = 0
    for number, text in enumerate(lines, 1):
        event, whole = _event(text)
        if event is None:
            continue
        events += 1
        links, sequence = event.get("unmapped"), event["metadata"].get("sequence")
        chain, previous, digest = (links.get(name) for name in (CHAIN, PREVIOUS, HASH)) if isinstance(links, dict) else (None, None, None)
        if not (isinstance(chain, str) and isinstance(previous, str) and isinstance(digest, str) and sequence.__class__ is int):
            unchained += 1
            problems.append(Problem("unchained", "", 0, "an event is in no chain", number))
            continue
        event["unmapped"][HASH] = ZERO
        one = Link(digest, previous, number, whole and _hash(json.dumps(event, separators=(",", ":")), key) == digest)
        known = seen.setdefault(chain, {})
        if sequence in known:
            same = known[sequence][:2] == one[:2] and known[sequence].intact == one.intact
            kind, what = ("repeated", "is there twice") if same else ("conflicting", "is there twice, and not the same")
            problems.append(Problem(kind, chain, sequence, f"line {sequence} of chain {chain} {what}", number))
            if known[sequence].intact or not one.intact:
                continue
        known[sequence] = one
        first, last = ends.get(chain, (event, event))
        ends[chain] = min(first, event, key=_sequence), max(last, event, key=_sequence)
    chains = []
    for chain, known in seen.items():
        problems += _broken(chain, known, (heads or {}).get(chain))
        chains.append(_summary(chain, known, *ends[chain]))
    for chain in (heads or {}).keys() - seen.keys():
        problems.append(Problem("cut", chain, 1, f"chain {chain} is not there, and had {(heads or {})[chain][0]} lines"))
    return Report(tuple(chains), tuple(sorted(problems, key=lambda problem: (problem.chain, problem.sequence))), events, unchained)


def _broken(chain: str, known: dict[int, Link], head: tuple[int, str] | None) -> list[Problem]:
    """Edited lines, gaps and wrong links of one chain, in order."""
    found: list[Problem] = []
    if not any(one.intact for one in known.values()):
        first = min(known)
        what = "no line of it is intact: another key, or all of it was edited"
        return [Problem("key", chain, first, f"chain {chain} cannot be checked, {what}", known[first].line)]
    before, expected, sound = 0, "", True
    for sequence, one in sorted(known.items()):
        if sequence > before + 1:
            found.append(_gap("missing", chain, before + 1, sequence - 1))
        elif one.intact and sound and one.previous != expected:
            found.append(Problem("unlinked", chain, sequence, f"line {sequence} of chain {chain} does not follow the line before it", one.line))
        if not one.intact:
            found.append(Problem("edited", chain, sequence, f"line {sequence} of chain {chain} was edited", one.line))
        before, expected, sound = sequence, one.hash, one.intact
    if head and head[0] > before:
        found.append(_gap("cut", chain, before + 1, head[0]))
    elif head and head[0] in known and known[head[0]].hash != head[1]:
        found.append(Problem("conflicting", chain, head[0], f"line {head[0]} of chain {chain} is not the head that was kept", known[head[0]].line))
    return found


def _gap(kind: str, chain: str, first: int, last: int) -> Problem:
    if first == last:
        return Problem(kind, chain, first, f"line {first} of chain {chain} is missing")
    return Problem(kind, chain, first, f"{last - first + 1} lines of chain {chain} are missing, {first} to {last}")


def _summary(chain: str, known: dict[int, Link], first: dict[str, Any], last: dict[str, Any]) -> Chain:
    resources = last.get("resources")
    resource = resources[0] if isinstance(resources, list) and resources and isinstance(resources[0], dict) else {}
    began, ended = (str(event.get("timestamp", "")) for event in (first, last))
    head = known[_sequence(last)].hash
    return Chain(
        chain, str(resource.get("name", "")), str(last["unmapped"].get("faas.instance", "")), _sequence(first), _sequence(last), len(known), head, began, ended
    )


def _sequence(event: dict[str, Any]) -> int:
    number: int = event["metadata"]["sequence"]
    return number


def _event(text: str) -> tuple[dict[str, Any] | None, bool]:
    """The event of the guard that a log line holds, and whether its JSON says each thing once; (None, False) for other lines."""
    if '"serverless_guard' not in text or '"metadata"' not in text:
        return None, False
    start, end = text.find("{"), text.rfind("}")
    repeated = False

    def pairs(given: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        made = dict(given)
        repeated = repeated or len(made) != len(given)
        return made

    try:
        event = json.loads(text[start : end + 1], object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return None, False
    metadata = event.get("metadata") if isinstance(event, dict) else None
    ours = isinstance(metadata, dict) and metadata.get("log_provider") == "serverless_guard"
    return (event, not repeated) if ours else (None, False)


def _hash(text: str, key: bytes) -> str:
    return redact.blake2(text.encode("ascii", "backslashreplace"), key)
