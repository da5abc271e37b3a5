"""The Map state in inline mode."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from retrain.states.execution.distributed import run_distributed
from retrain.states.execution.evaluation import Evaluation, Outcome
from retrain.states.execution.failures import FailureError
from retrain.states.execution.frames import Fork, Frame
from retrain.states.execution.items import in_state, item_context, select
from retrain.states.execution.parallel import abort, together
from retrain.states.model import ABSENT, Json, Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrain.states.execution.interpreter import Interpreter

MOST_AT_ONCE: Final = 40
"""Iterations of an inline Map that run at the same time, whatever MaxConcurrency says."""


async def run_map(run: Interpreter, frame: Frame, state: Map) -> Outcome:
    """Run the item processor for each item."""
    if state.item_processor.mode == "DISTRIBUTED":
        return await run_distributed(run, frame, state)
    evaluation = Evaluation(run, frame, state)
    effective = frame.input if evaluation.jsonata else evaluation.effective_input()
    at_once = evaluation.number(
        state.max_concurrency, state.max_concurrency_path, "MaxConcurrency", effective=effective
    )
    if frame.fork is None:
        items = in_state(evaluation, effective)
        arguments = select(evaluation, effective, items)
        run.execution.record(frame, "MapStateStarted", {"length": len(items)})
        plain = state.item_selector is ABSENT and (not items or items[0][0] is None)
        frame.fork = Fork(arguments, None if plain else items)
        run.engine.changed(run.execution)
    iterations = _Iterations(run, frame, state, frame.fork)
    await iterations.run(min(int(at_once or MOST_AT_ONCE), MOST_AT_ONCE))
    output, assigned = evaluation.settle(effective, frame.fork.outputs())
    return output, state.next, assigned


class _Iterations:
    """The iterations of one visit of a Map state that have no result yet."""

    def __init__(self, run: Interpreter, frame: Frame, state: Map, fork: Fork) -> None:
        self._run = run
        self._frame = frame
        self._state = state
        self._fork = fork
        self._last = frame.last

    async def run(self, at_once: int) -> None:
        """Run them, so many at once; leave the frame at the last event."""
        frame = self._frame
        positions = iter(self._fork.unfinished())
        first = [self._begin(position, frame.last) for position in islice(positions, at_once)]
        try:
            await together(self._work(position, inner, positions) for position, inner in first)
        except FailureError as failure:
            abort(self._run, self._fork, failure.at, iterations_of=self._state.name)
            frame.last = failure.at
            raise
        frame.last = self._last
        self._run.execution.record(frame, "MapStateSucceeded", advance=False)

    def _begin(self, position: int, previous: int) -> tuple[int, Frame]:
        inner = self._fork.running.get(position)
        if inner is None:
            items = self._fork.items
            item = (None, self._fork.arguments[position], None) if items is None else items[position]
            inner = self._fork.running[position] = Frame(
                self._state.item_processor,
                self._fork.arguments[position],
                variables=self._frame.variables,
                last=previous,
                item=item_context(position, item),
            )
            self._run.execution.record(inner, "MapIterationStarted", (self._state.name, position))
        return position, inner

    async def _work(self, position: int, inner: Frame, positions: Iterator[int]) -> None:
        execution = self._run.execution
        while True:
            try:
                output: Json = await self._run.machine(inner)
            except FailureError:
                execution.record(inner, "MapIterationFailed", (self._state.name, position), advance=False)
                raise
            self._fork.done(position, output)
            self._last = execution.record(
                inner, "MapIterationSucceeded", (self._state.name, position), advance=False
            )
            self._run.engine.changed(execution)
            following = next(positions, None)
            if following is None:
                return
            position, inner = self._begin(following, inner.last)
