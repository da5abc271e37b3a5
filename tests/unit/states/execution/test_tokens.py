"""Task tokens: answers, timeouts, heartbeats."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from retrain.states.execution import Execution, TaskTokenError
from tests.unit.states.execution.machines import ACTIVITY, CALLBACK, engine, events, machine

PARAMETERS = {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}


def callback(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": CALLBACK, "Parameters": PARAMETERS, "End": True, **fields}


class Desk:
    """Takes tokens, and plays a script against the engine."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.tokens: list[str] = []
        self.engine = engine(self.take)
        self.execution = self.engine.create(machine({"T": state}), {})

    async def take(self, call: Any) -> Any:
        self.tokens.append(call.token.value)
        if call.resource == CALLBACK:
            assert call.arguments["MessageBody"]["token"] == call.token.value
            call.history.submitted({"MessageId": "1"})
        self.call = call
        return await call.token.wait()

    def play(self, *script: tuple[float, Callable[[], None]]) -> Execution:
        async def main() -> Execution:
            running = asyncio.ensure_future(self.engine.run(self.execution))
            for at, act in script:
                await self.engine.clock.sleep_until(at)
                act()
            return await running

        return self.engine.clock.run(main)  # type: ignore[attr-defined,no-any-return]

    def succeed(self) -> None:
        self.engine.tokens.succeed(self.tokens[-1], {"ok": True})

    def fail(self) -> None:
        self.engine.tokens.fail(self.tokens[-1], "Bad", "very")

    def beat(self) -> None:
        self.engine.tokens.heartbeat(self.tokens[-1])

    def start(self) -> None:
        self.call.history.started("worker")
        self.call.token.started()


def test_success_ends_the_wait() -> None:
    desk = Desk(callback())
    execution = desk.play((7.0, desk.succeed))
    assert (execution.output, execution.stopped) == ({"ok": True}, 7.0)
    assert [type_ for _, _, type_ in events(execution)][2:6] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
    ]


def test_failure_is_the_tasks_error() -> None:
    desk = Desk(callback())
    execution = desk.play((7.0, desk.fail))
    assert (execution.error, execution.cause) == ("Bad", "very")


def test_without_heartbeats_the_wait_ends_after_one() -> None:
    desk = Desk(callback(HeartbeatSeconds=5, TimeoutSeconds=60))
    execution = desk.play()
    assert (execution.error, execution.stopped) == ("States.Timeout", 5.0)
    assert execution.history[-2]["type"] == "TaskTimedOut"


def test_heartbeats_keep_the_wait_alive_up_to_its_timeout() -> None:
    desk = Desk(callback(HeartbeatSeconds=5, TimeoutSeconds=12))
    execution = desk.play(*((at, desk.beat) for at in (4.0, 8.0, 11.0)))
    assert (execution.error, execution.stopped) == ("States.Timeout", 12.0)


def test_an_activity_waits_for_a_worker_as_long_as_it_takes_and_then_counts() -> None:
    desk = Desk(
        {"Type": "Task", "Resource": ACTIVITY, "HeartbeatSeconds": 5, "TimeoutSeconds": 12, "End": True}
    )
    execution = desk.play((100.0, desk.start), (104.0, desk.beat))
    assert (execution.error, execution.stopped) == ("States.Timeout", 109.0)
    assert [type_ for _, _, type_ in events(execution)][2:] == [
        "ActivityScheduled",
        "ActivityStarted",
        "ActivityTimedOut",
        "ExecutionFailed",
    ]


def test_a_token_has_one_answer() -> None:
    desk = Desk(callback())

    def twice() -> None:
        desk.succeed()
        for again in (desk.succeed, desk.fail, desk.beat):
            with pytest.raises(TaskTokenError) as caught:
                again()
            assert caught.value.code == "TaskTimedOut"

    assert desk.play((1.0, twice)).status == "SUCCEEDED"
    with pytest.raises(TaskTokenError) as caught:
        desk.succeed()
    assert caught.value.code == "TaskTimedOut"


def test_a_token_that_was_never_given_out_does_not_exist() -> None:
    desk = Desk(callback())
    with pytest.raises(TaskTokenError) as caught:
        desk.engine.tokens.succeed("made up", None)
    assert caught.value.code == "TaskDoesNotExist"


def test_every_attempt_has_a_token_of_its_own() -> None:
    desk = Desk(callback(Retry=[{"ErrorEquals": ["Bad"], "IntervalSeconds": 1, "MaxAttempts": 1}]))
    execution = desk.play((1.0, desk.fail), (3.0, desk.succeed))
    assert execution.status == "SUCCEEDED"
    assert len(set(desk.tokens)) == 2
