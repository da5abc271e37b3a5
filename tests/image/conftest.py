"""The image of training/, built from this folder, and a model that it trained."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.docker import container, docker, hand_over
from tests.unit.training.job import TRAINING, Job

TAG = "retrain-training:check"


def build(folder: Path, tag: str) -> str:
    """Build a folder into an image, with the arguments in IMAGE_BUILD_ARGS."""
    arguments = shlex.split(os.environ.get("IMAGE_BUILD_ARGS", ""))
    done = subprocess.run(
        ["docker", "build", "--tag", tag, *arguments, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return tag


@pytest.fixture(scope="session")
def image() -> str:
    """The image as it is built from this folder."""
    if docker("info", check=False).returncode:
        pytest.exit("Docker does not answer: start it ('docker info' shows whether it runs).", 1)
    return build(TRAINING, TAG)


@pytest.fixture(scope="session")
def job(image: str, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A training job on one host that the image has run to its end."""
    made = Job.make(tmp_path_factory.mktemp("job") / "ml", {"epochs": "2"})
    with container(image, "train", "--volume", f"{made.base}:/opt/ml", "--network", "none") as running:
        status = running.wait()
        log = running.log()
    hand_over(image, made.base)
    assert status == 0, log
    return made


@pytest.fixture
def base(image: str, tmp_path: Path) -> Iterator[Path]:
    """Where a job's folder may be made, which containers write to as root."""
    yield tmp_path
    hand_over(image, tmp_path)
