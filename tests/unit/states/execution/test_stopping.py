"""Stop and redrive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from retrain.states.errors import StatesError, StatesLanguageError
from retrain.states.execution import Engine, Execution, NotRedrivableError
from tests.unit.states.execution.machines import PASS, branch, engine, events, failing, machine, run, task

DISTRIBUTED = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def stop_after(seconds: float, machinery: Engine, execution: Execution) -> Execution:
    async def main() -> Execution:
        running = asyncio.ensure_future(machinery.run(execution))
        await asyncio.sleep(seconds)
        machinery.stop(execution, "Because", "I say so")
        assert execution.status == "ABORTED"  # at once, whatever there is to be cleaned up
        return await running

    return machinery.clock.run(main)  # type: ignore[attr-defined,no-any-return]


def again(machinery: Engine, execution: Execution) -> Execution:
    machinery.redrive(execution)
    assert execution.status == "RUNNING"
    return machinery.clock.run(lambda: machinery.run(execution))  # type: ignore[attr-defined,no-any-return]


def fails_first(times: int, then: Any = "fine") -> Callable[[Any], Any]:
    calls: list[Any] = []

    def function(call: Any) -> Any:
        calls.append(call)
        if len(calls) <= times:
            raise StatesError("Boom")
        return then

    return function


class TestStop:
    def test_a_waiting_execution_is_aborted_and_its_last_event_follows_nothing(self) -> None:
        machinery = engine()
        execution = machinery.create(machine({"W": {"Type": "Wait", "Seconds": 100, "End": True}}), {})
        stop_after(2, machinery, execution)
        assert (execution.status, execution.error, execution.cause) == ("ABORTED", "Because", "I say so")
        assert execution.stopped == 2.0
        assert events(execution)[-1] == (3, 0, "ExecutionAborted")

    def test_tasks_are_cancelled_wherever_they_are(self) -> None:
        cancelled: list[Any] = []

        async def function(call: Any) -> None:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                cancelled.append(call.arguments)
                raise

        inner = {"Type": "Map", "End": True, "ItemProcessor": branch(T=task())}
        states = {"P": {"Type": "Parallel", "End": True, "Branches": [branch(M=inner), branch(T2=task())]}}
        machinery = engine(function)
        execution = machinery.create(machine(states), [1, 2])
        stop_after(2, machinery, execution)
        assert sorted(cancelled, key=str) == [1, 2, [1, 2]]

    def test_what_a_task_says_while_it_is_cleaned_up_is_not_recorded(self) -> None:
        async def function(call: Any) -> None:
            try:
                await asyncio.sleep(1000)
            finally:
                call.history.submitted({"late": True})

        machinery = engine(function)
        execution = machinery.create(machine({"T": task()}), {})
        stop_after(2, machinery, execution)
        assert execution.history.last_type == "ExecutionAborted"

    def test_child_executions_of_a_distributed_map_are_aborted_too(self) -> None:
        processor = {"ProcessorConfig": DISTRIBUTED, **branch(W={"Type": "Wait", "Seconds": 99, "End": True})}
        machinery = engine()
        execution = machinery.create(
            machine({"M": {"Type": "Map", "End": True, "ItemProcessor": processor}}), [1, 2]
        )
        stop_after(2, machinery, execution)
        (map_run,) = execution.map_runs.values()
        assert map_run.status == "ABORTED"
        assert [child.status for child in map_run.executions.values()] == ["ABORTED", "ABORTED"]
        assert map_run.item_counts["aborted"] == 2
        assert map_run.item_counts["running"] == 0

    def test_one_child_alone_can_be_stopped(self) -> None:
        processor = {"ProcessorConfig": DISTRIBUTED, **branch(W={"Type": "Wait", "Seconds": 9, "End": True})}
        states = {
            "M": {
                "Type": "Map",
                "End": True,
                "ToleratedFailureCount": 1,
                "MaxConcurrency": 1,
                "ItemProcessor": processor,
            }
        }
        machinery = engine()
        execution = machinery.create(machine(states), [1, 2])

        async def main() -> None:
            running = asyncio.ensure_future(machinery.run(execution))
            await asyncio.sleep(1)
            (map_run,) = execution.map_runs.values()
            machinery.stop(map_run.executions[0])
            await running

        machinery.clock.run(main)  # type: ignore[attr-defined]
        (map_run,) = execution.map_runs.values()
        assert [child.status for child in map_run.executions.values()] == ["ABORTED", "SUCCEEDED"]
        assert (execution.status, execution.stopped) == ("SUCCEEDED", 10.0)

    def test_a_state_that_ends_in_the_very_moment_of_the_timeout_is_not_left(self) -> None:
        inner = branch(W={"Type": "Wait", "Seconds": 5, "Next": "A"}, A=PASS)
        states = {"P": {"Type": "Parallel", "End": True, "Branches": [inner]}}
        execution = engine().run_to_end(machine(states, TimeoutSeconds=5), {})
        assert execution.status == "TIMED_OUT"
        assert execution.frame.fork is not None
        assert execution.frame.fork.running[0].state == "W"

    def test_it_can_be_stopped_by_whoever_is_told_of_its_changes(self) -> None:
        def stop(execution: Execution) -> None:
            if execution.history.last_type == "PassStateEntered":
                machinery.stop(execution)

        machinery = engine(on_change=stop)
        execution = machinery.create(machine({"A": PASS}), {})

        async def main() -> str:
            await machinery.run(execution)
            await asyncio.sleep(1)
            return "went on"

        assert machinery.clock.run(main) == "went on"  # type: ignore[attr-defined]
        assert execution.history.types()[1:] == ["PassStateEntered", "ExecutionAborted"]

    def test_stopping_what_has_ended_changes_nothing(self) -> None:
        machinery = engine()
        execution = machinery.run_to_end(machine({"A": PASS}), {})
        machinery.stop(execution)
        assert execution.status == "SUCCEEDED"


class TestRedrive:
    def test_it_goes_on_at_the_failed_state_with_the_same_input_and_a_count(self) -> None:
        states = {
            "A": {"Type": "Pass", "Result": 7, "ResultPath": "$.a", "Next": "T"},
            "T": task(Next="B"),
            "B": {"Type": "Pass", "Parameters": {"n.$": "$$.Execution.RedriveCount"}, "End": True},
        }
        machinery = engine(fails_first(1))
        execution = machinery.run_to_end(machine(states), {"x": 1})
        assert execution.status == "FAILED"
        again(machinery, execution)
        assert (execution.status, execution.output, execution.error) == ("SUCCEEDED", {"n": 1}, None)
        assert execution.history.types().count("PassStateEntered") == 2
        assert events(execution)[7:11] == [
            (8, 7, "ExecutionFailed"),
            (9, 8, "ExecutionRedriven"),
            (10, 7, "LambdaFunctionScheduled"),
            (11, 10, "LambdaFunctionStarted"),
        ]

    def test_only_branches_that_failed_or_were_aborted_run_again(self) -> None:
        ran: list[str] = []
        fails = fails_first(1)

        def function(call: Any) -> Any:
            ran.append(call.state_name)
            return fails(call) if call.state_name == "Bad" else call.state_name

        late = branch(W={"Type": "Wait", "Seconds": 50, "Next": "Late"}, Late=task())
        bad = branch(W2={"Type": "Wait", "Seconds": 5, "Next": "Bad"}, Bad=task())
        machinery = engine(function)
        states = {"P": {"Type": "Parallel", "End": True, "Branches": [branch(Good=task()), bad, late]}}
        execution = machinery.run_to_end(machine(states), {})
        assert (execution.status, ran) == ("FAILED", ["Good", "Bad"])
        again(machinery, execution)
        assert execution.output == ["Good", "fine", "Late"]
        assert ran == ["Good", "Bad", "Bad", "Late"]

    def test_only_iterations_without_a_result_run_again(self) -> None:
        ran: list[Any] = []

        def function(call: Any) -> Any:
            ran.append(call.arguments)
            if call.arguments == 2 and ran.count(2) == 1:
                raise StatesError("Boom")
            return call.arguments * 10

        machinery = engine(function)
        states = {"M": {"Type": "Map", "End": True, "MaxConcurrency": 1, "ItemProcessor": branch(T=task())}}
        execution = machinery.run_to_end(machine(states), [1, 2, 3])
        again(machinery, execution)
        assert (execution.output, ran) == ([10, 20, 30], [1, 2, 2, 3])

    def test_only_child_executions_that_failed_run_again_with_their_own_redrives(self) -> None:
        ran: list[Any] = []

        def function(call: Any) -> Any:
            ran.append(call.arguments)
            if call.arguments == 2 and ran.count(2) == 1:
                raise StatesError("Boom")
            return call.arguments * 10

        processor = {"ProcessorConfig": DISTRIBUTED, **branch(T=task())}
        states = {"M": {"Type": "Map", "End": True, "MaxConcurrency": 1, "ItemProcessor": processor}}
        machinery = engine(function)
        execution = machinery.run_to_end(machine(states), [1, 2, 3])
        (map_run,) = execution.map_runs.values()
        assert (execution.error, map_run.status) == ("States.ExceedToleratedFailureThreshold", "FAILED")
        assert map_run.item_counts["pending"] == 1
        again(machinery, execution)
        assert (execution.output, ran) == ([10, 20, 30], [1, 2, 2, 3])
        assert [child.redrive_count for child in map_run.executions.values()] == [0, 1, 0]
        assert (map_run.status, map_run.redrive_count) == ("SUCCEEDED", 1)
        assert map_run.item_counts == {**dict.fromkeys(map_run.item_counts, 0), "succeeded": 3, "total": 3}
        assert events(execution)[-6:] == [
            (8, 7, "ExecutionRedriven"),
            (9, 6, "MapRunRedriven"),
            (10, 9, "MapRunSucceeded"),
            (11, 10, "MapStateSucceeded"),
            (12, 10, "MapStateExited"),
            (13, 12, "ExecutionSucceeded"),
        ]

    def test_branches_run_again_if_their_results_were_too_large_together(self) -> None:
        sizes = iter([200_000, 100_000, 2, 1])
        machinery = engine(lambda call: "x" * next(sizes))
        states = {"P": {"Type": "Parallel", "End": True, "Branches": [branch(A=task()), branch(B=task())]}}
        execution = machinery.run_to_end(machine(states), {})
        assert execution.error == "States.DataLimitExceeded"
        assert again(machinery, execution).output == ["xx", "x"]

    def test_children_of_an_express_map_start_anew(self) -> None:
        config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
        states = {
            "M": {
                "Type": "Map",
                "End": True,
                "ItemProcessor": {"ProcessorConfig": config, **branch(T=task())},
            }
        }
        machinery = engine(fails_first(1))
        execution = machinery.run_to_end(machine(states), [1])
        (map_run,) = execution.map_runs.values()
        first = map_run.executions[0]
        again(machinery, execution)
        assert map_run.executions[0] is not first
        assert map_run.executions[0].redrive_count == 0
        assert execution.status == "SUCCEEDED"

    def test_retries_and_the_machines_timeout_count_anew(self) -> None:
        retry = [{"ErrorEquals": ["Boom"], "IntervalSeconds": 10, "MaxAttempts": 1}]
        whole = machine({"T": task(Retry=retry)}, TimeoutSeconds=15)
        machinery = engine(fails_first(3))
        execution = machinery.run_to_end(whole, {})
        assert (execution.status, execution.stopped) == ("FAILED", 10.0)
        again(machinery, execution)
        assert (execution.status, execution.stopped) == ("SUCCEEDED", 20.0)

    def test_a_wait_that_was_stopped_waits_its_time_again(self) -> None:
        machinery = engine()
        execution = machinery.create(machine({"W": {"Type": "Wait", "Seconds": 10, "End": True}}), {})
        stop_after(4, machinery, execution)
        again(machinery, execution)
        assert (execution.status, execution.stopped) == ("SUCCEEDED", 14.0)

    @pytest.mark.parametrize("express", [False, True])
    def test_what_has_succeeded_or_is_express_cannot_be_redriven(self, express: bool) -> None:
        machinery = engine(failing() if express else lambda call: 1)
        execution = machinery.run_to_end(machine({"T": task()}), {}, express=express)
        with pytest.raises(NotRedrivableError, match="cannot be redriven"):
            machinery.redrive(execution)

    def test_a_catcher_can_catch_after_a_redrive(self) -> None:
        states = {"T": task(Catch=[{"ErrorEquals": ["Late"], "Next": "A"}]), "A": PASS}
        answers = iter([StatesError("Early"), StatesError("Late")])

        def function(call: Any) -> None:
            raise next(answers)

        machinery = engine(function)
        execution = machinery.run_to_end(machine(states), {})
        assert execution.error == "Early"
        assert again(machinery, execution).output == {"Error": "Late", "Cause": ""}


def test_a_finished_execution_is_not_run_again() -> None:
    execution = run({"A": PASS})
    machinery = engine()
    before = len(execution.history)
    machinery.clock.run(lambda: machinery.run(execution))  # type: ignore[attr-defined]
    assert len(execution.history) == before


def test_an_express_execution_has_five_minutes() -> None:
    whole = machine({"W": {"Type": "Wait", "Seconds": 1000, "End": True}}, TimeoutSeconds=600)
    execution = engine().run_to_end(whole, {}, express=True)
    assert (execution.status, execution.stopped) == ("TIMED_OUT", 300.0)


def test_an_execution_does_not_run_twice_at_the_same_time() -> None:
    machinery = engine()
    execution = machinery.create(machine({"W": {"Type": "Wait", "Seconds": 1, "End": True}}), {})

    async def main() -> None:
        running = asyncio.ensure_future(machinery.run(execution))
        await asyncio.sleep(0)
        with pytest.raises(StatesLanguageError, match="runs already"):
            await machinery.run(execution)
        await running

    machinery.clock.run(main)  # type: ignore[attr-defined]
    assert execution.status == "SUCCEEDED"
