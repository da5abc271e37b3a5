"""A SageMaker without a cloud around it: S3 is a folder, logs and events are lists."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from retrain.localcloud.context import LocalCloudContext
from retrain.localcloud.sagemaker.downloads import ObjectCache
from retrain.localcloud.sagemaker.objects import ObjectError, S3Uri, StoredObject
from retrain.localcloud.sagemaker.platform import EventSender, Platform, Settings
from retrain.localcloud.sagemaker.service import SageMaker

ROLE = "arn:aws:iam::000000000000:role/training"


class FolderStore:
    """S3 in a folder: the first level are the buckets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fetched: list[str] = []

    def put(self, uri: str, content: str | bytes) -> None:
        where = S3Uri.parse(uri)
        path = self.folder / where.bucket / where.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def read(self, uri: str) -> bytes:
        where = S3Uri.parse(uri)
        return (self.folder / where.bucket / where.key).read_bytes()

    def list_objects(self, prefix: S3Uri) -> Iterator[StoredObject]:
        bucket = self.folder / prefix.bucket
        if not bucket.is_dir():
            raise ObjectError("NoSuchBucket")
        for path in sorted(bucket.rglob("*")):
            key = path.relative_to(bucket).as_posix()
            if path.is_file() and key.startswith(prefix.key):
                state = path.stat()
                yield StoredObject(key, state.st_size, str(state.st_mtime_ns))

    def fetch(self, source: S3Uri, target: Path) -> None:
        path = self.folder / source.bucket / source.key
        if not path.is_file():
            raise ObjectError("NoSuchKey")
        self.fetched.append(source.key)
        shutil.copyfile(path, target)

    def store(self, source: Path, target: S3Uri) -> None:
        if not (self.folder / target.bucket).is_dir():
            raise ObjectError("NoSuchBucket")
        self.put(str(target), source.read_bytes())


class ListedLogs:
    """CloudWatch Logs in a list."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str]] = []

    def send(self, group: str, stream: str, line: str) -> None:
        self.lines.append((group, stream, line))

    def flush(self, timeout: float = 0.0) -> bool:
        return True

    def close(self) -> None:
        pass


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    (tmp_path / "s3" / "bucket").mkdir(parents=True)
    return FolderStore(tmp_path / "s3")


@pytest.fixture
def events() -> list[tuple[str, dict[str, Any]]]:
    return []


@pytest.fixture
def platform(tmp_path: Path, store: FolderStore, events: list[tuple[str, dict[str, Any]]]) -> Platform:
    def spawn(*_: Any, **__: Any) -> Any:
        raise OSError("no programs are run in unit tests")

    context = LocalCloudContext(
        state_dir=tmp_path / "state",
        endpoint_url="http://127.0.0.1:1",
        project_root=tmp_path,
        images={},
        port=1,
        spawn=spawn,
    )
    folder = tmp_path / "state" / "sagemaker"
    return Platform(
        context=context,
        folder=folder,
        objects=store,
        logs=ListedLogs(),  # type: ignore[arg-type]
        events=EventSender(lambda _source, kind, detail, _resources: events.append((kind, detail))),
        cache=ObjectCache(folder / "cache", store),
        put_metrics=lambda _namespace, _data: None,
        settings=Settings(),
    )


@pytest.fixture
def sagemaker(platform: Platform) -> SageMaker:
    return SageMaker(platform)


def training_request(**changes: Any) -> dict[str, Any]:
    """A request for a training job that is as it should be."""
    return {
        "TrainingJobName": "job-1",
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": "team/image:1", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/runs"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }


@pytest.fixture
def request_for_training() -> Any:
    return training_request
