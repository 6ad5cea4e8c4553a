"""Ways round the guard: each is either blocked, or listed as open with its reason.

Every row is code that a handler might run to reach `HOST:PORT`, a loopback port that its policy does not declare. The truth is
whether the other side of the port was reached, not what exception there was.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator

import pytest
from armed import run

SEND = "s = socket.socket(); s.connect((HOST, PORT))"

BLOCKED = {
    "plain connect": SEND,
    "connect_ex": "socket.socket().connect_ex((HOST, PORT))",
    "create_connection": "socket.create_connection((HOST, PORT), 2)",
    "decimal address": "socket.socket().connect(('2130706433', PORT))",
    "octal address": "socket.socket().connect(('0177.0.0.1', PORT))",
    "hexadecimal address": "socket.socket().connect(('0x7f.0x0.0x0.0x1', PORT))",
    "short address": "socket.socket().connect(('127.1', PORT))",
    "zero address": "socket.socket().connect(('0.0.0.0', PORT))",
    "empty address": "socket.socket().connect(('', PORT))",
    "another loopback address": "socket.socket().connect(('127.0.0.2', PORT))",
    "name of loopback": "socket.socket().connect(('localhost', PORT))",
    "name in capitals": "socket.socket().connect(('LocalHost', PORT))",
    "full-width digits": "socket.socket().connect(('１２７.0.0.1', PORT))",
    "ideographic dots": "socket.socket().connect(('127。0。0。1', PORT))",
    "bytes": "socket.socket().connect((HOST.encode(), PORT))",
    "bytearray": "socket.socket().connect((bytearray(HOST.encode()), PORT))",
    "IPv4 in IPv6": "socket.socket(10).connect(('::ffff:127.0.0.1', PORT))",
    "IPv4 in IPv6 in hexadecimal": "socket.socket(10).connect(('::ffff:7f00:1', PORT, 0, 0))",
    "a string that lies": """
class Lying(str):
    def __str__(self): return '203.0.113.5'
    def __hash__(self): return hash('203.0.113.5')
    def __eq__(self, other): return True
    def encode(self, *args): return b'203.0.113.5'
    def isascii(self): return True
    __class__ = str
socket.socket().connect((Lying(HOST), PORT))""",
    "a string that lies about its class": """
class Lying(str):
    __class__ = str
    def isascii(self): return True
    def encode(self, *args): return HOST.encode()
    def __len__(self): return 11
    removesuffix = lower = lambda self, *args: '203.0.113.5'
    def __contains__(self, other): return False
    def __hash__(self): return hash('203.0.113.5')
    def __eq__(self, other): return True
for text in (HOST, '203.0.113.５'):
    try: socket.socket().connect((Lying(text), PORT))
    except Exception: pass""",
    "a port that lies about its class": """
class Lying(int):
    __class__ = int
    def __le__(self, other): return True
    def __ge__(self, other): return True
    def __eq__(self, other): return True
    def __hash__(self): return 443
socket.socket().connect((HOST, Lying(PORT)))""",
    "bytes that lie": """
class Lying(bytes):
    __class__ = bytes
    def decode(self, *args): return '203.0.113.5'
socket.socket().connect((Lying(HOST.encode()), PORT))""",
    "a tuple that lies": """
class Lying(tuple):
    def __getitem__(self, index): return ('203.0.113.5', 443)[index]
    def __iter__(self): return iter(('203.0.113.5', 443))
    def __len__(self): return 0
socket.socket().connect(Lying((HOST, PORT)))""",
    "a port that changes": """
class Changing:
    asked = 0
    def __index__(self):
        Changing.asked += 1
        return 443 if Changing.asked == 1 else PORT
socket.socket().connect(('203.0.113.5' if False else HOST, Changing()))""",
    "a number that lies": """
class Lying(int):
    def __int__(self): return 443
    def __index__(self): return 443
    def __eq__(self, other): return True
    def __hash__(self): return hash(443)
socket.socket().connect((HOST, Lying(PORT)))""",
    "a socket that lies about its family": """
class Lying(socket.socket):
    family = property(lambda self: 1)
    type = property(lambda self: 2)
