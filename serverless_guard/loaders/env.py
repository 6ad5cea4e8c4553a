"""The environment: the only file that reads it.

Every field of the policy is a variable (`limits.max_depth` is `SERVERLESS_GUARD_LIMITS_MAX_DEPTH`), derived from the model. A
variable with the guard's prefix that is no field is a mistake. Lambda allows 4 KB of variables in all, so a longer policy
belongs in a file that `SERVERLESS_GUARD_POLICY` names.
"""

from __future__ import annotations

import os

from serverless_guard.errors import PolicyError
from serverless_guard.policy import ENV_PREFIX, FLAGS, SWITCHES, fields, nearest, variable
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

ORIGIN = "the environment"
TESTS_ONLY = ENV_PREFIX + "TEST_"  # variables of the project's own test suite


def load(reference: str = "") -> Mapping[str, Any]:
    """The fields that variables set, as a nested mapping. Raises PolicyError for a variable that is no field."""
    set_here = {name: value for name, value in os.environ.items() if name.startswith(ENV_PREFIX) and not name.startswith(TESTS_ONLY)}
    for switch in SWITCHES:
        set_here.pop(ENV_PREFIX + switch, None)
    made: dict[str, Any] = {}
    if not set_here:
        return made
    paths = {variable(path): path for path, _, _ in fields()} | {variable("schema"): "schema"}
    for name in sorted(set_here):
        path = paths.get(name)
        if path is None:
            raise PolicyError(f"unknown variable `{name}`{nearest(name, [*paths, *(ENV_PREFIX + switch for switch in SWITCHES)])}", name, ORIGIN)
        if not set_here[name]:
            continue
        section, dot, field = path.partition(".")
        if not dot:
            made[section] = set_here[name]
        elif isinstance(made.setdefault(section, {}), str):
            made[section] = {"body": made[section], field: set_here[name]}
        else:
            made[section][field] = set_here[name]
    return made


def disabled() -> bool:
    """The kill switch. It wins over everything, so a value that cannot be read counts as set."""
    return FLAGS.get(os.environ.get(ENV_PREFIX + "DISABLED", "").strip().lower(), True)


def switch(name: str) -> str:
    """The value of one of `policy.SWITCHES`, "" when it is not set."""
    return os.environ.get(ENV_PREFIX + name, "")


def environ() -> Mapping[str, str]:
    """The environment as it is now, for those who are handed it: function name, region, log stream, plumbing."""
    return os.environ


def point_to_policy(path: str) -> None:
    """Name the policy file for handlers that are guarded from now on in this process."""
    os.environ[f"{ENV_PREFIX}POLICY"] = path
