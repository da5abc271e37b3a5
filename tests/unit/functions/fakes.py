"""Fakes of the ports: dictionaries that behave like the services, as far as the rules can tell."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import IO, Any

from retraining.datasets import StoredObject
from retraining.errors import ObjectMissingError
from retraining.executions import from_datetime
from retraining.ports import EndpointState, ExecutionState, Ports, ServedModel
from retraining.predictions import Joined
from retraining.telling import Channels
from retraining.truth import Truth
from tests.unit.functions.fake_ledger import FakeLedger

__all__ = ["FakeLedger"]

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class FakeStorage:
    """Buckets in memory."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], tuple[bytes, datetime]] = {}

    def put(self, bucket: str, key: str, content: bytes, at: datetime = NOON) -> None:
        self.objects[bucket, key] = (content, at)

    def delete(self, bucket: str, key: str) -> None:
        del self.objects[bucket, key]

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        found = sorted(self.objects.items(), key=lambda entry: entry[0][1].encode("utf-8", "surrogatepass"))
        for (place, key), (content, at) in found:
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


class FakeAlarms:
    """Alarms, of which some ring."""

    def __init__(self, *ringing: str) -> None:
        self.loud = set(ringing)

    def ringing(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if name in self.loud]


class FakeMachine:
    """Executions by name; all that start are running until told otherwise."""

    def __init__(self) -> None:
        self.requests: dict[str, dict[str, Any]] = {}
        self.states: dict[str, ExecutionState] = {}

    def start(self, name: str, request: dict[str, Any]) -> bool:
        if name in self.requests:
            same = self.requests[name] == request
            return same and name in self.states and self.states[name].status == "RUNNING"
        self.requests[name] = request
        trigger = request.get("trigger") or {}
        self.states[name] = ExecutionState("RUNNING", "", str(trigger.get("id", "")))
        return True

    def describe(self, name: str) -> ExecutionState | None:
        return self.states.get(name)

    def end(self, name: str, status: str, at: datetime = NOON) -> None:
        self.states[name] = replace(self.states[name], status=status, stopped_at=from_datetime(at))


class FakeRegistry:
    """Images of which every tag is there; its digest is made of its name, and can be moved."""

    def __init__(self) -> None:
        self.missing: set[str] = set()
        self.pushes: dict[str, int] = {}

    def digest(self, account: str, region: str, repository: str, *, tag: str, digest: str) -> str | None:
        name = f"{repository}:{tag}" if tag else f"{repository}@{digest}"
        if name in self.missing:
            return None
        content = f"{account}/{region}/{name}/{self.pushes.get(name, 0)}"
        return digest or f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


class FakeDelays:
    """Messages that are kept back, with their delays."""

    def __init__(self) -> None:
        self.messages: list[tuple[dict[str, Any], int]] = []

    def send(self, message: Mapping[str, Any], seconds: int) -> None:
        assert 0 <= seconds <= 900
        self.messages.append((json.loads(json.dumps(message)), seconds))


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class FakeTopic:
    """Remembers what was published."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, dict[str, str]]] = []

    def publish(self, subject: str, body: str, attributes: dict[str, str]) -> None:
        self.messages.append((subject, body, attributes))


class FakeBus:
    """Remembers what was put on it: detail type and detail."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def put(self, source: str, detail_type: str, detail: str, resource: str) -> None:
        assert source == "retrain"
        assert resource.startswith("arn:")
        self.events.append((detail_type, json.loads(detail)))


class FakeMarks:
    """Marks of what was told, by run."""

    def __init__(self) -> None:
        self.marks: dict[str, dict[str, Any]] = {}

    def get(self, run_id: str) -> dict[str, Any]:
        return dict(self.marks.get(run_id, {}))

    def put(self, run_id: str, marks: Mapping[str, Any]) -> None:
        self.marks[run_id] = dict(marks)


class FakeChannels:
    """Everybody who is told; `channels` are those of `retraining.telling`."""

    def __init__(self) -> None:
        self.counted: list[Mapping[str, Any]] = []
        self.bus, self.topic, self.marks, self.clock = FakeBus(), FakeTopic(), FakeMarks(), FakeClock()
        self.channels = Channels(self.counted.append, self.bus, self.topic, self.marks, self.clock)


def fake_ports(storage: FakeStorage, ledger: FakeLedger | None = None) -> Ports:
    """All ports, each a fake."""
    return Ports(
        storage=storage,
        ledger=ledger or FakeLedger(),
        machine=FakeMachine(),
        registry=FakeRegistry(),
        delays=FakeDelays(),
        topic=FakeTopic(),
        clock=FakeClock(),
    )


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
    """Pack files as a training job's output.tar.gz; ``predictions`` becomes ``predictions.csv``.

    So do all but ``verify``, which becomes ``verify.jsonl``.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo("verify.jsonl" if name == "verify" else f"{name}.csv")
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
