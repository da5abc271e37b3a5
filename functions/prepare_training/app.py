"""The state Prepare: check the request, pin the versions, and write down everything that the run needs."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import executions, settings
from retraining.aws.endpoints import SageMakerEndpoints
from retraining.aws.ledger import DynamoLedger
from retraining.aws.storage import S3Storage
from retraining.preparation import prepare
from retraining.telemetry import observed

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Prepare the run whose request is the payload's ``input``."""
    execution, loaded = executions.from_payload(event), settings.load()
    prepared = prepare(
        event.get("input"),
        execution,
        loaded,
        S3Storage(),
        SageMakerEndpoints(),
        DynamoLedger(loaded.ledger_table),
    )
    metrics.add_metric(name="RunsPrepared", unit=MetricUnit.Count, value=1)
    logger.info("Prepared a run", dataset=prepared["run"]["dataset"], champion=bool(prepared["champion"]))
    return prepared
