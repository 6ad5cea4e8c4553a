"""CodePipeline actions.

Event: https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
"""

from __future__ import annotations

from serverless_guard.sources import blocked, others
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(("CodePipeline.job",))


def parts(event: dict[str, Any]) -> list[Part]:
    """The job: its parameters are those of whoever may change the pipeline, its artifacts those of whoever may commit."""
    job = event.get("CodePipeline.job")
    found: list[Part] = [('["CodePipeline.job"]', job, "body", -1, "")]
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """The job's failure, told to CodePipeline where boto3 is there, else an error: the pipeline waits until the action times out."""
    job = event.get("CodePipeline.job")
    if job.__class__ is dict and job.get("id").__class__ is str:
        try:
            boto3 = __import__("boto3")
        except ImportError:
            raise blocked(verdict, "the job was refused") from None
        details = {"type": "JobFailed", "message": f"refused ({verdict.id})"}
        boto3.client("codepipeline").put_job_failure_result(jobId=job["id"], failureDetails=details)
        return None
    raise blocked(verdict, "the job was refused")
