"""Real HTTP and AWS clients under the shield, against servers on loopback: allowed, refused by name, refused by address.

What each lets its user see of a refusal is part of the contract: a RuntimeError that is no OSError comes through raw, once, in
all clients but two, whose rows say so.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from armed import run

CLIENTS = {
    # client: (code that defines fetch(url) -> body, what a refused name looks like, what a refused address looks like)
    "urllib": ("import urllib.request\ndef fetch(url): return urllib.request.urlopen(url, timeout=5).read().decode()", "ActionBlocked", "ActionBlocked"),
    "http.client": (
        """
import http.client
from urllib.parse import urlsplit
def fetch(url):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    connection.request("GET", parts.path)
    return connection.getresponse().read().decode()""",
        "ActionBlocked",
        "ActionBlocked",
    ),
    "urllib3": ("import urllib3\ndef fetch(url): return urllib3.PoolManager().request('GET', url).data.decode()", "ActionBlocked", "ActionBlocked"),
    "requests": ("import requests\ndef fetch(url): return requests.get(url, timeout=5).text", "ActionBlocked", "ActionBlocked"),
    "requests session": ("import requests\ns = requests.Session()\ndef fetch(url): return s.get(url, timeout=5).text", "ActionBlocked", "ActionBlocked"),
    "httpx": ("import httpx\ndef fetch(url): return httpx.get(url, timeout=5).text", "ActionBlocked", "ActionBlocked"),
    "httpx async": (
        """
import asyncio, httpx
def fetch(url):
    async def main():
        async with httpx.AsyncClient(timeout=5) as client:
            return (await client.get(url)).text
    return asyncio.run(main())""",
        "ActionBlocked",
        "ExceptionGroup > ActionBlocked",  # anyio races the addresses of a host in a task group
    ),
    "asyncio streams": (
        """
import asyncio
from urllib.parse import urlsplit
def fetch(url):
    async def main():
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(f"GET {parts.path} HTTP/1.0\\r\\n\\r\\n".encode())
        answer = await reader.read()
        writer.close()
        return answer.partition(b"\\r\\n\\r\\n")[2].decode()
    return asyncio.run(main())""",
        "ActionBlocked",
        "ActionBlocked",
    ),
    "a thread pool of requests": (
        """
import requests
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(2)
def fetch(url): return pool.submit(requests.get, url, timeout=5).result().text""",
        "ActionBlocked",
        "ActionBlocked",
    ),
    "asyncio.to_thread": (
        "import asyncio, urllib.request\ndef fetch(url): return asyncio.run(asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=5).read().decode()))",
        "ActionBlocked",
        "ActionBlocked",
    ),
}

THROUGH = """
{client}
def asked(url):
    global body
    body = None
    def act():
        global body
        body = fetch(url)
    return [outcome(act), body]
with invocation(["localhost:" + str(PORT)]) as made:
    tell(name=asked(f"http://localhost:{{PORT}}/ok"), address=asked(f"http://127.0.0.1:{{PORT}}/ok"), clean=len(made.attempts))
with invocation(["127.0.0.1:" + str(PORT)]) as made:
    tell(by_address=asked(f"http://localhost:{{PORT}}/ok"))
with invocation(["declared.example"]) as made:
    tell(refused_name=asked(f"http://undeclared.example:{{PORT}}/no")[0], refused_address=asked(f"http://127.0.0.1:{{PORT}}/no")[0])
    tell(noted=[[finding.rule, finding.target] for finding in made.attempts])
with invocation() as made:
    tell(open=asked(f"http://127.0.0.1:{{PORT}}/ok"), metadata=asked("http://169.254.169.254/latest/meta-data/")[0], decimal=asked("http://2852039166/")[0])
    tell(metadata_noted=[finding.rule for finding in made.attempts])
