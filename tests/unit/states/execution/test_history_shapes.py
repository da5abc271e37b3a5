"""Histories as boto3 reads them: without loss, every type of event."""

from __future__ import annotations

import asyncio
import datetime
import json
from typing import Any

import botocore.session
from botocore.parsers import create_parser

from retrain.states.errors import StatesError
from retrain.states.execution import Execution
from tests.unit.states.execution.machines import (
    ACTIVITY,
    CALLBACK,
    LAMBDA,
    PASS,
    branch,
    engine,
    failing,
    machine,
    run,
    task,
)

OPERATION = (
    botocore.session.get_session().get_service_model("stepfunctions").operation_model("GetExecutionHistory")
)
TYPES = set(OPERATION.output_shape.members["events"].member.members["type"].enum)
OF_RUNNERS = {  # a runner says so by a StatesError; test_task_history.py has them
    "ActivityScheduleFailed",
    "LambdaFunctionScheduleFailed",
    "LambdaFunctionStartFailed",
    "TaskStartFailed",
    "TaskSubmitFailed",
}


def parsed(execution: Execution) -> list[dict[str, Any]]:
    body = json.dumps({"events": list(execution.history)}).encode()
    answer = create_parser("json").parse(
        {"status_code": 200, "headers": {}, "body": body}, OPERATION.output_shape
    )
    events: list[dict[str, Any]] = answer["events"]
    return events


def stopped() -> Execution:
    machinery = engine()
    execution = machinery.create(machine({"W": {"Type": "Wait", "Seconds": 9, "End": True}}), {})

    async def main() -> Execution:
        running = asyncio.ensure_future(machinery.run(execution))
        await asyncio.sleep(1)
        machinery.stop(execution, "E", "C")
        return await running

    return machinery.clock.run(main)  # type: ignore[attr-defined,no-any-return]


def redriven_map_run() -> Execution:
    calls: list[Any] = []

    def function(call: Any) -> Any:
        calls.append(call)
        if len(calls) == 1:
            raise StatesError("Boom")
        return call.arguments

    machinery = engine(function)
    states = {"M": {"Type": "Map", "End": True, "ItemProcessor": distributed(A=task())}}
    execution = machinery.run_to_end(machine(states), [1, 2])
    machinery.redrive(execution)
    return machinery.clock.run(lambda: machinery.run(execution))  # type: ignore[attr-defined,no-any-return]


def distributed(**states: Any) -> dict[str, Any]:
    return {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **branch(**states)}


async def forever(call: Any) -> None:
    await asyncio.get_running_loop().create_future()


async def started_forever(call: Any) -> None:
    call.history.submitted({"MessageId": "1"})
    await asyncio.get_running_loop().create_future()


async def taken(call: Any) -> Any:
    call.history.started("worker")
    return call.arguments


