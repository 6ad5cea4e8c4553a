"""A function, its layer and its runtime in a temporary folder: `task` for `/var/task`, `opt` for `/opt`, `runtime` for `/var/runtime`.

The interpreter is the one below the test's virtual environment, since Lambda has none; what it finds is what the box holds.
"""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

from runtime.api import Answer, RuntimeApi

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "tests" / "functions"
CLIENT_MODULES = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
PYTHON = getattr(sys, "_base_executable", sys.executable)
TIMEOUT_S = 30
SEAL = [
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount --make-rprivate / && mount -o remount,bind,ro / && mount -t tmpfs -o ro,size=4k none /dev/shm && exec "$@"',
    "sh",
]


class Box:
    """One function in the real runtime client, between `with Box(...) as box:` and its end.

    folder:    where to build it, a fresh temporary folder
    handler:   as the function's configuration names it
    layer:     the unpacked layer to put under `opt`; None for a function without one
    env:       environment variables; nothing of the test's own environment gets in
    start:     `managed` as AWS's managed runtimes start, `container` as `python -m awslambdaric` in an image
    packages:  top-level packages or modules that the function's own package brings, by path
    files:     more files of the function: name and text
    sealed:    mount everything read-only and `/dev/shm` away, as Lambda has it; `can_seal()` says whether this machine lets us
    framed:    hand the function a file for the frames that the runtime client's logging writes
    """

    def __init__(
        self,
        folder: Path,
        handler: str,
        *,
        layer: Path | None = None,
        env: dict[str, str] | None = None,
        start: str = "managed",
        packages: tuple[Path, ...] = (),
        files: dict[str, str] | None = None,
        python: str = PYTHON,
        sealed: bool = False,
        framed: bool = False,
    ) -> None:
        self.folder, self.handler, self.start, self.python = folder, handler, start, python
        self.sealed, self.framed = sealed, framed
        self.task, self.opt, self.runtime = folder / "task", folder / "opt", folder / "runtime"
        self.given = env or {}
        self.api = self.connect()
        self.process: subprocess.Popen[bytes] | None = None
        shutil.copytree(FUNCTIONS, self.task, ignore=shutil.ignore_patterns("__pycache__"))
        for name, text in (files or {}).items():
            (self.task / name).parent.mkdir(parents=True, exist_ok=True)
            (self.task / name).write_text(text)
        for package in packages:
            (self.task / package.name).symlink_to(package)
        if layer is not None:
            self.opt.symlink_to(layer)
        else:
            self.opt.mkdir()
        self.runtime.mkdir()
        shutil.copy(Path(__file__).with_name("managed.py"), self.runtime / "bootstrap.py")
        for name in CLIENT_MODULES:
            source = _installed(name)
            for home in (self.runtime, self.task) if start == "container" else (self.runtime,):
                (home / source.name).symlink_to(source)

    def connect(self) -> RuntimeApi:
        """What the runtime client will talk to."""
        return RuntimeApi()

    def environ(self) -> dict[str, str]:
        """What the function sees, the variables that Lambda reserves included."""
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.folder / "nowhere"),
            "LANG": "en_US.UTF-8",
            "AWS_LAMBDA_RUNTIME_API": self.api.address,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}",
            "AWS_LAMBDA_FUNCTION_NAME": "orders",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]00000000000000000000000000000000",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/orders",
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "ASIAEXAMPLEEXAMPLE00",
            "AWS_SECRET_ACCESS_KEY": "example-secret-access-key",
            "AWS_SESSION_TOKEN": "example-session-token",
            "LAMBDA_TASK_ROOT": str(self.task),
            "LAMBDA_RUNTIME_DIR": str(self.runtime),
            "BOX_OPT": str(self.opt),
            "_HANDLER": self.handler,
        } | {name: value.replace("{opt}", str(self.opt)).replace("{task}", str(self.task)) for name, value in self.given.items()}

    def command(self) -> list[str]:
        """What Lambda executes: the exec wrapper, where one is set, around Python. An image reads no such setting."""
        if self.start == "container":
            return [self.python, "-m", "awslambdaric", self.handler]
        wrapper = self.environ().get("AWS_LAMBDA_EXEC_WRAPPER")
        return [*([wrapper] if wrapper else []), self.python, str(self.runtime / "bootstrap.py")]

    def __enter__(self) -> Box:
        self.out, self.err, self.frames = self.folder / "stdout", self.folder / "stderr", self.folder / "frames"
        command, environ = [*(SEAL if self.sealed else []), *self.command()], self.environ()
        with self.out.open("ab") as out, self.err.open("ab") as err, self.frames.open("ab") as frames:
            keep = (frames.fileno(),) if self.framed else ()
            if self.framed:
                environ["_LAMBDA_TELEMETRY_LOG_FD"] = str(frames.fileno())
            self.process = subprocess.Popen(
                command, cwd=self.task, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True, pass_fds=keep
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(TIMEOUT_S)
        self.api.close()

    def invoke(self, event: Any, content_type: str = "application/json", **headers: str) -> Answer:
        """The answer to one event; an AssertionError that shows the function's output where it gives none."""
        return self.wait(self.api.answers[self.api.put(event, content_type, **headers)])

    def failed(self) -> Answer:
        """What a function that does not start tells the platform, once its process has ended."""
        answer = self.wait(self.api.start_errors)
        self.exit_status()
        return answer

    def exit_status(self) -> int:
        assert self.process is not None
        return self.process.wait(TIMEOUT_S)

    def wait(self, answers: queue.Queue[Answer]) -> Answer:
        assert self.process is not None
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            gone = self.process.poll() is not None
            try:
                return answers.get(timeout=0.01 if gone else 0.05)
            except queue.Empty:
                if gone:
                    break
        raise AssertionError(f"no answer, exit status {self.process.poll()}\n{self.logs()}\n{self.err.read_text()}")

    def logs(self) -> str:
        """All that the function wrote to standard output so far."""
        return self.out.read_text(errors="replace")

    def events(self) -> list[dict[str, Any]]:
        """The security events among it."""
        return security_events(self.logs())


def security_events(logs: str) -> list[dict[str, Any]]:
    """The OCSF lines of a log."""
    lines = [json.loads(line) for line in logs.splitlines() if line.startswith("{")]
    return [line for line in lines if "class_uid" in line]


def can_seal() -> bool:
    """Whether this machine lets us mount as Lambda does."""
    return sys.platform == "linux" and subprocess.run([*SEAL, "true"], capture_output=True, check=False).returncode == 0


def unpacked(zip_path: Path, folder: Path) -> Path:
    """A layer's zip unpacked as Lambda does it, with the modes that it records."""
    with zipfile.ZipFile(zip_path) as archive:
        for entry in archive.infolist():
            target = Path(archive.extract(entry, folder))
            target.chmod(entry.external_attr >> 16 & 0o777)
    return folder


def _installed(name: str) -> Path:
    """Where a module of the runtime client is: a package's folder, or a file."""
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None, f"the test suite needs `{name}`"
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin
