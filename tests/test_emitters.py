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
import warnings
from types import SimpleNamespace

import ocsf as validator
import pytest
from test_telemetry import written

from serverless_guard import chain, emitters, telemetry
from serverless_guard.emitters import stdout
from serverless_guard.values import Finding, Verdict

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
    for name in ("stdout", "stdout:flat", "emf", "otel"):
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


# emitters beside standard output, each against the real thing

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:checkout"
CONTEXT = SimpleNamespace(aws_request_id="8f0c1f2e", function_name="checkout", function_version="17", invoked_function_arn=ARN)
SQLI = Finding("SG-SQL-001", "sqli", "SQL injection", "body.note", detail="string break", cwe=89, sample="' OR 1=1--")
EGRESS = Finding("SG-EGR-001", "egress", "Outbound call to a host that is not declared", target="attacker.example:443")


def told(*findings: Finding, emitters=(), action: str = "refuse", **facts) -> list[dict]:
    """The lines that telling of findings through some emitters writes."""
    telemetry.renew()
    known = telemetry.facts(CONTEXT, {"AWS_REGION": "eu-west-1"}, "apigateway-http", {"requestContext": {"http": {"sourceIp": "198.51.100.24"}}})
    with written() as box:
        telemetry.tell(Verdict(action, findings=findings or (SQLI,)), {"sqli": "block", "egress": "block"}, known._replace(**facts), emitters, 38)
    telemetry.renew()
    return [json.loads(line) for line in box[0].splitlines()]


def codes(lines: list[dict]) -> list[str]:
    return [line["metadata"]["event_code"] for line in lines if "metadata" in line]


def test_a_flat_line_has_the_keys_of_powertools_logger():
    (line,) = told(emitters=("stdout:flat",))
    assert line["level"] == "ERROR" and line["function_request_id"] == line["correlation_id"] == "8f0c1f2e" and line["service"] == "checkout"
    assert {"location", "message", "timestamp", "function_name", "function_arn"} <= line.keys() and "metadata" not in line
    told_of = line["security_event"]
    assert (told_of["rule_id"], told_of["control"], told_of["action"], told_of["path"]) == ("SG-SQL-001", "sqli", "Denied", "body.note")
    assert told(emitters=("stdout:flat",), action="report")[0]["level"] == "WARNING"


def test_metrics_are_in_the_embedded_metric_format():
    lines = [line for line in told(SQLI, EGRESS._replace(confidence="low"), emitters=("emf:Shop",)) if "_aws" in line]
    first, second = lines
    directive = first["_aws"]["CloudWatchMetrics"][0]
    assert directive["Namespace"] == "Shop" and directive["Dimensions"] == [["service", "control", "action"]]
    assert abs(first["_aws"]["Timestamp"] / 1000 - time.time()) < 60
    for line in lines:
        directive = line["_aws"]["CloudWatchMetrics"][0]
        assert all(line[name].__class__ is str and line[name] for name in directive["Dimensions"][0])
        assert all(line[metric["Name"]].__class__ is int for metric in directive["Metrics"])
        assert line["level"] and line["timestamp"]
    assert (first["Findings"], first["Blocked"], first["GuardErrors"], first["GuardLatency"]) == (1, 1, 0, 38)
    assert (second["Findings"], second["Blocked"]) == (1, 0) and "GuardLatency" not in second


OTEL = """
    import json, sys
    from types import SimpleNamespace
    from opentelemetry import trace, metrics, _logs
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    spans, logs, reader = InMemorySpanExporter(), InMemoryLogRecordExporter(), InMemoryMetricReader()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)
    loggers = LoggerProvider()
    loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
    _logs.set_logger_provider(loggers)
    metrics.set_meter_provider(MeterProvider([reader]))

    from serverless_guard import telemetry
    from serverless_guard.values import Finding, Verdict
    findings = (Finding("SG-SQL-001", "sqli", "SQL injection", "body.note"), Finding("SG-EGR-001", "egress", "Outbound", target="a.example:443"))
    facts = telemetry.facts(SimpleNamespace(aws_request_id="8f0c1f2e", function_name="checkout"), {}, "sqs")
    with trace.get_tracer("app").start_as_current_span("handler"):
        telemetry.tell(Verdict("refuse", findings=findings), {"sqli": "block"}, facts, ("otel",), 38)
    span = spans.get_finished_spans()[0]
    points = {m.name: [(p.value if hasattr(p, "value") else p.sum, dict(p.attributes)) for p in m.data.data_points]
              for r in reader.get_metrics_data().resource_metrics for s in r.scope_metrics for m in s.metrics}
    print(json.dumps({
        "events": [[e.name, dict(e.attributes)] for e in span.events],
        "blocked": span.attributes.get("serverless_guard.blocked"),
        "logs": [[l.log_record.event_name, l.log_record.severity_number.value, l.log_record.body, l.log_record.trace_id == span.context.trace_id,
                  dict(l.log_record.attributes)] for l in logs.get_finished_logs()],
        "metrics": points,
    }))
"""


