"""Events: complete, bounded, redacted; told whatever the context, the findings and the emitters are."""

from __future__ import annotations

import json
import os
import string
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import MagicMock

import ocsf as validator
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serverless_guard import facts as gathered
from serverless_guard import ocsf, redact, telemetry
from serverless_guard.emitters import eventbridge, otel, securityhub
from serverless_guard.policy import Policy
from serverless_guard.values import Finding, Verdict

CONTEXT = SimpleNamespace(
    aws_request_id="8f0c1f2e-3f6e-4d5b-9b54-0d8f4f6f2a11",
    function_name="checkout",
    function_version="17",
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:checkout:live",
    tenant_id="blue-tenant",
    log_stream_name="2026/11/23/[17]7e2f0c",
)
ENVIRON = {"AWS_REGION": "eu-west-1", "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"}
HTTP_EVENT = {
    "version": "2.0",
    "requestContext": {
        "http": {"method": "POST", "path": "/orders/4711", "sourceIp": "198.51.100.24"},
        "routeKey": "POST /orders/{id}",
        "authorizer": {"jwt": {"claims": {"sub": "user-1"}}},
    },
}
SQLI = Finding("SG-SQL-001", "sqli", "SQL injection", "body.note", detail="string break and tautology", cwe=89, sample="' OR 1=1--")
EGRESS = Finding("SG-EGR-001", "egress", "Outbound call to a host that is not declared", target="attacker.example:443", cwe=918)
BLOCK = {"sqli": "block", "egress": "block", "schema": "block", "limits": "monitor"}


@pytest.fixture(autouse=True)
def _new_process():
    telemetry.renew()
    yield
    telemetry.renew()


@contextmanager
def written(fd: int = 1):
    """The bytes that are written to a file descriptor meanwhile."""
    saved = os.dup(fd)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), fd)
        box = []
        try:
            yield box
        finally:
            os.dup2(saved, fd)
            os.close(saved)
            file.seek(0)
            box.append(file.read())


def tell(*findings: Finding, action: str = "refuse", modes=BLOCK, facts=None, emitters=()) -> tuple[str, list[dict], bytes]:
    facts = facts or telemetry.facts(CONTEXT, ENVIRON, "apigateway-http", HTTP_EVENT, Policy(name="checkout"))
    with written() as box:
        id = telemetry.tell(Verdict(action, findings=findings), modes, facts, emitters, 38)
    return id, [json.loads(line) for line in box[0].splitlines()], box[0]


def test_a_refusal_is_one_line_that_says_what_who_where_and_what_was_done():
    id, (event,), raw = tell(SQLI)
    assert raw.count(b"\n") == 1 and raw.endswith(b"}\n") and raw.isascii()
    assert event["metadata"]["uid"] == event["finding_info"]["uid"] == id and len(id) == 26
    assert (event["level"], event["action_id"], event["disposition_id"], event["severity"]) == ("ERROR", 2, 2, "High")
    assert event["message"] == "SQL injection at body.note: refused (SG-SQL-001)"
    assert event["metadata"]["correlation_uid"] == CONTEXT.aws_request_id and event["metadata"]["tenant_uid"] == "blue-tenant"
    assert event["cloud"] == {"provider": "AWS", "region": "eu-west-1", "account": {"uid": "123456789012", "type_id": 10, "type": "AWS Account"}}
    assert event["policy"]["name"] == "checkout" and len(event["policy"]["uid"]) == 32
    assert event["unmapped"]["trace_id"] == "5759e988bd862e3fe1be46a994272793"
    evidence = event["evidences"][0]
    assert evidence["data"]["match"] == {"len": 10, "hash": evidence["data"]["match"]["hash"], "preview": "' a 9=9-"}
    assert evidence["http_request"] == {"http_method": "POST", "url": {"path": "/orders/{id}"}}
    assert evidence["src_endpoint"] == {"ip": "198.51.100.24"} and evidence["actor"]["user"] == {"uid": "user-1"}
    assert event["finding_info"]["attacks"][0]["technique"]["uid"] == "T1190"
    assert event["finding_info"]["tags"] == [{"name": "cwe", "value": "CWE-89"}]
    assert abs(event["time"] / 1000 - time.time()) < 60 and event["timestamp"].endswith("Z")


