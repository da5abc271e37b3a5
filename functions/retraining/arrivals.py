"""What arrives in the queues, read: each kind of event has one reader, found by its source and detail type.

Another way in is one more reader here and one more rule in template.yaml.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from retraining import datasets, delayed
from retraining.arrived import Arrival, Check, Upload
from retraining.errors import UnknownEventError
from retraining.settings import Settings
from retraining.ways import alarms, images_pushed, requested, schedules
from retraining.ways.reading import Ignored

OBJECT_CREATED = ("aws.s3", "Object Created")
OBJECT_DELETED = ("aws.s3", "Object Deleted")


def read(message: Mapping[str, Any], settings: Settings) -> Arrival:
    """Read one message of a queue.

    Parameters
    ----------
    message : mapping
        A record of Lambda's SQS event, whose body is an EventBridge event, or a message of Retrain's own from
        the delay queue.

    Raises
    ------
    UnknownEventError
        The message is no event, or one that nothing here reads; after some attempts it goes to the
        dead-letter queue.
    """
    try:
        event = json.loads(message["body"])
        kind = (event["source"], event["detail-type"])
        if message["eventSourceARN"] == settings.arrival.delay_queue_arn:
            return read_delayed(kind, event)
        reader = _READERS.get(kind)
        if reader is None:
            raise UnknownEventError(
                f"Nothing here reads {event['detail-type']!r} from {event['source']!r}: see the event rules."
            )
        return reader(event, settings)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as problem:
        raise UnknownEventError(
            f"The message is not an event of EventBridge (problem: {problem!r})."
        ) from problem


def _read_change(event: Mapping[str, Any], settings: Settings) -> Arrival:
    """Read a change of an object. EventBridge gives the key as it is: it must not be URL-decoded."""
    bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
    if bucket != settings.data_bucket:
        return Ignored(f"it is about the bucket {bucket}")
    place = datasets.parse_key(key)
    if place is None:
        return Ignored("the object is a folder marker, or lies in no dataset's folder")
    time = datetime.fromisoformat(event["time"])
    if time.tzinfo is None:
        raise ValueError("the time has no zone")
    deleted = event["detail-type"] == OBJECT_DELETED[1]
    return Upload(place.dataset, place.relative, deleted, time, str(event["id"]))


def read_delayed(kind: tuple[str, str], event: Mapping[str, Any]) -> Arrival:
    """Read what start_retraining has sent itself; others cannot send to that queue."""
    if kind == (delayed.SOURCE, delayed.CHECK):
        return Check(str(event["detail"]["dataset"]))
    if kind == (delayed.SOURCE, delayed.WISH):
        return delayed.asked(event["detail"])
    raise UnknownEventError(f"Nothing here sends {kind[1]!r} through the delay queue.")


_READERS: dict[tuple[str, str], Callable[[Mapping[str, Any], Settings], Arrival]] = {
    OBJECT_CREATED: _read_change,
    OBJECT_DELETED: _read_change,
    requested.EVENT: requested.read,
    schedules.EVENT: schedules.read,
    images_pushed.EVENT: images_pushed.read,
    alarms.EVENT: alarms.read,
}
