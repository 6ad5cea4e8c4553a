"""Fixtures of the tests of the runtime: the layer, and a box that stops when its test ends. A pytest plug-in, not to be imported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.box import Box, unpacked
from runtime.ways import WAYS
from serverless_guard.layer.build import build


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer, built and unpacked."""
    folder = tmp_path_factory.mktemp("layer")
    build(str(folder / "layer.zip"))
    return unpacked(folder / "layer.zip", folder / "opt")


@pytest.fixture
def box(tmp_path: Path, layer: Path) -> Iterator[Any]:
    """`box(way, env, **more)`: a started function, attached one way; stopped when the test ends."""
    boxes: list[Box] = []

    def start(way: str, env: dict[str, str] | None = None, **more: Any) -> Box:
        how = {"layer": layer if way != "decorator" else None, **WAYS[way], **more}
        how["env"] = {**WAYS[way].get("env", {}), **(env or {})}
        kind = how.pop("kind", Box)
        boxes.append(kind(tmp_path / f"box{len(boxes)}", how.pop("handler"), **how))
        return boxes[-1].__enter__()

    yield start
    for each in boxes:
        each.__exit__()
