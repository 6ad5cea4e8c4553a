"""Every source, from the events in tests/events: how it is recognised, what of it is untrusted, how it says no."""

from __future__ import annotations

import io
import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_guard import inputs, samples, sources
from serverless_guard.errors import InputBlocked
from serverless_guard.policy import Limits
from serverless_guard.values import Finding, Verdict

EVENTS = Path(__file__).parent / "events"
CASES = sorted(str(path.relative_to(EVENTS)) for path in EVENTS.glob("*/*.json"))
VERDICT = Verdict("refuse", 403, (Finding("SG-SQL-001", "sqli", "SQL"),), (), "01JDEXAMPLE", "7c9e6679-7425-40de-944b-e07fc1f90ae7")
MARK = "x' OR '1'='1"


def case(name: str) -> Any:
    return json.loads((EVENTS / name).read_text("utf-8"))


def texts(event: Any) -> list[str]:
    found = inputs.opened(sources.module(sources.recognise(event)).parts(event), Limits())
    assert not found.findings
    return found.texts


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all strings."""
    if isinstance(value, str):
        return [path]
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [leaf for key, item in pairs for leaf in leaves(item, (*path, key))]


def changed(event: Any, path: tuple[Any, ...], value: Any) -> Any:
    event = json.loads(json.dumps(event))
    at = event
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return event


@pytest.mark.parametrize("name", CASES)
def test_an_event_is_recognised_by_its_shape(name: str) -> None:
    assert sources.recognise(case(name)["event"]) == name.split("/")[0]


@pytest.mark.parametrize("name", CASES)
def test_the_untrusted_parts_of_an_event_are_named(name: str) -> None:
    known = case(name)
    parts = sources.module(name.split("/")[0]).parts(known["event"])
    assert [[path, where, record, encoding] for path, value, where, record, encoding in parts if value is not None] == known["parts"]


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Requests that leave; no boto3 to make others."""
    sent: list[Any] = []
    monkeypatch.setattr(urllib.request, "urlopen", lambda request, timeout: sent.append(request) or io.BytesIO())
    monkeypatch.setitem(sys.modules, "boto3", None)
    return sent


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_has_the_shape_that_its_caller_understands(name: str, put: list[Any]) -> None:
    known = case(name)
    source = sources.module(name.split("/")[0])
    if known["refusal"] == "InputBlocked":
        with pytest.raises(InputBlocked):
            source.refuse(known["event"], VERDICT)
    else:
        assert source.refuse(known["event"], VERDICT) == known["refusal"]


def test_a_stack_that_waits_is_told_at_the_address_that_its_event_names(put: list[Any]) -> None:
    event = samples.sample("cloudformation", {"Name": "orders"})
    sources.module("cloudformation").refuse(event, VERDICT)
    assert put[0].full_url == event["ResponseURL"] and put[0].get_method() == "PUT"
    assert json.loads(put[0].data)["Status"] == "FAILED"


@pytest.mark.parametrize(
    "url",
    [None, 7, "http://169.254.169.254/latest", "https://evil.example/cloudformation-custom-resource-response-eu",
        "https://cloudformation-custom-resource-response-x.s3.evil.example/",
     "https://cloudformation-custom-resource-response-x@evil.example/.s3.amazonaws.com",
         "https://cloudformation-custom-resource-response-x?.s3.amazonaws.com/"],
)  # fmt: skip
def test_nothing_is_put_to_an_address_that_is_not_cloudformations(url: Any, put: list[Any]) -> None:
    with pytest.raises(InputBlocked):
        sources.module("cloudformation").refuse(samples.sample("cloudformation") | {"ResponseURL": url}, VERDICT)
    assert put == []


@pytest.mark.parametrize("name", sources.names())
def test_there_is_a_sample_of_every_source(name: str) -> None:
    event = samples.sample(name)
    assert sources.recognise(event) == name
    assert json.loads(json.dumps(event)) == event
    assert (EVENTS / name).is_dir()


def test_a_sample_says_what_it_is_told_to() -> None:
    assert [record["body"] for record in samples.sample("sqs", bodies=[{"a": 1}, "text"])["Records"]] == ['{"a":1}', "text"]
    assert samples.sample("s3", key="red flower/é.jpg")["Records"][0]["s3"]["object"]["key"] == "red+flower/%C3%A9.jpg"
    with pytest.raises(LookupError, match="no sample of `sqss`"):
        samples.sample("sqss")


