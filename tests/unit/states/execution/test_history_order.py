"""The order of events and what each follows, as recorded histories of AWS have them."""

from __future__ import annotations

import asyncio

import pytest

from retrain.states.execution import Execution
from tests.unit.states.execution.machines import (
    LAMBDA,
    PASS,
    branch,
    engine,
    events,
    failing,
    machine,
    run,
    task,
)


def test_the_first_state_follows_nothing() -> None:
    assert events(run({"A": PASS})) == [
        (1, 0, "ExecutionStarted"),
        (2, 0, "PassStateEntered"),
        (3, 2, "PassStateExited"),
        (4, 3, "ExecutionSucceeded"),
    ]


def test_a_fail_state_is_not_exited() -> None:
    execution = run({"A": {"Type": "Fail", "Error": "E", "Cause": "C"}})
    assert events(execution)[1:] == [(2, 0, "FailStateEntered"), (3, 2, "ExecutionFailed")]
    assert execution.history[-1]["executionFailedEventDetails"] == {"error": "E", "cause": "C"}


def test_a_retried_task_is_scheduled_again_without_being_entered_again() -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    assert events(run({"A": task(Retry=retry)}, function=failing()))[1:] == [
        (2, 0, "TaskStateEntered"),
        (3, 2, "LambdaFunctionScheduled"),
        (4, 3, "LambdaFunctionStarted"),
        (5, 4, "LambdaFunctionFailed"),
        (6, 5, "LambdaFunctionScheduled"),
        (7, 6, "LambdaFunctionStarted"),
        (8, 7, "LambdaFunctionFailed"),
        (9, 8, "ExecutionFailed"),
    ]


def test_the_exit_of_a_parallel_state_follows_the_last_branch_and_not_its_success() -> None:
    states = {"P": {"Type": "Parallel", "End": True, "Branches": [branch(A=PASS), branch(B=PASS)]}}
    assert events(run(states))[1:] == [
        (2, 0, "ParallelStateEntered"),
        (3, 2, "ParallelStateStarted"),
        (4, 3, "PassStateEntered"),
        (5, 4, "PassStateExited"),
        (6, 3, "PassStateEntered"),
        (7, 6, "PassStateExited"),
        (8, 7, "ParallelStateSucceeded"),
        (9, 7, "ParallelStateExited"),
        (10, 9, "ExecutionSucceeded"),
    ]


def test_an_iteration_that_had_to_wait_for_its_place_follows_the_last_state_of_the_one_before() -> None:
    states = {"M": {"Type": "Map", "End": True, "MaxConcurrency": 1, "ItemProcessor": branch(A=PASS)}}
    assert events(run(states, [1, 2]))[1:] == [
        (2, 0, "MapStateEntered"),
        (3, 2, "MapStateStarted"),
        (4, 3, "MapIterationStarted"),
        (5, 4, "PassStateEntered"),
        (6, 5, "PassStateExited"),
        (7, 6, "MapIterationSucceeded"),
        (8, 6, "MapIterationStarted"),
        (9, 8, "PassStateEntered"),
        (10, 9, "PassStateExited"),
        (11, 10, "MapIterationSucceeded"),
        (12, 11, "MapStateSucceeded"),
        (13, 11, "MapStateExited"),
        (14, 13, "ExecutionSucceeded"),
    ]


def test_iterations_that_run_at_once_have_all_started_before_their_states() -> None:
    states = {"M": {"Type": "Map", "End": True, "ItemProcessor": branch(A=PASS)}}
    assert [type_ for _, _, type_ in events(run(states, [1, 2, 3]))][3:6] == ["MapIterationStarted"] * 3


def fails_while_others_wait() -> Execution:
    async def function(call) -> None:  # type: ignore[no-untyped-def]
        if call.arguments == 0:
            failing("Boom")(call)
        await asyncio.get_running_loop().create_future()

    states = {
        "M": {
            "Type": "Map",
            "End": True,
            "ItemProcessor": branch(A=task(Resource=LAMBDA)),
            "Catch": [{"ErrorEquals": ["Boom"], "Next": "B"}],
        },
        "B": PASS,
    }
    return run(states, [0, 1], function)


