"""`compile_plan(Policy) -> Plan`: all that does not depend on the event happens here, once, at start."""

from __future__ import annotations

import os

from serverless_guard import decide, detectors, hosts, policy, shield, sources
from serverless_guard.errors import PolicyError
from serverless_guard.loaders import beside, env, load
from serverless_guard.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from serverless_guard.policy import Limits, Policy
    from serverless_guard.schema import Check


class Plan(NamedTuple):
    """What runs: a policy with everything looked up, parsed and compiled. Immutable, shared by all invocations."""

    policy: Policy
    modes: Mapping[str, str]  # of every control and detector
    expected: frozenset[str]  # event sources that may invoke the function; empty: any
    limits: Limits
    checks: tuple[tuple[str, Check], ...]  # schemas in force, by what they check: body, query, path, headers, event, record
    detect: tuple[str, ...]  # detectors in force, by name
    detectors: tuple[Any, ...]  # detectors of the user's own
    egress: hosts.Rules | None  # outbound destinations that are declared
    emitters: tuple[Any, ...]  # emitters of the user's own
    environ: Mapping[str, str]


def read_policy(settings: Mapping[str, Any], folder: str = "", names: tuple[str, ...] = ()) -> tuple[Policy, str]:
    """The policy that arguments, environment and policy file give together, and the folder its file names are relative to.

    The file is the one that the argument or `SERVERLESS_GUARD_POLICY` names, else the one beside the handler in `folder`,
    else in the working directory's root of the function (`LAMBDA_TASK_ROOT`). Raises PolicyError.
    """
    arguments = dict(settings)
    reference = arguments.pop("policy", None) or env.switch("POLICY") or _beside(folder)
    layers: list[policy.Layer] = []
    if isinstance(reference, str) and reference:
        path = os.path.join(folder, reference) if _is_relative(reference) and os.path.exists(os.path.join(folder, reference)) else reference
        layers.append((_origin(path), load(path)))
        folder = os.path.dirname(os.path.abspath(path)) if _is_file(path) else folder
    elif reference:
        layers.append(("the `policy` argument", reference))
    layers.append((env.ORIGIN, env.load()))
    layers.append(("the arguments of `guard`", {key: value for key, value in arguments.items() if value is not None}))
    return policy.build(layers, (*detectors.DETECTORS, *names), sources.names()), folder


def compile_plan(made: Policy, folder: str = "", own_detectors: Sequence[Any] = (), own_emitters: Sequence[Any] = ()) -> Plan:
    """The plan of a policy. Schemas are read and compiled, destinations parsed. Raises PolicyError."""
    names = (*detectors.DETECTORS, *(_name(detector) for detector in own_detectors))
    modes = decide.modes(made, names)
    return Plan(
        policy=made,
        modes=modes,
        expected=frozenset(made.source) if modes["source"] != "off" else frozenset(),
        limits=made.limits,
        checks=_checks(made, folder) if modes["schema"] != "off" else (),
        detect=tuple(name for name in detectors.DETECTORS if modes[name] != "off"),
        detectors=tuple(detector for detector in own_detectors if modes[_name(detector)] != "off"),
        egress=hosts.parse(made.egress) if made.egress is not None and modes["egress"] != "off" else None,
        emitters=tuple(own_emitters),
        environ=env.environ(),
    )


def _checks(made: Policy, folder: str) -> tuple[tuple[str, Check], ...]:
    """The schemas that a policy has, compiled."""
    given = [(part, reference) for part, reference in zip(made.schema._fields, made.schema, strict=True) if reference is not None]
    if not given:
        return ()
    from serverless_guard import schema

    return tuple((part, schema.compiled(reference, folder, f"schema.{part}")) for part, reference in given)


def arm(plan: Plan) -> None:
    """Start the run-time guard of the process with what this plan needs. Once armed it stays."""
    shield.arm(plan.environ)


def _name(detector: Any) -> str:
    """The name that a detector of the user's own goes by in `detect`: its `NAME`, else its module's or its own."""
    name = getattr(detector, "NAME", "") or getattr(detector, "__name__", "").rpartition(".")[2]
    for verb in ("RULE", "detect"):
        if not hasattr(detector, verb):
            raise PolicyError(f"a detector must have `{verb}`, `{name or type(detector).__name__}` has not", "detectors", "the arguments of `guard`")
    return str(name)


def _beside(folder: str) -> str:
    root = env.environ().get("LAMBDA_TASK_ROOT", "")
    return (folder and beside(folder)) or (root and root != folder and beside(root)) or ""


def _is_file(reference: str) -> bool:
    return not reference.lstrip().startswith("{")


def _is_relative(reference: str) -> bool:
    return _is_file(reference) and not os.path.isabs(reference)


def _origin(reference: str) -> str:
    return os.path.basename(reference) if _is_file(reference) else "the policy text"
