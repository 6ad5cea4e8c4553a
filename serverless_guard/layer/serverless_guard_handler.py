"""The handler that stands in for your own: `Handler: serverless_guard_handler.handler`, yours in `SERVERLESS_GUARD_HANDLER`.

A flat module, since a handler with dots in its path fails from the console. Importing it imports your handler and guards
it; what goes wrong there is an init error of the function.
"""

from __future__ import annotations

from serverless_guard.layer.handler import redirected

handler = redirected()
