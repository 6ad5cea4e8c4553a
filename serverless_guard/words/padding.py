"""What is left of a long value when what only fills it is taken off: runs of one sign at its ends, wide blanks, sentences in front."""

from __future__ import annotations

import re
from functools import wraps

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal, Protocol, Self, TypeVar

    class Found(Protocol):
        """Evidence, as far as it is needed here."""

        @property
        def confidence(self) -> Literal["high", "medium", "low"]:
            """How sure it is."""

        def _replace(self, *, confidence: Literal["low"] = ...) -> Self: ...

    E = TypeVar("E", bound=Found)

SHORT = 256
"""Below this nothing is padding."""
RUN = 64
"""So many of the same sign are no text."""


def through_padding(look: Callable[[str, str], E | None]) -> Callable[[str, str], E | None]:
    """A `detect` that is not misled by filling: attackers push what they mean past the length that others read."""

    @wraps(look)
    def detect(text: str, where: str) -> E | None:
        if "+" in text and " " not in text and re.search(r"(?<![^+])[A-Za-z]{2,20}\+[a-z]{2,20}\+[a-z]{2,20}(?=[+.,;!?])", text):
            text = text.replace("+", " ")  # a form whose escapes are undone and whose blanks are not: a sentence must be seen as one
        if len(text) < SHORT:
            return look(text, where)
        bare = trimmed(text)
        found = look(bare, where)
        if found or len(bare) < SHORT:
            return found
        end = last_sentence(bare)
        if not end:
            return None
        found = look(end, where)
        return found._replace(confidence="low") if found and found.confidence == "high" else None

    return detect


def trimmed(text: str) -> str:
    """`text` without long runs of one sign at its ends and without wide blanks."""
    for _ in range(2):
        shorter = text.lstrip(text[:1])
        if len(text) - len(shorter) >= RUN:
            text = shorter.lstrip()
        shorter = text.rstrip(text[-1:])
        if len(text) - len(shorter) >= RUN:
            text = shorter.rstrip()
    return re.sub(r"\s{32,}", " ", text) if " " * 32 in text else text


def last_sentence(text: str) -> str:
    """What stands after the plain words that fill the front of a text; empty if words follow, too."""
    front = re.match(r"(?:[A-Za-z][a-z']{0,20}[,.;:!?]?\s{1,2}){20,}+", text)
    rest = text[front.end() :].strip() if front else ""
    return rest if 1 < len(rest) < 400 and len(re.findall(r"(?<![^\s])[A-Za-z][a-z']{1,20}[,.]?(?=\s)", rest)) < 5 else ""