def many_executions() -> list[Execution]:
    bucket = {"Parameters": {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}}
    all_states = {
        "Pass": {"Type": "Pass", "Assign": {"x": 1}, "Next": "Choice"},
        "Choice": {"Type": "Choice", "Choices": [{"Variable": "$", "IsPresent": True, "Next": "Wait"}]},
        "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Parallel"},
        "Parallel": {"Type": "Parallel", "Branches": [branch(A=PASS)], "Next": "Map"},
        "Map": {"Type": "Map", "ItemsPath": "$", "ItemProcessor": branch(B=PASS), "Next": "Run"},
        "Run": {"Type": "Map", "ItemsPath": "$", "ItemProcessor": distributed(C=PASS), "Next": "Call"},
        "Call": task(Next="Act"),
        "Act": {
            "Type": "Task",
            "Resource": ACTIVITY,
            "Next": "Send",
            "HeartbeatSeconds": 5,
            "TimeoutSeconds": 9,
        },
        "Send": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Credentials": {"RoleArn": "arn:aws:iam::123456789012:role/R"},
            "Parameters": {"QueueUrl": "q", "MessageBody": "m"},
            "Next": "End",
        },
        "End": {"Type": "Succeed"},
    }

    def waiting(state: dict[str, Any]) -> dict[str, Any]:
        aborting = branch(Z={"Type": "Wait", "Seconds": 1, "Next": "F"}, F={"Type": "Fail", "Error": "E"})
        return {"P": {"Type": "Parallel", "End": True, "Branches": [branch(S=state), aborting]}}

    forks = {"Type": "Parallel", "End": True, "Branches": [branch(T=task())]}
    inline = {"Type": "Map", "End": True, "ItemsPath": "$", "ItemProcessor": branch(T=task())}
    run_ = {"Type": "Map", "End": True, "ItemsPath": "$", "ItemProcessor": distributed(T=task())}
    callback = {"Type": "Task", "Resource": CALLBACK, "TimeoutSeconds": 3, "End": True, **bucket}
    activity = {"Type": "Task", "Resource": ACTIVITY, "End": True}
    return [
        run(all_states, [], taken),
        run(waiting({"Type": "Wait", "Seconds": 9, "End": True})),
        run(waiting(forks), function=forever),
        run(waiting(inline), [1], forever),
        run(waiting(run_), [1], forever),
        run({"A": callback}, function=started_forever),
        run({"A": activity}, function=failing()),
        run({"A": {**activity, "TimeoutSeconds": 3}}, function=lambda call: taken_and_forgotten(call)),
        run({"A": task(TimeoutSeconds=3)}, function=forever),
        run({"A": task()}, function=failing()),
        run(
            {
                "A": {
                    **callback,
                    "Resource": "arn:aws:states:::sqs:sendMessage",
                    "Parameters": {"QueueUrl": "q", "MessageBody": "m"},
                }
            },
            function=failing(),
        ),
        run(machine({"W": {"Type": "Wait", "Seconds": 9, "End": True}}, TimeoutSeconds=1)),
        run(
            machine({"A": {"Type": "Pass", "Output": "{% $nothing %}", "End": True}}, QueryLanguage="JSONata")
        ),
        run({"M": {"Type": "Map", "End": True, "ItemProcessor": branch(F={"Type": "Fail"})}}, [1]),
        run({"M": {"Type": "Map", "End": True, "ItemProcessor": distributed(F={"Type": "Fail"})}}, [1]),
        stopped(),
        redriven_map_run(),
    ]


async def taken_and_forgotten(call: Any) -> None:
    call.history.started()
    call.token.started()
    await asyncio.get_running_loop().create_future()


def test_every_event_of_every_type_is_read_by_boto3_without_loss() -> None:
    seen = set()
    for execution in many_executions():
        for ours, theirs in zip(execution.history, parsed(execution), strict=True):
            assert theirs["timestamp"] == datetime.datetime.fromtimestamp(ours["timestamp"], datetime.UTC)
            assert {**theirs, "timestamp": 0} == {**ours, "timestamp": 0}
            shape = OPERATION.output_shape.members["events"].member
            for name, details in ours.items():
                if name.endswith("Details"):
                    assert set(shape.members[name].required_members) <= details.keys()
            seen.add(ours["type"])
    assert seen == TYPES - OF_RUNNERS


def test_each_event_follows_an_earlier_one() -> None:
    for execution in many_executions():
        assert [event["id"] for event in execution.history] == list(range(1, len(execution.history) + 1))
        assert all(event["previousEventId"] < event["id"] for event in execution.history)


def test_inputs_and_outputs_are_json_text_and_the_values_themselves_are_shared() -> None:
    given = {"text": "ä", "list": [1, 2.5, None]}
    execution = run({"A": task(Resource=LAMBDA)}, given)
    text = '{"text":"ä","list":[1,2.5,null]}'
    assert execution.history[1]["stateEnteredEventDetails"]["input"] == text
    assert execution.history[2]["lambdaFunctionScheduledEventDetails"]["input"] == text
    assert execution.history[-1]["executionSucceededEventDetails"]["output"] == text
    assert execution.output is given
