"""Compiles the modules below a folder into unchecked-hash `.pyc` files; `build` runs this file with each interpreter.

    python -I -S -X no_debug_ranges bytecode.py FOLDER SHOWN_AS

Of its line numbers each function keeps the first: with the columns they are a third of the bytes. https://peps.python.org/pep-0552/
"""

from __future__ import annotations

import importlib.util
import marshal
import os
import sys
from types import CodeType

UNCHECKED_HASH = (1).to_bytes(4, "little")


def compile_all(folder: str, shown_as: str) -> None:
    """Write `__pycache__` beside every module below `folder`; tracebacks will show the module below `shown_as`."""
    for here, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if name.endswith(".py"):
                path = os.path.join(here, name)
                with open(path, "rb") as file:
                    source = file.read()
                shown = f"{shown_as}/{os.path.relpath(path, folder)}".replace(os.sep, "/")
                target = importlib.util.cache_from_source(path)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(target, "wb") as file:
                    file.write(pyc(source, shown))


def pyc(source: bytes, shown: str) -> bytes:
    """The contents of the `.pyc` of one module."""
    code = compile(source, shown, "exec", dont_inherit=True, optimize=2)
    return importlib.util.MAGIC_NUMBER + UNCHECKED_HASH + importlib.util.source_hash(source) + marshal.dumps(_one_line(code))


def _one_line(code: CodeType) -> CodeType:
    """The code, all of it at the line where it begins; and so for what is nested in it."""
    units = len(code.co_code) // 2
    # an entry of the location table: eight code units or the rest, no columns (13), the line as before (0)
    # https://github.com/python/cpython/blob/3.12/Objects/locations.md
    table = b"".join(bytes((0x80 | 13 << 3 | min(8, units - done) - 1, 0)) for done in range(0, units, 8))
    inner = tuple(_one_line(each) if isinstance(each, CodeType) else each for each in code.co_consts)
    return code.replace(co_linetable=table, co_consts=inner)


if __name__ == "__main__":
    compile_all(*sys.argv[1:])
