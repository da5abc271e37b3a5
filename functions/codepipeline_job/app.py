"""The Lambda action of a pipeline: start a run for what was built, and answer until it has ended.

The event holds credentials of the pipeline's role. It is neither logged, nor raised, nor kept.
"""

import traceback
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import settings
from retraining.aws.codepipeline import CodePipelineJobs, JobArtifacts
from retraining.aws.connection import connect
from retraining.errors import RetrainError
from retraining.pipelines import answering, jobs, replies
from retraining.pipelines.jobs import Job
from retraining.pipelines.replies import Failed, Reply
from retraining.pipelines.work import work
from retraining.telemetry import observed

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer one call of CodePipeline."""
    job_id = jobs.job_id(event)
    try:
        reply = _work(jobs.parse(event))
    except RetrainError as error:
        reply = Failed(replies.CONFIGURATION_ERROR, str(error))
    answered = answering.send(job_id, reply, CodePipelineJobs())
    metrics.add_metric(name=f"PipelineJobs{answered['answer']}", unit=MetricUnit.Count, value=1)
    logger.info("Answered a job of CodePipeline", **answered)
    return answered


def _work(job: Job) -> Reply:
    loaded = settings.load()
    try:
        return work(job, loaded, connect(loaded), JobArtifacts(job.credentials))
    except Exception as error:  # noqa: BLE001 - logged below, without what logging it would add
        # A pipeline that is not answered hangs for twenty minutes. Nobody knows what such an error quotes.
        logger.error(
            "The function failed unexpectedly",
            error=type(error).__name__,
            trace=job.credentials.redact(traceback.format_exc()),
        )
        metrics.add_metric(name="UnexpectedError", unit=MetricUnit.Count, value=1)
        return Failed(
            replies.JOB_FAILED,
            f"The function failed unexpectedly ({type(error).__name__}): its log says where.",
        )
