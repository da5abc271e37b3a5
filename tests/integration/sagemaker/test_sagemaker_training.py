"""Training jobs of the local SageMaker, with a tiny image."""

from __future__ import annotations

import json
import time
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from retrain.localcloud.clients import client

ROLE = "arn:aws:iam::000000000000:role/training"
BUCKET = "sagemaker-tests"


def channel(name: str, uri: str, **source: Any) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, **source}},
    }


def statuses(job: dict[str, Any]) -> list[str]:
    return [item["Status"] for item in job["SecondaryStatusTransitions"]]


def test_a_job_reads_its_channels_trains_and_leaves_its_artifacts(tiny):
    data = tiny.put(a_txt="one", raw__b_txt="two")
    metrics = [
        {"Name": "train:loss", "Regex": "train_loss=([0-9.]+)"},
        {"Name": "none", "Regex": "nothing=(.*)"},
    ]
    job = tiny.train(
        data,
        epochs=3,
        output=1,
        AlgorithmSpecification={
            "TrainingImage": "tiny:1",
            "TrainingInputMode": "File",
            "MetricDefinitions": metrics,
        },
        Tags=[{"Key": "team", "Value": "ml"}],
    )
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")
    assert statuses(job) == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all("EndTime" in item for item in job["SecondaryStatusTransitions"])
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert model == f"s3://{BUCKET}/runs/{job['TrainingJobName']}/output/model.tar.gz"
    assert json.loads(tiny.unpack(model)["algo-1.json"]) == {
        "training/a.txt": "one",
        "training/raw/b.txt": "two",
    }
    assert list(tiny.unpack(model.replace("model.tar", "output.tar"))) == ["predictions.csv"]
    assert [(item["MetricName"], round(item["Value"], 4)) for item in job["FinalMetricDataList"]] == [
        ("train:loss", 0.3333)
    ]
    found = client("cloudwatch", tiny.cloud.endpoint_url).list_metrics(
        Namespace="/aws/sagemaker/TrainingJobs",
        Dimensions=[{"Name": "TrainingJobName", "Value": job["TrainingJobName"]}],
    )["Metrics"]
    assert [metric["MetricName"] for metric in found] == ["train:loss"]
    assert job["TrainingTimeInSeconds"] >= 1
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"]
    assert "Tags" not in job
    tags = tiny.sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "ml"}]
    lines = tiny.job_lines(job["TrainingJobName"])
    assert lines[0] == "host=algo-1 files=2"
    assert "epoch=3/3 train_loss=0.3333 holdout_accuracy=0.9667" in lines


def test_output_that_was_not_written_is_not_stored(tiny):
    job = tiny.train()
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert not tiny.exists(model.replace("model.tar", "output.tar"))


def test_a_program_sees_the_job_and_the_local_cloud_and_nothing_of_the_developer(tiny, monkeypatch):
    job = tiny.train(fate="environment", Environment={"MODE": "fast"})
    seen = json.loads(tiny.unpack(job["ModelArtifacts"]["S3ModelArtifacts"])["environment.json"])
    assert seen["TRAINING_JOB_NAME"] == job["TrainingJobName"]
    assert seen["TRAINING_JOB_ARN"] == job["TrainingJobArn"]
    assert seen["MODE"] == "fast"
    assert seen["AWS_ENDPOINT_URL"] == tiny.cloud.endpoint_url
    assert seen["AWS_REGION"] == "us-east-1"
    assert seen["MASTER_ADDR"] == "127.0.0.1"
    assert "PYTEST_CURRENT_TEST" not in seen


def test_instances_share_or_divide_the_data(tiny):
    shared, divided = tiny.put(a_txt="a", b_txt="b"), tiny.put(c_txt="c", d_txt="d", e_txt="e")
    job = tiny.train(
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
        InputDataConfig=[
            channel("training", shared),
            channel("more", divided, S3DataDistributionType="ShardedByS3Key"),
        ],
    )
    assert job["TrainingJobStatus"] == "Completed"
    model = tiny.unpack(job["ModelArtifacts"]["S3ModelArtifacts"])
    assert set(json.loads(model["algo-1.json"])) == {
        *("training/a.txt", "training/b.txt", "more/c.txt", "more/e.txt")
    }
    assert set(json.loads(model["algo-2.json"])) == {"training/a.txt", "training/b.txt", "more/d.txt"}