def test_what_was_only_reported_is_a_warning_beside_what_was_refused():
    _, (first, second), _ = tell(EGRESS._replace(confidence="low"), SQLI)
    assert [first["metadata"]["event_code"], second["metadata"]["event_code"]] == ["SG-SQL-001", "SG-EGR-001"]
    assert (second["level"], second["action_id"], second["disposition_id"], second["severity"]) == ("WARN", 3, 15, "Low")
    assert first["metadata"]["correlation_uid"] == second["metadata"]["correlation_uid"]
    assert [first["metadata"]["sequence"], second["metadata"]["sequence"]] == [1, 2]


@pytest.mark.parametrize("action", ocsf.ACTIONS)
def test_every_action_is_a_valid_detection_finding(action):
    for control in ("sqli", "shell", "egress", "metadata", "schema", "limits", "source", "guard", "own"):
        for facts in (gathered.Facts(), telemetry.facts(CONTEXT, ENVIRON, "sqs", {"Records": [{"messageId": "m"}]}, Policy(name="p"), cold=True)):
            with written() as box:
                telemetry.note([SQLI._replace(control=control, record=0), EGRESS._replace(control=control)], action, facts._replace(request_id=""))
            for line in box[0].splitlines():
                assert validator.problems(json.loads(line)) == []


def test_the_validator_sees_mistakes():
    _, (event,), _ = tell(SQLI)
    assert validator.problems(event) == []
    wrong = {"severity_id": 7, "time": "now", "cloud": {}, "severity": "Low", "is_alert": 1, "colour": "red", "evidences": [{}], "metadata": {"uid": 1}}
    for field, value in wrong.items():
        assert validator.problems(event | {field: value}), field
    for field in ("metadata", "time", "severity_id", "activity_id", "category_uid", "class_uid", "type_uid", "finding_info", "cloud"):
        assert validator.problems({key: value for key, value in event.items() if key != field}), field


def test_an_error_of_the_guard_says_whether_the_event_passed():
    failure = Finding("SG-GRD-001", "guard", "The guard failed while checking schema: KeyError", detail="schema")
    _, (event,), _ = tell(failure)
    assert (event["action_id"], event["disposition_id"], event["level"], event["severity"]) == (2, 27, "ERROR", "High")
    _, (event,), _ = tell(failure, action="report")
    assert (event["action_id"], event["disposition_id"]) == (1, 27)


@pytest.mark.parametrize(
    ("target", "point"),
    [
        ("attacker.example:443", {"hostname": "attacker.example", "port": 443}),
        ("203.0.113.7:80", {"ip": "203.0.113.7", "port": 80}),
        ("[2001:db8::1]:443", {"ip": "2001:db8::1", "port": 443}),
        ("2001:db8::1", {"ip": "2001:db8::1"}),
        ("host", {"hostname": "host"}),
        ("host:99999", {"hostname": "host:99999"}),
        ("::ffff:1.2.3.4:x", {"hostname": "::ffff:1.2.3.4:x"}),
    ],
)
def test_a_target_is_told_as_host_or_address(target, point):
    _, (event,), _ = tell(EGRESS._replace(target=target))
    assert event["evidences"][0]["dst_endpoint"] == point
    assert validator.problems(event) == []


def test_an_aws_call_is_told_as_service_and_operation():
    _, (event,), _ = tell(EGRESS._replace(target="aws:dynamodb:PutItem@table/orders"))
    assert event["evidences"][0]["api"] == {"operation": "PutItem", "service": {"name": "dynamodb"}}


