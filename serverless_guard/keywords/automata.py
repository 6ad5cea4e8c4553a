"""Tells whether a pattern can backtrack for longer than its input is long, and matches such a pattern in linear time.

`re` tries one way after another: where two ways spell the same text and the rest fails, it tries all of them, and a sender
chooses the text. Such patterns are found on the automaton of their positions (Glushkov): two loops at the same or at different
places that share a text. They run on that automaton instead, one step a character, its states made when first needed.
Weber and Seidl, On the degree of ambiguity of finite automata, 1991.
"""

from __future__ import annotations

from bisect import bisect_right

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    Tree = tuple[Any, ...]
    Graph = dict[int, list[int]]

MAX_POSITIONS = 300  # of a pattern that is looked at
MANY = 10  # a count from which a bounded repetition is looked at as an endless one
STEPS = 20_000  # of the search for two ways; a pattern that takes more is held for a dangerous one
STATES = 500  # kept at a time
LAST = 0x10FFFF
START, END = -1, -2  # what `^` and `$` match: one before the first character, one behind the last


class Positions:
    """The places of a pattern that match one character each, and which may follow which."""

    __slots__ = ("_within", "bounds", "first", "follow", "last", "nullable", "sets", "twice")

    def __init__(self, tree: Tree, exact: bool) -> None:
        self.sets: list[Any] = []  # ranges, START or END, by position
        self.follow: list[set[int]] = []
        self.twice: list[tuple[int, int]] = []  # steps that an inner and an outer loop both take: (a+)+
        self._within = 0
        self.nullable, self.first, self.last = self._add(tree, exact)
        ends = {0, LAST + 1}
        for ranges in self.sets:
            if ranges.__class__ is not int:
                for low, high in ranges:
                    ends.add(low)
                    ends.add(high + 1)
        self.bounds = sorted(ends)

    def _add(self, tree: Tree, exact: bool) -> tuple[bool, set[int], set[int]]:
        """`(may be empty, positions it may begin at, positions it may end at)`."""
        kind = tree[0]
        if kind == "set" or kind in "^$":
            self.sets.append(tree[1] if kind == "set" else START if kind == "^" else END)
            self.follow.append(set())
            return False, {len(self.sets) - 1}, {len(self.sets) - 1}
        if kind == "all":
            return self._joined([self._add(part, exact) for part in tree[1]])
        if kind == "any":
            found = [self._add(part, exact) for part in tree[1]]
            return any(one[0] for one in found), set().union(*(one[1] for one in found)), set().union(*(one[2] for one in found))
        if kind == "repeat":
            return self._repeat(tree, exact)
        return True, set(), set()

    def _repeat(self, tree: Tree, exact: bool) -> tuple[bool, set[int], set[int]]:
        _, part, least, most = tree
        endless = most is None or (not exact and most > least and most >= (2 if self._within else MANY))
        needed = least if exact else min(least, 2)
        self._within += most is None or most > 1
        copies = [self._add(part, exact) for _ in range(needed)]
        if endless:
            if not copies:
                copies = [self._add(part, exact)]
                copies = [(True, *copies[0][1:])]
            for end in copies[-1][2]:
                self.twice += [(end, begin) for begin in copies[-1][1] & self.follow[end]]
                self.follow[end] |= copies[-1][1]
        else:
            more = most - least if exact else min(most - least, 2)
            copies += [(True, *self._add(part, exact)[1:]) for _ in range(more)]
        self._within -= most is None or most > 1
        return self._joined(copies)

    def _joined(self, parts: list[tuple[bool, set[int], set[int]]]) -> tuple[bool, set[int], set[int]]:
        nullable = True
        first: set[int] = set()
        last: set[int] = set()
        for empty, begins, ends in parts:
            for end in last:
                self.follow[end] |= begins
            if nullable:
                first = first | begins
            last = last | ends if empty else set(ends)
            nullable = nullable and empty
        return nullable, first, last

    def masks(self) -> list[int]:
        """For each interval between two bounds the positions that match its characters, as bits."""
        found = [0] * len(self.bounds)
        for position, ranges in enumerate(self.sets):
            if ranges.__class__ is not int:
                for low, high in ranges:
                    for index in range(bisect_right(self.bounds, low) - 1, bisect_right(self.bounds, high)):
                        found[index] |= 1 << position
        return found


