"""The real state machine on the real engine, with the real functions, in one process and in virtual time.

S3, DynamoDB, SNS, SQS and EventBridge are moto's, SageMaker is `tests.workflow.faults.sagemaker`. Many runs
share one stage, each about a dataset of its own.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from retrain.states.errors import StatesError
from retrain.states.execution import Engine, Execution, SeededEntropy, TaskCall, VirtualClock
from retrain.states.model import parse
from retraining import settings
from retraining.aws import clients
from retraining.aws.ledger import DynamoLedger
from tests.samples.world import World
from tests.unit.functions import stack
from tests.workflow import machine
from tests.workflow.faults.faults import Fault, error_of
from tests.workflow.faults.sagemaker import HOLDOUT, SageMaker

ENDINGS = {"DEPLOYED", "REJECTED", "SKIPPED", "FAILED", "ROLLED_BACK"}


@dataclass
class Outcome:
    """What came of a run.

    Attributes
    ----------
    record
        The ledger's, None if there is none.
    told
        The outcomes in the notifications that people received.
    untold
        The outcomes in the queue of what could not be told.
    told_by_rule
        The outcomes that were told only after Step Functions had told of the failed execution.
    """

    execution: Execution
    record: dict[str, Any] | None
    told: list[str]
    untold: list[str]
    told_by_rule: list[str] = field(default_factory=list)


class Stage:
    """A stack with its state machine; use `playing` to make one."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        # The functions take the time from the machine's clock.
        self.clock = VirtualClock(start=time.time())
        self.sagemaker = SageMaker(self.now, lambda: clients.client("s3"))
        self.ringing: set[str] = set()
        self.alarms: dict[str, dict[str, Any]] = {}
        self.executions: dict[str, str] = {}
        self.spare = ""
        """A dataset with a champion, which the next case may go on with."""
        self._faults: Mapping[str, Fault] = {}
        self._late = 0.0
        self._engine: Engine | None = None
        self._attempts: Counter[str] = Counter()
        text = machine.PATH.read_text()
        self._definition = parse(json.loads(re.sub(r"\$\{(\w+)\}", _substituted, text)))
        self._mailbox = ""

    # -- the stack ----------------------------------------------------------------------------------------

    def create(self) -> None:
        """Make the stack's resources; a mailbox hears what people are told."""
        World(clients.client).create()
        sqs = clients.client("sqs")
        sqs.create_queue(QueueName="UntoldQueue")
        self._mailbox = sqs.get_queue_url(QueueName="inbox")["QueueUrl"]

    def client(self, service: str) -> Any:
        """The client of a service, as the functions get it."""
        return clients.client(service)

    def put_dataset(self, name: str, version: str) -> None:
        """Write a dataset and its holdout."""
        s3, bucket = clients.client("s3"), stack.NAMES["DataBucket"]
        s3.put_object(Bucket=bucket, Key=f"datasets/{name}/rows.csv", Body=version.encode())
        s3.put_object(Bucket=bucket, Key=f"holdout/{name}/labels.csv", Body=HOLDOUT)

    # -- running ------------------------------------------------------------------------------------------

    def run(
        self,
        run_id: str,
        request: Mapping[str, Any],
        faults: Sequence[Fault] = (),
        variables: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Run the state machine to its end, with faults on the way."""
        self._faults, self._attempts = {fault.state: fault for fault in faults}, Counter()
        self._variables = dict(variables or {})
        engine = Engine(_Runner(self), clock=self.clock, entropy=SeededEntropy())
        arn = f"arn:aws:states:{stack.REGION}:{stack.ACCOUNT}:execution:retrain:{run_id}"
        self._engine = engine
        execution = engine.create(self._definition, dict(request), name=run_id, arn=arn)
        self.executions[run_id] = "RUNNING"
        self.clock.run(lambda: engine.run(execution))
        self.executions[run_id] = execution.status
        ledger = DynamoLedger(stack.NAMES["LedgerTable"])
        return Outcome(execution, ledger.get_run(run_id), self._told(run_id), self._untold(run_id))

    def runs_of(self, dataset: str) -> list[str]:
        """The runs of a dataset so far."""
        return [name for name in self.executions if name.rpartition("-")[0] == dataset]

    def report_interruption(self, execution: Execution) -> list[str]:
        """Let the event rule tell of a failed execution; return what people hear."""
        arn, name = execution.identity.arn, execution.identity.name
        detail = {
            "executionArn": arn,
            "name": name,
            "status": "FAILED",
            "input": json.dumps(execution.input),
            "error": execution.error,
            "cause": execution.cause,
            "startDate": int(execution.started * 1000),
            "stopDate": int(self.clock.now() * 1000),
        }
        self._invoke("function:ReportInterruptionFunction", {"detail": detail})
        return self._told(name)

    def now(self) -> float:
        """The time, in seconds."""
        return self.clock.now() + self._late

    def clock_forward(self, seconds: float) -> None:
        """Let time pass between two runs."""
        self._late += seconds

    async def run_task(self, call: TaskCall) -> Any:
        """Run one task, unless the fault forbids."""
        attempt = self._attempts[call.state_name]
        self._attempts[call.state_name] += 1
        fault = self._faults.get(call.state_name)
        if fault is None or not fault.strikes(attempt):
            return await self._effect(call)
        if fault.after:
            await self._effect(call)
        if fault.hangs:
            await asyncio.get_running_loop().create_future()
        raise error_of(fault, call.resource)

    async def _effect(self, call: TaskCall) -> Any:
        await asyncio.sleep(1)
        _, _, action = call.resource.partition(":states:::")
        if action.startswith("lambda:invoke"):
            payload = self._invoke(call.arguments["FunctionName"], call.arguments["Payload"])
            if call.token is not None:
                return await call.token.wait()
            return {"Payload": payload, "StatusCode": 200}
        service, _, operation = action.removeprefix("aws-sdk:").removesuffix(".sync").partition(":")
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
        if service == "sqs":
            body = json.dumps(call.arguments["MessageBody"])
            return clients.client("sqs").send_message(QueueUrl=call.arguments["QueueUrl"], MessageBody=body)
        try:
            return getattr(self.sagemaker if service == "sagemaker" else self, name)(**call.arguments)
        except clients.ClientError as error:
            sdk = (
                "SageMaker.SageMakerException"
                if "aws-sdk" in action
                else "SageMaker.AmazonSageMakerException"
            )
            raise StatesError(sdk, str(error)) from error

    def _invoke(self, function: str, payload: Any) -> Any:
        logical = function.rpartition(":")[2]
        for name, value in (stack.environment(logical) | self._variables).items():
            self._patch.setenv(name, value)
        settings.load.cache_clear()
        module, _, attribute = stack.properties(logical)["Handler"].rpartition(".")
        handler = getattr(importlib.import_module(module), attribute)
        try:
            answer = handler(json.loads(json.dumps(payload)), SimpleNamespace(aws_request_id="1"))
        except Exception as error:
            document = {"errorType": type(error).__name__, "errorMessage": str(error)}
            raise StatesError(type(error).__name__, json.dumps(document)) from error
        return json.loads(json.dumps(answer))

    # -- services that moto does not play, or not so ------------------------------------------------------

    def put_metric_alarm(self, **request: Any) -> dict[str, Any]:
        """Keep an alarm."""
        self.alarms[request["AlarmName"]] = request
        return {}

    def describe_alarms(self, **request: Any) -> dict[str, Any]:
        """Give the alarms that ring."""
        return {
            "MetricAlarms": [{"AlarmName": name} for name in request["AlarmNames"] if name in self.ringing]
        }

    def describe_execution(self, **request: Any) -> dict[str, Any]:
        """Give how an execution fares."""
        name = request["executionArn"].rpartition(":")[2]
        stopped = {} if self.executions.get(name) == "RUNNING" else {"stopDate": _moment()}
        return {"status": self.executions.get(name, "SUCCEEDED"), "input": "{}", **stopped}

    def get_execution_history(self, **_: Any) -> dict[str, Any]:
        """Give no events: the run card does without."""
        return {"events": []}

    def describe_state_machine_for_execution(self, **_: Any) -> dict[str, Any]:
        """Give the definition."""
        return {"definition": machine.PATH.read_text()}

    def send_task_success(self, **request: Any) -> dict[str, Any]:
        """Let a run go on that waited for an answer."""
        assert self._engine is not None
        self._engine.tokens.succeed(request["taskToken"], json.loads(request["output"]))
        return {}

    # -- what people saw ----------------------------------------------------------------------------------

    def _told(self, run_id: str) -> list[str]:
        return [
            message["MessageAttributes"]["outcome"]["Value"]
            for message in self._messages(self._mailbox)
            if run_id in message["Message"]
            and message["MessageAttributes"]["outcome"]["Value"] != "AWAITING_APPROVAL"
        ]

    def _untold(self, run_id: str) -> list[str]:
        url = clients.client("sqs").get_queue_url(QueueName="UntoldQueue")["QueueUrl"]
        return [
            message["outcome"] for message in self._messages(url) if message["execution"]["name"] == run_id
        ]

    def _messages(self, url: str) -> Iterator[dict[str, Any]]:
        sqs = clients.client("sqs")
        while received := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in received:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                yield json.loads(message["Body"])


class _Runner:
    """The engine's view of a stage."""

    def __init__(self, stage: Stage) -> None:
        self.run = stage.run_task


@contextmanager
def playing() -> Iterator[Stage]:
    """Make a stage; everything is gone afterwards."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        place = {"AWS_DEFAULT_REGION": stack.REGION, "MOTO_ACCOUNT_ID": stack.ACCOUNT}
        for name, value in (credentials | place).items():
            patch.setenv(name, value)
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
            if name in os.environ:
                patch.delenv(name)
        clients.client.cache_clear()
        stage = Stage(patch)
        made = boto3.client
        played = {"sagemaker": stage.sagemaker, "sagemaker-runtime": stage.sagemaker, "cloudwatch": stage}
        stage.create()
        clients.client.cache_clear()
        played["stepfunctions"] = stage

        def play(service: str, **options: Any) -> Any:
            return played.get(service) or made(service, **options)

        patch.setattr(boto3, "client", play)
        yield stage
    clients.client.cache_clear()
    settings.load.cache_clear()


class Theatre:
    """Gives stages: a new one after so many runs, because moto becomes slow with all that they leave."""

    RUNS = 40

    def __init__(self) -> None:
        self._open = ExitStack()
        self._stage: Stage | None = None

    def stage(self) -> Stage:
        """Return a stage that has not seen too much."""
        if self._stage is None or len(self._stage.executions) >= self.RUNS:
            self.close()
            self._stage = self._open.enter_context(playing())
        return self._stage

    def close(self) -> None:
        """Clear the stage."""
        self._open.close()
        self._stage = None


def _substituted(found: re.Match[str]) -> str:
    if found[1] == "UntoldQueueUrl":
        return f"https://sqs.{stack.REGION}.amazonaws.com/{stack.ACCOUNT}/UntoldQueue"
    return str(stack.properties("StateMachine")["DefinitionSubstitutions"][found[1]])


def _moment() -> datetime:
    return datetime.now(UTC)
