"""A local cloud in which a tiny image stands for every image, and short ways to ask it for things."""

from __future__ import annotations

import io
import json
import tarfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from retrain.localcloud import process
from retrain.localcloud.clients import client

PROJECT = Path(__file__).resolve().parents[3]
IMAGE = Path(__file__).with_name("image")
ROLE = "arn:aws:iam::000000000000:role/training"
BUCKET = "sagemaker-tests"

Wait = Callable[..., Any]


def start_cloud(state_dir: Path) -> process.LocalCloud:
    return process.up(state_dir, port=None, project_root=PROJECT, images={"*tiny*": IMAGE}, deploy=False)


@pytest.fixture(scope="session")
def tiny_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[process.LocalCloud]:
    state_dir = tmp_path_factory.mktemp("tinycloud")
    cloud = start_cloud(state_dir)
    client("s3", cloud.endpoint_url).create_bucket(Bucket=BUCKET)
    yield cloud
    process.down(state_dir)


@pytest.fixture(scope="session")
def tiny(tiny_cloud: process.LocalCloud, wait_until: Wait) -> Tiny:
    return Tiny(tiny_cloud, wait_until)


class Tiny:
    """The tiny cloud's SageMaker."""

    def __init__(self, cloud: process.LocalCloud, wait_until: Wait) -> None:
        self.cloud = cloud
        self.wait_until = wait_until
        self.s3 = client("s3", cloud.endpoint_url)
        self.sagemaker = client("sagemaker", cloud.endpoint_url)
        self.runtime = client("sagemaker-runtime", cloud.endpoint_url)
        self.logs = client("logs", cloud.endpoint_url)

    @staticmethod
    def name(prefix: str) -> str:
        return f"{prefix}-{uuid.uuid4().hex[:10]}"

    # -- S3 -----------------------------------------------------------------------------------------------

    def put(self, **objects: str) -> str:
        """Store objects under a new prefix; double underscores are slashes, single ones dots."""
        prefix = self.name("data")
        for name, content in objects.items():
            key = name.replace("__", "/").replace("_", ".")
            self.s3.put_object(Bucket=BUCKET, Key=f"{prefix}/{key}", Body=content.encode())
        return f"s3://{BUCKET}/{prefix}/"

    def read(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def unpack(self, uri: str) -> dict[str, str]:
        """The files of a packed artifact."""
        with tarfile.open(fileobj=io.BytesIO(self.read(uri))) as tar:
            members = [member for member in tar.getmembers() if member.isfile()]
            return {member.name: tar.extractfile(member).read().decode() for member in members}  # type: ignore[union-attr]

    def exists(self, uri: str) -> bool:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return bool(self.s3.list_objects_v2(Bucket=bucket, Prefix=key).get("KeyCount"))

    # -- training -----------------------------------------------------------------------------------------

    def request(self, data: str | None = None, **changes: Any) -> dict[str, Any]:
        """A request for a training job; hyperparameters are given by name, the rest in capitals."""
        name = changes.pop("TrainingJobName", None) or self.name("job")
        request: dict[str, Any] = {
            "TrainingJobName": name,
            "RoleArn": ROLE,
            "AlgorithmSpecification": {
                "TrainingImage": "registry.example.com/tiny:1",
                "TrainingInputMode": "File",
            },
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/runs"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }
        if data:
            request["InputDataConfig"] = [channel("training", data)]
        hyperparameters = {key: str(changes.pop(key)) for key in list(changes) if key[0].islower()}
        return {**request, "HyperParameters": hyperparameters, **changes}

    def begin(self, data: str | None = None, **changes: Any) -> str:
        request = self.request(data, **changes)
        self.sagemaker.create_training_job(**request)
        return str(request["TrainingJobName"])

    def train(self, data: str | None = None, **changes: Any) -> dict[str, Any]:
        """Train and give the description at the end."""
        return self.ended(self.begin(data, **changes))

    def ended(self, name: str, seconds: float = 20.0) -> dict[str, Any]:
        def ask() -> dict[str, Any] | None:
            found: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
            return found if found["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

        job: dict[str, Any] = self.wait_until(ask, seconds=seconds, what=f"the end of {name}")
        return job

    def lines(self, group: str, prefix: str) -> list[str]:
        """The log lines of all streams with that prefix."""
        try:
            streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)[
                "logStreams"
            ]
        except self.logs.exceptions.ResourceNotFoundException:
            return []
        return [
            event["message"]
            for stream in streams
            for event in self.logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]

    def job_lines(self, name: str) -> list[str]:
        return self.lines("/aws/sagemaker/TrainingJobs", f"{name}/")

    def until_line(self, name: str, part: str) -> str:
        """Wait until a job has logged a line that holds `part`, and give the line."""
        line: str = self.wait_until(
            lambda: next((line for line in self.job_lines(name) if part in line), None),
            what=f"{part!r} in the log",
        )
        return line

    # -- hosting ------------------------------------------------------------------------------------------

    def model(self, answer: str = "42", label: str | None = None, **environment: str) -> str:
        """A model whose server answers `answer`."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            member = tarfile.TarInfo("weights.txt")
            member.size = len(answer)
            tar.addfile(member, io.BytesIO(answer.encode()))
        name = self.name("model")
        self.s3.put_object(Bucket=BUCKET, Key=f"models/{name}/model.tar.gz", Body=buffer.getvalue())
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=ROLE,
            PrimaryContainer={
                "Image": "tiny:1",
                "ModelDataUrl": f"s3://{BUCKET}/models/{name}/model.tar.gz",
                "Environment": {**({"MODEL_LABEL": label} if label else {}), **environment},
            },
        )
        return name

    def config(self, *models: str, weights: tuple[float, ...] = (), **variant: Any) -> str:
        name = self.name("config")
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": "ABC"[number],
                    "ModelName": model,
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                    **({"InitialVariantWeight": weights[number]} if weights else {}),
                    **variant,
                }
                for number, model in enumerate(models)
            ],
        )
        return name

    def deploy(self, config: str, name: str | None = None) -> str:
        name = name or self.name("endpoint")
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        assert self.settled(name)["EndpointStatus"] == "InService"
        return name

    def settled(self, name: str, seconds: float = 20.0) -> dict[str, Any]:
        def ask() -> dict[str, Any] | None:
            found: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
            return found if found["EndpointStatus"] in ("InService", "Failed") else None

        endpoint: dict[str, Any] = self.wait_until(ask, seconds=seconds, what=f"endpoint {name} settled")
        return endpoint

    def ask(self, endpoint: str, body: str = "hello", **parameters: Any) -> dict[str, Any]:
        answer = self.runtime.invoke_endpoint(EndpointName=endpoint, Body=body.encode(), **parameters)
        return {**json.loads(answer["Body"].read()), "variant": answer["InvokedProductionVariant"]}


def channel(name: str, uri: str, **source: Any) -> dict[str, Any]:
    """An input channel over a prefix."""
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, **source}},
    }
