"""Tells whether functions that call one another may look at one value more than once, and again for every level below.

Where a recursive schema is applied twice to the same value, in two alternatives say, each level doubles the work: a value
sixty deep would never be done. Such functions remember what they found for each value, which makes them linear again.
"""

from __future__ import annotations

import re

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    Edges = dict[Hashable, list[tuple[Hashable, str]]]

STEPS = re.compile(r"\.\*|\.\w+|\[[^\]]*\]")


def forking(edges: Edges) -> set[Hashable]:
    """The functions that must remember. `edges` are the calls of each function, as `(callee, path to the value)`."""
    found: set[Hashable] = set()
    for circle in _circles(edges):
        forks = False
        for caller in circle:
            paths = [_steps(path) for callee, path in edges[caller] if callee in circle]
            forks = forks or any(_meet(one, other) for index, one in enumerate(paths) for other in paths[:index])
        if forks:
            found |= circle
    return found


def _steps(path: str) -> list[str]:
    return ["*" if step == ".*" or step.startswith("[{") else step for step in STEPS.findall(path)]


def _meet(one: list[str], other: list[str]) -> bool:
    """Whether one path may lead to the same value as the other, or through it."""
    return all(a == b or "*" in (a, b) for a, b in zip(one, other, strict=False))


def _circles(edges: Edges) -> Iterable[set[Hashable]]:
    """Sets of functions that reach one another (Tarjan, without recursion)."""
    number: dict[Hashable, int] = {}
    low: dict[Hashable, int] = {}
    path: list[Hashable] = []
    for start in edges:
        if start in number:
            continue
        work = [(start, iter(edges[start]))]
        number[start] = low[start] = len(number)
        path.append(start)
        while work:
            here, calls = work[-1]
            callee = next(calls, (None,))[0]
            if callee is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[here])
                if low[here] == number[here]:
                    circle = set(path[path.index(here) :])
                    del path[path.index(here) :]
                    if len(circle) > 1 or any(one == here for one, _ in edges[here]):
                        yield circle
            elif callee not in number:
                number[callee] = low[callee] = len(number)
                path.append(callee)
                work.append((callee, iter(edges[callee])))
            elif callee in path:
                low[here] = min(low[here], number[callee])
