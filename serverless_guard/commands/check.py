"""Check a policy: its settings, schemas and destinations.

Every mistake is told with its path and the nearest right name; a policy
without one is shown as what it puts in force. Without POLICY it is the one
that SERVERLESS_GUARD_POLICY names, else the file in this folder. With
--handler the handler is imported, and what its own @guard says is checked
too. Nothing is fetched: a schema that refers to a remote one is a mistake.

example:
  serverless-guard check
  serverless-guard check functions/orders/serverless-guard.json --format json
  serverless-guard check --handler app.handler

exit codes: 0 no mistake, 1 mistakes, 2 usage, or a file that is not readable
"""

from __future__ import annotations

import json
import os

from serverless_guard import decide, decorator, detectors, handlers, hosts, policy, schema, sources, terminal
from serverless_guard.commands import Usage, parser
from serverless_guard.errors import PolicyError
from serverless_guard.loaders import beside, env, file
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from serverless_guard.policy import Policy


def run(argv: list[str]) -> int:
    """Check, and say what was found."""
    arguments = parser("check", __doc__)
    arguments.add_argument("policy", nargs="?", metavar="POLICY", help="policy file (default: the one in this folder)")
    arguments.add_argument("--handler", metavar="NAME", help="module.function or file.py:function, whose own settings are checked too")
    arguments.add_argument("--format", choices=("text", "json"), default="text", help="for people or for programs (default: text)")
    given = arguments.parse_args(argv)

    path = given.policy or env.switch("POLICY") or beside(".")
    if not path and not given.handler:
        raise Usage("no policy file is in this folder; name one, or let `serverless-guard init` write it")
    mistakes: list[PolicyError] = []
    made = None
    if path:
        made, mistakes = _file(path)
    if given.handler:
        own, wrong = _handler(given.handler)
        made, mistakes = own or made, mistakes + wrong
    checked = " and ".join(name for name in (os.path.normpath(path) if path else "", given.handler) if name)
    if given.format == "json":
        found = [{"path": mistake.path, "message": str(mistake)} for mistake in mistakes]
        print(json.dumps({"checked": checked, "clean": not mistakes, "mistakes": found, "in_force": in_force(made) if made else None}, indent=2))
    else:
        _show(checked, mistakes, made)
    return 1 if mistakes else 0


def in_force(made: Policy) -> dict[str, Any]:
    """What a policy puts in force, control by control."""
    modes = decide.modes(made, detectors.names())
    del modes["detect"]  # the step as a whole, which is no control of its own
    schemas = {part: reference if isinstance(reference, str) else "in the policy" for part, reference in made.schema._asdict().items() if reference is not None}
    return {
        "name": made.name,
        "mode": made.mode,
        "source": list(made.source),
        "schema": schemas,
        "egress": None if made.egress is None else list(made.egress),
        **{mode: [name for name in modes if modes[name] == mode] for mode in reversed(policy.MODES)},
    }


def mistakes(mapping: Mapping[str, Any], folder: str) -> Iterator[PolicyError]:
    """Every mistake of a policy: `policy.build` stops at the first, so each setting is built by itself."""
    for piece, index in _pieces(mapping):
        try:
            made = policy.build([("", piece)], detectors.names(), sources.names())
        except PolicyError as error:
            yield _at(error, index)
            continue
        for part, reference in made.schema._asdict().items():
            if reference is not None:
                for pointer, message in _judged(reference, folder):
                    yield PolicyError(f"`schema.{part}` {f'at `{pointer}` ' if pointer else ''}{message}", f"schema.{part}{pointer}")
        try:
            hosts.parse(made.egress or ())
        except PolicyError as error:
            yield _at(error, index)


def _judged(reference: Any, folder: str) -> list[tuple[str, str]]:
    """What is wrong with a schema, as `(JSON pointer, message)`."""
    try:
        return schema.judge(reference, folder)
    except RecursionError:
        return [("", "nests too deeply to be checked")]


def _file(path: str) -> tuple[Policy | None, list[PolicyError]]:
    """The policy in a file and its mistakes. A file that cannot be read is raised, one that says nothing right is a mistake."""
    kind = path.rpartition(".")[2].lower()
    if kind not in ("json", "toml", "yaml", "yml"):
        raise Usage(f"`{path}` must end in `.json`, `.toml` or `.yaml`")
    text = file.read(path)
    try:
        mapping = file.parse(text, kind, path)
        found = list(mistakes(mapping, os.path.dirname(os.path.abspath(path))))
        return None if found else policy.build([(path, mapping)], detectors.names(), sources.names()), found
    except PolicyError as error:
        return None, [error]


def _handler(name: str) -> tuple[Policy | None, list[PolicyError]]:
    """The policy of a guarded handler, and the mistake that importing it ended with."""
    try:
        with handlers.aside():
            handler = handlers.find(name)
    except handlers.NoSuchHandler:
        raise
    except PolicyError as error:
        return None, [error]
    except handlers.HandlerFailed as failed:
        return None, [PolicyError(f"{failed.doing} failed: {failed}", "handler")]
    plan = decorator.plan_of(handler)
    return (plan.policy if plan else None), []


def _pieces(mapping: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], int]]:
    """Mappings of one setting each, lists and sections taken apart; the index is that of a list's element, else -1."""
    kinds = policy.kinds(policy.Policy)
    for key, value in mapping.items():
        kind = kinds.get(key, "")
        if isinstance(value, dict) and (kind in ("Limits", "ControlModes", "DetectModes") or (kind == "Schemas" and not policy.is_schema(value))):
            yield from (({key: {name: value[name]}}, -1) for name in value)
        elif isinstance(value, list) and kind in ("Names", "Entries"):
            yield from (({key: [entry]}, index) for index, entry in enumerate(value))
        else:
            yield {key: value}, -1


def _at(error: PolicyError, index: int) -> PolicyError:
    """The mistake with the index that it has in the whole list."""
    if index < 0:
        return error
    field = error.path.partition("[")[0]
    told = str(error).replace(f"`{field}[0]`", f"`{field}`", 1).replace(f"`{field}`", f"`{field}[{index}]`", 1)
    return PolicyError(told, f"{field}[{index}]")


def _show(checked: str, mistakes: list[PolicyError], made: Policy | None) -> None:
    count = f"{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}"
    print(f"{terminal.printable(checked)}: {terminal.paint(count, 'red') if mistakes else terminal.paint('no mistakes', 'green')}")
    for mistake in mistakes:
        print(terminal.wrapped(f"- {mistake}", 2, 4))
    if mistakes or made is None:
        if not mistakes:
            print("  it carries no guard of its own; the layer may guard it")
        return
    found = in_force(made)
    egress = found["egress"]
    print(
        terminal.facts(
            (
                ("name", found["name"]),
                ("mode", found["mode"] or "as declared: what is declared is enforced, what is inferred is reported"),
                ("sources", ", ".join(found["source"]) or "any"),
                ("schemas", ", ".join(f"{part}: {reference}" for part, reference in found["schema"].items()) or "none"),
                ("egress", "any destination" if egress is None else ", ".join(egress) or "nothing may be called"),
                ("blocks", ", ".join(found["block"])),
                ("reports", ", ".join(found["monitor"])),
                ("off", ", ".join(found["off"])),
                ("judge", _judge()),
            )
        )
    )


def _judge() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"jsonschema {version('jsonschema')} checks the schemas themselves"
    except PackageNotFoundError:
        return "jsonschema is not installed: schemas are compiled, not judged"
