"""S3 Object Lambda.

Event: https://docs.aws.amazon.com/AmazonS3/latest/userguide/olap-event-context.html
"""

from __future__ import annotations

from serverless_guard.sources import blocked, others
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(
    [
        "xAmzRequestId",
        "getObjectContext",
        "getObjectAttributesContext",
        "headObjectContext",
        "listObjectsContext",
        "listObjectsV2Context",
        "configuration",
        "userRequest",
        "userIdentity",
        "protocolVersion",
    ]
)


def parts(event: dict[str, Any]) -> list[Part]:
    """The request of the client, and who made it; addresses and tokens of the answer are AWS's."""
    request = event.get("userRequest")
    found: list[Part] = [(name, event.get(name), "attribute", -1, "") for name in sorted(KNOWN - {"userRequest", "xAmzRequestId", "protocolVersion"})]
    found += [(name, event.get(name), "aws", -1, "") for name in ("xAmzRequestId", "protocolVersion")]
    if request.__class__ is dict:
        found.append(("userRequest.url", request.get("url"), "url", -1, ""))
        found.append(("userRequest.headers", request.get("headers"), "header", -1, ""))
        found.append(("userRequest", request, "aws", -1, "url headers"))
    else:
        found.append(("userRequest", request, "event", -1, ""))
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """An error: S3 answers the client with one where nobody wrote a response."""
    raise blocked(verdict, "the request was refused")