SQS_ID, ROOT = "059f36b4-87a3-44ab-83d2-661975830a7d", "5759e988bd862e3fe1be46a994272794"
W3C = f"00-{ROOT}-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("record", "id", "trace"),
    [
        ({"messageId": SQS_ID, "attributes": {"AWSTraceHeader": f"Root=1-{ROOT[:8]}-{ROOT[8:]};Parent=53995c3f42cd8ad8"}}, SQS_ID, ROOT),
        ({"messageId": SQS_ID, "messageAttributes": {"traceparent": {"stringValue": W3C, "dataType": "String"}}}, SQS_ID, ROOT),
        ({"EventSource": "aws:sns", "Sns": {"MessageId": SQS_ID, "MessageAttributes": {"traceparent": {"Type": "String", "Value": W3C}}}}, SQS_ID, ROOT),
        ({"eventSource": "aws:s3", "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810"}}, "C3D13FE58DE4C810", None),
        ({"eventID": "shardId-000000000006:495903"}, "shardId-000000000006:495903", None),
        ({"messageAttributes": {"traceparent": {"stringValue": "not a trace"}}, "attributes": 7}, None, None),
        ("odd", None, None),
    ],
)
def test_a_record_is_told_with_its_id_and_trace(record, id, trace):
    facts = telemetry.facts(CONTEXT, ENVIRON, "sqs", {"Records": [{}, record]}, Policy())
    _, (event,), _ = tell(SQLI._replace(record=1, path="Records[1].body.note"), facts=facts)
    data = event["evidences"][0]["data"]
    assert (data["record"], data.get("record_id"), data.get("record_trace_id")) == (1, id, trace)


def test_an_eventbridge_event_is_told_with_its_id():
    facts = telemetry.facts(CONTEXT, ENVIRON, "eventbridge", {"id": SQS_ID, "detail-type": "Order", "detail": {}}, Policy())
    assert tell(SQLI, facts=facts)[1][0]["evidences"][0]["data"]["event_id"] == SQS_ID


REST = {"httpMethod": "GET", "path": "/orders/12", "headers": {"X-Amzn-Trace-Id": f"Root=1-{ROOT[:8]}-{ROOT[8:]}"}}
REST["requestContext"] = {
    "resourcePath": "/orders/{id}",
    "identity": {"sourceIp": "2001:db8::7"},
    "authorizer": {"principalId": "p-1"},
    "requestId": "c6af9ac6",
}
ALB = {"httpMethod": "PATCH", "path": "/orders", "multiValueHeaders": {"x-forwarded-for": ["10.0.0.1, 198.51.100.24"], "TraceParent": [W3C]}}


@pytest.mark.parametrize(
    ("source", "event", "ip", "method", "path", "user", "id"),
    [
        ("apigateway-http", HTTP_EVENT, "198.51.100.24", "POST", "/orders/{id}", "user-1", ""),
        ("apigateway-rest", REST, "2001:db8::7", "GET", "/orders/{id}", "p-1", "c6af9ac6"),
        ("alb", ALB, "198.51.100.24", "PATCH", "/orders", "", ""),
        ("unknown", HTTP_EVENT, "", "", "", "", ""),  # a caller of its own could claim all of this
    ],
)
def test_a_request_is_told_with_who_asked(source, event, ip, method, path, user, id):
    facts = telemetry.facts(CONTEXT, ENVIRON, source, event, Policy())
    assert (facts.client_ip, facts.method, facts.http_path, facts.user, facts.http_id) == (ip, method, path, user, id)
    _, (told,), _ = tell(SQLI, facts=facts)
    assert validator.problems(told) == []
    assert told["unmapped"].get("caller_trace_id", "") == facts.caller_trace_id == (ROOT if source in ("apigateway-rest", "alb") else "")


