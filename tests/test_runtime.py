"""The whole line in the real Lambda runtime client: decorated, layered, redirected, in every way of attaching.

`runtime.Box` runs `awslambdaric` against a Runtime API server of the suite's own. What AWS's managed runtimes do around it,
`runtime/managed.py` does.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from runtime import ROOT, TIMEOUT_S, Box, Emulated, binary, can_seal, unpacked

from serverless_guard.layer.build import build

pytest.importorskip("awslambdaric", reason="the runtime client has no wheel for this machine")

WRAPPER = {"AWS_LAMBDA_EXEC_WRAPPER": "{opt}/serverless-guard/wrapper"}
USER_BASE = {"PYTHONUSERBASE": "{opt}/serverless-guard"}
REDIRECT = {"SERVERLESS_GUARD_HANDLER": "plain.handler"}
BLOCK = {"SERVERLESS_GUARD_MODE": "block", "SERVERLESS_GUARD_EGRESS": "api.stripe.com:443"}
PACKAGE = ROOT / "serverless_guard"

WAYS: dict[str, dict[str, Any]] = {
    "decorator": {"handler": "decorated.handler", "packages": (PACKAGE,)},
    "layer by wrapper": {"handler": "plain.handler", "env": WRAPPER},
    "layer by PYTHONUSERBASE": {"handler": "plain.handler", "env": USER_BASE},
    "layer by redirect": {"handler": "serverless_guard_handler.handler", "env": REDIRECT},
    "layer and no setting": {"handler": "plain.handler"},
    "all at once": {"handler": "serverless_guard_handler.handler", "env": {**WRAPPER, **REDIRECT, "SERVERLESS_GUARD_HANDLER": "decorated.handler"}},
}


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer, built and unpacked."""
    folder = tmp_path_factory.mktemp("layer")
    build(str(folder / "layer.zip"))
    return unpacked(folder / "layer.zip", folder / "opt")


@pytest.fixture
def box(tmp_path: Path, layer: Path) -> Iterator[Any]:
    """`box(way, env, **more)`: a started function, attached one way; stopped when the test ends."""
    boxes: list[Box] = []

    def start(way: str, env: dict[str, str] | None = None, **more: Any) -> Box:
        how = {"layer": layer if way != "decorator" else None, **WAYS[way], **more}
        how["env"] = {**WAYS[way].get("env", {}), **(env or {})}
        kind = how.pop("kind", Box)
        boxes.append(kind(tmp_path / f"box{len(boxes)}", how.pop("handler"), **how).__enter__())
        return boxes[-1]

    yield start
    for each in boxes:
        each.__exit__()


