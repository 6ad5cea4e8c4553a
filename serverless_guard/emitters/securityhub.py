"""AWS Security Hub: alerts as findings in the AWS Security Finding Format (ASFF).

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html,
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
Needs `securityhub:BatchImportFindings`, and an invocation by the real platform: the account stands in the function's ARN.
"""

from __future__ import annotations

from serverless_guard.emitters import function, summary
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MOST = 100  # findings of one call
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 1, 2
SEVERITIES = ("INFORMATIONAL", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL", "CRITICAL")
TYPES = {
    "injection": "TTPs/Initial Access",
    "egress": "Unusual Behaviors/Network Flow",
    "schema": "Unusual Behaviors/Application",
    "limits": "Unusual Behaviors/Application",
    "source": "Unusual Behaviors/Application",
    "guard": "Software and Configuration Checks",
}


class Hub:
    """Security Hub of the function's account and region."""

    __slots__ = ("client", "product")

    def __init__(self, client: Any, product: str) -> None:
        self.client = client
        self.product = product

    def __call__(self, event: dict[str, Any]) -> None:
        self.all([event])

    def all(self, events: list[dict[str, Any]]) -> None:
        """Import those that are alerts; raises RuntimeError when one was refused, ValueError when the account is not known."""
        findings = [asff(event, self.product) for event in events if event.get("is_alert")]
        refused = 0
        for start in range(0, len(findings), MOST):
            refused += self.client.batch_import_findings(Findings=findings[start : start + MOST]).get("FailedCount", 0)
        if refused:
            raise RuntimeError(f"{refused} findings were refused by Security Hub")


def connect(environ: Mapping[str, str], argument: str = "") -> Hub:
    """Security Hub; `argument` is the ARN of a product, else the account's own default product. Raises ImportError without boto3."""
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUT_S, retries={"total_max_attempts": 2})
    return Hub(boto3.client("securityhub", config=config), argument)


def asff(event: dict[str, Any], product: str = "") -> dict[str, Any]:
    """An event as an ASFF finding. Raises ValueError where the account is not known."""
    where, told = function(event), summary(event)
    account, region, arn = where["account"], where["region"], where["arn"]
    if not account:
        raise ValueError("the account is not known")
    partition = arn.split(":")[1] if arn.startswith("arn:") else "aws"
    resource: dict[str, Any] = {"Type": "AwsLambdaFunction", "Id": arn or where["name"], "Partition": partition}
    if where["name"]:
        resource["Details"] = {"AwsLambdaFunction": {name: value for name, value in (("FunctionName", where["name"]), ("Version", where["version"])) if value}}
    if region:
        resource["Region"] = region
    made: dict[str, Any] = {
        "SchemaVersion": "2018-10-08",
        "Id": told["finding_id"],
        "ProductArn": product or f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
        "ProductName": "serverless_guard",
        "CompanyName": "serverless_guard",
        "GeneratorId": told["rule_id"],
        "AwsAccountId": account,
        "Types": [f"{TYPES.get(told.get('type', ''), TYPES['schema'])}/{told['control']}"],
        "CreatedAt": event["timestamp"],
        "UpdatedAt": event["timestamp"],
        "Severity": {"Label": SEVERITIES[min(event.get("severity_id", 0), 6)], "Original": str(told.get("severity", ""))},
        "Confidence": {1: 30, 2: 60, 3: 90}.get(event.get("confidence_id", 0), 0),
        "Title": str(told.get("title", ""))[:256] or told["rule_id"],
        "Description": (str(event.get("message", "")) or told["rule_id"])[:1024],
        "Resources": [resource],
        "ProductFields": {f"serverless_guard/{name}": str(value)[:1024] for name, value in told.items() if name not in ("finding_id", "title")},
        "RecordState": "ACTIVE",
        "Workflow": {"Status": "NEW"},
    }
    network = _network(told)
    return made | ({"Network": network} if network else {})


def _network(told: dict[str, Any]) -> dict[str, Any]:
    """Who called, or who was called; ASFF tells IPv4 from IPv6 by the name of the field."""
    made: dict[str, Any] = {}
    client, target = told.get("client_ip", ""), told.get("target", "")
    if client:
        made["SourceIpV6" if ":" in client else "SourceIpV4"] = client
        made["Direction"] = "IN"
    if target:
        address = target.replace(".", "").isdecimal() or ":" in target
        made["DestinationDomain" if not address else "DestinationIpV6" if ":" in target else "DestinationIpV4"] = target
        made["Direction"] = "OUT"
        if told.get("target_port"):
            made["DestinationPort"] = told["target_port"]
    return made
