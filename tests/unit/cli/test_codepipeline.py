"""`retrain local codepipeline`: what it makes in the local cloud, and how it tells what came of it."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from retrain.errors import AwsCallError
from retrain.operations import codepipeline
from retrain.operations.codepipeline import Build

REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com"


class FakePipelines:
    """CodePipeline, IAM and S3 of a local cloud, in which executions end when they are looked at."""

    def __init__(self) -> None:
        self.pipelines: dict[str, dict[str, Any]] = {}
        self.objects: dict[tuple[str, str], bytes] = {}
        self.buckets: list[str] = []
        self.roles: set[str] = set()
        self.details: list[dict[str, Any]] = []
        self.statuses = ["InProgress", "Succeeded"]

    def list_pipelines(self) -> dict[str, Any]:
        return {"pipelines": [{"name": name} for name in self.pipelines]}

    def create_pipeline(self, *, pipeline: dict[str, Any]) -> None:
        assert pipeline["name"] not in self.pipelines
        self.pipelines[pipeline["name"]] = pipeline

    def update_pipeline(self, *, pipeline: dict[str, Any]) -> None:
        assert pipeline["name"] in self.pipelines
        self.pipelines[pipeline["name"]] = pipeline

    def start_pipeline_execution(self, *, name: str) -> dict[str, str]:
        assert name in self.pipelines
        return {"pipelineExecutionId": "execution-1"}

    def get_pipeline_execution(self, **_: str) -> dict[str, Any]:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return {"pipelineExecution": {"status": status}}

    def list_action_executions(self, **_: Any) -> dict[str, Any]:
        return {"actionExecutionDetails": list(reversed(self.details))}

    def create_bucket(self, *, Bucket: str) -> None:  # noqa: N803
        self.buckets.append(Bucket)

    def put_bucket_versioning(self, **_: Any) -> None:
        pass

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        self.objects[Bucket, Key] = Body

    def create_role(self, *, RoleName: str, AssumeRolePolicyDocument: str) -> None:  # noqa: N803
        assert json.loads(AssumeRolePolicyDocument)["Statement"][0]["Action"] == "sts:AssumeRole"
        if RoleName in self.roles:
            raise AwsCallError("It exists.", code="EntityAlreadyExists")
        self.roles.add(RoleName)

    def put_role_policy(self, *, RoleName: str, PolicyName: str, PolicyDocument: str) -> None:  # noqa: N803
        assert PolicyName
        assert RoleName in self.roles
        (statement,) = json.loads(PolicyDocument)["Statement"]
        assert statement["Resource"].removesuffix("/*").rpartition(":")[2] in self.buckets


def detail(name: str, status: str, summary: str = "", **output: Any) -> dict[str, Any]:
    result = {"externalExecutionSummary": summary} if summary else {}
    return {
        "actionExecutionId": f"{name}-1",
        "actionName": name,
        "status": status,
        "output": {"executionResult": {**result, **output.pop("result", {})}, **output},
    }


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> FakePipelines:
    """A local cloud that is up."""
    fake = FakePipelines()
    stack = SimpleNamespace(
        name="retrain",
        client=lambda service: fake,
        output=lambda key: {"StateMachineArn": "arn:machine", "CodePipelineJobFunctionName": "job"}[key],
        explained_errors=lambda doing: nullcontext(),
    )
    monkeypatch.setattr("retrain.cli.codepipeline._stack", lambda: stack)
    monkeypatch.setattr("retrain.operations.codepipeline.time.sleep", lambda _: None)
    return fake


def configuration(cloud: FakePipelines, way: str) -> dict[str, str]:
    stage = cloud.pipelines[f"retrain-{way}"]["stages"][1]
    found: dict[str, str] = stage["actions"][0]["configuration"]
    return found


def artifact(cloud: FakePipelines) -> dict[str, Any]:
    (content,) = cloud.objects.values()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


def test_a_build_goes_to_the_function(retrain, cloud):
    ended = retrain("local", "codepipeline", "run", "--image", "retrain-training:1", "--force")
    assert (ended.code, ended.out) == (
        0,
        "The pipeline retrain-lambda has begun its execution execution-1.\n",
    )
    assert configuration(cloud, "lambda") == {
        "FunctionName": "job",
        "UserParameters": '{"dataset": {"name": "mnist"}, "force": true}',
    }
    assert artifact(cloud) == {
        "imageDetail.json": {"ImageURI": f"{REGISTRY}/retrain-training:1"},
        "retrain.json": {
            "dataset": {"name": "mnist"},
            "force": True,
            "trigger": {"kind": "codepipeline", "id": f"build of {REGISTRY}/retrain-training:1"},
            "training": {"image_uri": f"{REGISTRY}/retrain-training", "image_tag": "1"},
        },
    }
    assert len(set(cloud.buckets)) == 2


def test_a_build_goes_to_the_state_machine(retrain, cloud):
    arguments = "--image", "example.com/a/b@sha256:0", "--way", "native", "--dataset", "digits"
    ended = retrain("local", "codepipeline", "run", *arguments, "--json")
    assert ended.json == {"pipeline": "retrain-native", "execution": "execution-1"}
    assert configuration(cloud, "native") == {
        "StateMachineArn": "arn:machine",
        "ExecutionNamePrefix": "pipeline",
        "InputType": "FilePath",
        "Input": "retrain.json",
    }
    assert artifact(cloud)["retrain.json"]["training"] == {"image_uri": "example.com/a/b@sha256:0"}


def test_a_second_run_changes_the_pipeline_that_there_is(retrain, cloud):
    run = "local", "codepipeline", "run", "--image", "retrain-training:1"
    retrain(*run)
    ended = retrain(*run, "--on-rejected", "succeed", "--image-file", "imagedefinitions.json")
    assert ended.code == 0
    assert '"on_rejected": "succeed"' in configuration(cloud, "lambda")["UserParameters"]
    image = f"{REGISTRY}/retrain-training:1"
    assert artifact(cloud)["imagedefinitions.json"] == [{"name": "training", "imageUri": image}]


def test_watching_a_pipeline_to_its_end(retrain, cloud):
    variables = {"RunId": "mnist-1", "Verdict": "promote"}
    cloud.details = [
        detail("Build", "Succeeded", "Amazon S3 version id: v1"),
        detail("Retrain", "Succeeded", "Run mnist-1: DEPLOYED.", outputVariables=variables),
    ]
    ended = retrain("local", "codepipeline", "run", "--image", "retrain-training:1", "--watch")
    assert ended.code == 0
    assert ended.out.splitlines() == [
        "Build    Succeeded  Amazon S3 version id: v1",
        "Retrain  Succeeded  Run mnist-1: DEPLOYED.",
        "  RunId  mnist-1",
        "  Verdict  promote",
        "pipeline retrain-lambda  Succeeded",
    ]


def test_watching_a_pipeline_fail(retrain, cloud):
    cloud.statuses = ["Failed"]
    error = {"errorDetails": {"code": "JobFailed", "message": "Run mnist-1: REJECTED."}}
    cloud.details = [detail("Retrain", "Failed", result=error)]
    ended = retrain("local", "codepipeline", "run", "--image", "retrain-training:1", "--watch")
    assert ended.code == 1
    assert "Retrain  Failed  Run mnist-1: REJECTED." in ended.out
    ended = retrain("local", "codepipeline", "run", "--image", "retrain-training:1", "--watch", "--json")
    assert (ended.code, ended.json["status"], len(ended.json["actions"])) == (1, "Failed", 1)


def test_giving_up(retrain, cloud):
    cloud.statuses = ["InProgress"]
    ended = retrain(
        "local", "codepipeline", "run", "--image", "retrain-training:1", "--watch", "--timeout", "0"
    )
    assert ended.code == 1
    assert "has not ended within 0 s; it goes on" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--way", "both"), "--way is 'both'; it must be one of native, lambda."),
        (("--image-file", "image.json"), "--image-file is 'image.json'"),
        (("--on-rejected", "ignore"), "--on-rejected is 'ignore'"),
        (("--on-rejected", "fail", "--way", "native"), "--on-rejected is for --way lambda"),
    ],
)
def test_options_that_cannot_be_meant(retrain, cloud, arguments, said):
    ended = retrain("local", "codepipeline", "run", "--image", "retrain-training:1", *arguments)
    assert ended.code == 2
    assert said in ended.err
    assert cloud.pipelines == {}


def test_without_a_local_cloud(retrain):
    ended = retrain("local", "codepipeline", "run", "--image", "retrain-training:1")
    assert (ended.code, "No local cloud is running" in ended.err) == (2, True)


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("retrain-training:1", f"{REGISTRY}/retrain-training:1"),
        ("team/training", f"{REGISTRY}/team/training"),
        ("example.com/training:1", "example.com/training:1"),
        ("localhost:5000/training:1", "localhost:5000/training:1"),
    ],
)
def test_images_without_a_registry_are_the_local_clouds(image, found):
    assert codepipeline.in_registry(image) == found


def test_a_registry_with_a_port_is_no_tag():
    with zipfile.ZipFile(io.BytesIO(Build("localhost:5000/training", {}).archive())) as archive:
        request = json.loads(archive.read("retrain.json"))
    assert request["training"] == {"image_uri": "localhost:5000/training"}
