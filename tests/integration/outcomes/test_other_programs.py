"""A program that has only boto3, and what `retrain local env` prints, uses the local cloud."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

from retrain.localcloud import process
from tests.integration.outcomes.conftest import People, dataset_files, holdout_files
from tests.unit.training.digits import draw_digits

PROGRAM = """
    import json, sys, time
    import boto3

    bucket, machine, folder = sys.argv[1:]
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "_SUCCESS"):
        boto3.client("s3").upload_file(f"{folder}/{name}", bucket, f"datasets/strangers/{name}")

    deadline, executions = time.monotonic() + 90, []
    while not executions or executions[0]["status"] == "RUNNING":
        assert time.monotonic() < deadline, executions
        listed = boto3.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
        executions = [found for found in listed if found["name"].startswith("strangers-")]
        time.sleep(0.05)

    sagemaker = boto3.client("sagemaker")
    job = sagemaker.list_training_jobs(NameContains="strangers")["TrainingJobSummaries"][0]["TrainingJobName"]
    with open(f"{folder}/digit", "rb") as file:
        answer = boto3.client("sagemaker-runtime").invoke_endpoint(
            EndpointName="people-strangers", ContentType="application/octet-stream", Body=file.read()
        )
    print(json.dumps({
        "executions": [found["status"] for found in executions],
        "job": sagemaker.describe_training_job(TrainingJobName=job)["TrainingJobStatus"],
        "endpoint": sagemaker.describe_endpoint(EndpointName="people-strangers")["EndpointStatus"],
        "label": json.load(answer["Body"])["predictions"][0]["label"],
    }))
"""


def test_a_program_with_only_boto3(people: People, local_cloud: process.LocalCloud, tmp_path: Path) -> None:
    people.put_holdout("strangers", holdout_files())
    for name, content in [*dataset_files().items(), ("_SUCCESS", b"")]:
        (tmp_path / name).write_bytes(content)
    images, labels = draw_digits(1, seed=9)
    (tmp_path / "digit").write_bytes(images.tobytes())
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM))
    bucket, machine = people.outputs["DataBucketName"], people.outputs["StateMachineArn"]
    finished = subprocess.run(
        [sys.executable, "-I", tmp_path / "program.py", bucket, machine, tmp_path],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **process.environment(local_cloud)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == {
        "executions": ["SUCCEEDED"],
        "job": "Completed",
        "endpoint": "InService",
        "label": int(labels[0]),
    }
    told = people.told("strangers")
    assert told.attributes["outcome"] == "DEPLOYED"
