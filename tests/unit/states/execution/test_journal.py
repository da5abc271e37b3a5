"""Journals: at whatever moment the program ends, another one can go on from there."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from retrain.states.errors import StatesError
from retrain.states.execution import SHUTDOWN, Engine, Execution, VirtualClock
from retrain.states.model import StateMachine
from tests.unit.states.execution.machines import (
    ACTIVITY,
    CALLBACK,
    PASS,
    Objects,
    branch,
    engine,
    machine,
    task,
)

DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
RETRY = [{"ErrorEquals": ["Once"], "IntervalSeconds": 5, "MaxAttempts": 2}]

EVERYTHING = {
    "Begin": {"Type": "Pass", "Assign": {"who.$": "$.who"}, "Next": "Wait"},
    "Wait": {"Type": "Wait", "Seconds": 30, "Next": "Retried"},
    "Retried": task(Retry=RETRY, ResultPath="$.retried", Next="Choice"),
    "Choice": {"Type": "Choice", "Choices": [{"Variable": "$.who", "IsString": True, "Next": "Parallel"}]},
    "Parallel": {
        "Type": "Parallel",
        "Branches": [
            branch(
                A={"Type": "Wait", "Seconds": 3, "Next": "B"},
                B={"Type": "Pass", "Parameters": {"b.$": "$who"}, "End": True},
            ),
            branch(
                Fails=task(Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "C"}]),
                C=PASS,
            ),
        ],
        "ResultPath": "$.parallel",
        "Next": "Map",
    },
    "Map": {
        "Type": "Map",
        "ItemsPath": "$.items",
        "MaxConcurrency": 2,
        "ItemSelector": {"item.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index"},
        "ItemProcessor": branch(D={"Type": "Wait", "Seconds": 1, "Next": "E"}, E=task()),
        "ResultPath": "$.map",
        "Next": "Run",
    },
    "Run": {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": "bucket", "Key": "items"},
        },
        "MaxConcurrency": 2,
        "ToleratedFailureCount": 1,
        "ItemProcessor": {
            **DISTRIBUTED,
            **branch(
                F={"Type": "Wait", "Seconds": 1, "Next": "G"},
                G=task(Parameters={"v.$": "$$.Map.Item.Value", "from.$": "$$.Map.Item.Source"}),
            ),
        },
        "ResultSelector": {"run.$": "$[*].v"},
        "ResultPath": "$.run",
        "Next": "Done",
    },
    "Done": {"Type": "Pass", "Parameters": {"all.$": "$", "who.$": "$who"}, "End": True},
}
INPUT = {"who": "Ann", "items": ["x", "y", "z"]}


class Work:
    """Does all the tasks; what fails once does so once in each life of the program."""

    def __init__(self) -> None:
        self.failed = False

    def __call__(self, call: Any) -> Any:
        if call.state_name == "Retried" and call.attempt == 0:
            raise StatesError("Once")
        if call.state_name == "Fails":
            raise StatesError("Always", "really")
        return call.arguments


def lives(on_change: Any = None, start: float = 0.0) -> Engine:
    items = Objects(items=b'["a", "b", "c"]')
    return engine(Work(), clock=VirtualClock(start=start), items=items, on_change=on_change)


def finish(whole: StateMachine, journal: dict[str, Any], at: float) -> Execution:
    machinery = lives(start=at)
    execution = machinery.restore(whole, journal)
    return machinery.clock.run(lambda: machinery.run(execution))  # type: ignore[attr-defined,no-any-return]


def test_from_every_moment_on_the_execution_comes_to_the_same_end() -> None:
    whole = machine(EVERYTHING)
    moments: list[tuple[float, str]] = []

    def note(changed: Execution) -> None:
        if changed.map_run is None:
            moments.append((machinery.clock.now(), json.dumps(changed.journal())))

    machinery = lives(note)
    told = machinery.run_to_end(whole, INPUT, name="first")
    assert told.status == "SUCCEEDED"
    assert len(moments) > 40
    for at, text in moments:
        execution = finish(whole, json.loads(text), at)
        assert (execution.status, execution.output) == (told.status, told.output), text
        assert [event["id"] for event in execution.history] == list(range(1, len(execution.history) + 1))
        assert execution.history.types()[-1] == "ExecutionSucceeded"
        assert execution.history.types().count("ExecutionStarted") == 1
        assert sorted(execution.history.types()) == sorted(told.history.types())


def test_a_journal_that_was_read_gives_the_same_journal() -> None:
    whole = machine(EVERYTHING)
    machinery = lives()
    execution = machinery.run_to_end(whole, INPUT)
    journal = json.loads(json.dumps(execution.journal()))
    restored = lives().restore(whole, journal)
    assert json.loads(json.dumps(restored.journal())) == journal
    assert list(restored.history) == list(execution.history)


def test_a_failed_execution_can_be_redriven_from_its_journal() -> None:
    def function(call: Any) -> Any:
        if call.attempt == 0 and call.execution.redrive_count == 0:
            raise StatesError("Boom")
        return "fine"

    whole = machine({"P": {"Type": "Parallel", "End": True, "Branches": [branch(A=PASS), branch(T=task())]}})
    first = engine(function).run_to_end(whole, 1)
    machinery = engine(function)
    execution = machinery.restore(whole, json.loads(json.dumps(first.journal())))
    machinery.redrive(execution)
    machinery.clock.run(lambda: machinery.run(execution))  # type: ignore[attr-defined]
    assert (execution.status, execution.output) == ("SUCCEEDED", [1, "fine"])


def shut_down_after(seconds: float, machinery: Engine, execution: Execution) -> dict[str, Any]:
    async def main() -> None:
        running = asyncio.ensure_future(machinery.run(execution))
        await asyncio.sleep(seconds)
        await machinery.shutdown()
        with pytest.raises(asyncio.CancelledError):
            await running

    machinery.clock.run(main)  # type: ignore[attr-defined]
    assert execution.status == "RUNNING"
    journal: dict[str, Any] = json.loads(json.dumps(execution.journal()))
    return journal


def test_a_shutdown_tells_tasks_to_leave_their_jobs_and_gives_back_what_they_saved() -> None:
    seen: list[Any] = []

    async def job(call: Any) -> Any:
        seen.append(call.saved)
        if call.saved is not None:
            return {"went on with": call.saved}
        call.save({"job": "a-1"})
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError as cancelled:
            seen.append(cancelled.args)
            raise

    whole = machine(
        {"P": {"Type": "Parallel", "End": True, "Branches": [branch(T=task(TimeoutSeconds=100))]}}
    )
    machinery = engine(job)
    journal = shut_down_after(10, machinery, machinery.create(whole, {}))
    later = engine(job, clock=VirtualClock(start=20.0))
    execution = later.restore(whole, journal)
    later.clock.run(lambda: later.run(execution))  # type: ignore[attr-defined]
    assert execution.output == [{"went on with": {"job": "a-1"}}]
    assert seen == [None, (SHUTDOWN,), {"job": "a-1"}]
    assert execution.history.types().count("LambdaFunctionScheduled") == 1


def test_timeouts_and_waits_go_on_counting_while_the_program_is_not_there() -> None:
    whole = machine({"T": task(TimeoutSeconds=100)})

    async def job(call: Any) -> None:
        await asyncio.get_running_loop().create_future()

    machinery = engine(job)
    journal = shut_down_after(10, machinery, machinery.create(whole, {}))
    later = engine(job, clock=VirtualClock(start=70.0))
    execution = later.restore(whole, journal)
    later.clock.run(lambda: later.run(execution))  # type: ignore[attr-defined]
    assert (execution.error, execution.stopped) == ("States.Timeout", 100.0)


@pytest.mark.parametrize("resource", [CALLBACK, ACTIVITY])
def test_a_token_given_out_before_a_restart_is_good_after_it(resource: str) -> None:
    parameters = {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"} if resource == CALLBACK else {"a": 1}
    whole = machine({"T": {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}})
    given: list[str] = []

    async def function(call: Any) -> Any:
        given.append(call.token.value)
        return await call.token.wait()

    machinery = engine(function)
    journal = shut_down_after(10, machinery, machinery.create(whole, {}))
    later = engine(function)
    execution = later.restore(whole, journal)

    async def main() -> None:
        running = asyncio.ensure_future(later.run(execution))
        await asyncio.sleep(1)
        later.tokens.succeed(given[0], "answer")
        await running

    later.clock.run(main)  # type: ignore[attr-defined]
    assert given[0] == given[1]
    assert execution.output == "answer"
