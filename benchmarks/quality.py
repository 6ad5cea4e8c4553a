"""How many attacks are found, how many harmless values flagged, and what does a value cost?

    python benchmarks/quality.py CORPUS [--misses N] [--evasions] [--json]
    python benchmarks/quality.py TRAFFIC            one's own events or bodies, one JSON value a line: what would be flagged

A line of a corpus is an object with `label` (attack, benign), `class`, `source`, `kind`, `context` (param, body, header, path, json) and `value`.
Recall is given for all attacks, as the mean of classes, by class and by source; harmless values flagged at any confidence and at `high`, by
kind; time per value as the median of three calls.
"""

from __future__ import annotations

import argparse
import base64
import collections
import html
import json
import platform
import random
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from typing import Any
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[1]))

import serverless_guard
from serverless_guard.testing import detect

Row = dict[str, Any]
RANK = {"low": 1, "medium": 2, "high": 3}
EVASIONS: dict[str, Callable[[str], str]] = {
    "percent": lambda value: quote(value, safe="", errors="surrogatepass"),
    "double percent": lambda value: quote(quote(value, safe="", errors="surrogatepass"), safe=""),
    "HTML entities": html.escape,
    "numeric entities": lambda value: "".join(f"&#{ord(letter)};" for letter in value),
    "full width": lambda value: "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in value),
    "unicode escapes": lambda value: "".join(f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else letter for letter in value),
    "JSON in a string": lambda value: json.dumps({"note": value}),
    "base64": lambda value: base64.b64encode(value.encode("utf-8", "surrogatepass")).decode(),
    "padded with 2 KB": lambda value: "A" * 2048 + " " + value,
    "NUL and tab": lambda value: "\0" + value.replace(" ", "\t"),
    "case swapped": str.swapcase,
}


def confidence(value: Any, where: str) -> tuple[int, str]:
    """The highest confidence of all findings, 0 for none, and who found it."""
    found = detect(value, where)
    return max((RANK[detection.confidence], detection.control) for detection in found) if found else (0, "")


def microseconds(value: Any, where: str) -> float:
    """The median time of three looks."""
    times = []
    for _ in range(3):
        started = perf_counter_ns()
        detect(value, where)
        times.append(perf_counter_ns() - started)
    return sorted(times)[1] / 1000


def quality(rows: list[Row]) -> dict[str, Any]:
    """All figures of a corpus."""
    tables: dict[str, dict[str, list[int]]] = collections.defaultdict(lambda: collections.defaultdict(lambda: [0, 0, 0]))
    times: dict[str, list[float]] = {"attack": [], "benign": []}
    missed, flagged = [], []
    for row in rows[:200]:
        detect(row["value"], row.get("context", "param"))
    for row in rows:
        where = row.get("context", "param")
        level, by = confidence(row["value"], where)
        times[row["label"]].append(microseconds(row["value"], where))
        attack = row["label"] == "attack"
        for table, key in (
            ("label", row["label"]),
            ("class", row["class"]) if attack else ("kind", row["kind"]),
            (f"{row['label']} source", row["source"].split(":")[0]),
        ):
            count = tables[table][key]
            count[0] += 1
            count[1] += level > 0
            count[2] += level == 3
        if attack and not level:
            missed.append(row)
        if not attack and level:
            flagged.append((row, level, by))
    classes = tables["class"].values()
    return {
        "version": serverless_guard.__version__,
        "python": platform.python_version(),
        "tables": {table: {key: {"n": n, "found": found, "high": high} for key, (n, found, high) in sorted(keys.items())} for table, keys in tables.items()},
        "mean_of_classes": sum(found / n for n, found, _ in classes) / len(classes) if classes else 0.0,
        "us": {
            label: {name: quantile(sorted(values), share) for name, share in (("median", 0.5), ("p99", 0.99), ("worst", 1.0))}
            for label, values in times.items()
        },
        "missed": missed,
        "flagged": flagged,
    }


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of the sorted values lie."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def evasions(rows: list[Row]) -> dict[str, tuple[int, int]]:
    """Of attacks found as they stand, how many are found in each spelling: `(found, tried)`."""
    attacks = [row for row in rows if row["label"] == "attack" and isinstance(row["value"], str) and detect(row["value"], row.get("context", "param"))]
    sample = random.Random(7).sample(attacks, min(400, len(attacks)))
    return {name: (sum(bool(detect(spell(row["value"]), row.get("context", "param"))) for row in sample), len(sample)) for name, spell in EVASIONS.items()}


def report(figures: dict[str, Any], misses: int) -> None:
    """The figures as text."""
    tables = figures["tables"]
    print(f"serverless_guard {figures['version']}, Python {figures['python']}")
    attack, benign = (tables["label"].get(label, {"n": 0, "found": 0, "high": 0}) for label in ("attack", "benign"))
    print(f"attacks found {share(attack, 'found')} of {attack['n']}, mean of classes {100 * figures['mean_of_classes']:.1f} %")
    print(f"harmless flagged {share(benign, 'found')} of {benign['n']}, at high {share(benign, 'high')}")
    for table in ("class", "attack source", "kind", "benign source"):
        print(f"\n{table:60} {'n':>6} {'flagged':>9} {'high':>9}")
        for key, row in sorted(tables.get(table, {}).items(), key=lambda item: item[1]["found"] / item[1]["n"]):
            if row["found"] or "attack" in table or table == "class":
                print(f"{key[:60]:60} {row['n']:6} {share(row, 'found'):>9} {share(row, 'high'):>9}")
    for label, us in figures["us"].items():
        print(f"\nus per {label} value: median {us['median']:.1f}, p99 {us['p99']:.0f}, worst {us['worst']:.0f}")
    for row in figures["missed"][:misses]:
        print(f"missed   {row['class']:10} {json.dumps(row['value'])[:150]}")
    for row, level, by in figures["flagged"][:misses]:
        print(f"flagged  {row['kind']:20} {by} {level} {json.dumps(row['value'])[:150]}")


def share(row: dict[str, int], key: str) -> str:
    """A part of the whole in per cent."""
    return f"{100 * row[key] / row['n']:.2f} %" if row["n"] else "-"


def traffic(rows: list[Any]) -> None:
    """What would be flagged of one's own events."""
    flagged = 0
    for number, row in enumerate(rows, 1):
        found = detect(row, "event")
        flagged += bool(found)
        for detection in found:
            print(f"line {number}: {detection.confidence} {detection.rule} at {detection.path}: {detection.detail}")
    print(f"{flagged} of {len(rows)} would be flagged")


def main() -> None:
    """Read a corpus or traffic and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--misses", type=int, default=0, help="show so many missed attacks and flagged harmless values")
    parser.add_argument("--evasions", action="store_true", help="also try 400 of the found attacks in each spelling")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    rows = [json.loads(line) for line in options.corpus.read_text(encoding="utf-8").split("\n") if line.strip()]
    if not all(isinstance(row, dict) and row.get("label") in ("attack", "benign") for row in rows):
        traffic(rows)
        return
    figures = quality(rows)
    if options.evasions:
        figures["evasions"] = evasions(rows)
    if options.json:
        print(json.dumps({**figures, "missed": len(figures["missed"]), "flagged": len(figures["flagged"])}))
        return
    report(figures, options.misses)
    for name, (found, tried) in figures.get("evasions", {}).items():
        print(f"{name:20} {100 * found / tried:6.1f} % of those found as they stand")


if __name__ == "__main__":
    main()
