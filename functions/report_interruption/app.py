"""An execution timed out, was stopped, or failed beyond every Catch: record and tell what it could not."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import card_links, interruptions, outcomes, settings, telling
from retraining.aws import channels
from retraining.aws.endpoints import SageMakerEndpoints
from retraining.aws.ledger import DynamoLedger
from retraining.aws.queue import SqsDelays
from retraining.aws.storage import S3Storage
from retraining.errors import AwsError
from retraining.executions import Execution
from retraining.settings import Settings
from retraining.telemetry import observed

RETELL_SECONDS = 60

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Record and tell the end that Step Functions reports, as far as the run did not do so itself."""
    loaded = settings.load()
    interruption = interruptions.parse(event)
    ledger = DynamoLedger(loaded.ledger_table)
    known = ledger.get_run(interruption.execution.name)
    recorded = interruptions.needs_record(known)
    if recorded:
        finished = interruptions.finished(interruption, known, stack_name=loaded.stack_name)
        record: Mapping[str, Any] = outcomes.record(
            finished, {}, loaded, S3Storage(), SageMakerEndpoints(), ledger
        )
        metrics.add_metric(name="RunsInterrupted", unit=MetricUnit.Count, value=1)
        logger.info("Recorded an interrupted run", status=interruption.status, reason=record["reason"])
    else:
        record = known or {}
        metrics.add_metric(name="InterruptionsKnown", unit=MetricUnit.Count, value=1)
    return {"recorded": recorded, "told": _tell(record, interruption.execution, loaded)}


def _tell(record: Mapping[str, Any], execution: Execution, loaded: Settings) -> str:
    """Tell what the run could not tell; ``now``, ``before`` or ``later`` says when."""
    # Nobody has written a card; the command does when it is asked for one.
    card = card_links.without_link(execution.name)
    uri = channels.record_uri(loaded, execution.name)
    try:
        told = telling.tell(telling.Found(record, written=True), uri, card, channels.connect(loaded))
    except AwsError as error:
        # Delivered again, this event would find the run recorded: the queue is what does not forget it.
        logger.error("The run cannot be told now and is queued: %s", error)
        SqsDelays(loaded.untold_queue_url).send(_untold(record, execution), RETELL_SECONDS)
        return "later"
    for trouble in told.troubles:
        logger.warning(trouble)
    return "now" if told.done else "before"


def _untold(record: Mapping[str, Any], execution: Execution) -> dict[str, Any]:
    """Write what the state machine's states Retell... write."""
    return {
        "execution": {"id": execution.arn, "name": execution.name, "started_at": execution.started_at},
        "outcome": record["outcome"],
        "finished_at": record["finished_at"],
    }
