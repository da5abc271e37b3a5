"""Runs that ended without passing through Record: timed out, stopped, or failed beyond every Catch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from retraining import executions, failures, records
from retraining.errors import UnknownEventError
from retraining.executions import Execution

_REASONS = {
    "TIMED_OUT": "The execution ran longer than the state machine allows.",
    "ABORTED": "The execution was stopped before it ended.",
}


@dataclass(frozen=True, slots=True)
class Interruption:
    """How an execution ended, by Step Functions' event; ``request`` is its input, as far as known."""

    execution: Execution
    status: str
    stopped_at: str
    request: Mapping[str, Any]
    reason: str
    error: dict[str, str]


def parse(event: Mapping[str, Any]) -> Interruption:
    """Read an event ``Step Functions Execution Status Change``.

    Raises
    ------
    UnknownEventError
        It is no such event.
    """
    try:
        detail = event["detail"]
        status = str(detail["status"])
        execution = Execution(str(detail["executionArn"]), str(detail["name"]), _time(detail["startDate"]))
        stopped_at = _time(detail.get("stopDate"))
    except (KeyError, TypeError, ValueError, OverflowError) as problem:
        raise UnknownEventError(
            f"This is no status change of an execution (problem: {problem!r})."
        ) from problem
    error, cause = detail.get("error"), detail.get("cause")
    failure = failures.explain(
        {"Error": error or f"Execution{status.title().replace('_', '')}", "Cause": cause or ""}
    )
    told = f" {failure.reason}" if cause else ""
    reason = f"{_REASONS[status]}{told}" if status in _REASONS else failure.reason
    request = _request(detail.get("input"))
    if request is None:
        # No Catch of the state machine can add its error to such an input.
        reason = 'The execution\'s input is not a JSON object; the least is {"dataset": {"name": "..."}}.'
    return Interruption(
        execution,
        status,
        stopped_at,
        request or {},
        reason,
        {"name": failure.name, "cause": failure.cause},
    )


def needs_record(known: Mapping[str, Any] | None) -> bool:
    """Whether nobody has recorded this end yet: the ledger does not know the run, or counts it as running."""
    return known is None or known.get("outcome") == records.RUNNING


def finished(
    interruption: Interruption, known: Mapping[str, Any] | None, *, stack_name: str
) -> dict[str, Any]:
    """Return the record of an interrupted run, building on what Prepare had written."""
    record = records.finished(
        interruption.request,
        interruption.execution,
        records.FAILED,
        interruption.stopped_at,
        stack_name=stack_name,
    )
    if known is not None:
        record |= known
    return record | {
        "outcome": records.FAILED,
        "finished_at": interruption.stopped_at,
        "reason": interruption.reason,
        "error": interruption.error,
    }


def _request(text: object) -> Mapping[str, Any] | None:
    """Return the execution's input, empty if the event leaves it out, None if it is no request."""
    if not isinstance(text, str):
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Mapping) else None


def _time(milliseconds: int | None) -> str:
    moment = datetime.now(UTC) if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
    return executions.from_datetime(moment)