def test_opentelemetry_gets_a_span_event_a_log_record_and_metrics_in_the_functions_own_set_up():
    pytest.importorskip("opentelemetry.sdk")
    done = python(OTEL)
    assert done.returncode == 0, done.stderr.decode()
    *lines, last = done.stdout.splitlines()
    assert codes([json.loads(line) for line in lines]) == ["SG-SQL-001", "SG-EGR-001"]
    seen = json.loads(last)
    (name, attributes), (_, second) = seen["events"]
    assert name == "serverless_guard.finding" and seen["blocked"] is True
    assert (
        attributes["security_rule.uuid"] == "SG-SQL-001" and attributes["serverless_guard.match.path"] == "body.note" and attributes["faas.name"] == "checkout"
    )
    assert second["server.address"] == "a.example" and second["server.port"] == 443
    assert [(record[0], record[1], record[3]) for record in seen["logs"]] == [("serverless_guard.finding", 17, True), ("serverless_guard.finding", 13, True)]
    assert seen["logs"][0][2].startswith("SQL injection at body.note: refused") and seen["logs"][0][4] == attributes
    assert sum(value for value, _ in seen["metrics"]["serverless_guard.findings"]) == 2
    assert seen["metrics"]["serverless_guard.duration"][0][0] == 38


def test_opentelemetry_is_not_imported_for_a_function_that_does_not_use_it():
    done = python(
        WRITER.replace("}, facts)", '}, facts, ("otel",))') + "    tell(1)\n    print(any(name.startswith('opentelemetry') for name in sys.modules))\n"
    )
    assert done.stdout.splitlines()[-1] == b"False", done.stderr


POWERTOOLS = """
    import json, os
    os.environ |= {"POWERTOOLS_SERVICE_NAME": "shop", "POWERTOOLS_METRICS_NAMESPACE": "Shop"}
    from types import SimpleNamespace
    from aws_lambda_powertools import Logger, Metrics
    logger, metrics = Logger(), Metrics()
    logger.append_keys(order="o-1")
    metrics.add_metric("Orders", "Count", 1)
    from serverless_guard import telemetry
    from serverless_guard.values import Finding, Verdict
    facts = telemetry.facts(SimpleNamespace(aws_request_id="8f0c1f2e", function_name="checkout"), dict(os.environ), "sqs")
    verdict = Verdict("refuse", findings=(Finding("SG-SQL-001", "sqli", "SQL injection", "body.note"),))
    telemetry.tell(verdict, {"sqli": "block"}, facts, ("powertools",), 38)
    telemetry.tell(verdict, {}, facts, ("powertools",), 38)
    logger.info("own")
    print(json.dumps(sorted(metrics.metric_set)))
"""


def test_powertools_logs_and_counts_in_the_functions_own_set_up():
    pytest.importorskip("aws_lambda_powertools")
    done = python(POWERTOOLS)
    assert done.returncode == 0, done.stderr.decode()
    *lines, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert codes(lines) == ["SG-SQL-001"] * 2
    logged = [line for line in lines if "security_event" in line]
    assert [line["level"] for line in logged] == ["ERROR", "WARNING"]
    assert logged[0]["service"] == "shop" and logged[0]["order"] == "o-1" and logged[0]["message"].startswith("SQL injection")
    assert logged[0]["security_event"]["rule_id"] == "SG-SQL-001"
    counted = [line for line in lines if "_aws" in line]
    assert [(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], line["Findings"], line["service"], line["action"]) for line in counted] == [
        ("Shop", [1.0], "shop", "Denied"),
        ("Shop", [1.0], "shop", "Observed"),
    ]
    assert [line["message"] for line in lines if line.get("message") == "own"] == ["own"]
    assert last == ["Orders"]  # the function's own metrics are as they were


