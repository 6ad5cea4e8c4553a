"""What a person reads: text of at most 80 columns, colour only where it is seen, and no control character of an event.

Header names, keys and paths come from whoever sent the event. Printed as they are they could move the cursor or rewrite the
screen (https://cwe.mitre.org/data/definitions/150.html), so `printable` comes before every print.
"""

from __future__ import annotations

import sys

from serverless_guard.loaders import env
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLUMNS = 80
COLOURS = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}


def colourful() -> bool:
    """Whether standard output is a terminal that wants colour (https://no-color.org)."""
    environ = env.environ()
    return sys.stdout.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def paint(text: str, colour: str) -> str:
    """The text in a colour of `COLOURS`, as it is where no colour is seen."""
    return f"\033[{COLOURS[colour]}m{text}\033[0m" if colourful() else text


def printable(text: object) -> str:
    """The text with everything that a terminal would obey, or could not show, written as an escape."""
    text = str(text)
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode("ascii") for letter in text)


def shortened(text: object, width: int) -> str:
    """The printable text in at most `width` columns, its middle left out where it is longer."""
    text = printable(text)
    if len(text) <= width:
        return text
    head = (width - 3) // 2
    return f"{text[:head]}...{text[head + 3 - width :]}"


def wrapped(text: object, indent: int = 0, hanging: int | None = None) -> str:
    """The printable text in lines of at most 80 columns; `hanging` indents every line but the first."""
    from textwrap import fill

    return fill(printable(text), COLUMNS, initial_indent=" " * indent, subsequent_indent=" " * (indent if hanging is None else hanging))


def facts(rows: Iterable[tuple[str, object]], indent: int = 2) -> str:
    """Names and what they are, in two columns; long ones go on under their own column."""
    rows = [(name, text) for name, text in rows if text not in ("", None)]
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(wrapped(f"{name:{width}}  {printable(text)}", indent, indent + width + 2) for name, text in rows)


def table(head: Sequence[str], rows: Iterable[Sequence[object]], indent: int = 2) -> str:
    """Rows under their heads, numbers to the right; the first column gives way where 80 are not enough."""
    lines = [[printable(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    widths[0] = max(8, min(widths[0], COLUMNS - indent - sum(widths[1:]) - 2 * (len(widths) - 1)))
    numbers = [all(_is_number(line[column]) for line in lines[1:]) for column in range(len(head))]
    made = []
    for line in lines:
        cells = [shortened(line[0], widths[0]), *line[1:]]
        made.append(" " * indent + "  ".join(f"{cell:{'>' if right else '<'}{width}}" for cell, width, right in zip(cells, widths, numbers, strict=True)))
    return "\n".join(line.rstrip() for line in made)


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").isdigit() or cell == "-"
