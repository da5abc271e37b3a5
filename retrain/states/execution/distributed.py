"""The Map state in distributed mode: each iteration, or batch of items, is an execution of its own."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, cast

from retrain.states.errors import (
    EXCEED_TOLERATED_FAILURE_THRESHOLD,
    ITEM_READER_FAILED,
    RESULT_WRITER_FAILED,
    StatesError,
)
from retrain.states.execution import writers
from retrain.states.execution.evaluation import Evaluation, Outcome
from retrain.states.execution.failures import FailureError
from retrain.states.execution.frames import Fork, Frame, Item
from retrain.states.execution.items import STATE_DATA, batches, in_state, item_context, select
from retrain.states.execution.mapruns import MapRun
from retrain.states.execution.parallel import together
from retrain.states.execution.readers import Reading
from retrain.states.model import ABSENT, Json, Map

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retrain.states.execution.interpreter import Interpreter
    from retrain.states.execution.record import Execution

MOST_AT_ONCE: Final = 1_000
"""Child executions that run at the same time, whatever MaxConcurrency says; AWS allows 10,000."""

_COUNTS: Final = {
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "TIMED_OUT": "timedOut",
    "ABORTED": "aborted",
}
"""The counts of a run by the status of an execution."""


async def run_distributed(run: Interpreter, frame: Frame, state: Map) -> Outcome:
    """Start or continue a run of the Map, and return what its state gives."""
    evaluation = Evaluation(run, frame, state)
    effective = frame.input if evaluation.jsonata else evaluation.effective_input()
    executing = _Run(evaluation, effective, _limits(evaluation, effective))
    try:
        map_run = await executing.run()
        result = await _result(evaluation, effective, map_run)
    except StatesError as error:
        failure = run.failure(frame, error)
        executing.failed(failure)
        raise failure from error
    executing.succeeded()
    output, assigned = evaluation.settle(effective, result)
    return output, state.next, assigned


def _limits(evaluation: Evaluation, effective: Json) -> tuple[int, int | None, float | None]:
    """Return how many may run at once, and how many items, in number and per cent, may fail."""
    state = cast("Map", evaluation.state)
    at_once = evaluation.number(
        state.max_concurrency, state.max_concurrency_path, "MaxConcurrency", effective=effective
    )
    count = evaluation.number(
        state.tolerated_failure_count,
        state.tolerated_failure_count_path,
        "ToleratedFailureCount",
        effective=effective,
    )
    percentage = evaluation.number(
        state.tolerated_failure_percentage,
        state.tolerated_failure_percentage_path,
        "ToleratedFailurePercentage",
        effective=effective,
        whole=False,
        most=100,
    )
    return int(at_once or 0), None if count is None else int(count), percentage


async def _result(evaluation: Evaluation, effective: Json, map_run: MapRun) -> Json:
    state = cast("Map", evaluation.state)
    writer = state.result_writer
    if writer is None or writer.resource is None:
        return writers.output_of(map_run, writer)
    given = writer.arguments if evaluation.jsonata else writer.parameters
    where = {} if given is ABSENT else evaluation.fill(given, effective, "ResultWriter")
    store = evaluation.run.engine.items
    if store is None:
        raise StatesError(RESULT_WRITER_FAILED, "There is no object store here to write results to.")
    found = await writers.write(store, map_run, writer, where)
    map_run.item_counts["resultsWritten"] = map_run.item_counts["total"]
    map_run.execution_counts["resultsWritten"] = map_run.execution_counts["total"]
    return found


class _Run:
    """One run of a distributed Map, or the continuation of one."""

    def __init__(
        self, evaluation: Evaluation, effective: Json, limits: tuple[int, int | None, float | None]
    ) -> None:
        self._evaluation = evaluation
        self._interpreter = evaluation.run
        self._engine = evaluation.run.engine
        self._parent = evaluation.run.execution
        self._frame = evaluation.frame
        self._state = cast("Map", evaluation.state)
        self._effective = effective
        self._at_once, self._count, self._percentage = limits

    async def run(self) -> MapRun:
        """Run all executions that have not succeeded yet."""
        frame = self._frame
        if frame.fork is None:
            await self._begin()
        else:
            self._continue()
        fork = cast("Fork", frame.fork)
        self._fork = fork
        if fork.items is None:
            await self._load(fork)
        self._engine.changed(self._parent)
        positions = iter([at for at in fork.unfinished() if not self._given_up(at)])
        most = min(self._at_once or MOST_AT_ONCE, MOST_AT_ONCE)
        await together(self._work(position, positions) for position in islice(positions, most))
        return self.map_run

    def succeeded(self) -> None:
        """Record the run's good end."""
        self._end("SUCCEEDED")
        self._parent.record(self._frame, "MapRunSucceeded")
        self._parent.record(self._frame, "MapStateSucceeded", advance=False)

    def failed(self, failure: FailureError) -> None:
        """Record the run's bad end; what still runs of it has been cancelled."""
        if self._frame.fork is None:
            return  # it had not begun
        for child in self.map_run.executions.values():
            if child.status == "RUNNING":
                self._engine.abandon(child, self.map_run)
        self._end("FAILED")
        self._parent.record(self._frame, "MapRunFailed", failure.details)
        failure.at = self._frame.last

    def _end(self, status: Any) -> None:
        self.map_run.status = status
        self.map_run.stopped = self._engine.clock.now()

    async def _begin(self) -> None:
        frame, state, identity = self._frame, self._state, self._parent.identity
        items = None if state.item_reader else in_state(self._evaluation, self._effective, STATE_DATA)
        label = state.label or self._engine.entropy.uuid()
        partition, region, account = (identity.arn.split(":", 5)[at] for at in (1, 3, 4))
        arn = ":".join(
            (
                "arn",
                partition,
                "states",
                region,
                account,
                "mapRun",
                f"{identity.state_machine_name}/{label}",
                self._engine.entropy.uuid(),
            )
        )
        self._parent.record(frame, "MapStateStarted", {"length": len(items) if items is not None else 0})
        self.map_run = MapRun(
            arn=arn,
            execution_arn=identity.arn,
            state_machine_arn=f"{identity.state_machine_arn}/{label}",
            state=state.name,
            started=self._engine.clock.now(),
            batched=state.item_batcher is not None,
            max_concurrency=self._at_once,
            tolerated_failure_count=self._count or 0,
            tolerated_failure_percentage=float(self._percentage or 0.0),
        )
        self._parent.map_runs[arn] = self.map_run
        frame.fork = Fork([])
        frame.fork.run = arn
        self._parent.record(frame, "MapRunStarted", {"mapRunArn": arn})
        if items is not None:
            self._take(frame.fork, items)

    def _continue(self) -> None:
        """Take up a run, after a redrive of the execution or a restart of the interpreter."""
        fork = cast("Fork", self._frame.fork)
        self.map_run = run = self._parent.map_runs[cast("str", fork.run)]
        if run.status == "RUNNING":
            return
        run.status, run.stopped = "RUNNING", None
        run.redrive_count += 1
        run.redriven = self._engine.clock.now()
        details = {"mapRunArn": run.arn, "redriveCount": run.redrive_count}
        self._parent.record(self._frame, "MapRunRedriven", details)
        for position, child in list(run.executions.items()):
            if child.status == "SUCCEEDED":
                continue
            run.recount(child, _COUNTS[child.status], "pending")
            if child.express:
                del run.executions[position]  # it starts anew
            else:
                self._engine.redrive(child)

    async def _load(self, fork: Fork) -> None:
        reader = self._state.item_reader
        if reader is None:
            self._take(fork, in_state(self._evaluation, self._effective, STATE_DATA))
            return
        given = reader.arguments if self._evaluation.jsonata else reader.parameters
        where = {} if given is ABSENT else self._evaluation.fill(given, self._effective, "ItemReader")
        config = reader.reader_config
        most = None
        if config is not None:
            most = self._evaluation.number(
                config.max_items, config.max_items_path, "MaxItems", effective=self._effective, least=1
            )
        if self._engine.items is None:
            raise StatesError(ITEM_READER_FAILED, "There is no object store here to read items from.")
        reading = Reading(
            self._engine.items, reader.resource, where, config, int(most) if most is not None else None
        )
        self._take(fork, await reading.read())

    def _take(self, fork: Fork, items: Sequence[Item]) -> None:
        inputs = select(self._evaluation, self._effective, items)
        arguments = batches(self._evaluation, self._effective, inputs)
        fork.fill(arguments, [] if self.map_run.batched else items)
        self.map_run.take(arguments)

    def _given_up(self, position: int) -> bool:
        """Whether an execution has failed already, before a restart of the interpreter, and was tolerated."""
        child = self.map_run.executions.get(position)
        return child is not None and child.status != "RUNNING"

    async def _work(self, position: int | None, positions: Iterator[int]) -> None:
        while position is not None:
            child = self.map_run.executions.get(position)
            if child is None:
                child = self.map_run.executions[position] = self._child(position)
            if self.map_run.waits(child):
                self.map_run.recount(child, "pending", "running")
            await self._engine.run(child)
            self.map_run.recount(child, "running", _COUNTS[child.status])
            if child.status == "SUCCEEDED":
                self._fork.done(position, child.output)
            else:
                self._check_tolerance()
            self._engine.changed(self._parent)
            position = next(positions, None)

    def _child(self, position: int) -> Execution:
        fork, run, identity = self._fork, self.map_run, self._parent.identity
        label = run.state_machine_arn.rpartition("/")[2]
        name = self._engine.entropy.uuid()
        kind = "express" if self._state.item_processor.execution_type == "EXPRESS" else "execution"
        head = ":".join(identity.arn.split(":", 5)[:5])
        machine = f"{identity.state_machine_name}/{label}"
        child = self._engine.create(
            self._state.item_processor,
            fork.arguments[position],
            arn=f"{head}:{kind}:{machine}:{name}",
            name=name,
            state_machine_arn=run.state_machine_arn,
            state_machine_name=machine,
            role_arn=identity.role_arn,
            express=kind == "express",
        )
        child.map_run = run.arn
        if fork.items:
            child.frame.item = item_context(position, fork.items[position])
        return child

    def _check_tolerance(self) -> None:
        counts = self.map_run.item_counts
        failed = counts["failed"] + counts["timedOut"] + counts["aborted"]
        over_count = (
            failed > (self._count or 0) if self._count is not None or self._percentage is None else False
        )
        over_share = self._percentage is not None and failed * 100 > self._percentage * counts["total"]
        if over_count or over_share:
            raise FailureError(
                EXCEED_TOLERATED_FAILURE_THRESHOLD,
                "The specified tolerated failure threshold was exceeded",
                at=self._frame.last,
            )
