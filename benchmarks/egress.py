"""What the shield costs: an audit event that is none of its business, a checked connect, entering and leaving, arming.

    python benchmarks/egress.py [--json]

Times are the least of repeats, with the cost of the empty loop and of `sys.audit` without a hook taken off; instructions are
counted by callgrind where it is there. The shield stays armed once it is, so the base is measured first.
"""

from __future__ import annotations

import _socket
import json
import platform
import shutil
import subprocess
import sys
import timeit
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from serverless_guard import hosts, shield  # noqa: E402  # the path comes first

ENTRIES = ["api.example.com", "**.eu-west-1.amazonaws.com", "198.51.100.7:443", "10.0.0.0/8:5432", "203.0.113.0/24", "aws:dynamodb:GetItem@table/orders"]
LIMITS = {"AWS call": 6.0, "irrelevant event": 0.5, "connect to a declared address": 3.0, "connect by a grant": 3.0, "enter and leave": 2.0}
"""Microseconds to keep under."""


class Invocation:
    """What the shield needs of an invocation."""

    egress = hosts.parse(ENTRIES)
    modes = dict.fromkeys(("egress", "metadata", "runtime_api"), "block")
    attempts: list[object] = []  # noqa: RUF012  # one invocation, one list


def least_us(act: Callable[[], object], number: int = 500, repeat: int = 400) -> float:
    """Microseconds of one call, the least of repeats, each shorter than a slice of a busy processor."""
    return min(timeit.repeat(act, number=number, repeat=repeat)) / number * 1e6


def measured() -> dict[str, float]:
    """Microseconds of each act, over what the event costs with no hook."""
    sock, connection = _socket.socket(), Connection()
    base = least_us(lambda: sys.audit("irrelevant", 1))
    shield.arm({"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"})
    made = Invocation()
    found = {
        "irrelevant event": least_us(lambda: sys.audit("irrelevant", 1)) - base,
        "connect before the first invocation": least_us(lambda: sys.audit("socket.connect", sock, ("198.51.100.7", 443))) - base,
        "enter and leave": least_us(lambda: shield.leave(shield.enter(made))),  # type: ignore[arg-type]  # a list of findings
    }
    shield.enter(made)  # type: ignore[arg-type]  # as above
    shield._note("api.example.com", "192.0.2.9")
    for name, target in (("a declared address", ("198.51.100.7", 443)), ("a declared network", ("10.1.2.3", 5432)), ("a grant", ("192.0.2.9", 443))):
        found[f"connect {'by' if 'grant' in name else 'to'} {name}"] = least_us(lambda target=target: sys.audit("socket.connect", sock, target)) - base  # type: ignore[misc]  # bound
    for name, host in (("exact", "api.example.com"), ("by wildcard", "queue.sqs.eu-west-1.amazonaws.com")):
        found[f"look up a name, {name}"] = least_us(lambda host=host: sys.audit("socket.getaddrinfo", host, 443, 0, 0, 0)) - base  # type: ignore[misc]  # bound
    request = b"POST /v1/charges?x=1 HTTP/1.1\r\nHost: api.example.com\r\nAccept-Encoding: identity\r\nContent-Length: 10\r\n\r\n"
    found["line of a request"] = least_us(lambda: sys.audit("http.client.send", connection, request)) - base
    acts = (("GetItem", "table/orders"),)
    found["AWS call"] = least_us(lambda: sys.audit("serverless_guard.aws", "dynamodb", "GetItem", acts, "dynamodb.eu-west-1.amazonaws.com", 443)) - base
    return found


class Connection:
    """What the shield reads of an `http.client` connection."""

    def __init__(self) -> None:
        self.host, self.port, self._method, self.sock = "api.example.com", 443, "POST", None


def instructions(code: str) -> int:
    """Instructions that an interpreter runs for `code`, 0 without callgrind."""
    environ = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environ)  # leaves bytecode behind, as a layer has it
    if shutil.which("valgrind") is None:
        return 0
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    return int(done.stderr.rpartition("Collected :")[2].split()[0])


def arming() -> dict[str, int]:
    """Instructions that the shield adds to the start of the runtime client, which has most of what it imports."""
    ground = (
        f"import sys, types, json, re, logging; package = types.ModuleType('serverless_guard'); package.__path__ = [{str(ROOT / 'serverless_guard')!r}]; "
        "sys.modules['serverless_guard'] = package; from serverless_guard import values, errors"
    )
    steps = {
        "import": "from serverless_guard import hosts, shield",
        "arm": "shield.arm({'AWS_LAMBDA_RUNTIME_API': '127.0.0.1:9001'})",
        "parse six entries": f"hosts.parse({ENTRIES!r})",
    }
    found, before = {}, instructions(ground)
    for name, step in steps.items():
        ground += "; " + step
        after = instructions(ground)
        found[name], before = after - before, after
    return found


def main() -> int:
    """Prints the table; 1 where a limit is passed."""
    found, counted = measured(), arming()
    if "--json" in sys.argv:
        print(json.dumps({"python": platform.python_version(), "machine": platform.machine(), "us": found, "instructions": counted}, indent=1))
    else:
        rows = [f"{name:40} {value:8.2f} us   {'limit ' + str(LIMITS[name]) if name in LIMITS else ''}" for name, value in found.items()]
        rows += [f"{name:40} {value / 1e6:8.2f} M instructions" for name, value in counted.items()]
        print(f"Python {platform.python_version()}", *rows, sep="\n")
    return int(any(found[name] > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
