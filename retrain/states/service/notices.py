"""What the service tells other services of executions: events, log records, metrics.

Nothing here calls anything; `outbox` sends what is made here.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from retrain.states.execution import Execution, json_text

EVENT_SOURCE = "aws.states"
EVENT_TYPE = "Step Functions Execution Status Change"
REDRIVABLE_SECONDS = 14 * 86_400
_MOST_EVENT_DATA = 248 * 1024
_MOST_LOG_DATA = 250_000

_FATAL = frozenset({"ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"})
_ERROR_ENDINGS = ("Failed", "TimedOut", "Aborted")


def milliseconds(seconds: float | None) -> int | None:
    """Return a time as events have it."""
    return None if seconds is None else round(seconds * 1000)


def redrive_status(execution: Execution, now: float) -> dict[str, str]:
    """Return whether an execution can be redriven, and why not, as DescribeExecution says it."""
    if execution.status == "RUNNING":
        reason = "Execution is RUNNING and cannot be redriven"
    elif execution.status == "SUCCEEDED":
        reason = "Execution is SUCCEEDED and cannot be redriven"
    elif execution.express:
        reason = "Execution is EXPRESS and cannot be redriven"
    elif execution.map_run is not None:
        return {"redriveStatus": "REDRIVABLE_BY_MAP_RUN"}
    elif execution.stopped is not None and now - execution.stopped > REDRIVABLE_SECONDS:
        reason = "Execution redrivable period exceeded and cannot be redriven"
    elif execution.history.full:
        reason = "Execution history event limit exceeded and cannot be redriven"
    else:
        return {"redriveStatus": "REDRIVABLE"}
    return {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}


def status_detail(execution: Execution, now: float) -> dict[str, Any]:
    """Return the detail of the event about an execution's status.

    Input and output are left out where they are too long for an event.
    """
    failed = execution.status in ("FAILED", "TIMED_OUT", "ABORTED")
    redrivable = redrive_status(execution, now)
    given, given_details = _carried(json_text(execution.input))
    output, output_details = None, None
    if execution.status == "SUCCEEDED":
        output, output_details = _carried(json_text(execution.output))
    return {
        "executionArn": execution.arn,
        "stateMachineArn": execution.identity.state_machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": milliseconds(execution.started),
        "stopDate": milliseconds(execution.stopped),
        "input": given,
        "output": output,
        "inputDetails": given_details,
        "outputDetails": output_details,
        "error": execution.error if failed else None,
        "cause": execution.cause if failed else None,
        "stateMachineVersionArn": execution.state_machine_version_arn,
        "stateMachineAliasArn": execution.state_machine_alias_arn,
        "redriveCount": execution.redrive_count,
        "redriveDate": milliseconds(execution.redriven),
        "redriveStatus": redrivable["redriveStatus"],
        "redriveStatusReason": redrivable.get("redriveStatusReason"),
    }


def _carried(text: str) -> tuple[str | None, dict[str, bool]]:
    included = len(json.dumps(text)) <= _MOST_EVENT_DATA
    return (text if included else None), {"included": included}


def is_logged(event_type: str, level: str) -> bool:
    """Whether an event of a type goes to the log at a level (ALL, ERROR, FATAL, OFF)."""
    if level == "ALL":
        return True
    if level == "ERROR":
        return event_type.endswith(_ERROR_ENDINGS) or event_type == "FailStateEntered"
    return level == "FATAL" and event_type in _FATAL


def log_stream(machine: str, execution_arn: str, started: float) -> str:
    """Return the log stream of an execution."""
    minute = datetime.datetime.fromtimestamp(started, datetime.UTC).strftime("%Y-%m-%d-%H-%M")
    digest = hashlib.sha256(execution_arn.encode()).hexdigest()[:8]
    return f"states/{machine}/{minute}/{digest}"


def log_record(event: Mapping[str, Any], execution: Execution, *, include_data: bool) -> str:
    """Return an event as a line of the log."""
    details: dict[str, Any] = {}
    for name, value in event.items():
        if name.endswith("EventDetails"):
            details = dict(value)
    if not include_data:
        details = without_data(details)
    record = {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "redrive_count": str(execution.redrive_count),
        "previous_event_id": str(event["previousEventId"]),
        "event_timestamp": str(milliseconds(event["timestamp"])),
        "execution_arn": execution.arn,
    }
    text = json_text(record)
    if len(text.encode()) > _MOST_LOG_DATA:
        record["details"] = {**without_data(details), "truncated": True}
        text = json_text(record)
    return text


_DATA = ("input", "output", "parameters", "assignedVariables")


def without_data(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event's details without what the execution worked on."""
    left_out = (*_DATA, *(f"{name}Details" for name in _DATA))
    return {name: value for name, value in details.items() if name not in left_out}


