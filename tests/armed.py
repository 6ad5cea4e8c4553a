"""Runs a piece of code in a fresh interpreter with the shield armed: an audit hook cannot be taken off again.

The code may use what `PRELUDE` gives, and calls `tell(name=value)` for what the test is to see; `run` returns those values.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

ZONE = """
import _socket, sys
asked = []  # what reached the name server

def _answering(real=_socket.getaddrinfo):
    def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
        name = (host.decode() if isinstance(host, bytes) else host or "").lower().rstrip(".")
        if name not in ANSWERS:
            return real(host, port, family, type, proto, flags)
        sys.audit("socket.getaddrinfo", host, port, family, type, proto)  # the C function's own first act
        asked.append(name)
        found = ANSWERS[name]
        return [(10, 1, 6, "", (place, port, 0, 0)) if ":" in place else (2, 1, 6, "", (place, port)) for place in found]
    return getaddrinfo

_socket.getaddrinfo = _answering()
"""
"""A name server of the test's own, in the place of the C function, seen by the hook in the same way: the event comes first."""

PRELUDE = '''
import json, os, sys
from contextlib import contextmanager
from serverless_guard import hosts, shield
from serverless_guard.errors import ActionBlocked

_told = {}
MODES = {"egress": "block", "metadata": "block", "runtime_api": "block"}

def tell(**values):
    _told.update(values)

class Invocation:
    """What the shield needs of an invocation."""
    def __init__(self, entries=None, **modes):
        self.egress = None if entries is None else hosts.parse(entries)
        self.modes = MODES | modes
        self.attempts = []

@contextmanager
def invocation(entries=None, **modes):
    made = Invocation(entries, **modes)
    seat = shield.enter(made)
    try:
        yield made
    finally:
        shield.leave(seat)

def outcome(act, *args, **named):
    """What came of an act: "ok", or the names of the exceptions, outermost first."""
    try:
        act(*args, **named)
    except BaseException as error:
        names = []
        while error is not None:
            names.append(type(error).__name__)
            error = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else None
        return " > ".join(names)
    return "ok"

def connect(host, port, kind=1, family=2):
    """Starts to connect and does not wait: "ok" where the guard let it, whatever the network says."""
    import _socket
    def act():
        sock = _socket.socket(family, kind)
        sock.setblocking(False)
        sock.connect_ex((host, port))
        sock.close()
    return outcome(act)

def refused(act, *args):
    """The rule and message of the refusal that an act meets."""
    try:
        act(*args)
    except ActionBlocked as error:
        return [error.rule, str(error)]
    return ["", ""]
'''


def run(code: str, arm: dict[str, str] | None = None, zone: dict[str, list[str]] | None = None, timeout_s: float = 60, **values: Any) -> dict[str, Any]:
    """What `code` told. `values` are its variables, `zone` what names answer, `arm` the environment to arm with; `arm={}` does not arm."""
    lines = [f"ANSWERS = {zone!r}", ZONE] if zone else []
    lines += [PRELUDE, *(f"{name} = {value!r}" for name, value in values.items())]
    if arm != {}:
        environ = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"} | (arm or {})
        lines.append(f"shield.arm({environ!r})")
    lines += [textwrap.dedent(code), "os.write(1, b'\\n' + json.dumps(_told).encode())"]
    environ = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=timeout_s, env=environ, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.rpartition("\n")[2]))
