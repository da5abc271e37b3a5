"""What arrives in the queues, read: each kind of event has one reader, found by its source and detail type.

Another way in is one more reader here and one more rule in template.yaml.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from retraining import datasets
from retraining.errors import UnknownEventError
from retraining.settings import Settings


@dataclass(frozen=True, slots=True)
class Upload:
    """An object was created in a dataset.

    Attributes
    ----------
    is_marker : bool
        It closes the batch at once.
    uploaded_at : datetime
        When the upload was complete, to the second.
    event_id : str
        EventBridge's id, the same however often the event is delivered.
    """

    dataset: str
    is_marker: bool
    uploaded_at: datetime
    event_id: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that is none of ours, and why."""

    reason: str


Arrival = Upload | Ignored


def read(message: Mapping[str, Any], settings: Settings) -> Arrival:
    """Read one message of a queue.

    Parameters
    ----------
    message : mapping
        A record of Lambda's SQS event, whose body is an EventBridge event.

    Raises
    ------
    UnknownEventError
        The message is no event, or one that nothing here reads; after some attempts it goes to the
        dead-letter queue.
    """
    try:
        event = json.loads(message["body"])
        reader = _READERS.get((event["source"], event["detail-type"]))
        if reader is None:
            raise UnknownEventError(
                f"Nothing here reads {event['detail-type']!r} from {event['source']!r}: see the event rules."
            )
        return reader(event, message, settings)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise UnknownEventError(
            f"The message is not an event of EventBridge (problem: {problem!r})."
        ) from problem


def _read_upload(event: Mapping[str, Any], message: Mapping[str, Any], settings: Settings) -> Arrival:
    """Read ``Object Created``. EventBridge gives the key as it is: it must not be URL-decoded."""
    bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
    if bucket != settings.data_bucket:
        return Ignored(f"it is about the bucket {bucket}")
    place = datasets.parse_key(key)
    if place is None:
        return Ignored("the object is a folder marker, or lies in no dataset's folder")
    came_quietly = message["eventSourceARN"] == settings.quiet_queue_arn
    if place.is_marker and came_quietly:
        return Ignored("a marker closes its batch through the arrival queue")
    if not place.is_marker and not came_quietly:
        return Ignored("a file that only looks like a marker waits for the quiet period like any other")
    uploaded_at = datetime.fromisoformat(event["time"])
    if uploaded_at.tzinfo is None:
        raise ValueError("the time has no zone")
    return Upload(place.dataset, place.is_marker, uploaded_at, str(event["id"]))


_READERS: dict[tuple[str, str], Callable[[Mapping[str, Any], Mapping[str, Any], Settings], Arrival]] = {
    ("aws.s3", "Object Created"): _read_upload,
}