def test_the_hidden_payload_of_every_envelope_is_seen() -> None:
    for name in sources.names():
        for body in (json.dumps({"deep": [{"note": MARK}]}), {"deep": json.dumps({"note": MARK})}):
            event = (
                samples.sample(name, json.dumps(body))
                if name in TEXTUAL
                else samples.sample(name, {"note": {"S": body}} if name == "dynamodb" else {"x": body})
                if name in MAPPED
                else None
            )
            if event is not None:
                found = sources.module(name).parts(event)
                opened = inputs.opened(found, Limits())
                assert MARK in opened.texts, name
                assert any(path.endswith("note") and text == MARK for path, _, _, text, _ in inputs.walk(found, opened)), name


TEXTUAL = frozenset(
    [
        "apigateway-rest",
        "apigateway-http",
        "function-url",
        "apigateway-websocket",
        "alb",
        "vpc-lattice",
        "vpc-lattice-v1",
        "cloudfront",
        "sqs",
        "sns",
        "kinesis",
        "firehose",
        "kafka",
        "kafka-self-managed",
        "mq",
        "mq-rabbit",
        "ses",
        "codepipeline",
        "iot",
    ]
)
MAPPED = frozenset(["appsync", "appsync-template", "eventbridge", "dynamodb", "cognito", "cloudformation", "config", "unknown"])


@pytest.mark.parametrize("name", CASES)
def test_whatever_string_of_an_event_is_hostile_it_is_seen(name: str) -> None:
    event = case(name)["event"]
    for path in leaves(event):
        hostile = changed(event, path, MARK)
        found = sources.module(sources.recognise(hostile)).parts(hostile)
        opened = inputs.opened(found, Limits())
        assert MARK in opened.texts, path
        assert MARK in [text for _, _, _, text, _ in inputs.walk(found, opened)], path


@pytest.mark.parametrize("name", CASES)
def test_an_unknown_key_that_somebody_adds_is_seen(name: str) -> None:
    event = case(name)["event"]
    places = [(), *sorted({path[:depth] for path in leaves(event) for depth in range(1, len(path))}, key=repr)]
    for path in places:
        at = event = json.loads(json.dumps(event))
        for step in path:
            at = at[step]
        if isinstance(at, dict):
            at["unheard"] = [{"of": MARK}]
            assert MARK in texts(event), path
            assert "unheard" in texts(event) or sources.recognise(event) != "unknown"


def test_signatures_exclude_one_another() -> None:
    everything: dict[str, Any] = {}
    for name in CASES:
        event = case(name)["event"]
        if isinstance(event, dict):
            assert sum(_matches(line, event) for line in sources.SOURCES.values()) <= 1, name
            everything = {**event, **everything}
    assert sources.recognise(everything) == "unknown"


def _matches(line: tuple[str, str], event: Any) -> bool:
    terms = sources.signature(line[1])
    return bool(terms) and all(sources._holds(event, *term) for term in terms)


HOSTILE = [None, True, 0, 1.5, "", "text", b"bytes", [], [[]], [None], {}, {1: 2}, {"Records": None}, {"Records": []}, {"Records": [None]},
    {"Records": [{"eventSource": 1}]},
           {"Records": {"0": {"eventSource": "aws:sqs"}}}, {"httpMethod": None, "resource": None, "requestContext": None}, {"rawPath": 1, "version": "2.0",
               "requestContext": []}]  # fmt: skip


@pytest.mark.parametrize("event", HOSTILE, ids=repr)
def test_an_event_of_any_shape_has_a_source_and_parts(event: Any) -> None:
    name = sources.recognise(event)
    assert name in sources.names()
    inputs.opened(sources.module(name).parts(event), Limits())


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from([name for name in CASES if name.split("/")[0] != "unknown"]), data=st.data())
def test_fields_of_odd_types_are_normal(name: str, data: st.DataObject) -> None:
    event = case(name)["event"]
    places = sorted({path[:depth] for path in leaves(event) for depth in range(1, len(path) + 1)}, key=repr)
    event = changed(event, data.draw(st.sampled_from(places)), data.draw(ODD))
    source = sources.module(sources.recognise(event))
    opened = inputs.opened(source.parts(event), Limits())
    list(inputs.walk(source.parts(event), opened))
    own = sources.module(name.split("/")[0])
    inputs.opened(own.parts(event), Limits())
    if hasattr(own, "keep"):
        own.keep(event, {0})
        own.answer(event, {0}, None)


@pytest.mark.skipif("SERVERLESS_GUARD_EVENTS" not in os.environ, reason="a folder of sample events of AWS services")
def test_sample_events_of_aws_are_recognised_as_one_source_each() -> None:
    for path in sorted(Path(os.environ["SERVERLESS_GUARD_EVENTS"]).glob("*.json")):
        event = json.loads(path.read_text("utf-8"))
        assert texts(event) or event == {}
