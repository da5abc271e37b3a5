"""Start: one run for each content, whatever arrives how often and in which order."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from retraining import arrivals, settings, starting
from retraining.arrivals import Ignored, Upload
from retraining.errors import UnknownEventError
from retraining.executions import from_datetime
from retraining.ports import ExecutionState
from retraining.settings import Settings
from tests.unit.functions import stack
from tests.unit.functions.fakes import NOON, FakeMachine, FakeStorage

DATA = stack.NAMES["DataBucket"]


def message(
    key: str, *, bucket: str = DATA, quiet: bool = True, time: str = "2026-01-31T12:00:00Z"
) -> dict[str, Any]:
    event = {
        "id": "e1",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": time,
        "detail": {"bucket": {"name": bucket}, "object": {"key": key, "size": 1, "etag": "e"}},
    }
    queue = stack.arn("QuietQueue" if quiet else "ArrivalQueue")
    return {"messageId": "m1", "eventSourceARN": queue, "body": json.dumps(event)}


def upload(*, seconds: float = 0, marker: bool = False, dataset: str = "mnist") -> Upload:
    return Upload(dataset, marker, NOON + timedelta(seconds=seconds), "e1")


class World:
    """A data bucket and a state machine."""

    def __init__(self, configured: Settings) -> None:
        self.settings = configured
        self.storage, self.machine = FakeStorage(), FakeMachine()
        self.storage.put(DATA, "holdout/mnist/labels.csv", b"id,label\n")

    def put(self, name: str, content: bytes = b"x", *, seconds: float = 0, dataset: str = "mnist") -> None:
        self.storage.put(DATA, f"datasets/{dataset}/{name}", content, NOON + timedelta(seconds=seconds))

    def start(self, arrived: Upload) -> starting.Answer:
        return starting.start(arrived, self.settings, self.storage, self.machine)

    def end(self, run_id: str, status: str, *, seconds: float) -> None:
        self.machine.states[run_id] = ExecutionState(status, from_datetime(NOON + timedelta(seconds=seconds)))


@pytest.fixture
def world(configured: Settings) -> World:
    return World(configured)


def test_an_upload_after_its_quiet_period_starts_a_run(world):
    world.put("images")
    answer = world.start(upload())
    assert answer.result == "started"
    assert world.machine.requests[answer.run_id] == {
        "dataset": {"name": "mnist", "s3_uri": f"s3://{DATA}/datasets/mnist/"},
        "trigger": {"kind": "s3", "id": "e1", "time": "2026-01-31T12:00:00.000Z"},
    }


def test_an_upload_that_was_followed_by_another_waits_for_it(world):
    world.put("images")
    world.put("labels", seconds=30)
    assert world.start(upload()).result == "waiting"
    assert world.start(upload(seconds=30)).result == "started"
    assert len(world.machine.requests) == 1


def test_a_marker_starts_at_once_and_the_quiet_period_adds_nothing(world):
    world.put("images")
    world.put("_SUCCESS", seconds=1)
    assert world.start(upload(seconds=1, marker=True)).result == "started"
    assert world.start(upload()).result == "duplicate"


def test_the_same_event_twice_starts_once(world):
    world.put("images")
    assert [world.start(upload()).result for _ in range(3)] == ["started", "duplicate", "duplicate"]


def test_the_same_content_uploaded_again_starts_nothing(world):
    world.put("images")
    first = world.start(upload())
    world.end(first.run_id, "SUCCEEDED", seconds=60)
    world.put("images", seconds=600)
    again = world.start(upload(seconds=600))
    assert (again.result, again.run_id) == ("duplicate", first.run_id)


def test_other_content_starts_another_run(world):
    world.put("images")
    first = world.start(upload())
    world.put("images", b"y", seconds=600)
    second = world.start(upload(seconds=600))
    assert second.result == "started"
    assert second.run_id != first.run_id


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_the_same_content_uploaded_after_a_failure_is_tried_again(world, status):
    world.put("images")
    first = world.start(upload())
    world.end(first.run_id, status, seconds=60)
    assert world.start(upload()).result == "duplicate", "a late copy of the first event is no new wish"
    second = world.start(upload(seconds=600))
    assert second.result == "started"
    assert second.run_id == first.run_id.removesuffix("-1") + "-2"
    assert world.start(upload(seconds=600)).result == "duplicate"


def test_a_name_that_is_taken_by_a_run_long_forgotten(world):
    world.put("images")
    first = world.start(upload())
    del world.machine.states[first.run_id]
    assert world.start(upload()).result == "duplicate"


def test_a_missing_holdout_starts_a_run_that_will_say_so(world):
    world.put("rows.csv", dataset="other")
    answer = world.start(upload(dataset="other"))
    assert answer.result == "started"
    assert answer.run_id.startswith("other-")


def test_a_name_that_cannot_be_a_dataset_starts_a_run_that_will_say_so(world):
    world.put("rows.csv", dataset="My Data")
    answer = world.start(upload(dataset="My Data"))
    assert answer.run_id.startswith("refused-")
    assert world.machine.requests[answer.run_id]["dataset"]["name"] == "My Data"
    assert world.start(upload(dataset="My Data")).result == "duplicate"


def test_a_file_that_was_deleted_again_starts_nothing(world):
    assert world.start(upload()).result == "empty"


def test_the_run_id_depends_on_what_it_is_trained_with(world):
    world.put("images")
    first = world.start(upload())
    changed = stack.environment("StartRetrainingFunction") | {"TRAINING_HYPERPARAMETERS": '{"epochs": 4}'}
    world.settings = settings.from_environment(changed)
    assert world.start(upload()).run_id != first.run_id


def test_of_one_delivery_only_the_newest_of_each_kind_decides():
    uploads = [
        ("m1", upload(seconds=1)),
        ("m2", upload(seconds=3)),
        ("m3", upload(seconds=2)),
        ("m4", upload(seconds=1, marker=True)),
        ("m5", upload(seconds=1, dataset="other")),
    ]
    assert sorted(message_id for message_id, _ in starting.deciding(uploads)) == ["m2", "m4", "m5"]


@profile(max_examples=200)
@given(
    gaps=st.lists(st.integers(0, 200), min_size=1, max_size=12),
    repeats=st.lists(st.integers(1, 3), min_size=12, max_size=12),
    random=st.randoms(),
    fails=st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_a_storm_ends_in_a_run_of_the_final_content(gaps, repeats, random, fails):
    """Uploads at any pace, delivered up to three times in any order, by handlers that fail at random.

    Whatever happens, the final content is run exactly once, and no content twice.
    """
    quiet = 60
    world = World(settings.from_environment(stack.environment("StartRetrainingFunction")))
    times = [sum(gaps[: number + 1]) for number in range(len(gaps))]
    deliveries = [
        (at + quiet + random.randint(0, 30), at) for at, times_sent in zip(times, repeats, strict=False)
        for _ in range(times_sent)
    ]  # fmt: skip
    stumbles = iter(fails)
    queue = sorted(deliveries)
    written = 0
    while queue:
        now, at = queue.pop(0)
        while written < len(times) and times[written] <= now:
            world.put(f"file-{written}", bytes([written]), seconds=times[written])
            written += 1
        if next(stumbles, False):
            queue = sorted([*queue, (now + 30, at)])
        else:
            world.start(upload(seconds=at))
    assert written == len(times)
    final = world.start(upload(seconds=times[-1]))
    assert final.result == "duplicate"
    assert all(run_id.endswith("-1") for run_id in world.machine.requests)


ODD_NAMES = ["a b.csv", "a+b%2Bc.csv", "ü/😀", "..", "x" * 1000]


@pytest.mark.parametrize("key", [f"datasets/mnist/{name}" for name in ODD_NAMES])
def test_keys_are_taken_as_they_are(configured, key):
    arrival = arrivals.read(message(key), configured)
    assert isinstance(arrival, Upload)
    assert arrival.dataset == "mnist"
    assert not arrival.is_marker
    assert arrival.uploaded_at == NOON


@pytest.mark.parametrize(
    ("arrived", "reason"),
    [
        (message("datasets/mnist/x", bucket="other"), "about the bucket other"),
        (message("datasets/mnist/"), "folder marker"),
        (message("datasets/x.csv"), "no dataset's folder"),
        (message("holdout/mnist/labels.csv"), "no dataset's folder"),
        (message("datasets/mnist/_SUCCESS"), "through the arrival queue"),
        (message("datasets/mnist/sub/manifest.json", quiet=False), "only looks like a marker"),
    ],
)
def test_what_is_none_of_ours(configured, arrived, reason):
    arrival = arrivals.read(arrived, configured)
    assert isinstance(arrival, Ignored)
    assert reason in arrival.reason


def test_markers_come_through_the_arrival_queue(configured):
    arrival = arrivals.read(message("datasets/mnist/_SUCCESS", quiet=False), configured)
    assert isinstance(arrival, Upload)
    assert arrival.is_marker


BROKEN = [
    {},
    {"body": None},
    {"body": "no json"},
    {"body": "[]"},
    {"body": "{}"},
    {"body": json.dumps({"source": "aws.ec2", "detail-type": "State Change"})},
    {"body": json.dumps({"source": [], "detail-type": {}})},
    {"body": json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": {"bucket": 7}})},
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
    assert arrival.uploaded_at == datetime.fromisoformat("2026-01-31T12:00:00+00:00")
