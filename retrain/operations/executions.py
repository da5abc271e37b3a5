"""Executions of the state machine, and what their histories say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from retrain.aws import Stack
from retrain.errors import AwsCallError, RunNotFoundError
from retrain.operations.times import as_datetime

RUNNING = "RUNNING"


@dataclass(frozen=True)
class Execution:
    """One pass of the state machine.

    Attributes
    ----------
    arn, run_id : str
        The execution's name is the run's id.
    status : str
        RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED.
    started_at, finished_at : datetime
        In UTC.
    error, cause : str
        What it failed of; empty otherwise.
    """

    arn: str
    run_id: str
    status: str
    started_at: datetime
    finished_at: datetime | None = None
    error: str = ""
    cause: str = ""


@dataclass(frozen=True)
class StateVisit:
    """One state's turn within an execution.

    Attributes
    ----------
    event_id : int
        The history event with which it was entered; with it, visits can be told apart.
    name, kind : str
        The state, and its type (Task, Choice, Wait, …).
    entered_at, left_at : datetime
        `left_at` is `None` while it lasts.
    input, output : str
        JSON texts as the history has them; empty if it has none.
    error, cause : str
        Of the last attempt in it that failed; empty if none did.
    failed : bool
        Whether no attempt after that succeeded. A Catch may have led on from it.
    """

    event_id: int
    name: str
    kind: str
    entered_at: datetime
    left_at: datetime | None = None
    input: str = ""
    output: str = ""
    error: str = ""
    cause: str = ""
    failed: bool = False


def newest(stack: Stack, *, limit: int = 10) -> list[Execution]:
    """Return the newest executions of the stack's state machine, newest first."""
    with stack.explained_errors("listing executions"):
        page = stack.client("stepfunctions").list_executions(
            stateMachineArn=stack.output("StateMachineArn"), maxResults=limit
        )
    found = [_execution(item) for item in page["executions"]]
    return sorted(found, key=lambda execution: execution.started_at, reverse=True)


def describe(stack: Stack, run_id: str) -> Execution:
    """Return the execution of a run.

    Raises
    ------
    RunNotFoundError
        There is none of that name.
    """
    arn = stack.output("StateMachineArn").replace(":stateMachine:", ":execution:") + f":{run_id}"
    try:
        with stack.explained_errors(f"describing the execution {run_id}"):
            return _execution(stack.client("stepfunctions").describe_execution(executionArn=arn))
    except AwsCallError as error:
        if error.code in {"ExecutionDoesNotExist", "InvalidArn"}:
            raise RunNotFoundError(
                f"There is no execution '{run_id}' in the stack '{stack.name}': 'retrain runs' lists the "
                "runs there are."
            ) from error
        raise


def history(stack: Stack, arn: str) -> list[dict[str, Any]]:
    """Return all events of an execution, oldest first."""
    events: list[dict[str, Any]] = []
    request: dict[str, Any] = {"executionArn": arn, "maxResults": 1000, "includeExecutionData": True}
    while True:
        with stack.explained_errors("reading the execution's history"):
            page = stack.client("stepfunctions").get_execution_history(**request)
        events += page["events"]
        if not page.get("nextToken"):
            return events
        request["nextToken"] = page["nextToken"]


def visits(events: list[dict[str, Any]]) -> list[StateVisit]:
    """Read the states' turns out of a history.

    Parameters
    ----------
    events : list of dict
        As `history` returns them.

    Returns
    -------
    list of StateVisit
        In the order in which they were entered. The state machine takes one state at a time.
    """
    found: list[StateVisit] = []
    open_visit: dict[str, Any] | None = None

    def close(left_at: datetime | None) -> None:
        if open_visit is not None:
            found.append(StateVisit(**open_visit, left_at=left_at))

    for event in events:
        kind, moment = str(event["type"]), as_datetime(event["timestamp"])
        if kind.endswith("StateEntered"):
            close(moment)
            details = event["stateEnteredEventDetails"]
            open_visit = {
                "event_id": event["id"],
                "name": details["name"],
                "kind": kind.removesuffix("StateEntered"),
                "entered_at": moment,
                "input": details.get("input", ""),
            }
        elif open_visit is None:
            continue
        elif kind.endswith("StateExited"):
            open_visit["output"] = event["stateExitedEventDetails"].get("output", "")
            close(moment)
            open_visit = None
        elif kind.endswith("Succeeded"):
            open_visit["failed"] = False
        elif (failure := _failure(event)) is not None:
            open_visit["error"], open_visit["cause"] = failure
            open_visit["failed"] = True
            if kind.startswith("Execution"):
                close(moment)
                open_visit = None
    close(None)
    return found


def state_data(turns: list[StateVisit], *path: str) -> Any:
    """Return the newest value at a path of the state machine's data, which grows from state to state.

    Parameters
    ----------
    turns : list of StateVisit
        As `visits` returns them.
    path : str
        Names of fields, from the outermost.

    Returns
    -------
    Any
        `None` where no state has had such a field yet.
    """
    for visit in reversed(turns):
        for text in (visit.output, visit.input):
            value = json.loads(text) if text else None
            for name in path:
                value = value.get(name) if isinstance(value, dict) else None
            if value is not None:
                return value
    return None


def training_job_name(turns: list[StateVisit]) -> str | None:
    """Return the name of the run's training job; while it has not ended, the stem that its attempts share."""
    name = state_data(turns, "job", "name") or state_data(turns, "names", "training_job")
    return None if name is None else str(name)


def _failure(event: dict[str, Any]) -> tuple[str, str] | None:
    """Return error and cause of an event that reports a failure."""
    for name, details in event.items():
        if name.endswith("EventDetails") and isinstance(details, dict) and "error" in details:
            return str(details["error"]), str(details.get("cause", ""))
    return None


def _execution(item: dict[str, Any]) -> Execution:
    return Execution(
        arn=item["executionArn"],
        run_id=item["name"],
        status=item["status"],
        started_at=as_datetime(item["startDate"]),
        finished_at=as_datetime(item["stopDate"]) if item.get("stopDate") else None,
        error=item.get("error") or "",
        cause=item.get("cause") or "",
    )