def http(path: str = "/orders", body: Any = None, **query: str) -> dict[str, Any]:
    """An event of an HTTP API."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "&".join(f"{name}={value}" for name, value in query.items()),
        "headers": {"content-type": "application/json", "host": "shop.example"},
        "queryStringParameters": query,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "domainName": "api-id.execute-api.eu-central-1.amazonaws.com",
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"},
            "requestId": "JKJaXmPLvHcESHA=",
            "stage": "$default",
            "timeEpoch": 1583348638390,
        },
        "body": json.dumps(body if body is not None else {"item": "kettle", "count": 1}),
        "isBase64Encoded": False,
    }


def sqs(*bodies: Any) -> dict[str, Any]:
    """A batch of SQS messages, `m0`, `m1`, ..."""
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183", "SenderId": "AIDAIENQZJOLO23YVJ4VO"}
    return {
        "Records": [
            {
                "messageId": f"m{index}",
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
                "body": json.dumps(body),
                "attributes": attributes,
                "messageAttributes": {},
                "md5OfBody": "098f6bcd4621d373cade4e832627b4f6",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:orders",
                "awsRegion": "eu-central-1",
            }
            for index, body in enumerate(bodies)
        ]
    }


def s3(key: str) -> dict[str, Any]:
    """An object that was put into a bucket."""
    bucket = {"name": "uploads", "ownerIdentity": {"principalId": "EXAMPLE"}, "arn": "arn:aws:s3:::uploads"}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-central-1",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "EXAMPLE"},
        "requestParameters": {"sourceIPAddress": "192.0.2.1"},
        "responseElements": {"x-amz-request-id": "EXAMPLE123456789", "x-amz-id-2": "EXAMPLE123/5678abcdefghijklambdaisawesome"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "import",
            "bucket": bucket,
            "object": {"key": key, "size": 1024, "eTag": "0123456789abcdef0123456789abcdef", "sequencer": "0A1B2C3D4E5F678901"},
        },
    }
    return {"Records": [record]}


@pytest.mark.parametrize("way", WAYS)
def test_a_guarded_function_answers_what_is_harmless_and_refuses_what_is_not(way: str, box: Any) -> None:
    with_schema = {**BLOCK, "SERVERLESS_GUARD_SCHEMA_BODY": "{task}/order.schema.json"} if way == "decorator" else BLOCK
    function = box(way, with_schema)

    harmless = function.invoke(http())
    assert (harmless.kind, harmless.json["statusCode"]) == ("response", 200)
    assert function.events() == []

    injected = function.invoke(http(id="1' or 1=1 --"))
    assert injected.kind == "response"
    assert injected.json["statusCode"] in (400, 403)
    refusal = json.loads(injected.json["body"])
    assert refusal["request_id"] == injected.request_id
    assert {event["class_uid"] for event in function.events()} == {2004}
    assert refusal["security_response_id"] in [event["metadata"]["uid"] for event in function.events()]
    assert "1=1" not in injected.json["body"]

    called = function.invoke(http("/call"))
    assert called.kind == "response"
    assert called.json["statusCode"] == 403
    swallowed = function.invoke(http("/swallow"))
    assert swallowed.json["statusCode"] == 403
    assert function.invoke(http()).json["statusCode"] == 200


@pytest.mark.parametrize("way", ["decorator", "layer by wrapper", "layer by redirect"])
def test_an_sqs_batch_goes_on_without_its_poisoned_record(way: str, box: Any) -> None:
    function = box(way, BLOCK)
    answer = function.invoke(sqs({"note": "first"}, {"note": "x'; drop table orders; --"}, {"note": "third"}))
    assert answer.kind == "response"
    assert answer.json["seen"] == ["m0", "m2"]
    assert answer.json["batchItemFailures"] == [{"itemIdentifier": "m1"}]
    assert function.invoke(sqs({"note": "fourth"})).json["batchItemFailures"] == []


@pytest.mark.parametrize("way", ["decorator", "layer by PYTHONUSERBASE"])
def test_an_s3_key_that_climbs_out_of_its_folder_does_not_reach_the_handler(way: str, box: Any) -> None:
    function = box(way, BLOCK)
    assert function.invoke(s3("incoming/2026/january+report.csv")).json["seen"] == ["incoming/2026/january+report.csv"]
    refused = function.invoke(s3("incoming/..%2F..%2F..%2Fetc%2Fpasswd"))
    assert refused.kind == "response"
    assert refused.json is None
    assert function.invoke(s3("incoming/next.csv")).json["seen"] == ["incoming/2026/january+report.csv", "incoming/next.csv"]


def test_a_malformed_body_is_refused_by_the_schema_that_was_declared(box: Any) -> None:
    function = box("layer by wrapper", {"SERVERLESS_GUARD_SCHEMA_BODY": "{task}/order.schema.json"})
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.invoke(http(body={"item": "kettle", "count": "many"})).json["statusCode"] == 400
    assert function.events()[-1]["class_uid"] == 2004


def test_what_is_inferred_is_only_reported_where_nobody_said_block(box: Any) -> None:
    function = box("layer by wrapper")
    assert function.invoke(http(id="1' or 1=1 --")).json["statusCode"] == 200
    assert {event["level"] for event in function.events()} == {"WARN"}


def test_a_destination_that_is_declared_is_reached(box: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = f"127.0.0.1:{server.getsockname()[1]}"
        function = box("layer by wrapper", {"SERVERLESS_GUARD_EGRESS": here, "DECLARED": here})
        answer = function.invoke(http("/declared"))
        assert answer.json["body"] == "connected", function.logs()


def test_the_runtime_api_is_out_of_reach_for_the_handler(box: Any) -> None:
    function = box("layer by wrapper")
    assert function.invoke(http("/runtime-api")).json["statusCode"] == 403
    assert function.invoke(http()).json["statusCode"] == 200


@pytest.mark.parametrize("event", [None, [], [1, "two"], "text", "", 0, 1.5, True, {}, {"Records": None}, {"Records": []}])
def test_an_event_of_any_json_type_reaches_the_handler(event: Any, box: Any) -> None:
    function = box("layer by wrapper", BLOCK, files={"echo.py": "def handler(event, context):\n    return [event]\n"}, handler="echo.handler")
    answer = function.invoke(event)
    assert (answer.kind, answer.json) == ("response", [event]), function.logs()


def test_an_event_that_is_no_json_reaches_the_handler_as_bytes(box: Any) -> None:
    files = {"echo.py": "def handler(event, context):\n    return [type(event).__name__, len(event)]\n"}
    function = box("layer by wrapper", BLOCK, files=files, handler="echo.handler")
    assert function.invoke(b"\xff\xfe\x00raw", content_type="application/octet-stream").json == ["bytes", 6]


def test_an_error_of_the_handler_stays_its_own(box: Any) -> None:
    files = {"broken.py": "def handler(event, context):\n    raise KeyError('of the function')\n"}
    answer = box("layer by wrapper", BLOCK, files=files, handler="broken.handler").invoke(http())
    assert (answer.kind, answer.json["errorType"]) == ("error", "KeyError")


@pytest.mark.parametrize("way", ["layer by wrapper", "layer by PYTHONUSERBASE", "layer and no setting"])
@pytest.mark.parametrize("handler", ["plain.handler", "plain.handler_async", "plain.endpoint", "lambda/shop/orders.handler", "lambda/shop.orders.handler"])
def test_the_layer_guards_handlers_of_every_kind(way: str, handler: str, box: Any) -> None:
    function = box(way, BLOCK, handler=handler)
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.invoke(http("/call")).json["statusCode"] == 403


@pytest.mark.parametrize("handler", ["plain.handler", "plain.handler_async", "plain.endpoint", "lambda/shop/orders.handler", "lambda.shop.orders.handler"])
def test_the_redirect_guards_handlers_of_every_kind(handler: str, box: Any) -> None:
    function = box("layer by redirect", {**BLOCK, "SERVERLESS_GUARD_HANDLER": handler})
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.invoke(http("/call")).json["statusCode"] == 403


def test_a_decorated_coroutine_is_run_by_the_layer(box: Any) -> None:
    function = box("layer by wrapper", BLOCK, handler="decorated.handler_async")
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.invoke(http("/call")).json["statusCode"] == 403


@pytest.mark.parametrize("way", WAYS)
def test_the_kill_switch_leaves_the_function_alone(way: str, box: Any) -> None:
    function = box(way, {**BLOCK, "SERVERLESS_GUARD_DISABLED": "1"})
    assert function.invoke(http(id="1' or 1=1 --")).json["statusCode"] == 200
    assert function.events() == []


@pytest.mark.parametrize("way", WAYS)
def test_a_mistake_in_the_policy_is_an_init_error_with_a_clear_message(way: str, box: Any) -> None:
    function = box(way, {"SERVERLESS_GUARD_MODE": "blok"})
    told = function.failed()
    assert told.kind == "init-error"
    assert "did you mean `block`" in told.json["errorMessage"]
    if way not in ("decorator", "all at once"):  # there the decorator fails first, while the module is imported
        assert told.json["errorMessage"].startswith("serverless_guard failed to start: ")
    assert told.json["errorType"] == "PolicyError"
    assert function.exit_status() == 1
    assert "did you mean `block`" in function.logs()


@pytest.mark.parametrize("way", ["layer by wrapper", "layer and no setting"])
def test_an_unknown_variable_is_an_init_error(way: str, box: Any) -> None:
    told = box(way, {"SERVERLESS_GUARD_EGRES": "api.stripe.com"}).failed()
    assert "unknown variable `SERVERLESS_GUARD_EGRES`" in told.json["errorMessage"]
    assert "`SERVERLESS_GUARD_EGRESS`" in told.json["errorMessage"]


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("", "`SERVERLESS_GUARD_HANDLER` must name the handler"),
        ("app", "must be `module.function`"),
        ("plain.handlr", "did you mean `handler`"),
        ("nowhere.handler", "No module named 'nowhere'"),
        ("serverless_guard_handler.handler", "must name your own handler"),
    ],
)
def test_a_redirect_to_a_handler_that_does_not_exist_is_an_init_error(handler: str, message: str, box: Any) -> None:
    function = box("layer by redirect", {"SERVERLESS_GUARD_HANDLER": handler})
    told = function.failed()
    assert told.kind == "init-error"
    assert message in told.json["errorMessage"]
    assert function.exit_status() == 1


def test_a_handler_that_does_not_exist_is_the_runtime_clients_own_error(box: Any) -> None:
    told = box("layer by wrapper", handler="plain.nope").failed()
    assert told.json["errorType"] == "Runtime.HandlerNotFound"


def test_a_guard_that_does_not_load_is_an_init_error_and_never_silence(box: Any, layer: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(layer, broken)
    (broken / "python/serverless_guard/decorator.py").write_text("raise RuntimeError('a defect')\n")
    shutil.rmtree(broken / "python/serverless_guard/__pycache__")
    for way in ("layer by wrapper", "layer by PYTHONUSERBASE", "layer and no setting"):
        told = box(way, layer=broken).failed()
        assert told.json["errorMessage"] == "serverless_guard failed to start: a defect"
        assert told.json["errorType"] == "RuntimeError"


def test_a_layer_without_its_bootstrap_does_not_start(box: Any, layer: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(layer, broken)
    (broken / "python/serverless_guard_bootstrap.py").unlink()
    for way in ("layer by wrapper", "layer by PYTHONUSERBASE", "layer and no setting"):
        function = box(way, layer=broken)
        assert function.exit_status() == 1
        assert "serverless_guard failed to start: No module named 'serverless_guard_bootstrap'" in function.err.read_text()


@pytest.mark.parametrize("env", [WRAPPER, USER_BASE])
def test_a_search_path_of_the_users_own_does_not_keep_the_layer_out(env: dict[str, str], box: Any) -> None:
    function = box("layer and no setting", {**BLOCK, **env, "PYTHONPATH": "{task}/lambda"})
    assert function.invoke(http("/call")).json["statusCode"] == 403


def test_the_wrapper_also_attaches_where_user_folders_are_switched_off(box: Any) -> None:
    function = box("layer by wrapper", {**BLOCK, "PYTHONNOUSERSITE": "1", "PYTHONPATH": "{task}"})
    assert function.invoke(http("/call")).json["statusCode"] == 403


NEXT = {
    "one that sets the path and starts Python twice": """#!/bin/sh
