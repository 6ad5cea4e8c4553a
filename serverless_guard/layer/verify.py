"""Compares the zip of a layer with what these sources would make: what is missing, what is foreign, what differs.

Bytecode is recompiled for the interpreter that runs the check. That of other versions is checked by nobody here, and is named.
"""

from __future__ import annotations

import sys
import zipfile

from serverless_guard.layer import build
from serverless_guard.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 1_000  # entries, and a thousand times as many bytes each: more is no layer of ours


class Verified(NamedTuple):
    """What a check of a layer found.

    problems:   one sentence each, none for a layer as it should be
    unchecked:  Python versions whose bytecode could not be compared, `cpython-313`
    """

    problems: tuple[str, ...]
    unchecked: tuple[str, ...]


def verify(path: str) -> Verified:
    """The check of the zip at `path`. Raises OSError where it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.infolist()
            if len(found) > MOST or any(entry.file_size > MOST * 1_000 for entry in found):
                return Verified(("it is too large to be a layer of serverless_guard",), ())
            held = {entry.filename: archive.read(entry) for entry in found}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        return Verified((f"it is no sound zip: {str(error).lower()}",), ())
    wanted = build.entries((sys.executable,), whole=True)
    tags = {tag(name) for name in held} - {""}
    unchecked = tags - {sys.implementation.cache_tag}
    problems = [*_doubles(found), *_modes(found), *_differences(held, wanted)]
    return Verified(tuple(problems), tuple(sorted(unchecked)))


def tag(name: str) -> str:
    """The Python version that a file of bytecode is for, "" for any other file."""
    return name.rsplit(".", 2)[1] if name.endswith(".pyc") and name.count(".") > 1 else ""


def _doubles(found: list[zipfile.ZipInfo]) -> Iterator[str]:
    names = [entry.filename for entry in found]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"`{name}` is there twice"


def _modes(found: list[zipfile.ZipInfo]) -> Iterator[str]:
    for entry in found:
        wanted, mode = build.mode(entry.filename), entry.external_attr >> 16
        if mode != wanted:
            yield f"`{entry.filename}` has mode {mode:o}, not {wanted:o}"


def _differences(held: dict[str, bytes], wanted: dict[str, bytes]) -> Iterator[str]:
    """What is not as these sources and this interpreter make it. Bytecode is optional, and then it must be right."""
    for name in sorted(held.keys() | wanted.keys()):
        version = tag(name)
        if name not in held:
            if not version and not build.optional(name):
                yield f"`{name}` is missing"
        elif name in wanted:
            if held[name] != wanted[name]:
                yield f"`{name}` is not what these sources make"
        elif not version or version == sys.implementation.cache_tag or name.replace(version, str(sys.implementation.cache_tag)) not in wanted:
            yield f"`{name}` does not belong there"
