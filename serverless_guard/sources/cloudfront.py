"""CloudFront events of Lambda@Edge.

Event: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.html
Response: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-generating-http-responses.html
CloudFront hands on at most 40 KB (viewer) or 1 MB (origin) of a body and says so in `inputTruncated`: what was cut off nobody can look at.
"""

from __future__ import annotations

from serverless_guard.sources import REASONS, batch, http_answer, others
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(("Records",))


def parts(event: dict[str, Any]) -> list[Part]:
    """The viewer's request, and a response that an origin gave; the distribution's configuration is AWS's."""
    found: list[Part] = []
    for index, record in enumerate(batch(event)):
        path = f"Records[{index}].cf"
        cf = record.get("cf") if record.__class__ is dict else None
        request = cf.get("request") if cf is not None and cf.__class__ is dict else None
        if cf is None or request.__class__ is not dict:
            found.append((f"Records[{index}]", record, "event", -1, ""))
            continue
        body = request.get("body")
        if body.__class__ is dict:
            found.append((path + ".request.body.data", body.get("data"), "body", -1, "base64" if body.get("encoding") == "base64" else ""))
            found.append((path + ".request.body", body, "aws", -1, "data"))
        else:
            found.append((path + ".request.body", body, "body", -1, ""))
        found += [
            (path + ".request.headers", request.get("headers"), "header", -1, ""),
            (path + ".request.querystring", request.get("querystring"), "query", -1, ""),
            (path + ".request.uri", request.get("uri"), "path", -1, ""),
            (path + ".request", request, "aws", -1, "body headers querystring uri"),
            (path + ".config", cf.get("config"), "aws", -1, ""),
            (path, cf, "aws", -1, "request config"),
            (f"Records[{index}]", record, "aws", -1, "cf"),
        ]
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """A generated response, its headers as CloudFront has them."""
    answer = http_answer(verdict)
    headers = {name.lower(): [{"key": name, "value": value}] for name, value in answer["headers"].items()}
    return {"status": str(verdict.status), "statusDescription": REASONS.get(verdict.status, "Forbidden"), "headers": headers, "body": answer["body"]}
