"""One local cloud for the whole session, and what the tests against it share."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from retrain.localcloud import deploy, process
from retrain.localcloud.clients import client
from tests.audit import recorded_rights

PROJECT = Path(__file__).resolve().parents[2]
MENDS = Path(__file__).with_name("mends")
TOLD_MODEL = Path(__file__).parent / "deployments" / "image"
"""An image that needs nothing but Python, and whose models behave as their data says."""

Aws = Callable[[str], Any]

PATIENCE = 4
"""How many times longer than usual something may take, on a machine that has other things to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def local_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[process.LocalCloud]:
    """A local cloud without a stack, on a free port, shared by all tests of the session."""
    state_dir = tmp_path_factory.mktemp("localcloud")
    images = {**process.default_images(PROJECT), "*told-model*": TOLD_MODEL}
    cloud = process.up(state_dir, port=None, project_root=PROJECT, images=images, deploy=False)
    yield cloud
    recorded_rights.record(cloud.endpoint_url)
    process.down(state_dir)


@pytest.fixture(scope="session")
def aws(local_cloud: process.LocalCloud) -> Aws:
    """Clients of the shared local cloud, by service."""
    return lambda service: client(service, local_cloud.endpoint_url)


@pytest.fixture(scope="session")
def retrain_stack(local_cloud: process.LocalCloud) -> dict[str, str]:
    """The project's own stack in the shared local cloud; gives its outputs."""
    return deploy.deploy(
        PROJECT / "template.yaml", endpoint_url=local_cloud.endpoint_url, state_dir=local_cloud.state_dir
    )


@pytest.fixture(scope="session")
def mends(local_cloud: process.LocalCloud) -> dict[str, str]:
    """A small stack with a function that misbehaves as it is told; gives its outputs."""
    return deploy.deploy(
        MENDS / "template.yaml",
        endpoint_url=local_cloud.endpoint_url,
        state_dir=local_cloud.state_dir,
        stack_name="mends",
    )


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., Any]:
    """Ask again and again until the answer is something, and give it."""

    def wait(ask: Callable[[], Any], *, seconds: float = 10.0, what: str = "the condition") -> Any:
        began = time.monotonic()
        while not (answer := ask()):
            waited = time.monotonic() - began
            assert waited < PATIENCE * seconds, f"{what} did not come about within {PATIENCE * seconds} s"
            # What takes long is asked for less often: questions take the processor from what they wait for.
            time.sleep(min(0.1, 0.01 + waited / 20))
        return answer

    return wait


@pytest.fixture(scope="session")
def start(aws: Aws, local_cloud: process.LocalCloud) -> Callable[..., str]:
    """Start an execution of a definition made for the purpose; gives the execution's ARN."""
    states = aws("stepfunctions")

    def begin(definition: Mapping[str, Any] | str, state: Any = None, **request: Any) -> str:
        if not isinstance(definition, str):
            machine = states.create_state_machine(
                name=f"test-{uuid.uuid4().hex[:12]}",
                definition=json.dumps(definition),
                roleArn="arn:aws:iam::000000000000:role/test",
            )["stateMachineArn"]
        else:
            machine = definition
        answer = states.start_execution(
            stateMachineArn=machine, input=json.dumps({} if state is None else state), **request
        )
        return str(answer["executionArn"])

    return begin


@pytest.fixture(scope="session")
def outcome(aws: Aws, wait_until: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """Wait for an execution's end and describe it."""
    states = aws("stepfunctions")

    def ended(execution_arn: str, *, seconds: float = 15.0) -> dict[str, Any]:
        def ask() -> dict[str, Any] | None:
            description: dict[str, Any] = states.describe_execution(executionArn=execution_arn)
            return description if description["status"] != "RUNNING" else None

        found: dict[str, Any] = wait_until(ask, seconds=seconds, what="the execution's end")
        return found

    return ended


@pytest.fixture(scope="session")
def run(start: Callable[..., str], outcome: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Start an execution and wait for its end."""
    return lambda definition, state=None, seconds=15.0, **request: outcome(
        start(definition, state, **request), seconds=seconds
    )


@pytest.fixture(scope="session")
def history(aws: Aws) -> Callable[[str], list[dict[str, Any]]]:
    """An execution's events."""
    states = aws("stepfunctions")
    return lambda arn: list(states.get_execution_history(executionArn=arn, maxResults=1000)["events"])
