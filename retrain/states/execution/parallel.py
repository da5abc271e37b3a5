"""The Parallel state, and what it shares with an inline Map: branches that stop together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Final

from retrain.states.execution.evaluation import Evaluation, Outcome
from retrain.states.execution.failures import EndedError, FailureError, HistoryFullError
from retrain.states.execution.frames import Fork, Frame
from retrain.states.model import Map, Parallel, Task, Wait

if TYPE_CHECKING:
    from retrain.states.execution.interpreter import Interpreter
    from retrain.states.execution.record import Execution

_ABORTED: Final[dict[type, str]] = {
    Task: "TaskStateAborted",
    Wait: "WaitStateAborted",
    Parallel: "ParallelStateAborted",
    Map: "MapStateAborted",
}


async def run_parallel(run: Interpreter, frame: Frame, state: Parallel) -> Outcome:
    """Run all branches with the same input; after a redrive, those that have no result yet."""
    evaluation = Evaluation(run, frame, state)
    effective = frame.input if evaluation.jsonata else evaluation.effective_input()
    fork = frame.fork
    if fork is None:
        arguments = evaluation.arguments(effective)
        if arguments is not frame.input:
            run.check_size(arguments, state.name)
        run.execution.record(frame, "ParallelStateStarted")
        fork = frame.fork = Fork([arguments] * len(state.branches))
        run.engine.changed(run.execution)

    async def branch(position: int) -> None:
        inner = fork.running.get(position)
        if inner is None:
            inner = fork.running[position] = Frame(
                state.branches[position],
                fork.arguments[position],
                variables=frame.variables,
                last=frame.last,
                item=frame.item,
            )
        output = await run.machine(inner)
        fork.done(position, output)
        ended.append(inner.last)
        run.engine.changed(run.execution)

    ended: list[int] = []
    started_at = frame.last
    try:
        await together(branch(position) for position in fork.unfinished())
    except FailureError as failure:
        abort(run, fork, failure.at)
        frame.last = failure.at
        raise
    frame.last = ended[-1] if ended else started_at
    run.execution.record(frame, "ParallelStateSucceeded", advance=False)
    output, assigned = evaluation.settle(effective, fork.outputs())
    return output, state.next, assigned


async def together(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run coroutines at the same time; the first that fails, or being cancelled, cancels the others.

    Returns when all have ended, so that nothing of them runs on. Raises the first error.
    """
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    if not tasks:
        return
    message: tuple[Any, ...] = ()
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    except asyncio.CancelledError as cancelled:
        message = cancelled.args[:1]
        raise
    finally:
        left = [task for task in tasks if not task.done()]
        for task in left:
            task.cancel(*message)
        if left:
            await asyncio.wait(left)
        for task in tasks:
            if not task.cancelled():
                task.exception()  # retrieved, so that asyncio does not warn of a second failure
    for task in tasks:
        if task in done and not task.cancelled() and (error := task.exception()) is not None:
            raise error


def abort(run: Interpreter, fork: Fork, at: int, *, iterations_of: str | None = None) -> None:
    """Record that the branches which still run are aborted by the failure whose last event was `at`."""
    try:
        for position, frame in fork.running.items():
            if frame.last == at:
                continue  # this is the one that failed
            _abort_frame(run, frame, at)
            if iterations_of is not None:
                _record(run.execution, "MapIterationAborted", at, (iterations_of, position))
    except HistoryFullError:
        return  # the failure itself is the last event then


def _abort_frame(run: Interpreter, frame: Frame, at: int) -> None:
    execution = run.execution
    if frame.fork is not None:
        state = frame.machine.states[frame.state]
        for position, inner in frame.fork.running.items():
            _abort_frame(run, inner, at)
            if isinstance(state, Map) and frame.fork.run is None:
                _record(execution, "MapIterationAborted", at, (state.name, position))
        if frame.fork.run is not None and (map_run := execution.map_runs[frame.fork.run]).status == "RUNNING":
            run.engine.abort_run(map_run)
            _record(execution, "MapRunAborted", at, None)
    if frame.entered_id and (name := _ABORTED.get(type(frame.machine.states[frame.state]))):
        _record(execution, name, at, None)


def _record(execution: Execution, type_: str, at: int, details: Any) -> None:
    if execution.status != "RUNNING":
        raise EndedError
    if execution.history.full:
        raise HistoryFullError(execution.history.limit)
    execution.history.append(execution.clock(), type_, details, at)
