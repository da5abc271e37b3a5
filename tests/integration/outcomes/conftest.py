"""A stack that real people's data goes through: upload it, read what they are told, look at what serves."""

from __future__ import annotations

import io
import json
import re
import tarfile
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrain.localcloud import deploy, process
from tests.integration.definitions import Aws
from tests.unit.training.digits import draw_digits, idx_bytes

PROJECT = Path(__file__).resolve().parents[3]

CLOSED = {
    "RetrainDatasets": "",
    "AcceptRetrainRequests": "off",
    "ImagePushRepositories": "",
    "AlarmNames": "",
    "ScheduleExpression": "",
}
"""The ways in that samconfig.toml opens for those who try things; a test opens the one that it is about."""

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Told:
    """What a subscriber received for a run, and the run's record."""

    subject: str
    body: str
    attributes: dict[str, str]
    run: dict[str, Any]


@dataclass(frozen=True)
class People:
    """Somebody who uses the stack."""

    aws: Aws
    outputs: Mapping[str, str]
    queue_url: str
    wait_until: Callable[..., Any]

    def upload(self, dataset: str, files: Files) -> Told:
        """Replace the dataset's files, close the batch, and give what comes of it."""
        bucket = self.outputs["DataBucketName"]
        listing = self.aws("s3").list_objects_v2(Bucket=bucket, Prefix=f"datasets/{dataset}/")
        for found in listing.get("Contents", []):
            self.aws("s3").delete_object(Bucket=bucket, Key=found["Key"])
        for name, content in [*files.items(), ("_SUCCESS", b"")]:
            self.aws("s3").put_object(Bucket=bucket, Key=f"datasets/{dataset}/{name}", Body=content)
        return self.told(dataset)

    def put_holdout(self, dataset: str, files: Files) -> None:
        """Write the dataset's holdout."""
        for name, content in files.items():
            key = f"holdout/{dataset}/{name}"
            self.aws("s3").put_object(Bucket=self.outputs["DataBucketName"], Key=key, Body=content)

    def start(self, request: Mapping[str, Any]) -> str:
        """Start the state machine by hand."""
        answer = self.aws("stepfunctions").start_execution(
            stateMachineArn=self.outputs["StateMachineArn"], input=json.dumps(request)
        )
        return str(answer["executionArn"])

    def program(self, name: str, code: str) -> str:
        """Put a training program in script mode where a request may take it from."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            content = textwrap.dedent(code).encode()
            member = tarfile.TarInfo("train.py")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        bucket, key = self.outputs["ArtifactsBucketName"], f"sources/{name}/sourcedir.tar.gz"
        self.aws("s3").put_object(Bucket=bucket, Key=key, Body=archive.getvalue())
        return f"s3://{bucket}/{key}"

    def told(self, dataset: str, *, seconds: float = 120) -> Told:
        """Wait for the next notification about a dataset."""

        def receive() -> Told | None:
            answer = self.aws("sqs").receive_message(QueueUrl=self.queue_url, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                self.aws("sqs").delete_message(
                    QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
                envelope = json.loads(message["Body"])
                attributes = {name: entry["Value"] for name, entry in envelope["MessageAttributes"].items()}
                # An alarm of the endpoint is told of by itself; here it is about how a run ended.
                if attributes["dataset"] == dataset and attributes["outcome"] != "ALARM":
                    run_id = re.search(r"^  run +(\S+)$", envelope["Message"], re.MULTILINE)
                    assert run_id, envelope["Message"]
                    return Told(
                        envelope["Subject"], envelope["Message"], attributes, self.run_record(run_id[1])
                    )
            return None

        told: Told = self.wait_until(receive, seconds=seconds, what=f"a notification about {dataset}")
        return told

    def run_record(self, run_id: str) -> dict[str, Any]:
        """The run as ``run.json`` has it."""
        answer = self.aws("s3").get_object(
            Bucket=self.outputs["ArtifactsBucketName"], Key=f"runs/{run_id}/run.json"
        )
        record: dict[str, Any] = json.load(answer["Body"])
        return record

    def serving(self, endpoint: str) -> str | None:
        """The endpoint config that an endpoint serves, if there is an endpoint."""
        sagemaker = self.aws("sagemaker")
        if not any(found["EndpointName"] == endpoint for found in sagemaker.list_endpoints()["Endpoints"]):
            return None
        description = sagemaker.describe_endpoint(EndpointName=endpoint)
        return (
            str(description["EndpointConfigName"]) if description["EndpointStatus"] == "InService" else None
        )

    def ask(self, endpoint: str, images: np.ndarray[Any, np.dtype[np.uint8]]) -> list[int]:
        """Ask an endpoint for digits."""
        body = io.BytesIO()
        np.save(body, images)
        answer = self.aws("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint, ContentType="application/x-npy", Body=body.getvalue()
        )
        return [entry["label"] for entry in json.load(answer["Body"])["predictions"]]


def dataset_files(count: int = 1500, seed: int = 1) -> dict[str, bytes]:
    """A small dataset that the reference program learns in a second."""
    images, labels = draw_digits(count, seed)
    return {"train-images-idx3-ubyte": idx_bytes(images), "train-labels-idx1-ubyte": idx_bytes(labels)}


def holdout_files(count: int = 300, seed: int = 2) -> dict[str, bytes]:
    """Its holdout."""
    images, labels = draw_digits(count, seed)
    rows = "\n".join(f"{row},{label}" for row, label in enumerate(labels))
    return {
        "t10k-images-idx3-ubyte": idx_bytes(images),
        "t10k-labels-idx1-ubyte": idx_bytes(labels),
        "labels.csv": f"id,label\n{rows}\n".encode(),
    }


@pytest.fixture(scope="session")
def open_stack(
    local_cloud: process.LocalCloud, aws: Aws, wait_until: Callable[..., Any]
) -> Callable[..., People]:
    """Deploy a stack of its own with a subscriber; parameters may differ from the usual."""

    def opened(stack_name: str, **parameters: str) -> People:
        outputs = deploy.deploy(
            PROJECT / "template.yaml",
            endpoint_url=local_cloud.endpoint_url,
            state_dir=local_cloud.state_dir,
            stack_name=stack_name,
            parameters={
                "TrainingImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/retrain-training:local",
                "TrainingVolumeGigabytes": "1",
                "QuietPeriodSeconds": "1",
                "EndpointWaitSeconds": "1",
                "GateValueThreshold": "0.9",
                **CLOSED,
                **parameters,
            },
        )
        queue = aws("sqs").create_queue(QueueName=f"{stack_name}-subscriber")["QueueUrl"]
        attributes = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])[
            "Attributes"
        ]
        aws("sns").subscribe(
            TopicArn=outputs["NotificationTopicArn"], Protocol="sqs", Endpoint=attributes["QueueArn"]
        )
        return People(aws, outputs, queue, wait_until)

    return opened


@pytest.fixture(scope="session")
def people(open_stack: Callable[..., People]) -> People:
    """The stack that these tests share."""
    return open_stack("people")