"""


class Handler(BaseHTTPRequestHandler):
    """Answers `ok`, sends on from /redirect, and notes the paths that came."""

    asked: list[str] = []  # noqa: RUF012  # of the class: the server makes an instance a request

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.startswith("/redirect/"):
            self.send_response(302)
            self.send_header("Location", "http://" + self.path.removeprefix("/redirect/"))
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture(scope="module")
def aws() -> Iterator[int]:
    """The port of moto's server."""
    pytest.importorskip("moto")
    port = free_port()
    command = [sys.executable, "-c", f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    yield port
    server.kill()
    server.wait()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_is_let_through_or_refused(client: str, port: int) -> None:
    pytest.importorskip(client.split()[0] if client.startswith(("httpx", "requests", "urllib3")) else "json")
    code, refused_name, refused_address = CLIENTS[client]
    Handler.asked.clear()
    told = run(THROUGH.format(client=code), PORT=port)
    assert told["name"] == told["by_address"] == told["open"] == ["ok", "ok"]
    assert told["address"] == ["ok", "ok"]
    assert told["clean"] == 0
    assert told["refused_name"] == refused_name
    assert told["refused_address"] == told["metadata"] == refused_address
    assert told["decimal"].endswith("ActionBlocked")
    assert told["noted"] == [["SG-EGR-001", f"undeclared.example:{port}"], ["SG-EGR-002", f"127.0.0.1:{port}"]]
    assert set(told["metadata_noted"]) == {"SG-EGR-003"}
    assert "/no" not in Handler.asked


@pytest.mark.parametrize("client", ["urllib", "requests", "urllib3", "httpx"])
def test_a_redirect_to_an_undeclared_host_is_refused(client: str, port: int) -> None:
    pytest.importorskip(client if client != "urllib" else "json")
    code = CLIENTS[client][0].replace("timeout=5).text", "timeout=5, follow_redirects=True).text") if client == "httpx" else CLIENTS[client][0]
    told = run(
        f"{code}\n"
        """
with invocation(["localhost:" + str(PORT)]):
    tell(name=outcome(fetch, f"http://localhost:{PORT}/redirect/undeclared.example/"), metadata=outcome(fetch, f"http://localhost:{PORT}/redirect/169.254.169.254/x"))
    tell(declared=outcome(fetch, f"http://localhost:{PORT}/redirect/localhost:{PORT}/ok"))
""",
        PORT=port,
    )
    assert told == {"name": "ActionBlocked", "metadata": "ActionBlocked", "declared": "ok"}


def test_a_proxy_must_be_declared_itself(port: int) -> None:
    code = "import os; os.environ['http_proxy'] = f'http://127.0.0.1:{PORT}'\n" + CLIENTS["urllib"][0]
    told = run(
        f"{code}\n"
        """
with invocation(["declared.example:80"]):
    tell(undeclared=outcome(fetch, "http://declared.example/"))
with invocation([f"127.0.0.1:{PORT}"]):
    tell(declared=outcome(fetch, "http://declared.example/"))
""",
        PORT=port,
    )
    assert told == {"undeclared": "ActionBlocked", "declared": "ok"}


@pytest.mark.parametrize("retries", ["legacy", "standard", "adaptive"])
def test_boto3_is_let_through_or_refused(aws: int, retries: str) -> None:
    pytest.importorskip("boto3")
    told = run(
        """
        import boto3
        from botocore.config import Config
        def client(host):
            return boto3.client("sqs", endpoint_url=f"http://{host}:{PORT}", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b",
                config=Config(retries={"mode": MODE}))
        with invocation([f"127.0.0.1:{PORT}"]) as made:
            tell(ok=outcome(client("127.0.0.1").list_queues), clean=len(made.attempts))
        with invocation(["declared.example"]) as made:
            tell(address=outcome(client("127.0.0.1").list_queues), name=outcome(client("undeclared.example").list_queues))
            tell(noted=[finding.rule for finding in made.attempts])
        with invocation() as made:
            credentials = boto3.Session()._session.get_component("credential_provider").get_provider("iam-role")
            tell(metadata=outcome(credentials.load), metadata_noted=sorted({finding.rule for finding in made.attempts}))
        """,
        PORT=aws,
        MODE=retries,
    )
    assert told["ok"] == "ok"
    assert told["clean"] == 0
    assert told["noted"] == ["SG-EGR-002", "SG-EGR-001"]
    # botocore wraps what its HTTP client raises and tries again; the invocation knows
    assert told["address"] == told["name"] == "HTTPClientError"
    assert told["metadata_noted"] == ["SG-EGR-003"]