def test_the_trace_of_the_invocation_is_w3c_where_the_runtime_has_it():
    context = SimpleNamespace(**vars(CONTEXT), w3c=lambda: {"traceparent": W3C})
    assert telemetry.facts(context, ENVIRON).trace_id == ROOT
    assert telemetry.facts(CONTEXT, ENVIRON).trace_id == "5759e988bd862e3fe1be46a994272793"


def test_the_trace_comes_from_w3c_or_xray_and_from_nothing_else():
    assert gathered.trace_id("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01") == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert gathered.trace_id("Self=1-67891234-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678") == "67891233abcdef012345678912345678"
    for odd in ("", "Root=", "Root=1-2-3", "00-zz-00-00", ";;;", "Root=1-5759E988-BD862E3FE1BE46A994272793", "a-b-c-d"):
        assert gathered.trace_id(odd) == ""


class Hostile:
    def __getattr__(self, name):
        raise RuntimeError(name)


@pytest.mark.parametrize(
    "context",
    [None, 7, "x", {}, object(), pytest.param(Hostile(), id="hostile"), MagicMock(), SimpleNamespace(aws_request_id=7, tenant_id=b"x", w3c=lambda: 1 / 0)],
)
def test_facts_come_from_any_context(context):
    facts = telemetry.facts(context, {"AWS_LAMBDA_FUNCTION_NAME": "fn"}, "sqs", ["odd", None], Policy())
    assert (facts.function, facts.request_id, facts.source) == ("fn", "", "sqs")
    _, (event,), _ = tell(SQLI, facts=facts)
    assert validator.problems(event) == []


@pytest.mark.parametrize(
    "event", [None, [], "x", b"x", {"requestContext": None}, {"requestContext": {"http": 7, "authorizer": "x"}, "headers": []}, {"path": 7}]
)
def test_facts_come_from_any_event(event):
    facts = telemetry.facts(CONTEXT, {}, "unknown", event, Policy())
    assert (facts.request_id, facts.client_ip, facts.http_path) == (CONTEXT.aws_request_id, "", "")


def test_a_flood_is_sixteen_lines_and_one_that_counts_the_rest():
    _, events, _ = tell(*[EGRESS] * 1000)
    assert len(events) == 17
    assert events[-1]["metadata"]["event_code"] == "SG-GRD-002" and "984 further findings" in events[-1]["message"]
    assert len({event["metadata"]["correlation_uid"] for event in events}) == 1


def test_a_flood_in_many_steps_of_one_invocation_stays_bounded():
    total = sum(len(tell(EGRESS)[1]) for _ in range(300))
    assert 17 <= total <= 16 + 9
    facts = telemetry.facts(SimpleNamespace(aws_request_id="another"), {}, "sqs", None, Policy())
    assert len(tell(EGRESS, facts=facts)[1]) == 1


def test_a_flood_of_one_kind_does_not_hide_another():
    tell(*[SQLI] * 100, action="report")
    _, events, _ = tell(EGRESS)
    assert [event["metadata"]["event_code"] for event in events] == ["SG-EGR-001"]
    _, events, _ = tell(*[SQLI] * 5, EGRESS._replace(confidence="low"))
    assert [event["metadata"]["event_code"] for event in events] == ["SG-SQL-001", "SG-EGR-001"]


def test_many_kinds_of_findings_stay_bounded():
    findings = [SQLI._replace(control=f"own-{index}") for index in range(1000)]
    assert len(tell(*findings)[1]) == 17


def test_every_step_of_a_flood_has_an_id_to_give():
    ids = [tell(EGRESS)[0] for _ in range(40)]
    assert all(len(id) == 26 for id in ids)


def test_without_a_request_id_each_step_counts_for_itself():
    facts = telemetry.facts(None, {}, "sqs", None, Policy())
    assert sum(len(tell(EGRESS, facts=facts)[1]) for _ in range(40)) == 40


