"""The invoke action of Lambda: a function is called again and again until it answers without a token."""

from __future__ import annotations

import json
import time
from typing import Any

from retrain.localcloud.codepipeline.actions.results import Result, Work
from retrain.localcloud.codepipeline.errors import ActionError
from retrain.localcloud.codepipeline.jobs import Job, Jobs
from retrain.localcloud.codepipeline.platform import Platform, refused
from retrain.localcloud.environment import ACCOUNT


def run(work: Work, platform: Platform, jobs: Jobs) -> Result:
    """Call the function until the action has ended.

    Each call is a job of its own, with an id and credentials of its own. The function is called as AWS calls
    it, without waiting: what it returns or raises says nothing, its answers to the jobs do.
    """
    deadline = time.monotonic() + platform.settings.lambda_action
    token = external_id = ""
    while True:
        job = _open(work, platform, jobs, token)
        with refused(f"Invoking the function {work.configuration['FunctionName']}"):
            platform.client("lambda").invoke(
                FunctionName=work.configuration["FunctionName"],
                InvocationType="Event",
                Payload=json.dumps(job.event()).encode(),
            )
        answer = _answer(job, jobs, platform, external_id)
        details = answer.get("executionDetails") or {}
        external_id = details.get("externalExecutionId") or external_id
        token = answer.get("continuationToken") or ""
        if not token:
            return Result(details.get("summary", ""), external_id, answer.get("outputVariables") or {})
        work.report(details.get("summary", ""), external_id)
        if time.monotonic() > deadline:
            raise ActionError("The function has not ended the action in time.", external_id=external_id)
        platform.pause(platform.settings.pause)


def _open(work: Work, platform: Platform, jobs: Jobs, token: str) -> Job:
    # A session's name may have 64 characters, of fewer kinds than an action's name.
    credentials = platform.credentials(work.pipeline["roleArn"], work.action_execution_id)
    data = {
        "actionConfiguration": {"configuration": work.configuration},
        "inputArtifacts": [artifact.as_input() for artifact in work.inputs],
        "outputArtifacts": [],
        "artifactCredentials": credentials,
    }
    if token:
        data["continuationToken"] = token
    context = {
        "pipelineName": work.pipeline["name"],
        "pipelineArn": platform.arn(work.pipeline["name"]),
        "pipelineExecutionId": work.execution_id,
        "stage": {"name": work.stage},
        "action": {"name": work.action["name"], "actionExecutionId": work.action_execution_id},
    }
    return jobs.open(ACCOUNT, data, context)


def _answer(job: Job, jobs: Jobs, platform: Platform, external_id: str) -> dict[str, Any]:
    if not jobs.wait(job, platform.settings.reply) or job.answer is None:
        minutes = platform.settings.reply / 60
        raise ActionError(
            f"The function has not answered the job {job.id} within {minutes:g} minutes: look at its log.",
            external_id=external_id,
        )
    if job.failed:
        details = job.answer["failureDetails"]
        raise ActionError(
            details["message"],
            code=details["type"],
            external_id=details.get("externalExecutionId") or external_id,
        )
    return job.answer
