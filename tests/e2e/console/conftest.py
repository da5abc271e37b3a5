"""A real local cloud with a small dataset of digits, and the console that shows it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from retrain.aws import Stack, Target
from retrain.localcloud import deploy, process
from tests.e2e.console.digits import Digits, some_digits

PROJECT = Path(__file__).resolve().parents[3]
SCREENSHOTS = os.environ.get("RETRAIN_SCREENSHOTS")  # a folder, for those who want to look at them
DESK, PHONE = (1440, 900), (390, 844)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.integration)


@dataclass(frozen=True)
class Console:
    """A console that runs as its command runs it."""

    url: str
    stack: Stack


@dataclass
class Watched:
    """A page, and what it asked for or complained of that it should not have."""

    page: Page
    complaints: list[str]

    def shoot(self, name: str) -> None:
        if SCREENSHOTS:
            self.page.screenshot(path=str(Path(SCREENSHOTS) / f"{name}.png"), full_page=True)


@pytest.fixture(scope="session")
def digits() -> Digits:
    return some_digits()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The project's own stack in a local cloud of its own, asking little of a model."""
    state_dir = tmp_path_factory.mktemp("e2e-cloud")
    cloud = process.up(state_dir, port=None, project_root=PROJECT, deploy=False)
    try:
        deploy.deploy(
            PROJECT / "template.yaml",
            endpoint_url=cloud.endpoint_url,
            state_dir=state_dir,
            stack_name=cloud.stack_name,
            parameters={
                "QuietPeriodSeconds": "1",
                "EndpointWaitSeconds": "1",
                "TrainingVolumeGigabytes": "1",
                "GateValueThreshold": "0.9",
                "TrainingHyperparameters": json.dumps({"recipe": "quick", "epochs": "4"}),
            },
        )
        yield Stack(
            cloud.stack_name, Target(cloud.endpoint_url, process.environment(cloud), local_cloud=True)
        )
    finally:
        process.down(state_dir)


@contextmanager
def running_console(stack: Stack) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`retrain console` as a process, on a free port; gives its address. It must end without complaint."""
    environment = {
        **os.environ,
        **(stack.target.environment or {}),
        "AWS_ENDPOINT_URL": str(stack.target.endpoint_url),
    }
    program = "from retrain.cli import main; main()"
    command = [sys.executable, "-c", program, "console", "--port", "0", "--json", "--stack-name", stack.name]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, env=environment, cwd=PROJECT
        ) as server,
    ):
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            errors.seek(0)
            assert line, errors.read().decode()
            yield json.loads(line)["url"], server
        finally:
            if server.poll() is None:
                server.send_signal(signal.SIGINT)
                server.wait(20)
        errors.seek(0)
        remarks = errors.read().decode()
    assert "Traceback" not in remarks, remarks
    assert "ERROR" not in remarks, remarks


@pytest.fixture(scope="session")
def console(stack: Stack) -> Iterator[Console]:
    with running_console(stack) as (url, _):
        yield Console(url, stack)


@pytest.fixture
def open_page(browser: Browser, console: Console) -> Iterator[Callable[..., Watched]]:
    """Open the console; whatever the page complains of, or asks of anybody else, fails the test."""
    contexts: list[BrowserContext] = []
    opened: list[Watched] = []

    def opens(path: str = "", size: tuple[int, int] = DESK, **options: Any) -> Watched:
        width, height = size
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        watched = Watched(page, [])
        page.on(
            "console", lambda said: said.type in {"error", "warning"} and watched.complaints.append(said.text)
        )
        page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        page.on(
            "request", lambda asked: asked.url.startswith(console.url) or watched.complaints.append(asked.url)
        )
        opened.append(watched)
        page.goto(console.url + path)
        return watched

    yield opens
    for context in contexts:
        context.close()
    assert [watched.complaints for watched in opened] == [[] for _ in opened]


@pytest.fixture(scope="session")
def upload(stack: Stack, digits: Digits) -> Callable[..., str]:
    """Replace a dataset's files, close the batch, and give the id of the run that it starts."""

    def send(dataset: str, *, broken: bool = False) -> str:
        from retrain.operations import follow

        known = follow.known_runs(stack)
        s3, bucket = stack.client("s3"), stack.output("DataBucketName")
        if not broken:
            for name, content in digits.holdout().items():
                s3.put_object(Bucket=bucket, Key=f"holdout/{dataset}/{name}", Body=content)
        files = {"train-images-idx3-ubyte": b"no images"} if broken else digits.training()
        for name, content in [*files.items(), ("_SUCCESS", b"")]:
            s3.put_object(Bucket=bucket, Key=f"datasets/{dataset}/{name}", Body=content)
        return follow.wait_for_new_run(stack, known, timeout=60)

    return send


@pytest.fixture(scope="session")
def deployed(stack: Stack, console: Console, upload: Callable[..., str]) -> str:
    """A run that was deployed before."""
    from retrain.operations import follow

    run_id = upload("digits")
    end = list(follow.follow(stack, run_id, timeout=240))[-1]
    assert isinstance(end, follow.RunEnded)
    assert end.outcome == "DEPLOYED", end.reason
    return run_id