def crossed(tree: Tree) -> bool:
    """Whether a `^` stands behind a `$`: both match an empty text, which an automaton of characters cannot follow."""
    positions = Positions(tree, False)
    return any(positions.sets[one] == END and any(positions.sets[other] == START for other in following) for one, following in enumerate(positions.follow))


def dangerous(tree: Tree) -> bool:
    """Whether `re` may take more than linear time for a pattern; may say so of a harmless one, never the other way round."""
    if _has(tree, "same") and _loops(tree):
        return True
    positions = Positions(tree, False)
    anchored = all(positions.sets[one] == START for one in positions.first)
    if _has(tree, "look"):
        parts = tree[1] if tree[0] == "all" else [tree]
        ahead = anchored  # whether nothing was matched yet, so that a look is taken once
        for part in parts:
            if part[0] == "look" and ahead:
                if dangerous(("all", [("^",), part[1]])):
                    return True
            elif _looks_far(part):
                return True
            ahead = ahead and part[0] in ("^", "look", "edge")
    if positions.nullable:
        return _has(tree, "look")
    return len(positions.sets) > MAX_POSITIONS or _two_ways(positions, anchored)


def _has(tree: Tree, kind: str) -> bool:
    if tree[0] == kind:
        return True
    return any(_has(part, kind) for part in tree[1]) if tree[0] in ("all", "any") else tree[0] in ("repeat", "look") and _has(tree[1], kind)


def _loops(tree: Tree) -> bool:
    if tree[0] == "repeat":
        return tree[3] is None or tree[3] >= MANY or _loops(tree[1])
    return any(map(_loops, tree[1])) if tree[0] in ("all", "any") else tree[0] == "look" and _loops(tree[1])


def _looks_far(tree: Tree) -> bool:
    """Whether a look with a loop in it stands somewhere in a part."""
    if tree[0] == "look":
        return _loops(tree[1])
    return any(map(_looks_far, tree[1])) if tree[0] in ("all", "any") else tree[0] == "repeat" and _looks_far(tree[1])


def _two_ways(positions: Positions, anchored: bool) -> bool:
    """Whether two loops, or two ways round one, read the same text while the end may still fail."""
    count = len(positions.sets)
    matching = [0] * count + [-1]  # by position, the intervals of characters it matches, as bits
    for index, mask in enumerate(positions.masks()):
        for position in range(count):
            if mask >> position & 1:
                matching[position] |= 1 << index
    # a position at which the pattern may end without `$` ends the search: nothing behind it can fail
    live = {one for one in range(count) if positions.sets[one].__class__ is not int and one not in positions.last}
    graph = {one: [other for other in positions.follow[one] if other in live] for one in live}
    if not anchored:  # a search begins at every character: a loop over anything before the pattern
        graph[count] = [count, *(one for one in positions.first if one in live)]
    if any(end in live and begin in live for end, begin in positions.twice):
        return True
    reach = _reach(graph)
    looping = [one for one in graph if one in reach[one]]
    left = STEPS
    for one in looping:
        found, left = _rejoins(graph, matching, reach, one, left)
        if found or left < 0:
            return True
        for other in looping:
            if other != one and other in reach[one]:
                found, left = _leads(graph, matching, (one, one, other), (one, other, other), left)
                if found or left < 0:
                    return True
    return False