def test_a_manifest_names_the_objects(tiny):
    data = tiny.put(a_txt="a", b_txt="b", sub__c_txt="c")
    manifest = tiny.put(list_manifest=json.dumps([{"prefix": data}, "b.txt", "sub/c.txt"])) + "list.manifest"
    job = tiny.train(InputDataConfig=[channel("training", manifest, S3DataType="ManifestFile")])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    model = tiny.unpack(job["ModelArtifacts"]["S3ModelArtifacts"])
    assert json.loads(model["algo-1.json"]) == {"training/b.txt": "b", "training/sub/c.txt": "c"}


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        (f"s3://{BUCKET}/nothing/here/", f'No S3 objects found under S3 URL "s3://{BUCKET}/nothing/here/"'),
        ("s3://no-such-bucket/data/", "NoSuchBucket"),
    ],
)
def test_missing_data_fails_the_job(tiny, uri, reason):
    job = tiny.train(uri)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"].startswith("ClientError: Data download failed:")
    assert reason in job["FailureReason"]


@pytest.mark.parametrize(
    ("fate", "reason"),
    [
        ("fail", "AlgorithmError: the data has no labels, exit code: 3"),
        ("raise", "AlgorithmError: ValueError: a column is missing, exit code: 1"),
        ("killed", "AlgorithmError: epoch=1/3 train_loss=1.0000 holdout_accuracy=0.9000, exit code: 137"),
        (
            "disk_full",
            (
                "AlgorithmError: OSError: [Errno 28] No space left on device, exit code: 1. The storage is "
                "full: VolumeSizeInGB is 1; write less, or raise it"
            ),
        ),
    ],
)
def test_a_program_that_fails_fails_the_job_with_its_reason(tiny, fate, reason):
    job = tiny.train(fate=fate)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == reason
    assert statuses(job)[-1] == "Failed"
    assert not tiny.exists(f"s3://{BUCKET}/runs/{job['TrainingJobName']}/output/model.tar.gz")


def test_one_failing_instance_fails_the_job_and_ends_the_others(tiny):
    job = tiny.train(
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
        HyperParameters={"fate_algo-1": "hang", "fate_algo-2": "fail"},
    )
    assert job["FailureReason"] == "AlgorithmError: the data has no labels, exit code: 3 (algo-2)"


def test_the_instance_that_failed_by_itself_gives_the_reason(tiny):
    job = tiny.train(
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
        HyperParameters={"fate_algo-1": "lose_peer", "fate_algo-2": "fail"},
    )
    assert "the data has no labels" in job["FailureReason"]


def test_a_job_that_runs_too_long_is_stopped(tiny):
    began = time.monotonic()
    job = tiny.train(fate="hang", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert time.monotonic() - began < 10
    assert "FailureReason" not in job


def test_a_stopped_job_keeps_what_it_saved(tiny):
    name = tiny.begin(fate="save_when_told")
    tiny.until_line(name, "waiting to be told")
    tiny.sagemaker.stop_training_job(TrainingJobName=name)
    assert tiny.sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] in (
        "Stopping",
        "Stopped",
    )
    job = tiny.ended(name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert tiny.unpack(job["ModelArtifacts"]["S3ModelArtifacts"])["half.txt"] == "half"
    with pytest.raises(ClientError, match="the training job is in status Stopped"):
        tiny.sagemaker.stop_training_job(TrainingJobName=name)


def test_a_program_deaf_to_sigterm_is_killed_with_its_children(tiny):
    name = tiny.begin(fate="hang_deaf")
    line = tiny.until_line(name, "deaf pid=")
    pids = [int(word.split("=")[1]) for word in line.split() if "=" in word]
    tiny.sagemaker.stop_training_job(TrainingJobName=name)
    assert tiny.ended(name)["TrainingJobStatus"] == "Stopped"
    assert len(pids) == 2
    tiny.wait_until(
        lambda: not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids),
        seconds=3,
        what="the end of the processes",
    )


