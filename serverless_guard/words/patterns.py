"""Patterns that are compiled when they are first used: a detector that never runs costs its import and nothing else."""

from __future__ import annotations

import re


def pattern(source: str, flags: int = 0) -> re.Pattern[str]:
    """A compiled pattern, as far as its methods go; the compiling happens at the first call of one."""
    return _Pattern(source, flags)  # type: ignore[return-value]  # `re.Pattern` is final: a stand-in cannot be one


class _Pattern:
    """Becomes what `re.compile` gives: its methods, as attributes, so that later calls find them at once."""

    def __init__(self, source: str, flags: int) -> None:
        self.source = source
        self.flags_given = flags

    def __getattr__(self, name: str) -> object:
        if name[:2] == "__":
            raise AttributeError(name)
        compiled = re.compile(self.source, self.flags_given)
        self.__dict__.update({verb: getattr(compiled, verb) for verb in ("search", "match", "fullmatch", "findall", "finditer", "sub", "split")})
        return getattr(compiled, name)
