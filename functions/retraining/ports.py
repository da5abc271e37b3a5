"""What the rules ask of the world; ``retraining.aws`` answers with AWS, tests with fakes."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
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
    """The model behind an endpoint config."""

    model_name: str
    model_data_url: str


@dataclass(frozen=True, slots=True)
class ExecutionState:
    """How an execution fares: Step Functions' status, and when it ended (ISO 8601), empty while it runs."""

    status: str
    stopped_at: str


class Storage(Protocol):
    """Objects in buckets."""

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Yield everything under a prefix."""

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


class Ledger(Protocol):
    """The table of runs and champions."""

    def get_run(self, run_id: str) -> dict[str, Any] | None:
        """Return the record of a run."""

    def put_run(self, record: dict[str, Any]) -> None:
        """Write the record of a run."""

    def get_champion(self, endpoint_name: str) -> dict[str, Any] | None:
        """Return the record of an endpoint's champion."""

    def put_champion(self, record: dict[str, Any]) -> None:
        """Write the record of an endpoint's champion."""

    def get_policy(self, dataset: str) -> dict[str, Any] | None:
        """Return a dataset's overrides of the gate's policy, None if there are none."""


class StateMachine(Protocol):
    """Executions of the state machine."""

    def start(self, name: str, request: dict[str, Any]) -> bool:
        """Start an execution; False if one of that name exists already."""

    def describe(self, name: str) -> ExecutionState | None:
        """Return how an execution fares, None if it is not known any more."""


class Topic(Protocol):
    """The notification topic."""

    def publish(self, subject: str, body: str, attributes: dict[str, str]) -> None:
        """Send one message to all subscribers."""
