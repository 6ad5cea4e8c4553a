"""A policy in a file: JSON or TOML, and YAML where PyYAML is installed. JSON costs nothing at cold start, TOML 36 M instructions."""

from __future__ import annotations

import json

from serverless_guard.errors import PolicyError
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MAX_BYTES = 1_000_000


def load(reference: str) -> Mapping[str, Any]:
    """The mapping in the file, or in `reference` itself where it starts with a brace. Raises PolicyError naming file and line."""
    if reference.lstrip().startswith("{"):
        return parse(reference, "json", "the policy text")
    kind = reference.rpartition(".")[2].lower()
    if kind not in ("json", "toml", "yaml", "yml"):
        raise PolicyError(f"`{reference}` must end in `.json`, `.toml` or `.yaml`", "", reference)
    return parse(read(reference), kind, reference)


def read(path: str) -> str:
    """The text of a file. Raises PolicyError where it cannot be read, is too large, or is not UTF-8."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PolicyError(f"`{path}` cannot be read: {(error.strerror or 'no such file').lower()}", "", path) from None
    except UnicodeDecodeError:
        raise PolicyError(f"`{path}` is not UTF-8 text", "", path) from None
    if len(text) > MAX_BYTES:
        raise PolicyError(f"`{path}` is larger than {MAX_BYTES} characters", "", path)
    return text


def parse(text: str, kind: str, origin: str) -> Mapping[str, Any]:
    """The mapping that a text says, in `json`, `toml`, `yaml` or `yml`. Raises PolicyError."""
    parser = {"json": _json, "toml": _toml}.get(kind, _yaml)
    try:
        found = parser(text, origin)
    except PolicyError as error:
        raise (error if error.origin else PolicyError(str(error), error.path, origin)) from None
    except RecursionError:
        raise PolicyError("the policy is nested too deeply", "", origin) from None
    except ValueError:  # of `int` and `date`, which the parsers let through
        raise PolicyError("the policy holds a number or a date that Python cannot read", "", origin) from None
    if not isinstance(found, dict):
        raise PolicyError("a policy must be an object", "", origin)
    return found


def _json(text: str, origin: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise PolicyError(f"the policy is no JSON: {error.msg.lower()} at line {error.lineno} column {error.colno}", "", origin) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise PolicyError(f"`{twice}` stands twice in one object", twice)
    return made


def _toml(text: str, origin: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"the policy is no TOML: {str(error).lower()}", "", origin) from None


def _yaml(text: str, origin: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise PolicyError("YAML needs PyYAML, which is not installed; write the policy as `.json` or `.toml`", "", origin) from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise PolicyError(f"the policy is no YAML{f': line {mark.line + 1} column {mark.column + 1}' if mark else ''}", "", origin) from None
