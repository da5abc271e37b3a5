"""An execution timed out, was stopped, or failed beyond every Catch: record and tell what it could not."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import card_links, interruptions, outcomes, settings
from retraining.aws.endpoints import SageMakerEndpoints
from retraining.aws.ledger import DynamoLedger
from retraining.aws.storage import S3Storage
from retraining.aws.topic import SnsTopic
from retraining.telemetry import observed

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Record and tell the end that Step Functions reports, unless the run did so itself."""
    loaded = settings.load()
    interruption = interruptions.parse(event)
    ledger = DynamoLedger(loaded.ledger_table)
    known = ledger.get_run(interruption.execution.name)
    if not interruptions.needs_record(known):
        metrics.add_metric(name="InterruptionsKnown", unit=MetricUnit.Count, value=1)
        return {"recorded": False}
    finished = interruptions.finished(interruption, known, stack_name=loaded.stack_name)
    record = outcomes.record(finished, {}, loaded, S3Storage(), SageMakerEndpoints(), ledger)
    execution, outcome = interruption.execution, record["outcome"]
    topic = SnsTopic(loaded.topic_arn)
    # Nobody has written a card; the command does when it is asked for one.
    card = card_links.without_link(execution.name)
    outcomes.tell(
        {"record": {"run": record}}, execution, outcome, record["finished_at"], loaded.stack_name, topic, card
    )
    metrics.add_metric(name="RunsInterrupted", unit=MetricUnit.Count, value=1)
    logger.info("Recorded an interrupted run", status=interruption.status, reason=record["reason"])
    return {"recorded": True}
