"""The state Evaluate: judge the challenger by its predictions and the truth."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import executions, replays, settings
from retraining.aws.endpoints import SageMakerEndpoints
from retraining.aws.ledger import DynamoLedger
from retraining.aws.storage import S3Storage
from retraining.evaluation import evaluate
from retraining.gate import PROMOTE
from retraining.telemetry import observed

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Evaluate the run whose data is the payload's ``input``, or answer a question about the gate."""
    loaded, storage = settings.load(), S3Storage()
    ledger = DynamoLedger(loaded.ledger_table)
    answer = replays.answer(event, loaded, storage, ledger)
    if answer is not None:
        metrics.add_metric(name="GateQuestionsAnswered", unit=MetricUnit.Count, value=1)
        return answer
    executions.from_payload(event)
    decision = evaluate(event["input"], loaded, storage, SageMakerEndpoints(), ledger)
    name = "ChallengersPromoted" if decision["verdict"] == PROMOTE else "ChallengersRejected"
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
    logger.info("Judged a challenger", verdict=decision["verdict"], summary=decision["summary"])
    return decision
