"""The state ClaimEndpoint: let no model of an older dataset version overwrite that of a newer one."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import deployments, executions, settings
from retraining.aws.ledger import DynamoLedger
from retraining.telemetry import observed

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Claim the endpoint for the run whose data is the payload's ``input``."""
    execution, loaded = executions.from_payload(event), settings.load()
    claim = deployments.claim(event["input"], execution.name, DynamoLedger(loaded.ledger_table))
    name = "EndpointsClaimed" if claim["granted"] else "RunsSuperseded"
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
    logger.info("Claimed an endpoint", **claim)
    return claim
