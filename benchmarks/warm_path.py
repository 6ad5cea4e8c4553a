"""What does the guard cost on a clean event, once the function is warm?

The unit is one parse: `json.loads` of the event's text plus `json.loads` of the JSON inside it. Every contender runs in a process
of its own over the same distinct, freshly parsed events (replaying one event flatters caches by half) and reports its time
as a multiple of the unit measured in the same process, call by call in turn. Verdicts are asserted; an attack of the same shape is the control.

    python benchmarks/warm_path.py [--json] [--events N] [--case TEXT]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter_ns
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import events

CONTENDERS = {
    "bare handler": "",
    "serverless_guard, all on": "",
    "serverless_guard, no schema": "",
    "jsonschema, prebuilt, body only": "jsonschema",
    "Powertools validator, body only": "aws_lambda_powertools",
}


def answer(event: Any, context: Any) -> dict[str, Any]:
    return {"statusCode": 200}


def contender(name: str) -> tuple[Any, bool]:
    """A handler, and whether it refuses attacks."""
    if name == "bare handler":
        return answer, False
    if name.startswith("serverless_guard"):
        from serverless_guard import guard

        schema = events.ORDER_SCHEMA if "no schema" not in name else None
        return guard(mode="block", schema=schema, egress=["api.stripe.com:443", "*.partner.example:443"])(answer), True
    if name.startswith("jsonschema"):
        import jsonschema

        validator = jsonschema.Draft202012Validator(events.ORDER_SCHEMA)

        def checked(event: Any, context: Any) -> Any:
            for text in events.nested(event):
                validator.validate(json.loads(text))
            return answer(event, context)

        return checked, False
    from aws_lambda_powertools.utilities.validation import validate

    draft7 = {**events.ORDER_SCHEMA, "$schema": "http://json-schema.org/draft-07/schema#"}

    def validated(event: Any, context: Any) -> Any:
        for text in events.nested(event):
            validate(event=json.loads(text), schema=draft7)
        return answer(event, context)

    return validated, False


def measure(name: str, case: str, count: int) -> dict[str, float]:
    """Median time of a call in us, and in parses of the same event."""
    handler, refuses = contender(name)
    texts = events.clean(case, count)
    for text in texts[: max(3, count // 10)]:
        handler(json.loads(text), None)
    if refuses:
        refused = handler(json.loads(events.hostile(case)), None)
        assert refused is None or refused.get("statusCode") == 403 or refused.get("batchItemFailures"), refused
    times, units = [], []
    for text in texts:
        started = perf_counter_ns()
        event = json.loads(text)
        middle = perf_counter_ns()
        inside = events.nested(event)
        before = perf_counter_ns()
        for part in inside:
            json.loads(part)
        ended = perf_counter_ns()
        units.append(middle - started + ended - before)
        started = perf_counter_ns()
        answered = handler(event, None)
        times.append(perf_counter_ns() - started)
        assert answered == {"statusCode": 200}, answered
    return {"us": statistics.median(times) / 1000, "unit_us": statistics.median(units) / 1000, "parses": statistics.median(times) / statistics.median(units)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--events", type=int, default=300, help="distinct events a case (fewer for large ones)")
    parser.add_argument("--case", default="", help="only cases whose name has this in it")
    parser.add_argument("--contender", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    cases = [case for case in events.CASES if options.case in case]
    if options.contender:
        counts = {case: options.events if events.CASES[case][1] < 10_000 else max(10, options.events // 10) for case in cases}
        print("\n" + json.dumps({case: measure(options.contender, case, counts[case]) for case in cases}))
        return
    results = {}
    for name, needs in CONTENDERS.items():
        if needs and importlib.util.find_spec(needs) is None:
            continue
        command = [sys.executable, __file__, "--contender", name, "--events", str(options.events), "--case", options.case]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{name} failed:\n{done.stderr}")
        results[name] = json.loads(done.stdout.splitlines()[-1])
    versions = {name: importlib.metadata.version(name) for name in ("serverless-guard", "jsonschema", "aws-lambda-powertools") if _installed(name)}
    if options.json:
        print(
            json.dumps(
                {"benchmark": "warm_path", "python": platform.python_version(), "machine": platform.machine(), "versions": versions, "results": results},
                indent=2,
            )
        )
        return
    print(f"Python {platform.python_version()}, {', '.join(f'{name} {version}' for name, version in versions.items())}")
    print("median us of a call, and as a multiple of one parse of the same event\n")
    print(f"{'':32}" + "".join(f"{case:>20}" for case in cases))
    print(f"{'one parse':32}" + "".join(f"{next(iter(results.values()))[case]['unit_us']:>11.1f} us      " for case in cases))
    for name, figures in results.items():
        print(f"{name:32}" + "".join(f"{figures[case]['us']:>11.1f} {figures[case]['parses']:>7.2f}x" for case in cases))


def _installed(name: str) -> bool:
    try:
        return bool(importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return False


if __name__ == "__main__":
    main()
