"""Compiles the modules below a folder into unchecked-hash `.pyc` files, small ones; `build` runs this file with each interpreter.

    python -I -S -X no_debug_ranges bytecode.py FOLDER SHOWN_AS

What only a type checker reads is left out: annotations of functions, `if TYPE_CHECKING`, docstrings; annotations of classes stay,
since named tuples are made of them. Of the line numbers each function keeps its first. Together that is a third of the bytes.
https://peps.python.org/pep-0552/
"""

from __future__ import annotations

import ast
import importlib.util
import marshal
import os
import sys
from types import CodeType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    Function = TypeVar("Function", ast.FunctionDef, ast.AsyncFunctionDef)

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
    code = compile(_Bare().visit(ast.parse(source, shown)), shown, "exec", dont_inherit=True, optimize=2)
    return importlib.util.MAGIC_NUMBER + UNCHECKED_HASH + importlib.util.source_hash(source) + marshal.dumps(_one_line(code))


def _one_line(code: CodeType) -> CodeType:
    """The code, all of it at the line where it begins; and so for what is nested in it."""
    units = len(code.co_code) // 2
    # an entry of the location table: eight code units or the rest, no columns (13), the line as before (0)
    # https://github.com/python/cpython/blob/3.12/Objects/locations.md
    table = b"".join(bytes((0x80 | 13 << 3 | min(8, units - done) - 1, 0)) for done in range(0, units, 8))
    inner = tuple(_one_line(each) if isinstance(each, CodeType) else each for each in code.co_consts)
    return code.replace(co_linetable=table, co_consts=inner)


class _Bare(ast.NodeTransformer):
    """Takes out what only a type checker reads."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._bare(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._bare(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return node.orelse or ast.copy_location(ast.Pass(), node)
        return node

    def _bare(self, node: Function) -> Function:
        self.generic_visit(node)
        node.returns = None
        for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg):
            if each is not None:
                each.annotation = None
        return node


if __name__ == "__main__":
    compile_all(*sys.argv[1:])
