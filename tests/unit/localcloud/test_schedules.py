"""When schedules are due, what they say to whom, and what becomes of what nobody takes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from retrain.localcloud import seams
from retrain.localcloud.errors import AccessDeniedError, ScheduleError
from retrain.localcloud.schedules import expressions
from retrain.localcloud.schedules.cloudformation import ScheduleResource
from retrain.localcloud.schedules.firing import Fired, Firing
from retrain.localcloud.schedules.service import SCHEDULER, Schedules

QUEUE = "arn:aws:sqs:us-east-1:000000000000:arrivals"
DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
ARN = "arn:aws:scheduler:us-east-1:000000000000:schedule/default/weekly"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestExpressions:
    @pytest.mark.parametrize(
        ("expression", "zone", "after", "due"),
        [
            ("cron(0 3 * * ? *)", "UTC", "2026-01-31T12:00", "2026-02-01T03:00"),
            ("cron(0 3 * * ? *)", "Europe/Berlin", "2026-01-31T12:00", "2026-02-01T02:00"),
            ("cron(0 3 * * ? *)", "Europe/Berlin", "2026-07-31T12:00", "2026-08-01T01:00"),
            ("cron(0 3 ? * SUN *)", "America/New_York", "2026-01-31T12:00", "2026-02-01T08:00"),
            ("cron(0 9 L * ? *)", "Asia/Kolkata", "2026-02-01T00:00", "2026-02-28T03:30"),
            ("cron(0 3 * * ? *)", "UTC", "2026-02-01T03:00", "2026-02-02T03:00"),
            # The night in which the clock skips 2:30, and the one in which it shows it twice.
            ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28T12:00", "2026-03-30T00:30"),
            ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30"),
            ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),
            ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-25T01:10", "2026-10-26T01:30"),
            ("at(2026-05-01T08:00:00)", "Europe/Berlin", "2026-01-31T12:00", "2026-05-01T06:00"),
        ],
    )
    def test_next(self, expression: str, zone: str, after: str, due: str) -> None:
        assert expressions.parse(expression, zone).next(at(after), at("2026-01-01")) == at(due)

    @pytest.mark.parametrize("expression", ["at(2026-01-01T00:00:00)", "cron(0 3 * * ? 2020)"])
    def test_never_again(self, expression: str) -> None:
        assert expressions.parse(expression).next(at("2026-01-31T12:00"), at("2025-01-01")) is None

    def test_a_rate_is_due_at_once_and_then_counts_from_there(self) -> None:
        created = at("2026-01-31T12:00:17")
        rate = expressions.parse("rate(2 hours)")
        assert rate.next(created - timedelta(milliseconds=1), created) == created
        assert rate.next(created, created) == created + timedelta(hours=2)
        assert rate.next(at("2026-01-31T15:00"), created) == created + timedelta(hours=4)

    @pytest.mark.parametrize(
        "expression",
        ["", "weekly", "cron(0 3 * * * *)", "cron(0 3 * * ?)", "cron(0 3 ? * ? *)", "cron(99 3 * * ? *)",
         "cron(0 24 * * ? *)", "cron(0 3 32 * ? *)", "rate(0 days)", "rate(1 week)", "rate(-1 days)",
         "at(tomorrow)", "at(2026-02-30T00:00:00)"],
    )  # fmt: skip
    def test_what_is_no_expression(self, expression: str) -> None:
        with pytest.raises(ScheduleError, match="Invalid Schedule Expression"):
            expressions.parse(expression)

    @pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "Europe"])
    def test_what_is_no_time_zone(self, zone: str) -> None:
        with pytest.raises(ScheduleError, match="no time zone"):
            expressions.parse("rate(1 day)", zone)

    @given(
        seconds=st.integers(0, 10 * 366 * 86_400),
        zone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]),
        hour=st.integers(0, 23),
        minute=st.integers(0, 59),
    )
    def test_a_daily_schedule_fires_by_the_walls_clock_and_at_most_a_day_late(
        self, seconds: int, zone: str, hour: int, minute: int
    ) -> None:
        moment = at("2020-01-01") + timedelta(seconds=seconds)
        expression = expressions.parse(f"cron({minute} {hour} * * ? *)", zone)
        due = expression.next(moment, moment)
        assert due is not None
        assert moment < due <= moment + timedelta(hours=50)
        wall = due.astimezone(expression.zone)
        assert (wall.hour, wall.minute, wall.second) == (hour, minute, 0)


class FakeCloud:
    """Queues, a function and a state machine; queues not listed are missing."""

    def __init__(self, *queues: str) -> None:
        self.queues = queues
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, service: str, _url: str) -> FakeCloud:
        return self

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: N803
        if QueueName not in self.queues:
            raise ClientError({"Error": {"Code": "QueueDoesNotExist", "Message": "Gone."}}, "GetQueueUrl")
        return {"QueueUrl": QueueName}

    def __getattr__(self, name: str) -> Any:
        return lambda **request: self.calls.append((name, request))


def schedule(**target: Any) -> dict[str, Any]:
    return {"Arn": ARN, "Target": {"Arn": QUEUE, "RoleArn": "arn:aws:iam::000000000000:role/r", **target}}


def fire(cloud: FakeCloud, pauses: list[float] | None = None, **target: Any) -> Fired:
    waits = pauses if pauses is not None else []
    return Firing("http://here", cloud, waits.append).fire(schedule(**target), at("2026-02-01T02:00:00"))


class TestFiring:
    def test_a_queue_gets_the_input_with_the_context_filled_in(self) -> None:
        cloud = FakeCloud("arrivals")
        names = ("schedule-arn", "scheduled-time", "execution-id", "attempt-number")
        text = json.dumps({name: f"<aws.scheduler.{name}>" for name in names})
        fired = fire(cloud, Input=text)
        ((call, request),) = cloud.calls
        assert (call, request["QueueUrl"]) == ("send_message", "arrivals")
        assert json.loads(request["MessageBody"]) == {
            "schedule-arn": ARN,
            "scheduled-time": "2026-02-01T02:00:00Z",
            "execution-id": fired.execution_id,
            "attempt-number": "1",
        }
        assert fired.problem == ""

    def test_without_an_input_it_is_schedulers_own_event(self) -> None:
        cloud = FakeCloud("arrivals")
        fire(cloud)
        body = json.loads(cloud.calls[0][1]["MessageBody"])
        assert (body["source"], body["detail-type"], body["detail"]) == (
            "aws.scheduler",
            "Scheduled Event",
            "{}",
        )
        assert (body["resources"], body["time"]) == ([ARN], "2026-02-01T02:00:00Z")

    @pytest.mark.parametrize(
        ("arn", "call"),
        [
            ("arn:aws:lambda:us-east-1:000000000000:function:f", "invoke"),
            ("arn:aws:states:us-east-1:000000000000:stateMachine:m", "start_execution"),
        ],
    )
    def test_other_targets(self, arn: str, call: str) -> None:
        cloud = FakeCloud()
        assert fire(cloud, Arn=arn, Input="{}").problem == ""
        assert cloud.calls[0][0] == call

    def test_a_role_that_may_not_deliver_is_named_and_the_input_buried_if_it_may_do_that(self) -> None:
        def require(role: str, action: str, resource: str) -> None:
            asked.append((role.rpartition("/")[2], action, resource))
            if resource == QUEUE:
                raise AccessDeniedError("User: r is not authorized", action, resource)

        asked: list[tuple[str, str, str]] = []
        cloud = FakeCloud("arrivals", "dead")
        firing = Firing("http://here", cloud, lambda _: None, require)
        fired = firing.fire(schedule(DeadLetterConfig={"Arn": DEAD}), at("2026-02-01T02:00:00"))
        assert (fired.problem, fired.dead_letter) == ("User: r is not authorized", True)
        ((_, request),) = cloud.calls
        assert request["QueueUrl"] == "dead"
        assert request["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "AccessDenied"
        assert {*asked} == {("r", "sqs:SendMessage", QUEUE), ("r", "sqs:SendMessage", DEAD)}

    def test_what_the_target_does_not_take_is_tried_again_and_then_buried_with_the_reason(self) -> None:
        cloud, pauses = FakeCloud("dead"), []
        fired = fire(cloud, pauses, Input="<aws.scheduler.attempt-number>", DeadLetterConfig={"Arn": DEAD})
        assert fired.dead_letter
        assert "QueueDoesNotExist" in fired.problem
        assert len(pauses) == 2
        ((_, request),) = cloud.calls
        assert (request["QueueUrl"], request["MessageBody"]) == ("dead", "3")
        told = {name: value["StringValue"] for name, value in request["MessageAttributes"].items()}
        assert (told["ERROR_CODE"], told["TARGET_ARN"], told["SCHEDULE_ARN"]) == (
            "QueueDoesNotExist",
            QUEUE,
            ARN,
        )
        assert told["RETRY_ATTEMPTS"] == "2"

    @pytest.mark.parametrize("target", [{}, {"DeadLetterConfig": {"Arn": DEAD}}])
    def test_what_nobody_takes_is_told_to_be_lost(self, target: dict[str, Any]) -> None:
        fired = fire(FakeCloud(), Input="{}", RetryPolicy={"MaximumRetryAttempts": 0}, **target)
        assert (bool(fired.problem), fired.dead_letter) == (True, False)

    def test_a_target_that_the_local_cloud_does_not_know(self) -> None:
        fired = fire(FakeCloud(), Arn="arn:aws:ecs:us-east-1:000000000000:cluster/c")
        assert "queues, functions and state machines" in fired.problem


class Recorder(Firing):
    """Remembers what is fired, for when."""

    def __init__(self) -> None:
        super().__init__("http://here")
        self.fired: list[tuple[str, datetime]] = []

    def fire(self, schedule: Any, scheduled_at: datetime) -> Fired:
        self.fired.append((schedule["Name"], scheduled_at))
        return Fired("1", scheduled_at.isoformat())


STARTED = at("2026-01-31T12:00:00")


@pytest.fixture
def kept(restored: Any) -> Any:
    """MiniStack's schedules, empty."""
    restored.remember(SCHEDULER, "_schedules")
    schedules = seams.module(SCHEDULER)._schedules
    data = dict(schedules._data)
    schedules.clear()
    yield schedules
    schedules.clear()
    schedules._data.update(data)