Lying().connect((HOST, PORT))""",
    "a socket by its number": "a = socket.socket(); socket.socket(fileno=a.fileno()).connect((HOST, PORT))",
    "the C class": "import _socket; _socket.socket().connect((HOST, PORT))",
    "the C method of a Python socket": "import _socket; _socket.socket.connect(socket.socket(), (HOST, PORT))",
    "a class of its own over C": "import _socket\nclass Mine(_socket.socket): pass\nMine(2, 1).connect((HOST, PORT))",
    "datagram by sendto": "socket.socket(2, 2).sendto(b'x', (HOST, PORT))",
    "datagram by sendto with flags": "socket.socket(2, 2).sendto(b'x', 0, (HOST, PORT))",
    "datagram by sendmsg": "socket.socket(2, 2).sendmsg([b'x'], [], 0, (HOST, PORT))",
    "connected datagram": "s = socket.socket(2, 2); s.connect((HOST, PORT)); s.send(b'x')",
    "fast open": "s = socket.socket(); s.sendto(b'x', 0x20000000, (HOST, PORT))",
    "raw socket": "socket.socket(2, 3, 1)",
    "packet socket": "socket.socket(17, 3)",
    "netlink socket": "socket.socket(16, 3)",
    "thread": "t = threading.Thread(target=attack, args=(HOST, PORT)); t.start(); t.join()",
    "low-level thread": "import _thread, time; _thread.start_new_thread(attack, (HOST, PORT)); time.sleep(0.3)",
    "timer": "t = threading.Timer(0, attack, (HOST, PORT)); t.start(); t.join()",
    "executor": "from concurrent.futures import ThreadPoolExecutor; ThreadPoolExecutor(1).submit(attack, HOST, PORT).result()",
    "an empty context": "import contextvars; contextvars.Context().run(attack, HOST, PORT)",
    "its own context unset": "shield._current.set(None); attack(HOST, PORT)",
    "event loop": "import asyncio; asyncio.run(asyncio.open_connection(HOST, PORT))",
    "event loop by name": "import asyncio; asyncio.run(asyncio.open_connection('localhost', PORT))",
    "event loop over a socket": """
import asyncio
async def main():
    s = socket.socket(); s.setblocking(False)
    await asyncio.get_running_loop().sock_connect(s, (HOST, PORT))
asyncio.run(main())""",
    "datagram endpoint": """
import asyncio
async def main():
    await asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(HOST, PORT))
asyncio.run(main())""",
    "fork": "pid = os.fork()\nif pid == 0:\n    try: attack(HOST, PORT)\n    finally: os._exit(0)\nos.waitpid(pid, 0)",
    "multiprocessing by fork": "import multiprocessing; p = multiprocessing.get_context('fork').Process(target=attack, args=(HOST, PORT)); p.start(); p.join()",
    "finalizer": "class Last:\n    def __del__(self): attack(HOST, PORT)\nLast()",
    "trace function": "sys.settrace(lambda *args: attack(HOST, PORT)); (lambda: 0)(); sys.settrace(None)",
    "signal handler": "import signal; signal.signal(signal.SIGALRM, lambda *args: attack(HOST, PORT)); signal.raise_signal(signal.SIGALRM)",
    "swallowed and tried again": "for _ in range(3):\n    try: attack(HOST, PORT)\n    except Exception: pass",
    "a finally that tries again": "try: attack(HOST, PORT)\nfinally: attack(HOST, PORT)",
    "a hook of its own": "sys.addaudithook(lambda *args: None); attack(HOST, PORT)",
    "builtins swapped": "import builtins; builtins.isinstance = lambda *args: False; builtins.len = lambda value: 0; attack(HOST, PORT)",
    "globals of the guard swapped": """
from serverless_guard.sinks import network
shield._hook = shield._refuse = shield._live = shield._grants = None
network.read = network.judge = network.judge_address = hosts.read = hosts.kind = hosts.name_rule = hosts.address_rule = lambda *args: None
attack(HOST, PORT)""",
    "error class swapped": "import serverless_guard.errors as e; e.ActionBlocked = shield.ActionBlocked = None; attack(HOST, PORT)",
    "guard reloaded": "import importlib; importlib.reload(shield); attack(HOST, PORT)",
    "guard imported anew": "del sys.modules['serverless_guard.shield']; import serverless_guard.shield; attack(HOST, PORT)",
    "guard armed again": "shield.arm({}); attack(HOST, PORT)",
    "invocation ended by hand": "shield.leave(shield._current.get()); attack(HOST, PORT)",
    "list of invocations emptied": "shield._live.clear(); attack(HOST, PORT)",
    "a wider invocation inside": "shield.enter(Invocation(['127.0.0.1:*'])); attack(HOST, PORT)",
    "an allowance made on the spot": "\nwith shield.Allowance('127.0.0.1:*'): attack(HOST, PORT)",
    "an event of the guard's own forged": "sys.audit('serverless_guard.http', 'GET', 'http', HOST, PORT, '/'); attack(HOST, PORT)",
    "the guard's own door": "\nwith shield.Aside(): attack(HOST, PORT)",
    "an AWS call forged": "import serverless_guard.sinks as k; k.calling.set((HOST, PORT)); attack(HOST, PORT)",
    "modes of the invocation changed": "made.modes['egress'] = 'off'; attack(HOST, PORT)",
    "rules of the invocation dropped": "made.egress = None; attack(HOST, PORT)",
    "a name server that lies": "socket.getaddrinfo = lambda *a: [(2, 1, 6, '', (HOST, PORT))]; socket.create_connection(('declared.example', PORT))",
    "listening and being called": "s = socket.socket(); s.bind(('0.0.0.0', 0)); s.connect((HOST, PORT))",
    "http.client": "import http.client; http.client.HTTPConnection(HOST, PORT).request('GET', '/')",
    "urllib": "import urllib.request; urllib.request.urlopen(f'http://{HOST}:{PORT}')",
    "urllib by way of a proxy": "import urllib.request as u; u.build_opener(u.ProxyHandler({'http': f'http://{HOST}:{PORT}'})).open('http://declared.example/')",
    "ftplib": "import ftplib; ftplib.FTP().connect(HOST, PORT, 2)",
    "smtplib": "import smtplib; smtplib.SMTP(HOST, PORT)",
    "xmlrpc": "import xmlrpc.client; xmlrpc.client.ServerProxy(f'http://{HOST}:{PORT}').x()",
    "logging handler": "import logging, logging.handlers as h; x = h.SocketHandler(HOST, PORT); x.createSocket()",
}
if sys.platform == "linux":
    BLOCKED["a local socket that nobody listed"] = "socket.socket(1).connect('/tmp/not-listed.sock')"

OPEN = {
    # way round: (code, why it is open)
    "another program": (
        "import subprocess; subprocess.run([sys.executable, '-c', f'import socket; socket.create_connection((\"{HOST}\", {PORT}))'])",
        "a child process has no guard; child processes are a control of their own",
    ),
    "native code": (
        """
