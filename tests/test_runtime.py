"""The whole line in the real Lambda runtime client: decorated, layered, redirected.

`runtime.Box` runs `awslambdaric` against a Runtime API server of the suite's own, or under AWS's emulator. What AWS's managed
runtimes do around it, `runtime/managed.py` does.
"""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from runtime import Emulated, binary, can_seal
from runtime.events import http, s3, sqs
from runtime.ways import BLOCK, WAYS

pytest.importorskip("awslambdaric", reason="the runtime client has no wheel for this machine")
pytest_plugins = ("runtime.fixtures",)


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