def put(kept: Any, name: str, expression: str, **fields: Any) -> None:
    moment = (STARTED + timedelta(hours=1)).timestamp()
    kept[f"default/{name}"] = {
        **schedule(),
        "Name": name,
        "ScheduleExpression": expression,
        "State": "ENABLED",
        "CreationDate": moment,
        "LastModificationDate": moment,
        **fields,
    }


class TestTicks:
    def test_each_occurrence_fires_once(self, kept: Any) -> None:
        put(kept, "nightly", "cron(0 3 * * ? *)", ScheduleExpressionTimezone="Europe/Berlin")
        recorder = Recorder()
        schedules = Schedules(recorder, STARTED)
        for moment in ("2026-01-31T14:00", "2026-02-01T01:59", "2026-02-01T02:00", "2026-02-01T02:10"):
            schedules.tick(at(moment))
        assert recorder.fired == [("nightly", at("2026-02-01T02:00"))]

    def test_a_rate_fires_when_it_is_made(self, kept: Any) -> None:
        put(kept, "hourly", "rate(1 hour)")
        recorder = Recorder()
        schedules = Schedules(recorder, STARTED)
        for moment in ("2026-01-31T13:00:05", "2026-01-31T13:30", "2026-01-31T14:00:05"):
            schedules.tick(at(moment))
        assert [when for _, when in recorder.fired] == [at("2026-01-31T13:00"), at("2026-01-31T14:00")]

    def test_what_was_missed_while_the_cloud_was_down_or_asleep_is_made_up_for_once_at_most(
        self, kept: Any
    ) -> None:
        put(kept, "hourly", "rate(1 hour)", CreationDate=0, LastModificationDate=0)
        recorder = Recorder()
        schedules = Schedules(recorder, STARTED)
        schedules.tick(at("2026-01-31T12:30"))
        assert recorder.fired == [], "nothing was due since the start"
        schedules.tick(at("2026-01-31T19:30"))
        assert recorder.fired == [("hourly", at("2026-01-31T19:00"))]

    @pytest.mark.parametrize(
        "fields",
        [
            {"State": "DISABLED"},
            {"StartDate": "2026-03-01T00:00:00Z"},
            {"EndDate": at("2026-01-31T12:30").timestamp()},
            {"ScheduleExpression": "cron(broken)"},
        ],
    )
    def test_what_does_not_fire(self, kept: Any, fields: dict[str, Any]) -> None:
        put(kept, "never", "rate(1 hour)", **fields)
        recorder = Recorder()
        Schedules(recorder, STARTED).tick(at("2026-02-01T12:00"))
        assert recorder.fired == []

    @pytest.mark.parametrize("after", ["DELETE", "NONE"])
    def test_once_is_once(self, kept: Any, after: str) -> None:
        put(kept, "once", "at(2026-02-01T00:00:00)", ActionAfterCompletion=after)
        recorder = Recorder()
        schedules = Schedules(recorder, STARTED)
        for moment in ("2026-02-01T00:00:30", "2026-02-01T00:01:30"):
            schedules.tick(at(moment))
        assert recorder.fired == [("once", at("2026-02-01T00:00"))]
        assert ("default/once" in kept) == (after == "NONE")

    def test_a_changed_expression_counts_from_the_change(self, kept: Any) -> None:
        put(kept, "changed", "cron(0 20 * * ? *)")
        recorder = Recorder()
        schedules = Schedules(recorder, STARTED)
        schedules.tick(at("2026-01-31T13:30"))
        put(
            kept,
            "changed",
            "cron(0 14 * * ? *)",
            LastModificationDate=at("2026-01-31T14:30").timestamp(),
        )
        schedules.tick(at("2026-01-31T15:00"))
        assert recorder.fired == []


