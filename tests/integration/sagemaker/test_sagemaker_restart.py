"""What a stop, or the sudden death, of the local cloud does to what runs in it."""

from __future__ import annotations

import os
import signal

import psutil
import pytest
from botocore.exceptions import ClientError

from retrain.localcloud import process
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
