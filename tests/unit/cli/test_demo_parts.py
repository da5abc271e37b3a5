"""The demo's accounts, subscriber, choice of digits, and its local cloud that never outlives it."""

# ruff: noqa: N803 (the arguments of fakes are named as boto3 names them)

from __future__ import annotations

import os
import signal
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.demo import accounts, stage, subscriber
from retrain.demo.choice import most_typical
from retrain.demo.timing import REST, Stopwatch, partition
from retrain.errors import DemoError, WaitTimeoutError
from retrain.localcloud import process
from tests.unit.cli.fakes import START, history, run_record

RUN = "mnist-0123456789ab-1"


def at(second):
    return START + timedelta(seconds=second)


MOMENTS = st.integers(-20, 120).map(at)
SPANS = st.lists(st.tuples(MOMENTS, MOMENTS), max_size=5)


@given(SPANS, SPANS, SPANS)
def test_the_parts_add_up_to_the_whole(first, second, third):
    seconds = partition((at(0), at(100)), {"a": first, "b": second, "c": third})
    assert list(seconds) == ["a", "b", "c", REST]
    assert sum(seconds.values()) == pytest.approx(100)
    assert min(seconds.values()) >= 0
    covered = {moment for start, end in first for moment in range(100) if start <= at(moment) < end}
    assert seconds["a"] == len(covered)


def test_a_moment_belongs_to_the_first_kind():
    kinds = {"serving": [(at(2), at(5))], "waiting": [(at(4), at(7)), (at(4), at(7))]}
    seconds = partition((at(0), at(10)), kinds)
    assert seconds == {"serving": 3, "waiting": 2, REST: 5}


def test_a_stopwatch_measures_what_fails_too():
    clock = Stopwatch()
    with pytest.raises(ValueError, match="no"), clock.measure("work"):
        raise ValueError("no")
    ((start, end),) = clock.spans["work"]
    assert start <= end


@pytest.fixture
def ran(stack):
    stack.states.begin(RUN, history(("Train", "Task", {}), ("Wait", "Wait", {}), ("Record", "Task", {})))
    stack.states.machines[RUN]["seen"] = 99
    stack.ledger.records = [run_record(RUN)]
    jobs = [{"TrainingJobName": f"retrain-{RUN}-r0t0"}]
    stack._clients["sagemaker"] = SimpleNamespace(
        list_training_jobs=lambda NameContains: {"TrainingJobSummaries": jobs if RUN in NameContains else []},
        describe_training_job=lambda TrainingJobName: {
            "TrainingStartTime": at(1.5),
            "TrainingEndTime": at(2),
        },
        describe_endpoint=lambda EndpointName: {"CreationTime": at(3.5), "LastModifiedTime": at(5.5)},
    )
    return stack


def test_the_account_of_a_run(ran):
    clock = Stopwatch(at(-10))
    clock.add(accounts.CLOUD, at(-9), at(-1))
    accounts.add_run(clock, ran, RUN)
    accounts.add_endpoint(clock, ran, "retrain-mnist")
    account = accounts.close(clock, (at(-10), at(20)))
    assert account.parts == {
        "training": 0.5,
        "serving start-up": 2.0,  # from 3.5 to 5.5
        "waiting by design": 0.5,  # from 3 to 4, of which serving start-up has the half
        "local cloud": 8.0,
        "data": 0.0,
        "uploads": 0.0,
        "runs": 5.0,  # eight events, one second each, less what is above
        "asking": 0.0,
        "stopping": 0.0,
        REST: 14.0,
    }
    assert account.orchestration == 27.0
    assert account.total == 30.0
    lines = account.lines()
    assert lines[0] == "Where the 30 s went; every moment is counted once:"
    assert lines[1].split()[:3] == ["training", "0.5", "s"]
    assert "  orchestration            27.0 s   all the rest, namely:" in lines


def test_no_account_without_times(ran):
    ran.states.machines[RUN]["seen"] = 0
    with pytest.raises(DemoError, match="has not ended"):
        accounts.add_run(Stopwatch(), ran, RUN)
    ran.states.machines[RUN]["seen"] = 99
    ran.ledger.records = []
    with pytest.raises(DemoError, match="has no training job"):
        accounts.add_run(Stopwatch(), ran, RUN)


def test_the_subscriber_receives_what_is_published(stack):
    sns = stack.client("sns")
    stack.outputs["NotificationTopicArn"] = sns.create_topic(Name="retrain")["TopicArn"]
    mine = subscriber.subscribe(stack, "mine")
    sns.publish(
        TopicArn=stack.outputs["NotificationTopicArn"],
        Subject="Retrain mnist: a new model serves",
        Message="It is\nbetter.",
        MessageAttributes={"outcome": {"DataType": "String", "StringValue": "DEPLOYED"}},
    )
    got = mine.receive()
    assert got.subject == "Retrain mnist: a new model serves"
    assert got.message == "It is\nbetter."
    assert got.attributes == {"outcome": "DEPLOYED"}
    with pytest.raises(WaitTimeoutError, match="No notification came within 0 s"):
        mine.receive(seconds=0)


def test_the_shown_digits_are_those_nearest_to_the_mean():
    images = np.zeros((6, 28, 28), np.uint8)
    images[:, 0, 0] = [0, 10, 200, 50, 60, 70]
    assert most_typical(images, np.array([3, 3, 3, 8, 8, 8], np.uint8)) == [1, 4]


@pytest.fixture
def cloud(monkeypatch, tmp_path):
    calls = []
    found = process.LocalCloud("http://127.0.0.1:9", 1, 9, tmp_path, "2026-08-01T12:00:00Z", "retrain")
    monkeypatch.setattr(process, "reset", lambda _: calls.append("reset"))
    monkeypatch.setattr(process, "up", lambda *_, **__: calls.append("up") or found)
    monkeypatch.setattr(process, "down", lambda _: calls.append("down"))
    return calls


def test_the_local_cloud_is_stopped_whatever_happens(cloud, tmp_path, monkeypatch):
    def interrupted(stack):
        assert stack.target.endpoint_url == "http://127.0.0.1:9"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), stage.local_cloud(tmp_path, tmp_path, print) as found:
        interrupted(found)
    assert cloud == ["reset", "up", "down"]

    def fail(*_, **__):
        raise DemoError("no")

    monkeypatch.setattr(process, "up", fail)
    with pytest.raises(DemoError), stage.local_cloud(tmp_path, tmp_path, print):
        pytest.fail("it did not start")
    assert cloud[-1] == "down"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_as_ctrl_c_does(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), stage.stopped_by_signals():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before
