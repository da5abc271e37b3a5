"""An execution as it is kept: what it is, how far it has come, what happened in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from retrain.states.execution.failures import EndedError, HistoryFullError
from retrain.states.execution.frames import Frame
from retrain.states.execution.history import History
from retrain.states.execution.mapruns import MapRun
from retrain.states.execution.protocols import ExecutionIdentity
from retrain.states.model import Json, Machine

Status: TypeAlias = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]


@dataclass(slots=True, eq=False, repr=False)
class Execution:
    """One execution; made by `Engine.create`, changed only by the engine.

    Attributes
    ----------
    identity : ExecutionIdentity
        ARNs and names.
    machine : Machine
        What it runs.
    input, output : Json
        `output` is None until it has succeeded.
    error, cause : str, optional
        Why it failed, timed out or was aborted.
    status : str
        As DescribeExecution names it.
    started, stopped : float
        Seconds since the epoch.
    history : History
        Its events.
    frame : Frame
        Where it has come to; kept when it has failed, for a redrive.
    map_runs : dict
        The runs of its distributed Map states, by ARN.
    map_run : str, optional
        In a child execution of a distributed Map: the run that it belongs to.
    redrive_count, redriven : int, float
        How often it has been redriven, and when last.
    """

    identity: ExecutionIdentity
    machine: Machine
    input: Json
    started: float
    frame: Frame
    history: History
    express: bool = False
    status: Status = "RUNNING"
    output: Json = None
    error: str | None = None
    cause: str | None = None
    stopped: float | None = None
    redriven: float | None = None
    map_runs: dict[str, MapRun] = field(default_factory=dict)
    map_run: str | None = None
    state_machine_alias_arn: str | None = None
    state_machine_version_arn: str | None = None
    clock: Callable[[], float] = field(default=lambda: 0.0, repr=False)

    def __repr__(self) -> str:
        # Short, and without data: asyncio shows a task's result wherever it shows the task.
        return f"<Execution {self.arn} {self.status}>"

    @property
    def arn(self) -> str:
        """The execution's ARN."""
        return self.identity.arn

    @property
    def name(self) -> str:
        """The execution's name."""
        return self.identity.name

    @property
    def redrive_count(self) -> int:
        """How often the execution has been redriven."""
        return self.identity.redrive_count

    def journal(self) -> dict[str, Any]:
        """Return everything that the execution is, as plain JSON, for `Engine.restore`."""
        return {
            "identity": {name: getattr(self.identity, name) for name in ExecutionIdentity.__slots__},
            "input": self.input,
            "started": self.started,
            "express": self.express,
            "status": self.status,
            "output": self.output,
            "error": self.error,
            "cause": self.cause,
            "stopped": self.stopped,
            "redriven": self.redriven,
            "map_run": self.map_run,
            "state_machine_alias_arn": self.state_machine_alias_arn,
            "state_machine_version_arn": self.state_machine_version_arn,
            "frame": self.frame.journal(),
            "history": self.history.dump(),
            "history_limit": self.history.limit,
            "map_runs": [run.journal() for run in self.map_runs.values()],
        }

    def record(self, frame: Frame, type: str, details: Any = None, *, advance: bool = True) -> int:  # noqa: A002
        """Add an event that follows the frame's last one, and return its id.

        `advance` makes it the last one itself.

        Raises
        ------
        HistoryFullError
            Only the execution's last event has room.
        EndedError
            The execution has ended.
        """
        if self.status != "RUNNING":
            raise EndedError  # whoever stopped it has written the last event
        if self.history.full:
            raise HistoryFullError(self.history.limit)
        number = self.history.append(self.clock(), type, details, frame.last)
        if advance:
            frame.last = number
        return number