export PYTHONPATH="$BOX_OPT/python:$LAMBDA_TASK_ROOT"
"$1" -c "print('other')"
exec "$@"
""",
    "one that redirects the handler": """#!/bin/sh
export ORIG_HANDLER=$_HANDLER
export _HANDLER=outer.handler
exec "$@"
""",
}
OUTER = """
import os
from importlib import import_module

module, name = os.environ["ORIG_HANDLER"].rsplit(".", 1)
inner = getattr(import_module(module), name)


def handler(event, context):
    print("other")
    return inner(event, context)
"""


@pytest.mark.parametrize("text", NEXT.values(), ids=NEXT)
def test_the_wrapper_hands_on_to_another_wrapper(text: str, box: Any, tmp_path: Path) -> None:
    other = tmp_path / "other wrapper"
    other.write_text(text)
    other.chmod(0o755)
    function = box("layer by wrapper", {**BLOCK, "SERVERLESS_GUARD_NEXT_WRAPPER": str(other)}, files={"outer.py": OUTER})
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.invoke(http("/call")).json["statusCode"] == 403
    assert "other" in function.logs()


@pytest.mark.parametrize("name", ["/opt/nowhere", "/tmp", "{task}/plain.py"])
def test_a_next_wrapper_that_cannot_run_stops_the_start_with_a_clear_message(name: str, box: Any) -> None:
    function = box("layer by wrapper", {"SERVERLESS_GUARD_NEXT_WRAPPER": name})
    assert function.exit_status() == 126
    assert "serverless_guard failed to start: `" in function.err.read_text()


def test_a_tracer_that_resolves_the_handler_anew_each_time_gets_one_and_the_same(box: Any) -> None:
    tracer = """
