"""Refused records leave a batch, and come back as failures in the shape of their source."""

from __future__ import annotations

from typing import Any

import pytest

from serverless_guard import batch, samples, sources
from serverless_guard.errors import InputBlocked
from serverless_guard.values import Finding, Verdict

FOUND = (Finding("SG-SQL-001", "sqli", "SQL"),)


def refusing(*records: int, on_refuse: str = "") -> Verdict:
    return Verdict("refuse", 403, FOUND, records, "id-1", "request-1", on_refuse)


def message(index: int, group: str = "", queue: str = "orders") -> dict[str, Any]:
    attributes = {"MessageGroupId": group} if group else {}
    return {
        "messageId": f"m{index}",
        "body": "{}",
        "attributes": attributes,
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:eu-west-1:123456789012:{queue}",
    }


def queue(count: int = 4) -> dict[str, Any]:
    return {"Records": [message(index) for index in range(count)]}


def fifo(*groups: str) -> dict[str, Any]:
    return {"Records": [message(index, group, "orders.fifo") for index, group in enumerate(groups)]}


def failed(answer: Any) -> list[str]:
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def test_the_handler_gets_the_good_messages_and_the_queue_the_refused_ones() -> None:
    event = queue()
    kept, finish = batch.split(sources.module("sqs"), event, refusing(1, 3))
    assert [record["messageId"] for record in kept["Records"]] == ["m0", "m2"]
    assert failed(finish(None)) == ["m1", "m3"]
    assert len(event["Records"]) == 4


def test_failures_of_the_handler_itself_are_kept() -> None:
    _, finish = batch.split(sources.module("sqs"), queue(), refusing(1))
    assert failed(finish({"batchItemFailures": [{"itemIdentifier": "m2"}]})) == ["m2", "m1"]


@pytest.mark.parametrize("result", [None, "done", 7, [], {"statusCode": 200}, {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_any_other_result_of_the_handler_means_that_it_took_the_good_ones(result: Any) -> None:
    _, finish = batch.split(sources.module("sqs"), queue(), refusing(1))
    assert failed(finish(result)) == ["m1"]


def test_a_malformed_answer_of_the_handler_fails_the_whole_batch_as_it_does_without_the_guard() -> None:
    _, finish = batch.split(sources.module("sqs"), queue(), refusing(1))
    assert finish({"batchItemFailures": "m2"}) == {"batchItemFailures": "m2"}


def test_drop_lets_the_queue_delete_what_was_refused() -> None:
    kept, finish = batch.split(sources.module("sqs"), queue(), refusing(0, on_refuse="drop"))
    assert len(kept["Records"]) == 3
    assert failed(finish(None)) == []


def test_no_message_left_means_that_the_handler_is_not_called() -> None:
    kept, finish = batch.split(sources.module("sqs"), queue(2), refusing(0, 1))
    assert kept is None
    assert failed(finish(None)) == ["m0", "m1"]


def test_later_messages_of_a_refused_group_wait_so_that_a_fifo_queue_keeps_its_order() -> None:
    kept, finish = batch.split(sources.module("sqs"), fifo("a", "b", "a", "b", "c"), refusing(1))
    assert [record["messageId"] for record in kept["Records"]] == ["m0", "m2", "m4"]
    assert failed(finish(None)) == ["m1", "m3"]


def test_dropping_from_a_fifo_queue_hands_the_rest_of_the_group_on() -> None:
    kept, _ = batch.split(sources.module("sqs"), fifo("a", "a"), refusing(0, on_refuse="drop"))
    assert [record["messageId"] for record in kept["Records"]] == ["m1"]


def test_the_handler_gets_the_good_notifications_and_nobody_is_told_of_the_others() -> None:
    event = {"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": key}}} for key in ("a", "b")]}
    kept, finish = batch.split(sources.module("s3"), event, refusing(0))
    assert [record["s3"]["object"]["key"] for record in kept["Records"]] == ["b"]
    assert finish("done") == "done"


