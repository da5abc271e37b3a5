"""The execution that a function works for, as the state machine names it in every payload."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from retraining.errors import UnknownEventError


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of the state machine; its ``name`` is the run id, ``started_at`` ISO 8601 in UTC."""

    arn: str
    name: str
    started_at: str


def from_payload(event: Mapping[str, Any]) -> Execution:
    """Read the part ``execution`` of a payload.

    Raises
    ------
    UnknownEventError
        The function was invoked by something else than the state machine.
    """
    try:
        part = event["execution"]
        return Execution(str(part["id"]), str(part["name"]), utc(str(part["started_at"])))
    except (KeyError, TypeError, ValueError) as error:
        raise UnknownEventError(
            "The payload names no execution with id, name and started_at: only the state machine sends one."
        ) from error


def utc(time: str) -> str:
    """Normalise an ISO 8601 time to UTC, seconds and ``Z``."""
    moment = datetime.fromisoformat(time)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return from_datetime(moment)


def from_datetime(moment: datetime) -> str:
    """Write a time in the ledger's form, ``2026-01-31T12:00:00.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
