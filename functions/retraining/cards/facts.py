"""What a run card is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a training job's log, and the host that wrote it."""

    host: str
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a run.

    Attributes
    ----------
    record : mapping
        The run's record, as the ledger has it.
    written_at : str
        When the card is written, ISO 8601.
    evaluation : mapping or None
        What the gate kept; None if the run was not judged.
    events : sequence of mapping
        The execution's history, oldest first, as GetExecutionHistory gives it.
    definition : mapping or None
        The state machine that the execution runs.
    log : sequence of LogLine
        The training job's, oldest first.
    unknown : sequence of str
        A sentence for each source that could not be read.
    """

    record: Mapping[str, Any]
    written_at: str
    evaluation: Mapping[str, Any] | None = None
    events: Sequence[Mapping[str, Any]] = ()
    definition: Mapping[str, Any] | None = None
    log: Sequence[LogLine] = ()
    unknown: Sequence[str] = ()


def part(value: object, name: str) -> Mapping[str, Any]:
    """Return a nested object, empty if there is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def items(value: object, name: str) -> list[Any]:
    """Return a nested list, empty if there is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return list(found) if isinstance(found, list | tuple) else []
