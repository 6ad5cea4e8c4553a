"""What README shows is true: its code runs, its commands exist, its tables name what is there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from serverless_guard import detectors, sources
from serverless_guard.policy import CONTROLS, fields

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_first_screen_shows_code_and_the_two_commands() -> None:
    first = README.splitlines()[:25]
    assert any(line.startswith("```python") for line in first)
    assert any("make demo" in line for line in first)
    assert any("make test" in line for line in first)


def test_the_code_it_shows_runs(tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text(json.dumps({"type": "object"}))
    for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)}, check=False)
        assert done.returncode == 0, done.stderr


def test_every_command_it_shows_has_a_help(tmp_path: Path) -> None:
    shown = set(re.findall(r"serverless-guard ([a-z]+)", README))
    assert {"init", "check", "explain", "invoke", "layer"} <= shown
    for command in shown:
        line = [sys.executable, "-m", "serverless_guard", command, "--help"]
        done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)}, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"


def test_it_names_every_setting_control_source_and_detector() -> None:
    names = {path.rpartition(".")[2] for path, _, _ in fields()} | set(CONTROLS) | set(detectors.DETECTORS) | set(sources.names())
    missing = {name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", README)}
    assert not missing, f"README does not name {sorted(missing)}"


def test_every_file_it_names_is_there() -> None:
    for name in re.findall(r"`((?:benchmarks|examples|serverless_guard|tests)/[\w./-]+)`", README) + re.findall(r"\]\(([\w./-]+)\)", README):
        assert (ROOT / name).exists(), name
