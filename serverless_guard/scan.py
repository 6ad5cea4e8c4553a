"""One look at the whole event; detectors only where it looks odd.

`odd` is the cheap look over all texts together. It may say maybe, never a false no: a test holds it to every attack of the
tests in every encoding. `search` is the thorough one: per value its normal forms, per form what each detector `NEEDS`, then `detect`.
"""

from __future__ import annotations

from serverless_guard.values import TYPE_CHECKING, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

RANK = {"high": 3, "medium": 2, "low": 1}
PLACES = {"param": "query", "form": "body", "json": "body", "cookie": "header"}
"""Other words for where a value stands."""


def odd(texts: list[str]) -> bool:
    """Whether any of `texts` might hold something that a detector would find."""
    return True


def search(walked: Iterable[tuple[str, str, int, str, bool]], detectors: Iterable[tuple[str, Any]]) -> list[Finding]:
    """What the detectors find in `(path, where, record, text, is_key)`: for each value and detector the strongest evidence."""
    from serverless_guard.text import forms

    needs = [(name, member, _alternatives(member)) for name, member in detectors]
    findings = []
    for path, where, record, text, is_key in walked:
        where = "key" if is_key else PLACES.get(where, where)
        best: dict[str, tuple[int, Any, str]] = {}
        for form, steps in forms(text):
            low = form.lower()
            for name, member, alternatives in needs:
                if name in best and best[name][0] == 3:
                    continue
                for need in alternatives:
                    if need in low if need.__class__ is str else all([literal in low for literal in need]):
                        evidence = member.detect(form, where)
                        if evidence and RANK[evidence[0]] > best.get(name, (0,))[0]:
                            best[name] = (RANK[evidence[0]], evidence, steps)
                        break
        for name, member, _ in needs:
            if name in best:
                _, evidence, steps = best[name]
                detail = f"{evidence[1]}, after {steps}" if steps else evidence[1]
                findings.append(Finding(member.RULE, name, member.TITLE, path, evidence[0], detail, member.CWE, record, text))
    return findings


def _alternatives(member: Any) -> tuple[Any, ...]:
    """What a detector needs; one of the user's own may leave it out."""
    return getattr(member, "NEEDS", ("",))
