"""Findings and modes make a verdict. The only file that knows what a mode means.

What is declared is enforced; what the guard infers is reported until the policy says `block`. Three controls do not follow
the policy's one `mode`, since they keep the function and the guard itself safe: metadata addresses, the Runtime API and the
bounds on an event. They change only by name, under `controls`.
"""

from __future__ import annotations

from serverless_guard.policy import CONTROLS
from serverless_guard.values import ALLOW, TYPE_CHECKING, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from serverless_guard.policy import Policy
    from serverless_guard.values import Finding

BY_NAME_ONLY = ("metadata", "runtime_api", "limits")
STATUS = {"limits": 413, "schema": 400, "guard": 500}
"""HTTP status of a refusal by the control that asks for it; every other one is 403. Of several the largest is told."""


def modes(policy: Policy, detectors: Iterable[str]) -> dict[str, str]:
    """The mode of every control and detector: by its own name, else by the policy's mode, else by what it is.

    `detect` stands for the scan as a whole.
    """
    given: dict[str, str] = dict(policy.controls) | dict(policy.detect)
    made = {control: given.get(control) or (control not in BY_NAME_ONLY and policy.mode) or "block" for control in CONTROLS}
    for detector in detectors:
        made[detector] = given.get(detector) or policy.mode or "monitor"
    # the scan serves all detectors at once: when it fails, the strictest of them says what that means
    made["detect"] = "block" if any(made[detector] == "block" for detector in made.keys() - set(CONTROLS)) else "monitor"
    return made


def judge(findings: Sequence[Finding], modes: Mapping[str, str], on_error: str = "") -> Verdict:
    """What the findings come to: allow, report, or refuse (single records where every reason names one).

    Only a finding of high confidence can refuse. An error of the guard itself (control `guard`) follows the mode of the
    control that failed, which its `detail` names, unless `on_error` says otherwise.
    """
    refusing: list[Finding] = []
    reported: list[Finding] = []
    for finding in findings:
        mode = _mode(finding, modes, on_error)
        if mode == "block" and finding.confidence == "high":
            refusing.append(finding)
        elif mode != "off":
            reported.append(finding)
    if refusing:
        records = {finding.record for finding in refusing}
        status = max(STATUS.get(finding.control, 403) for finding in refusing)
        return Verdict("refuse", status, (*refusing, *reported), () if -1 in records else tuple(sorted(records)))
    return Verdict("report", 200, tuple(reported)) if reported else ALLOW


def refuses(finding: Finding, modes: Mapping[str, str], on_error: str = "") -> bool:
    """Whether this one finding is a reason to refuse."""
    return finding.confidence == "high" and _mode(finding, modes, on_error) == "block"


def _mode(finding: Finding, modes: Mapping[str, str], on_error: str) -> str:
    if finding.control == "guard":
        mode = on_error or modes.get(finding.detail, "monitor")
        return "monitor" if mode == "off" else mode  # an error of the guard is always told
    return modes.get(finding.control, "monitor")
