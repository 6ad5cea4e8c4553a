"""Everything that the guard raises.

GuardError                     catch this to catch all
+-- PolicyError                a mistake in the settings: raised at start, names the path and what would be right
+-- Blocked                    a refusal (a RuntimeError too: clients retry and hide an OSError)
    +-- InputBlocked           the event was refused, where raising is the way its source says no
    +-- ActionBlocked          something that the handler tried was refused: an outbound call
"""

from __future__ import annotations

__all__ = ["ActionBlocked", "Blocked", "GuardError", "InputBlocked", "PolicyError"]


class GuardError(Exception):
    """Base of all errors of the guard."""


class PolicyError(GuardError, ValueError):
    """A setting is wrong. `path` leads to it (`limits.max_depth`), `origin` names the file, variable or argument."""

    def __init__(self, message: str, path: str = "", origin: str = "") -> None:
        super().__init__(message if not origin or f"`{origin}`" in message else f"{message} (in {origin})")
        self.path = path
        self.origin = origin

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (str(self), self.path)


class Blocked(GuardError, RuntimeError):
    """A refusal. An `Exception`, since the Lambda runtime catches nothing wider; never an `OSError`, which clients retry.

    `rule` is the stable rule id, `id` the id of the security event that tells of it.
    """

    def __init__(self, message: str, rule: str = "", id: str = "") -> None:
        super().__init__(message)
        self.rule = rule
        self.id = id

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (str(self), self.rule, self.id)


class InputBlocked(Blocked):
    """The event was refused, and its source hears a refusal as an error."""


class ActionBlocked(Blocked):
    """The handler tried something that its policy does not allow."""
