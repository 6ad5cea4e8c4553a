"""Real HTTP and AWS clients under the shield, against servers on loopback: allowed, refused by name, refused by address.

What each lets its user see of a refusal is part of the contract: a RuntimeError that is no OSError comes through raw and once.
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
    # client: code that defines fetch(url) -> body
    "urllib": "import urllib.request\ndef fetch(url): return urllib.request.urlopen(url, timeout=5).read().decode()",
    "http.client": """
import http.client
from urllib.parse import urlsplit
def fetch(url):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    connection.request("GET", parts.path)
    return connection.getresponse().read().decode()""",
    "urllib3": "import urllib3\ndef fetch(url): return urllib3.PoolManager().request('GET', url).data.decode()",
    "requests": "import requests\ndef fetch(url): return requests.get(url, timeout=5).text",
    "requests session": "import requests\ns = requests.Session()\ndef fetch(url): return s.get(url, timeout=5).text",
    "httpx": "import httpx\ndef fetch(url): return httpx.get(url, timeout=5).text",
    "httpx async": """
import asyncio, httpx
def fetch(url):
    async def main():
        async with httpx.AsyncClient(timeout=5) as client:
            return (await client.get(url)).text
    return asyncio.run(main())""",
    "asyncio streams": """
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
    "a thread pool of requests": """
import requests
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(2)
def fetch(url): return pool.submit(requests.get, url, timeout=5).result().text""",
    "asyncio.to_thread": """
import asyncio, urllib.request
def fetch(url):
    return asyncio.run(asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=5).read().decode()))""",
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
    code = CLIENTS[client]
    Handler.asked.clear()
    told = run(THROUGH.format(client=code), PORT=port)
    assert told["name"] == told["by_address"] == told["open"] == ["ok", "ok"]
    assert told["address"] == ["ok", "ok"]
    assert told["clean"] == 0
    assert told["refused_name"] == told["refused_address"] == told["metadata"] == told["decimal"] == "ActionBlocked"
    assert told["noted"] == [["SG-EGR-001", f"undeclared.example:{port}"], ["SG-EGR-002", f"127.0.0.1:{port}"]]
    assert set(told["metadata_noted"]) == {"SG-EGR-003"}
    assert "/no" not in Handler.asked


@pytest.mark.parametrize("client", ["urllib", "requests", "urllib3", "httpx"])
def test_a_redirect_to_an_undeclared_host_is_refused(client: str, port: int) -> None:
    pytest.importorskip(client if client != "urllib" else "json")
    code = CLIENTS[client].replace("timeout=5).text", "timeout=5, follow_redirects=True).text") if client == "httpx" else CLIENTS[client]
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


@pytest.mark.parametrize("client", [name for name in CLIENTS if name != "asyncio streams"])
def test_methods_paths_and_forged_hosts(client: str, port: int) -> None:
    pytest.importorskip(client.split()[0] if client.startswith(("httpx", "requests", "urllib3")) else "json")
    Handler.asked.clear()
    told = run(
        f"{CLIENTS[client]}\n"
        """
at = f"http://localhost:{PORT}"
with invocation([f"GET localhost:{PORT}/v1"]) as made:
    tell(got=[outcome(fetch, at + path) for path in ("/v1", "/v1/ok?x=1")], other=[outcome(fetch, at + path) for path in ("/v10", "/v1/%2e%2e/no", "/no", "/")])
    tell(noted=sorted({(finding.rule, finding.target) for finding in made.attempts}))
with invocation([f"POST localhost:{PORT}"]):
    tell(method=refused(fetch, at + "/no"))
with invocation([f"localhost:{PORT}", f"!localhost:{PORT}/no"]):
    tell(denied=refused(fetch, at + "/no/x"), beside=outcome(fetch, at + "/yes"))
""",
        PORT=port,
    )
    assert told["got"] == ["ok", "ok"]
    assert told["other"] == ["ActionBlocked"] * 4
    assert told["noted"] == [["SG-EGR-006", f"127.0.0.1:{port}"]]
    why = f"uses a method or a path that is not declared; its entry is `POST localhost:{port}`"
    assert told["method"] == ["SG-EGR-006", f"outbound call to `127.0.0.1:{port}` {why}"]
    assert told["denied"] == ["SG-EGR-002", f"outbound call to `127.0.0.1:{port}` is denied by the entry `!localhost:{port}/no` of `egress`"]
    assert told["beside"] == "ok"
    assert [path for path in Handler.asked if "no" in path] == []


