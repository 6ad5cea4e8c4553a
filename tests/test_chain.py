"""The chain of a process: whatever happens to a line of a log shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import ocsf as validator
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_telemetry import BLOCK, CONTEXT, SQLI, written

from serverless_guard import chain, telemetry
from serverless_guard.policy import Policy
from serverless_guard.values import Verdict


def log(count: int, secret: str = "", renewed: bool = True) -> list[str]:
    """The lines of a process that told of `count` findings, two an invocation."""
    if renewed:
        telemetry.renew()
    environ = {"SERVERLESS_GUARD_CHAIN_KEY": secret} if secret else {}
    with written() as box:
        for index in range(0, count, 2):
            facts = telemetry.facts(CONTEXT, environ, "sqs", None, Policy())._replace(request_id=f"r-{index}")
            telemetry.tell(Verdict("refuse", findings=(SQLI, SQLI)[: count - index]), BLOCK, facts)
    return box[0].decode().splitlines()


LINES = log(12)
NAME = json.loads(LINES[0])["unmapped"][chain.CHAIN]


def kinds(lines, key=b"", heads=None) -> list[tuple[str, int]]:
    return [(problem.kind, problem.sequence) for problem in chain.verify(lines, key, heads).problems]


def test_an_untouched_log_is_whole():
    report = chain.verify(LINES)
    assert report.problems == () and (report.events, report.unchained) == (12, 0)
    (one,) = report.chains
    assert (one.id, one.first, one.last, one.lines, one.function) == (NAME, 1, 12, 12, "checkout")
    assert one.head == json.loads(LINES[-1])["unmapped"][chain.HASH] and one.began <= one.ended
    assert all(validator.problems(json.loads(line)) == [] for line in LINES)
    assert max(len(line) for line in LINES) < 2600


def test_each_line_names_the_hash_of_the_line_before():
    links = [json.loads(line)["unmapped"] for line in LINES]
    assert links[0][chain.PREVIOUS] == ""
    assert [link[chain.PREVIOUS] for link in links[1:]] == [link[chain.HASH] for link in links[:-1]]


def test_the_order_of_the_lines_in_the_log_does_not_matter():
    assert kinds(LINES[::-1]) == [] and kinds(LINES[6:] + LINES[:6]) == []


@pytest.mark.parametrize("gone", range(11))
def test_a_missing_line_is_named(gone):
    assert kinds(LINES[:gone] + LINES[gone + 1 :]) == [("missing", gone + 1)]


def test_a_gap_is_named_once():
    (problem,) = chain.verify(LINES[:3] + LINES[9:]).problems
    assert problem.message == f"6 lines of chain {NAME} are missing, 4 to 9"


def test_missing_last_lines_show_by_a_head_that_was_kept():
    report = chain.verify(LINES)
    heads = {one.id: (one.last, one.head) for one in report.chains}
    assert kinds(LINES[:10]) == [] and kinds(LINES[:10], heads=heads) == [("cut", 11)]
    assert kinds(LINES, heads=heads) == []
    assert kinds(LINES, heads={NAME: (12, "f" * 32)}) == [("conflicting", 12)]
    assert kinds([], heads=heads) == [("cut", 1)]


def test_a_repeated_line_is_named():
    (problem,) = chain.verify([*LINES, LINES[4]]).problems
    assert (problem.kind, problem.sequence, problem.line) == ("repeated", 5, 13)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"level":"ERROR"', '"level":"INFO"'),
        ('"action_id":2', '"action_id":1'),
        ('"level":"ERROR"', '"level":"INFO","level":"ERROR"'),
        ("SG-SQL-001", "SG-SQL-002"),
        ('"len":10', '"len":11'),
        ("body.note", "body.nota"),
    ],
)
def test_an_edited_line_is_named(old, new):
    edited = [*LINES[:5], LINES[5].replace(old, new, 1), *LINES[6:]]
    assert edited != LINES and kinds(edited) == [("edited", 6)]


def test_an_edited_copy_beside_the_line_is_named():
    assert kinds([*LINES, LINES[5].replace("ERROR", "INFO")]) == [("conflicting", 6)]
    assert kinds([LINES[5].replace("ERROR", "INFO"), *LINES]) == [("conflicting", 6)]


def test_a_line_sealed_anew_does_not_fit_its_neighbours():
    forged = json.loads(LINES[5].replace("ERROR", "INFO"))
    forged["unmapped"][chain.HASH] = chain.ZERO
    text, _ = chain.seal(json.dumps(forged, separators=(",", ":")))
    assert kinds([*LINES[:5], text, *LINES[6:]]) == [("unlinked", 7)]


def test_with_a_key_nobody_without_it_can_seal_a_line():
    lines = log(6, "a key")
    key = chain.key("a key")
    assert kinds(lines, key) == []
    assert kinds(lines) == kinds(lines, chain.key("another")) == [("key", 1)]
    forged = json.loads(lines[2].replace("ERROR", "INFO"))
    forged["unmapped"][chain.HASH] = chain.ZERO
    text, _ = chain.seal(json.dumps(forged, separators=(",", ":")))
    assert kinds([*lines[:2], text, *lines[3:]], key) == [("edited", 3)]


def test_what_log_services_do_to_a_line_does_not_break_it():
    before = [f"2026-11-24T22:00:00.000Z\t8f0c1f2e\t{line}" for line in LINES]
    spaced = [json.dumps(json.loads(line), indent=None, separators=(", ", ": ")) for line in LINES]
    assert kinds(before) == kinds(spaced) == kinds([line + "\r" for line in LINES]) == []


def test_other_lines_are_passed_over():
    noise = [
        "START RequestId: 1",
        "",
        "{}",
        '{"serverless_guard": 1, "metadata": 2}',
        '{"metadata": {"log_provider": "serverless_guard',
        "[" * 5000,
        LINES[0][:-9],
    ]
    report = chain.verify([*noise, LINES[0][:-9], *LINES])
    assert report.problems == () and report.events == 12


def test_each_process_has_a_chain_of_its_own():
    lines = [*log(3), *log(3), *log(4, renewed=False)]
    report = chain.verify(lines)
    assert report.problems == () and sorted(one.lines for one in report.chains) == [3, 7]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_starts_a_new_chain():
    code = """
        import os
        from serverless_guard import telemetry
        from serverless_guard.values import Finding, Verdict
        def tell():
            telemetry.tell(Verdict("refuse", findings=(Finding("SG-SQL-001", "sqli", "SQL injection"),)), {"sqli": "block"}, telemetry.facts(None, {}))
        tell()
        if os.fork() == 0:
            tell(); tell()
        else:
            os.wait(); tell()
    """
    lines = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True).stdout.splitlines()
    report = chain.verify(lines)
    assert report.problems == () and [one.lines for one in report.chains] == [2, 2]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 11), st.integers(0, 10_000), st.characters(min_codepoint=32, max_codepoint=126))
def test_no_single_changed_character_goes_unseen(line, place, character):
    text = LINES[line]
    place %= len(text)
    changed = text[:place] + character + text[place + 1 :]
    if changed == text:
        return
    report = chain.verify([*LINES[:line], changed, *LINES[line + 1 :]])
    assert report.problems or (line == 11 and report.events == 11)  # a last line that no longer reads as one: only a head shows that


pieces = st.builds(lambda start, end: LINES[0][start:end], st.integers(0, 300), st.integers(300, 3000))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text(max_size=60) | st.sampled_from(LINES) | st.builds(lambda a, b: LINES[0][a:b], st.integers(0, 300), st.integers(300, 3000)), max_size=20)
)
def test_no_log_fails_the_verifier(lines):
    chain.verify(lines)


def test_a_hundred_thousand_lines_are_a_matter_of_seconds():
    import time

    started = time.perf_counter()
    chain.verify(LINES * 100)
    assert (time.perf_counter() - started) * 83 < 60
