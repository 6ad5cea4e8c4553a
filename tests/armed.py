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
    def __init__(self, egress=None, **modes):
        self.egress = None if egress is None else hosts.parse(egress)
        self.modes = MODES | modes
        self.attempts = []

@contextmanager
def invocation(egress=None, **modes):
    made = Invocation(egress, **modes)
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

def zone(**answers):
    """A name server of our own, `name__with__dots=[addresses]`, as the C function is seen by the hook: event first."""
    import _socket
    answers = {name.replace("__", "."): found for name, found in answers.items()}
    asked = []
    real = _socket.getaddrinfo
    def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
        name = host.decode() if isinstance(host, bytes) else host
        if name.lower().rstrip(".") not in answers:
            return real(host, port, family, type, proto, flags)
        sys.audit("socket.getaddrinfo", host, port, family, type, proto)
        asked.append(name)
        found = answers[name.lower().rstrip(".")]
        return [(10, 1, 6, "", (place, port, 0, 0)) if ":" in place else (2, 1, 6, "", (place, port)) for place in found]
    _socket.getaddrinfo = getaddrinfo
    return asked
'''


def run(code: str, arm: dict[str, str] | None = None, timeout_s: float = 60, **values: Any) -> dict[str, Any]:
    """What `code` told. `values` are its variables, `arm` the environment the shield is armed with; `arm={"": ""}` leaves it unarmed."""
    lines = [PRELUDE, *(f"{name} = {value!r}" for name, value in values.items())]
    if arm != {"": ""}:
        lines.append(f"shield.arm({ {'AWS_LAMBDA_RUNTIME_API': '127.0.0.1:9001'} | (arm or {})!r})")
    lines += [textwrap.dedent(code), "os.write(1, b'\\n' + json.dumps(_told).encode())"]
    environ = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=timeout_s, env=environ, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.rpartition("\n")[2]))
