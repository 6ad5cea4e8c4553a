"""SnapStart: what an odd event would load is loaded before the snapshot, and what was learnt of the network is forgotten after it.

All restored copies of a function share what it had in memory. The keys, ids and sequences of security events are not among that:
`telemetry` makes them anew by itself. A hook that raises ends the function (exit 64 before the snapshot, 65 after it), so none does.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
"""

from __future__ import annotations

import sys
from importlib import import_module

from serverless_guard import detectors, shield

LATER = ("inputs", "scan", "facts", "ocsf", "redact", "text", "emitters.stdout")


def watch() -> None:
    """Register for the snapshot. Registered before the function's own code loads, the guard is the first to run after a restore."""
    hooks = sys.modules.get("snapshot_restore_py") or import_module("snapshot_restore_py")
    if all(prepare is not called[0] for called in hooks.get_before_snapshot()):
        hooks.register_before_snapshot(prepare)
        hooks.register_after_restore(shield.forget)


def prepare() -> None:
    """Load what waits for an odd event; a snapshot holds it at no cost."""
    try:
        for name in LATER:
            import_module(f"serverless_guard.{name}")
        for name in detectors.names():
            detectors.load(name)
    except Exception:  # noqa: BLE001  # the first odd event will meet the same error, and treat it by the policy
        return
