"""Fakes of the ports: dictionaries that behave like the services, as far as the rules can tell."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import IO, Any

from retraining.datasets import StoredObject
from retraining.errors import ObjectMissingError
from retraining.ports import EndpointState, ExecutionState, ServedModel
from retraining.predictions import Joined
from retraining.truth import Truth

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class FakeStorage:
    """Buckets in memory."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], tuple[bytes, datetime]] = {}

    def put(self, bucket: str, key: str, content: bytes, at: datetime = NOON) -> None:
        self.objects[bucket, key] = (content, at)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        for (place, key), (content, at) in sorted(self.objects.items()):
            if place == bucket and key.startswith(prefix):
                yield StoredObject(key, len(content), hashlib.md5(content).hexdigest(), at)

    def read(self, bucket: str, key: str) -> bytes:
        if (bucket, key) not in self.objects:
            raise ObjectMissingError(f"There is no s3://{bucket}/{key}.")
        return self.objects[bucket, key][0]

    def open(self, bucket: str, key: str) -> AbstractContextManager[IO[bytes]]:
        return io.BytesIO(self.read(bucket, key))

    def write(self, bucket: str, key: str, content: bytes, content_type: str) -> None:
        self.put(bucket, key, content)


class FakeEndpoints:
    """Endpoints and the models behind their configs."""

    def __init__(self) -> None:
        self.endpoints: dict[str, EndpointState] = {}
        self.models: dict[str, ServedModel] = {}

    def serve(self, name: str, config: str, status: str = "InService") -> None:
        self.endpoints[name] = EndpointState(name, status, config)
        self.models[config] = ServedModel(f"{config}-model", f"s3://artifacts/{config}/model.tar.gz")

    def describe(self, name: str) -> EndpointState | None:
        return self.endpoints.get(name)

    def served_model(self, endpoint_config_name: str) -> ServedModel | None:
        return self.models.get(endpoint_config_name)


class FakeLedger:
    """Records by id."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.champions: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, dict[str, Any]] = {}

    def get_run(self, run_id: str) -> dict[str, Any] | None:
        return self.runs.get(run_id)

    def put_run(self, record: dict[str, Any]) -> None:
        self.runs[record["run_id"]] = record

    def get_champion(self, endpoint_name: str) -> dict[str, Any] | None:
        return self.champions.get(endpoint_name)

    def put_champion(self, record: dict[str, Any]) -> None:
        self.champions[record["endpoint_name"]] = record

    def get_policy(self, dataset: str) -> dict[str, Any] | None:
        return self.policies.get(dataset)


class FakeMachine:
    """Executions by name; all that start are running until told otherwise."""

    def __init__(self) -> None:
        self.requests: dict[str, dict[str, Any]] = {}
        self.states: dict[str, ExecutionState] = {}

    def start(self, name: str, request: dict[str, Any]) -> bool:
        if name in self.requests:
            return False
        self.requests[name] = request
        self.states[name] = ExecutionState("RUNNING", "")
        return True

    def describe(self, name: str) -> ExecutionState | None:
        return self.states.get(name)


class FakeTopic:
    """Remembers what was published."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, dict[str, str]]] = []

    def publish(self, subject: str, body: str, attributes: dict[str, str]) -> None:
        self.messages.append((subject, body, attributes))


def joined(labels: list[str], predicted: list[str], **slices: list[str]) -> Joined:
    """Predictions of classes on a holdout with rows 0, 1, 2 ..."""
    truth = Truth({str(row): row for row in range(len(labels))}, labels, [], slices)
    return Joined(truth, predicted, [])


def joined_values(values: list[float], predicted: list[float], **slices: list[str]) -> Joined:
    """Predictions of quantities on a holdout with rows 0, 1, 2 ..."""
    labels = [repr(value) for value in values]
    truth = Truth({str(row): row for row in range(len(labels))}, labels, values, slices)
    return Joined(truth, [], predicted)


def output_archive(**files: bytes) -> bytes:
    """Pack files as a training job's output.tar.gz; ``predictions`` becomes ``predictions.csv``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{name}.csv")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def predictions_csv(labels: list[str], predicted: list[str]) -> bytes:
    """Write predictions for rows 0, 1, 2 ..."""
    rows = [
        f"{row},{label},{guess}" for row, (label, guess) in enumerate(zip(labels, predicted, strict=True))
    ]
    return "\n".join(["id,label,prediction", *rows, ""]).encode()


def labels_csv(labels: list[str]) -> bytes:
    """Write the truth for rows 0, 1, 2 ..."""
    return "\n".join(["id,label", *(f"{row},{label}" for row, label in enumerate(labels)), ""]).encode()
