"""Following a run as it goes: a stream of what happened, for whoever shows it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from retrain.aws import Stack
from retrain.errors import NothingStartedError, WaitTimeoutError
from retrain.operations import executions, ledger
from retrain.operations.executions import Execution, StateVisit
from retrain.operations.times import in_words, now
from retrain.operations.training_logs import LogLine, TrainingLog

_RECENT_TRIGGERS = 50
_NEAR_SECONDS, _FAR_SECONDS = 0.2, 2.0  # between two looks; AWS throttles GetExecutionHistory


@dataclass(frozen=True)
class RunBegan:
    """The run was found; `record` is what the ledger knew of it then, perhaps nothing yet."""

    run_id: str
    started_at: datetime
    record: ledger.Record


@dataclass(frozen=True)
class StateBegan:
    """A state was entered."""

    visit: StateVisit


@dataclass(frozen=True)
class StateEnded:
    """A state was left, for better or worse."""

    visit: StateVisit


@dataclass(frozen=True)
class TrainingSaid:
    """The training program wrote a line."""

    line: LogLine


@dataclass(frozen=True)
class Judged:
    """The gate gave its decision, as the ledger has it."""

    decision: dict[str, Any]


@dataclass(frozen=True)
class RunEnded:
    """The run has ended.

    Attributes
    ----------
    outcome : str
        DEPLOYED, REJECTED, FAILED, …; the execution's status where the ledger has no outcome.
    reason : str
        One sentence for people.
    seconds : float
        From start to end.
    record : dict
        What the ledger has; empty if nothing.
    """

    run_id: str
    outcome: str
    reason: str
    seconds: float
    record: ledger.Record


Event = RunBegan | StateBegan | StateEnded | TrainingSaid | Judged | RunEnded


def follow(stack: Stack, run_id: str, *, timeout: float | None = None) -> Iterator[Event]:
    """Yield what happens in a run until it has ended; of a run that has ended already, all at once.

    Parameters
    ----------
    stack : Stack
        Where it runs.
    run_id : str
        Which run.
    timeout : float, optional
        Seconds after which to give up; by default as long as the run takes.

    Yields
    ------
    Event
        `RunBegan` first, `RunEnded` last.

    Raises
    ------
    RunNotFoundError
        There is no such run.
    WaitTimeoutError
        The run had not ended in time.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    watch = _Watch(stack, executions.describe(stack, run_id))
    yield RunBegan(run_id, watch.execution.started_at, ledger.find_run(stack, run_id) or {})
    while True:
        # In this order: an execution that has ended by now has its whole history and record.
        watch.execution = executions.describe(stack, run_id)
        yield from watch.news()
        if watch.execution.status != executions.RUNNING:
            yield watch.end()
            return
        if deadline is not None and time.monotonic() > deadline:
            raise WaitTimeoutError(
                f"The run {run_id} had not ended after {in_words(timeout or 0)}; 'retrain watch {run_id}' "
                "goes on watching."
            )
        time.sleep(_NEAR_SECONDS if stack.is_near else _FAR_SECONDS)


class _Watch:
    """What of a run has been told already."""

    def __init__(self, stack: Stack, execution: Execution) -> None:
        self.stack = stack
        self.execution = execution
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        self._log: TrainingLog | None = None
        self._judged = False

    def news(self) -> Iterator[Event]:
        visits = executions.visits(executions.history(self.stack, self.execution.arn))
        if executions.state_data(visits, "rollout", "kind") == "rollback":
            self._judged = True  # it trains nothing, and its decision is that of the run that it goes back to
        for position, visit in enumerate(visits):
            if visit.event_id not in self._begun:
                self._begun.add(visit.event_id)
                yield StateBegan(visit)
            if visit.left_at is None or visit.event_id in self._ended:
                continue
            yield from self._training_lines(visits[:position])  # the lines of Train, before Train has ended
            self._ended.add(visit.event_id)
            yield StateEnded(visit)
            yield from self._decision(visits[: position + 1])
        yield from self._training_lines(visits)

    def end(self) -> RunEnded:
        execution = self.execution
        record = ledger.find_run(self.stack, execution.run_id) or {}
        finished = execution.finished_at or now()
        outcome = str(record.get("outcome") or "")
        reason = str(record.get("reason") or "")
        if outcome in {"", executions.RUNNING}:  # it ended before it could write down how
            outcome = "FAILED" if execution.status == "FAILED" else execution.status
            reason = ": ".join(part for part in (execution.error, execution.cause) if part)
        seconds = (finished - execution.started_at).total_seconds()
        return RunEnded(execution.run_id, outcome, reason, seconds, record)

    def _training_lines(self, visits: list[StateVisit]) -> Iterator[Event]:
        if self._judged:  # the job ended before that, and CloudWatch has given all of its lines
            return
        if self._log is None:
            job_name = executions.training_job_name(visits)
            if job_name is None:
                return
            self._log = TrainingLog(self.stack, job_name)
        for line in self._log.new_lines():
            yield TrainingSaid(line)

    def _decision(self, visits: list[StateVisit]) -> Iterator[Event]:
        decision = executions.state_data(visits, "decision")
        if decision and not self._judged:
            self._judged = True
            yield Judged(decision)


