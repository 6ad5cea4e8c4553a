"""The command line: one sub-command a file, `run(argv) -> exit status`.

A member's docstring is its help page: what it does, an example, its exit codes. All of them answer 0 for clean, 1 for findings
and 2 for a mistake in how they were called or a file that cannot be read; a mistake is one sentence on standard error,
never a traceback.
"""

from __future__ import annotations

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from types import ModuleType
    from typing import Any

COMMANDS: dict[str, str] = {
    "init": "write a first policy file for a function",
    "check": "check a policy, its schemas and its destinations",
    "explain": "say what an event would meet, and why",
    "invoke": "run a handler on an event, under the guard",
    "layer": "build the Lambda layer",
    "schema": "print the JSON Schema of policy files",
}
"""Name of each member and what it does."""

MAX_EVENT_BYTES = 64_000_000
"""Ten times the largest event that Lambda delivers; a larger file is no event."""


class Usage(Exception):
    """A command was called in a way that it cannot serve; the message is one sentence for the person who called it."""


def load(name: str) -> ModuleType:
    """The member of that name. Raises Usage with the nearest right name."""
    from importlib import import_module

    from serverless_guard.policy import nearest

    if name not in COMMANDS:
        raise Usage(f"unknown command `{name}`{nearest(name, COMMANDS)}")
    return import_module(f"{__name__}.{name}")


def parser(name: str, page: str | None) -> ArgumentParser:
    """The argument parser of a command, with its docstring as the help page."""
    from argparse import ArgumentParser, RawDescriptionHelpFormatter

    return ArgumentParser(f"serverless-guard {name}", description=page, formatter_class=RawDescriptionHelpFormatter, allow_abbrev=False)


def read_event(path: str) -> Any:
    """The event in a JSON file, `-` for standard input, as the Lambda runtime would parse it. Raises Usage naming line and column."""
    import json

    text = _text(path)
    name = "standard input" if path == "-" else f"`{path}`"
    if not text.strip():
        raise Usage(f"{name} is empty")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Usage(f"{name} is no JSON: {error.msg.lower()} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise Usage(f"{name} is nested too deeply: the Lambda runtime could not parse it either") from None
    except ValueError:
        raise Usage(f"{name} holds a number with more digits than Python parses") from None


def _text(path: str) -> str:
    import sys

    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_EVENT_BYTES + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(MAX_EVENT_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise Usage(f"`{path}` cannot be read: {(getattr(error, 'strerror', '') or str(error)).lower()}") from None
    if len(data) > MAX_EVENT_BYTES:
        raise Usage(f"`{path}` is larger than {MAX_EVENT_BYTES:,} bytes, more than Lambda delivers")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Usage(f"`{path}` is not UTF-8 text") from None
