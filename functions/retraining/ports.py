"""What the rules ask of the world; ``retraining.aws`` answers with AWS, tests with fakes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Protocol

from retraining.datasets import StoredObject


@dataclass(frozen=True, slots=True)
class EndpointState:
    """An endpoint as it is now; ``failure_reason`` is empty unless its status tells of a failure."""

    name: str
    status: str
    endpoint_config_name: str
    failure_reason: str = ""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """The model behind an endpoint config, which serves ``realtime`` or ``serverless``."""

    model_name: str
    model_data_url: str
    serving_mode: str = "realtime"


@dataclass(frozen=True, slots=True)
class PackageState:
    """A model package as the registry has it.

    Attributes
    ----------
    status : str
        ``PendingManualApproval``, ``Approved`` or ``Rejected``.
    description : str
        What whoever decided has written; may be empty.
    changed_at : str
        When it was changed last, ISO 8601; empty if it never was.
    changed_by : str
        Who did, as far as SageMaker tells; empty if it does not.
    """

    status: str
    description: str = ""
    changed_at: str = ""
    changed_by: str = ""


@dataclass(frozen=True, slots=True)
class ExecutionState:
    """How an execution fares.

    Attributes
    ----------
    status : str
        Step Functions' word for it.
    stopped_at : str
        When it ended, ISO 8601; empty while it runs.
    trigger_id : str
        The id of the trigger in its input; empty if that names none.
    """

    status: str
    stopped_at: str
    trigger_id: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What the ledger knows of the changes of a dataset; the batch is open while `changes` exceeds `seen`.

    Attributes
    ----------
    changes : int
        Events noted ever since; delivered twice, an event counts twice.
    seen : int
        As many of them lie behind the last closing; stays the same for as long as a batch is open.
    changed_at : str
        When the newest was noted, ISO 8601.
    event_time : str
        The latest time that an event of the dataset gave itself.
    check_due_at : str
        When the message comes that looks whether the quiet period is over; empty if none is on its way.
    manifest : mapping or None
        A manifest that named files which were not there, as `retraining.batches` keeps it.
    missing : frozenset of str
        Some of these files' keys; empty once all of them have come.
    """

    dataset: str
    changes: int
    seen: int
    changed_at: str
    event_time: str
    check_due_at: str = ""
    manifest: Mapping[str, Any] | None = None
    missing: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        """Whether something has changed since the last closing."""
        return self.changes > self.seen


class Storage(Protocol):
    """Objects in buckets."""

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Yield everything under a prefix, ordered by the bytes of the keys, a page in memory at a time."""

    def read(self, bucket: str, key: str) -> bytes:
        """Return an object's content; raise ObjectMissingError if there is none."""

    def open(self, bucket: str, key: str) -> AbstractContextManager[IO[bytes]]:
        """Open an object for reading forwards; raise ObjectMissingError if there is none."""

    def write(self, bucket: str, key: str, content: bytes, content_type: str) -> None:
        """Create or replace an object."""


class Endpoints(Protocol):
    """SageMaker's endpoints and what lies behind them."""

    def describe(self, name: str) -> EndpointState | None:
        """Return an endpoint's state, None if there is no such endpoint."""

    def served_model(self, endpoint_config_name: str) -> ServedModel | None:
        """Return the model of an endpoint config, None if either is gone."""


@dataclass(frozen=True, slots=True)
class EndpointAnswer:
    """What an endpoint answered to one request; ``fault`` says why it did not, and is empty if it did."""

    body: bytes
    fault: str = ""


class EndpointRuntime(Protocol):
    """Live endpoints, as their users have them."""

    def invoke(self, endpoint_name: str, content_type: str, body: bytes) -> EndpointAnswer:
        """Send one request; what the model itself gets wrong is no error but a fault."""


