"""The server is killed while a job trains and an endpoint serves."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from retrain.localcloud import deploy, guardian, process, statefiles
from retrain.localcloud.clients import client
from tests.integration.outcomes.conftest import PROJECT, People, dataset_files, holdout_files

GONE_SECONDS = 5.0


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / ".retrain"
    yield folder
    process.down(folder)


def test_nothing_is_left_and_the_next_up_works(state_dir: Path, wait_until: Callable[..., Any]) -> None:
    parameters = {
        "TrainingImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/retrain-training:local",
        "GateValueThreshold": "0.9",
        "QuietPeriodSeconds": "900",
    }
    cloud = process.up(state_dir, port=None, project_root=PROJECT, parameters=parameters)

    def aws(service: str) -> Any:
        return client(service, cloud.endpoint_url)

    outputs = deploy.deploy(
        PROJECT / "template.yaml",
        endpoint_url=cloud.endpoint_url,
        state_dir=state_dir,
        parameters={**parameters, "EndpointWaitSeconds": "1"},
    )
    queue = aws("sqs").create_queue(QueueName="subscriber")["QueueUrl"]
    attributes = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    aws("sns").subscribe(
        TopicArn=outputs["NotificationTopicArn"], Protocol="sqs", Endpoint=attributes["QueueArn"]
    )
    people = People(aws, outputs, queue, wait_until)
    people.put_holdout("digits", holdout_files())
    assert people.upload("digits", dataset_files()).attributes["outcome"] == "DEPLOYED"
    source = people.program("endless", "import time; print('begun', flush=True); time.sleep(3600)")
    people.start({"dataset": {"name": "digits"}, "training": {"source_s3_uri": source}})

    def training() -> bool:
        jobs = aws("sagemaker").list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]
        return bool(jobs) and "begun" in _log(aws("logs"), jobs[0]["TrainingJobName"])

    wait_until(training, seconds=30, what="the training program's first line")
    assert people.serving("retrain-digits")
    record = statefiles.read_record(state_dir)
    assert record is not None
    doomed = guardian.processes_of(record.marker)
    assert len(doomed) >= 3  # server, training program, serving program
    os.kill(cloud.pid, signal.SIGKILL)
    assert guardian.wait_for_end(doomed, GONE_SECONDS), [found.cmdline() for found in doomed]
    assert guardian.processes_of(record.marker) == []

    again = process.up(state_dir, port=None, project_root=PROJECT, parameters=parameters)
    assert process.status(state_dir) == again
    names = client("sagemaker", again.endpoint_url).list_training_jobs()["TrainingJobSummaries"]
    assert [job for job in names if job["TrainingJobStatus"] == "InProgress"] == []


def _log(logs: Any, job: str) -> str:
    group = "/aws/sagemaker/TrainingJobs"
    try:
        events = logs.filter_log_events(logGroupName=group, logStreamNamePrefix=f"{job}/")["events"]
    except logs.exceptions.ResourceNotFoundException:
        return ""
    return "\n".join(event["message"] for event in events)
