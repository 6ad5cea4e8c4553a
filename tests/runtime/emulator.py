"""The same box under AWS's own Runtime Interface Emulator, the binary that the `aws-sam-cli` wheel brings.

`SERVERLESS_GUARD_TEST_RIE` names another binary. The emulator starts the function at the first invocation, kills it when its
time is up, and starts it anew after a crash. It listens on every interface unless told otherwise; here it is told.
https://github.com/aws/aws-lambda-runtime-interface-emulator
"""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import platform
import socket
import time
from pathlib import Path
from typing import Any

from runtime.api import Answer
from runtime.box import TIMEOUT_S, Box

INVOKE = "/2015-03-31/functions/function/invocations"


def binary() -> str:
    """Where the emulator is on this machine, "" where it is not."""
    named = os.environ.get("SERVERLESS_GUARD_TEST_RIE", "")
    if named:
        return named
    spec = importlib.util.find_spec("samcli")
    if spec is None or not spec.submodule_search_locations:
        return ""
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    path = Path(next(iter(spec.submodule_search_locations)), "local", "rapid", f"aws-lambda-rie-{machine}")
    if not path.is_file() or platform.system() != "Linux":
        return ""
    if not os.access(path, os.X_OK):
        path.chmod(0o755)  # a wheel does not carry the mode
    return str(path)


class Emulated(Box):
    """A box whose function runs under the emulator.

    Its mode for Managed Instances is left alone: it changes to a user who may not be able to read the interpreter.
    """

    def __init__(self, *given: Any, timeout_s: int = 10, **named: Any) -> None:
        self.timeout_s = timeout_s
        super().__init__(*given, **named)

    def connect(self) -> Any:
        self.port = _free_port()
        return _Address(f"127.0.0.1:{_free_port()}")

    def environ(self) -> dict[str, str]:
        own = super().environ() | {"AWS_LAMBDA_FUNCTION_TIMEOUT": str(self.timeout_s)}
        del own["AWS_LAMBDA_RUNTIME_API"]
        return own

    def command(self) -> list[str]:
        addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{self.port}", "--runtime-api-address", self.api.address]
        return [binary(), "--log-level", "error", *addresses, *super().command()]

    def __enter__(self) -> Emulated:
        super().__enter__()
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, self.err.read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.02)
        raise AssertionError(f"the emulator does not listen\n{self.err.read_text()}")

    def invoke(self, event: Any, content_type: str = "application/json", **headers: str) -> Answer:
        """The answer to one event, an error of the function included."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            body = event if isinstance(event, bytes) else json.dumps(event).encode()
            connection.request("POST", INVOKE, body, {"Content-Type": content_type, **headers})
            response = connection.getresponse()
            told = response.read()
        finally:
            connection.close()
        kind = "error" if b'"errorType"' in told else "response"
        return Answer(kind, told, response.getheader("X-Amz-Function-Error") or "", response.getheader("X-Amzn-RequestId") or "")


class _Address:
    """Stands where the suite's own Runtime API would; the emulator brings one."""

    def __init__(self, address: str) -> None:
        self.address = address

    def close(self) -> None:
        pass


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