class Ledger(Protocol):
    """The table of runs, champions, triggers, batches, and of what may be done only once."""

    def get_run(self, run_id: str) -> dict[str, Any] | None:
        """Return the record of a run."""

    def put_run(self, record: dict[str, Any]) -> None:
        """Write the record of a run."""

    def get_champion(self, endpoint_name: str) -> dict[str, Any] | None:
        """Return the record of an endpoint's champion."""

    def put_champion(self, record: dict[str, Any]) -> bool:
        """Write the record of an endpoint's champion; False if a later deployment has written its own."""

    def get_policy(self, dataset: str) -> dict[str, Any] | None:
        """Return a dataset's overrides of the gate's policy, None if there are none."""

    def get_program(self, dataset: str) -> dict[str, Any] | None:
        """Return what a dataset is trained with instead of the stack's defaults, None if nothing is."""

    def get_trigger(self, trigger_id: str) -> dict[str, Any] | None:
        """Return what was decided about a trigger."""

    def put_trigger(self, record: dict[str, Any]) -> None:
        """Write what was decided about a trigger."""

    def announce(self, record: dict[str, Any]) -> None:
        """Write the first record of a trigger, unless there is one."""

    def withdraw(self, trigger_id: str) -> None:
        """Delete a trigger's record, if it still says that the trigger waits."""

    def intend(self, record: dict[str, Any]) -> dict[str, Any]:
        """Write what is about to be done about a trigger, unless something is already; return what stands."""

    def get_key(self, key: str) -> dict[str, Any] | None:
        """Return ``run_id`` and ``attempt`` of the last run of a retrain key."""

    def claim_key(self, key: str, run_id: str, attempt: int, previous: str | None) -> bool:
        """Make a run the last one of a key, if that still is the previous one (None: if there is none)."""

    def observe_version(self, dataset: str, digest: str, seen_at: str) -> int:
        """Return the order of a dataset's version as it was seen at a time: newer versions have higher ones.

        A version that was listed before the one that the ledger knows gets a lower order than that one.
        """

    def take_day(self, dataset: str, day: str, run_id: str, limit: int) -> bool:
        """Count a run of a day, once however often asked; False if the limit is reached."""

    def take_slot(self, dataset: str, run_id: str, limit: int) -> frozenset[str] | None:
        """Make a run one of those under way; return None, or the runs that fill the limit."""

    def free_slots(self, dataset: str, run_ids: Sequence[str]) -> None:
        """Forget runs that are not under way (any more)."""

    def get_claim(self, endpoint_name: str) -> dict[str, Any] | None:
        """Return an endpoint's claim, as `retraining.fences` keeps it."""

    def claim_endpoint(
        self, endpoint_name: str, claim: dict[str, Any], known: Mapping[str, Any] | None
    ) -> bool:
        """Write an endpoint's claim; False if the known one (None: none) does not stand any more."""

    def list_runs(self, dataset: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield the runs that have not been cleaned up, of one dataset or of all, without their details."""

    def begin_removal(self, run_id: str, at: str, pinned_by: str | None) -> bool:
        """Note that what a run has left goes; False if a rollback, other than the named one, wants it."""

    def end_removal(self, run_id: str, at: str) -> None:
        """Note that nothing of a run is left but its record, evaluation and card."""

    def pin_run(self, run_id: str, by: str) -> bool:
        """Keep what a run has left, because a rollback goes back to it; False if its removal has begun."""

    def get_batch(self, dataset: str) -> Batch | None:
        """Return what is known of a dataset's changes."""

    def note_changes(
        self, dataset: str, count: int, noted_at: str, event_time: str, keys: Sequence[str] = ()
    ) -> Batch:
        """Count changes and strike keys off the missing ones; return the batch with them."""

    def begin_check(self, dataset: str) -> Batch | None:
        """Note that the message which looks for the quiet period has come, and return the batch."""

    def expect_check(self, dataset: str, due_at: str) -> None:
        """Note that such a message is on its way."""

    def keep_manifest(
        self, dataset: str, manifest: Mapping[str, Any], missing: Sequence[str], changes: int | None
    ) -> bool:
        """Keep what a batch waits for; False if not just so many changes were noted (None: never mind)."""

    def forget_manifest(self, dataset: str, event_id: str | None = None) -> None:
        """Wait for nothing any more; with an id, only if it is this event's manifest that is waited for."""

    def close_batch(self, dataset: str, seen: int) -> None:
        """Close a batch with so many changes; those noted since make the next one."""


class Alarms(Protocol):
    """CloudWatch's alarms."""

    def ringing(self, names: Sequence[str]) -> list[str]:
        """Return those of the alarms that are in ALARM; one that does not exist is not."""


class ModelPackages(Protocol):
    """Model packages in SageMaker's registry."""

    def describe(self, arn: str) -> PackageState | None:
        """Return a package's state, None if there is no such package."""

    def reject(self, arn: str, description: str) -> None:
        """Set a package's approval status to Rejected."""


class TaskTokens(Protocol):
    """States that wait for an answer."""

    def succeed(self, token: str, output: Mapping[str, Any]) -> bool:
        """Answer; False if nobody waits under that token (any more)."""


class ApprovalLedger(Protocol):
    """The ledger's part for approvals; each is known by its model package."""

    def keep_approval(self, question: Mapping[str, Any], seen_at: str) -> dict[str, Any] | None:
        """Keep what is asked, and return all that is known; None if a later look has kept it already."""

    def get_approval(self, package_arn: str) -> dict[str, Any] | None:
        """Return what was asked about a package, None if nothing ever was."""

    def approval_told(self, package_arn: str, asked_at: str) -> None:
        """Note that people were told of what was asked at a time."""

    def decide_approval(self, package_arn: str, token: str, decision: Mapping[str, Any]) -> None:
        """Keep a decision, and forget the token that it was the answer to."""

    def note_approval(self, run_id: str, package_arn: str, approval: Mapping[str, Any], reason: str) -> None:
        """Note in the record of a run under way how its approval stands."""

    def free_slots(self, dataset: str, run_ids: Sequence[str]) -> None:
        """Forget runs that are not under way (any more)."""


class StateMachine(Protocol):
    """Executions of the state machine."""

    def start(self, name: str, request: dict[str, Any]) -> bool:
        """Start an execution; False if one of that name exists already."""

    def describe(self, name: str) -> ExecutionState | None:
        """Return how an execution fares, None if it is not known any more."""


class Registry(Protocol):
    """Repositories of container images."""

    def digest(self, account: str, region: str, repository: str, *, tag: str, digest: str) -> str | None:
        """Return the digest of the image with a tag, or with a digest if given; None if there is none."""


class Delays(Protocol):
    """A queue that keeps messages back."""

    def send(self, message: Mapping[str, Any], seconds: int) -> None:
        """Send a message that arrives after at least so many seconds, at most 900."""


class PipelineJobs(Protocol):
    """Answers to CodePipeline."""

    def carry_on(self, job_id: str, token: str, summary: str, run_id: str) -> bool:
        """Ask to be called again with a token; False if the job is not open (any more)."""

    def succeed(self, job_id: str, summary: str, run_id: str, variables: dict[str, str]) -> bool:
        """End a job with output variables; False if it is not open (any more)."""

    def fail(self, job_id: str, kind: str, message: str, run_id: str) -> bool:
        """End a job with a failure; False if it is not open (any more)."""


class ArtifactStore(Protocol):
    """The artifacts of one job, as its own credentials show them."""

    def fetch(self, bucket: str, key: str, limit: int) -> bytes:
        """Return an object; raise ArtifactError if it has more bytes than the limit."""


class Topic(Protocol):
    """The notification topic."""

    def publish(self, subject: str, body: str, attributes: dict[str, str]) -> None:
        """Send one message to all subscribers."""


@dataclass(frozen=True, slots=True)
class Ports:
    """All that starting a run rests on; ``clock`` gives the time, with its zone."""

    storage: Storage
    ledger: Ledger
    machine: StateMachine
    registry: Registry
    delays: Delays
    topic: Topic
    clock: Callable[[], datetime]