import awslambdaric.bootstrap

def handler(event, context):
    first, second = (awslambdaric.bootstrap._get_handler("plain.handler") for _ in range(2))
    return {"same": first is second, "inner": first(event, context)}
"""
    function = box("layer by wrapper", BLOCK, files={"tracer.py": tracer}, handler="tracer.handler")
    answer = function.invoke(http()).json
    assert answer["same"] is True
    assert answer["inner"]["statusCode"] == 200
    assert function.invoke(http("/call")).json["statusCode"] == 403


@pytest.mark.parametrize("env", [USER_BASE, {}])
def test_an_image_without_awss_own_start_script_is_guarded_where_python_is_told(env: dict[str, str], box: Any) -> None:
    attached = bool(env)
    function = box("layer and no setting", {**BLOCK, **env}, start="container")
    answer = function.invoke(http(id="1' or 1=1 --")).json["statusCode"]
    assert (answer == 200) is not attached
    assert Path(sys.executable).exists()


def test_an_image_can_be_guarded_by_its_command_alone(box: Any) -> None:
    packages = (PACKAGE, PACKAGE / "layer" / "serverless_guard_handler.py")
    function = box("decorator", {**BLOCK, **REDIRECT}, packages=packages, start="container", handler="serverless_guard_handler.handler")
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.invoke(http("/call")).json["statusCode"] == 403


SNAPSHOT = """
import sys
from snapshot_restore_py import get_after_restore, register_after_restore, register_before_snapshot

