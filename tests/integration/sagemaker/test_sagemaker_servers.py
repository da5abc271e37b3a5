"""Model servers by themselves, with times that a test can wait for."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retrain.localcloud import guardian
from retrain.localcloud.context import LocalCloudContext
from retrain.localcloud.sagemaker.errors import DeploymentError
from retrain.localcloud.sagemaker.hosting.server import MAX_RESTARTS, ModelServer, ServerSpec
from retrain.localcloud.sagemaker.platform import Platform, Settings
from retrain.localcloud.sagemaker.service import SageMaker

IMAGE = Path(__file__).with_name("image")
SPEC: ServerSpec = {
    "variant": "A",
    "model": "m",
    "image": "tiny:1",
    "environment": {},
    "model_data": None,
    "packed": True,
    "weight": 1.0,
    "instances": 1,
    "serverless": None,
    "startup_seconds": None,
}
ROLE = "arn:aws:iam::000000000000:role/training"


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    """Surroundings without a cloud: the models here have no data, and nobody reads the logs."""
    context = LocalCloudContext(
        state_dir=tmp_path,
        endpoint_url="http://127.0.0.1:9",
        project_root=tmp_path,
        images={"*tiny*": IMAGE},
        port=9,
        spawn=guardian.spawn,
    )
    settings = Settings(stop_grace=1.0, drain=0.2, startup=1.5, invocation=0.5)
    platform = Platform.of(context, lambda *_: None, settings)
    platform.logs.close()
    return platform


@pytest.fixture
def serve(platform: Platform, tmp_path: Path) -> Iterator[Callable[..., ModelServer]]:
    servers: list[ModelServer] = []

    def make(**environment: str) -> ModelServer:
        server = ModelServer(
            platform,
            "endpoint",
            {**SPEC, "environment": environment},
            tmp_path / "server",
        )
        servers.append(server)
        server.start(threading.Event())
        return server

    yield make
    for server in servers:
        server.retire(0.0)


def test_a_server_that_never_answers_ping_is_given_up(serve, wait_until):
    with pytest.raises(DeploymentError, match=r"/ping did not answer with 200 within 1\.5 seconds"):
        serve(PING_STATUS="503")


def test_a_deployment_that_is_cut_off_ends_its_server(platform, tmp_path):
    cancelled = threading.Event()
    cancelled.set()
    server = ModelServer(platform, "e", SPEC, tmp_path / "s")
    with pytest.raises(DeploymentError, match="cut off"):
        server.start(cancelled)
    assert server._process is not None
    assert server._process.poll() is not None


def test_a_server_that_keeps_dying_is_given_up_after_some_restarts(serve, wait_until, monkeypatch, caplog):
    monkeypatch.setattr("retrain.localcloud.sagemaker.hosting.server._RESTART_PAUSE_SECONDS", 0.01)
    server = serve()
    pids = set()
    for _ in range(MAX_RESTARTS + 1):
        wait_until(lambda: server.port is not None, what="a server")
        pids.add(server._process.pid)
        server._process.kill()
        wait_until(lambda: server.port is None, what="the end of it")
    wait_until(lambda: "died 6 times" in caplog.text, what="the end of patience")
    assert len(pids) == MAX_RESTARTS + 1
    assert server.acquire() is None


def test_an_invocation_that_takes_too_long_is_a_model_error(platform, wait_until):
    sagemaker = SageMaker(platform)
    sagemaker.call(
        "CreateModel",
        {"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "tiny:1"}},
    )
    variant = {"VariantName": "A", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.call("CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [variant]})
    sagemaker.call("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"})
    try:
        wait_until(
            lambda: (
                sagemaker.call("DescribeEndpoint", {"EndpointName": "e"})["EndpointStatus"] == "InService"
            ),
            what="the endpoint",
        )
        for body, status, message in (
            (b"sleep 2", 0, "Your invocation timed out"),
            (b"die", 0, "The container closed the connection"),
        ):
            code, headers, answer = asyncio.run(
                sagemaker.handle("POST", "/endpoints/e/invocations", {}, body, {})
            )
            assert (code, headers["x-amzn-ErrorType"]) == (424, "ModelError")
            assert json.loads(answer)["OriginalStatusCode"] == status
            assert message in json.loads(answer)["OriginalMessage"]
    finally:
        sagemaker.shutdown()
