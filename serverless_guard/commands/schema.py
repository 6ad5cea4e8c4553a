"""Print the JSON Schema of policy files, for editors and CI.

It is made from the policy model: every setting, what it may be and what it
is for. The same file ships in the package as policy.schema.json.

example:
  serverless-guard schema > policy.schema.json
  (then "$schema": "./policy.schema.json" at the top of the policy file)

exit codes: 0 printed, 2 usage
"""

from __future__ import annotations

import json
import re

from serverless_guard import detectors, policy, sources
from serverless_guard.commands import parser
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def run(argv: list[str]) -> int:
    """Print it."""
    arguments = parser("schema", __doc__)
    arguments.add_argument("--format", choices=("json",), default="json", help="a JSON Schema is JSON")
    arguments.parse_args(argv)
    print(text(), end="")
    return 0


def text() -> str:
    """The schema as the file `policy.schema.json` has it."""
    return json.dumps(schema(), indent=2) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of a policy, from the fields of the model, their kinds and their words."""
    made = _section(policy.Policy)
    made["properties"]["$schema"] = {"type": "string", "description": "where an editor finds this schema"}
    return {"$schema": DIALECT, "title": "Policy of serverless_guard", **made}


def _section(section: Any) -> dict[str, Any]:
    words = policy.documentation(section)
    properties = {name: {"description": words[name], **_kind(kind, section._field_defaults[name])} for name, kind in policy.kinds(section).items()}
    properties["$comment"] = {"description": "for readers; the guard skips it"}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _kind(kind: str, default: Any) -> dict[str, Any]:
    """The schema of one kind of field. A choice has its words in backticks in `policy.KINDS`, and nowhere else."""
    if kind == "Schemas":
        itself = {"type": "object", "anyOf": [{"required": [word]} for word in policy.SCHEMA_WORDS]}
        return {"anyOf": [_section(policy.Schemas), {"type": "string"}, itself]}
    if kind in policy.SECTIONS:
        return _section(policy.SECTIONS[kind])
    if kind in ("ControlModes", "DetectModes"):
        names = policy.CONTROLS if kind == "ControlModes" else detectors.names()
        mode = {"enum": list(policy.MODES)}
        return {"type": "object", "properties": dict.fromkeys(names, mode), "additionalProperties": False}
    choices = re.findall(r"`(\w+)`", policy.KINDS[kind][0])
    if choices:
        return {"enum": [*choices, ""], "default": default}
    made: dict[str, Any] = {
        "Size": {"type": "integer", "minimum": 1},
        "Version": {"const": 1},
        "Text": {"type": "string", "maxLength": 128, "not": {"pattern": "[\\u0000-\\u001f\\u007f]"}},
        "Flag": {"type": "boolean"},
        "Names": {"type": "array", "items": {"enum": list(sources.names())}},
        "Entries": {"type": ["array", "null"], "items": {"type": "string", "minLength": 1}},
        "Schema": {"type": ["string", "object", "boolean", "null"]},
    }
    return made[kind] if default in (None, ()) else {**made[kind], "default": default}
