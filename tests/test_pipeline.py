"""One invocation through the whole line: events of every kind, schemas, injection, batches, the latch, errors of the guard."""

from __future__ import annotations

import asyncio
import functools
import json
import random
import urllib.request
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import events
from serverless_guard import ActionBlocked, Guard, InputBlocked, PolicyError, guard

INJECTION = "x' OR '1'='1' -- "
RNG = random.Random(1)


class Context:
    """What the runtime client gives, as far as the guard reads it."""

    aws_request_id = "8f0c1f2e-3f6e-4d5b-9b54-0d8f4f6f2a11"
    function_name = "orders"
    function_version = "17"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
    log_stream_name = "2026/11/24/[17]abc"


def ok(event: Any, context: Any) -> dict[str, Any]:
    return {"statusCode": 200, "body": json.dumps({"saw": repr(event)[:10]})}


def echo(event: Any, context: Any) -> Any:
    return event


def rest(body: Any = None, **changes: Any) -> dict[str, Any]:
    return events.rest(RNG, json.dumps(body) if body is not None else "") | {"body": json.dumps(body) if body is not None else None} | changes


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


@pytest.mark.parametrize("case", events.CASES)
def test_clean_events_pass_untouched_and_unreported(case: str, capfd: pytest.CaptureFixture[str]) -> None:
    handler = guard(mode="block", schema=events.ORDER_SCHEMA)(echo)
    for text in events.clean(case, 5):
        event = json.loads(text)
        assert handler(event, Context()) is event
        assert event == json.loads(text)
    assert lines(capfd) == []


