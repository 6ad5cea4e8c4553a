"""AWS calls: what each does, what an `aws:` entry covers, and real clients against moto's server on loopback."""

from __future__ import annotations

from typing import Any

import pytest
from armed import run
from hypothesis import given
from hypothesis import strategies as st
from test_egress_clients import aws

from serverless_guard import hosts
from serverless_guard.hosts import entries
from serverless_guard.sinks import aws as sink

__all__ = ["aws"]  # the fixture: moto's server

CALLS: list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = [
    ("dynamodb", "GetItem", {"TableName": "orders"}, [("GetItem", "table/orders")]),
    ("dynamodb", "GetItem", {"TableName": "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"}, [("GetItem", "table/orders")]),
    ("dynamodb", "Query", {"TableName": "orders", "IndexName": "by-date"}, [("Query", "table/orders/index/by-date")]),
    ("dynamodb", "BatchWriteItem", {"RequestItems": {"a": [], "b": []}}, [("BatchWriteItem", "table/a"), ("BatchWriteItem", "table/b")]),
    (
        "dynamodb",
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "a"}}, {"Delete": {"TableName": "b"}}, {"ConditionCheck": {"TableName": "c"}}]},
        [("PutItem", "table/a"), ("DeleteItem", "table/b"), ("ConditionCheckItem", "table/c")],
    ),
    ("dynamodb", "ListTables", {}, [("ListTables", "")]),
    ("dynamodb", "ExecuteStatement", {"Statement": "SELECT * FROM orders"}, [("PartiQL*", "")]),
    ("s3", "GetObject", {"Bucket": "b", "Key": "in/x.png"}, [("GetObject", "b/in/x.png")]),
    ("s3", "HeadObject", {"Bucket": "b", "Key": "x"}, [("GetObject", "b/x")]),
    ("s3", "ListObjectsV2", {"Bucket": "b"}, [("ListBucket", "b")]),
    ("s3", "UploadPart", {"Bucket": "b", "Key": "x"}, [("PutObject", "b/x")]),
    ("s3", "CopyObject", {"Bucket": "b", "Key": "x", "CopySource": {"Bucket": "a", "Key": "y"}}, [("GetObject", "a/y"), ("PutObject", "b/x")]),
    ("s3", "CopyObject", {"Bucket": "b", "Key": "x", "CopySource": "/a/y?versionId=1"}, [("GetObject", "a/y"), ("PutObject", "b/x")]),
    ("s3", "DeleteObjects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "x"}, {"Key": "y"}]}}, [("DeleteObject", "b/x"), ("DeleteObject", "b/y")]),
    ("s3", "ListBuckets", {}, [("ListAllMyBuckets", "")]),
    ("sqs", "SendMessageBatch", {"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"}, [("SendMessage", "orders")]),
    ("sns", "Publish", {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:news"}, [("Publish", "news")]),
    ("lambda", "Invoke", {"FunctionName": "resize"}, [("InvokeFunction", "function:resize")]),
    ("lambda", "Invoke", {"FunctionName": "arn:aws:lambda:eu-west-1:123456789012:function:resize:live"}, [("InvokeFunction", "function:resize:live")]),
    ("lambda", "Invoke", {"FunctionName": "123456789012:function:resize"}, [("InvokeFunction", "function:resize")]),
    ("ssm", "GetParameters", {"Names": ["/a/b", "c"]}, [("GetParameters", "parameter/a/b"), ("GetParameters", "parameter/c")]),
    ("secretsmanager", "GetSecretValue", {"SecretId": "db"}, [("GetSecretValue", "secret:db")]),
    ("kms", "Decrypt", {"KeyId": "alias/main"}, [("Decrypt", "alias/main")]),
    ("events", "PutEvents", {"Entries": [{"EventBusName": "orders"}, {}]}, [("PutEvents", "event-bus/orders"), ("PutEvents", "event-bus/default")]),
    ("xray", "PutTraceSegments", {"x": 1}, [("PutTraceSegments", "")]),
]

COVERED = [
    # entry, then calls that it covers and does not
    (
        "aws:dynamodb:GetItem@table/orders",
        ["dynamodb:GetItem@table/orders"],
        ["dynamodb:GetItem@table/orders2", "dynamodb:PutItem@table/orders", "dynamodb:GetItem@"],
    ),
    ("aws:dynamodb:*Item@table/orders*", ["dynamodb:PutItem@table/orders/index/x"], ["dynamodb:Scan@table/orders", "dynamodb:PutItem@table/x"]),
    ("aws:dynamodb:GetItem", ["dynamodb:GetItem@table/any", "dynamodb:getitem@"], ["sqs:GetItem@x"]),
    ("aws:s3:GetObject@b/in/*", ["s3:GetObject@b/in/x/y"], ["s3:GetObject@b/out/x", "s3:GetObject@bb/in/x", "s3:PutObject@b/in/x"]),
    ("aws:s3:*@b*", ["s3:ListBucket@b"], ["s3:GetObject@a"]),
]


@pytest.mark.parametrize(("service", "operation", "params", "wanted"), CALLS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_call_is_read_as_iam_sees_it(service: str, operation: str, params: dict[str, Any], wanted: list[tuple[str, str]]) -> None:
    assert sink.calls(service, operation, params) == wanted


@pytest.mark.parametrize(("entry", "covered", "other"), COVERED, ids=lambda value: value if isinstance(value, str) else "")
def test_an_entry_covers_what_it_says(entry: str, covered: list[str], other: list[str]) -> None:
    rules = hosts.parse([entry]).allow[6]

    def is_covered(call: str) -> bool:
        service, _, rest = call.partition(":")
        action, _, resource = rest.partition("@")
        return sink.covered(rules, service, action, action, resource) == entry

    assert [call for call in covered if not is_covered(call)] == []
    assert [call for call in other if is_covered(call)] == []


def test_services_with_resources_are_those_that_the_sink_reads() -> None:
    assert {*sink.RESOURCES, "s3"} == entries.AWS_RESOURCES


@given(st.text("ab*", max_size=12), st.text("ab", max_size=12))
def test_a_pattern_is_as_the_shell_has_it(pattern: str, value: str) -> None:
    from fnmatch import fnmatchcase

    assert sink.like(pattern, value) == fnmatchcase(value, pattern)


def test_operations_that_the_tables_name_are_botocores() -> None:
    session = pytest.importorskip("botocore.session").get_session()
    names = {"execute-api": "apigatewaymanagementapi", "states": "stepfunctions", "bedrock": "bedrock-runtime"}
    for name in sink.ACTIONS:
        service, _, operation = name.partition(":")
        if operation != "InvokeAsync":
            model = session.get_service_model(names.get(service, service))
            assert operation in model.operation_names
            assert model.signing_name == service


CLIENT = """
import boto3
from botocore.config import Config
def client(service, **more):
    return boto3.client(service, endpoint_url=f"http://127.0.0.1:{PORT}", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b",
        config=Config(retries={"mode": "standard"}, s3={"addressing_style": "path"}), **more)
"""


def test_declared_calls_pass_and_others_are_refused_once_and_raw(aws: int) -> None:
    pytest.importorskip("boto3")
    told = run(
        CLIENT
        + """
db, s3, sqs = client("dynamodb"), client("s3"), client("sqs")
def table(name):
    db.create_table(TableName=name, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
table("orders"), table("other")  # at start
s3.create_bucket(Bucket="mine", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
key = {"id": {"S": "1"}}
entries = ["aws:dynamodb:GetItem@table/orders", "aws:dynamodb:PutItem@table/*", "aws:s3:PutObject@mine/in/*", "!aws:dynamodb:PutItem@table/other"]
with invocation(entries) as made:
    tell(got=[outcome(db.get_item, TableName="orders", Key=key), outcome(db.put_item, TableName="orders", Item=key),
              outcome(s3.put_object, Bucket="mine", Key="in/x", Body=b"x")], clean=len(made.attempts))
    tell(other=refused(lambda: db.get_item(TableName="other", Key=key)), denied=refused(lambda: db.put_item(TableName="other", Item=key)),
         scan=outcome(db.scan, TableName="orders"), prefix=refused(lambda: s3.put_object(Bucket="mine", Key="secret", Body=b"x")),
         mixed=outcome(db.transact_write_items, TransactItems=[{"Put": {"TableName": "orders", "Item": key}}, {"Delete": {"TableName": "orders", "Key": key}}]),
         service=outcome(sqs.list_queues), pages=outcome(list, db.get_paginator("scan").paginate(TableName="orders")),
         resource=outcome(boto3.resource("dynamodb", endpoint_url=f"http://127.0.0.1:{PORT}", region_name="eu-west-1", aws_access_key_id="a",
            aws_secret_access_key="b").Table("other").scan), plain=connect("127.0.0.1", PORT))
    tell(noted=sorted({(finding.rule, finding.target) for finding in made.attempts}))
with invocation(["aws:dynamodb:GetItem@table/orders", f"127.0.0.1:{PORT}"]):
    tell(endpoint=outcome(sqs.list_queues))
with invocation(["declared.example"]):
    tell(hosts_only=outcome(sqs.list_queues))
with invocation(["aws:dynamodb:GetItem"], egress="monitor"):
    tell(monitor=outcome(db.scan, TableName="orders"))
with invocation():
    tell(open=outcome(db.scan, TableName="orders"), wrong=outcome(db.transact_write_items, TransactItems="x"))
""",
        PORT=aws,
        timeout_s=120,
    )
    assert told["got"] == ["ok", "ok", "ok"]
    assert told["clean"] == 0
    assert told["other"][0] == told["denied"][0] == "SG-EGR-007"
    assert told["other"][1] == "outbound call to `aws:dynamodb:GetItem@table/other` is not declared; add `aws:dynamodb:GetItem@table/other` to `egress`"
    assert told["denied"][1] == "outbound call to `aws:dynamodb:PutItem@table/other` is denied by the entry `!aws:dynamodb:PutItem@table/other` of `egress`"
    assert told["prefix"][1] == "outbound call to `aws:s3:PutObject@mine/*` is not declared; add `aws:s3:PutObject@mine/*` to `egress`"
    assert [told[name] for name in ("scan", "mixed", "service", "pages", "resource", "plain")] == ["ActionBlocked"] * 6
    assert ["SG-EGR-002", f"127.0.0.1:{aws}"] in told["noted"]
    assert [told["endpoint"], told["hosts_only"], told["monitor"], told["open"], told["wrong"]] == ["ok", "ActionBlocked", "ok", "ok", "ParamValidationError"]


def test_the_daemon_of_the_platform_needs_no_entry(aws: int) -> None:
    pytest.importorskip("boto3")
    told = run(
        CLIENT
        + """
with invocation(["aws:dynamodb:GetItem"]) as made:
    tell(got=outcome(client("xray").get_sampling_rules), noted=len(made.attempts))
""",
        PORT=aws,
        arm={"AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{aws}"},
    )
    assert told["noted"] == 0


def test_transfers_in_threads_are_held(aws: int) -> None:
    pytest.importorskip("boto3")
    told = run(
        CLIENT
        + """
import io
from boto3.s3.transfer import TransferConfig
s3 = client("s3")
s3.create_bucket(Bucket="parts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
parts = TransferConfig(multipart_threshold=5 * 2**20, multipart_chunksize=5 * 2**20)
def upload(key):
    s3.upload_fileobj(io.BytesIO(b"x" * (11 * 2**20)), "parts", key, Config=parts)
with invocation(["aws:s3:PutObject@parts/in/*", "aws:s3:AbortMultipartUpload@parts/*"]) as made:
    tell(got=outcome(upload, "in/x"), clean=len(made.attempts), other=outcome(upload, "out/x"), noted=[finding.target for finding in made.attempts])
""",
        PORT=aws,
        timeout_s=120,
    )
    assert told["got"] == "ok"
    assert told["clean"] == 0
    assert told["other"] == "ActionBlocked"
    assert told["noted"] == ["aws:s3:PutObject@parts/*"]
