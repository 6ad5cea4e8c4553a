"""A Lambda Runtime API server on loopback, enough of one to drive the real `awslambdaric`.

Next, response, error, init error, and SnapStart's restore calls; raw bodies and any content type; several workers at once.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:orders"
PREFIX = "/2018-06-01/runtime"


class Answer(NamedTuple):
    """What the function answered to an invocation, or said about its start."""

    kind: str  # response, error, init-error, restore-error
    body: bytes
    error_type: str = ""
    request_id: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class RuntimeApi:
    """The server; `invoke` hands one event to whichever worker asks next and waits for its answer."""

    def __init__(self) -> None:
        self.pending: queue.Queue[tuple[str, bytes, dict[str, str]] | None] = queue.Queue()
        self.answers: dict[str, queue.Queue[Answer]] = {}
        self.start_errors: queue.Queue[Answer] = queue.Queue()
        self.restore = threading.Event()
        self.restoring = threading.Event()  # set when the function is ready to be snapshot
        self.polled = threading.Event()  # set when the first worker asked for an invocation
        self.workers = 0
        self.counter = 0
        self.lock = threading.Lock()
        self.server = _Server(("127.0.0.1", 0), _handler(self))
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def put(self, event: Any, content_type: str = "application/json", **headers: str) -> str:
        """Queue an event (bytes go as they are); its request id."""
        with self.lock:
            self.counter += 1
            request_id = f"00000000-0000-4000-8000-{self.counter:012d}"
        self.answers[request_id] = queue.Queue()
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        self.pending.put((request_id, body, {"Content-Type": content_type, **headers}))
        return request_id

    def close(self) -> None:
        self.restore.set()
        for _ in range(16):
            self.pending.put(None)
        self.server.shutdown()
        self.server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A function that was killed resets its connection; that is no news."""


def _handler(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == f"{PREFIX}/restore/next":
                api.restoring.set()
                api.restore.wait(30)
                self.reply(200, b"")
                return
            with api.lock:
                api.workers += 1
            api.polled.set()
            taken = api.pending.get()
            if taken is None:
                self.close_connection = True
                self.reply(410, b"")
                return
            request_id, body, headers = taken
            deadline = str(int(time.time() * 1000) + 30_000)
            known = {"Lambda-Runtime-Aws-Request-Id": request_id, "Lambda-Runtime-Deadline-Ms": deadline, "Lambda-Runtime-Invoked-Function-Arn": ARN}
            self.reply(200, body, {**known, "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1", **headers})

        def do_POST(self) -> None:
            body = self.read()
            kind = self.headers.get("Lambda-Runtime-Function-Error-Type", "")
            if self.path == f"{PREFIX}/init/error":
                api.start_errors.put(Answer("init-error", body, kind))
            elif self.path == f"{PREFIX}/restore/error":
                api.start_errors.put(Answer("restore-error", body, kind))
            else:
                request_id, what = self.path.removeprefix(f"{PREFIX}/invocation/").split("/")
                api.answers[request_id].put(Answer(what, body, kind, request_id))
            self.reply(202, b'{"status":"OK"}')

        def read(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            try:
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # the function is gone

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
