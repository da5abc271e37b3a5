from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from retrain.localcloud.sagemaker.errors import InvalidRequestError, JobError, UnsupportedError
from retrain.localcloud.sagemaker.objects import S3Uri
from retrain.localcloud.sagemaker.training import artifacts, channels, records, request
from retrain.localcloud.sagemaker.training.checkpoints import CheckpointSync
from retrain.localcloud.sagemaker.training.instances import Instance, used_bytes
from retrain.localcloud.sagemaker.training.metrics import MetricReader
from retrain.localcloud.sagemaker.training.supervisor import failure_reason


def channel(uri: str = "s3://bucket/data/", **source: str) -> dict[str, object]:
    return {
        "ChannelName": "training",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, **source}},
    }


def test_defaults_are_those_of_the_api(request_for_training):
    given = request_for_training(
        StoppingCondition=None,
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        CheckpointConfig={"S3Uri": "s3://bucket/checkpoints"},
    )
    request.check(given)
    assert given["StoppingCondition"] == {"MaxRuntimeInSeconds": 86_400}
    assert given["ResourceConfig"]["VolumeSizeInGB"] == 30
    assert given["CheckpointConfig"]["LocalPath"] == "/opt/ml/checkpoints"


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, InvalidRequestError, "TrainingImage"),
        ({"ResourceConfig": None}, InvalidRequestError, "ResourceConfig with InstanceType"),
        ({"OutputDataConfig": {"S3OutputPath": "https://bucket/x"}}, InvalidRequestError, "S3OutputPath"),
        ({"InputDataConfig": [channel(), channel()]}, InvalidRequestError, "must be unique"),
        ({"InputDataConfig": [{"ChannelName": "a", "DataSource": {}}]}, InvalidRequestError, "S3DataSource"),
        ({"InputDataConfig": [channel(S3DataType="AugmentedManifestFile")]}, UnsupportedError, "Augmented"),
        (
            {"InputDataConfig": [{**channel(), "CompressionType": "Gzip"}]},
            InvalidRequestError,
            "mode Pipe only",
        ),
        ({"InputDataConfig": [{**channel(), "InputMode": "Pipe"}]}, UnsupportedError, "Use File or FastFile"),
        ({"StoppingCondition": {"MaxWaitTimeInSeconds": 9}}, InvalidRequestError, "managed spot training"),
        ({"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/var/x"}}, UnsupportedError, "/var/x"),
        (
            {"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/opt/ml/../x"}},
            UnsupportedError,
            "outside",
        ),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": "i",
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "m", "Regex": "("}],
                }
            },
            InvalidRequestError,
            "the Regex",
        ),
    ],
)
def test_rules_that_the_model_does_not_state_are_checked(request_for_training, changes, error, message):
    with pytest.raises(error, match=message):
        request.check(request_for_training(**changes))


def test_metrics_are_read_from_lines():
    reader = MetricReader([{"Name": "loss", "Regex": r"loss=(\S+)"}, {"Name": "none", "Regex": "none"}])
    for line in ("loss=0.5", "nothing", "loss=nan?", "none", "loss=0.25"):
        reader.read(line)
    (final,) = reader.final()
    assert (final["MetricName"], final["Value"]) == ("loss", 0.25)
    unsent = reader.take_unsent("job")
    assert [item["Value"] for item in unsent] == [0.5, 0.25]
    assert unsent[0]["Dimensions"] == [{"Name": "TrainingJobName", "Value": "job"}]
    assert reader.take_unsent("job") == []


