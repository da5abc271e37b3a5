"""`retrain local schedule`: what it asks of the local cloud, and how it tells what came of it."""

from __future__ import annotations

import json
import urllib.error
from io import BytesIO
from types import SimpleNamespace

import pytest

from retrain.aws import Stack
from retrain.localcloud import process
from retrain.operations import schedules
from retrain.project import state_dir

FIRED = {
    "execution_id": "0123456789abcdef",
    "scheduled_time": "2026-02-01T02:00:00Z",
    "problem": "",
    "dead_letter": False,
}


@pytest.fixture
def cloud(monkeypatch):
    """A local cloud that answers what it is told to; the requests are in `asked`."""
    found = process.LocalCloud("http://127.0.0.1:1", 77, 1, state_dir(), "2026-08-01T12:00:00Z", "retrain")
    told = SimpleNamespace(answer=FIRED, status=200, asked=[], unreachable=False)
    outputs = {"ScheduleName": "retrain-Schedule-0123", "StateMachineArn": "arn"}
    told.outputs = outputs

    class Opener:
        def open(self, url, data, timeout):
            told.asked.append(url)
            body = BytesIO(json.dumps(told.answer).encode())
            if told.unreachable:
                raise ConnectionRefusedError("Connection refused")
            if told.status != 200:
                raise urllib.error.HTTPError(url, told.status, "Not Found", {}, body)
            return body

    monkeypatch.setattr(process, "status", lambda _: found)
    monkeypatch.setattr(schedules.urllib.request, "build_opener", lambda *_: Opener())
    monkeypatch.setattr(Stack, "outputs", outputs)
    return told


def test_the_stacks_own_schedule_is_fired(retrain, cloud):
    ended = retrain("local", "schedule", "fire")
    assert ended.code == 0
    assert ended.out == "Fired retrain-Schedule-0123 for 2026-02-01T02:00:00Z.\n"
    assert cloud.asked == ["http://127.0.0.1:1/_retrain/schedules/default/retrain-Schedule-0123/fire"]


def test_another_one_by_its_name(retrain, cloud):
    ended = retrain("local", "schedule", "fire", "mine/nightly run", "--json")
    assert ended.json == {"schedule": "mine/nightly run", **FIRED}
    assert cloud.asked == ["http://127.0.0.1:1/_retrain/schedules/mine/nightly%20run/fire"]


def test_a_stack_without_a_schedule(retrain, cloud):
    del cloud.outputs["ScheduleName"]
    ended = retrain("local", "schedule", "fire")
    assert ended.code == 1
    assert "give its parameter ScheduleExpression a value" in ended.err
    assert cloud.asked == []


def test_a_schedule_that_is_not_there(retrain, cloud):
    cloud.status, cloud.answer = 404, {"message": "Schedule x does not exist in group default."}
    ended = retrain("local", "schedule", "fire", "x")
    assert ended.code == 1
    assert "Schedule x does not exist in group default. 'retrain local schedule list' shows" in ended.err


@pytest.mark.parametrize(
    ("dead_letter", "said"), [(True, "lies in the dead-letter queue"), (False, "is lost")]
)
def test_a_target_that_does_not_take_it(retrain, cloud, dead_letter, said):
    cloud.answer = {**FIRED, "problem": "The queue is gone.", "dead_letter": dead_letter}
    ended = retrain("local", "schedule", "fire", "x")
    assert ended.code == 1
    assert f"what it says {said}" in ended.err
    assert "The queue is gone." in ended.err


def test_a_cloud_that_does_not_answer(retrain, cloud):
    cloud.unreachable = True
    ended = retrain("local", "schedule", "fire", "x")
    assert ended.code == 1
    assert "does not answer: Connection refused" in ended.err


def test_no_cloud(retrain, monkeypatch):
    monkeypatch.setattr(process, "status", lambda _: None)
    ended = retrain("local", "schedule", "list")
    assert ended.code == 2
    assert "'retrain local up' starts it" in ended.err


def test_list(retrain, cloud, monkeypatch):
    found = {
        "GroupName": "default",
        "Name": "nightly",
        "State": "ENABLED",
        "ScheduleExpression": "cron(0 3 * * ? *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "Target": {"Arn": "arn:aws:sqs:us-east-1:000000000000:q"},
    }
    monkeypatch.setattr(schedules, "schedules", lambda _: [found])
    lines = retrain("local", "schedule", "list").out.splitlines()
    assert lines[0] == "name\tstate\texpression\ttime zone\ttarget"
    assert lines[1].startswith("default/nightly\tENABLED\tcron(0 3 * * ? *)\tEurope/Berlin\tarn:aws:sqs:")
    monkeypatch.setattr(schedules, "schedules", lambda _: [])
    ended = retrain("local", "schedule", "list")
    assert (ended.code, ended.out) == (0, "")
    assert "ScheduleExpression makes one" in ended.err
