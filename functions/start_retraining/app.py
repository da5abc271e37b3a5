"""An upload arrived in a queue: start a run if it completes its batch."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import arrivals, settings, starting
from retraining.arrivals import Ignored, Upload
from retraining.aws.state_machine import StepFunctionsMachine
from retraining.aws.storage import S3Storage
from retraining.errors import RetrainError, UnknownEventError
from retraining.telemetry import observed

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer a delivery of SQS, naming the messages that are to be delivered again."""
    if "Records" not in event:
        raise UnknownEventError(
            "The event holds no records of SQS: this function listens to its queues only."
        )
    failures: list[str] = []
    uploads = list(_uploads(event["Records"], failures))
    for message_id, upload in starting.deciding(uploads):
        _start(message_id, upload, failures)
    metrics.add_metric(name="UploadsReceived", unit=MetricUnit.Count, value=len(uploads))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failures]}


def _uploads(messages: list[dict[str, Any]], failures: list[str]) -> list[tuple[str, Upload]]:
    """Read what arrived; what cannot be read comes again, and ends in the dead-letter queue."""
    uploads = []
    for message in messages:
        try:
            arrival = arrivals.read(message, settings.load())
        except RetrainError as error:
            logger.error(str(error), message_id=message["messageId"])
            failures.append(message["messageId"])
            continue
        if isinstance(arrival, Ignored):
            logger.info("Ignored an event", reason=arrival.reason, message_id=message["messageId"])
        else:
            uploads.append((message["messageId"], arrival))
    return uploads


def _start(message_id: str, upload: Upload, failures: list[str]) -> None:
    """Start, or leave it to a later delivery: one message's failure must not drag its neighbours along."""
    loaded = settings.load()
    try:
        answer = starting.start(upload, loaded, S3Storage(), StepFunctionsMachine(loaded.state_machine_arn))
    except Exception:
        logger.exception("An upload could not be handled and will come again", dataset=upload.dataset)
        failures.append(message_id)
        return
    logger.info(
        "Decided about an upload",
        dataset=upload.dataset,
        event_id=upload.event_id,
        result=answer.result,
        run_id=answer.run_id,
        reason=answer.reason,
    )
    if answer.result == starting.STARTED:
        metrics.add_metric(name="RunsStarted", unit=MetricUnit.Count, value=1)