from plain import handler
from serverless_guard import shield

shield._grants[1] = {"stale.example": 2**60}  # as if a name had been looked up while the function started


@register_before_snapshot
def mine():
    print("before", len(shield._grants))


@register_after_restore
def also_mine():
    print("after", len(shield._grants), "serverless_guard.detectors.sqli" in sys.modules, get_after_restore()[0][0] is shield.forget)
"""


@pytest.mark.parametrize("way", ["layer by wrapper", "layer by redirect", "layer and no setting"])
def test_a_restored_snapshot_starts_with_the_detectors_loaded_and_no_old_addresses(way: str, box: Any) -> None:
    env = {**BLOCK, "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start", "SERVERLESS_GUARD_HANDLER": "snap.handler"}
    function = box(way, env, files={"snap.py": SNAPSHOT}, **({} if way == "layer by redirect" else {"handler": "snap.handler"}))
    assert function.api.restoring.wait(TIMEOUT_S)
    assert function.logs().split() == ["before", "1"]
    function.api.restore.set()
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.logs().splitlines()[1] == "after 0 True True"
    assert function.invoke(http(id="1' or 1=1 --")).json["statusCode"] in (400, 403)
    assert function.invoke(http("/call")).json["statusCode"] == 403


def test_no_hook_of_the_guard_raises_around_a_snapshot(box: Any, layer: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(layer, broken)
    (broken / "python/serverless_guard/detectors/sqli.py").write_text("raise RuntimeError('a defect')\n")
    shutil.rmtree(broken / "python/serverless_guard/detectors/__pycache__")
    function = box("layer by wrapper", {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}, layer=broken)
    assert function.api.restoring.wait(TIMEOUT_S)
    function.api.restore.set()
    assert function.invoke(http()).json["statusCode"] == 200


@pytest.mark.skipif(not can_seal(), reason="needs root and mount namespaces")
@pytest.mark.parametrize("way", WAYS)
def test_nothing_needs_to_be_written_and_no_shared_memory(way: str, box: Any) -> None:
    files = {"sealed.py": "import os\nfrom plain import handler\nprint(os.access('/tmp', os.W_OK), os.access('/dev/shm', os.W_OK))\n"}
    function = box(way, BLOCK, sealed=True, files=files)
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.invoke(http("/call")).json["statusCode"] == 403
    assert function.invoke(http(id="1' or 1=1 --")).json["statusCode"] in (400, 403)
    assert function.err.read_text() == ""


@pytest.mark.parametrize("level", ["DEBUG", "ERROR"])
@pytest.mark.parametrize("framed", [False, True], ids=["on standard output", "in frames"])
def test_lambdas_json_logging_and_its_level_leave_the_events_alone(level: str, framed: bool, box: Any) -> None:
    files = {"logs.py": "import logging\n\ndef handler(event, context):\n    logging.error('of the function')\n    return {'statusCode': 200}\n"}
    function = box(
        "layer by wrapper",
        {**BLOCK, "AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": level},
        files=files,
        handler="logs.handler",
        framed=framed,
    )
    assert function.invoke(http(id="1' or 1=1 --")).json["statusCode"] in (400, 403)
    assert function.invoke(http()).json["statusCode"] == 200
    lines = [json.loads(line) for line in function.logs().splitlines()]
    assert len(lines) == len(function.events()) + (0 if framed else 1)
    assert {line["level"] for line in lines} <= {"WARN", "ERROR"}
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert (b"of the function" in function.frames.read_bytes()) is framed


def test_a_mistake_in_the_policy_is_told_in_json_where_the_function_logs_json(box: Any) -> None:
    function = box("layer by wrapper", {"SERVERLESS_GUARD_MODE": "blok", "AWS_LAMBDA_LOG_FORMAT": "JSON"})
    function.failed()
    told = json.loads(function.logs().splitlines()[-1])
    assert (told["level"], told["errorType"]) == ("ERROR", "PolicyError")
    assert told["errorMessage"].startswith("serverless_guard failed to start: ")


needs_emulator = pytest.mark.skipif(not binary(), reason="no Runtime Interface Emulator: it comes with `pip install --no-deps aws-sam-cli`")


@needs_emulator
@pytest.mark.parametrize("way", WAYS)
def test_under_awss_own_emulator_the_line_holds_too(way: str, box: Any) -> None:
    function = box(way, BLOCK, kind=Emulated)
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.invoke(http(id="1' or 1=1 --")).json["statusCode"] in (400, 403)
    assert function.invoke(http("/call")).json["statusCode"] == 403
    assert function.invoke(sqs({"note": "first"}, {"note": "x'; drop table orders; --"})).json["batchItemFailures"] == [{"itemIdentifier": "m1"}]
    assert function.invoke(s3("incoming/january.csv")).kind == "response"
    assert {event["class_uid"] for event in function.events()} == {2004}


@needs_emulator
def test_under_awss_own_emulator_a_mistake_in_the_policy_is_an_error_each_time(box: Any) -> None:
    function = box("layer by wrapper", {"SERVERLESS_GUARD_MODE": "blok"}, kind=Emulated)
    for _ in range(2):
        told = function.invoke(http())
        assert told.kind == "error"
        assert told.json["errorMessage"].startswith("serverless_guard failed to start: `mode`")


@needs_emulator
def test_an_event_is_told_before_the_time_of_the_function_is_up(box: Any) -> None:
    files = {"slow.py": "import time\nimport plain\n\ndef handler(event, context):\n    plain.answer(dict(event, rawPath='/swallow'))\n    time.sleep(30)\n"}
    function = box("layer by wrapper", {**BLOCK, "SERVERLESS_GUARD_MODE": ""}, kind=Emulated, timeout_s=1, files=files, handler="slow.handler")
    assert b"Task timed out" in function.invoke(http(id="1' or 1=1 --")).body
    assert function.events(), function.logs()


@pytest.mark.parametrize("way", WAYS)
def test_every_process_of_a_managed_instance_is_guarded(way: str, box: Any) -> None:
    function = box(way, {**BLOCK, "AWS_LAMBDA_MAX_CONCURRENCY": "3"})
    with ThreadPoolExecutor(3) as pool:
        assert len({answer.json["body"] for answer in pool.map(function.invoke, [http("/slow-pid")] * 3)}) == 3
        assert [answer.json["statusCode"] for answer in pool.map(function.invoke, [http("/slow-call")] * 3)] == [403] * 3
    told = function.events()
    assert len(told) >= 3
    assert len({event["metadata"]["uid"] for event in told}) == len(told)


def beside(layer: Path, folder: Path, *distributions: str) -> Path:
    """The layer merged with one that brings these packages, as Lambda lays layers over one another."""
    opt = folder / "opt"
    shutil.copytree(layer, opt)
    home = opt / "python/lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    home.mkdir(parents=True)
    for name in distributions:
        spec = importlib.util.find_spec(name.partition(".")[0])
        assert spec is not None
        for source in Path(next(iter(spec.submodule_search_locations or [spec.origin or ""]))).parent.iterdir():
            if source.suffix != ".pth" and not source.name.startswith(("serverless_guard", "awslambdaric", "_")) and not (home / source.name).exists():
                (home / source.name).symlink_to(source)
    return opt


OTEL_WRAPPER = """#!/bin/sh
export PYTHONPATH="$LAMBDA_RUNTIME_DIR:$BOX_OPT/python:$BOX_OPT/python/lib/python%d.%d/site-packages:$PYTHONPATH"
export ORIG_HANDLER=$_HANDLER
export _HANDLER=otel_wrapper.lambda_handler
python=$1
shift
exec "$python" -c "from opentelemetry.instrumentation.auto_instrumentation import run; run()" "$python" "$@"
""" % sys.version_info[:2]
OTEL_HANDLER = """
import os
from importlib import import_module

