"""Fakes of the services that the commands ask, and of what the stack's functions write."""

# ruff: noqa: N803 (the arguments of fakes are named as boto3 names them)

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from retrain.aws import Stack, Target

START = datetime(2026, 8, 1, 12, 0, 0, tzinfo=UTC)
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
OUTPUTS = {
    "DataBucketName": "data-bucket",
    "ArtifactsBucketName": "artifacts-bucket",
    "EvaluateChallengerFunctionName": "gate",
    "LedgerTableName": "ledger",
    "StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:retrain",
    "NotificationTopicArn": "arn:aws:sns:us-east-1:123456789012:retrain",
}


def refusal(code: str, operation: str = "Operation", message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class FakeLedger:
    """The ledger's table, in pages of two."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def get_item(self, *, TableName: str, Key: dict[str, Any], ConsistentRead: bool) -> dict[str, Any]:
        for record in self.records:
            if (record["pk"], record["sk"]) == (Key["pk"]["S"], Key["sk"]["S"]):
                return {"Item": _stored(record)}
        return {}

    def put_item(self, *, TableName: str, Item: dict[str, Any]) -> None:
        self.records.append({key: TypeDeserializer().deserialize(value) for key, value in Item.items()})

    def delete_item(self, *, TableName: str, Key: dict[str, Any]) -> None:
        place = (Key["pk"]["S"], Key["sk"]["S"])
        self.records = [record for record in self.records if (record["pk"], record["sk"]) != place]

    def query(self, *, ExclusiveStartKey: int = 0, **request: Any) -> dict[str, Any]:
        assert request["IndexName"] == "ByKind"
        assert request["ScanIndexForward"] is False
        kind = request["ExpressionAttributeValues"][":kind"]["S"]
        found = sorted(
            (record for record in self.records if record["kind"] == kind),
            key=lambda record: record["started_at"],
            reverse=True,
        )
        page = found[ExclusiveStartKey : ExclusiveStartKey + 2]
        more = {"LastEvaluatedKey": ExclusiveStartKey + 2} if len(found) > ExclusiveStartKey + 2 else {}
        return {"Items": [_stored(record) for record in page], **more}


def _stored(record: dict[str, Any]) -> dict[str, Any]:
    as_decimals = json.loads(json.dumps(record, default=float), parse_float=Decimal)
    return {key: TypeSerializer().serialize(value) for key, value in as_decimals.items()}


class FakeGate:
    """The function that judges and answers questions about the gate; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        assert FunctionName == OUTPUTS["EvaluateChallengerFunctionName"]
        self.asked.append(json.loads(Payload))
        answer = self.answers.pop(0)
        failed = {"FunctionError": "Unhandled"} if "errorMessage" in answer else {}
        return {"Payload": _Readable(json.dumps(answer).encode()), **failed}


@dataclass
class FakeStates:
    """Step Functions, with executions that go on by one event with each look."""

    machines: dict[str, dict[str, Any]] = field(default_factory=dict)

    def begin(
        self, run_id: str, events: list[dict[str, Any]], *, status: str = "SUCCEEDED", seen: int = 0
    ) -> None:
        self.machines[run_id] = {"events": events, "status": status, "seen": seen}

    def list_executions(self, *, stateMachineArn: str, maxResults: int) -> dict[str, Any]:
        names = list(reversed(self.machines))[:maxResults]
        return {"executions": [self._describe(name) for name in names]}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        name = executionArn.rsplit(":", 1)[1]
        if name not in self.machines:
            raise refusal("ExecutionDoesNotExist", "DescribeExecution")
        self.machines[name]["seen"] += 1
        return self._describe(name)

    def get_execution_history(self, *, executionArn: str, nextToken: str = "0", **_: Any) -> dict[str, Any]:
        machine = self.machines[executionArn.rsplit(":", 1)[1]]
        seen = machine["events"][: machine["seen"]]
        start = int(nextToken)
        more = {"nextToken": str(start + 3)} if len(seen) > start + 3 else {}
        return {"events": seen[start : start + 3], **more}

    def _describe(self, name: str) -> dict[str, Any]:
        machine = self.machines[name]
        arn = OUTPUTS["StateMachineArn"].replace("stateMachine", "execution") + f":{name}"
        shown = {"executionArn": arn, "name": name, "status": "RUNNING", "startDate": START}
        if machine["seen"] >= len(machine["events"]):
            shown |= {
                "status": machine["status"],
                "stopDate": START + timedelta(seconds=len(machine["events"])),
            }
            if machine["status"] == "FAILED":
                shown |= {"error": "PrepareError", "cause": "The dataset is empty."}
        return shown


class FakeLogs:
    """CloudWatch Logs, in pages of two lines."""

    def __init__(self) -> None:
        self.streams: dict[str, list[str]] = {}

    def describe_log_streams(self, *, logGroupName: str, logStreamNamePrefix: str) -> dict[str, Any]:
        assert logGroupName == "/aws/sagemaker/TrainingJobs"
        if not self.streams:
            raise refusal("ResourceNotFoundException", "DescribeLogStreams")
        names = [name for name in self.streams if name.startswith(logStreamNamePrefix)]
        order = {name: number for number, name in enumerate(self.streams)}
        return {
            "logStreams": [{"logStreamName": name, "creationTime": order[name]} for name in sorted(names)]
        }

    def get_log_events(self, *, logStreamName: str, nextToken: str = "f/0", **_: Any) -> dict[str, Any]:
        start = int(nextToken.removeprefix("f/"))
        lines = self.streams[logStreamName][start : start + 2]
        moment = int(START.timestamp() * 1000)
        events = [{"timestamp": moment + number, "message": line} for number, line in enumerate(lines)]
        return {"events": events, "nextForwardToken": f"f/{start + len(lines)}"}


class FakeRuntime:
    """An endpoint that answers with the number of bright rows, so that a test can choose the answer."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        self.answer: Callable[[bytes, str], Any] = lambda *_: {
            "predictions": [{"label": 7, "probabilities": [0.0] * 7 + [0.9] + [0.05] * 2}]
        }

    def invoke_endpoint(
        self, *, EndpointName: str, Body: bytes, ContentType: str, Accept: str
    ) -> dict[str, Any]:
        self.requests.append((EndpointName, ContentType, Body))
        answer = self.answer(Body, ContentType)
        if isinstance(answer, Exception):
            raise answer
        return {"Body": _Readable(answer if isinstance(answer, bytes) else json.dumps(answer).encode())}


@dataclass
class _Readable:
    content: bytes

    def read(self) -> bytes:
        return self.content


class FakeStack(Stack):
    """A stack in which fakes take the place of clients; services without a fake are moto's."""

    def __init__(self) -> None:
        super().__init__("retrain", Target(environment=KEYS))
        self.outputs = dict(OUTPUTS)
        self.ledger = FakeLedger()
        self.gate = FakeGate()
        self.states = FakeStates()
        self.logs = FakeLogs()
        self.runtime = FakeRuntime()
        self._clients = {
            "dynamodb": self.ledger,
            "lambda": self.gate,
            "stepfunctions": self.states,
            "logs": self.logs,
            "sagemaker-runtime": self.runtime,
        }

    @property
    def is_near(self) -> bool:
        return True


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def json_lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def run_record(run_id: str, **fields: Any) -> dict[str, Any]:
    """A run's record, as record_outcome writes it."""
    return {
        "pk": f"RUN#{run_id}",
        "sk": "RUN",
        "kind": "run",
        "run_id": run_id,
        "dataset": "mnist",
        "started_at": "2026-08-01T12:00:00Z",
        "finished_at": "2026-08-01T12:01:05Z",
        "outcome": "DEPLOYED",
        "reason": "accuracy 98.6 % is at least 95.0 %",
        "training_job_name": f"retrain-{run_id}-r0t0",
        "decision": DECISION,
        "error": None,
        **fields,
    }


def trigger_record(identity: str, result: str, **fields: Any) -> dict[str, Any]:
    """A trigger's record, as start_retraining writes it."""
    return {
        "pk": f"TRIGGER#s3#{identity}",
        "sk": "TRIGGER",
        "kind": "trigger",
        "trigger_id": f"s3#{identity}",
        "trigger": {"kind": "s3", "id": identity, "time": "2026-08-01T12:00:00Z"},
        "dataset": "mnist",
        "closed_by": "_SUCCESS",
        "started_at": "2026-08-01T12:00:00Z",
        "result": result,
        "run_id": None,
        "reason": "Because.",
        **fields,
    }


DECISION = {
    "verdict": "promote",
    "summary": "The challenger is good enough.",
    "checks": [
        {
            "name": "value_threshold",
            "figure": 0.9861,
            "bound": 0.95,
            "passed": True,
            "sentence": "98.61 % is enough.",
        },
        {
            "name": "change_threshold",
            "figure": -0.02,
            "bound": 0.0,
            "passed": False,
            "sentence": "It is worse.",
        },
    ],
    "metrics": {"challenger": {"accuracy": 0.9861}, "champion": None},
}


def history(*steps: tuple[str, str, dict[str, Any]], end: str = "ExecutionSucceeded") -> list[dict[str, Any]]:
    """Events of an execution that goes through states `(name, type, output)`, one second each."""
    events: list[dict[str, Any]] = [{"type": "ExecutionStarted"}]
    data: dict[str, Any] = {}
    for name, kind, output in steps:
        events.append(
            {
                "type": f"{kind}StateEntered",
                "stateEnteredEventDetails": {"name": name, "input": json.dumps(data)},
            }
        )
        data = {**data, **output}
        events.append(
            {
                "type": f"{kind}StateExited",
                "stateExitedEventDetails": {"name": name, "output": json.dumps(data)},
            }
        )
    events.append({"type": end})
    for number, event in enumerate(events):
        event |= {"id": number + 1, "timestamp": START + timedelta(seconds=number)}
    return events
