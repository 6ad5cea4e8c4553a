"""The same function with the decorator."""

import plain

from serverless_guard import guard

handler = guard(plain.handler)


@guard
async def handler_async(event, context):
    """A coroutine that is decorated."""
    return plain.answer(event)
