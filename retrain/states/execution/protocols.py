"""What the interpreter needs from outside, as protocols, and the objects that it hands over there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from retrain.states.model import Json

if TYPE_CHECKING:
    from retrain.states.execution.record import Execution
    from retrain.states.execution.taskhistory import TaskHistory
    from retrain.states.execution.tokens import TaskToken


class Clock(Protocol):
    """The time that executions live by."""

    def now(self) -> float:
        """Return the time, in seconds since the epoch."""
        ...

    async def sleep_until(self, when: float) -> None:
        """Return when `now()` has reached a time; at once if it has already."""
        ...


class Entropy(Protocol):
    """Where chance comes from: the same protocol that `data.Scope` names, so that a run can be repeated."""

    def uuid(self) -> str:
        """Return a new UUID (version 4) as text."""
        ...

    def random(self, seed: int | None = None) -> float:
        """Return a number from 0 up to, not including, 1; the same for the same seed."""
        ...


@dataclass(frozen=True, slots=True)
class ExecutionIdentity:
    """What a task may know of the execution that runs it.

    Attributes
    ----------
    arn, name
        The execution's own.
    state_machine_arn, state_machine_name
        Its state machine's.
    role_arn
        The role that it acts with.
    redrive_count
        How often it has been redriven.
    """

    arn: str
    name: str
    state_machine_arn: str
    state_machine_name: str
    role_arn: str
    redrive_count: int = 0

    @property
    def region(self) -> str:
        """The AWS region, from the ARN."""
        return self.arn.split(":", 4)[3]

    @property
    def account(self) -> str:
        """The AWS account, from the ARN."""
        return self.arn.split(":", 5)[4]


@dataclass(slots=True)
class TaskCall:
    """One attempt of a Task state: everything that a runner needs.

    Attributes
    ----------
    state_name
        The state.
    resource
        `Resource` as the definition has it.
    arguments
        The task's input, evaluated: Parameters in JSONPath, Arguments in JSONata. Not to be changed.
    execution
        Who asks.
    attempt
        0 at first, then the number of the retry.
    token
        Given for `.waitForTaskToken` and for activities: `await token.wait()` is the task's result.
    timeout, heartbeat
        In seconds; None if not given. The interpreter enforces both: the runner is cancelled. For an activity
        they count from `token.started()`, else from the call.
    credentials
        The role ARN of the state's Credentials, if given.
    history
        Through it the runner records what AWS records in between; see TaskHistory.
    saved
        What an earlier run of this same attempt gave `save`, if the interpreter was shut down meanwhile.
    """

    state_name: str
    resource: str
    arguments: Json
    execution: ExecutionIdentity
    attempt: int
    token: TaskToken | None
    timeout: float | None
    heartbeat: float | None
    credentials: str | None
    history: TaskHistory
    saved: Json = None
    _journal: dict[str, Json] = field(default_factory=dict, repr=False)
    _changed: Callable[[], None] = field(default=lambda: None, repr=False)

    def save(self, progress: Json) -> None:
        """Keep a note (a job's name, say) by which a restarted interpreter takes up this attempt again."""
        self._journal["task"] = progress
        self._changed()


class TaskRunner(Protocol):
    """Does what Task states ask for."""

    async def run(self, call: TaskCall) -> Json:
        """Run a task and return its result.

        Raises
        ------
        StatesError
            The task failed; Retry and Catch see it.

        Notes
        -----
        Cancelled (`asyncio.CancelledError`) when nobody waits any longer: after StopExecution, a timeout, or
        the failure of a sibling. It must then stop the job that it started, quickly, and let the error pass
        on. When the interpreter is only shut down, to go on after a restart, `asyncio.current_task()` is
        cancelled likewise, with `SHUTDOWN` as the message: then the job stays.
        """
        ...


SHUTDOWN = "shut down"
"""Message of the CancelledError in a task whose execution goes on after a restart."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object of a listing.

    Attributes
    ----------
    entry
        As ListObjectsV2 gives it in Contents: Key, Size, ETag (with its quotes), LastModified as epoch
        seconds, StorageClass.
    """

    entry: Mapping[str, Json]


class ItemStore(Protocol):
    """Where distributed Map states read items and write results: S3."""

    async def read_object(self, bucket: str, key: str, version: str | None = None) -> bytes:
        """Return an object's content; StatesError (`S3.NoSuchKey` and so on) if there is none."""
        ...

    async def list_objects(
        self, bucket: str, prefix: str, limit: int | None = None
    ) -> Sequence[StoredObject]:
        """Return the objects whose keys begin with a prefix, in the order of their keys, all pages."""
        ...

    async def write_object(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        """Write an object."""
        ...


class OnChange(Protocol):
    """Told of every change of an execution: its start, each state entered and exited, its end."""

    def __call__(self, execution: Execution) -> None:
        """Note that an execution has changed; called on the loop's thread and must not block."""
        ...


Journal: TypeAlias = Mapping[str, Json]
"""An execution's position as plain JSON; see `Execution.journal`."""
