"""The ways to attach, as settings of a `Box`."""

from __future__ import annotations

from typing import Any

from runtime.box import ROOT

WRAPPER = {"AWS_LAMBDA_EXEC_WRAPPER": "{opt}/serverless-guard/wrapper"}
USER_BASE = {"PYTHONUSERBASE": "{opt}/serverless-guard"}
REDIRECT = {"SERVERLESS_GUARD_HANDLER": "plain.handler"}
BLOCK = {"SERVERLESS_GUARD_MODE": "block", "SERVERLESS_GUARD_EGRESS": "api.stripe.com:443"}
PACKAGE = ROOT / "serverless_guard"

WAYS: dict[str, dict[str, Any]] = {
    "decorator": {"handler": "decorated.handler", "packages": (PACKAGE,)},
    "layer by wrapper": {"handler": "plain.handler", "env": WRAPPER},
    "layer by PYTHONUSERBASE": {"handler": "plain.handler", "env": USER_BASE},
    "layer by redirect": {"handler": "serverless_guard_handler.handler", "env": REDIRECT},
    "layer and no setting": {"handler": "plain.handler"},
    "all at once": {"handler": "serverless_guard_handler.handler", "env": {**WRAPPER, **REDIRECT, "SERVERLESS_GUARD_HANDLER": "decorated.handler"}},
}
