"""The states Record...: keep how a run ended, in the ledger and beside its artifacts."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import executions, outcomes, records, settings
from retraining.aws.endpoints import SageMakerEndpoints
from retraining.aws.ledger import DynamoLedger
from retraining.aws.storage import S3Storage
from retraining.telemetry import observed

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Record the run that has ended with the payload's ``outcome`` at its ``finished_at``."""
    execution, loaded = executions.from_payload(event), settings.load()
    state, finished_at = event["input"], executions.utc(event["finished_at"])
    finished = records.finished(state, execution, event["outcome"], finished_at, stack_name=loaded.stack_name)
    ledger = DynamoLedger(loaded.ledger_table)
    record = outcomes.record(finished, state, loaded, S3Storage(), SageMakerEndpoints(), ledger)
    # How many runs ended how is counted where it is told, once, and whether or not it could be recorded.
    metrics.add_metric(name="RunsRecorded", unit=MetricUnit.Count, value=1)
    logger.info("Recorded a run", outcome=record["outcome"], reason=record["reason"])
    # Hyperparameters may be long, and are in the state already.
    return {name: value for name, value in record.items() if name != "hyperparameters"}