def place(platform, given, count: int = 1) -> list[dict[str, str]]:
    folders = [platform.folder / f"host-{number}" / "training" for number in range(count)]
    channels.download(given, folders, objects=platform.objects, cache=platform.cache, role_arn="arn:role")
    return [
        {
            path.relative_to(folder).as_posix(): path.read_text()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in folders
    ]


def test_a_channel_is_the_same_on_every_host_or_divided(platform, store):
    for name in "abc":
        store.put(f"s3://bucket/data/{name}.txt", name)
    assert place(platform, channel(), 2) == [{"a.txt": "a", "b.txt": "b", "c.txt": "c"}] * 2
    assert sorted(store.fetched) == ["data/a.txt", "data/b.txt", "data/c.txt"]


def test_a_divided_channel(platform, store):
    for name in "abc":
        store.put(f"s3://bucket/data/{name}.txt", name)
    divided = channel(S3DataDistributionType="ShardedByS3Key")
    assert place(platform, divided, 2) == [{"a.txt": "a", "c.txt": "c"}, {"b.txt": "b"}]


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("s3://bucket/none/", 'Data download failed:No S3 objects found under S3 URL "s3://bucket/none/"'),
        ("s3://other/", "Data download failed:channel training, s3://other/: NoSuchBucket"),
    ],
)
def test_missing_data_is_named(platform, uri, message):
    with pytest.raises(JobError) as failed:
        place(platform, channel(uri))
    assert message in str(failed.value)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("{}", "no JSON list"),
        ('[{"prefix": "s3://bucket/data/"}, 1]', "no JSON list"),
        ('[{"prefix": "s3://bucket/data/"}, "nothing"]', "s3://bucket/data/nothing, which does not exist"),
    ],
)
def test_a_manifest_that_is_none_or_names_nothing_is_refused(platform, store, manifest, message):
    store.put("s3://bucket/m", manifest)
    with pytest.raises(JobError, match=message):
        place(platform, channel("s3://bucket/m", S3DataType="ManifestFile"))


def test_a_name_that_is_file_and_folder_is_refused(platform, store, monkeypatch):
    found = [SimpleNamespace(key=f"data/{name}", size=1, etag="x") for name in ("a", "a/b")]
    monkeypatch.setattr(store, "list_objects", lambda _prefix: iter(found))
    store.put("s3://bucket/data/a", "file")
    monkeypatch.setattr(store, "fetch", lambda _source, target: target.write_text("x"))
    with pytest.raises(JobError, match="cannot be both a file and a folder"):
        place(platform, channel())


def test_artifacts_of_all_hosts_are_packed_and_the_first_host_wins(tmp_path, store):
    for host, text in (("algo-1", "first"), ("algo-2", "second")):
        (tmp_path / host / "sub").mkdir(parents=True)
        (tmp_path / host / "model.pt").write_text(text)
        (tmp_path / host / "sub" / f"{host}.txt").write_text(host)
    (tmp_path / "algo-1" / "link").symlink_to("/etc/passwd")
    target = artifacts.model_uri("s3://bucket/runs/", "job")
    assert str(target) == "s3://bucket/runs/job/output/model.tar.gz"
    folders = [tmp_path / "algo-1", tmp_path / "algo-2"]
    assert artifacts.upload_folders(folders, tmp_path / "m.tar.gz", target, store, even_if_empty=True)
    from retrain.localcloud.sagemaker.downloads import extract

    (tmp_path / "again.tar.gz").write_bytes(store.read(str(target)))
    extract(tmp_path / "again.tar.gz", tmp_path / "again")
    names = sorted(
        path.relative_to(tmp_path / "again").as_posix() for path in (tmp_path / "again").rglob("*")
    )
    assert names == ["model.pt", "sub", "sub/algo-1.txt", "sub/algo-2.txt"]
    assert (tmp_path / "again" / "model.pt").read_text() == "first"


def test_an_empty_folder_is_stored_only_where_it_must(tmp_path, store):
    (tmp_path / "a").mkdir()
    target = S3Uri("bucket", "x.tar.gz")
    assert not artifacts.upload_folders([tmp_path / "a"], tmp_path / "x", target, store, even_if_empty=False)
    assert artifacts.upload_folders([tmp_path / "a"], tmp_path / "x", target, store, even_if_empty=True)
    with pytest.raises(JobError, match="Artifact upload failed:s3://other/x: NoSuchBucket"):
        artifacts.upload_folders(
            [tmp_path / "a"], tmp_path / "x", S3Uri("other", "x"), store, even_if_empty=True
        )