def test_ids_sort_by_time_and_are_distinct():
    ids = [telemetry._uid(1_000_000 + index) for index in range(100)]
    assert ids == sorted(ids) and len(set(ids)) == 100 and set("".join(ids)) <= set(telemetry.DIGITS)


def test_a_new_process_has_a_new_key_and_sequence():
    _, (first,), _ = tell(SQLI)
    _, (again,), _ = tell(SQLI)
    telemetry.renew()
    _, (renewed,), _ = tell(SQLI)
    hashes = [event["evidences"][0]["data"]["match"]["hash"] for event in (first, again, renewed)]
    assert hashes[0] == hashes[1] != hashes[2]
    assert [event["metadata"]["sequence"] for event in (first, again, renewed)] == [1, 2, 1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_a_key_of_its_own():
    tell(SQLI)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(write, telemetry._current().key + bytes([telemetry._current().sequence]))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    told = os.read(read, 17)
    os.close(read)
    os.close(write)
    assert told[:16] != telemetry._current().key and told[16] == 0 and telemetry._current().sequence == 1


def test_a_restored_snapshot_has_a_key_of_its_own(monkeypatch):
    hooks = pytest.importorskip("snapshot_restore_py")
    monkeypatch.setattr(hooks, "_after_restore_registry", [])
    monkeypatch.setattr(telemetry, "_hooked", False)
    monkeypatch.setattr(os, "register_at_fork", lambda **_: None)
    environ = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    tell(SQLI, facts=telemetry.facts(CONTEXT, environ, "sqs"))
    before = telemetry._current().key
    for hook, arguments, named in hooks.get_after_restore():
        hook(*arguments, **named)
    assert telemetry._current().key != before and telemetry._current().sequence == 0


def test_a_signal_handler_may_tell_while_its_thread_tells():
    process = telemetry._current()
    with process.lock:
        assert len(tell(SQLI)[1]) == 1


# emitters that fail


def test_a_failing_emitter_fails_neither_the_handler_nor_the_others_and_is_told_once():
    seen: list[dict] = []

    def broken(event):
        raise ValueError("with a secret in it")

    _, first, raw = tell(SQLI, emitters=(broken, seen.append))
    assert [event["metadata"]["event_code"] for event in first] == ["SG-SQL-001", "SG-GRD-003"]
    assert "The emitter broken failed: ValueError" in first[1]["message"] and b"secret" not in raw
    assert validator.problems(first[1]) == []
    assert [event["metadata"]["event_code"] for event in seen] == ["SG-SQL-001", "SG-GRD-003"]
    assert len(tell(SQLI, emitters=(broken, seen.append))[1]) == 1


def test_an_emitter_that_fails_again_and_again_is_left_alone():
    calls = []

    def broken(event):
        calls.append(event)
        raise OSError

    facts = telemetry.facts(None, {}, "sqs")
    for _ in range(10):
        tell(SQLI, SQLI, facts=facts, emitters=(broken,))
    assert len(calls) == telemetry.MAX_FAILURES
    telemetry._current().resting = dict.fromkeys(telemetry._current().resting, 0.0)  # the time has passed
    tell(SQLI, facts=facts, emitters=(broken,))
    tell(SQLI, facts=facts, emitters=(broken,))
    assert len(calls) == telemetry.MAX_FAILURES + 1


def test_an_unknown_emitter_is_told_by_the_others():
    _, events, _ = tell(SQLI, emitters=("nowhere",))
    assert "The emitter nowhere failed: KeyError" in events[-1]["message"]


def test_an_emitter_may_be_an_object_with_connect():
    seen: list[dict] = []
    emitter = SimpleNamespace(connect=lambda: seen.append)
    tell(SQLI, emitters=(emitter,))
    tell(SQLI, emitters=(emitter,))
    assert len(seen) == 2


def test_where_no_emitter_works_standard_error_hears_of_it_once():
    facts = telemetry.facts(CONTEXT, ENVIRON, "sqs", None, Policy())
    saved = os.dup(1)
    with written(2) as box:
        os.close(1)
        try:
            for _ in range(5):
                assert len(telemetry.tell(Verdict("refuse", findings=(SQLI,)), BLOCK, facts)) == 26
        finally:
            os.dup2(saved, 1)
            os.close(saved)
    assert box[0] == b"serverless_guard: The emitter stdout failed: OSError\n"


# redaction


@pytest.mark.parametrize(
    ("value", "outline"),
    [
        ("' OR 1=1--", "' a 9=9-"),
        ("", ""),
        ("hunter2", "a9"),
        ("../../etc/passwd", "../../a/"),
        (";cat /etc/passwd", ";a /a/a"),
        ("日本語", "a"),
        ("١٢٣", "9"),
        ("\x00\x01\n", "???"),
        ("\ud800\u202ex", "??a"),
        ("€€€", "??"),
        ("________", "__"),
    ],
)
def test_a_preview_is_an_outline(value, outline):
    assert redact.shape(value) == outline


@given(st.text())
def test_a_preview_shows_no_letter_and_no_digit_of_the_value(value):
    outline = redact.shape(value)
    assert len(outline) <= 8 and outline.isascii() and outline.isprintable()
    assert not set(outline) & (set(string.ascii_letters + string.digits) - {"a", "9"})


def test_a_preview_can_be_switched_off():
    facts = telemetry.facts(CONTEXT, ENVIRON, "sqs", None, Policy(preview=False))
    _, (event,), _ = tell(SQLI, facts=facts)
    assert set(event["evidences"][0]["data"]["match"]) == {"len", "hash"}


NAMES = [
    "isBase64Encoded",
    "md5OfBody",
    "s3SchemaVersion",
    "oauth2client",
    "x509",
    "items.0.price",
    "$.items[0].qty",
    "$.*",
    'body["unit price"].x',
    "body[key of 22 characters].x",
    'headers["a.b"]',
    "/orders/{id}/{proxy+}",
    "body",
    "note",
    "headers",
    "queryStringParameters",
    "Records[12].body.Message.detail.name",
    "x-forwarded-for",
    "user-agent",
    "content-type",
    "customerId",
    "line_items",
    "items[3].price",
    "address1",
    "sha256",
    "utf8",
    "Authorization",
    "X-Amz-Date",
    "access-control-request-headers",
    "$ne",
    "$where",
    "__proto__",
    "@type",
    "detail-type",
    "aws:sourceArn",
    "_id",
    "requestContext.authorizer.claims.sub",
    "multiValueHeaders.cookie[0]",
    "s3.object.key",
    "dynamodb.NewImage.pk.S",
    "numberOfEmployeesInDepartment",
]


@pytest.mark.parametrize("path", NAMES)
def test_the_names_of_fields_are_told(path):
    assert redact.path(path, b"k") == path


SECRETS = [
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "4111111111111111",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "eyJhbGciOiJIUzI1NiJ9",
    "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
    "078-05-1120",
    "d41d8cd98f00b204e9800998ecf8427e",
    "a3bb189e-8bf9-3888-9912-ace4e6543002",
    "xKjQwPzLmNbVcXsAqWeR",
    "+4915112345678",
    "AbCdEfGhIjKlMnOpQr",
    "pa$$w0rd!Tr0ub4dor",
    "hunter2;--",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_the_names_that_are_secrets_are_masked(secret):
    for path in (secret, f"body.{secret}", f"Records[1].body.{secret}.x", f"headers.{secret}[0]", f"a/{secret}/b", f'body["{secret}"].x'):
        told = redact.path(path, b"k")
        assert secret not in told and "~" in told
        assert told == redact.path(path, b"k") != redact.path(path, b"l")


HOSTS = [
    "attacker.example",
    "ec2-52-94-76-1.eu-west-1.compute.amazonaws.com",
    "169.254.169.254",
    "2001:db8::1",
    "a1b2c3-ats.iot.eu-west-1.amazonaws.com",
    "mydb.c9akciq32abc.eu-west-1.rds.amazonaws.com",
    "sqs.eu-west-1.amazonaws.com",
]


def test_a_quoted_key_is_told_wholly_or_not_at_all():
    told = redact.path('body["wJal/bPxRfiCYEXAMPLEKEY/K7MDENG note"].name', b"k")
    assert told.startswith('body["~') and told.endswith('"].name') and "wJal" not in told and "note" not in told


@pytest.mark.parametrize("host", HOSTS)
def test_the_hosts_that_are_called_are_told(host):
    assert redact.host(host, b"k") == host


@pytest.mark.parametrize("secret", ["akiaiosfodnn7example", "eyjhbgcioijiuzi1nij9", "d41d8cd98f00b204e9800998ecf8427e"])
def test_a_secret_carried_out_in_a_host_name_is_masked(secret):
    told = redact.host(f"{secret}.attacker.example", b"k")
    assert secret not in told and told.endswith(".attacker.example")


tokens = st.text(alphabet=string.ascii_letters + string.digits, min_size=16, max_size=60).filter(lambda text: sum(map(str.isdigit, text)) > 4)
secrets = tokens | st.sampled_from(SECRETS)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secrets, secrets, secrets, tokens.filter(lambda text: len(text) > 30))
def test_no_secret_of_an_event_is_written_by_any_emitter(sample, key, step, label):
    event = {
        "rawPath": f"/reset/{step}",
        "rawQueryString": f"token={sample}",
        "headers": {"authorization": f"Bearer {sample}", "cookie": sample, "x-forwarded-for": sample, key: key},
        "body": json.dumps({key: sample}),
        "requestContext": {"http": {"method": step, "path": f"/reset/{step}", "sourceIp": sample, "userAgent": sample}},
        "Records": [{"body": sample, "messageAttributes": {key: sample}}],
    }
    facts = telemetry.facts(CONTEXT, ENVIRON, "apigateway-http", event, Policy())
    findings = (
        SQLI._replace(path=f"body.{key}.{step}", sample=sample),
        SQLI._replace(path=f"headers.{key}", sample=f"x' OR {sample}", record=0),
        EGRESS._replace(target=f"{label.lower()}.attacker.example:443"),
    )
    seen: list[dict] = []
    _, _, raw = tell(*findings, facts=facts._replace(request_id=""), emitters=("stdout", "stdout:flat", "emf", seen.append))
    text = raw.decode() + json.dumps([[event, securityhub.asff(event), otel.attributes(event), eventbridge.detail(event)] for event in seen])
    assert len(seen) == len(findings) and raw.count(b"\n") == 3 * len(findings)
    for secret in (sample, key, step, label.lower()):
        assert secret not in text


# bounds

HUGE = ["\U0001f600" * 5000, "\ud800" * 900, '\\"' * 4000, "\x00\n\r\u2028" * 300, "é" * 4000]
texts = st.text(max_size=40) | st.text(min_size=300, max_size=3000) | st.sampled_from(HUGE)
odd = texts | st.none() | st.integers() | st.binary(max_size=20)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large])
@given(texts, texts, texts, texts, texts, odd, st.integers(min_value=-1, max_value=10**9), texts)
def test_a_line_is_valid_and_within_its_bound_whatever_the_finding_and_the_function(rule, title, path, detail, sample, target, record, name):
    finding = Finding(rule or "R", "sqli", title, path, "high", detail, 89, record, sample, target if isinstance(target, str) else "")
    event = {"requestContext": {"http": {"path": path, "method": "PATCH", "sourceIp": name}, "authorizer": {"principalId": name}}}
    context = SimpleNamespace(**dict.fromkeys(vars(CONTEXT), name))
    facts = telemetry.facts(context, {"POWERTOOLS_SERVICE_NAME": name}, "apigateway-http", event, Policy(name=name))
    _, events, raw = tell(finding, facts=facts._replace(request_id=""))
    assert len(raw) <= 4096 and raw.count(b"\n") == 1 and raw.isascii()
    assert raw[:-1].decode().isprintable()
    assert validator.problems(events[0]) == []
    assert events[0]["level"] == "ERROR" and len(events[0]["timestamp"]) == 24 and events[0]["metadata"]["log_name"] == "serverless_guard.finding"


