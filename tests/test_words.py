"""What detectors share: how a shell reads a command, what padding is, when a pattern is compiled."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_guard.detectors import Evidence
from serverless_guard.words import commandline, padding
from serverless_guard.words.patterns import pattern

COMMANDS = {
    "cat /tmp/a": (["cat", "/tmp/a"], False),
    "c'a't /tmp/a": (["cat", "/tmp/a"], True),
    "ca''t /tmp/a": (["cat", "/tmp/a"], True),
    "c\\at /tmp/a": (["cat", "/tmp/a"], True),
    "ca$@t /tmp/a": (["cat", "/tmp/a"], True),
    "ca${x}t /tmp/a": (["cat", "/tmp/a"], True),
    "c^a^t a": (["cat", "a"], True),
    "{cat,/tmp/a}": (["cat", "/tmp/a}"], False),
    "cat</tmp/a": (["cat", "</tmp/a"], False),
    "cat /tmp/a; ls": (["cat", "/tmp/a"], False),
    "cat 'a b' c": (["cat", "'a b", "c"], False),
    "": ([], False),
}
WILD = {
    "/e?c/p?sswd": True,
    "/etc/pass*": True,
    "/bin/l[a-z]": True,
    "/???/c?t": True,
    "/home/*/a": False,
    "src/**/*.py": False,
    "/a/b?c=d": False,
    "[a](b/c)": False,
}
PADDED = {
    "A" * 300 + "; ls": "; ls",
    "; ls" + "A" * 300: "; ls",
    "x" + " " * 300 + "; ls": "x ; ls",
    "a short text": "a short text",
}


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_is_read_as_a_shell_reads_it(line: str) -> None:
    words, _, spliced, _ = commandline.words(line, 0)
    assert (words, spliced) == COMMANDS[line]


@pytest.mark.parametrize("path", WILD)
def test_wildcards_that_spell_a_system_path_are_told_from_others(path: str) -> None:
    assert commandline.spells_a_system_path(path) is WILD[path]


@pytest.mark.parametrize("text", PADDED)
def test_runs_and_wide_blanks_are_taken_off(text: str) -> None:
    assert padding.trimmed(text) == PADDED[text]


def test_what_follows_many_plain_words_is_looked_at_by_itself() -> None:
    front = "we went to the market and bought some bread and milk for all of us who were at home that day and then "
    assert padding.last_sentence(front + "http://127.0.0.1/") == "http://127.0.0.1/"
    assert padding.last_sentence(front + "`ls` which is a command that lists files and more") == ""


def test_evidence_behind_words_is_low() -> None:
    detect = padding.through_padding(lambda text, where: Evidence("high", "x") if text == "!" * 9 else None)
    assert detect("word " * 80 + "!" * 9, "query") == Evidence("low", "x")


@given(st.text(), st.integers(0, 40))
def test_reading_a_command_never_raises_and_goes_forward(text: str, at: int) -> None:
    at = min(at, len(text))
    words, end, _, _ = commandline.words(text, at)
    assert at <= end <= len(text)
    assert len(words) < 11
    commandline.spells_a_system_path(text)
    assert len(padding.trimmed(text)) <= len(text)


def test_a_pattern_is_compiled_when_it_is_first_used() -> None:
    broken = pattern("(")
    with pytest.raises(re.error):
        broken.search("a")
    assert pattern("b+").sub("", "abba") == "aa"
