"""Write a first policy file, with what each setting is for.

The file stands beside the handler, where the guard finds it by itself. It
refuses nothing new at first: what the guard suspects is reported, and only
what you declare in it is enforced.

example:
  serverless-guard init --source apigateway-http
  serverless-guard init functions/orders --format toml --mode monitor

exit codes: 0 written, 2 a policy is there already, or the folder is not
"""

from __future__ import annotations

import json
import os

from serverless_guard import detectors, policy, sources, terminal
from serverless_guard.commands import Usage, parser
from serverless_guard.loaders import FILES
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

STEM = "serverless-guard"
ABOUT = "What serverless_guard holds this function to"
EXAMPLES: dict[str, Any] = {
    "mode": "block",
    "source": ["apigateway-http"],
    "egress": ["api.stripe.com:443", "*.s3.eu-west-1.amazonaws.com:443"],
    "schema": {"body": "schemas/order.json"},
    "detect": {"sqli": "block"},
    "limits": {"max_depth": 64},
    "on_refuse": "drop",
}
"""What a first reader will want next, as it would be written; the words beside each come from the model."""


def run(argv: list[str]) -> int:
    """Write the file and say what comes next."""
    arguments = parser("init", __doc__)
    arguments.add_argument("folder", nargs="?", default=".", help="folder of the handler (default: here)")
    arguments.add_argument("--format", choices=("json", "toml"), default="json", help="format of the file (default: json, the fastest to start with)")
    arguments.add_argument("--mode", choices=policy.MODES, help="one mode for all controls (default: enforce what is declared, report the rest)")
    arguments.add_argument("--source", action="append", metavar="NAME", help="event source that may invoke the function; may be given again")
    arguments.add_argument("--name", help="name of the policy in security events (default: that of the folder)")
    arguments.add_argument("--force", action="store_true", help="write over a file that is there")
    given = arguments.parse_args(argv)

    settings = _settings(given.folder, given.name, given.mode, given.source)
    path = os.path.join(given.folder, f"{STEM}.{given.format}")
    _free(given.folder, path, given.force)
    try:
        with open(path, "w", encoding="utf-8", newline="\n") as out:
            out.write(_json(settings) if given.format == "json" else _toml(settings))
    except OSError as error:
        raise Usage(f"`{path}` cannot be written: {(error.strerror or '').lower()}") from None
    print(f"wrote {terminal.printable(os.path.normpath(path))}\n\nnext:")
    for step, why in (
        ("@guard", "above the handler, from `serverless_guard import guard`"),
        ("serverless-guard check", "after each change of the policy"),
        ("serverless-guard explain event.json", "what an event would meet"),
        ("serverless-guard invoke app.handler event.json", "the handler on it, guarded"),
    ):
        print(f"  {step:47} {why}" if len(why) < 31 else f"  {step}\n      {why}")
    return 0


def _settings(folder: str, name: str | None, mode: str | None, source: list[str] | None) -> dict[str, Any]:
    """What the file says from the start, held to the model before it is written."""
    name = name if name is not None else os.path.basename(os.path.abspath(folder))
    made: dict[str, Any] = {"version": 1, "name": name if name.isprintable() else ""}
    if mode:
        made["mode"] = mode
    if source:
        made["source"] = source
    policy.build([("the command line", made)], detectors.names(), sources.names())
    return made


def _free(folder: str, path: str, force: bool) -> None:
    """Raise Usage where the file must not be written."""
    if not os.path.isdir(folder):
        raise Usage(f"`{folder}` is no folder")
    there = [name for name in FILES if os.path.lexists(os.path.join(folder, name))]
    for name in there:
        if os.path.join(folder, name) != path:
            raise Usage(f"`{name}` is there already, and a function has one policy file; remove it, or choose its format")
        if not force:
            raise Usage(f"`{name}` is there already; `--force` writes over it")


def _json(settings: dict[str, Any]) -> str:
    """JSON has no comments: a `$comment` is one that the guard skips."""
    words = policy.documentation(policy.Policy)
    further = {name: {"for": words[name], "example": example} for name, example in EXAMPLES.items() if name not in settings}
    return json.dumps({"$comment": {"about": ABOUT, "further settings": further}, **settings}, indent=2, ensure_ascii=False) + "\n"


def _toml(settings: dict[str, Any]) -> str:
    """Every setting under its comment; what is only an example is commented out. Tables come last, as TOML wants it."""
    words = policy.documentation(policy.Policy)
    plain = {**settings, **{name: example for name, example in EXAMPLES.items() if name not in settings and not isinstance(example, dict)}}
    lines = [f"# {ABOUT}."]
    for name, value in plain.items():
        shown = json.dumps(value, ensure_ascii=False)
        lines += ["", f"# {words[name]}", f"{'' if name in settings else '# '}{name} = {shown}"]
    for name, table in EXAMPLES.items():
        if isinstance(table, dict):
            lines += ["", f"# {words[name]}", f"# [{name}]", *(f"# {key} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"
