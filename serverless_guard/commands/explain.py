"""Say what an event would meet, and why; no handler is called.

Shown are the source that the event is taken for, its untrusted inputs with
what is wrapped in them, the limits, the schemas, what each detector saw, the
verdict, what the caller would be answered, and the time that it took. The
policy is that of --policy, else of a guarded --handler, else of the
environment and the policy file in this folder. `-` reads standard input.

example:
  serverless-guard explain event.json
  serverless-guard explain event.json --policy strict.json --format json
  serverless-guard explain --value "x' OR 1=1--" --where query

exit codes: 0 nothing found, 1 findings (refused or reported),
            2 usage, or an event or policy that is not readable
"""

from __future__ import annotations

import json
import os
from time import perf_counter, perf_counter_ns

from serverless_guard import batch, decide, decorator, detectors, handlers, inputs, pipeline, plain, scan, sources, terminal
from serverless_guard import plan as plans
from serverless_guard.commands import Usage, parser, read_event
from serverless_guard.errors import Blocked
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from typing import Any

    from serverless_guard.plan import Plan
    from serverless_guard.values import Finding, Part, Verdict

PLACES = ("param", "query", "body", "header", "path", "url", "record", "attribute", "key", "event")
LOOKS = 50
PATIENCE_S = 1.0
SHOWN = 20
"""Inputs and findings that the text shows; JSON has all."""
OUTCOMES = {
    "allow": ("allowed: the handler is called", "green"),
    "report": ("reported: the handler is called all the same", "yellow"),
    "refuse": ("refused: the handler is not called", "red"),
}
ID = "(id of the security event)"
REQUEST_ID = "(id of the request)"


def run(argv: list[str]) -> int:
    """Explain one event, or one value."""
    arguments = parser("explain", __doc__)
    arguments.add_argument("event", nargs="?", metavar="EVENT.json", help="event as Lambda delivers it, `-` for standard input")
    arguments.add_argument("--value", metavar="TEXT", help="try one value instead of an event")
    arguments.add_argument("--where", choices=PLACES, metavar="PLACE", help=f"where that value would stand: {', '.join(PLACES)} (default: param)")
    arguments.add_argument("--policy", metavar="POLICY", help="policy file to try")
    arguments.add_argument("--handler", metavar="NAME", help="guarded handler whose policy applies: module.function or file.py:function")
    arguments.add_argument("--format", choices=("text", "json"), default="text", help="for people or for programs (default: text)")
    given = arguments.parse_args(argv)
    if (given.event is None) == (given.value is None):
        raise Usage("give an event file, or a value with `--value`")
    if given.where and given.value is None:
        raise Usage("`--where` says where a `--value` stands; an event says it itself")

    plan = _plan(given)
    told = _value(plan, given.value, given.where or "param") if given.value is not None else _event(plan, read_event(given.event))
    if given.format == "json":
        print(json.dumps(told, indent=2))
    elif given.value is not None:
        _show_findings(told["findings"])
        if not told["findings"]:
            print("nothing: no detector takes this value for an attack")
    else:
        _show(told, "standard input" if given.event == "-" else given.event)
    return 1 if told["findings"] else 0


def _plan(given: Namespace) -> Plan:
    if given.handler:
        if given.policy:
            raise Usage("`--policy` and `--handler` both bring a policy; give one")
        try:
            with handlers.aside():
                plan = decorator.plan_of(handlers.find(given.handler))
        except handlers.HandlerFailed as failed:
            raise Usage(f"{failed.doing} failed: {failed}") from None
        if plan is not None:
            return plan
    settings = {"policy": os.path.abspath(given.policy)} if given.policy else {}
    made, folder = plans.read_policy(settings, os.getcwd())
    return plans.compile_plan(made, folder)


def _value(plan: Plan, value: str, where: str) -> dict[str, Any]:
    members = [(name, detectors.load(name)) for name in plan.detect]
    found = scan.search([("value", where, -1, value, where == "key")], members)
    return {"where": where, "odd": scan.odd([value]), "findings": [_finding(finding, plan) for finding in found]}