@pytest.mark.parametrize(
    "event", [None, [], "", "text", b"bytes", 0, 1.5, True, {}, {"Records": []}, {"Records": None}, [[]], {"Records": [None]}, {1: 2}, {"body": {"a": 1}}]
)
def test_an_event_of_any_shape_is_a_normal_case(event: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert guard(mode="block")(echo)(event, None) == event
    assert lines(capfd) == []


def test_what_is_inferred_is_reported_until_the_policy_says_block(capfd: pytest.CaptureFixture[str]) -> None:
    event = rest({"customer": INJECTION})
    assert guard(ok)(event, Context())["statusCode"] == 200
    (line,) = lines(capfd)
    assert (line["action_id"], line["level"], line["metadata"]["event_code"]) == (3, "WARN", "SG-SQL-001")

    answer = guard(mode="block")(ok)(event, Context())
    (line,) = lines(capfd)
    assert (line["action_id"], line["level"]) == (2, "ERROR")
    body = json.loads(answer["body"])
    assert answer["statusCode"] == 403
    assert body == {"message": "Forbidden", "request_id": Context.aws_request_id, "security_response_id": line["metadata"]["uid"]}
    assert line["evidences"][0]["data"]["json_path"].endswith("body.customer")
    assert "OR" not in json.dumps(line["evidences"])


def test_what_is_declared_is_enforced_without_a_mode_and_reported_in_monitor_mode(capfd: pytest.CaptureFixture[str]) -> None:
    schema = {"type": "object", "required": ["customer"]}
    assert guard(schema=schema)(ok)(rest({"other": 1}), Context())["statusCode"] == 400
    assert guard(schema=schema, mode="monitor")(ok)(rest({"other": 1}), Context())["statusCode"] == 200
    assert guard(schema=schema, mode="off")(ok)(rest({"other": 1}), Context())["statusCode"] == 200
    assert guard(schema=schema, mode="block", controls={"schema": "monitor"})(ok)(rest({"other": 1}), Context())["statusCode"] == 200
    assert [line["metadata"]["event_code"] for line in lines(capfd)] == ["SG-SCH-001"] * 3


def test_the_content_type_never_decides(capfd: pytest.CaptureFixture[str]) -> None:
    event = rest({"note": INJECTION})
    event["headers"]["Content-Type"] = "image/png"
    assert guard(mode="block")(ok)(event, None)["statusCode"] == 403


@pytest.mark.parametrize("part", ["body", "query", "path", "headers", "event", "record"])
def test_each_part_has_its_own_schema(part: str, capfd: pytest.CaptureFixture[str]) -> None:
    needs = {"type": "object", "required": ["must-be-there"]}
    handler = guard(schema={part: needs})(ok)
    if part == "record":
        event = events.sqs(RNG, "{}", 2)
        event["Records"][1]["must-be-there"] = 1
        assert handler(event, None)["batchItemFailures"] == [{"itemIdentifier": event["Records"][0]["messageId"]}]
        return
    event = rest({"a": 1})
    assert handler(event, None)["statusCode"] == 400
    if part == "body":
        event["body"] = json.dumps({"must-be-there": 1})
    elif part == "headers":
        event["headers"]["Must-Be-There"] = "1"
    else:
        {"query": event["queryStringParameters"], "path": event["pathParameters"], "event": event}[part]["must-be-there"] = "1"
    assert handler(event, None)["statusCode"] == 200


def test_the_caller_is_told_what_failed_only_where_the_policy_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    schema = {"type": "object", "properties": {"quantity": {"type": "integer"}}}
    body = json.loads(guard(schema=schema)(ok)(rest({"quantity": "secret"}), None)["body"])
    assert set(body) == {"message", "request_id", "security_response_id"}
    body = json.loads(guard(schema=schema, explain=True)(ok)(rest({"quantity": "secret"}), None)["body"])
    assert body["errors"] == [{"path": "body.quantity", "keyword": "type"}]
    assert "secret" not in json.dumps(body)


def test_a_flood_of_odd_values_is_bounded_and_told(capfd: pytest.CaptureFixture[str]) -> None:
    from serverless_guard import scan

    flood = {f"k{index}": f"it's {index} & <b> ; $x" for index in range(scan.MOST_CLOSELY + 10)}
    assert guard(mode="monitor")(ok)(rest(flood), None)["statusCode"] == 413
    assert [line["metadata"]["event_code"] for line in lines(capfd) if line["level"] == "ERROR"] == ["SG-LIM-011"]


def test_a_twin_key_hides_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    event = rest() | {"body": '{"n": "x\' UNION SELECT card FROM customers -- ", "n": "ok"}', "httpMethod": "POST"}
    assert guard(mode="block")(ok)(event, None)["statusCode"] == 403


def test_a_get_needs_no_body_and_a_post_does(capfd: pytest.CaptureFixture[str]) -> None:
    handler = guard(schema={"type": "object"})(ok)
    assert handler(rest(None, httpMethod="GET"), None)["statusCode"] == 200
    assert handler(rest(None, httpMethod="POST"), None)["statusCode"] == 400


def test_a_body_is_the_string_it_is_when_it_is_no_json(capfd: pytest.CaptureFixture[str]) -> None:
    handler = guard(schema={"type": "object"})(ok)
    for body in ("", "{", "[1", "plain", '{"a": 1} x', "NaN"):
        assert handler(rest() | {"body": body, "httpMethod": "POST"}, None)["statusCode"] == 400, body


def test_an_event_from_an_undeclared_source_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    handler = guard(source="sqs")(ok)
    with pytest.raises(InputBlocked):
        handler({"Records": [{"eventSource": "aws:sqs", "EventSource": "aws:sns"}]}, None)
    assert handler(rest({}), None)["statusCode"] == 403
    assert handler(events.sqs(RNG, "{}", 1), None)["statusCode"] == 200
    assert [line["metadata"]["event_code"] for line in lines(capfd)] == ["SG-SRC-001"] * 2


def test_bad_records_leave_a_batch_and_good_ones_are_handed_on(capfd: pytest.CaptureFixture[str]) -> None:
    event = events.sqs(RNG, json.dumps({"note": "fine"}), 3)
    event["Records"][1]["body"] = json.dumps({"note": INJECTION})
    before = json.dumps(event)
    seen = []

    def handler(event: Any, context: Any) -> Any:
        seen.extend(record["messageId"] for record in event["Records"])
        return {"batchItemFailures": [{"itemIdentifier": seen[0]}]}

    ids = [record["messageId"] for record in event["Records"]]
    answer = guard(mode="block")(handler)(event, Context())
    assert seen == [ids[0], ids[2]]
    assert answer == {"batchItemFailures": [{"itemIdentifier": ids[0]}, {"itemIdentifier": ids[1]}]}
    assert json.dumps(event) == before
    (line,) = lines(capfd)
    assert line["evidences"][0]["data"]["json_path"].endswith("Records[1].body.note")


def test_a_batch_of_bad_records_never_reaches_the_handler(capfd: pytest.CaptureFixture[str]) -> None:
    event = events.sqs(RNG, json.dumps({"note": INJECTION}), 2)
    answer = guard(mode="block")(lambda event, context: pytest.fail("called"))(event, None)
    assert [item["itemIdentifier"] for item in answer["batchItemFailures"]] == [record["messageId"] for record in event["Records"]]


def test_an_asynchronous_source_drops_unless_told_to_fail(capfd: pytest.CaptureFixture[str]) -> None:
    event = events.s3(RNG, "")
    event["Records"][0]["s3"]["object"]["key"] = "in/..%2F..%2F..%2Fetc%2Fpasswd"
    assert guard(mode="block")(ok)(event, None) is None
    with pytest.raises(InputBlocked) as caught:
        guard(mode="block", on_refuse="fail")(ok)(event, None)
    assert caught.value.rule == "SG-PTH-001"
    assert caught.value.id


CALL = "http://undeclared.example:8080/"


def call_out(event: Any, context: Any) -> Any:
    urllib.request.urlopen(CALL, timeout=1)
    return ok(event, context)


def call_out_and_swallow(event: Any, context: Any) -> Any:
    try:
        urllib.request.urlopen(CALL, timeout=1)
    except Exception:
        pass
    return ok(event, context)


@pytest.mark.parametrize("handler", [call_out, call_out_and_swallow])
def test_an_undeclared_call_decides_the_answer_even_when_the_error_is_swallowed(handler: Any, capfd: pytest.CaptureFixture[str]) -> None:
    answer = guard(egress=["api.stripe.com"])(handler)(rest({}), Context())
    assert answer["statusCode"] == 403
    (line,) = lines(capfd)
    assert line["metadata"]["event_code"] == "SG-EGR-001"
    assert line["metadata"]["uid"] == json.loads(answer["body"])["security_response_id"]


def test_an_asynchronous_event_whose_handler_called_out_is_retried_not_forgotten(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ActionBlocked):
        guard(egress=[])(call_out_and_swallow)(events.s3(RNG, ""), Context())
    assert guard(egress=[], on_refuse="drop")(call_out_and_swallow)(events.s3(RNG, ""), Context()) is None


def test_a_refusal_names_all_records_though_the_handler_took_them_out(capfd: pytest.CaptureFixture[str]) -> None:
    def handler(event: Any, context: Any) -> Any:
        while event["Records"]:
            event["Records"].pop()
        return call_out_and_swallow(event, context)

    event = events.sqs(RNG, "{}", 3)
    ids = [record["messageId"] for record in event["Records"]]
    answer = guard(egress=[])(handler)(event, Context())
    assert [item["itemIdentifier"] for item in answer["batchItemFailures"]] == ids


def test_metadata_addresses_are_out_of_reach_without_any_setting(capfd: pytest.CaptureFixture[str]) -> None:
    def handler(event: Any, context: Any) -> Any:
        urllib.request.urlopen("http://169.254.169.254/latest/meta-data/", timeout=1)

    for mode in ("off", "monitor", "block"):
        assert guard(mode=mode)(handler)(rest({}), None)["statusCode"] == 403
    assert {line["metadata"]["event_code"] for line in lines(capfd)} == {"SG-EGR-003"}


def test_the_handlers_own_error_goes_on_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    error = ValueError("mine")

    def handler(event: Any, context: Any) -> Any:
        raise error

    with pytest.raises(ValueError, match="mine") as caught:
        guard(mode="block")(handler)(rest({}), None)
    assert caught.value is error
    assert error.__cause__ is None


def test_nothing_is_kept_from_one_invocation_to_the_next(capfd: pytest.CaptureFixture[str]) -> None:
    def calls_when_told(event: Any, context: Any) -> Any:
        return (call_out_and_swallow if json.loads(event["body"]).get("call") else ok)(event, context)

    handler = guard(mode="block", egress=[])(calls_when_told)
    before = dict(handler.__dict__)
    for _ in range(3):
        assert handler(rest({"call": True}), None)["statusCode"] == 403
        assert handler(rest({}), None)["statusCode"] == 200
        assert handler(rest({"note": INJECTION}), None)["statusCode"] == 403
    assert handler.__dict__ == before


def test_async_handlers_stay_coroutine_functions(capfd: pytest.CaptureFixture[str]) -> None:
    async def handler(event: Any, context: Any) -> Any:
        await asyncio.sleep(0)
        if json.loads(event["body"]).get("call"):
            await asyncio.to_thread(call_out_and_swallow, event, context)
        return ok(event, context)

    guarded = guard(mode="block", egress=[])(handler)
    assert asyncio.iscoroutinefunction(guarded)
    assert asyncio.run(guarded(rest({}), None))["statusCode"] == 200
    assert asyncio.run(guarded(rest({"note": INJECTION}), None))["statusCode"] == 403
    assert asyncio.run(guarded(rest({"call": 1}), None))["statusCode"] == 403
    hidden = guard(mode="block", egress=[])(functools.wraps(handler)(lambda event, context: handler(event, context)))
    assert asyncio.run(hidden(rest({"call": 1}), None))["statusCode"] == 403


def test_an_error_in_the_guard_follows_the_mode_of_what_failed_and_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    class Detector:
        NAME, RULE, CWE, TITLE = "mine", "SG-OWN-001", 0, "Mine"

        @staticmethod
        def detect(text: str, where: str) -> None:
            raise ZeroDivisionError("secret-in-message")

    event = rest({"a": "some text"})
    assert guard(detectors=[Detector])(ok)(event, None)["statusCode"] == 200
    assert guard(detectors=[Detector], mode="block")(ok)(event, None)["statusCode"] == 500
    assert guard(detectors=[Detector], mode="block", on_error="monitor")(ok)(event, None)["statusCode"] == 200
    assert guard(detectors=[Detector], on_error="block")(ok)(event, None)["statusCode"] == 500
    out = capfd.readouterr().out
    assert "secret-in-message" not in out
    assert [json.loads(line)["metadata"]["event_code"] for line in out.splitlines()] == ["SG-GRD-001"] * 4


def test_a_detector_and_an_emitter_of_ones_own_run_beside_the_guards(capfd: pytest.CaptureFixture[str]) -> None:
    class Detector:
        NAME, RULE, CWE, TITLE, NEEDS = "mine", "SG-OWN-001", 0, "Our own word", ("xyzzy",)

        @staticmethod
        def detect(text: str, where: str) -> Any:
            return ("high", "the word") if "xyzzy" in text else None

    told: list[Any] = []
    handler = guard(detectors=[Detector], emitters=[told.append], detect={"mine": "block"})(ok)
    assert handler(rest({"a": "say xyzzy now"}), None)["statusCode"] == 403
    assert handler(rest({"a": "say nothing"}), None)["statusCode"] == 200
    assert [event["metadata"]["event_code"] for event in told] == ["SG-OWN-001"]
    with pytest.raises(PolicyError, match=r"did you mean `mine`"):
        guard(detectors=[Detector], detect={"mien": "block"})(ok)


def test_powertools_event_objects_are_read_and_handed_on(capfd: pytest.CaptureFixture[str]) -> None:
    sources = pytest.importorskip("aws_lambda_powertools.utilities.data_classes")
    seen: list[Any] = []

    @sources.event_source(data_class=sources.SQSEvent)
    @guard(mode="block")
    def handler(event: Any, context: Any) -> Any:
        seen.extend(record.body for record in event.records)

    event = events.sqs(RNG, json.dumps({"note": "fine"}), 2)
    event["Records"][0]["body"] = INJECTION
    assert handler(event, None) == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
    assert seen == [event["Records"][1]["body"]]


def test_an_explicit_guard_wraps_and_refuses_alike(capfd: pytest.CaptureFixture[str]) -> None:
    handler = Guard.from_policy({"mode": "block", "name": "explicit"}).wrap(ok)
    assert handler(rest({"a": INJECTION}), None)["statusCode"] == 403
    (line,) = lines(capfd)
    assert line["policy"]["name"] == "explicit"


def test_guarding_twice_guards_once_even_where_the_inner_guard_is_hidden(capfd: pytest.CaptureFixture[str]) -> None:
    inner = guard(mode="monitor")(ok)

    class Hidden:
        def __call__(self, event: Any, context: Any) -> Any:
            return inner(event, context)

    outer = guard(mode="monitor")(Hidden())
    assert outer(rest({"note": INJECTION}), None)["statusCode"] == 200
    assert len(lines(capfd)) == 1
    stricter = guard(mode="block")(Hidden())
    assert stricter(rest({"note": "fine"}), None)["statusCode"] == 200
    assert guard(mode="block")(lambda event, context: inner({"other": INJECTION}, context))(rest({"note": "fine"}), None)["statusCode"] == 200
    assert len(lines(capfd)) == 1, "another event inside an invocation is looked at for itself"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda children: st.lists(children) | st.dictionaries(st.text() | st.integers(), children),
    max_leaves=25,
)
KEYS = st.sampled_from(
    [
        "Records",
        "body",
        "headers",
        "requestContext",
        "version",
        "rawPath",
        "httpMethod",
        "resource",
        "detail",
        "detail-type",
        "source",
        "path",
        "queryStringParameters",
    ]
)


@settings(max_examples=300, deadline=None)
@given(JSON | st.dictionaries(KEYS, JSON, min_size=2))
def test_no_event_makes_the_guard_itself_fail(event: Any) -> None:
    told: list[Any] = []
    handler = guard(schema={"body": {"type": "object"}, "query": {"type": "object"}}, mode="monitor", emitters=[told.append])(ok)
    handler(event, None)
    assert not [line for line in told if line["metadata"]["event_code"] == "SG-GRD-001"]
