"""`lean(source)`: a module without what only people and type checkers read, line for line; a layer carries it to each cold start.

Comments, docstrings, annotations of functions and the bodies of `if TYPE_CHECKING` go. Each remaining line keeps its number, so that
a trace from a function leads to the right line of the repository.
"""

from __future__ import annotations

import ast
import io
import itertools
import tokenize

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    Cut = tuple[int, int, str]  # start and end in the text, and what stands there instead

STARTS = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)


def lean(source: bytes) -> bytes:
    """The same program in fewer bytes, on the same lines."""
    text = source.decode()
    starts = [0, *itertools.accumulate(len(line) for line in text.splitlines(keepends=True))]
    made, done = [], 0
    for start, end, instead in sorted({*_prose(source, starts), *_types(source, text, starts)}):
        if start >= done:  # else it lies within what is gone already
            made += [text[done:start].rstrip(" ") if not instead else text[done:start], instead, "\n" * text.count("\n", start, end)]
            done = end
    return "".join([*made, text[done:]]).encode()


def _prose(source: bytes, starts: list[int]) -> Iterator[Cut]:
    """Comments, and strings that stand alone."""
    before = tokenize.NEWLINE
    for token, after in itertools.pairwise(tokenize.tokenize(io.BytesIO(source).readline)):
        start, end = (starts[row - 1] + column if row else 0 for row, column in (token.start, token.end))
        if token.type == tokenize.COMMENT:
            yield start, end, ""
        elif token.type == tokenize.STRING and before in STARTS and after.type == tokenize.NEWLINE:
            yield start, end, '""'  # a body needs a statement, and only a docstring may come before `from __future__`
        if token.type not in (tokenize.NL, tokenize.COMMENT):
            before = token.type


def _types(source: bytes, text: str, starts: list[int]) -> Iterator[Cut]:
    """Annotations of functions, and what only a type checker imports."""

    def place(row: int, column: int) -> int:
        line = text[starts[row - 1] : starts[row]]
        return starts[row - 1] + len(line.encode()[:column].decode())  # `ast` counts bytes

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            end = node.body[-1]
            yield starts[node.lineno], place(end.end_lineno or 0, end.end_col_offset or 0), " " * (node.col_offset + 1) + "pass"
        elif isinstance(node, ast.arg) and node.annotation is not None:
            yield place(node.lineno, node.col_offset) + len(node.arg), place(node.end_lineno or 0, node.end_col_offset or 0), ""
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns is not None:
            end_of_returns = place(node.returns.end_lineno or 0, node.returns.end_col_offset or 0)
            yield text.rindex("->", 0, place(node.returns.lineno, node.returns.col_offset)), end_of_returns, ""
