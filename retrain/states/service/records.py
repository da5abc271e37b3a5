"""What the service keeps beside executions; plain JSON, all of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Self

Document = dict[str, Any]

OWNED_KEY: Document = {"type": "AWS_OWNED_KEY"}
NO_LOGS: Document = {"level": "OFF", "includeExecutionData": False}


@dataclass(slots=True)
class Kept:
    """Something that can be written down and read again."""

    def document(self) -> Document:
        """Return it as plain JSON."""
        return asdict(self)

    @classmethod
    def restore(cls, document: Document) -> Self:
        """Return what `document` described."""
        return cls(**document)


@dataclass(slots=True)
class Revision(Kept):
    """What a state machine is at one time, and an execution of it all its life.

    Times are seconds since the epoch, here and everywhere.
    """

    revision_id: str
    definition: str
    role_arn: str
    logging: Document
    tracing: Document
    encryption: Document
    updated: float


@dataclass(slots=True)
class Machine(Kept):
    """A state machine."""

    arn: str
    name: str
    type: str
    created: float
    revision: Revision
    next_version: int = 1
    publishes: bool = False
    version_description: str = ""

    @classmethod
    def restore(cls, document: Document) -> Self:
        """Return the machine that `document` described."""
        return cls(**{**document, "revision": Revision(**document["revision"])})


@dataclass(slots=True)
class Version(Kept):
    """A published version of a state machine."""

    arn: str
    machine_arn: str
    number: int
    description: str
    created: float
    revision: Revision

    @classmethod
    def restore(cls, document: Document) -> Self:
        """Return the version that `document` described."""
        return cls(**{**document, "revision": Revision(**document["revision"])})


@dataclass(slots=True)
class Alias(Kept):
    """A name for one version of a state machine, or for two with weights."""

    arn: str
    machine_arn: str
    name: str
    description: str
    routing: list[Document]
    created: float
    updated: float


@dataclass(slots=True)
class Activity(Kept):
    """An activity."""

    arn: str
    name: str
    created: float
    encryption: Document = field(default_factory=lambda: dict(OWNED_KEY))