from opentelemetry.instrumentation.aws_lambda import AwsLambdaInstrumentor

AwsLambdaInstrumentor().instrument()
module, name = os.environ["ORIG_HANDLER"].rsplit(".", 1)
lambda_handler = getattr(import_module(module), name)
"""
SENTRY_HANDLER = """
import os
from importlib import import_module

import sentry_sdk
from sentry_sdk.integrations.aws_lambda import AwsLambdaIntegration

sentry_sdk.init(os.environ["SENTRY_DSN"], integrations=[AwsLambdaIntegration(timeout_warning=True)], traces_sample_rate=1.0, shutdown_timeout=0)


def sentry_lambda_handler(event, context):
    module, name = os.environ["SENTRY_INITIAL_HANDLER"].rsplit(".", 1)
    return getattr(import_module(module), name)(event, context)
"""
NEWRELIC_HANDLER = """
import os
from importlib import import_module

from newrelic_lambda.lambda_handler import lambda_handler

module, name = os.environ["NEW_RELIC_LAMBDA_HANDLER"].rsplit(".", 1)
handler = lambda_handler()(getattr(import_module(module), name))
"""
OTHERS: dict[str, dict[str, Any]] = {
    "datadog_lambda": {
        "handler": "datadog_lambda.handler.handler",
        "env": {"DD_LAMBDA_HANDLER": "plain.handler", "DD_API_KEY": "key", "DD_FLUSH_TO_LOG": "true"},
    },
    "sentry_sdk": {
        "handler": "init_serverless_sdk.sentry_lambda_handler",
        "env": {"SENTRY_INITIAL_HANDLER": "plain.handler", "SENTRY_DSN": "http://key@127.0.0.1:9/1"},
        "files": {"init_serverless_sdk.py": SENTRY_HANDLER},
    },
    "newrelic_lambda": {
        "handler": "newrelic_lambda_wrapper.handler",
        "env": {"NEW_RELIC_LAMBDA_HANDLER": "plain.handler", "NEW_RELIC_ACCOUNT_ID": "1", "NEW_RELIC_LICENSE_KEY": "0" * 40},
        "files": {"newrelic_lambda_wrapper.py": NEWRELIC_HANDLER},
    },
    "opentelemetry.instrumentation.aws_lambda": {
        "env": {"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"},
        "files": {"otel_wrapper.py": OTEL_HANDLER},
    },
}
"""Each with the few lines that its own layer has around the package."""


@pytest.mark.parametrize("way", ["layer by wrapper", "layer by PYTHONUSERBASE", "layer by redirect"])
@pytest.mark.parametrize("product", OTHERS)
def test_the_guard_and_the_products_of_others_work_side_by_side(product: str, way: str, box: Any, layer: Path, tmp_path: Path) -> None:
    pytest.importorskip(product.partition(".")[0])
    pytest.importorskip(product, reason=f"`{product}` is not installed")
    how = dict(OTHERS[product])
    env = {**BLOCK, **how.pop("env")}
    if way == "layer by redirect":
        own = [name for name in env if name.endswith("_HANDLER") and not name.startswith("SERVERLESS_GUARD_")]
        env.update(dict.fromkeys(own, "serverless_guard_handler.handler"))
        how.setdefault("handler", "serverless_guard_handler.handler")
    if product.startswith("opentelemetry"):
        wrapper = tmp_path / "otel-instrument"
        wrapper.write_text(OTEL_WRAPPER)
        wrapper.chmod(0o755)
        env["SERVERLESS_GUARD_NEXT_WRAPPER" if way == "layer by wrapper" else "AWS_LAMBDA_EXEC_WRAPPER"] = str(wrapper)
    function = box(way, env, layer=beside(layer, tmp_path, product), **how)
    assert function.invoke(http()).json.get("statusCode") == 200, function.logs() + function.err.read_text()
    assert function.invoke(http("/call")).json.get("statusCode") == 403, function.logs()
    assert function.invoke(http(id="1' or 1=1 --")).json["statusCode"] in (400, 403)
    if product.startswith(("datadog", "opentelemetry")):
        assert '"trace_id"' in function.logs(), "the other product is at work too"
