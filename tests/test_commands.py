"""The command line, as a shell sees it: what it prints, what it writes, its exit codes, and one sentence for every mistake."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_guard import PolicyError, commands, loaders, plain, policy, terminal
from serverless_guard.commands import check, explain
from serverless_guard.plan import compile_plan, read_policy

ROOT = Path(__file__).parents[1]
NAMES = tuple(commands.COMMANDS)
APP = """
from serverless_guard import guard

def plain(event, context):
    print("hello from", context.function_name)
    return {"statusCode": 200, "body": "ok"}

@guard(mode="block")
def strict(event, context):
    return {"statusCode": 200, "left": context.get_remaining_time_in_millis() > 0}

async def waiting(event, context):
    return {"statusCode": 200, "body": "waited"}

def failing(event, context):
    raise KeyError("not there")

def leaving(event, context):
    raise SystemExit(3)

def unwritable(event, context):
    return {"value": {1, 2}}

def calling(event, context):
    import urllib.request
    urllib.request.urlopen("http://169.254.169.254/latest/", timeout=1)

handler_of_nothing = 3
"""
INJECTION = "x' UNION SELECT card FROM customers -- "


def http(note: str = "it's fine") -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "POST /orders",
        "rawPath": "/orders",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": "/orders"}, "domainName": "x.execute-api.eu-west-1.amazonaws.com"},
        "body": json.dumps({"note": note}),
        "isBase64Encoded": False,
    }


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a function and two events."""
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "clean.json").write_text(json.dumps(http()))
    (tmp_path / "attack.json").write_text(json.dumps(http(INJECTION)))
    return tmp_path