def test_an_asynchronous_source_told_to_fail_fails_before_the_good_records_are_worked_on_twice() -> None:
    event = {"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": key}}} for key in ("a", "b")]}
    kept, finish = batch.split(sources.module("s3"), event, refusing(0, on_refuse="fail"))
    assert kept is None
    with pytest.raises(InputBlocked) as blocked:
        finish(None)
    assert blocked.value.rule == "SG-SQL-001"


def shards(kind: str, count: int = 4) -> Any:
    return samples.sample(kind, images=[{} for _ in range(count)]) if kind == "dynamodb" else samples.sample(kind, bodies=["{}"] * count)


@pytest.mark.parametrize(("kind", "place"), [("kinesis", ("kinesis", "sequenceNumber")), ("dynamodb", ("dynamodb", "SequenceNumber"))])
def test_a_stream_resumes_at_the_first_refused_record(kind: str, place: tuple[str, str]) -> None:
    event = shards(kind)
    kept, finish = batch.split(sources.module(kind), event, refusing(1, 3))
    assert kept["Records"] == event["Records"][:1]
    assert failed(finish(None)) == [event["Records"][1][place[0]][place[1]]]
    own = event["Records"][0][place[0]][place[1]]
    assert failed(finish({"batchItemFailures": [{"itemIdentifier": own}]}))[0] == own
    kept, finish = batch.split(sources.module(kind), event, refusing(1, 3, on_refuse="drop"))
    assert kept["Records"] == event["Records"][::2]
    assert failed(finish(None)) == []


def test_a_partition_of_kafka_resumes_at_its_first_refused_record_and_others_go_on() -> None:
    event = samples.sample("kafka", bodies=["{}", "{}"])
    event["records"]["orders-1"] = [{"topic": "orders", "partition": 1, "offset": 7 + index, "value": "e30="} for index in range(3)]
    kept, finish = batch.split(sources.module("kafka"), event, refusing(3))
    assert [record["offset"] for record in kept["records"]["orders-0"]] == [15, 16]
    assert [record["offset"] for record in kept["records"]["orders-1"]] == [7]
    assert failed(finish(None)) == [{"partition": "orders-1", "offset": 8}]


def test_firehose_gets_every_record_back_in_its_order() -> None:
    event = samples.sample("firehose", bodies=["a", "b", "c"])
    kept, finish = batch.split(sources.module("firehose"), event, refusing(1))
    done = [{"recordId": record["recordId"], "result": "Ok", "data": "eA=="} for record in kept["records"]]
    answer = finish({"records": done})
    assert [item["recordId"] for item in answer["records"]] == [record["recordId"] for record in event["records"]]
    assert [item["result"] for item in answer["records"]] == ["Ok", "ProcessingFailed", "Ok"]


def test_a_refused_task_of_s3_batch_fails_for_good() -> None:
    event = samples.sample("s3-batch", keys=["a", "b"])
    kept, finish = batch.split(sources.module("s3-batch"), event, refusing(0))
    assert [task["s3Key"] for task in kept["tasks"]] == ["b"]
    mine = {
        "invocationSchemaVersion": "2.0",
        "treatMissingKeysAs": "Succeeded",
        "invocationId": "i",
        "results": [{"taskId": "t", "resultCode": "Succeeded", "resultString": ""}],
    }
    assert [item["resultCode"] for item in finish(mine)["results"]] == ["Succeeded", "PermanentFailure"]


def test_a_batch_of_resolvers_is_answered_in_its_length_and_order() -> None:
    event = [samples.sample("appsync", {"id": str(index)}) for index in range(3)]
    kept, finish = batch.split(sources.module("appsync"), event, refusing(1))
    assert [item["arguments"]["id"] for item in kept] == ["0", "2"]
    answer = finish(["zero", "two"])
    assert (answer[0], answer[2]) == ("zero", "two") and answer[1]["errorType"] == "Forbidden"


def test_refused_messages_of_a_broker_are_not_handed_on() -> None:
    event = samples.sample("mq-rabbit", bodies=["a", "b", "c"])
    kept, _ = batch.split(sources.module("mq-rabbit"), event, refusing(1))
    assert [message["data"] for message in kept["rmqMessagesByQueue"]["orders::/"]] == ["YQ==", "Yw=="]
