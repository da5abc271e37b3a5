"""The engine: executions are created, run, stopped and redriven here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from retrain.states.data import Entropy, SystemEntropy
from retrain.states.errors import DATA_LIMIT_EXCEEDED, RUNTIME, TIMEOUT, StatesLanguageError
from retrain.states.execution.clock import RealClock, VirtualClock
from retrain.states.execution.failures import (
    LONGEST_CAUSE,
    LONGEST_ERROR,
    EndedError,
    FailureError,
    HistoryFullError,
)
from retrain.states.execution.frames import Frame
from retrain.states.execution.history import EXPRESS_LIMIT, LIMIT, History
from retrain.states.execution.interpreter import Interpreter
from retrain.states.execution.mapruns import MapRun
from retrain.states.execution.protocols import (
    SHUTDOWN,
    Clock,
    ExecutionIdentity,
    ItemStore,
    OnChange,
    TaskRunner,
)
from retrain.states.execution.record import Execution, Status
from retrain.states.execution.restoring import restore
from retrain.states.execution.runners import NoTasks
from retrain.states.execution.tokens import TaskTokens
from retrain.states.model import Json, Machine, StateMachine

log = logging.getLogger(__name__)

EXPRESS_SECONDS: Final = 300
"""So long an Express execution may take."""

_NAME: Final = "machine"
_PREFIX: Final = "arn:aws:states:us-east-1:123456789012"
_ROLE: Final = "arn:aws:iam::123456789012:role/StateMachine"


class NotRedrivableError(StatesLanguageError):
    """An execution that cannot be redriven: it runs, has succeeded, or is of an Express workflow."""


class Engine:
    """Runs executions in the event loop from which it is called.

    Parameters
    ----------
    tasks : TaskRunner, optional
        Runs the tasks; without one every Task state fails.
    clock : Clock, optional
        The real one by default.
    entropy : Entropy, optional
        The system's by default.
    tokens : TaskTokens, optional
        A registry of its own by default.
    items : ItemStore, optional
        Where distributed Maps read and write.
    on_change : OnChange, optional
        Told of every change of every execution, children of distributed Maps included.
    history_limit : int, optional
        Events that a Standard execution's history may have; None for no limit, in Express executions neither.
    """

    def __init__(
        self,
        tasks: TaskRunner | None = None,
        *,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        tokens: TaskTokens | None = None,
        items: ItemStore | None = None,
        on_change: OnChange | None = None,
        history_limit: int | None = LIMIT,
    ) -> None:
        self.tasks: TaskRunner = tasks or NoTasks()
        self.clock: Clock = clock or RealClock()
        self.entropy: Entropy = entropy or SystemEntropy()
        self.tokens = tokens or TaskTokens(self.entropy)
        self.items = items
        self.on_change = on_change
        self.history_limit = history_limit
        self._running: dict[str, asyncio.Task[Any]] = {}
        self._outermost: set[asyncio.Task[Any]] = set()
        self._stopped: set[str] = set()

    def create(
        self,
        machine: Machine,
        input: Json,  # noqa: A002 (the language's word)
        *,
        arn: str | None = None,
        name: str | None = None,
        state_machine_arn: str | None = None,
        state_machine_name: str | None = None,
        role_arn: str = _ROLE,
        express: bool = False,
    ) -> Execution:
        """Return a new execution, which `run` runs; names and ARNs not given are made up."""
        name = name or self.entropy.uuid()
        called = state_machine_name or (state_machine_arn.rsplit(":", 1)[-1] if state_machine_arn else _NAME)
        identity = ExecutionIdentity(
            arn=arn or f"{_PREFIX}:{'express' if express else 'execution'}:{called}:{name}",
            name=name,
            state_machine_arn=state_machine_arn or f"{_PREFIX}:stateMachine:{called}",
            state_machine_name=called,
            role_arn=role_arn,
        )
        return Execution(
            identity=identity,
            machine=machine,
            input=input,
            started=self.clock.now(),
            frame=Frame(machine, input),
            history=History(EXPRESS_LIMIT if express and self.history_limit else self.history_limit),
            express=express,
            clock=self.clock.now,
        )

    async def run(self, execution: Execution) -> Execution:
        """Run an execution from where it is to its end, and return it.

        Whatever its end is, nothing is raised for it.

        Raises
        ------
        asyncio.CancelledError
            The engine is shut down, or the caller does not want to wait: the execution stays RUNNING and can
            go on, here or from its journal.
        """
        if execution.status != "RUNNING":
            return execution
        if execution.arn in self._running:
            raise StatesLanguageError(f"{execution.arn} runs already.")
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (a coroutine runs in a task)
        self._running[execution.arn] = task
        if execution.map_run is None:
            self._outermost.add(task)
        timer = self._timer(execution)
        try:
            if not len(execution.history):
                self._begin(execution)
            output = await Interpreter(self, execution).machine(execution.frame)
            self._end(execution, "SUCCEEDED", "ExecutionSucceeded", (output,), output=output)
        except FailureError as failure:
            self._end(
                execution,
                "FAILED",
                "ExecutionFailed",
                failure.details,
                error=failure.error or None,
                cause=failure.cause or None,
            )
        except HistoryFullError as full:
            details = {"error": RUNTIME, "cause": str(full)}
            execution.frame.last = len(execution.history)
            self._end(execution, "FAILED", "ExecutionFailed", details, error=RUNTIME, cause=str(full))
        except asyncio.CancelledError as cancelled:
            if execution.arn not in self._stopped:
                raise
            await _take_cancellation(task, isinstance(cancelled, EndedError))
        except Exception as error:
            log.exception("The execution %s failed unexpectedly.", execution.arn)
            cause = f"{type(error).__name__}: {error}"[:LONGEST_CAUSE]
            details = {"error": RUNTIME, "cause": cause}
            self._end(execution, "FAILED", "ExecutionFailed", details, error=RUNTIME, cause=cause)
        finally:
            if timer is not None:
                timer.cancel()
            self._running.pop(execution.arn, None)
            self._outermost.discard(task)
            self._stopped.discard(execution.arn)
        return execution

    def run_to_end(self, machine: Machine, input: Json, **named: Any) -> Execution:  # noqa: A002
        """Create an execution and run it to its end in an event loop of its own; for programs that have none.

        Parameters
        ----------
        machine : StateMachine
            What to run.
        input : Json
            Its input.
        **named
            As for `create`.
        """
        if not isinstance(self.clock, (RealClock, VirtualClock)):
            raise StatesLanguageError(
                "run_to_end needs a RealClock or a VirtualClock; await run(...) instead."
            )
        execution = self.create(machine, input, **named)
        return self.clock.run(lambda: self.run(execution))

    def stop(self, execution: Execution, error: str | None = None, cause: str | None = None) -> None:
        """End an execution as ABORTED at once, its child executions too, and cancel what runs for it."""
        if execution.status == "RUNNING":
            self._abort_children(execution)
            error, cause = error and error[:LONGEST_ERROR], cause and cause[:LONGEST_CAUSE]
            details = {key: text for key, text in (("error", error), ("cause", cause)) if text}
            self._end_early(execution, "ABORTED", "ExecutionAborted", details, error=error, cause=cause)

    def abandon(self, child: Execution, run: MapRun) -> None:
        """End a child execution as ABORTED because its Map has failed or was aborted itself."""
        run.recount(child, "pending" if run.waits(child) else "running", "aborted")
        self._abort_children(child)
        self._end_early(child, "ABORTED", "ExecutionAborted", {}, cancel=False)

    def abort_run(self, run: MapRun) -> None:
        """End a distributed Map's run and its child executions as ABORTED."""
        if run.status == "RUNNING":
            run.status, run.stopped = "ABORTED", self.clock.now()
            for child in run.executions.values():
                if child.status == "RUNNING":
                    self.abandon(child, run)

    def redrive(self, execution: Execution) -> None:
        """Prepare a failed, timed out or aborted execution to be run again from the state that failed.

        Notes
        -----
        What succeeded keeps its results; retries count anew; so does the timeout of the state machine. Follow
        it by `run`.

        Raises
        ------
        NotRedrivableError
            It runs, has succeeded, or is of an Express workflow.
        """
        if execution.express or execution.status not in {"FAILED", "TIMED_OUT", "ABORTED"}:
            what = "an Express execution" if execution.express else execution.status
            raise NotRedrivableError(f"{execution.arn} is {what} and cannot be redriven.")
        execution.identity = replace(execution.identity, redrive_count=execution.redrive_count + 1)
        execution.redriven = self.clock.now()
        execution.status, execution.stopped = "RUNNING", None
        execution.frame.rewind(too_large=execution.error == DATA_LIMIT_EXCEEDED)
        execution.error = execution.cause = None
        details = {"redriveCount": execution.redrive_count}
        history = execution.history
        history.append(execution.redriven, "ExecutionRedriven", details, len(history))
        self.changed(execution)

    def restore(self, machine: StateMachine, journal: Mapping[str, Any]) -> Execution:
        """Return the execution that `Execution.journal` described; if it is RUNNING, `run` lets it go on."""
        return restore(machine, journal, self.clock.now)

    async def shutdown(self) -> None:
        """Cancel everything that runs, leaving the executions RUNNING, to be restored from their journals."""
        tasks = set(self._outermost)
        for task in tasks:
            task.cancel(SHUTDOWN)
        if tasks:
            await asyncio.wait(tasks)

    def changed(self, execution: Execution) -> None:
        """Tell that an execution has changed."""
        if self.on_change is not None:
            self.on_change(execution)

    def _begin(self, execution: Execution) -> None:
        details: dict[str, Any] = {"input": execution.input, "roleArn": execution.identity.role_arn}
        if execution.state_machine_alias_arn is not None:
            details["stateMachineAliasArn"] = execution.state_machine_alias_arn
        if execution.state_machine_version_arn is not None:
            details["stateMachineVersionArn"] = execution.state_machine_version_arn
        execution.history.append(self.clock.now(), "ExecutionStarted", details)
        self.changed(execution)

    def _timer(self, execution: Execution) -> asyncio.TimerHandle | None:
        seconds = getattr(execution.machine, "timeout_seconds", None)
        if execution.express:
            seconds = min(seconds or EXPRESS_SECONDS, EXPRESS_SECONDS)
        if seconds is None:
            return None
        due = (execution.redriven or execution.started) + seconds
        loop = asyncio.get_running_loop()
        return loop.call_later(max(0.0, due - self.clock.now()), self._time_out, execution)

    def _time_out(self, execution: Execution) -> None:
        if execution.status == "RUNNING":
            self._abort_children(execution)
            self._end_early(execution, "TIMED_OUT", "ExecutionTimedOut", {"error": TIMEOUT})

    def _end_early(
        self,
        execution: Execution,
        status: Status,
        event: str,
        details: dict[str, str],
        *,
        error: str | None = None,
        cause: str | None = None,
        cancel: bool = True,
    ) -> None:
        now = self.clock.now()
        execution.history.append(now, event, details, 0)
        execution.status, execution.stopped = status, now
        execution.error, execution.cause = error, cause
        self.changed(execution)
        task = self._running.get(execution.arn)
        if task is not None and cancel:
            self._stopped.add(execution.arn)
            task.cancel()

    def _abort_children(self, execution: Execution) -> None:
        for run in execution.map_runs.values():
            self.abort_run(run)

    def _end(
        self,
        execution: Execution,
        status: Status,
        event: str,
        details: Any,
        *,
        output: Json = None,
        error: str | None = None,
        cause: str | None = None,
    ) -> None:
        if execution.status != "RUNNING":
            return  # stopped or timed out in the same moment
        if status != "SUCCEEDED":
            self._abort_children(execution)
        now = self.clock.now()
        execution.history.append(now, event, details, execution.frame.last)
        execution.status, execution.stopped = status, now
        execution.output, execution.error, execution.cause = output, error, cause
        self.changed(execution)


async def _take_cancellation(task: asyncio.Task[Any], pending: bool) -> None:  # noqa: FBT001
    """Undo the cancellation by which an execution was stopped: its caller's task goes on.

    `pending` says that it has not arrived yet: the execution was stopped by what it told of a change itself.
    """
    if pending and task.cancelling():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
    task.uncancel()
