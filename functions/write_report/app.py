"""The states Report...: write the run card. Nothing depends on it: without one, the run goes on."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import executions, reports, settings
from retraining.aws.histories import StepFunctionsHistories
from retraining.aws.ledger import DynamoLedger
from retraining.aws.storage import S3Storage
from retraining.aws.training_logs import CloudWatchTrainingLogs
from retraining.telemetry import observed

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Write the card of the run that has ended, or of one that somebody asks for."""
    loaded = settings.load()
    ledger = DynamoLedger(loaded.ledger_table)
    record = reports.asked_for(event, ledger)
    if record is None:
        record = reports.ended(event, executions.from_payload(event), ledger, loaded)
    histories, logs = StepFunctionsHistories(), CloudWatchTrainingLogs()
    written = reports.write(record, datetime.now(UTC), loaded, S3Storage(), histories, logs)
    metrics.add_metric(name="ReportsWritten", unit=MetricUnit.Count, value=1)
    logger.info("Wrote a run card", run_id=record["run_id"], unknown=written["unknown"])
    return written
