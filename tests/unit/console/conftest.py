"""A stack whose services are fakes, and the console's application, asked without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from moto import mock_aws

from retrain.console.app import application
from tests.unit.cli.fakes import KEYS, OUTPUTS
from tests.unit.console.fakes import ConsoleStack

PORT = 4580
HERE = f"http://127.0.0.1:{PORT}"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsoleStack]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        fake = ConsoleStack()
        fake.client("s3").create_bucket(Bucket=OUTPUTS["ArtifactsBucketName"])
        yield fake


@pytest.fixture
def ask(stack: ConsoleStack) -> Callable[..., httpx.Response]:
    """Send one request to the console."""

    def send(method: str, path: str, *, base: str = HERE, **request: Any) -> httpx.Response:
        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(application(stack, PORT))
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                return await client.request(method, path, **request)

        return asyncio.run(exchange())

    return send
