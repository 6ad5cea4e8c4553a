"""Compiled schemas as modules of their own: the text of one, and whether one still says what its source says.

A module holds the functions, the digests of everything it was made from, the documents that explain a violation, and its
patterns as `re` has them once compiled, for the Python that wrote it; any other Python compiles them again.
"""

from __future__ import annotations

import json
import os

from serverless_guard.errors import PolicyError
from serverless_guard.keywords import VERSION
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from serverless_guard.keywords.origins import Origin

    Functions = Mapping[str, Callable[..., Any] | None]

ANYWHERE = "/1/2/3/4/5/6/7/8"  # the folder of a compiled schema's documents, deep enough for references that climb


def written(origin: Origin, code: str, helpers: tuple[str, ...], expressions: list[str], facts: dict[str, Any]) -> str:
    """The text of a module: deterministic, importable, readable. `facts` are constants by name."""
    shown = origin.name.replace("\\", "/").replace('"', "'") or "a schema in the settings"
    used = [helper for helper in helpers if f"{helper}(" in code]
    lines = [
        f'"""Written by serverless_guard from {shown}: do not edit, compile it anew."""',
        "",
        *([f"from serverless_guard.keywords.runtime import {', '.join(used)}", ""] if used else []),
        f"VERSION = {VERSION}",
        f"NAME = {origin.name!r}",
        f"FRAGMENT = {origin.fragment!r}",
        *(f"{fact} = {value!r}" for fact, value in facts.items()),
        "DIGESTS = {",
        *(f"    {name!r}: {digest(text)!r}," for name, text in sorted(origin.texts.items())),
        "}",
        "",
        code,
        "# what explains a violation",
        "DOCUMENTS = {",
        *(f"    {name!r}: {json.dumps(parsed, separators=(',', ':'))!r}," for name, parsed in sorted(origin.parsed.items())),
        "}",
        "",
        "# the patterns as `re` compiles them, for the Python named above",
        "CODES = {",
        *(f"    {text!r}: {compiled_code(text)!r}," for text in expressions),
        "}",
    ]
    return "\n".join(lines) + "\n"


def refuse_changes(module: Any, reference: Any, base: str, told: str, text: Callable[[], str]) -> None:
    """Raises PolicyError when what a module was made from is at hand, and is not the same any more. `text()` is that of a schema in the settings."""
    named = isinstance(reference, str) and not reference.lstrip().startswith("{")
    name = f"{module.NAME}#{module.FRAGMENT}" if module.FRAGMENT else module.NAME
    if named and not reference.startswith("package:") and not os.path.isabs(reference) and os.path.normpath(reference).replace(os.sep, "/") != name:
        raise PolicyError("the compiled schema is not that of the file named: compile it anew", "", told)
    for name, wanted in module.DIGESTS.items():
        now = None
        if name and "://" not in name:
            path = os.path.join(os.path.abspath(base or os.curdir), name)
            if os.path.isfile(path):  # a function may be shipped without its schemas
                with open(path, encoding="utf-8") as file:
                    now = file.read()
        elif not name and not named:
            now = text()
        if now is not None and digest(now) != wanted:
            raise PolicyError(f"the schema `{name or 'in the settings'}` has changed since it was compiled: compile it anew", "", told)


def digest(text: str) -> str:
    """What a text is known by; `hashlib` costs as much at start as the rest of the guard."""
    from _blake2 import blake2b

    return str(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest())


def importable(function: Callable[..., Any] | None, name: str, told: str) -> str:
    """`module:function`, or nothing for what is built in."""
    if function is None:
        return ""
    place = f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '<')}"
    if "<" in place or place.startswith((":", "__main__:")):
        raise PolicyError(f"the function of `{name}` cannot be imported by name, so the schema cannot be compiled ahead of time", "", told)
    return place


def imported(place: str) -> Callable[..., Any] | None:
    """What `importable` named."""
    if not place:
        return None
    from importlib import import_module

    module, _, name = place.partition(":")
    found: Any = import_module(module)
    for step in name.split("."):
        found = getattr(found, step)
    return found  # type: ignore[no-any-return]  # whatever the user's module has under that name


def compiled_code(text: str) -> tuple[int, list[int], int]:
    """`(flags, code list, groups)` of a regular expression."""
    import re
    from re import _compiler, _parser  # type: ignore[attr-defined]  # private, and checked by `runtime.python` when read back

    parsed = _parser.parse(text)
    return int(re.compile(text).flags), [int(code) for code in _compiler._code(parsed, parsed.state.flags)], parsed.state.groups - 1