class TestStacks:
    PROPERTIES: ClassVar = {
        "ScheduleExpression": "cron(0 3 * * ? *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        "Target": {"Arn": QUEUE, "RoleArn": "arn:aws:iam::000000000000:role/r", "Input": "{}"},
    }

    def test_made_changed_and_deleted(self, kept: Any) -> None:
        resource = ScheduleResource()
        name, attributes = resource.create("Schedule", self.PROPERTIES, "retrain")
        assert name.startswith("retrain-Schedule-")
        assert attributes["Arn"].endswith(f":schedule/default/{name}")
        assert kept[f"default/{name}"]["ScheduleExpressionTimezone"] == "Europe/Berlin"
        changed = {**self.PROPERTIES, "ScheduleExpression": "rate(1 day)"}
        assert resource.update(name, self.PROPERTIES, changed, "retrain") == (name, attributes)
        assert kept[f"default/{name}"]["ScheduleExpression"] == "rate(1 day)"
        resource.delete(name, changed)
        assert f"default/{name}" not in kept

    def test_another_name_is_another_schedule(self, kept: Any) -> None:
        resource = ScheduleResource()
        name, _ = resource.create("Schedule", self.PROPERTIES, "retrain")
        other, _ = resource.update(name, self.PROPERTIES, {**self.PROPERTIES, "Name": "mine"}, "retrain")
        assert other == "mine"
        assert {"default/mine", f"default/{name}"} <= set(kept)

    def test_a_refusal_is_the_reason_of_the_resource(self, kept: Any) -> None:
        with pytest.raises(ScheduleError, match="scheduleExpression"):
            ScheduleResource().create("Schedule", {**self.PROPERTIES, "ScheduleExpression": ""}, "retrain")
