"""The state ClaimEndpoint: the last look before a model goes live."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import deployments, executions, settings
from retraining.aws.alarms import CloudWatchAlarms
from retraining.aws.endpoints import SageMakerEndpoints
from retraining.aws.ledger import DynamoLedger
from retraining.aws.state_machine import StepFunctionsMachine
from retraining.telemetry import observed

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Claim the endpoint for the run whose data is the payload's ``input``."""
    execution, loaded = executions.from_payload(event), settings.load()
    ledger, machine = DynamoLedger(loaded.ledger_table), StepFunctionsMachine.of_execution(execution.arn)
    now = executions.from_datetime(datetime.now(UTC))
    claim = deployments.claim(
        event["input"], execution, now, ledger, machine, SageMakerEndpoints(), CloudWatchAlarms()
    )
    name = "EndpointsClaimed" if claim["granted"] else "RunsSuperseded"
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
    logger.info("Claimed an endpoint", **claim)
    return claim