@pytest.mark.parametrize("field", Finding._fields)
@pytest.mark.parametrize("value", [None, 7, b"x", [], object(), pytest.param(Hostile(), id="hostile")])
def test_a_finding_of_odd_types_never_fails_the_handler(field, value):
    with written(2):
        id, _, raw = tell(SQLI._replace(**{field: value}), SQLI)
    assert len(id) == 26 and all(json.loads(line) for line in raw.splitlines())


# what it costs


def test_the_way_to_the_handler_imports_nothing_for_telemetry():
    code = "import sys, serverless_guard.telemetry; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "serverless_guard.ocsf" not in loaded and "serverless_guard.redact" not in loaded and "serverless_guard.emitters.stdout" not in loaded


def test_a_refusal_is_told_in_well_under_a_millisecond():
    facts = telemetry.facts(CONTEXT, ENVIRON, "apigateway-http", HTTP_EVENT, Policy())._replace(request_id="")
    verdict = Verdict("refuse", findings=(SQLI,))
    with written():
        telemetry.tell(verdict, BLOCK, facts)
        took = []
        for _ in range(200):
            started = time.perf_counter()
            telemetry.tell(verdict, BLOCK, facts)
            took.append(time.perf_counter() - started)
    assert min(took) < 0.001  # 90 us measured; the bound leaves room for slow machines


