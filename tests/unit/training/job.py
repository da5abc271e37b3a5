"""A training job's folder, filled and run as the platform does it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit.training.digits import write_pair

TRAINING = Path(__file__).resolve().parents[3] / "training"
DEADLINE = 60.0


def clean_environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without what a platform would set, plus `variables`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SM_", "SAGEMAKER_", "MASTER_", "TRAINING_", "AWS_", "PYTHON"))
    }
    return kept | {"PYTHONPATH": str(TRAINING)} | variables


@dataclass(frozen=True)
class Job:
    """The folder that stands for /opt/ml."""

    base: Path

    @classmethod
    def make(
        cls,
        base: Path,
        hyperparameters: dict[str, str] | None = None,
        *,
        hosts: Sequence[str] = ("algo-1",),
        host: str = "algo-1",
        channels: Sequence[str] = ("training", "holdout"),
        images: int = 2000,
    ) -> Job:
        """Make the folder with its configuration and, in its channels, drawn digits."""
        job = cls(base)
        config = base / "input" / "config"
        config.mkdir(parents=True)
        resources = {"current_host": host, "hosts": list(hosts), "network_interface_name": "eth0"}
        job.write_config("hyperparameters", hyperparameters or {})
        job.write_config("resourceconfig", resources)
        job.write_config("inputdataconfig", {name: {"TrainingInputMode": "File"} for name in channels})
        for name in channels:
            job.channel(name).mkdir(parents=True)
        if images and "training" in channels:
            write_pair(job.channel("training"), images)
        if images and "holdout" in channels:
            write_pair(job.channel("holdout"), 300, prefix="t10k", seed=1)
        return job

    def write_config(self, name: str, value: dict[str, Any]) -> None:
        (self.base / "input" / "config" / f"{name}.json").write_text(json.dumps(value))

    def channel(self, name: str) -> Path:
        return self.base / "input" / "data" / name

    @property
    def model(self) -> Path:
        return self.base / "model"

    @property
    def predictions(self) -> Path:
        return self.base / "output" / "data" / "predictions.csv"

    @property
    def failure(self) -> str | None:
        path = self.base / "output" / "failure"
        return path.read_text() if path.exists() else None

    def start(self, **variables: str) -> subprocess.Popen[str]:
        """Start `train` as the platform does."""
        return subprocess.Popen(
            [sys.executable, "-m", "container", "train"],
            env=clean_environment(SAGEMAKER_BASE_DIR=str(self.base), **variables),
            cwd=self.base,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `train` to its end."""
        process = self.start(**variables)
        return finish(process)


def finish(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for a process, but not for ever."""
    try:
        out, err = process.communicate(timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
