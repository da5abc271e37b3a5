"""Which retriers and catchers an error matches, and how long a retry waits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.states.errors import StatesError
from retrain.states.execution.failures import LONGEST_DELAY, FailureError, delay_before_retry, matches
from retrain.states.model import Retrier
from tests.unit.states.execution.machines import PASS, branch, engine, events, failing, machine, run, task


@pytest.mark.parametrize(
    ("names", "error", "expected"),
    [
        (["States.ALL"], "Boom", True),
        (["States.ALL"], "States.Timeout", True),
        (["States.ALL"], "States.Runtime", False),
        (["States.ALL"], "States.DataLimitExceeded", False),
        (["States.TaskFailed"], "Boom", True),
        (["States.TaskFailed"], "States.BranchFailed", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["States.TaskFailed"], "States.Runtime", False),
        (["States.TaskFailed"], "States.DataLimitExceeded", False),
        (["States.DataLimitExceeded"], "States.DataLimitExceeded", True),
        (["States.Runtime"], "States.Runtime", False),
        (["States.HeartbeatTimeout"], "States.Timeout", False),
        (["Boo"], "Boom", False),
        (["A", "Boom"], "Boom", True),
        ([], "Boom", False),
    ],
)
def test_matching(names: list[str], error: str, expected: bool) -> None:
    assert matches(names, FailureError(error)) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("States.HeartbeatTimeout", True),
        ("States.Timeout", True),
        ("States.ALL", True),
        ("States.TaskFailed", False),
    ],
)
def test_a_missed_heartbeat_is_a_timeout_of_its_own_kind(name: str, expected: bool) -> None:
    assert matches([name], FailureError("States.Timeout", heartbeat=True)) is expected


def test_backoff_up_to_the_longest_delay() -> None:
    retrier = Retrier(error_equals=("E",), interval_seconds=3, backoff_rate=2.0, max_delay_seconds=10)
    assert [delay_before_retry(retrier, used) for used in range(4)] == [3.0, 6.0, 10.0, 10.0]


@given(st.integers(1, 99_999_999), st.floats(1, 1e6), st.integers(0, 99_999_999))
def test_a_delay_is_always_a_number_of_seconds_that_can_be_waited_for(
    interval: int, rate: float, used: int
) -> None:
    retrier = Retrier(error_equals=("E",), interval_seconds=interval, backoff_rate=rate)
    assert 1 <= delay_before_retry(retrier, used) <= LONGEST_DELAY


def test_each_retrier_counts_for_itself_and_retry_count_is_their_sum() -> None:
    attempts: list[int] = []

    def function(call: Any) -> None:
        attempts.append(call.arguments["count"])
        raise StatesError("AB"[len(attempts) % 2])

    retry = [
        {"ErrorEquals": ["A"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1.0},
        {"ErrorEquals": ["B"], "IntervalSeconds": 10, "MaxAttempts": 1},
    ]
    state = task(Retry=retry, Parameters={"count.$": "$$.State.RetryCount"})
    execution = run({"T": state}, function=function)
    assert attempts == [0, 1, 2]
    assert (execution.error, execution.stopped) == ("B", 11.0)


def test_retries_count_anew_when_a_state_is_visited_again() -> None:
    calls: list[int] = []

    def function(call: Any) -> Any:
        calls.append(call.attempt)
        if len(calls) < 6 and len(calls) % 3:
            raise StatesError("E")
        return {"done": len(calls) == 6}

    states = {
        "T": task(Retry=[{"ErrorEquals": ["E"], "MaxAttempts": 2}], Next="C"),
        "C": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.done", "BooleanEquals": True, "Next": "E"}],
            "Default": "T",
        },
        "E": {"Type": "Succeed"},
    }
    assert run(states, function=function).status == "SUCCEEDED"
    assert calls == [0, 1, 2, 0, 1, 2]


def test_full_jitter_draws_from_between_nothing_and_the_whole_delay() -> None:
    retry = [{"ErrorEquals": ["E"], "IntervalSeconds": 100, "MaxAttempts": 20, "BackoffRate": 1.0}]
    plain = run({"T": task(Retry=retry)}, function=failing("E"))
    drawn = run({"T": task(Retry=[{**retry[0], "JitterStrategy": "FULL"}])}, function=failing("E"))
    assert plain.stopped == 2000.0
    assert drawn.stopped is not None
    assert 200 < drawn.stopped < 1800


def test_the_first_failing_branch_stops_the_others_at_once_and_their_tasks_are_cancelled() -> None:
    import asyncio

    cancelled: list[str] = []

    async def function(call: Any) -> None:
        if call.state_name == "Bad":
            await asyncio.sleep(5)
            raise StatesError("Boom")
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            cancelled.append(call.state_name)
            raise

    branches = [
        branch(Slow=task()),
        branch(Bad=task()),
        branch(Wait={"Type": "Wait", "Seconds": 500, "End": True}),
    ]
    execution = run({"P": {"Type": "Parallel", "End": True, "Branches": branches}}, function=function)
    assert (execution.status, execution.error, execution.stopped) == ("FAILED", "Boom", 5.0)
    assert cancelled == ["Slow"]


def test_what_a_runner_breaks_on_is_a_runtime_error_and_not_an_execution_for_ever() -> None:
    def function(call: Any) -> None:
        raise ZeroDivisionError("division by zero")

    execution = run(
        {"T": task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "A"}]), "A": PASS}, function=function
    )
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert "ZeroDivisionError: division by zero" in (execution.cause or "")


def test_long_causes_are_cut_to_what_the_api_has_room_for() -> None:
    execution = run({"T": task()}, function=failing("E" * 1000, "c" * 100_000))
    assert (len(execution.error or ""), len(execution.cause or "")) == (256, 32_768)


def test_a_result_that_is_too_large_fails_the_task_in_the_history_too() -> None:
    execution = run({"T": task()}, function=lambda call: "x" * 300_000)
    assert execution.error == "States.DataLimitExceeded"
    assert events(execution)[-2:] == [(5, 4, "LambdaFunctionFailed"), (6, 5, "ExecutionFailed")]


def test_a_definition_without_tasks_runs_without_a_runner() -> None:
    from retrain.states.execution import Engine, VirtualClock

    without = Engine(clock=VirtualClock())
    assert without.run_to_end(machine({"A": PASS}), 1).output == 1
    assert without.run_to_end(machine({"T": task()}), 1).error == "States.Runtime"
    assert engine().run_to_end(machine({"T": task()}), 1).output == 1