@pytest.mark.parametrize("then", ["go on", "exit"])
def test_a_program_that_fills_its_storage_fails_the_job(tiny, then):
    job = tiny.train(fate="fill", bytes=(1 << 30) + 4096, then=then)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "ClientError: algo-1 ran out of storage: 1.00 GB are in use, and VolumeSizeInGB is 1. "
        "Write less, or raise it."
    )


def test_a_missing_output_bucket_fails_the_job(tiny):
    job = tiny.train(OutputDataConfig={"S3OutputPath": "s3://no-such-bucket/runs"})
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Artifact upload failed:s3://no-such-bucket/runs/")


def test_an_unknown_image_fails_the_job(tiny):
    job = tiny.train(
        AlgorithmSpecification={"TrainingImage": "example.com/other:1", "TrainingInputMode": "File"}
    )
    assert job["FailureReason"].startswith(
        "ClientError: Cannot pull the training image: No local image stands for example.com/other:1"
    )


def test_checkpoints_outlive_an_interrupted_spot_instance(tiny):
    checkpoints = f"s3://{BUCKET}/checkpoints/{tiny.name('job')}"
    name = tiny.begin(
        fate="checkpoint",
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
        CheckpointConfig={"S3Uri": checkpoints},
    )
    tiny.wait_until(lambda: tiny.exists(f"{checkpoints}/step.txt"), what="the checkpoint in S3")
    (tiny.cloud.state_dir / "sagemaker" / "jobs" / name / "interrupt").touch()
    job = tiny.ended(name)
    assert job["TrainingJobStatus"] == "Completed"
    assert statuses(job) == [
        *("Starting", "Downloading", "Training", "Interrupted"),
        *("Starting", "Downloading", "Training", "Uploading", "Completed"),
    ]
    assert tiny.unpack(job["ModelArtifacts"]["S3ModelArtifacts"])["resumed_at.txt"] == "7"
    assert [line for line in tiny.job_lines(name) if "resumed" in line] == ["resumed_at=0", "resumed_at=7"]


def test_names_are_unique_and_unknown_ones_are_not_found(tiny):
    name = tiny.train()["TrainingJobName"]
    with pytest.raises(
        tiny.sagemaker.exceptions.ResourceInUse, match="Training job names must be unique within"
    ):
        tiny.begin(TrainingJobName=name)
    with pytest.raises(ClientError, match=r"ValidationException.*Requested resource not found"):
        tiny.sagemaker.describe_training_job(TrainingJobName="nobody")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"TrainingJobName": "a_b"},
            "Value 'a_b' at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular",
        ),
        (
            {"ResourceConfig": {"InstanceType": "ml.huge", "InstanceCount": 1}},
            "Member must satisfy enum value set",
        ),
        (
            {"AlgorithmSpecification": {"TrainingImage": "tiny:1", "TrainingInputMode": "Pipe"}},
            "not implemented in the local cloud",
        ),
        (
            {"DebugRuleConfigurations": [{"RuleConfigurationName": "a", "RuleEvaluatorImage": "b"}]},
            "DebugRuleConfigurations.RuleConfigurationName is not implemented in the local cloud",
        ),
        ({"EnableManagedSpotTraining": True}, "Invalid MaxWaitTimeInSeconds. It must be present"),
    ],
)
def test_what_aws_would_refuse_or_we_cannot_do_is_refused_before_anything_starts(tiny, changes, message):
    with pytest.raises(ClientError, match=message) as refused:
        tiny.begin(**changes)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0


def test_jobs_are_listed_in_pages(tiny):
    mark = tiny.name("page")
    names = [tiny.train(TrainingJobName=f"{mark}-{number}")["TrainingJobName"] for number in range(3)]
    pages = tiny.sagemaker.get_paginator("list_training_jobs").paginate(
        NameContains=mark, SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 2}
    )
    found = [[job["TrainingJobName"] for job in page["TrainingJobSummaries"]] for page in pages]
    assert found == [names[:2], names[2:]]
    assert not tiny.sagemaker.list_training_jobs(NameContains=mark, StatusEquals="Failed")[
        "TrainingJobSummaries"
    ]


def test_nothing_is_left_in_the_folder_of_jobs(tiny):
    tiny.train()
    jobs = tiny.cloud.state_dir / "sagemaker" / "jobs"
    tiny.wait_until(lambda: not list(jobs.iterdir()), seconds=3, what="an empty folder")
