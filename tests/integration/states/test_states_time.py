"""Time limits, stopping, task tokens and activities in the local cloud."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from tests.integration.definitions import Aws, History, Run, call, machine


class TestTimeLimits:
    def test_of_the_machine(self, run: Run, history: History) -> None:
        described = run(machine(("Wait", {"Type": "Wait", "Seconds": 60}), TimeoutSeconds=1))
        assert described["status"] == "TIMED_OUT"
        events = history(described["executionArn"])
        assert events[-1]["type"] == "ExecutionTimedOut"
        assert [event["previousEventId"] for event in events] == [0, 0, 0]  # as AWS writes them

    def test_of_a_task(self, mends: dict[str, str], run: Run) -> None:
        task = call(
            mends["FunctionArn"],
            {"sleep": 1.9},
            TimeoutSecondsPath="$.limit",
            Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "Caught"}],
        )
        begun = time.monotonic()
        described = run(machine(("Call", task), ("Caught", {"Type": "Pass"})), {"limit": 1})
        assert json.loads(described["output"])["Error"] == "States.Timeout"
        assert time.monotonic() - begun < 1.8

    def test_stopping_ends_a_wait_at_once(
        self,
        start: Callable[..., str],
        outcome: Run,
        aws: Aws,
        history: History,
    ) -> None:
        arn = start(machine(("Wait", {"Type": "Wait", "Seconds": 60}), ("After", {"Type": "Pass"})))
        aws("stepfunctions").stop_execution(executionArn=arn, error="Enough", cause="It was a test.")
        assert outcome(arn)["status"] == "ABORTED"
        assert [event["type"] for event in history(arn)][-1] == "ExecutionAborted"

    def test_stopping_ends_a_nested_execution(
        self, start: Callable[..., str], outcome: Run, aws: Aws, wait_until: Callable[..., Any]
    ) -> None:
        states = aws("stepfunctions")
        inner = states.create_state_machine(
            name=f"inner-{uuid.uuid4().hex[:8]}",
            definition=json.dumps(machine(("Wait", {"Type": "Wait", "Seconds": 60}))),
            roleArn="arn:aws:iam::000000000000:role/test",
        )["stateMachineArn"]
        nested = {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Parameters": {"StateMachineArn": inner},
        }
        arn = start(machine(("Nested", nested)))
        listed = wait_until(lambda: states.list_executions(stateMachineArn=inner)["executions"])
        states.stop_execution(executionArn=arn)
        assert outcome(listed[0]["executionArn"])["status"] == "ABORTED"

    def test_waiting_takes_no_threads(
        self, start: Callable[..., str], aws: Aws, local_cloud: Any, history: History
    ) -> None:
        server = psutil.Process(local_cloud.pid)
        first = start(machine(("Wait", {"Type": "Wait", "Seconds": 60})))
        target = aws("stepfunctions").describe_execution(executionArn=first)["stateMachineArn"]
        before = server.num_threads()
        arns = [first, *(start(target) for _ in range(100))]
        assert {len(history(arn)) for arn in arns} == {2}
        assert server.num_threads() <= before + 2
        for arn in arns:
            aws("stepfunctions").stop_execution(executionArn=arn)


class TestTaskTokens:
    def token_machine(self, function: str, payload: dict[str, Any], **fields: Any) -> dict[str, Any]:
        task = call(function, {**payload, "token.$": "$$.Task.Token"}, **fields)
        task["Resource"] += ".waitForTaskToken"
        caught = {"ErrorEquals": ["States.ALL"], "Next": "Caught"}
        return machine(("Ask", {**task, "Catch": [caught]}), ("Caught", {"Type": "Pass"}))

    def token_of(self, arn: str, history: History) -> str | None:
        for event in history(arn):
            if event["type"] == "TaskScheduled":
                parameters = json.loads(event["taskScheduledEventDetails"]["parameters"])
                return str(parameters["Payload"]["token"])
        return None

    def test_a_function_that_fails_fails_the_task_at_once(self, mends: dict[str, str], run: Run) -> None:
        described = run(self.token_machine(mends["FunctionArn"], {"raise": "no"}, TimeoutSeconds=60))
        assert json.loads(described["output"])["Error"] == "UploadTornError"

    def test_missing_heartbeats(self, mends: dict[str, str], run: Run) -> None:
        described = run(self.token_machine(mends["FunctionArn"], {}, HeartbeatSeconds=1))
        assert json.loads(described["output"])["Error"] == "States.Timeout"  # as AWS tells it

    def test_missing_heartbeats_have_a_name_of_their_own_for_catch(
        self, mends: dict[str, str], run: Run
    ) -> None:
        definition = self.token_machine(mends["FunctionArn"], {}, HeartbeatSeconds=1)
        definition["States"]["Ask"]["Catch"] = [
            {"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Caught"}
        ]
        assert run(definition)["status"] == "SUCCEEDED"

    def test_heartbeats_keep_it_waiting_until_the_answer(
        self,
        mends: dict[str, str],
        start: Callable[..., str],
        outcome: Run,
        aws: Aws,
        history: History,
        wait_until: Callable[..., Any],
    ) -> None:
        states = aws("stepfunctions")
        arn = start(self.token_machine(mends["FunctionArn"], {}, HeartbeatSeconds=1))
        token = wait_until(lambda: self.token_of(arn, history))
        for _ in range(3):
            time.sleep(0.5)  # half of the time that is allowed
            states.send_task_heartbeat(taskToken=token)
        states.send_task_success(taskToken=token, output='{"approved": true}')
        assert json.loads(outcome(arn)["output"]) == {"approved": True}
        with pytest.raises(ClientError, match="TaskTimedOut"):
            states.send_task_success(taskToken=token, output="{}")

    def test_a_token_that_never_was(self, aws: Aws, mends: dict[str, str]) -> None:
        with pytest.raises(ClientError, match="InvalidToken"):
            aws("stepfunctions").send_task_success(taskToken="never", output="{}")
