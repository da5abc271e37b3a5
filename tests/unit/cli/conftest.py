"""The command, called as a shell calls it, and a stack whose services are fakes or moto's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from retrain import cli
from tests.unit.cli.fakes import KEYS, OUTPUTS, Ended, FakeStack


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees this machine's credentials, local cloud, cache or terminal."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION", "RETRAIN_STACK_NAME", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name in (*KEYS, "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-aws-credentials"))
    monkeypatch.setenv("RETRAIN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def retrain(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run the command as a shell does, its output into pipes."""

    def call(*arguments: object) -> Ended:
        code = cli.run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return call


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStack]:
    """The stack that every command finds."""
    fake = FakeStack()
    monkeypatch.setattr("retrain.cli.options.connect", lambda *_, **__: fake)
    monkeypatch.setattr("retrain.operations.follow.time.sleep", lambda _: None)
    with mock_aws():
        yield fake


@pytest.fixture
def bucket(stack: FakeStack) -> Any:
    """The data bucket, made by moto; its client."""
    client = stack.client("s3")
    client.create_bucket(Bucket=OUTPUTS["DataBucketName"])
    return client
