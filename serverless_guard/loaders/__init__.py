"""Where a policy is kept: one file a place, `load(reference) -> mapping`.

A reference is `scheme:rest`, a plain file path, or the policy itself as JSON text (it starts with a brace).
"""

from __future__ import annotations

import os
from importlib import import_module

from serverless_guard.errors import PolicyError
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

LOADERS = {"file": "a JSON, TOML or YAML file", "env": "the environment variables SERVERLESS_GUARD_*"}

FILES = ("serverless-guard.json", "serverless-guard.toml", "serverless-guard.yaml", "serverless-guard.yml")
"""Names of a policy file that is found beside a handler."""


def beside(folder: str) -> str:
    """The policy file in a folder, "" where there is none. Two of them are a mistake: which one is in force?"""
    found = [name for name in FILES if os.path.isfile(os.path.join(folder, name))]
    if len(found) > 1:
        raise PolicyError(f"both `{found[0]}` and `{found[1]}` are there; keep one", "", folder)
    return os.path.join(folder, found[0]) if found else ""


def load(reference: str) -> Mapping[str, Any]:
    """The mapping that `reference` leads to. Raises PolicyError."""
    scheme, colon, rest = reference.partition(":")
    if colon and scheme in LOADERS:
        reference = rest
    else:
        scheme = "file"
    found: Mapping[str, Any] = import_module(f"serverless_guard.loaders.{scheme}").load(reference)
    return found