def test_what_a_failure_aborts_follows_the_failure() -> None:
    assert events(fails_while_others_wait())[5:] == [
        (6, 4, "TaskStateEntered"),
        (7, 6, "LambdaFunctionScheduled"),
        (8, 7, "LambdaFunctionStarted"),
        (9, 8, "LambdaFunctionFailed"),
        (10, 9, "MapIterationFailed"),
        (11, 5, "TaskStateEntered"),
        (12, 11, "LambdaFunctionScheduled"),
        (13, 9, "TaskStateAborted"),
        (14, 9, "MapIterationAborted"),
        (15, 9, "MapStateFailed"),
        (16, 15, "MapStateExited"),
        (17, 16, "PassStateEntered"),
        (18, 17, "PassStateExited"),
        (19, 18, "ExecutionSucceeded"),
    ]


def test_a_map_that_is_retried_has_not_failed_yet() -> None:
    states = {
        "M": {
            "Type": "Map",
            "End": True,
            "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}],
            "ItemProcessor": branch(F={"Type": "Fail", "Error": "E"}),
        }
    }
    assert events(run(states, [1]))[2:] == [
        (3, 2, "MapStateStarted"),
        (4, 3, "MapIterationStarted"),
        (5, 4, "FailStateEntered"),
        (6, 5, "MapIterationFailed"),
        (7, 5, "MapStateStarted"),
        (8, 7, "MapIterationStarted"),
        (9, 8, "FailStateEntered"),
        (10, 9, "MapIterationFailed"),
        (11, 9, "MapStateFailed"),
        (12, 11, "ExecutionFailed"),
    ]


def test_an_expression_that_fails_is_recorded_with_its_place() -> None:
    states = {"A": {"Type": "Pass", "Output": {"v": "{% $states.input.missing %}"}, "End": True}}
    execution = run(machine(states, QueryLanguage="JSONata"))
    event = execution.history[2]
    assert (event["type"], event["previousEventId"]) == ("EvaluationFailed", 2)
    details = event["evaluationFailedEventDetails"]
    assert (details["state"], details["location"]) == ("A", "Output/v")
    assert (execution.error, execution.history[-1]["previousEventId"]) == ("States.QueryEvaluationError", 3)


def test_a_machine_that_times_out_ends_with_an_event_that_follows_nothing() -> None:
    execution = run(machine({"W": {"Type": "Wait", "Seconds": 60, "End": True}}, TimeoutSeconds=5))
    assert (execution.status, execution.stopped, execution.error) == ("TIMED_OUT", 5.0, None)
    assert events(execution)[-1] == (3, 0, "ExecutionTimedOut")


def test_the_last_event_that_there_is_room_for_says_so() -> None:
    rule = {"Variable": "$.end", "IsPresent": True, "Next": "E"}
    loop = {
        "A": {"Type": "Pass", "Next": "C"},
        "C": {"Type": "Choice", "Choices": [rule], "Default": "A"},
        "E": {"Type": "Succeed"},
    }
    execution = run(loop)
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert events(execution)[-1] == (25_000, 24_999, "ExecutionFailed")
    assert execution.cause == "The execution reached the maximum number of history events (25000)."


def test_an_express_execution_has_room_for_more() -> None:
    loop = {
        "A": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "C"},
        "C": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericEquals": 7000, "Next": "E"}],
            "Default": "A",
        },
        "E": {"Type": "Succeed"},
    }

    execution = engine().run_to_end(machine(loop), {"n": 0}, express=True)
    assert execution.status == "SUCCEEDED"
    assert len(execution.history) > 25_000


def test_an_express_execution_that_runs_in_circles_does_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("retrain.states.execution.engine.EXPRESS_LIMIT", 1000)
    rule = {"Variable": "$.end", "IsPresent": True, "Next": "E"}
    loop = {"C": {"Type": "Choice", "Choices": [rule], "Default": "C"}, "E": {"Type": "Succeed"}}
    execution = engine().run_to_end(machine(loop), {}, express=True)
    assert (execution.status, len(execution.history)) == ("FAILED", 1000)
