"""The state Verify: whether the live endpoint answers as the gate has seen its model answer."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import executions
from retraining.aws.runtime import SageMakerRuntime
from retraining.aws.storage import S3Storage
from retraining.telemetry import observed
from retraining.verification import verify

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Verify the endpoint of the run whose data is the payload's ``input``."""
    executions.from_payload(event)
    verification = verify(event["input"], S3Storage(), SageMakerRuntime())
    name = "EndpointsUnverified"
    if verification["verified"]:
        name = "EndpointsVerified" if verification["agrees"] else "EndpointsDiffering"
        metrics.add_metric(name="RowsVerified", unit=MetricUnit.Count, value=verification["rows"])
        metrics.add_metric(name="RowsDiffering", unit=MetricUnit.Count, value=verification["differing"])
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
    # The sentence stays out of the log: it names rows of the holdout and what the model says of them.
    logger.info(
        "Verified an endpoint", **{key: value for key, value in verification.items() if key != "sentence"}
    )
    return verification
