"""What arrives in the queues: read as it is, or refused as what nothing here reads."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pytest

from retraining import arrivals, delayed
from retraining.arrived import Check, Upload
from retraining.errors import UnknownEventError
from retraining.starting import Asked
from retraining.ways.reading import Ignored
from tests.unit.functions import stack
from tests.unit.functions.fakes import NOON

DATA = stack.NAMES["DataBucket"]


def message(
    key: str, *, bucket: str = DATA, kind: str = "Object Created", time: str = "2026-01-31T12:00:00Z"
) -> dict[str, Any]:
    event = {
        "id": "e1",
        "source": "aws.s3",
        "detail-type": kind,
        "time": time,
        "detail": {"bucket": {"name": bucket}, "object": {"key": key, "size": 1, "etag": "e"}},
    }
    return queued(event)


def queued(body: Any, queue: str = "ArrivalQueue") -> dict[str, Any]:
    return {"messageId": "m1", "eventSourceARN": stack.arn(queue), "body": json.dumps(body)}


ODD_NAMES = [
    "a b.csv",
    "a+b%2Bc.csv",
    "ü/😀",
    "..",
    "../../holdout/x",
    "x" * 1009,
    "_SUCCESS.txt",
    "sub/_SUCCESS",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_keys_are_taken_as_they_are(configured, name):
    arrival = arrivals.read(message(f"datasets/mnist/{name}"), configured)
    assert isinstance(arrival, Upload)
    assert (arrival.dataset, arrival.relative, arrival.is_marker) == ("mnist", name, False)
    assert (arrival.time, arrival.event_id, arrival.is_deletion) == (NOON, "e1", False)


@pytest.mark.parametrize("name", ["_SUCCESS", "manifest.json"])
def test_markers_lie_right_in_the_datasets_folder(configured, name):
    arrival = arrivals.read(message(f"datasets/mnist/{name}"), configured)
    assert isinstance(arrival, Upload)
    assert arrival.is_marker


def test_a_deletion_is_a_change(configured):
    arrival = arrivals.read(message("datasets/mnist/a", kind="Object Deleted"), configured)
    assert isinstance(arrival, Upload)
    assert arrival.is_deletion


@pytest.mark.parametrize(
    ("arrived", "reason"),
    [
        (message("datasets/mnist/x", bucket="other"), "about the bucket other"),
        (message("datasets/mnist/"), "folder marker"),
        (message("datasets/mnist/sub/"), "folder marker"),
        (message("datasets/x.csv"), "no dataset's folder"),
        (message("holdout/mnist/labels.csv"), "no dataset's folder"),
    ],
)
def test_what_is_none_of_ours(configured, arrived, reason):
    arrival = arrivals.read(arrived, configured)
    assert isinstance(arrival, Ignored)
    assert reason in arrival.reason


ASKED = Asked({"dataset": {"name": "mnist"}}, "event", "e1", "2026-01-31T12:00:00Z", about={"alarm": "x"})


def test_messages_of_our_own_come_through_the_delay_queue(configured):
    check = queued(delayed.check("mnist"), "DelayQueue")
    assert arrivals.read(check, configured) == Check("mnist")
    wish = queued(delayed.wish(ASKED), "DelayQueue")
    assert arrivals.read(wish, configured) == ASKED


@pytest.mark.parametrize("own", [delayed.check("mnist"), delayed.wish(ASKED)])
def test_messages_of_our_own_are_not_taken_from_others(configured, own):
    with pytest.raises(UnknownEventError):
        arrivals.read(queued(own), configured)


BROKEN = [
    {},
    {"body": None},
    {"body": "no json"},
    queued([]),
    queued({}),
    queued({"source": "aws.ec2", "detail-type": "State Change"}),
    queued({"source": [], "detail-type": {}}),
    queued({"source": "aws.s3", "detail-type": "Object Created", "detail": {"bucket": 7}}),
    queued({"source": "aws.s3", "detail-type": "Object Created"}, "DelayQueue"),
    queued({"source": delayed.SOURCE, "detail-type": delayed.WISH, "detail": {"x": 1}}, "DelayQueue"),
    message("datasets/mnist/x", time="yesterday"),
    message("datasets/mnist/x", time="2026-01-31T12:00:00"),
]


@pytest.mark.parametrize("broken", BROKEN)
def test_what_cannot_be_read_is_an_error_of_its_own(configured, broken):
    with pytest.raises(UnknownEventError):
        arrivals.read(broken, configured)


def test_the_time_of_an_event_may_have_any_zone(configured):
    arrival = arrivals.read(message("datasets/mnist/x", time="2026-01-31T13:00:00+01:00"), configured)
    assert isinstance(arrival, Upload)
    assert arrival.time == datetime.fromisoformat("2026-01-31T12:00:00+00:00")


def test_a_wish_survives_its_message():
    assert delayed.asked(json.loads(json.dumps(asdict(ASKED)))) == ASKED
