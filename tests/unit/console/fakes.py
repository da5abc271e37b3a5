"""Executions with whole histories, and endpoints, for the console to look at."""

# ruff: noqa: N803 (the arguments of fakes are named as boto3 names them)

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.unit.cli.fakes import START, FakeStack, FakeStates, refusal

DEFINITION = {
    "StartAt": "Prepare",
    "States": {
        "Prepare": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "prepare"},
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
        "Failed": {"Type": "Fail", "Error": "PrepareError", "Cause": "The dataset is empty."},
    },
}
CAUSE = json.dumps({"errorMessage": "<b>The dataset</b> is empty.", "errorType": "PrepareError"})


class ConsoleStates(FakeStates):
    """Step Functions that also tells the definition of an execution."""

    definition: str = json.dumps(DEFINITION)

    def describe_state_machine_for_execution(self, *, executionArn: str) -> dict[str, Any]:
        return {"definition": self.definition}


class FakeEndpoints:
    """SageMaker's endpoints: status by name."""

    def __init__(self) -> None:
        self.statuses: dict[str, str] = {}

    def describe_endpoint(self, *, EndpointName: str) -> dict[str, Any]:
        if EndpointName not in self.statuses:
            raise refusal("ValidationException", "DescribeEndpoint", "Could not find endpoint")
        return {"EndpointStatus": self.statuses[EndpointName]}


class ConsoleStack(FakeStack):
    """A stack with all that the console asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.states = ConsoleStates()
        self.endpoints = FakeEndpoints()
        self._clients |= {"stepfunctions": self.states, "sagemaker": self.endpoints}

    def begin(self, run_id: str, events: list[dict[str, Any]], status: str = "SUCCEEDED") -> None:
        """Let an execution have gone as far as its events."""
        self.states.begin(run_id, events, status=status, seen=len(events))


def events(*said: dict[str, Any]) -> list[dict[str, Any]]:
    """A history, one event after the other, a second each."""
    return [
        {"id": number, "previousEventId": number - 1, "timestamp": START + timedelta(seconds=number), **event}
        for number, event in enumerate(({"type": "ExecutionStarted"}, *said), 1)
    ]


ENTERED = {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Prepare", "input": '{"<i>": 1}'}}
SCHEDULED = {"type": "TaskScheduled", "taskScheduledEventDetails": {"resourceType": "lambda"}}
STARTED = {"type": "TaskStarted", "taskStartedEventDetails": {"resourceType": "lambda"}}
SUCCEEDED_EVENTS = events(
    ENTERED,
    SCHEDULED,
    STARTED,
    {"type": "TaskSucceeded", "taskSucceededEventDetails": {"resourceType": "lambda"}},
    {"type": "TaskStateExited", "stateExitedEventDetails": {"name": "Prepare", "output": '{"made": true}'}},
    {"type": "SucceedStateEntered", "stateEnteredEventDetails": {"name": "Done", "input": "{}"}},
    {"type": "SucceedStateExited", "stateExitedEventDetails": {"name": "Done", "output": "{}"}},
    {"type": "ExecutionSucceeded", "executionSucceededEventDetails": {"output": "{}"}},
)
FAILED_EVENTS = events(
    ENTERED,
    SCHEDULED,
    STARTED,
    {
        "type": "TaskFailed",
        "taskFailedEventDetails": {"resourceType": "lambda", "error": "PrepareError", "cause": CAUSE},
    },
    {"type": "TaskStateExited", "stateExitedEventDetails": {"name": "Prepare", "output": '{"error": {}}'}},
    {"type": "FailStateEntered", "stateEnteredEventDetails": {"name": "Failed", "input": "{}"}},
    {
        "type": "ExecutionFailed",
        "executionFailedEventDetails": {"error": "PrepareError", "cause": "The dataset is empty."},
    },
)
RUNNING_EVENTS = events(ENTERED, SCHEDULED, STARTED)
