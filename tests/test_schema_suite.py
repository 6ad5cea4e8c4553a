"""The official JSON Schema test suite, by path: `SERVERLESS_GUARD_TEST_SUITE`, or `../shared/json-schema-test-suite` beside the checkout.

The required tests of every draft pass in full, those of `format` for the formats that are claimed. Nothing of the suite is
copied here, and its `remotes`, which stand for http://localhost:1234, are handed in as documents: nothing is fetched.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from serverless_guard import schema

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "json-schema-test-suite"
SUITE = Path(os.environ.get("SERVERLESS_GUARD_TEST_SUITE") or BESIDE)
DRAFTS = {"draft2020-12": "2020-12", "draft2019-09": "2019-09", "draft7": "7", "draft6": "6", "draft4": "4"}
REQUIRED = [(draft, path.name) for draft in DRAFTS for path in sorted((SUITE / "tests" / draft).glob("*.json"))]

pytestmark = pytest.mark.skipif(not SUITE.is_dir(), reason=f"the JSON Schema test suite is not at {SUITE}: set SERVERLESS_GUARD_TEST_SUITE")


@cache
def remotes() -> dict[str, Any]:
    root = SUITE / "remotes"
    return {f"http://localhost:1234/{path.relative_to(root).as_posix()}": json.loads(path.read_text("utf-8")) for path in root.rglob("*.json")}


def failures(path: Path, draft: str, **how: Any) -> list[str]:
    """The cases of one file whose verdict is not the suite's, or whose violation cannot be explained."""
    failed = []
    for group in json.loads(path.read_text("utf-8")):
        check = schema.compiled(group["schema"], documents=remotes(), draft=draft, **how)
        for case in group["tests"]:
            violation = check(case["data"])
            if (violation is None) != case["valid"] or (violation and not (violation.path.startswith("$") and violation.keyword)):
                failed.append(f"{group['description']}: {case['description']}: {violation}")
    return failed


def test_the_suite_is_all_there():
    assert len(REQUIRED) > 150


@pytest.mark.parametrize(("draft", "name"), REQUIRED)
def test_required(draft: str, name: str):
    assert failures(SUITE / "tests" / draft / name, DRAFTS[draft]) == []


@pytest.mark.parametrize(("draft", "name"), REQUIRED)
def test_required_without_jsonschema(draft: str, name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(schema, "EXPLAINED", -1)  # nothing is small enough for jsonschema: the compiler explains
    assert failures(SUITE / "tests" / draft / name, DRAFTS[draft]) == []


UNCLAIMED = {
    "content.json": "content keywords are annotations",
    "idn-hostname.json": "Python has no tables of IDNA 2008",
    "hostname.json: validation of A-label (punycode) host names": "the same tables",
    "ecmascript-regex.json: ECMA 262 lookbehind is valid, including variable width: a variable-width lookbehind": "`re` has none",
}
"""Optional tests that are not claimed, and why."""
OPTIONAL = [
    (draft, path.relative_to(SUITE / "tests" / draft).as_posix()) for draft in DRAFTS for path in sorted((SUITE / "tests" / draft / "optional").rglob("*.json"))
]


@pytest.mark.parametrize(("draft", "name"), OPTIONAL)
def test_optional(draft: str, name: str):
    found = failures(SUITE / "tests" / draft / name, DRAFTS[draft], formats="/format/" in name)
    assert [failure for failure in found if not f"{name.rpartition('/')[2]}: {failure}".startswith(tuple(UNCLAIMED))] == []