import ctypes, struct
libc = ctypes.CDLL(None)
s = socket.socket()
libc.connect(s.fileno(), struct.pack('=HH4s8x', 2, socket.htons(PORT), socket.inet_aton(HOST)), 16)""",
        "native code raises no audit event",
    ),
    "a connection opened at start": ("before.send(b'x'); made_at_start()", "start-up is not refused, and a connection that is open stays open"),
    "defaults of the hook replaced": (
        "shield._hook.__defaults__ = (frozenset(), *shield._hook.__defaults__[1:]); attack(HOST, PORT)",
        "Python written to defeat this very guard; a veto on `object.__setattr__` belongs to the guard's self-protection",
    ),
    "state of the guard emptied": ("shield._live.clear(); shield._last.clear(); shield._current.set(None); attack(HOST, PORT)", "as above"),
    "an entry forged": ("made.egress.allow[3][hosts.read(HOST)] = ((PORT, PORT, 3, False, 'x', ()),); attack(HOST, PORT)", "as above"),
    "the guard's own door in a thread": (
        "def through():\n    with shield.Aside(): attack(HOST, PORT)\nt = threading.Thread(target=through); t.start(); t.join()",
        "a thread without context may be the guard's own, beside another invocation",
    ),
    "a wider invocation in a thread": (
        "t = threading.Thread(target=lambda: (shield.enter(Invocation(['127.0.0.1:*'])), attack(HOST, PORT))); t.start(); t.join()",
        "a thread without context may be a new invocation",
    ),
}

FRAME = """
import socket, threading
before = socket.create_connection((HOST, PORT)) if AT_START else None
def made_at_start():
    pass
def attack(host, port):
    socket.socket().connect((host, port))
with invocation(["declared.example", "203.0.113.5"]) as made:
    came_of_it = outcome(exec, CODE, globals())
tell(outcome=came_of_it, noted=[finding.rule for finding in made.attempts])
"""


class Listener:
    """Counts who gets through to a loopback port, by stream or by datagram."""

    def __init__(self) -> None:
        self.stream = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port: int = self.stream.getsockname()[1]
        self.datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagram.bind(("127.0.0.1", self.port))
        self.datagram.settimeout(0.05)
        self.reached = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                caller = self.stream.accept()[0]
            except OSError:
                return
            self.reached += 1
            caller.close()

    def count(self) -> int:
        """How many got through."""
        with socket.create_connection(("127.0.0.1", self.port)) as own:  # the last one in the queue
            own.recv(1)  # its end: those before it are counted
        try:
            while self.datagram.recv(100):
                self.reached += 1
        except TimeoutError:
            pass
        return self.reached - 1


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.stream.close()
    made.datagram.close()


@pytest.mark.parametrize("way", BLOCKED)
def test_a_way_round_is_blocked(way: str, listener: Listener) -> None:
    told = run(FRAME, HOST="127.0.0.1", PORT=listener.port, CODE=BLOCKED[way], AT_START=False)
    assert told["noted"] or "fork" in way or told["outcome"] == "GuardError", told["outcome"]  # what a child process notes stays there
    assert listener.count() == 0


@pytest.mark.parametrize("way", OPEN)
def test_a_way_round_that_is_listed_as_open_is_open(way: str, listener: Listener) -> None:
    code, reason = OPEN[way]
    told = run(FRAME, HOST="127.0.0.1", PORT=listener.port, CODE=code, AT_START="at start" in way)
    assert reason
    assert told["noted"] == []
    assert listener.count() > 0


def test_the_attack_suite_has_its_size() -> None:
    assert len(BLOCKED) + len(OPEN) >= 60
