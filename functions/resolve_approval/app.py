"""A model package was approved or rejected in the registry: the run that waits for it goes on, or ends."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import approvals, settings
from retraining.aws.connection import connect_approvals
from retraining.telemetry import observed

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer the run that the event's package belongs to; a package that no run waits for starts nothing."""
    package_arn = approvals.package_of(event)
    result = approvals.resolve(package_arn, connect_approvals(settings.load()))
    if result.run_id:
        logger.set_correlation_id(result.run_id)
    granted = result.decision.granted if result.decision else None
    metrics.add_metric(name=result.metric, unit=MetricUnit.Count, value=1)
    logger.info(_TOLD[result.what], result=result.what, granted=granted, package=package_arn)
    return {"result": result.what, "granted": granted}


_TOLD = {
    approvals.ANSWERED: "Answered a run that waited for approval",
    approvals.DECIDED: "The run that asked about this package has its answer already",
    approvals.STALE: "The run waits under another token by now, or no more; its next look asks the registry",
    approvals.UNKNOWN: "No run waits for this package: nothing is started or deployed",
    approvals.WAITS: "The package is neither approved nor rejected in the registry by now: the run waits on",
}
