"""Executions outlast the server: they go on after a clean restart, and none runs for ever after a kill."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from retrain.localcloud import process
from retrain.localcloud.clients import client
from tests.integration.definitions import machine

PROJECT = Path(__file__).resolve().parents[3]
ROLE = "arn:aws:iam::000000000000:role/test"


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / ".retrain"
    yield folder
    process.down(folder)


class Cloud:
    """A cloud of the test's own, to be stopped and started again."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self.up()

    def up(self) -> None:
        self.running = process.up(self._state_dir, port=None, project_root=PROJECT, images={}, deploy=False)
        self.states = client("stepfunctions", self.running.endpoint_url)
        self.sqs = client("sqs", self.running.endpoint_url)

    def restart(self) -> None:
        process.down(self._state_dir)
        self.up()

    def start(self, definition: dict[str, Any], state: Any = None) -> str:
        made = self.states.create_state_machine(
            name=f"m{time.time_ns()}", definition=json.dumps(definition), roleArn=ROLE
        )
        answer = self.states.start_execution(
            stateMachineArn=made["stateMachineArn"], input=json.dumps({} if state is None else state)
        )
        return str(answer["executionArn"])

    def types(self, arn: str) -> list[str]:
        events = self.states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        return [event["type"] for event in events]

    def ended(self, arn: str) -> dict[str, Any] | None:
        found: dict[str, Any] = self.states.describe_execution(executionArn=arn)
        return found if found["status"] != "RUNNING" else None


@pytest.fixture
def cloud(state_dir: Path) -> Cloud:
    return Cloud(state_dir)


def test_a_wait_goes_on_to_the_same_time(cloud: Cloud, wait_until: Callable[..., Any]) -> None:
    arn = cloud.start(
        machine(("Wait", {"Type": "Wait", "Seconds": 6}), ("After", {"Type": "Pass"})), {"a": 1}
    )
    wait_until(lambda: len(cloud.types(arn)) == 2, what="the state's beginning")
    cloud.restart()
    described = wait_until(lambda: cloud.ended(arn), what="the execution's end")
    assert (described["status"], json.loads(described["output"])) == ("SUCCEEDED", {"a": 1})
    assert (described["stopDate"] - described["startDate"]).total_seconds() == pytest.approx(6, abs=3)
    assert cloud.types(arn) == [
        *("ExecutionStarted", "WaitStateEntered", "WaitStateExited"),
        *("PassStateEntered", "PassStateExited", "ExecutionSucceeded"),
    ]


def test_a_token_can_be_answered_and_is_asked_for_once(cloud: Cloud, wait_until: Callable[..., Any]) -> None:
    queue = cloud.sqs.create_queue(QueueName="asked")["QueueUrl"]
    ask = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": queue, "MessageBody": {"token.$": "$$.Task.Token"}},
    }
    arn = cloud.start(machine(("Ask", ask)))
    wait_until(lambda: "TaskSubmitted" in cloud.types(arn), what="the question")
    cloud.restart()
    queue = cloud.sqs.get_queue_url(QueueName="asked")["QueueUrl"]
    messages = cloud.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert len(messages) == 1
    token = json.loads(messages[0]["Body"])["token"]
    cloud.states.send_task_success(taskToken=token, output='"yes"')
    described = wait_until(lambda: cloud.ended(arn), what="the execution's end")
    assert described["output"] == '"yes"'
    assert cloud.types(arn).count("TaskScheduled") == 1


def test_a_nested_execution_is_still_waited_for(cloud: Cloud, wait_until: Callable[..., Any]) -> None:
    inner = cloud.states.create_state_machine(
        name="inner",
        definition=json.dumps(machine(("Wait", {"Type": "Wait", "Seconds": 4}))),
        roleArn=ROLE,
    )["stateMachineArn"]
    nested = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": inner},
        "OutputPath": "$.Status",
    }
    arn = cloud.start(machine(("Nested", nested)))
    wait_until(lambda: "TaskSubmitted" in cloud.types(arn), what="the nested execution")
    cloud.restart()
    described = wait_until(lambda: cloud.ended(arn), seconds=20, what="the execution's end")
    assert described["output"] == '"SUCCEEDED"'
    assert len(cloud.states.list_executions(stateMachineArn=inner)["executions"]) == 1


def test_what_has_ended_is_remembered_and_can_be_redriven(
    cloud: Cloud, wait_until: Callable[..., Any]
) -> None:
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$$.Execution.RedriveCount", "NumericGreaterThan": 0, "Next": "Fine"}],
        "Default": "Bad",
    }
    arn = cloud.start(
        machine(
            ("Before", {"Type": "Pass"}),
            (
                "Again",
                {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::lambda:invoke",
                    "Parameters": {"FunctionName": "none"},
                },
            ),
            ("Which", choice),
            ("Bad", {"Type": "Fail"}),
            ("Fine", {"Type": "Succeed"}),
        )
    )
    before = wait_until(lambda: cloud.ended(arn), what="the execution's end")
    assert (before["status"], before["error"]) == ("FAILED", "Lambda.ResourceNotFoundException")
    types = cloud.types(arn)
    cloud.restart()
    after = cloud.states.describe_execution(executionArn=arn)
    assert {**after, "ResponseMetadata": 0} == {**before, "ResponseMetadata": 0}
    assert cloud.types(arn) == types
    cloud.states.redrive_execution(executionArn=arn)
    again = wait_until(lambda: cloud.ended(arn), what="the end of the redrive")
    assert (again["status"], again["redriveCount"]) == ("FAILED", 1)
    assert cloud.types(arn).count("PassStateEntered") == 1


def test_after_a_kill_nothing_runs_for_ever(
    cloud: Cloud, state_dir: Path, wait_until: Callable[..., Any]
) -> None:
    arn = cloud.start(machine(("Wait", {"Type": "Wait", "Seconds": 600})))
    wait_until(lambda: len(cloud.types(arn)) == 2, what="the state's beginning")
    os.kill(cloud.running.pid, signal.SIGKILL)
    wait_until(lambda: process.status(state_dir) is None, what="the server's end")
    cloud.up()
    # The whole state of the cloud is moved aside: an execution in it would act on what is no longer there.
    assert cloud.states.list_state_machines()["stateMachines"] == []
    with pytest.raises(cloud.states.exceptions.ExecutionDoesNotExist):
        cloud.states.describe_execution(executionArn=arn)
