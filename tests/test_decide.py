"""The one file that knows what a mode means: declared is enforced, inferred is reported until the policy says block."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_guard import decide
from serverless_guard.policy import CONTROLS, MODES, Policy
from serverless_guard.values import ALLOW, Finding

DETECTORS = ("sqli", "path")
DECLARED = ("source", "schema", "egress")


def finding(control: str = "sqli", confidence: str = "high", record: int = -1, detail: str = "") -> Finding:
    return Finding(f"SG-{control}", control, "title", confidence=confidence, record=record, detail=detail)


def modes(**settings: Any) -> dict[str, str]:
    return decide.modes(Policy(**settings), DETECTORS)


def test_without_a_mode_what_is_declared_is_enforced_and_what_is_inferred_is_reported() -> None:
    made = modes()
    assert {made[control] for control in CONTROLS} == {"block"}
    assert {made[detector] for detector in DETECTORS} == {"monitor"}


@pytest.mark.parametrize("mode", MODES)
def test_one_mode_sets_everything_but_what_keeps_function_and_guard_safe(mode: str) -> None:
    made = modes(mode=mode)
    assert {made[name] for name in (*DECLARED, *DETECTORS)} == {mode}
    assert {made[name] for name in ("metadata", "runtime_api", "limits")} == {"block"}


@pytest.mark.parametrize(("mode", "own"), list(itertools.product(("", *MODES), MODES)))
def test_each_control_and_each_detector_can_be_set_apart_by_name(mode: str, own: str) -> None:
    for control in CONTROLS:
        assert modes(mode=mode, controls=((control, own),)) == {**modes(mode=mode), control: own}
    made = modes(mode=mode, detect=(("sqli", own),))
    assert made["sqli"] == own
    assert made["path"] == modes(mode=mode)["path"]


def test_nothing_found_is_allowed() -> None:
    assert decide.judge([], modes(mode="block")) is ALLOW


def test_a_finding_of_something_that_is_off_is_as_none() -> None:
    assert decide.judge([finding()], modes(detect=(("sqli", "off"),))) is ALLOW


@pytest.mark.parametrize("confidence", ["high", "medium", "low"])
def test_only_a_sure_finding_refuses(confidence: str) -> None:
    verdict = decide.judge([finding(confidence=confidence)], modes(mode="block"))
    assert verdict.action == ("refuse" if confidence == "high" else "report")
    assert decide.refuses(finding(confidence=confidence), modes(mode="block")) is (confidence == "high")


def test_a_report_names_its_findings_and_lets_pass() -> None:
    found = [finding(), finding("path")]
    verdict = decide.judge(found, modes())
    assert (verdict.action, verdict.status, verdict.findings, verdict.refused) == ("report", 200, tuple(found), ())


def test_reasons_come_before_remarks_and_what_is_off_is_left_out() -> None:
    remark, reason, silent = finding("path", "low"), finding("schema"), finding("sqli")
    verdict = decide.judge([remark, silent, reason], modes(mode="block", detect=(("sqli", "off"),)))
    assert verdict.findings == (reason, remark)


@pytest.mark.parametrize(
    ("controls", "status"),
    [
        (["sqli"], 403),
        (["schema"], 400),
        (["limits"], 413),
        (["source"], 403),
        (["egress"], 403),
        (["schema", "sqli"], 403),
        (["schema", "limits", "sqli"], 413),
        (["guard", "limits"], 500),
    ],
)
def test_the_status_is_the_largest_of_those_that_refuse(controls: list[str], status: int) -> None:
    found = [finding(control, detail="schema" if control == "guard" else "") for control in controls]
    assert decide.judge(found, modes(mode="block")).status == status


def test_a_remark_does_not_change_the_status() -> None:
    assert decide.judge([finding("schema"), finding("sqli", "low")], modes(mode="block")).status == 400


def test_records_are_refused_by_themselves_where_every_reason_names_one() -> None:
    found = [finding(record=2), finding("path", record=0), finding(record=2), finding(record=1, confidence="low")]
    assert decide.judge(found, modes(mode="block")).refused == (0, 2)


def test_one_reason_about_the_whole_event_refuses_the_whole_event() -> None:
    verdict = decide.judge([finding(record=2), finding("limits")], modes(mode="block"))
    assert (verdict.action, verdict.refused) == ("refuse", ())


def test_a_remark_about_the_whole_event_refuses_no_more_records() -> None:
    assert decide.judge([finding(record=2), finding("path", "low")], modes(mode="block")).refused == (2,)


@pytest.mark.parametrize("step", ["source", "limits", "schema", "egress"])
@pytest.mark.parametrize("mode", ["monitor", "block"])
def test_an_error_of_the_guard_follows_the_control_that_failed(step: str, mode: str) -> None:
    verdict = decide.judge([finding("guard", detail=step)], modes(controls=((step, mode),)))
    assert verdict.action == ("refuse" if mode == "block" else "report")


@pytest.mark.parametrize(
    ("settings", "action"),
    [
        ({}, "report"),
        ({"mode": "monitor"}, "report"),
        ({"mode": "block"}, "refuse"),
        ({"detect": (("sqli", "block"),)}, "refuse"),
        ({"mode": "block", "detect": (("sqli", "off"), ("path", "monitor"))}, "report"),
    ],
)
def test_a_scan_that_fails_follows_the_strictest_detector(settings: dict[str, Any], action: str) -> None:
    assert decide.judge([finding("guard", detail="detect")], modes(**settings)).action == action
    assert decide.refuses(finding("guard", detail="detect"), modes(**settings)) is (action == "refuse")
    assert modes(**settings)["detect"] in ("monitor", "block")


def test_an_error_of_the_guard_is_told_even_where_all_is_off() -> None:
    off = modes(mode="off", controls=(("schema", "off"),))
    assert decide.judge([finding("guard", detail="schema")], off).action == "report"
    assert decide.judge([finding("guard", detail="no step of ours")], modes(mode="block")).action == "report"


@pytest.mark.parametrize(("on_error", "action"), [("block", "refuse"), ("monitor", "report")])
@pytest.mark.parametrize("mode", ["", *MODES])
def test_on_error_wins_over_every_mode(on_error: str, action: str, mode: str) -> None:
    assert decide.judge([finding("guard", detail="schema")], modes(mode=mode), on_error).action == action


WHO = st.sampled_from([*CONTROLS, *DETECTORS, "guard", "own"])
FINDINGS = st.lists(st.builds(finding, WHO, st.sampled_from(["high", "medium", "low"]), st.integers(-1, 4), st.sampled_from(["", "schema", "detect"])))


@given(FINDINGS, st.sampled_from(["", *MODES]), st.sampled_from(["", "block", "monitor"]))
def test_a_verdict_refuses_exactly_when_one_of_its_findings_does(found: list[Finding], mode: str, on_error: str) -> None:
    made = modes(mode=mode)
    verdict = decide.judge(found, made, on_error)
    reasons = [one for one in found if decide.refuses(one, made, on_error)]
    assert (verdict.action == "refuse") is bool(reasons)
    assert set(verdict.findings) <= set(found)
    assert verdict.findings[: len(reasons)] == tuple(reasons)
    assert (verdict.status >= 400) is bool(reasons)
    if verdict.refused:
        assert set(verdict.refused) == {one.record for one in reasons}


@given(FINDINGS, st.sampled_from(["", *MODES]))
def test_the_order_of_findings_changes_no_verdict(found: list[Finding], mode: str) -> None:
    made = modes(mode=mode)
    one, other = decide.judge(found, made), decide.judge(found[::-1], made)
    assert (one.action, one.status, one.refused) == (other.action, other.status, other.refused)


@given(FINDINGS)
def test_monitor_refuses_nothing_that_is_inferred_and_block_never_refuses_less(found: list[Finding]) -> None:
    inferred = [one for one in found if one.control in DETECTORS]
    assert decide.judge(inferred, modes(mode="monitor")).action != "refuse"
    rank = ["allow", "report", "refuse"].index
    steps = [rank(decide.judge(found, modes(mode=mode)).action) for mode in ("off", "monitor", "block")]
    assert steps == sorted(steps)
