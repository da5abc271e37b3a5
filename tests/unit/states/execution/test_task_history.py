"""What a runner can have recorded of a task."""

from __future__ import annotations

from typing import Any

import pytest

from retrain.states.errors import StatesError
from retrain.states.execution import split_resource
from tests.unit.states.execution.machines import ACTIVITY, LAMBDA, machine, run

SEND = "arn:aws:states:::sqs:sendMessage"
PARAMETERS = {"QueueUrl": "q", "MessageBody": "m"}


def refused(how: str, resource: str) -> list[tuple[str, Any]]:
    def function(call: Any) -> None:
        getattr(call.history, how)("E", "C")
        raise StatesError("E", "C")

    execution = run(
        machine({"T": {"Type": "Task", "Resource": resource, "Parameters": PARAMETERS, "End": True}}),
        function=function,
    )
    assert (execution.error, execution.cause) == ("E", "C")
    last = execution.history[-2]
    return [(event, None) for event in execution.history.types()[2:-1]] + [
        (key, value) for key, value in last.items() if key.endswith("Details")
    ]


@pytest.mark.parametrize(
    ("how", "resource", "events"),
    [
        ("start_failed", SEND, ["TaskScheduled", "TaskStartFailed"]),
        ("submit_failed", SEND, ["TaskScheduled", "TaskStarted", "TaskSubmitFailed"]),
        ("schedule_failed", SEND, ["TaskScheduled", "TaskStartFailed"]),
        ("start_failed", LAMBDA, ["LambdaFunctionScheduled", "LambdaFunctionStartFailed"]),
        ("schedule_failed", LAMBDA, ["LambdaFunctionScheduled", "LambdaFunctionScheduleFailed"]),
        ("schedule_failed", ACTIVITY, ["ActivityScheduled", "ActivityScheduleFailed"]),
    ],
)
def test_where_an_attempt_failed(how: str, resource: str, events: list[str]) -> None:
    *seen, (_, details) = refused(how, resource)
    assert [name for name, _ in seen] == events
    assert (details["error"], details["cause"]) == ("E", "C")


@pytest.mark.parametrize(
    ("resource", "parts"),
    [
        (LAMBDA, ("LambdaFunction", "lambda", LAMBDA)),
        ("arn:aws-cn:lambda:cn-north-1:123456789012:function:f:1", ("LambdaFunction", "lambda")),
        (ACTIVITY, ("Activity", "activity", ACTIVITY)),
        ("arn:aws:states:::lambda:invoke", ("Task", "lambda", "invoke")),
        ("arn:aws:states:::aws-sdk:s3:listBuckets", ("Task", "aws-sdk:s3", "listBuckets")),
        ("arn:aws:states:::states:startExecution.sync:2", ("Task", "states", "startExecution.sync:2")),
        (
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            ("Task", "sqs", "sendMessage.waitForTaskToken"),
        ),
    ],
)
def test_the_parts_of_a_resource(resource: str, parts: tuple[str, ...]) -> None:
    assert split_resource(resource)[: len(parts)] == parts
