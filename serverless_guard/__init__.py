"""Runtime protection for Python functions on AWS Lambda.

from serverless_guard import guard

@guard
def handler(event, context): ...
"""

from serverless_guard.decorator import Guard, guard
from serverless_guard.errors import ActionBlocked, Blocked, GuardError, InputBlocked, PolicyError
from serverless_guard.values import __version__ as __version__

__all__ = ["ActionBlocked", "Blocked", "Guard", "GuardError", "InputBlocked", "PolicyError", "guard"]
