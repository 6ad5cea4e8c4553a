"""Handlers by name: the function behind `app.handler`, `functions/orders.handler` or `functions/orders/app.py:handler`.

Names are read as the Lambda runtime reads them, from the working directory; a file path brings its own folder along.
Everything that runs the user's code stands here, since that code may raise anything.
https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

from serverless_guard.errors import PolicyError
from serverless_guard.policy import nearest
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any

USUAL = ("lambda_handler", "handler")
"""What a file's handler is called where only the file is named."""


class NoSuchHandler(PolicyError):
    """No handler is there under that name; the message says what is."""


class HandlerFailed(Exception):
    """The user's own code raised `error`, while `doing` (importing its module, or handling an event)."""

    def __init__(self, error: BaseException, doing: str) -> None:
        super().__init__(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
        self.error = error
        self.doing = doing


def find(reference: str) -> Callable[..., Any]:
    """The handler of that name. Raises NoSuchHandler where there is none, HandlerFailed where its module does not import."""
    path, colon, attribute = reference.rpartition(":")
    if reference.endswith(".py"):
        path, attribute = reference, ""
    elif not (colon and path.endswith(".py")):
        path, _, attribute = reference.rpartition(".")
        if not path or not attribute:
            raise _wrong(f"a handler is `module.function` or `file.py:function`, not `{reference}`")
    module = _file(path) if path.endswith(".py") else _module(path)
    return _attribute(module, attribute, path)


def attempt(call: Callable[..., Any], *given: Any, doing: str = "handling the event") -> Any:
    """The result of the user's code. Raises PolicyError as it comes, HandlerFailed for anything else, a call of `sys.exit` too."""
    try:
        return call(*given)
    except PolicyError:
        raise
    except (Exception, SystemExit) as error:  # the user's own code may raise anything
        raise HandlerFailed(error, doing) from error


@contextmanager
def captured() -> Iterator[list[str]]:
    """A list that holds, at the end of the block, the lines that were written to standard output's descriptor, by whatever way."""
    from tempfile import TemporaryFile

    lines: list[str] = []
    with TemporaryFile() as log:
        with _instead_of_stdout(log.fileno()):
            yield lines
        log.seek(0)
        lines += log.read().decode("utf-8", "replace").splitlines()


@contextmanager
def aside() -> Iterator[None]:
    """A block in which all that goes to standard output goes to standard error: what a module prints is no part of a report."""
    with _instead_of_stdout(2):
        yield


@contextmanager
def _instead_of_stdout(descriptor: int) -> Iterator[None]:
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(descriptor, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _module(path: str) -> ModuleType:
    from importlib import import_module

    name = path.replace("/", ".").strip(".")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    parent = ""
    for step in name.split("."):
        # the module itself must be missing to say so: what it imports may be missing too, and that is another message
        parent = f"{parent}.{step}" if parent else step
        if parent not in sys.modules and _spec(parent) is None:
            raise _wrong(f"no module `{parent}` for the handler{_near(parent)}; names are looked up from `{here}`")
    module: ModuleType = attempt(import_module, name, doing=f"importing `{name}`")
    return module


def _spec(name: str) -> Any:
    """The import system's word for a module; None for none, and for what would lie inside a module that is no package."""
    from importlib.util import find_spec

    try:
        return attempt(find_spec, name, doing=f"importing `{name}`")
    except HandlerFailed as failed:
        if isinstance(failed.error, ModuleNotFoundError) and failed.error.name == name:
            return None
        raise


def _file(path: str) -> ModuleType:
    from importlib.util import module_from_spec, spec_from_file_location

    if not os.path.isfile(path):
        raise _wrong(f"no file `{path}` for the handler")
    folder, stem = os.path.dirname(os.path.abspath(path)), os.path.basename(path)[:-3]
    # a file called as a module that is loaded already, `types.py`, must not take its place
    name = stem if stem not in sys.modules else f"handler_{stem}"
    sys.path.insert(0, folder)
    spec = spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    attempt(spec.loader.exec_module, module, doing=f"importing `{path}`")
    return module


def _attribute(module: ModuleType, name: str, path: str) -> Callable[..., Any]:
    if not name:
        there = [usual for usual in USUAL if hasattr(module, usual)]
        if len(there) != 1:
            raise _wrong(f"name the handler in `{path}`, as in `{path}:function`")
        name = there[0]
    handler = getattr(module, name, None)
    if handler is None:
        functions = [known for known, value in vars(module).items() if callable(value) and not known.startswith("_")]
        raise _wrong(f"`{path}` has no `{name}`{nearest(name, functions) if functions else ''}")
    if not callable(handler):
        raise _wrong(f"`{name}` in `{path}` is a `{type(handler).__name__}`, not a function")
    found: Callable[..., Any] = handler
    return found


def _near(name: str) -> str:
    """`, did you mean ...` with the nearest module of the working directory, nothing where none is near."""
    known = [entry.removesuffix(".py") for entry in sorted(os.listdir(".")) if entry.endswith(".py") or os.path.isdir(entry)]
    hint = nearest(name, known) if known else ""
    return hint if "did you mean" in hint else ""


def _wrong(message: str) -> NoSuchHandler:
    return NoSuchHandler(message)
