"""The digits that the pipelines train on, and what asks an endpoint about others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest

from retrain.localcloud import process
from retrain.workflow.estimators import PyTorch, Session
from tests.integration.test_published_pipeline import digits, idx

PROGRAM = Path(__file__).parents[1] / "published_pipeline" / "mnist.py"
BUCKET = "authored-pipelines"
ROLE = "arn:aws:iam::000000000000:role/pipeline"
INSTANCE = "ml.c5.xlarge"


@pytest.fixture(scope="module")
def data(aws: Any) -> str:
    """The URI of some digits that a small network can tell apart."""
    s3 = aws("s3")
    s3.create_bucket(Bucket=BUCKET)
    for name, count, seed in (("train", 4000, 1), ("t10k", 500, 2)):
        pictures, labels = digits(count, seed)
        for kind, array in (("images-idx3", pictures), ("labels-idx1", labels)):
            s3.put_object(Bucket=BUCKET, Key=f"data/mnist/MNIST/raw/{name}-{kind}-ubyte", Body=idx(array))
    return f"s3://{BUCKET}/data/mnist"


@pytest.fixture(scope="module")
def session(local_cloud: process.LocalCloud, aws: Any) -> Session:
    """A session whose clients are those of the local cloud."""

    class LocalSession(boto3.Session):
        def client(self, service: str, **_: Any) -> Any:  # type: ignore[override]
            return aws(service)

    return Session(LocalSession(region_name="us-east-1"))


@pytest.fixture
def estimator(session: Session) -> PyTorch:
    """A program of one's own on two instances, in one epoch fewer than it needs by default."""
    return PyTorch(
        entry_point=str(PROGRAM),
        role=ROLE,
        framework_version="2.6.0",
        instance_count=2,
        instance_type=INSTANCE,
        hyperparameters={"epochs": 2, "backend": "gloo"},
        output_path=f"s3://{BUCKET}/output",
        metric_definitions=[{"Name": "accuracy", "Regex": "accuracy=([0-9.]+)"}],
        max_run=600,
        sagemaker_session=session,
    )


@pytest.fixture
def right_answers(aws: Any, wait_until: Callable[..., Any]) -> Callable[[str], float]:
    """The share of digits that an endpoint answers right, once it is in service."""

    def ask(endpoint_name: str) -> float:
        sagemaker = aws("sagemaker")

        def settled() -> Any:
            found = sagemaker.describe_endpoint(EndpointName=endpoint_name)
            return found if found["EndpointStatus"] != "Creating" else None

        endpoint = wait_until(settled, seconds=60, what="the endpoint")
        assert endpoint["EndpointStatus"] == "InService", endpoint.get("FailureReason")
        pictures, labels = digits(20, 3)
        tensor = ((pictures[:, None] / 255 - 0.1307) / 0.3081).round(4)
        answer = aws("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint_name,
            ContentType="application/json",
            Accept="application/json",
            Body=json.dumps(tensor.tolist()),
        )
        scores = np.array(json.loads(answer["Body"].read()))
        sagemaker.delete_endpoint(EndpointName=endpoint_name)
        return float((scores.argmax(axis=1) == labels).mean())

    return ask
