"""A local CodePipeline without a cloud: its clients are fakes."""

from __future__ import annotations

import io
import json
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from retrain.localcloud.codepipeline.platform import Platform, Settings
from retrain.localcloud.codepipeline.service import CodePipeline

ROLE = "arn:aws:iam::000000000000:role/pipeline"
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:retrain"
QUICK = Settings(pause=0.001, reply=5, lambda_action=5, step_functions_action=5)


def source() -> dict[str, Any]:
    return {
        "name": "Build",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": {"S3Bucket": "sources", "S3ObjectKey": "build.zip"},
        "outputArtifacts": [{"name": "Build"}],
        "namespace": "Build",
    }


def by_lambda(**configuration: str) -> dict[str, Any]:
    return {
        "name": "Retrain",
        "namespace": "Retrain",
        "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"},
        "configuration": {"FunctionName": "job", **configuration},
        "inputArtifacts": [{"name": "Build"}],
    }


def natively(**configuration: str) -> dict[str, Any]:
    return {
        "name": "Retrain",
        "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "StepFunctions", "version": "1"},
        "configuration": {"StateMachineArn": MACHINE, **configuration},
        "inputArtifacts": [{"name": "Build"}],
    }


def pipeline(*actions: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A pipeline with a source and a stage of its own for each further action."""
    stages = [
        {"name": f"Stage{number}", "actions": [action]} for number, action in enumerate((source(), *actions))
    ]
    store = {"type": "S3", "location": "artifacts"}
    return {"name": "retrain", "roleArn": ROLE, "artifactStore": store, "stages": stages, **changes}


class FakeCloud:
    """The services that actions call, by name; `invoked` is called with every job event."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.invoked: Callable[[dict[str, Any]], None] = lambda event: None
        self.executions: dict[str, dict[str, Any]] = {}
        self.inputs: dict[str, Any] = {}
        self.sessions = 0

    def client(self, service: str) -> FakeCloud:
        return self

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self.objects[Bucket, Key]), "ETag": '"e"', "VersionId": "v1"}

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        self.objects[Bucket, Key] = Body

    def assume_role(self, RoleArn: str, RoleSessionName: str) -> dict[str, Any]:  # noqa: N803
        self.sessions += 1
        assert (RoleArn, len(RoleSessionName) <= 64) == (ROLE, True)
        keys = {
            name: f"{name}-{self.sessions}" for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")
        }
        return {"Credentials": keys}

    def invoke(self, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
        assert (FunctionName, InvocationType) == ("job", "Event")
        threading.Thread(target=self.invoked, args=(json.loads(Payload),), daemon=True).start()

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, str]:  # noqa: A002, N803
        self.inputs[name] = json.loads(input)
        return {"executionArn": f"{stateMachineArn}:{name}"}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        return self.executions.get("any", {"status": "RUNNING"})


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> FakeCloud:
    fake = FakeCloud()
    monkeypatch.setattr(Platform, "client", lambda self, service: fake.client(service))
    return fake


@pytest.fixture
def service(cloud: FakeCloud, tmp_path: Path) -> CodePipeline:
    return CodePipeline(Platform("http://127.0.0.1:1", QUICK), tmp_path)


@pytest.fixture
def ended(service: CodePipeline) -> Callable[..., dict[str, Any]]:
    """Start a pipeline, wait for its end, and give the execution, its last action's detail in it."""

    def run(declaration: dict[str, Any], **request: Any) -> dict[str, Any]:
        service.call("CreatePipeline", {"pipeline": declaration})
        name = declaration["name"]
        begun = service.call("StartPipelineExecution", {"name": name, **request})["pipelineExecutionId"]
        return wait_for(service, name, begun)

    return run


def wait_for(service: CodePipeline, name: str, execution: str) -> dict[str, Any]:
    request = {"pipelineName": name, "pipelineExecutionId": execution}
    for thread in threading.enumerate():
        if thread.name == f"pipeline-{execution}":
            thread.join(10)
    found = service.call("GetPipelineExecution", request)["pipelineExecution"]
    assert found["status"] != "InProgress"
    actions = service.call(
        "ListActionExecutions", {"pipelineName": name, "filter": {"pipelineExecutionId": execution}}
    )
    return {**found, "actions": actions["actionExecutionDetails"]}


def unknown_job() -> str:
    return str(uuid.uuid4())