def test_the_published_schema_agrees():
    embedded = pytest.importorskip("ocsf_json_schema", reason="the full schema is not installed")
    jsonschema = pytest.importorskip("jsonschema")
    schema = embedded.OcsfJsonSchemaEmbedded(embedded.get_ocsf_schema(version="1.5.0"))
    full = jsonschema.Draft202012Validator(schema.get_class_schema(class_name="detection_finding", profiles=["cloud", "security_control"]))
    rich = telemetry.facts(CONTEXT, ENVIRON, "apigateway-http", HTTP_EVENT, Policy(name="p"), cold=True)
    for action in ocsf.ACTIONS:
        for control in ("sqli", "shell", "metadata", "schema", "guard"):
            findings = [
                SQLI._replace(control=control, record=0),
                EGRESS._replace(control=control, target="1.2.3.4:5"),
                EGRESS._replace(target="aws:s3:GetObject"),
            ]
            for facts in (gathered.Facts(), rich._replace(request_id="")):
                with written() as box:
                    telemetry.note(findings, action, facts)
                for line in box[0].splitlines():
                    event = {name: value for name, value in json.loads(line).items() if name not in validator.LAMBDA_KEYS}
                    assert list(full.iter_errors(event)) == []
                    assert not full.is_valid(event | {"severity_id": 7}) and not full.is_valid(event | {"colour": "red"})


@pytest.mark.parametrize("piece", ["a", "'", '["', "['", "[1", "../", "\U0001f600", "aB1", "[key of ", "\\", "x."])
def test_telling_takes_the_same_time_whatever_the_size_of_the_finding(piece):
    huge = piece * (5_000_000 // len(piece))
    started = time.perf_counter()
    _, events, raw = tell(SQLI._replace(title=huge, path=huge, detail=huge, sample=huge, target=huge))
    assert len(raw) <= 4096 and len(events) == 1
    assert time.perf_counter() - started < 0.5  # 1 to 3 ms measured
