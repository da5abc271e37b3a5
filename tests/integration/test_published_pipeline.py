"""The four-task pipeline of the form that AWS publishes for MNIST runs in the local cloud as it is."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PIPELINE = Path(__file__).with_name("published_pipeline")
BUCKET = "published-pipeline"
ROLE = "arn:aws:iam::000000000000:role/pipeline"


def digits(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (count, 28, 28) that a small network can tell apart: ten patterns, faint noise."""
    patterns = (
        np.random.default_rng(0).integers(0, 2, size=(10, 7, 7)).repeat(4, axis=1).repeat(4, axis=2) * 200
    )
    noise = np.random.default_rng(seed)
    labels = noise.integers(0, 10, size=count)
    pictures = patterns[labels] + noise.integers(0, 56, size=(count, 28, 28))
    return pictures.astype(np.uint8), labels.astype(np.uint8)


def idx(array: np.ndarray) -> bytes:
    """An IDX file of unsigned bytes."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture(scope="module")
def source(aws: Any) -> str:
    """The data, and the user's script packed as the SageMaker SDK does; gives the latter's URI."""
    s3 = aws("s3")
    s3.create_bucket(Bucket=BUCKET)
    for name, count, seed in (("train", 4000, 1), ("t10k", 500, 2)):
        pictures, labels = digits(count, seed)
        for kind, array in (("images-idx3", pictures), ("labels-idx1", labels)):
            s3.put_object(Bucket=BUCKET, Key=f"data/mnist/MNIST/raw/{name}-{kind}-ubyte", Body=idx(array))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.add(PIPELINE / "mnist.py", arcname="mnist.py")
    s3.put_object(Bucket=BUCKET, Key="source/sourcedir.tar.gz", Body=buffer.getvalue())
    return f"s3://{BUCKET}/source/sourcedir.tar.gz"


@pytest.mark.timeout(180)
def test_the_published_pipeline_trains_on_two_instances_and_its_endpoint_answers(
    aws, source, outcome, wait_until
):
    definition = (PIPELINE / "pipeline.asl.json").read_text().replace("BUCKET", BUCKET).replace("ROLE", ROLE)
    name = f"run-{uuid.uuid4().hex[:8]}"
    states, sagemaker = aws("stepfunctions"), aws("sagemaker")
    machine = states.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
    execution = states.start_execution(
        stateMachineArn=machine,
        name=name,
        input=json.dumps({"trainfile": "mnist.py", "sourcedir": source}),
    )["executionArn"]
    ended = outcome(execution, seconds=120)
    assert ended["status"] == "SUCCEEDED", ended
    assert json.loads(ended["output"])["EndpointArn"].endswith(f":endpoint/endpoint-{name}")

    job = sagemaker.describe_training_job(TrainingJobName=f"trainingjob-{name}")
    accuracy = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}["accuracy"]
    assert accuracy > 0.95
    streams = aws("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"trainingjob-{name}/"
    )["logStreams"]
    assert len(streams) == 2

    def settled() -> Any:
        endpoint = sagemaker.describe_endpoint(EndpointName=f"endpoint-{name}")
        return endpoint if endpoint["EndpointStatus"] != "Creating" else None

    endpoint = wait_until(settled, seconds=60, what="the endpoint")
    assert endpoint["EndpointStatus"] == "InService", endpoint.get("FailureReason")

    pictures, labels = digits(20, 3)
    tensor = ((pictures[:, None] / 255 - 0.1307) / 0.3081).round(4)
    answer = aws("sagemaker-runtime").invoke_endpoint(
        EndpointName=f"endpoint-{name}",
        ContentType="application/json",
        Accept="application/json",
        Body=json.dumps(tensor.tolist()),
    )
    scores = np.array(json.loads(answer["Body"].read()))
    assert scores.shape == (20, 10)
    assert (scores.argmax(axis=1) == labels).mean() >= 0.95
    sagemaker.delete_endpoint(EndpointName=f"endpoint-{name}")
