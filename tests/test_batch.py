"""Refused records leave a batch, and come back as failures in the shape of their source."""

from __future__ import annotations

from typing import Any

import pytest

from serverless_guard import batch, sources
from serverless_guard.errors import InputBlocked
from serverless_guard.values import Finding, Verdict

FOUND = (Finding("SG-SQL-001", "sqli", "SQL"),)


def refusing(*records: int, on_refuse: str = "") -> Verdict:
    return Verdict("refuse", 403, FOUND, records, "id-1", "request-1", on_refuse)


def message(index: int, group: str = "", queue: str = "orders") -> dict[str, Any]:
    attributes = {"MessageGroupId": group} if group else {}
    return {"messageId": f"m{index}", "body": "{}", "attributes": attributes, "eventSource": "aws:sqs", "eventSourceARN": f"arn:aws:sqs:eu-west-1:123456789012:{queue}"}


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
