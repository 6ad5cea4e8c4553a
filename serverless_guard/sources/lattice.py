"""VPC Lattice services with a Lambda target, event structure 1 (`raw_path`) and 2 (`version` "2.0").

Event and response: https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
"""

from __future__ import annotations

from serverless_guard.sources import REASONS, http_answer, others
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(
    [
        "version",
        "raw_path",
        "path",
        "method",
        "headers",
        "query_string_parameters",
        "queryStringParameters",
        "body",
        "is_base64_encoded",
        "isBase64Encoded",
        "requestContext",
    ]
)


def parts(event: dict[str, Any]) -> list[Part]:
    """All that the caller writes; the context is AWS's, but for the caller's identity nested in it."""
    get = event.get
    found: list[Part] = [
        ("body", get("body"), "body", -1, "base64" if get("isBase64Encoded") or get("is_base64_encoded") else ""),
        ("headers", get("headers"), "header", -1, ""),
        ("queryStringParameters", get("queryStringParameters"), "query", -1, ""),
        ("query_string_parameters", get("query_string_parameters"), "query", -1, ""),
        ("path", get("path"), "path", -1, ""),
        ("raw_path", get("raw_path"), "path", -1, ""),
        ("method", get("method"), "attribute", -1, ""),
        ("version", get("version"), "aws", -1, ""),
        ("requestContext", get("requestContext"), "aws", -1, ""),
    ]
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """An HTTP answer with `statusDescription`."""
    answer = http_answer(verdict)
    answer["statusDescription"] = f"{verdict.status} {REASONS.get(verdict.status, 'Forbidden')}"
    return answer
