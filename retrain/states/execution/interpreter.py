"""Runs the states of one execution, frame by frame."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from retrain.states.data import limits
from retrain.states.errors import DATA_LIMIT_EXCEEDED, QUERY_EVALUATION_ERROR, RUNTIME, StatesError
from retrain.states.execution.evaluation import Evaluation, Outcome, timestamp
from retrain.states.execution.failures import FailureError, delay_before_retry, matches
from retrain.states.execution.frames import Frame
from retrain.states.execution.maps import run_map
from retrain.states.execution.parallel import run_parallel
from retrain.states.execution.simple import SIMPLE
from retrain.states.execution.tasks import run_task
from retrain.states.execution.waiting import run_wait
from retrain.states.model import (
    Choice,
    Fail,
    Json,
    Map,
    Parallel,
    Pass,
    Succeed,
    Task,
    Wait,
)

if TYPE_CHECKING:
    from retrain.states.execution.engine import Engine
    from retrain.states.execution.record import Execution

log = logging.getLogger(__name__)

_FIELD: Final = re.compile(r"specified for the field '([^']*)'")

Perform: TypeAlias = Callable[["Interpreter", Frame, Any], Awaitable[Outcome]]

COMPOUND: Final[Mapping[type, Perform]] = {
    Wait: run_wait,
    Task: run_task,
    Parallel: run_parallel,
    Map: run_map,
}
"""The states that wait for something, by type."""

STATES_A_TURN: Final = 16
"""So many states that wait for nothing run in one go: a round of the event loop costs more than a state."""

_TYPES: Final = (Pass, Task, Wait, Choice, Succeed, Fail, Parallel, Map)
_ENTERED: Final = {kind: f"{kind.type}StateEntered" for kind in _TYPES}
_EXITED: Final = {kind: f"{kind.type}StateExited" for kind in _TYPES}


class Interpreter:
    """One execution under way.

    Attributes
    ----------
    engine : Engine
        Its surroundings.
    execution : Execution
        What is run.
    """

    __slots__ = ("_checked", "_context", "_turn", "engine", "execution")

    def __init__(self, engine: Engine, execution: Execution) -> None:
        self.engine = engine
        self.execution = execution
        self._turn = 0
        self._checked: Json = None
        self._context: dict[str, Json] | None = None

    @property
    def context(self) -> dict[str, Json]:
        """The part of the context object that is the same in all states."""
        if self._context is None:
            self._context = self._described()
        return self._context

    @context.setter
    def context(self, context: dict[str, Json]) -> None:
        self._context = context

    def _described(self) -> dict[str, Json]:
        execution = self.execution
        identity = execution.identity
        described: dict[str, Json] = {
            "Id": identity.arn,
            "Input": execution.input,
            "Name": identity.name,
            "RoleArn": identity.role_arn,
            "StartTime": timestamp(execution.started),
            "RedriveCount": identity.redrive_count,
        }
        if execution.redriven is not None:
            described["RedriveTime"] = timestamp(execution.redriven)
        machine: dict[str, Json] = {"Id": identity.state_machine_arn, "Name": identity.state_machine_name}
        return {"Execution": described, "StateMachine": machine}

    def check_size(self, value: Json, name: str) -> None:
        """Raise States.DataLimitExceeded if what a state or task gives is larger than 256 KiB."""
        if value is not self._checked:
            limits.check(value, f"The state/task '{name}' returned a result")
            self._checked = value  # a task's result is its state's output most of the time

    async def machine(self, frame: Frame) -> Json:
        """Run a frame's machine from where it is to its end, and return its output.

        Raises
        ------
        FailureError
            A state failed and nothing caught it; the frame stays at that state.
        HistoryFullError
            The history has no room for more.
        """
        execution = self.execution
        states = frame.machine.states
        on_change = self.engine.on_change
        while True:
            state = states[frame.state]
            kind = type(state)
            if not frame.entered_id:
                frame.entered = self.engine.clock.now()
                frame.entered_id = execution.record(frame, _ENTERED[kind], (frame.state, frame.input))
                if on_change is not None:
                    on_change(execution)
            simple = SIMPLE.get(kind)
            if simple is not None:
                try:
                    output, following, assigned = simple(self, frame, state)
                    self._check(frame, output, assigned)
                except StatesError as error:
                    raise self.failure(frame, error) from error
            else:
                output, following, assigned = await self._handled(frame, state, COMPOUND[kind])
            if assigned:
                frame.variables = {**frame.variables, **assigned}
            execution.record(frame, _EXITED[kind], (frame.state, output, assigned))
            if following is None:
                return output  # whoever waits for it tells of the change, together with what becomes of it
            frame.move(following, output)
            if on_change is not None:
                on_change(execution)
            self._turn += 1
            if self._turn % STATES_A_TURN == 0:
                await asyncio.sleep(0)  # others get their turn, and a stop its chance

    def _check(self, frame: Frame, output: Json, assigned: Mapping[str, Json] | None) -> None:
        if output is not frame.input:
            self.check_size(output, frame.state)
        if assigned:
            limits.check(assigned, f"The state '{frame.state}' assigned variables")

    async def _handled(self, frame: Frame, state: Any, perform: Perform) -> Outcome:
        """Run a state as often as its retriers allow, and catch what its catchers are for."""
        while True:
            await self._rest_of_pause(frame)
            try:
                outcome = await perform(self, frame, state)
                self._check(frame, outcome[0], outcome[2])
                return outcome
            except StatesError as error:
                failure = self.failure(frame, error)
            delay = self._delay(frame, state, failure)
            if delay is None:
                return self._caught(frame, state, failure)
            frame.fork = None
            frame.note = {"until": self.engine.clock.now() + delay}
            self.engine.changed(self.execution)

    async def _rest_of_pause(self, frame: Frame) -> None:
        note = frame.note
        if note is not None and "until" in note and not isinstance(frame.machine.states[frame.state], Wait):
            await self.engine.clock.sleep_until(note["until"])  # type: ignore[arg-type]
            frame.note = None

    def _delay(self, frame: Frame, state: Any, failure: FailureError) -> float | None:
        retriers = getattr(state, "retry", ())
        for position, retrier in enumerate(retriers):
            if matches(retrier.error_equals, failure):
                if frame.retries is None:
                    frame.retries = [0] * len(retriers)
                used = frame.retries[position]
                if used >= retrier.max_attempts:
                    return None
                frame.retries[position] += 1
                delay = delay_before_retry(retrier, used)
                return delay * self.engine.entropy.random() if retrier.jitter_strategy == "FULL" else delay
        return None

    def _caught(self, frame: Frame, state: Any, failure: FailureError) -> Outcome:
        if frame.fork is not None:
            self.execution.record(frame, f"{state.type}StateFailed")
            failure.at = frame.last
        for catcher in getattr(state, "catch", ()):
            if matches(catcher.error_equals, failure):
                try:
                    output, assigned = Evaluation(self, frame, state).caught(catcher, failure.output)
                    self._check(frame, output, assigned)
                except StatesError as error:
                    raise self.failure(frame, error) from error
                return output, catcher.next, assigned
        raise failure

    def failure(self, frame: Frame, error: StatesError) -> FailureError:
        """Return an error as one that can be matched and told; records what the history must say of it."""
        if isinstance(error, FailureError):
            return error
        if error.error == DATA_LIMIT_EXCEEDED:
            return FailureError(error.error, error.cause, at=frame.last)
        if error.error == QUERY_EVALUATION_ERROR:
            details = {"error": error.error, "cause": error.cause, "state": frame.state}
            if found := _FIELD.search(error.cause):
                details["location"] = found[1]
            self.execution.record(frame, "EvaluationFailed", details)
        entered = f"'{frame.state}' (entered at the event id #{frame.entered_id})"
        cause = f"An error occurred while executing the state {entered}. {error.cause}"
        return FailureError(error.error, cause, at=frame.last)

    def unexpected(self, frame: Frame, error: Exception) -> StatesError:
        """Return the error that a state fails with when something in the program around it is broken."""
        log.error("The state %r of %s failed unexpectedly.", frame.state, self.execution.arn, exc_info=error)
        return StatesError(RUNTIME, f"{type(error).__name__}: {error}")