def metric(name: str, value: float, unit: str, dimension: str, arn: str, when: float) -> dict[str, Any]:
    """Return one datum for the namespace AWS/States."""
    return {
        "MetricName": name,
        "Dimensions": [{"Name": dimension, "Value": arn}],
        "Timestamp": datetime.datetime.fromtimestamp(when, datetime.UTC),
        "Value": value,
        "Unit": unit,
    }


_STATUS_METRICS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


def status_metrics(execution: Execution) -> list[dict[str, Any]]:
    """Return the metrics of an execution's beginning or end; there are more for versions and aliases."""
    if execution.status == "RUNNING":
        name = "ExecutionsRedriven" if execution.redriven is not None else "ExecutionsStarted"
        values = [(name, 1.0, "Count")]
        when = execution.redriven or execution.started
    else:
        when = execution.stopped or execution.started
        values = [
            (_STATUS_METRICS[execution.status], 1.0, "Count"),
            ("ExecutionTime", (when - execution.started) * 1000, "Milliseconds"),
        ]
    base = execution.identity.state_machine_arn
    arns = (base, execution.state_machine_version_arn, execution.state_machine_alias_arn)
    return [
        metric(name, value, unit, "StateMachineArn", arn, when)
        for arn in arns
        if arn is not None
        for name, value, unit in values
    ]


_KINDS = {
    "LambdaFunction": ("LambdaFunctions", "LambdaFunctionArn", "LambdaFunctionTime"),
    "Task": ("ServiceIntegrations", "ServiceIntegrationResourceArn", "ServiceIntegrationTime"),
    "Activity": ("Activities", "ActivityArn", "ActivityTime"),
}
_TASK_EVENT = re.compile(
    f"({'|'.join(_KINDS)})(Scheduled|Started|Submitted|Succeeded|TimedOut|(?:Schedule|Start|Submit)?Failed)"
)


def is_of_task(event_type: str) -> bool:
    """Whether an event of a type brings metrics of what a task calls."""
    return _TASK_EVENT.fullmatch(event_type) is not None


class TaskMetrics:
    """Metrics of the tasks of one execution, made of its events as they come."""

    def __init__(self) -> None:
        self._origins: dict[int, tuple[str, float]] = {}

    def of(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the metrics that an event brings."""
        match = _TASK_EVENT.fullmatch(event["type"])
        if match is None:
            return []
        kind, what = match.groups()
        plural, dimension, time_name = _KINDS[kind]
        when = event["timestamp"]
        if what == "Scheduled":
            details = next(value for name, value in event.items() if name.endswith("EventDetails"))
            arn = details["resource"]
            if kind == "Task":
                arn = f"arn:aws:states:::{details['resourceType']}:{arn}"
            origin = (arn, when)
        else:
            found = self._origins.pop(event["previousEventId"], None)
            if found is None:
                return []
            origin = found
        arn, began = origin
        made = []
        if what.endswith("Failed"):
            what = "Failed"
        if what in ("Succeeded", "Failed", "TimedOut"):
            made.append(metric(time_name, (when - began) * 1000, "Milliseconds", dimension, arn, when))
        else:
            self._origins[event["id"]] = origin
        if what != "Submitted":
            made.append(metric(f"{plural}{what}", 1.0, "Count", dimension, arn, when))
        return made
