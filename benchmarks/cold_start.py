"""What does the guard add to a cold start?

Each contender starts in a process of its own, on top of the bare runtime client (`import awslambdaric.bootstrap`). Counted are
instructions, by callgrind where it is installed (repeatable to 0.01 %), CPU time (the least of several runs), and modules.

    python benchmarks/cold_start.py [--json] [--runs N]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCHEMA = """{"type": "object", "required": ["customer", "items"], "additionalProperties": False, "properties": {
    "customer": {"type": "string", "minLength": 1, "maxLength": 80},
    "items": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["sku", "quantity"], "additionalProperties": False, "properties": {
        "sku": {"type": "string", "pattern": "^[A-Z]-[0-9]{4}$"}, "quantity": {"type": "integer", "minimum": 1}}}}}}"""
BODY = '{"customer": "Anna", "items": [{"sku": "A-1000", "quantity": 2}]}'
EVENT = json.dumps({
    "resource": "/orders", "path": "/orders", "httpMethod": "POST", "headers": {"Content-Type": "application/json", "User-Agent": "curl/8.5.0"},
    "multiValueHeaders": {"Content-Type": ["application/json"], "User-Agent": ["curl/8.5.0"]}, "queryStringParameters": None,
    "multiValueQueryStringParameters": None, "pathParameters": None, "stageVariables": None,
    "requestContext": {"apiId": "a1b2c3d4e5", "httpMethod": "POST", "resourcePath": "/orders", "stage": "prod", "requestId": "c6af9ac6", "accountId": "123456789012",
                       "identity": {"sourceIp": "198.51.100.24"}}, "body": BODY, "isBase64Encoded": False,
})  # fmt: skip
HANDLER = "def handler(event, context):\n    return {'statusCode': 200}\n"
GUARDED = (
    f"from serverless_guard import guard\nhandler = guard(mode='block', schema={SCHEMA}, egress=['api.stripe.com:443'], source='apigateway-rest')(handler)\n"
)
CALL = f"import json\nassert handler(json.loads({EVENT!r}), None) == {{'statusCode': 200}}\n"
ATTACK = f"import json\nevent = json.loads({EVENT!r})\nevent['path'] = \"/x' or '1'='1\"\nassert handler(event, None)['statusCode'] == 403\n"
POWERTOOLS = f"from aws_lambda_powertools.utilities.validation import validator\nhandler = validator(inbound_schema={SCHEMA}, envelope='powertools_json(body)')(handler)\n"
JSONSCHEMA = f"import jsonschema, json\nvalidator = jsonschema.Draft202012Validator({SCHEMA})\n"
CONTENDERS = {
    "bare runtime client": ("", ""),
    "guard, decorated, all on": (GUARDED, ""),
    "guard, and a first clean call": (GUARDED + CALL, ""),
    "guard, and a first refused call": (GUARDED + CALL + ATTACK, ""),
    "jsonschema, and a first validation": (JSONSCHEMA + f"validator.validate(json.loads({BODY!r}))\n", "jsonschema"),
    "Powertools validator, and a first call": (POWERTOOLS + CALL, "aws_lambda_powertools"),
}


def run(code: str, *prefix: str) -> tuple[str, str, float]:
    """Standard output, standard error, and CPU seconds of a fresh interpreter."""
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*prefix, sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=False, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"failed:\n{done.stderr}")
    return done.stdout, done.stderr, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(code: str, runs: int) -> dict[str, float | None]:
    """Instructions in millions (None without valgrind), CPU milliseconds, modules."""
    code = f"import awslambdaric.bootstrap\n{HANDLER}{code}"
    stdout, _, _ = run(f"{code}\nimport sys\nprint(len(sys.modules))")
    cpu_s = min(run(code)[2] for _ in range(runs))
    instructions = None
    if shutil.which("valgrind"):
        _, stderr, _ = run(code, "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
        counted = re.search(r"Collected : (\d+)", stderr)
        instructions = int(counted[1]) / 1e6 if counted else None
    return {"instructions_m": instructions, "cpu_ms": cpu_s * 1000, "modules": int(stdout.split()[-1])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--runs", type=int, default=10, help="starts of which the least CPU time counts")
    options = parser.parse_args()
    if importlib.util.find_spec("awslambdaric") is None:
        sys.exit("the Lambda runtime client (awslambdaric) is not installed; it has wheels for Linux")
    for _, code_needs in CONTENDERS.values():
        if code_needs and importlib.util.find_spec(code_needs) is None:
            print(f"{code_needs} is not installed and left out", file=sys.stderr)
    present = {name: code for name, (code, needs) in CONTENDERS.items() if not needs or importlib.util.find_spec(needs)}
    figures = {name: measure(code, options.runs) for name, code in present.items()}
    versions = {
        name: importlib.metadata.version(name)
        for name in ("awslambdaric", "jsonschema", "aws-lambda-powertools")
        if importlib.util.find_spec(name.replace("-", "_"))
    }
    if options.json:
        print(
            json.dumps(
                {"benchmark": "cold_start", "python": platform.python_version(), "machine": platform.machine(), "versions": versions, "results": figures},
                indent=2,
            )
        )
        return
    print(f"Python {platform.python_version()}, {', '.join(f'{name} {version}' for name, version in versions.items())}")
    print("added to the bare runtime client\n")
    print(f"{'':40}{'M instructions':>16}{'':>9}{'CPU ms':>10}{'modules':>10}")
    bare = figures["bare runtime client"]
    for name, row in figures.items():
        base = row is bare
        counted, base_counted = row["instructions_m"], bare["instructions_m"]
        count = "n/a" if counted is None or base_counted is None else f"{counted - (0 if base else base_counted):.1f}"
        share = "" if counted is None or not base_counted or base else f"+{100 * (counted / base_counted - 1):.1f} %"
        cpu = (row["cpu_ms"] or 0) - (0 if base else bare["cpu_ms"] or 0)
        modules = int((row["modules"] or 0) - (0 if base else bare["modules"] or 0))
        print(f"{name:40}{count:>16}{share:>9}{cpu:>10.1f}{modules:>10}")


if __name__ == "__main__":
    main()
