"""SES receipt rules.

Event and disposition: https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-lambda-event.html
"""

from __future__ import annotations

from serverless_guard.sources import batch, others, settled
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(("Records",))


def parts(event: dict[str, Any]) -> list[Part]:
    """The mail: whoever sends it writes all of it but the receipt."""
    found: list[Part] = []
    for index, record in enumerate(batch(event)):
        if record.__class__ is dict:
            found.append((f"Records[{index}].ses", record.get("ses"), "body", -1, ""))
            found.append((f"Records[{index}]", record, "aws", -1, "ses"))
        else:
            found.append((f"Records[{index}]", record, "body", -1, ""))
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """No further rule is to touch the mail: read where the function decides, ignored where it is called asynchronously."""
    settled(verdict, "the mail was refused")
    return {"disposition": "STOP_RULE_SET"}