def run(folder: Path, *argv: str, status: int = 0, given: bytes = b"", **environ: str) -> tuple[str, str]:
    """Standard output and error of `serverless-guard argv` in a folder; that it ends with `status`, and never with a traceback."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(policy.ENV_PREFIX)}
    command = [sys.executable, "-m", "serverless_guard", *argv]
    done = subprocess.run(
        command, cwd=folder, env={**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **environ}, input=given, capture_output=True, timeout=60, check=False
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in out + err
    assert done.returncode == status, out + err
    assert all(len(line) <= 80 for line in out.splitlines() if argv[-1] != "json" and not line.lstrip().startswith('"')), out
    return out, err


def mistake(folder: Path, *argv: str, **more: Any) -> str:
    """The one sentence of a call that ends with exit status 2."""
    out, err = run(folder, *argv, status=2, **more)
    assert out == ""
    assert err.startswith("serverless-guard: ")
    assert err.count("\n") == 1
    return err.removeprefix("serverless-guard: ").strip()


# The way in


def test_without_a_command_the_overview_is_shown_as_a_mistake(tmp_path: Path) -> None:
    out, err = run(tmp_path, status=2)
    assert out == ""
    assert all(name in err for name in NAMES)


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["help"]])
def test_asked_for_help_the_overview_is_the_answer(argv: list[str], tmp_path: Path) -> None:
    out, err = run(tmp_path, *argv)
    assert err == ""
    assert all(f"  {name} " in out for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_teaches_what_it_does_with_an_example_and_its_exit_codes(name: str, tmp_path: Path) -> None:
    out, _ = run(tmp_path, name, "--help")
    assert f"serverless-guard {name}" in out.partition("example:")[2]
    assert "exit codes: 0" in out
    assert run(tmp_path, "help", name)[0] == out


def test_the_version_is_told(tmp_path: Path) -> None:
    assert re.match(r"serverless-guard \d+\.\d+\.\d+, Python 3", run(tmp_path, "--version")[0])


def test_an_unknown_command_is_told_the_nearest(tmp_path: Path) -> None:
    assert mistake(tmp_path, "chekc") == "unknown command `chekc`, did you mean `check`"
    assert "known are `check`, `explain`" in mistake(tmp_path, "zzz")


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_a_usage_mistake(name: str, tmp_path: Path) -> None:
    _, err = run(tmp_path, name, "--no-such-option", status=2)
    assert f"usage: serverless-guard {name}" in err


def test_every_command_has_a_line_in_the_table_and_one_beginning_with_what_it_does() -> None:
    for name in NAMES:
        page = commands.load(name).__doc__
        assert page
        assert all(len(line) <= 80 for line in page.splitlines())


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m serverless_guard schema | head -1"
    done = subprocess.run(["bash", "-c", command], env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"{\n", b"")


# init


@pytest.mark.parametrize("kind", ["json", "toml"])
def test_init_writes_a_policy_that_check_takes(kind: str, tmp_path: Path) -> None:
    out, _ = run(tmp_path, "init", "--format", kind, "--mode", "block", "--source", "sqs", "--source", "s3")
    assert out.startswith(f"wrote serverless-guard.{kind}\n")
    mapping = loaders.load(str(tmp_path / f"serverless-guard.{kind}"))
    made = policy.build([("", mapping)])
    assert (made.mode, made.source, made.name) == ("block", ("sqs", "s3"), tmp_path.name)
    assert "no mistakes" in run(tmp_path, "check")[0]


def test_init_explains_what_may_be_said_next(tmp_path: Path) -> None:
    run(tmp_path, "init", "--format", "toml")
    text = (tmp_path / "serverless-guard.toml").read_text()
    words = policy.documentation(policy.Policy)
    for name in ("mode", "source", "egress", "schema", "detect", "limits", "on_refuse"):
        assert f"# {words[name]}\n# " in text
    uncommented = re.sub(r"^# (?=\[?\w+\]?( =|$))", "", text, flags=re.MULTILINE)
    (tmp_path / "serverless-guard.toml").write_text(uncommented)
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "order.json").write_text("{}")
    assert "no mistakes" in run(tmp_path, "check")[0]
    assert policy.build([("", loaders.load(str(tmp_path / "serverless-guard.toml")))]).limits.max_depth == 64


def test_init_writes_over_nothing_unless_forced(tmp_path: Path) -> None:
    run(tmp_path, "init", "--name", "first")
    assert "`--force`" in mistake(tmp_path, "init")
    assert "is there already" in mistake(tmp_path, "init", "--format", "toml", "--force")
    assert loaders.load(str(tmp_path / "serverless-guard.json"))["name"] == "first"
    run(tmp_path, "init", "--name", "second", "--force")
    assert loaders.load(str(tmp_path / "serverless-guard.json"))["name"] == "second"


def test_init_takes_only_what_the_model_takes(tmp_path: Path) -> None:
    assert "did you mean `sqs`" in mistake(tmp_path, "init", "--source", "sqss")
    assert "is no folder" in mistake(tmp_path, "init", "no/such/folder")
    assert list(tmp_path.iterdir()) == []


# check


def test_check_tells_every_mistake_with_its_path_and_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "serverless-guard.json").write_text(
        json.dumps(
            {
                "moed": "block",
                "mode": "blok",
                "limits": {"max_depht": 3, "max_keys": 0},
                "detect": {"sqlli": "off", "sqli": "on"},
                "source": ["sqs", "snss"],
                "egress": ["api.stripe.com:443", "https://", 3],
                "schema": {"body": "none.json", "query": {"type": "objekt"}, "path": {"$ref": "https://elsewhere.example/schema.json"}},
            }
        )
    )
    out, _ = run(tmp_path, "check", "--format", "json", status=1)
    told = json.loads(out)
    paths = [found["path"] for found in told["mistakes"]]
    expected = ["moed", "mode", "limits.max_depht", "limits.max_keys", "detect.sqlli", "detect.sqli", "source[1]", "egress[1]", "egress[2]"]
    assert paths[: len(expected)] == expected
    assert [path.partition("#")[0] for path in paths[len(expected) :]] == ["schema.body", "schema.query", "schema.path"]
    assert not told["clean"]
    assert told["in_force"] is None
    text, _ = run(tmp_path, "check", status=1)
    assert text.startswith("serverless-guard.json: 12 mistakes\n")
    flat = " ".join(text.split())
    for said in ("did you mean `mode`", "did you mean `block`", "did you mean `max_depth`", "did you mean `sqli`", "did you mean `sns`", "none.json"):
        assert said in flat


def test_check_shows_what_a_policy_puts_in_force(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text('{"name": "orders", "detect": {"sqli": "block", "path": "off"}, "egress": ["a.example"], "schema": {"type": "object"}}')
    text, _ = run(tmp_path, "check", "own.json")
    assert "no mistakes" in text
    told = json.loads(run(tmp_path, "check", "own.json", "--format", "json")[0])
    assert told["clean"]
    assert told["in_force"]["block"] == [*policy.CONTROLS, "sqli"]
    assert told["in_force"]["off"] == ["path"]
    assert told["in_force"]["schema"] == {"body": "in the policy"}


def test_check_reads_the_settings_of_a_handler(here: Path) -> None:
    assert json.loads(run(here, "check", "--handler", "app.strict", "--format", "json")[0])["in_force"]["mode"] == "block"
    assert "no guard of its own" in run(here, "check", "--handler", "app.plain")[0]
    (here / "wrong.py").write_text("from serverless_guard import guard\n@guard(moed='block')\ndef handler(event, context): ...\n")
    assert "did you mean `mode`" in run(here, "check", "--handler", "wrong.handler", status=1)[0]
    (here / "broken.py").write_text("import no_such_module\n")
    assert "No module named 'no_such_module'" in " ".join(run(here, "check", "--handler", "broken.handler", status=1)[0].split())


@pytest.mark.parametrize(
    ("name", "data", "status", "said"),
    [
        ("p.json", b'{"mode": }', 1, "at line 1 column 10"),
        ("p.json", b"[" * 100_000, 1, "nested too deeply"),
        ("p.json", b"[]", 1, "must be an object"),
        ("p.toml", b"a = ", 1, "is no TOML"),
        ("p.json", b"\x7fELF\xff\x00", 2, "is not UTF-8 text"),
        ("p.json", b" " * 2_000_000, 2, "is larger than"),
        ("p.txt", b"{}", 2, "must end in `.json`"),
    ],
)
def test_a_policy_file_of_any_content_gets_a_sentence(name: str, data: bytes, status: int, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    out, err = run(tmp_path, "check", name, status=status)
    assert said in " ".join((out + err).split())


def test_a_schema_that_nests_without_end_is_a_mistake_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"schema": {"body": ' + '{"not": ' * 900 + "{}" + "}" * 900 + "}}")
    out, _ = run(tmp_path, "check", "p.json", status=1)
    assert "schema.body" in out


def test_a_policy_file_that_is_not_there_is_a_usage_mistake(tmp_path: Path) -> None:
    assert "no policy file is in this folder" in mistake(tmp_path, "check")
    assert "no such file" in mistake(tmp_path, "check", "none.json")
    (tmp_path / "folder.json").mkdir()
    assert "is a directory" in mistake(tmp_path, "check", "folder.json")
    assert "no module `none`" in mistake(tmp_path, "check", "--handler", "none.handler")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
)
SCHEMAS = st.sampled_from([True, {"type": "object"}, {"type": "objekt"}, {"$ref": "https://elsewhere.example/"}, {"minimum": "1"}, "none.json"])
SETTINGS = {
    "mode": st.sampled_from(["block", "blok"]),
    "egress": st.lists(st.sampled_from(["a.example:443", "10.0.0.0/8", "https://", "a b", "x:99999", "!*.b.example", ""]) | JSON, max_size=4),
    "source": st.lists(st.sampled_from(["sqs", "sqss"]) | JSON, max_size=3) | st.just("sqs,s3"),
    "schema": st.dictionaries(st.sampled_from(["body", "query", "record", "bodi"]), SCHEMAS | JSON, max_size=3) | SCHEMAS | JSON,
    "detect": st.dictionaries(st.sampled_from(["sqli", "path", "sqly"]), st.sampled_from(["off", "on"]), max_size=2) | st.just("sqli=off"),
    "controls": st.dictionaries(st.sampled_from([*policy.CONTROLS, "limit"]), st.sampled_from(["block", "of"]), max_size=2),
    "limits": st.dictionaries(st.sampled_from(["max_keys", "max_key"]), st.integers(-1, 3) | JSON, max_size=2) | JSON,
    "other": JSON,
}


@settings(max_examples=200, deadline=None)
@given(st.fixed_dictionaries({}, optional=SETTINGS))
def test_check_finds_a_mistake_exactly_where_the_guard_would_not_start(mapping: dict[str, Any]) -> None:
    found = list(check.mistakes(mapping, "/nonexistent"))
    try:
        compile_plan(read_policy({"policy": mapping})[0], "/nonexistent")
    except PolicyError as error:
        assert found, f"not found: {error}"
    else:
        assert not found


# explain


def test_explain_shows_all_there_is_to_say_about_an_event(here: Path) -> None:
    (here / "serverless-guard.json").write_text('{"mode": "block", "schema": {"type": "object", "required": ["note", "sku"]}}')
    told = json.loads(run(here, "explain", "attack.json", "--format", "json", status=1)[0])
    assert told["source"]["name"] == "apigateway-http"
    assert told["verdict"] == {"action": "refuse", "status": 403, "records": []}
    assert {found["rule"] for found in told["findings"]} >= {"SG-SQL-001", "SG-SCH-001"}
    assert all(found["refuses"] for found in told["findings"] if found["confidence"] == "high")
    assert all(part["values"] for part in told["inputs"])
    (body,) = [part for part in told["inputs"] if part["path"] == "body"]
    assert body["opened"] == ["json"]
    assert told["schemas"] == [
        {"part": "body", "schema": "in the policy", "checked": 1, "violations": [{"path": "body", "keyword": "required", "expected": "the property `sku`"}]}
    ]
    assert told["detectors"]["sqli"]["findings"] > 0
    assert told["detectors"]["path"] == {"mode": "block", "rule": "SG-PTH-001", "findings": 0, "confidence": None}
    used = {row["name"]: row["used"] for row in told["limits"]}
    assert used["max_envelopes"] == 1
    assert used["max_depth"] >= 2
    assert told["answer"]["statusCode"] == 403
    assert told["guard_us"] > 0
    text, _ = run(here, "explain", "attack.json", status=1)
    assert text.startswith("attack.json: refused: the handler is not called\n")
    assert INJECTION not in text


def test_what_a_module_prints_on_import_is_no_part_of_a_report(here: Path) -> None:
    (here / "loud.py").write_text("import os\nprint('cold start')\nos.system('echo from a child')\nfrom app import strict\n")
    for argv in (["check", "--handler", "loud.strict"], ["explain", "clean.json", "--handler", "loud.strict"]):
        out, err = run(here, *argv, "--format", "json")
        json.loads(out)
        assert sorted(err.splitlines()) == ["cold start", "from a child"]
    told = json.loads(run(here, "invoke", "loud.strict", "clean.json", "--format", "json")[0])
    assert sorted(told["printed"]) == ["cold start", "from a child"]


def test_explain_says_nothing_against_a_clean_event(here: Path) -> None:
    text, _ = run(here, "explain", "clean.json")
    assert "clean.json: allowed" in text
    assert "answered" not in text


def test_explain_reads_standard_input_another_policy_or_a_handlers_own(here: Path) -> None:
    event = json.dumps(http(INJECTION)).encode()
    assert "reported" in run(here, "explain", "-", given=event, status=1)[0].splitlines()[0]
    (here / "strict.toml").write_text('mode = "block"')
    assert "refused" in run(here, "explain", "-", "--policy", "strict.toml", given=event, status=1)[0].splitlines()[0]
    assert "refused" in run(here, "explain", "-", "--handler", "app.strict", given=event, status=1)[0].splitlines()[0]
    assert "refused" in run(here, "explain", "-", given=event, status=1, SERVERLESS_GUARD_MODE="block")[0].splitlines()[0]


def test_explain_names_the_records_of_a_batch_that_would_be_refused(here: Path) -> None:
    record = {"messageId": "1", "eventSource": "aws:sqs", "body": json.dumps({"note": "fine"}), "attributes": {}, "messageAttributes": {}}
    event = {"Records": [record, {**record, "messageId": "2", "body": json.dumps({"note": INJECTION})}]}
    (here / "batch.json").write_text(json.dumps(event))
    told = json.loads(run(here, "explain", "batch.json", "--format", "json", status=1, SERVERLESS_GUARD_MODE="block")[0])
    assert told["verdict"]["records"] == [1]
    assert "record 1 of the batch" in run(here, "explain", "batch.json", status=1, SERVERLESS_GUARD_MODE="block")[0]


def test_explain_keeps_short_what_a_long_batch_has_much_of(here: Path) -> None:
    record = {"eventSource": "aws:sqs", "body": json.dumps({"note": INJECTION}), "attributes": {}, "messageAttributes": {}}
    (here / "batch.json").write_text(json.dumps({"Records": [{**record, "messageId": str(index)} for index in range(200)]}))
    text, _ = run(here, "explain", "batch.json", status=1, SERVERLESS_GUARD_MODE="block")
    assert text.startswith("batch.json: refused: 200 records of the batch\n")
    assert "more; `--format json` has all" in text
    assert "the first 20 of " in text
    told = json.loads(run(here, "explain", "batch.json", "--format", "json", status=1)[0])
    assert len(told["findings"]) == 200, "equal records are opened once, and found once each"


def test_explain_tries_one_value(tmp_path: Path) -> None:
    out, _ = run(tmp_path, "explain", "--value", INJECTION, "--where", "query", status=1)
    assert "SG-SQL-001" in out
    assert "no detector" in run(tmp_path, "explain", "--value", "O'Neill & Sons")[0]
    told = json.loads(run(tmp_path, "explain", "--value", INJECTION, "--format", "json", status=1)[0])
    assert told["findings"][0]["rule"] == "SG-SQL-001"
    assert "give an event file, or a value" in mistake(tmp_path, "explain")
    assert "where a `--value` stands" in mistake(tmp_path, "explain", "event.json", "--where", "query")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"a": 1,\n "b" 2}', "is no JSON: expecting ':' delimiter at line 2 column 6"),
        (b"", "is empty"),
        (b"\xff\xfe{\x00", "is not UTF-8 text"),
        (b"[" * 200_000 + b"]" * 200_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "more digits than Python parses"),
        (b"{" + b" " * 64_000_000, "is larger than 64,000,000 bytes"),
    ],
    ids=["malformed", "empty", "binary", "deep", "digits", "huge"],
)
@pytest.mark.parametrize("command", ["explain", "invoke"])
def test_an_event_file_of_any_content_gets_a_sentence(command: str, data: bytes, said: str, here: Path) -> None:
    (here / "event.json").write_bytes(data)
    assert said in mistake(here, command, *(["app.plain"] if command == "invoke" else []), "event.json")


@pytest.mark.parametrize("command", ["explain", "invoke"])
def test_an_event_file_that_cannot_be_read_is_a_usage_mistake(command: str, here: Path) -> None:
    handler = ["app.plain"] if command == "invoke" else []
    assert "no such file" in mistake(here, command, *handler, "none.json")
    assert "is a directory" in mistake(here, command, *handler, ".")
    assert "no such file" in mistake(here, command, *handler, "clean.json", "--policy", "none.json")
    (here / "wrong.json").write_text('{"mode": "blok"}')
    assert "did you mean `block`" in mistake(here, command, *handler, "clean.json", "--policy", "wrong.json")


@pytest.mark.parametrize(
    "event",
    ["null", "[]", '"text"', "NaN", '{"a": NaN, "a": 1e999}', '{"\\ud800": "\\u0000\\u001b[2J"}', "[" * 900 + "]" * 900, '{"Records": [null]}'],
)
def test_explain_has_a_verdict_on_any_event(event: str, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text(event)
    for status in (0, 1):
        try:
            out, err = run(tmp_path, "explain", "event.json", status=status)
        except AssertionError:
            if status:
                raise
            continue
        assert err == ""
        assert "\x1b" not in out
        break
    json.loads(run(tmp_path, "explain", "event.json", "--format", "json", status=status)[0])


# invoke


@pytest.mark.parametrize("name", ["app.plain", "app.py:plain", "./app.py:plain", "sub/app.plain", "sub.app.plain", "sub/app.py:plain", "app.waiting"])
def test_invoke_finds_a_handler_by_module_or_file(name: str, here: Path) -> None:
    (here / "sub").mkdir()
    (here / "sub" / "app.py").write_text(APP)
    told = json.loads(run(here, "invoke", name, "clean.json", "--format", "json")[0])
    assert (told["outcome"], told["answer"]["statusCode"], told["events"]) == ("answered", 200, [])
    assert told["printed"] == ([] if "waiting" in name else ["hello from app"])


def test_invoke_needs_no_function_where_the_file_has_one_usual_handler(here: Path) -> None:
    (here / "sub").mkdir()
    (here / "sub" / "types.py").write_text("def lambda_handler(event, context):\n    return 1\n")
    assert json.loads(run(here, "invoke", "sub/types.py", "clean.json", "--format", "json")[0])["answer"] == 1
    assert "name the handler in `app.py`" in mistake(here, "invoke", "app.py", "clean.json")


def test_invoke_shows_answer_events_and_what_the_handler_printed(here: Path) -> None:
    out, _ = run(here, "invoke", "app.plain", "attack.json")
    assert out.startswith("app.plain: answered in ")
    assert '"statusCode": 200' in out
    assert "Reported, not refused: " in out
    assert "  | hello from app" in out
    assert INJECTION not in out


def test_invoke_ends_with_1_where_the_event_is_refused(here: Path) -> None:
    out, _ = run(here, "invoke", "app.strict", "attack.json", status=1)
    assert out.startswith("app.strict: refused in ")
    assert '"statusCode": 403' in out
    assert "Refused: " in out
    event = json.loads(run(here, "invoke", "app.strict", "attack.json", "--format", "json", status=1)[0])["events"][0]
    assert event["class_uid"] == 2004
    assert event["plain"] == plain.plain(event)


def test_invoke_guards_with_the_policy_it_is_given(here: Path) -> None:
    (here / "strict.json").write_text('{"mode": "block"}')
    run(here, "invoke", "app.plain", "attack.json", "--policy", "strict.json", status=1)
    run(here, "invoke", "app.plain", "attack.json", status=1, SERVERLESS_GUARD_MODE="block")
    out, _ = run(here, "invoke", "app.strict", "attack.json", SERVERLESS_GUARD_DISABLED="1")
    assert "not guarded: the kill switch is on" in out


def test_invoke_refuses_a_call_to_the_metadata_address(here: Path) -> None:
    out, _ = run(here, "invoke", "app.calling", "clean.json", status=1)
    assert "169.254.169.254" in out
    assert '"statusCode": 403' in out


def test_invoke_shows_an_asynchronous_refusal_as_what_is_raised(here: Path) -> None:
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "b"}, "object": {"key": "x%27+UNION+SELECT+card+FROM+customers+--+"}},
    }
    (here / "s3.json").write_text(json.dumps({"Records": [record]}))
    told = json.loads(run(here, "invoke", "app.strict", "s3.json", "--format", "json", status=1, SERVERLESS_GUARD_ON_REFUSE="fail")[0])
    assert told["outcome"] == "refused"
    assert told["error"]["type"] == "InputBlocked"


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("app.failing", "KeyError", "not there"),
        ("app.leaving", "SystemExit", "3"),
        ("app.unwritable", "Runtime.MarshalError", "the answer is no JSON: a `set` cannot be written"),
    ],
)
def test_invoke_shows_how_a_handler_fails(name: str, error: str, message: str, here: Path) -> None:
    told = json.loads(run(here, "invoke", name, "clean.json", "--format", "json", status=1)[0])
    assert (told["outcome"], told["error"]["type"]) == ("failed", error)
    assert message in told["error"]["message"]
    assert error != "KeyError" or re.fullmatch(r"app\.py:\d+", told["error"]["at"])
    assert f"{error}: " in run(here, "invoke", name, "clean.json", status=1)[0]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("app.strct", "`app` has no `strct`, did you mean `strict`"),
        ("ap.plain", "no module `ap` for the handler, did you mean `app`"),
        ("sub/ap.plain", "no module `sub` for the handler"),
        ("app", "a handler is `module.function` or `file.py:function`, not `app`"),
        ("", "a handler is `module.function`"),
        ("..", "a handler is `module.function`"),
        (".x", "a handler is `module.function`"),
        ("app.handler_of_nothing", "`handler_of_nothing` in `app` is a `int`, not a function"),
        ("none.py:handler", "no file `none.py` for the handler"),
        ("broken.handler", "importing `broken` failed: ModuleNotFoundError: No module named 'no_such_module' at broken.py:1"),
        ("wrong.handler", "importing `wrong` failed: SyntaxError"),
        ("json.tool.handler", "`json.tool` has no `handler`"),
        ("json/nothing.handler", "no module `json.nothing` for the handler"),
        ("app.plain.more.handler", "no module `app.plain` for the handler"),
        ("settings.handler", "unknown setting `moed`, did you mean `mode`"),
    ],
)
def test_a_handler_that_does_not_exist_or_import_gets_a_sentence(name: str, said: str, here: Path) -> None:
    (here / "broken.py").write_text("import no_such_module\n")
    (here / "wrong.py").write_text("def handler(event, context)\n")
    (here / "settings.py").write_text("from serverless_guard import guard\n@guard(moed='block')\ndef handler(event, context): ...\n")
    assert said in mistake(here, "invoke", name, "clean.json")


# layer


def test_layer_build_writes_one_zip(tmp_path: Path) -> None:
    out, _ = run(tmp_path, "layer", "build", "-o", "layer.zip")
    assert out.startswith("wrote layer.zip\n")
    told = json.loads(run(tmp_path, "layer", "build", "--output", "again.zip", "--format", "json")[0])
    assert told["size"] == (tmp_path / "layer.zip").stat().st_size
    assert (tmp_path / "layer.zip").read_bytes() == (tmp_path / "again.zip").read_bytes()


def test_layer_build_says_why_it_cannot(tmp_path: Path) -> None:
    assert "cannot be written" in mistake(tmp_path, "layer", "build", "-o", "no/such/folder/layer.zip")
    assert "is no program" in mistake(tmp_path, "layer", "build", "--python", "no-such-python")
    run(tmp_path, "layer", status=2)


# schema


def test_schema_prints_the_shipped_file(tmp_path: Path) -> None:
    assert run(tmp_path, "schema")[0] == (ROOT / "serverless_guard" / "policy.schema.json").read_text()


# What a terminal gets


def on_terminal(folder: Path, *argv: str, **environ: str) -> str:
    """What a command writes to a terminal."""
    pty = pytest.importorskip("pty", reason="there are terminals of this kind on Unix alone")
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "serverless_guard", *argv]
    subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", **environ}, stdout=follower, check=False, timeout=60)
    os.close(follower)
    written = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not piece:
            break
        written += piece
    os.close(leader)
    return written.decode()


def test_colour_is_for_terminals_that_want_it(here: Path) -> None:
    assert "\x1b[" in on_terminal(here, "explain", "attack.json", NO_COLOR="")
    assert "\x1b[" not in on_terminal(here, "explain", "attack.json", NO_COLOR="1")
    assert "\x1b[" not in on_terminal(here, "explain", "attack.json", TERM="dumb")
    assert "\x1b[" not in run(here, "explain", "attack.json", status=1)[0]


def test_nothing_of_an_event_can_move_the_cursor() -> None:
    assert terminal.printable("a\x1b[2Jb\r\n\u202e\ud800é") == "a\\x1b[2Jb\\r\\n\\u202e\\ud800é"
    assert terminal.shortened("x" * 100, 20) == "x" * 8 + "..." + "x" * 9
    assert len(terminal.shortened("\x1b" * 100, 20)) == 20


def test_tables_stay_within_80_columns() -> None:
    text = terminal.table(("path", "n"), [("p" * 300, "1,000"), ("q", "2")])
    assert all(len(line) <= 80 for line in text.splitlines())
    assert text.splitlines()[1].endswith("1,000")
    facts = terminal.facts((("name", "word " * 60), ("empty", ""), ("no", None)))
    assert all(len(line) <= 80 for line in facts.splitlines())
    assert "empty" not in facts


# Plain words


def told(**changes: Any) -> dict[str, Any]:
    event = {
        "class_uid": 2004,
        "action_id": 2,
        "disposition": "Blocked",
        "confidence": "High",
        "metadata": {"product": {"name": "serverless_guard"}, "event_code": "SG-SQL-001"},
        "finding_info": {"title": "SQL that would change the meaning of a query", "desc": "quote, or, number", "tags": [{"name": "cwe", "value": "CWE-89"}]},
        "evidences": [{"data": {"path": "body.note", "event_source": "apigateway-http", "match": {"len": 13, "hash": "0", "preview": "' a 9=9"}}}],
    }
    return {**event, **changes}


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (
            told(),
            "Refused: SQL that would change the meaning of a query, at body.note of the apigateway-http event. "
            "Seen: quote, or, number (13 characters, outline `' a 9=9`); rule SG-SQL-001, CWE-89, high confidence.",
        ),
        (
            told(disposition="Detected", evidences=[{"data": {"event_source": "sqs", "record": 2, "path": "body"}}], finding_info={"title": "T"}),
            "Reported, not refused: T, at body, record 2 of the sqs event. Rule SG-SQL-001, high confidence.",
        ),
        (
            told(
                evidences=[{"dst_endpoint": {"hostname": "attacker.example", "port": 443}}],
                finding_info={"title": "Outbound call to a host that is not declared"},
            ),
            "Refused: outbound call to a host that is not declared, to attacker.example:443. Rule SG-SQL-001, high confidence.",
        ),
        (
            told(evidences=[{"dst_endpoint": {"ip": "fe80::1", "port": 80}}], finding_info={"title": "T"}),
            "Refused: T, to [fe80::1]:80. Rule SG-SQL-001, high confidence.",
        ),
        (
            told(disposition="Error", action_id=1, evidences=[{"data": {"event_source": "unknown"}}], finding_info={"title": "T"}),
            "Let pass, though the guard failed: T, in an event of no known source. Rule SG-SQL-001, high confidence.",
        ),
        (told(disposition="Error", evidences=[], finding_info={"title": "T"}), "Refused, since the guard failed: T. Rule SG-SQL-001, high confidence."),
        ({}, "Told: a finding without a title. Rule unknown."),
    ],
)
def test_an_event_is_told_in_one_or_two_sentences(event: Any, sentence: str) -> None:
    assert plain.plain(event) == sentence


@pytest.mark.parametrize(
    "event", [None, [], "x", 3, {"evidences": 3}, {"evidences": [None], "finding_info": [], "metadata": "x"}, told(evidences=[{"data": {"match": []}}])]
)
def test_an_event_of_another_shape_is_told_as_far_as_it_goes(event: Any) -> None:
    assert plain.plain(event).endswith(".")
    assert plain.denied(event) in (True, False)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "plain text",
        "{serverless_guard",
        '{"class_uid": 2004}',
        '["serverless_guard"]',
        json.dumps({"product": "serverless_guard"}),
        "[" * 9999 + "serverless_guard",
    ],
)
def test_a_line_that_is_no_event_is_none(line: str) -> None:
    assert plain.event(line) is None
    assert plain.event(json.dumps(told())) == told()


def test_the_words_for_detectors_places_are_those_that_detectors_know() -> None:
    from serverless_guard import detectors

    assert all(place in (detectors.__doc__ or "") for place in explain.PLACES if place != "param")