def known_runs(stack: Stack) -> set[str]:
    """Return the ids of the runs that began last, so that a new one can be told from them."""
    return {execution.run_id for execution in executions.newest(stack, limit=100)}


def running_run(stack: Stack) -> str | None:
    """Return the id of the run that is going on, the newest of several."""
    for execution in executions.newest(stack, limit=20):
        if execution.status == executions.RUNNING:
            return execution.run_id
    return None


def wait_for_new_run(
    stack: Stack,
    known: set[str],
    *,
    dataset: str | None = None,
    timeout: float | None = None,
    known_triggers: set[str] | None = None,
) -> str:
    """Wait until a run begins that is not among the known ones.

    Parameters
    ----------
    stack : Stack
        Where to look.
    known : set of str
        From `known_runs`, taken before that which should start the run.
    dataset : str, optional
        Only a run of this dataset counts.
    timeout : float, optional
        Seconds after which to give up.
    known_triggers : set of str, optional
        From `known_triggers`, taken as early: a batch of the dataset that is closed since and starts nothing
        ends the waiting.

    Returns
    -------
    str
        The run's id.

    Raises
    ------
    NothingStartedError
        The stack has decided that no run begins.
    WaitTimeoutError
        None began in time.
    """
    began = time.monotonic()
    while True:
        for execution in executions.newest(stack, limit=100):
            if execution.run_id not in known and _is_of(execution.run_id, dataset):
                return execution.run_id
        if known_triggers is not None:
            _stop_if_decided(stack, known_triggers, dataset)
        if timeout is not None and time.monotonic() - began > timeout:
            raise WaitTimeoutError(
                f"No run began within {in_words(timeout)}. 'retrain triggers' says what arrived, and why it "
                "starts nothing, or what it waits for."
            )
        time.sleep(_NEAR_SECONDS if stack.is_near else _FAR_SECONDS)


def known_triggers(stack: Stack) -> set[str]:
    """Return the ids of the triggers that came last, so that a new one can be told from them."""
    return {str(record["trigger_id"]) for record in ledger.triggers(stack, limit=_RECENT_TRIGGERS)}


def _stop_if_decided(stack: Stack, known: set[str], dataset: str | None) -> None:
    """Raise what the stack has said about the batch that was closed; what waits or has started goes on."""
    for record in ledger.triggers(stack, dataset=dataset, limit=_RECENT_TRIGGERS):
        is_new = str(record["trigger_id"]) not in known and record.get("closed_by")
        if is_new and record["result"] in {"skipped", "duplicate", "refused", "empty"}:
            raise NothingStartedError(
                str(record["reason"]), result=str(record["result"]), run_id=record.get("run_id")
            )


def _is_of(run_id: str, dataset: str | None) -> bool:
    """Say whether a run's id, `<dataset>-<hex digest>…`, is of this dataset."""
    if dataset is None:
        return True
    digest = run_id.removeprefix(f"{dataset}-").split("-")[0]
    return run_id.startswith(f"{dataset}-") and len(digest) >= 8 and not set(digest) - set("0123456789abcdef")