def test_a_method_that_nobody_knows_is_a_method(port: int) -> None:
    told = run(
        """
        import http.client
        def ask(method):
            connection = http.client.HTTPConnection("localhost", PORT, timeout=5)
            connection.request(method, "/no")
        def by_hand():
            connection = http.client.HTTPConnection("localhost", PORT, timeout=5)
            connection.send(b"DELETE /no HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
        with invocation([f"GET localhost:{PORT}"]) as made:
            tell(got=[outcome(ask, method) for method in ("PROPFIND", "get", "PURGE")], by_hand=outcome(by_hand))
        """,
        PORT=port,
    )
    assert told == {"got": ["ActionBlocked"] * 3, "by_hand": "ActionBlocked"}


def test_a_host_header_of_another_name_is_refused(port: int) -> None:
    told = run(
        """
        import http.client, urllib.request
        def forged(host):
            connection = http.client.HTTPConnection("localhost", str(PORT), timeout=5)  # a port may be a string
            connection.request("GET", "/x", headers={"Host": host})
            connection.getresponse().read()
        with invocation([f"localhost:{PORT}", "fine.example:*"]):
            tell(other=outcome(forged, "undeclared.example"), fine=outcome(forged, "fine.example"), own=outcome(forged, "localhost"))
            tell(body=outcome(urllib.request.urlopen, f"http://localhost:{PORT}", b"GET /x HTTP/1.1\\r\\nHost: undeclared.example\\r\\n\\r\\n"))
        """,
        PORT=port,
    )
    assert told["other"] == "ActionBlocked"
    assert told["fine"] == told["own"] == "ok"
    assert told["body"] == "HTTPError"  # the server knows no POST


def test_the_server_name_of_a_handshake_must_be_declared(port: int) -> None:
    told = run(
        """
        import socket, ssl
        def memory(name):
            ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name)
        def stream(name):
            with socket.create_connection(("localhost", PORT)) as sock:
                ssl.create_default_context().wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
        with invocation([f"localhost:{PORT}", "fine.example"]) as made:
            tell(memory=[outcome(memory, name) for name in ("undeclared.example", "fine.example", "FINE.example.", "localhost", b"undeclared.example")])
            tell(stream=[outcome(stream, name) for name in ("undeclared.example", "fine.example")], noted=sorted({finding.target for finding in made.attempts}))
        with invocation([f"127.0.0.1:{PORT}"]):
            tell(by_address=[outcome(act, "db.internal") for act in (memory, stream)])
        with invocation():
            tell(open=outcome(memory, "undeclared.example"))
        """,
        PORT=port,
    )
    assert told["memory"] == ["ActionBlocked", "ok", "ok", "ok", "ActionBlocked"]
    assert told["stream"] == ["ActionBlocked", "ok"]
    assert told["noted"] == ["undeclared.example"]
    assert told["by_address"] == ["ok", "ok"]
    assert told["open"] == "ok"


def test_a_proxy_and_what_is_behind_it_must_both_be_declared(port: int) -> None:
    code = "import os; os.environ['http_proxy'] = os.environ['https_proxy'] = f'http://127.0.0.1:{PORT}'\n" + CLIENTS["urllib"]
    told = run(
        f"{code}\n"
        """
with invocation(["declared.example:80"]):
    tell(undeclared=outcome(fetch, "http://declared.example/"))
with invocation([f"127.0.0.1:{PORT}"]):
    tell(alone=outcome(fetch, "http://declared.example/"), tunnel=outcome(fetch, "https://undeclared.example/"))
with invocation([f"127.0.0.1:{PORT}", "http://declared.example", "declared.example"]):
    tell(declared=outcome(fetch, "http://declared.example/ok"), through=outcome(fetch, "https://declared.example/"))
""",
        PORT=port,
    )
    assert told == {"undeclared": "ActionBlocked", "alone": "ActionBlocked", "tunnel": "ActionBlocked", "declared": "ok", "through": "URLError"}


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
    assert told["address"] == told["name"] == "ActionBlocked"
    assert told["metadata_noted"] == ["SG-EGR-003"]
