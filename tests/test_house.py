"""The house: files and tables agree, members have their verbs, the way to the handler stays light."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import serverless_guard

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "serverless_guard"
FILES = sorted(path for path in PACKAGE.rglob("*.py"))
TABLES = {
    "sources": ("SOURCES", ("parts", "refuse")),
    "detectors": ("DETECTORS", ("RULE", "CWE", "TITLE", "NEEDS", "detect")),
    "sinks": ("SINKS", ("EVENTS", "watch")),
    "emitters": ("EMITTERS", ("connect",)),
    "loaders": ("LOADERS", ("load",)),
    "commands": ("COMMANDS", ("run",)),
}
HEAVY = [
    "typing",
    "dataclasses",
    "inspect",
    "asyncio",
    "argparse",
    "typing_extensions",
    "boto3",
    "botocore",
    "jsonschema",
    "yaml",
    "tomllib",
    "opentelemetry",
    "aws_lambda_powertools",
    "wrapt",
    "socket",
    "ssl",
    "http.client",
    "urllib.parse",
    "urllib.request",
    "hashlib",
    "ipaddress",
    "datetime",
    "uuid",
    "random",
    "pathlib",
    "subprocess",
    "importlib.metadata",
]
DECORATE = """
import json, sys
import awslambdaric.bootstrap
before = set(sys.modules)
from serverless_guard import guard
@guard(mode="block", schema={"type": "object", "properties": {"a": {"type": "string"}}}, egress=["api.stripe.com:443"], source=["apigateway-http", "sqs"])
def handler(event, context): return {"statusCode": 200}
decorated = set(sys.modules) - before
event = json.loads(sys.argv[1])
assert handler(event, None) == {"statusCode": 200}
print(json.dumps([sorted(decorated), sorted(set(sys.modules) - before)]))
"""
CLEAN = {
    "version": "2.0",
    "routeKey": "POST /orders",
    "rawPath": "/orders",
    "rawQueryString": "",
    "headers": {"content-type": "application/json", "user-agent": "curl/8.5.0"},
    "requestContext": {
        "http": {"method": "POST", "path": "/orders", "protocol": "HTTP/1.1", "sourceIp": "198.51.100.24"},
        "stage": "$default",
        "requestId": "JKJaXmPLvHcESHA=",
    },
    "body": json.dumps({"a": "it's fine"}),
    "isBase64Encoded": False,
}


def members(folder: str) -> dict[str, object]:
    package = importlib.import_module(f"serverless_guard.{folder}")
    table = getattr(package, TABLES[folder][0])
    return dict.fromkeys(table, package)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_file_says_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), f"{path.name} has no docstring"
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            overload = any(isinstance(mark, ast.Name) and mark.id == "overload" for mark in node.decorator_list)
            assert ast.get_docstring(node) or overload, f"public `{node.name}` in {path.name} has no docstring"


@pytest.mark.parametrize("folder", TABLES)
def test_every_member_stands_in_its_table_and_has_its_verbs(folder: str) -> None:
    package = importlib.import_module(f"serverless_guard.{folder}")
    table = getattr(package, TABLES[folder][0])
    files = {path.stem for path in (PACKAGE / folder).glob("*.py")} - {"__init__"}
    find = getattr(package, "module", None) or getattr(package, "load_member", None)
    modules = {find(name).__name__.rpartition(".")[2] for name in table} if find else set(table)
    assert modules <= files, f"the table of {folder} names {sorted(modules - files)}, which are no files"
    assert files <= modules, f"add a line for {sorted(files - modules)} to {folder}/__init__.py"
    for name in modules:
        member = importlib.import_module(f"serverless_guard.{folder}.{name}")
        for verb in TABLES[folder][1]:
            assert hasattr(member, verb), f"{folder}/{name}.py needs `{verb}`"


def test_rule_ids_are_never_used_twice() -> None:
    from serverless_guard import detectors

    rules = [detectors.load(name).RULE for name in detectors.DETECTORS]
    assert len(rules) == len(set(rules))
    assert all(re.fullmatch(r"SG-[A-Z]{3}-\d{3}", rule) for rule in rules)


def test_only_one_file_reads_the_environment() -> None:
    readers = {str(path.relative_to(PACKAGE)) for path in FILES if re.search(r"\bos\.(environ|getenv)\b|\bfrom os import .*environ", path.read_text())}
    runs_before_the_package_is_there = {"layer/bootstrap.py", "layer/serverless_guard_handler.py"}
    assert readers - runs_before_the_package_is_there == {"loaders/env.py"}


def test_public_names_are_those_promised() -> None:
    assert serverless_guard.__all__ == ["ActionBlocked", "Blocked", "Guard", "GuardError", "InputBlocked", "PolicyError", "guard"]
    for name in serverless_guard.__all__:
        assert hasattr(serverless_guard, name)
    assert re.fullmatch(r"\d+\.\d+\.\d+", serverless_guard.__version__)


def test_the_way_to_the_handler_is_light() -> None:
    pytest.importorskip("awslambdaric")
    done = subprocess.run([sys.executable, "-c", DECORATE, json.dumps(CLEAN)], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    decorated, called = json.loads(done.stdout)
    assert len(decorated) <= 30, f"{len(decorated)} modules are loaded to decorate a handler: {decorated}"
    assert len(called) <= 36, f"{len(called)} modules are loaded once a clean event was handled: {called}"
    heavy = [name for name in called if name in HEAVY or name.split(".")[0] in HEAVY]
    assert not heavy, f"heavy modules on the way to the handler: {heavy}"
