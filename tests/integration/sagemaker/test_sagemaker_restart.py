"""What a stop, or the sudden death, of the local cloud does to what runs in it."""

from __future__ import annotations

import json
import os
import signal

import psutil
import pytest
from botocore.exceptions import ClientError

from retrain.localcloud import process
from retrain.localcloud.clients import client
from tests.integration.sagemaker.conftest import BUCKET, Tiny, start_cloud


@pytest.fixture
def own(tmp_path, wait_until):
    """A cloud of the test's own, to be killed."""
    tiny = Tiny(start_cloud(tmp_path), wait_until)
    tiny.s3.create_bucket(Bucket=BUCKET)
    yield tiny
    process.down(tmp_path)


def busy(tiny: Tiny) -> tuple[str, str, list[int]]:
    """Train and serve; gives the job, the endpoint, and the processes."""
    endpoint = tiny.deploy(tiny.config(tiny.model("before")))
    serving = tiny.ask(endpoint)["pid"]
    job = tiny.begin(fate="hang_deaf")
    line = tiny.until_line(job, "deaf pid=")
    return job, endpoint, [serving, *(int(word.split("=")[1]) for word in line.split() if "=" in word)]


def alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_after_a_kill_nothing_survives_and_the_cloud_starts_again(own, tmp_path, wait_until):
    job, _, pids = busy(own)
    assert len(pids) == 3
    os.kill(own.cloud.pid, signal.SIGKILL)
    wait_until(lambda: not any(alive(pid) for pid in pids), seconds=5, what="the end of all processes")
    again = Tiny(start_cloud(tmp_path), wait_until)
    # What the last server kept is moved aside as a whole: S3 and SageMaker would not fit together.
    with pytest.raises(ClientError, match="Requested resource not found"):
        again.sagemaker.describe_training_job(TrainingJobName=job)
    again.s3.create_bucket(Bucket=BUCKET)
    assert again.train()["TrainingJobStatus"] == "Completed"


def test_after_a_stop_endpoints_serve_again_and_jobs_have_failed(own, tmp_path, wait_until):
    job, endpoint, pids = busy(own)
    assert process.down(tmp_path)
    assert not any(alive(pid) for pid in pids)
    again = Tiny(start_cloud(tmp_path), wait_until)
    # The first request waits until the server has come up.
    assert again.ask(endpoint)["answer"] == "before"
    described = again.sagemaker.describe_training_job(TrainingJobName=job)
    assert described["FailureReason"] == "InternalServerError: the local cloud was stopped"
    with pytest.raises(ClientError, match="already exists"):
        again.begin(TrainingJobName=job)


def test_an_execution_hears_that_its_job_ended_with_the_server(own, tmp_path, wait_until):
    request = own.request(fate="hang")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
        "Parameters": request,
        "Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "Told"}],
        "End": True,
    }
    definition = {"StartAt": "Train", "States": {"Train": task, "Told": {"Type": "Pass", "End": True}}}
    states = client("stepfunctions", own.cloud.endpoint_url)
    machine = states.create_state_machine(
        name="trains", definition=json.dumps(definition), roleArn="arn:aws:iam::000000000000:role/states"
    )["stateMachineArn"]
    arn = states.start_execution(stateMachineArn=machine)["executionArn"]
    own.until_line(request["TrainingJobName"], "hanging")
    assert process.down(tmp_path)
    again = Tiny(start_cloud(tmp_path), wait_until)
    states = client("stepfunctions", again.cloud.endpoint_url)

    def ended():
        found = states.describe_execution(executionArn=arn)
        return found if found["status"] != "RUNNING" else None

    described = again.wait_until(ended, what="the execution's end")
    assert described["status"] == "SUCCEEDED"
    cause = json.loads(json.loads(described["output"])["Cause"])
    assert cause["FailureReason"] == "InternalServerError: the local cloud was stopped"