@pytest.fixture(scope="module")
def aws():
    """moto's server on loopback, and the environment that leads there."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server.start()
        host, port = server.get_host_and_port()
        patch = pytest.MonkeyPatch()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            patch.setenv(name, value)
        yield
        patch.undo()
        server.stop()


def test_eventbridge_delivers_events_to_a_rule(aws):
    import boto3

    events, sqs = boto3.client("events"), boto3.client("sqs")
    queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.create_event_bus(Name="security")
    events.put_rule(Name="blocked", EventBusName="security", EventPattern=json.dumps({"source": ["serverless_guard"], "detail": {"action": ["Denied"]}}))
    events.put_targets(Rule="blocked", EventBusName="security", Targets=[{"Id": "1", "Arn": arn}])
    lines = told(*[SQLI] * 12, EGRESS._replace(confidence="low"), emitters=("eventbridge:security",))
    received: list[dict] = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        received += [json.loads(message["Body"]) for message in messages]
        sqs.delete_message_batch(QueueUrl=queue, Entries=[{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)])
    assert len(received) == 12 and len(lines) == 13
    one = received[0]
    assert (one["source"], one["detail-type"], one["resources"]) == ("serverless_guard", "Detection Finding", [ARN])
    assert validator.problems(one["detail"] | {"level": "", "timestamp": ""}) == [] and "level" not in one["detail"]
    assert {event["detail"]["metadata"]["uid"] for event in received} == {line["metadata"]["uid"] for line in lines[:12]}


REQUIRED = "SchemaVersion Id ProductArn GeneratorId AwsAccountId CreatedAt UpdatedAt Severity Title Description Resources".split()  # noqa: SIM905
KINDS_OF_TYPE = ("TTPs", "Unusual Behaviors", "Software and Configuration Checks", "Effects", "Sensitive Data Identifications")


def test_security_hub_gets_findings_in_its_own_format(aws):
    import boto3

    lines = told(SQLI, EGRESS, emitters=("securityhub",))
    assert codes(lines) == ["SG-SQL-001", "SG-EGR-001"]
    findings = boto3.client("securityhub").get_findings()["Findings"]
    assert {finding["Id"] for finding in findings} == {line["metadata"]["uid"] for line in lines}
    for finding in findings:
        assert all(finding.get(name) for name in REQUIRED)
        assert len(finding["Title"]) <= 256 and len(finding["Description"]) <= 1024 and len(finding["ProductFields"]) <= 50
        assert finding["Severity"]["Label"] == "HIGH" and finding["AwsAccountId"] == "123456789012"
        assert all(kind.split("/")[0] in KINDS_OF_TYPE and len(kind.split("/")) <= 3 for kind in finding["Types"])
        assert finding["Resources"][0]["Details"]["AwsLambdaFunction"] == {"FunctionName": "checkout", "Version": "17"}
    networks = {finding["GeneratorId"]: finding["Network"] for finding in findings}
    assert networks["SG-SQL-001"] == {"SourceIpV4": "198.51.100.24", "Direction": "IN"}
    assert networks["SG-EGR-001"]["DestinationDomain"] == "attacker.example" and networks["SG-EGR-001"]["DestinationPort"] == 443


def test_security_hub_wants_to_know_the_account():
    lines = told(emitters=("securityhub",), account="")
    assert codes(lines) == ["SG-SQL-001", "SG-GRD-003"]


@pytest.mark.parametrize("name", ["eventbridge", "securityhub"])
def test_an_emitter_that_cannot_reach_its_service_fails_alone(name, monkeypatch):
    pytest.importorskip("boto3")
    for variable, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(variable, value)
    started = time.perf_counter()
    lines = told(SQLI, emitters=(name, "emf"))
    assert codes(lines) == ["SG-SQL-001", "SG-GRD-003"] and sum("_aws" in line for line in lines) == 2
    assert f"The emitter {name} failed: EndpointConnectionError" in lines[-2]["message"]
    assert time.perf_counter() - started < 10


def test_an_emitter_whose_package_is_not_there_fails_alone():
    code = WRITER.replace("}, facts)", '}, facts, ("powertools", "eventbridge", "securityhub", "otel"))')
    code += "    sys.modules |= {'boto3': None, 'botocore': None, 'aws_lambda_powertools': None}\n    tell(1)\n"
    lines = [json.loads(line) for line in python(code).stdout.splitlines()]
    assert codes(lines) == ["SG-SQL-001", "SG-GRD-003", "SG-GRD-003", "SG-GRD-003"]
    assert ["ModuleNotFoundError" in line["message"] or "ImportError" in line["message"] for line in lines] == [False, True, True, True]


KILLED = """
import os, signal
from serverless_guard import guard

@guard
def handler(event, context):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_eight_of_eight_lines_survive_a_kill_in_the_real_runtime_client(tmp_path):
    pytest.importorskip("awslambdaric", reason="the runtime client has no wheel for this machine")
    from runtime import ROOT, Box

    survived = 0
    for index in range(8):
        with Box(tmp_path / str(index), "killed.handler", packages=(ROOT / "serverless_guard",), files={"killed.py": KILLED}) as box:
            event = {"note": "1' or 1=1 --", "command": "; cat /etc/passwd"}
            box.api.put(event, "application/json")
            assert box.exit_status() == -signal.SIGKILL
            survived += bool(codes(box.events()))
            assert chain.verify(box.logs().splitlines()).problems == ()
    assert survived == 8
