"""Emitters against the real thing: a pipe, a kill in the next instruction, other writers, and the packages they write through."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from serverless_guard import emitters
from serverless_guard.emitters import stdout

EVENT = {"level": "ERROR", "timestamp": "2026-11-24T22:00:00.000Z", "message": "SQL injection", "metadata": {"uid": "01JDE9V6QZ3E0Z3J9M9N0C7T4B"}}

WRITER = """
    import os, signal, sys, threading
    from types import SimpleNamespace
    from serverless_guard import telemetry
    from serverless_guard.values import Finding, Verdict

    def tell(index):
        finding = Finding("SG-SQL-001", "sqli", "SQL injection", f"body.items[{index}]", detail="x" * (index * 37 % 380), sample="' OR 1=1--")
        facts = telemetry.facts(SimpleNamespace(aws_request_id=f"{os.getpid()}-{threading.get_ident()}-{index}"), {}, "sqs")
        telemetry.tell(Verdict("refuse", findings=(finding,)), {"sqli": "block"}, facts)
"""


def python(code: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, timeout=60, **options)


@pytest.fixture
def pipe(monkeypatch):
    """Standard output as a pipe; the reading end."""
    read, write = os.pipe()
    monkeypatch.setattr(stdout, "FD", write)
    yield read, write
    for fd in (read, write):
        os.close(fd)


def test_every_member_of_the_table_connects_by_its_name():
    assert emitters.names()[0] == "stdout"
    for name in emitters.names():
        assert callable(emitters.connect(name, {})), name
    with pytest.raises(KeyError):
        emitters.connect("nowhere", {})


def test_an_event_is_one_line(pipe):
    stdout.connect({})(EVENT)
    assert os.read(pipe[0], 9999) == json.dumps(EVENT, separators=(",", ":")).encode() + b"\n"


def test_an_event_that_is_not_of_the_guard_is_bounded_too(pipe):
    stdout.connect({})(EVENT | {"message": "x\n\u2028\ud800" * 5000})
    line = os.read(pipe[0], 99999)
    told = json.loads(line)
    assert len(line) <= 4096 and line.count(b"\n") == 1 and line.isascii()
    assert told["truncated"] is True and told["uid"] == EVENT["metadata"]["uid"] and told["level"] == "ERROR"


def test_a_line_of_exactly_the_bound_is_written_whole(pipe):
    event = EVENT | {"fill": ""}
    event["fill"] = "x" * (4095 - len(json.dumps(event, separators=(",", ":"))))
    stdout.connect({})(event)
    line = os.read(pipe[0], 99999)
    assert len(line) == 4096 and json.loads(line) == event


def test_a_full_pipe_that_does_not_block_is_waited_for_a_moment_and_no_longer(pipe):
    read, write = pipe
    os.set_blocking(write, False)
    emit = stdout.connect({})
    with pytest.raises(BlockingIOError):
        for _ in range(10_000):
            emit(EVENT)
    os.set_blocking(read, False)
    drainer = threading.Timer(0.02, os.read, (read, 65536))
    drainer.start()
    emit(EVENT)
    drainer.join()


def test_short_writes_go_on_where_they_ended(monkeypatch, pipe):
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data[:7])))
    stdout.connect({})(EVENT)
    assert json.loads(os.read(pipe[0], 9999)) == EVENT


def test_a_line_that_was_cut_does_not_spoil_the_next(monkeypatch, pipe):
    real, calls = os.write, []

    def stuck(fd, data):
        calls.append(data)
        if len(calls) == 1:
            return real(fd, bytes(data[:10]))
        raise BlockingIOError(errno.EAGAIN, "full")

    emit = stdout.connect({})
    monkeypatch.setattr(os, "write", stuck)
    with pytest.raises(OSError, match="a line was cut"):
        emit(EVENT)
    monkeypatch.setattr(os, "write", real)
    emit(EVENT)
    cut, whole = os.read(pipe[0], 9999).splitlines()
    assert len(cut) == 10 and json.loads(whole) == EVENT


def test_an_interrupted_write_is_made_again(monkeypatch, pipe):
    real, calls = os.write, []

    def interrupted(fd, data):
        calls.append(1)
        if len(calls) < 3:
            raise InterruptedError
        return real(fd, data)

    monkeypatch.setattr(os, "write", interrupted)
    stdout.connect({})(EVENT)
    assert json.loads(os.read(pipe[0], 9999)) == EVENT


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_eight_of_eight_lines_survive_a_kill_in_the_next_instruction():
    code = WRITER + "    tell(1)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    for _ in range(8):
        done = python(code)
        assert done.returncode == -signal.SIGKILL
        assert [json.loads(line)["action"] for line in done.stdout.splitlines()] == ["Denied"], done.stderr


MANY = (
    WRITER
    + """
    for _ in range(3):
        if os.fork() == 0:
            break
    threads = [threading.Thread(target=lambda: [tell(index) for index in range(25)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        os.wait(), os.wait(), os.wait()
    except ChildProcessError:
        pass
"""
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_no_line_is_torn_by_four_processes_of_eight_threads(kind):
    # a socket is what the workers of Lambda Managed Instances have as standard output
    if kind == "pipe":
        read, write = os.pipe()
    else:
        one, other = socket.socketpair()
        read, write = one.detach(), other.detach()
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(MANY)], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    with open(read, "rb") as stream:
        lines = stream.read().splitlines()
    errors = process.communicate(timeout=60)[1]
    assert len(lines) == 4 * 8 * 25, errors
    events = [json.loads(line) for line in lines]
    assert len({event["metadata"]["uid"] for event in events}) == len(lines)
    assert max(event["metadata"]["sequence"] for event in events) == 200


def test_a_line_takes_no_time_to_speak_of(pipe):
    emit = stdout.connect({})
    started = time.perf_counter()
    for _ in range(50):
        emit(EVENT)
    assert time.perf_counter() - started < 0.5
