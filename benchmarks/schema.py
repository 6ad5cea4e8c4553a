"""How fast is a compiled schema, against fastjsonschema, jsonschema and jsonschema-rs, warm and at the first validation?

Each rival runs in a process of its own over the same distinct, freshly parsed values; its time is taken in turn with one
`json.loads` of the value's text, and reported as a multiple of it, so that rows of different processes compare. Verdicts are
asserted, wrong values included. `import` and `first` are the CPU time of the import, and of everything from there to the end of the
first validation (compiling, where there is any), with the modules that each loads; `serverless_guard, baked` imports the module
that `schema.source` wrote. All bytecode is there before, as on Lambda.

    python benchmarks/schema.py [--json] [--case NAME] [--values N]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter_ns, process_time_ns
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

RIVALS = {
    "serverless_guard": "",
    "serverless_guard, baked": "",
    "fastjsonschema": "fastjsonschema",
    "jsonschema": "jsonschema",
    "jsonschema-rs": "jsonschema_rs",
}
BAKED = "baked_schema_of_the_benchmark"
IMPORTED = {name: package or (BAKED if "baked" in name else "serverless_guard.schema") for name, package in RIVALS.items()}

ADDRESS = {
    "type": "object",
    "required": ["street", "city", "country"],
    "properties": {
        "street": {"type": "string", "maxLength": 200},
        "city": {"type": "string", "maxLength": 100},
        "zip": {"type": "string", "pattern": "^[A-Z0-9 -]{3,10}$"},
        "country": {"type": "string", "minLength": 2, "maxLength": 2},
    },
}
ITEM = {
    "type": "object",
    "required": ["sku", "qty", "price"],
    "additionalProperties": False,
    "properties": {
        "sku": {"type": "string", "minLength": 1, "maxLength": 64},
        "qty": {"type": "integer", "minimum": 1, "maximum": 1000},
        "price": {"type": "number", "minimum": 0},
        "tags": {"type": "array", "maxItems": 10, "items": {"type": "string"}},
    },
}
DRAFT = "http://json-schema.org/draft-07/schema#"  # the newest that fastjsonschema knows
SCHEMAS: dict[str, dict[str, Any]] = {
    "order": {
        "$schema": DRAFT,
        "type": "object",
        "required": ["id", "customer", "items", "total"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "pattern": "^ord_[a-z0-9]{8,32}$"},
            "customer": {
                "type": "object",
                "required": ["name", "email"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": 100},
                    "email": {"type": "string", "maxLength": 254, "pattern": "^[^@\\s]+@[^@\\s]+$"},
                    "phone": {"type": ["string", "null"], "maxLength": 32},
                    "address": {"$ref": "#/definitions/address"},
                },
            },
            "items": {"type": "array", "minItems": 1, "maxItems": 200, "items": {"$ref": "#/definitions/item"}},
            "total": {"type": "number", "minimum": 0},
            "currency": {"enum": ["EUR", "USD", "GBP", "CHF"]},
            "note": {"type": "string", "maxLength": 2000},
        },
        "definitions": {"address": ADDRESS, "item": ITEM},
    },
    "array of 100 KB": {"$schema": DRAFT, "type": "array", "items": ITEM},
    "recursive": {
        "$schema": DRAFT,
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {"name": {"type": "string"}, "size": {"type": "integer", "minimum": 0}, "children": {"type": "array", "items": {"$ref": "#"}}},
    },
    "oneOf": {
        "$schema": DRAFT,
        "type": "array",
        "items": {
            "oneOf": [
                {
                    "type": "object",
                    "required": ["kind", f"value{number}"],
                    "properties": {
                        "kind": {"const": f"kind-{number}"},
                        f"value{number}": {"anyOf": [{"type": "integer", "minimum": number}, {"type": "string"}]},
                    },
                }
                for number in range(8)
            ]
        },
    },
}


def order(some: random.Random) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": f"ord_{some.getrandbits(60):015x}",
        "customer": {
            "name": f"Ann {some.randrange(10**6)}",
            "email": f"ann{some.randrange(10**6)}@example.com",
            "phone": None,
            "address": {"street": f"{some.randrange(500)} High Street", "city": "Leeds", "zip": "LS1 4AP", "country": "GB"},
        },
        "items": [item(some) for _ in range(3)],
        "total": some.randrange(10**4) / 100,
        "currency": some.choice(["EUR", "USD", "GBP"]),
    }
    return made if some.random() < 0.5 else {**made, "note": f"leave at door {some.randrange(99)}"}


def item(some: random.Random) -> dict[str, Any]:
    return {
        "sku": f"sku-{some.randrange(10**9)}",
        "qty": some.randrange(1, 1000),
        "price": some.randrange(10**4) / 100,
        "tags": [f"t{some.randrange(99)}", "b"],
    }


def tree(some: random.Random, depth: int) -> dict[str, Any]:
    children = [tree(some, depth - 1)] + [{"name": f"leaf {some.randrange(10**6)}", "size": 1} for _ in range(2)] if depth else []
    return {"name": f"node {some.randrange(10**6)}", "size": some.randrange(10**6), "children": children}


def kind(some: random.Random) -> dict[str, Any]:
    number = some.randrange(8)
    return {"kind": f"kind-{number}", f"value{number}": some.choice([number + some.randrange(1000), f"text {some.randrange(1000)}"])}


def values(case: str, count: int) -> list[str]:
    """Texts of distinct values that fit."""
    some = random.Random(20260101)
    make = {
        "order": lambda: order(some),
        "array of 100 KB": lambda: [item(some) for _ in range(1150)],
        "recursive": lambda: tree(some, 60),
        "oneOf": lambda: [kind(some) for _ in range(50)],
    }[case]
    return [json.dumps(make()) for _ in range(count)]


def wrong(case: str) -> Any:
    """A value with one mistake, deep inside."""
    value = json.loads(values(case, 1)[0])
    if case == "order":
        value["items"][2]["qty"] = 0
    elif case == "array of 100 KB":
        value[-1]["price"] = "free"
    elif case == "recursive":
        here = value
        while here["children"]:
            here = here["children"][0]
        here["size"] = -1
    else:
        value[-1]["kind"] = "kind-9"
    return value


def contender(rival: str, case: str) -> Any:
    """`valid(value) -> bool`"""
    schema = SCHEMAS[case]
    if rival == "serverless_guard":
        from serverless_guard import schema as ours

        check = ours.compiled(schema)
        return lambda value: check(value) is None
    if rival == "serverless_guard, baked":
        from serverless_guard import schema as ours

        baked = ours.baked(__import__(BAKED))
        return lambda value: baked(value) is None
    if rival == "fastjsonschema":
        import fastjsonschema

        validate = fastjsonschema.compile(schema)

        def valid(value: Any) -> bool:
            try:
                validate(value)
            except fastjsonschema.JsonSchemaException:
                return False
            return True

        return valid
    if rival == "jsonschema":
        import jsonschema

        return jsonschema.Draft7Validator(schema).is_valid
    import jsonschema_rs

    return jsonschema_rs.validator_for(schema).is_valid


def measured(rival: str, case: str, count: int) -> dict[str, Any]:
    """One rival on one case, in this process."""
    texts = values(case, count)
    first = json.loads(texts[0])
    for module in ("re", "logging", "decimal", "threading"):  # what the runtime client has loaded anyway
        __import__(module)
    if rival.startswith("serverless_guard"):
        __import__("serverless_guard.schema")  # loaded with the guard, whether a schema is compiled or baked
    loaded = len(sys.modules)
    began = process_time_ns()
    __import__(IMPORTED[rival])
    imported = process_time_ns()
    import_us, modules = (imported - began) / 1000, len(sys.modules) - loaded
    valid = contender(rival, case)
    fits = valid(first)
    first_us = (process_time_ns() - imported) / 1000
    later = len(sys.modules) - loaded - modules
    assert fits
    assert not valid(wrong(case))
    parses, checks = [], []
    for round_ in range(3):
        for text in texts:
            start = perf_counter_ns()
            value = json.loads(text)
            parsed = perf_counter_ns()
            fits = valid(value)
            done = perf_counter_ns()
            assert fits
            if round_:
                parses.append(parsed - start)
                checks.append(done - parsed)
    parse, check = statistics.median(parses), statistics.median(checks)
    figures = {"parse_us": parse / 1000, "check_us": check / 1000, "parses": check / parse, "import_us": import_us, "first_us": first_us}
    return {"rival": rival, "case": case, **figures, "modules": modules, "later": later}


def bake(case: str, folder: Path) -> None:
    from serverless_guard import schema as ours

    (folder / f"{BAKED}.py").write_text(ours.source(SCHEMAS[case]), encoding="utf-8")


def asked(rival: str, case: str, count: int, folder: str) -> dict[str, Any]:
    """The figures of one rival in a process of its own, everything that it imports compiled to bytecode before, as on Lambda."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPYCACHEPREFIX": f"{folder}/bytecode", "PYTHONPATH": folder}
    for values_ in (1, count):
        command = [sys.executable, __file__, "--values", str(values_), "--one", rival, case]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--case", choices=SCHEMAS, help="one case only")
    parser.add_argument("--values", type=int, default=60, help="distinct values for each case")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(*given.one, given.values)))
        return
    versions = {name: importlib.metadata.version(name.replace("_", "-")) for name in RIVALS.values() if name and importlib.util.find_spec(name)}
    rows = []
    for case in [given.case] if given.case else list(SCHEMAS):
        with tempfile.TemporaryDirectory() as folder:
            bake(case, Path(folder))
            for rival, package in RIVALS.items():
                if package and package not in versions:
                    continue
                rows.append(asked(rival, case, given.values, folder))
    result = {"python": platform.python_version(), "versions": versions, "rows": rows}
    if given.json:
        print(json.dumps(result, indent=2))
        return
    print(f"Python {result['python']}, " + ", ".join(f"{name} {version}" for name, version in versions.items()))
    for case in dict.fromkeys(row["case"] for row in rows):
        ours = next(row for row in rows if row["case"] == case and row["rival"] == "serverless_guard")
        print(f"\n{case:27} {'us':>9} {'parses':>7} {'ratio':>7} {'import us':>10} {'modules':>7} {'first us':>9} {'modules':>7}")
        for row in (row for row in rows if row["case"] == case):
            ratio = row["parses"] / ours["parses"]
            warm = f"{row['check_us']:9.1f} {row['parses']:7.2f} {ratio:7.2f}"
            print(f"  {row['rival']:25} {warm} {row['import_us']:10.0f} {row['modules']:7} {row['first_us']:9.0f} {row['later']:7}")


if __name__ == "__main__":
    main()
