"""Something arrived in a queue: an upload, an event, a schedule's firing, or a message of its own."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import arrivals, batches, settings, starting
from retraining.arrived import Arrival, Check, Upload
from retraining.aws.connection import connect
from retraining.errors import RetrainError, UnknownEventError
from retraining.settings import Settings
from retraining.starting import Answer, Asked
from retraining.telemetry import observed
from retraining.ways.reading import Ignored

logger = Logger()
metrics = Metrics()

Deed = tuple[str, list[str], Callable[[], Answer | None]]
"""What it is about, the messages that it answers, and what to do."""


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer a delivery of SQS, naming the messages that are to be delivered again."""
    if "Records" not in event:
        raise UnknownEventError(
            "The event holds no records of SQS: this function listens to its queues only."
        )
    loaded = settings.load()
    failures: list[str] = []
    arrived = list(_read(event["Records"], loaded, failures))
    for about, message_ids, deed in _deeds(arrived, loaded):
        if not _done(about, deed):
            failures += message_ids
    metrics.add_metric(name="EventsReceived", unit=MetricUnit.Count, value=len(event["Records"]))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in dict.fromkeys(failures)]}


def _read(
    messages: list[dict[str, Any]], loaded: Settings, failures: list[str]
) -> Iterator[tuple[str, Arrival]]:
    """Read what arrived; what cannot be read comes again, and ends in the dead-letter queue."""
    for message in messages:
        try:
            arrival = arrivals.read(message, loaded)
        except RetrainError as error:
            logger.error(str(error), message_id=message["messageId"])
            failures.append(message["messageId"])
            continue
        if isinstance(arrival, Ignored):
            logger.info("Ignored an event", reason=arrival.reason, message_id=message["messageId"])
        else:
            yield message["messageId"], arrival


def _deeds(arrived: list[tuple[str, Arrival]], loaded: Settings) -> Iterator[Deed]:
    """Put together what is to be done: all changes of a dataset at once, before what may close its batch."""
    ports = connect(loaded)
    changes: dict[str, list[tuple[str, Upload]]] = defaultdict(list)
    for message_id, arrival in arrived:
        if isinstance(arrival, Upload) and not arrival.is_marker:
            changes[arrival.dataset].append((message_id, arrival))
    for dataset, found in changes.items():
        message_ids, uploads = [message_id for message_id, _ in found], [upload for _, upload in found]
        yield dataset, message_ids, partial(batches.note, dataset, uploads, loaded, ports)
    for message_id, arrival in arrived:
        if isinstance(arrival, Check):
            yield arrival.dataset, [message_id], partial(batches.check, arrival.dataset, loaded, ports)
        elif isinstance(arrival, Upload):
            if arrival.is_marker:
                yield arrival.dataset, [message_id], partial(batches.close_by_marker, arrival, loaded, ports)
        elif not isinstance(arrival, Ignored):
            for asked in [arrival] if isinstance(arrival, Asked) else arrival:
                yield asked.id, [message_id], partial(starting.ask, asked, loaded, ports)


def _done(about: str, deed: Callable[[], Answer | None]) -> bool:
    """Do something, or leave it to a later delivery; a failure must not drag the neighbours along."""
    try:
        answer = deed()
    except Exception:
        logger.exception("An arrival could not be handled and will come again", about=about)
        return False
    if answer is None:
        return True
    logger.info(
        "Decided about an arrival",
        about=about,
        result=answer.result,
        run_id=answer.run_id,
        reason=answer.reason,
    )
    metrics.add_metric(name=f"Arrivals{answer.result.title()}", unit=MetricUnit.Count, value=1)
    return True
