"""Where a policy is kept: one file a place, `load(reference) -> mapping`.

A reference is `scheme:rest`, a plain file path, or the policy itself as JSON text (it starts with a brace).
"""

from __future__ import annotations

from importlib import import_module

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

LOADERS = {"file": "a JSON, TOML or YAML file", "env": "the environment variables SERVERLESS_GUARD_*"}


def load(reference: str) -> Mapping[str, Any]:
    """The mapping that `reference` leads to. Raises PolicyError."""
    scheme, colon, rest = reference.partition(":")
    if colon and scheme in LOADERS:
        reference = rest
    else:
        scheme = "file"
    found: Mapping[str, Any] = import_module(f"serverless_guard.loaders.{scheme}").load(reference)
    return found