def _rejoins(graph: Graph, matching: list[int], reach: dict[int, set[int]], one: int, left: int) -> tuple[bool, int]:
    """Whether two different ways lead from a place back to it over the same text."""
    behind: dict[tuple[int, int], list[tuple[int, int]]] = {(one, one): []}
    stack = [(one, one)]
    while stack and left >= 0:
        here = stack.pop()
        for x in graph[here[0]]:
            for y in graph[here[1]]:
                left -= 1
                if matching[x] & matching[y] and one in reach[x] and one in reach[y]:
                    if (x, y) not in behind:
                        behind[x, y] = []
                        stack.append((x, y))
                    behind[x, y].append(here)
    seen = {(one, one)}
    stack = [(one, one)]
    while stack:
        for before in behind[stack.pop()]:
            if before[0] != before[1]:
                return True, left
            if before not in seen:
                seen.add(before)
                stack.append(before)
    return False, left


def _leads(graph: Graph, matching: list[int], start: tuple[int, int, int], goal: tuple[int, int, int], left: int) -> tuple[bool, int]:
    """Whether one loop leads into another over a text that goes round both."""
    seen, stack = {start}, [start]
    while stack and left >= 0:
        a, b, c = stack.pop()
        for x in graph[a]:
            for y in graph[b]:
                shared = matching[x] & matching[y]
                if not shared:
                    left -= 1
                    continue
                for z in graph[c]:
                    left -= 1
                    if shared & matching[z]:
                        if (x, y, z) == goal:
                            return True, left
                        if (x, y, z) not in seen:
                            seen.add((x, y, z))
                            stack.append((x, y, z))
    return False, left


def _reach(graph: Graph) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for one in graph:
        seen: set[int] = set()
        stack = list(graph[one])
        while stack:
            here = stack.pop()
            if here not in seen:
                seen.add(here)
                stack.extend(graph[here])
        found[one] = seen
    return found


class Automaton:
    """`search(text)` in time linear in the text, for a regular pattern."""

    __slots__ = ("_bounds", "_ends", "_first", "_follow", "_last", "_masks", "_start", "_states")

    def __init__(self, tree: Tree) -> None:
        positions = Positions(tree, True)
        self._bounds = positions.bounds
        self._masks = positions.masks()
        self._follow = [sum(1 << one for one in following) for following in positions.follow]
        starts = sum(1 << one for one, ranges in enumerate(positions.sets) if ranges.__class__ is int and ranges == START)
        self._ends = sum(1 << one for one, ranges in enumerate(positions.sets) if ranges.__class__ is int and ranges == END)
        self._first = sum(1 << one for one in positions.first)
        self._last = sum(1 << one for one in positions.last)
        self._states: dict[int, _State] = {}
        begun = self._first & starts
        while more := self._behind(begun) & starts & ~begun:
            begun |= more
        self._start = self._state((1 << len(self._follow)) if positions.nullable or begun & self._last else begun)

    def search(self, text: str) -> bool:
        state = self._start
        for letter in text:
            state = state[letter]
        return state.fits

    def _behind(self, bits: int) -> int:
        """The positions that may follow any of these."""
        found = 0
        while bits:
            low = bits & -bits
            found |= self._follow[low.bit_length() - 1]
            bits ^= low
        return found

    def _state(self, bits: int) -> _State:
        if len(self._states) >= STATES:
            self._states.clear()
        made = self._states.get(bits)
        if made is None:
            done = bool(bits >> len(self._follow))
            ahead = 0 if done else self._first | self._behind(bits)
            ends = ahead & self._ends
            while more := self._behind(ends) & self._ends & ~ends:
                ends |= more
            made = self._states[bits] = _State(self, ahead, done, done or bool(ends & self._last))
        return made

    def _next(self, ahead: int, letter: str) -> _State:
        bits = ahead & self._masks[bisect_right(self._bounds, ord(letter)) - 1]
        return self._state(1 << len(self._follow) if bits & self._last else bits)


class _State(dict[str, "_State"]):
    """A set of positions, and by character the state behind it; `fits` says whether the text may end here."""

    __slots__ = ("ahead", "done", "fits", "of")

    def __init__(self, of: Automaton, ahead: int, done: bool, fits: bool) -> None:
        self.of = of
        self.ahead = ahead
        self.done = done
        self.fits = fits

    def __missing__(self, letter: str) -> _State:
        made = self if self.done else self.of._next(self.ahead, letter)
        if len(self) < STATES:
            self[letter] = made
        return made
