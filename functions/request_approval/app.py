"""The state AwaitApproval: ask for somebody's approval, and at each missed heartbeat whether it has come."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import approvals, executions, settings
from retraining.aws.connection import connect_approvals
from retraining.telemetry import observed

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Keep the payload's ``task_token``; the state waits for it, not for what this returns."""
    execution, loaded = executions.from_payload(event), settings.load()
    asked = approvals.question(event, execution)
    ports = connect_approvals(loaded)
    result = approvals.ask(asked, event["input"], execution, loaded.stack_name, ports)
    granted = result.decision.granted if result.decision else None
    metrics.add_metric(name=result.metric, unit=MetricUnit.Count, value=1)
    if result.untold:
        metrics.add_metric(name="NotificationsFailed", unit=MetricUnit.Count, value=1)
        logger.error("People could not be told; the next look tries again", reason=result.untold)
    logger.info(
        "Looked for an approval", result=result.what, granted=granted, package=asked.model_package_arn
    )
    return {"result": result.what, "granted": granted}
