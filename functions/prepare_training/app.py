"""The state Prepare: check the request, pin the versions, and write down everything that the run needs."""

from dataclasses import replace
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import executions, requests, rollbacks, settings
from retraining.aws.connection import connect
from retraining.aws.endpoints import SageMakerEndpoints
from retraining.aws.state_machine import StepFunctionsMachine
from retraining.preparation import prepare
from retraining.telemetry import observed

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Prepare the run whose request is the payload's ``input``."""
    execution, loaded = executions.from_payload(event), settings.load()
    # The state machine names this function, so this function's settings cannot name the state machine.
    ports = replace(connect(loaded), machine=StepFunctionsMachine.of_execution(execution.arn))
    request = event.get("input")
    begin = rollbacks.prepare if requests.asks_for_rollback(request) else prepare
    prepared = begin(request, execution, loaded, ports, SageMakerEndpoints())
    metrics.add_metric(name="RunsPrepared", unit=MetricUnit.Count, value=1)
    logger.info(
        "Prepared a run",
        kind=prepared["run"]["kind"],
        dataset=prepared["run"]["dataset"],
        champion=bool(prepared["champion"]),
        skipped=prepared["skip"]["skipped"],
    )
    return prepared