def _event(plan: Plan, event: Any) -> dict[str, Any]:
    """All there is to say about an event, as plain values."""
    visit, found, first_us = _looked(plan, event)
    verdict = decide.judge(found, plan.modes, plan.policy.on_error)._replace(id=ID, request_id=REQUEST_ID, on_refuse=plan.policy.on_refuse)
    again = _again(plan, event)
    source = sources.module(visit.source)
    parts = source.parts(event)
    opened = inputs.opened(parts, plan.limits)
    return {
        "source": {"name": visit.source, "is": _first_line(source), "expected": sorted(plan.expected) or None},
        "verdict": {"action": verdict.action, "status": verdict.status if verdict.action == "refuse" else None, "records": list(verdict.refused)},
        "findings": [_finding(finding, plan) for finding in verdict.findings],
        "inputs": _inputs(parts, opened),
        "limits": _limits(plan, parts, opened),
        "schemas": _schemas(plan, event, source, parts, opened),
        "detectors": {name: _seen(name, plan, found) for name in plan.detect},
        "answer": _answer(event, source, verdict),
        "first_us": first_us,
        "guard_us": sorted(again)[len(again) // 2],
        "looks": len(again),
    }


def _looked(plan: Plan, event: Any) -> tuple[pipeline.Visit, list[Finding], int]:
    """A visit that ends before the handler, what it found, and the microseconds that took."""
    visit = pipeline.Visit(plan, event, None)
    started = perf_counter_ns()
    found = pipeline.look(visit)
    return visit, found, (perf_counter_ns() - started) // 1000


def _again(plan: Plan, event: Any) -> list[int]:
    """The microseconds of further looks at fresh copies, as many as `PATIENCE_S` allows: one object again and again flatters caches."""
    text, made = json.dumps(event), list[int]()
    started = perf_counter()
    while not made or (len(made) < LOOKS and perf_counter() - started < PATIENCE_S):
        made.append(_looked(plan, json.loads(text))[2])
    return made


def _finding(finding: Finding, plan: Plan) -> dict[str, Any]:
    refuses = decide.refuses(finding, plan.modes, plan.policy.on_error)
    told = {name: getattr(finding, name) for name in ("rule", "control", "title", "path", "confidence", "detail")}
    told |= {"cwe": finding.cwe or None, "record": finding.record if finding.record >= 0 else None}
    return {**told, "mode": plan.modes.get(finding.control, ""), "refuses": refuses}


def _inputs(parts: list[Part], opened: inputs.Opened) -> list[dict[str, Any]]:
    """Each untrusted part: what it holds and what was opened on the way."""
    made = []
    for part in parts:
        path, _, where, record, _ = part
        texts = [text for _, _, _, text, is_key in inputs.walk([part], opened) if not is_key]
        if not texts:
            continue
        steps = dict.fromkeys(step for inner, _, _ in _within(part, opened) if isinstance(inner, str) for step, _ in opened.nodes.get(inner, ()))
        size = {"values": len(texts), "characters": sum(map(len, texts))}
        made.append({"path": path, "where": where, "record": record if record >= 0 else None, **size, "opened": list(steps)})
    return made


def _limits(plan: Plan, parts: list[Part], opened: inputs.Opened) -> list[dict[str, Any]]:
    """How much of each bound is used, decoded data included."""
    used = dict.fromkeys(plan.limits._fields, 0)
    used["max_bytes"] = len(opened.joined)
    for part in parts:
        for value, depth, envelopes in _within(part, opened):
            used["max_envelopes"] = max(used["max_envelopes"], envelopes)
            if isinstance(value, str):
                used["max_string"] = max(used["max_string"], len(value))
                used["max_decoded"] = max(used["max_decoded"], len(value) if envelopes else 0)
            elif isinstance(value, (dict, list)):
                used["max_keys" if isinstance(value, dict) else "max_items"] += len(value)
                used["max_depth"] = max(used["max_depth"], depth)
    return [{"name": name, "used": used[name], "allowed": allowed} for name, allowed in plan.limits._asdict().items()]


def _within(part: Part, opened: inputs.Opened) -> Iterator[tuple[Any, int, int]]:
    """Every value inside a part, through its envelopes: `(value, depth, envelopes around it)`. Where a bound was hit, it ends there too."""
    limits = opened.limits
    _, value, where, _, encoding = part
    if where == "aws" and isinstance(value, dict):  # its `encoding` names the keys that are parts themselves
        value = {key: value[key] for key in value if key not in encoding.split(" ")}
    pending = [(value, 1, 0)]
    left = sum((limits.max_keys, limits.max_items))
    while pending and left > 0:
        value, depth, envelopes = pending.pop()
        yield value, depth, envelopes
        left -= 1
        if isinstance(value, str):
            pending += [(inner, depth, envelopes + 1) for _, inner in opened.nodes.get(value, ())]
        elif isinstance(value, (dict, list)):
            pending += [(inner, depth + 1, envelopes) for inner in (value.values() if isinstance(value, dict) else value)]


def _schemas(plan: Plan, event: Any, source: Any, parts: list[Part], opened: inputs.Opened) -> list[dict[str, Any]]:
    """Each schema in force, with what it was held to and why that does not fit."""
    made = []
    for role, check in plan.checks:
        reference = getattr(plan.policy.schema, role)
        held = [(path, check(value)) for path, value, _ in pipeline.subjects(role, event, source, parts, opened)]
        wrong = [{"path": path + found.path[1:], "keyword": found.keyword, "expected": found.expected} for path, found in held if found is not None]
        made.append({"part": role, "schema": reference if isinstance(reference, str) else "in the policy", "checked": len(held), "violations": wrong})
    return made


def _seen(name: str, plan: Plan, found: list[Finding]) -> dict[str, Any]:
    own = [finding for finding in found if finding.control == name]
    return {"mode": plan.modes[name], "rule": detectors.load(name).RULE, "findings": len(own), "confidence": own[0].confidence if own else None}


def _answer(event: Any, source: Any, verdict: Verdict) -> Any:
    """What the invocation answers without its handler; None where the handler is called."""
    if verdict.action != "refuse":
        return None
    try:
        if verdict.refused:
            kept, finish = batch.split(source, event, verdict)
            return {"records left out": list(verdict.refused), "handler is called with the others": kept is not None, "answered for them": finish(None)}
        return source.refuse(event, verdict)
    except Blocked as error:
        return {"raises": f"{type(error).__name__}: {error}"}


def _first_line(source: Any) -> str:
    return (source.__doc__ or "").strip().partition("\n")[0].rstrip(".")


def _show(told: dict[str, Any], name: str) -> None:
    what, colour = OUTCOMES[told["verdict"]["action"]]
    records = told["verdict"]["records"]
    if len(records) > 8:
        what = f"refused: {len(records):,} records of the batch"
    elif records:
        what = f"refused: record{'s' if len(records) > 1 else ''} {', '.join(map(str, records))} of the batch"
    print(f"{terminal.printable(name)}: {terminal.paint(what, colour)}")
    print(terminal.facts((("source", f"{told['source']['name']}  ({told['source']['is']})"),)))
    if told["findings"]:
        print()
    _show_findings(told["findings"])

    rows = [(row["path"] or "(event)", row["where"], f"{row['values']:,}", f"{row['characters']:,}", ", ".join(row["opened"])) for row in told["inputs"]]
    _head(f"untrusted inputs{f', the first {SHOWN} of {len(rows)}' if len(rows) > SHOWN else ''}")
    print(terminal.table(("path", "where", "values", "characters", "opened"), rows[:SHOWN]) if rows else "  none")
    _head("limits")
    print(terminal.table(("limit", "used", "allowed"), [(row["name"], f"{row['used']:,}", f"{row['allowed']:,}") for row in told["limits"]]))
    _head("schemas")
    for row in told["schemas"]:
        state = "fits" if row["checked"] else "nothing to check"
        print(terminal.facts(((row["part"], f"{row['schema']}: {'does not fit' if row['violations'] else state}"),)))
        for wrong in row["violations"]:
            print(terminal.wrapped(f"- {wrong['path']}: `{wrong['keyword']}` wants {wrong['expected']}", 4, 6))
    if not told["schemas"]:
        print("  none in force")
    _head("detectors")
    quiet = [name for name, seen in told["detectors"].items() if not seen["findings"]]
    loud = [(name, f"{seen['findings']} found, mode {seen['mode']}, rule {seen['rule']}") for name, seen in told["detectors"].items() if seen["findings"]]
    print(terminal.facts([*loud, ("saw nothing", ", ".join(quiet))]) or "  none in force")
    if told["answer"] is not None:
        _head("answered")
        print(_indented(told["answer"]))
    _head("time")
    print(f"  {told['guard_us']:,} us a look, median of {told['looks']}; {told['first_us']:,} us for the first, with what it imports")


def _show_findings(findings: list[dict[str, Any]]) -> None:
    for finding in findings[:SHOWN]:
        why = f"mode {finding['mode']}" if finding["mode"] != "block" else f"{finding['confidence']} confidence"
        effect = terminal.paint("refuses", "red") if finding["refuses"] else f"reported ({why})"
        print(f"  {finding['rule']}  {terminal.shortened(finding['path'] or 'the event', 40)}  {effect}")
        cwe = f"CWE-{finding['cwe']}, " if finding["cwe"] else ""
        print(terminal.wrapped(f"{finding['title']} ({cwe}{finding['confidence']} confidence)", 4))
        if finding["detail"]:
            print(terminal.wrapped(f"{plain.SEEN.get(finding['control'], 'Seen').lower()}: {finding['detail']}", 4, 10))

    if len(findings) > SHOWN:
        print(f"  and {len(findings) - SHOWN:,} more; `--format json` has all")


def _head(title: str) -> None:
    print(f"\n{terminal.paint(title, 'bold')}")


def _indented(value: Any) -> str:
    return "\n".join(f"  {terminal.printable(line)}" for line in json.dumps(value, indent=2, default=str).splitlines())
