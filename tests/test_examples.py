"""Every example runs in the real runtime client; those that call AWS call moto's server on loopback."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import events
from examples.demo import InRuntime

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
RNG = random.Random(5)
KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-1"}

pytest.importorskip("awslambdaric")
boto3 = pytest.importorskip("boto3")


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of moto's server, in a process of its own."""
    pytest.importorskip("moto.server")
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("wb") as out:
        server = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 60
        while "Running on http://127.0.0.1:" not in log.read_text(errors="replace"):
            assert server.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.1)
        yield "127.0.0.1:" + log.read_text().partition("Running on http://127.0.0.1:")[2].split()[0]
    finally:
        server.kill()
        server.wait()


def client(kind: str, address: str) -> Any:
    return boto3.client(kind, endpoint_url=f"http://{address}", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")


def table(address: str, name: str, key: str) -> None:
    keys = {"KeySchema": [{"AttributeName": key, "KeyType": "HASH"}], "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}]}
    client("dynamodb", address).create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **keys)


def function(name: str, address: str, **environ: str) -> InRuntime:
    """An example, whose policy file names AWS's endpoints, with moto's in their place: the environment wins over the file."""
    return InRuntime(EXAMPLES / name, {**KEYS, "AWS_ENDPOINT_URL": f"http://{address}", "SERVERLESS_GUARD_EGRESS": address, **environ})


def told(lines: list[str]) -> list[str]:
    return [json.loads(line)["metadata"]["event_code"] for line in lines if line.startswith("{") and "class_uid" in line]


ORDER = {"customer": "Anna O'Neill & Co.", "note": "ring twice; thanks (really)", "items": [{"sku": "A-100", "quantity": 2, "price": 12.5}]}


def request(method: str, path: str, body: Any = None, **query: str) -> dict[str, Any]:
    event = events.http(RNG, json.dumps(body) if body is not None else "") | {"rawPath": path, "body": None if body is None else json.dumps(body)}
    event["requestContext"]["http"] |= {"method": method, "path": path}
    event["queryStringParameters"] = query
    if path.count("/") == 2:
        event["pathParameters"] = {"id": path.rpartition("/")[2]}
    return event


def test_the_order_api_stores_and_reads_orders_and_refuses_attacks(aws: str) -> None:
    table(aws, "orders", "id")
    with function("orders", aws, ORDERS_TABLE="orders") as orders:
        answer, lines = orders.invoke(request("POST", "/orders", ORDER))
        assert (answer["statusCode"], told(lines)) == (201, [])
        stored = json.loads(answer["body"])
        assert stored["total"] == 25.0
        answer, lines = orders.invoke(request("GET", f"/orders/{stored['id']}"))
        assert json.loads(answer["body"])["customer"] == ORDER["customer"]
        answer, lines = orders.invoke(request("GET", "/orders", customer=str(ORDER["customer"])))
        assert (len(json.loads(answer["body"])["orders"]), told(lines)) == (1, [])

        refused = [
            (request("POST", "/orders", ORDER | {"note": "x'; DROP TABLE orders; --"}), 403, "SG-SQL-001"),
            (request("POST", "/orders", ORDER | {"items": []}), 400, "SG-SCH-001"),
            (request("POST", "/orders", ORDER | {"admin": True}), 400, "SG-SCH-001"),
            (request("GET", "/orders/..%2f..%2fetc%2fpasswd"), 403, "SG-PTH-001"),
            (request("GET", "/orders", customer="anna", debug="1"), 400, "SG-SCH-001"),
            ({"Records": [{"eventSource": "aws:sqs", "body": "{}", "messageId": "1"}]}, None, "SG-SRC-001"),
        ]
        for event, status, rule in refused:
            answer, lines = orders.invoke(event)
            assert (answer.get("statusCode"), rule in told(lines)) == (status, True), event
    assert client("dynamodb", aws).scan(TableName="orders")["Count"] == 1


def test_the_order_api_cannot_be_made_to_call_elsewhere(aws: str) -> None:
    with function("orders", aws, ORDERS_TABLE="orders", SERVERLESS_GUARD_EGRESS="dynamodb.eu-west-1.amazonaws.com:443") as orders:
        answer, lines = orders.invoke(request("POST", "/orders", ORDER))
    assert (answer["statusCode"], set(told(lines))) == (403, {"SG-EGR-002"})


def test_the_import_job_takes_files_from_s3_and_through_a_queue(aws: str) -> None:
    table(aws, "products", "sku")
    s3 = client("s3", aws)
    s3.create_bucket(Bucket="imports-eu", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="imports-eu", Key="incoming/new products.csv", Body=b"sku,name\nA-1,it's new\nA-2,second\n")
    direct = events.s3(RNG, "")
    direct["Records"][0]["s3"]["object"]["key"] = "incoming/new+products.csv"
    queued = events.sqs(RNG, json.dumps(direct), 3)
    hostile = json.loads(json.dumps(direct))
    hostile["Records"][0]["s3"]["object"]["key"] = "incoming/..%2F..%2F..%2Fetc%2Fpasswd"
    queued["Records"][1]["body"] = json.dumps(hostile)
    missing = json.loads(json.dumps(direct))
    missing["Records"][0]["s3"]["object"]["key"] = "incoming/gone.csv"
    queued["Records"][2]["body"] = json.dumps(missing)

    with function("imports", aws, PRODUCTS_TABLE="products") as job:
        answer, lines = job.invoke(direct)
        assert (answer["imported"], told(lines)) == (2, [])
        answer, lines = job.invoke(queued)
        ids = [record["messageId"] for record in queued["Records"]]
        assert answer["imported"] == 2
        assert {item["itemIdentifier"] for item in answer["batchItemFailures"]} == {ids[1], ids[2]}
        assert told(lines) == ["SG-PTH-001"]
        answer, lines = job.invoke(hostile)
        assert (answer, told(lines)) == (None, ["SG-PTH-001"])
    assert client("dynamodb", aws).scan(TableName="products")["Count"] == 2


def test_the_demonstration_holds_what_it_says() -> None:
    done = subprocess.run([sys.executable, "-m", "examples.demo"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(len(line) <= 80 for line in done.stdout.splitlines()), max(done.stdout.splitlines(), key=len)
    assert "\x1b" not in done.stdout
    assert "the real Lambda runtime client" in done.stdout
    assert "9 of 9 events met what they should" in done.stdout


def test_the_demonstration_runs_without_the_runtime_client_too() -> None:
    code = "import sys; sys.modules['awslambdaric'] = None\nimport importlib.util as u\nfind = u.find_spec\nu.find_spec = lambda name, *more: None if name == 'awslambdaric' else find(name, *more)\nfrom examples import demo\nsys.exit(demo.main())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 of 9" in done.stdout