def test_checkpoints_are_sent_as_they_change_and_restored(tmp_path, store):
    sync = CheckpointSync("s3://bucket/checkpoints", store, tmp_path)
    here = tmp_path / "here"
    (here / "sub").mkdir(parents=True)
    (here / "sub" / "step").write_text("1")
    sync.send([here])
    assert store.read("s3://bucket/checkpoints/sub/step") == b"1"
    (here / "sub" / "step").write_text("22")
    sync.send([here])
    there = tmp_path / "there"
    CheckpointSync("s3://bucket/checkpoints/", store, tmp_path).restore([there])
    assert (there / "sub" / "step").read_text() == "22"
    with pytest.raises(JobError, match="Checkpoint upload failed"):
        CheckpointSync("s3://other/", store, tmp_path).send([here])
    with pytest.raises(JobError, match="Checkpoint download failed"):
        CheckpointSync("s3://other/", store, tmp_path).restore([there])


def test_the_files_that_a_container_reads(tmp_path, request_for_training):
    job = {
        **request_for_training(
            HyperParameters={"epochs": "3"},
            InputDataConfig=[{**channel(), "ContentType": "text/csv"}],
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
        ),
        "TrainingJobArn": "arn",
    }
    instance = Instance(job, 1, tmp_path)
    instance.prepare()
    config = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "input" / "config").iterdir()}
    assert config["hyperparameters"] == {"epochs": "3"}
    assert config["inputdataconfig"] == {
        "training": {
            "ContentType": "text/csv",
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        }
    }
    assert config["resourceconfig"]["current_host"] == "algo-2"
    assert config["resourceconfig"]["hosts"] == ["algo-1", "algo-2"]
    assert instance.path_of("/opt/ml/checkpoints") == tmp_path / "checkpoints"


def test_storage_is_what_files_occupy(tmp_path):
    with (tmp_path / "a").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 1 << 20)
    (tmp_path / "b").symlink_to("/etc")
    assert 1 << 20 <= used_bytes(tmp_path) < (1 << 20) + 65_536


def failed(tmp_path: Path, code: int, failure: str = "", *lines: str) -> Instance:
    instance = Instance({}, 0, tmp_path)
    instance.process = SimpleNamespace(returncode=code)  # type: ignore[assignment]
    instance.last_lines.extend(lines)
    (tmp_path / "output").mkdir(exist_ok=True)
    (tmp_path / "output" / "failure").write_text(failure)
    return instance


@pytest.mark.parametrize(
    ("code", "failure", "lines", "several", "expected"),
    [
        (1, "", ["a", "ValueError: b"], False, "AlgorithmError: ValueError: b, exit code: 1"),
        (1, "", [], False, "AlgorithmError: See job logs for more information, exit code: 1"),
        (2, "AlgorithmError: X", [], True, "AlgorithmError: X, exit code: 2 (algo-1)"),
        (-9, "", ["x"], False, "AlgorithmError: x, exit code: 137"),
    ],
)
def test_the_reason_of_a_failure(tmp_path, code, failure, lines, several, expected):
    assert failure_reason(failed(tmp_path, code, failure, *lines), 5, several=several) == expected


def test_a_long_reason_keeps_its_exit_code(tmp_path):
    reason = failure_reason(failed(tmp_path, 1, "No space left on device " + "x" * 3000), 5, several=True)
    assert len(reason) == 1024
    assert reason.endswith(
        ", exit code: 1 (algo-1). The storage is full: VolumeSizeInGB is 5; write less, or raise it"
    )


def test_statuses_are_entered_one_after_the_other(request_for_training):
    job = records.new(request_for_training(Tags=[{"Key": "a", "Value": "b"}]), "arn")
    records.move(job, "Downloading", TrainingStartTime=job["CreationTime"])
    records.move(job, "Failed", status="Failed", FailureReason="the data is gone")
    assert [item["Status"] for item in job["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Failed",
    ]
    assert all("EndTime" in item for item in job["SecondaryStatusTransitions"])
    assert job["SecondaryStatusTransitions"][-1]["StatusMessage"] == "Training job failed: the data is gone"
    assert job["TrainingTimeInSeconds"] == 1
    detail = records.event_detail(job)
    assert detail["Tags"] == {"a": "b"}
    assert detail["CreationTime"] == round(job["CreationTime"] * 1000)
    assert isinstance(detail["SecondaryStatusTransitions"][0]["EndTime"], int)
    assert detail["TrainingTimeInSeconds"] == 1
