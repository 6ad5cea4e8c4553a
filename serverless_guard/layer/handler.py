"""Finds the handler behind the redirect: `SERVERLESS_GUARD_HANDLER` names it as the function's own setting would, `a/b.c.handler`."""

from __future__ import annotations

from importlib import import_module

from serverless_guard.decorator import protect
from serverless_guard.errors import PolicyError
from serverless_guard.loaders import env
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

VARIABLE = "SERVERLESS_GUARD_HANDLER"
REDIRECT = "serverless_guard_handler"
PREFIX = "serverless_guard failed to start: "


def redirected() -> Any:
    """The function's own handler, guarded. Raises PolicyError for a wrong name or policy, and whatever importing its module raises."""
    if env.environ().get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        from serverless_guard.layer import snapshot

        snapshot.watch()
    handler = resolve(env.switch("HANDLER"))
    try:
        return protect(handler, run_coroutines=True)
    except PolicyError as error:
        raise PolicyError(f"{PREFIX}{error}", error.path) from None


def resolve(name: str) -> Any:
    """What `module.attribute` names, with `/` or `.` between packages, as the runtime client reads it. Raises PolicyError."""
    path, _, attribute = name.strip().rpartition(".")
    path = path.replace("/", ".")
    if not name.strip():
        raise _wrong(f"`{VARIABLE}` must name the handler that `{REDIRECT}.handler` stands in for, such as `app.handler`")
    if not path or not attribute:
        raise _wrong(f"`{VARIABLE}` must be `module.function`, not `{name}`")
    if path == REDIRECT:
        raise _wrong(f"`{VARIABLE}` must name your own handler, not the one that stands in for it")
    # a folder may be called `lambda`: the name goes to the importer as it is, and never into generated source
    module = import_module(path)
    if not hasattr(module, attribute):
        raise _wrong(f"`{VARIABLE}` names `{attribute}`, which module `{path}` does not have{_meant(attribute, module)}")
    return getattr(module, attribute)


def _meant(attribute: str, module: Any) -> str:
    from difflib import get_close_matches

    close = get_close_matches(attribute, [name for name in vars(module) if not name.startswith("_")], 1)
    return f", did you mean `{close[0]}`" if close else ""


def _wrong(message: str) -> PolicyError:
    return PolicyError(PREFIX + message, VARIABLE)
