"""One instance of a training job: a folder that stands for ``/opt/ml``, and the program that runs in it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from retrain.localcloud.sagemaker.images import LocalImage
from retrain.localcloud.sagemaker.logs import follow
from retrain.localcloud.sagemaker.platform import Platform, loopback_interface
from retrain.localcloud.sagemaker.training.request import BASE_FOLDER

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_GROUP = "homogeneousCluster"


def host_name(number: int) -> str:
    """Return the name of the host with that number, from 0."""
    return f"algo-{number + 1}"


def used_bytes(folder: Path) -> int:
    """Return the storage that everything below a folder occupies."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(parent, name).lstat().st_blocks * 512
            except FileNotFoundError:
                continue  # gone since it was listed
    return total


class Instance:
    """One host of a job.

    Parameters
    ----------
    job
        The job's record.
    number
        Of the host, from 0.
    base
        The folder that stands for ``/opt/ml``.
    """

    def __init__(self, job: dict[str, Any], number: int, base: Path) -> None:
        self.job = job
        self.host = host_name(number)
        self.base = base
        self.process: subprocess.Popen[bytes] | None = None
        self.last_lines: deque[str] = deque(maxlen=20)
        self._reader: Any = None

    def prepare(self) -> None:
        """Make the folders and the files of ``input/config``."""
        for folder in ("input/config", "input/data", "model", "output/data", "checkpoints", "code", "tmp"):
            (self.base / folder).mkdir(parents=True, exist_ok=True)
        resources = self.job["ResourceConfig"]
        hosts = [host_name(number) for number in range(resources["InstanceCount"])]
        algorithm = self.job["AlgorithmSpecification"]
        channels = {
            channel["ChannelName"]: {
                "ContentType": channel.get("ContentType", ""),
                "TrainingInputMode": channel.get("InputMode") or algorithm["TrainingInputMode"],
                "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                    "S3DataDistributionType", "FullyReplicated"
                ),
                "RecordWrapperType": "None",
            }
            for channel in self.job.get("InputDataConfig") or []
        }
        self._write("hyperparameters.json", self.job.get("HyperParameters") or {})
        self._write("inputdataconfig.json", channels)
        self._write(
            "resourceconfig.json",
            {
                "current_host": self.host,
                "current_instance_type": resources["InstanceType"],
                "current_group_name": _GROUP,
                "hosts": hosts,
                "instance_groups": [
                    {
                        "instance_group_name": _GROUP,
                        "instance_type": resources["InstanceType"],
                        "hosts": hosts,
                    }
                ],
                "network_interface_name": loopback_interface(),
            },
        )

    def _write(self, name: str, content: Any) -> None:
        (self.base / "input" / "config" / name).write_text(json.dumps(content), encoding="utf-8")

    def path_of(self, container_path: str) -> Path:
        """Return where a path below ``/opt/ml`` is on this host."""
        return self.base / container_path.removeprefix(BASE_FOLDER).strip("/")

    def start(
        self, platform: Platform, image: LocalImage, master_port: int, take_line: Callable[[str], None]
    ) -> None:
        """Start the program.

        Parameters
        ----------
        platform, image
            What runs it, and what is run.
        master_port
            Where the first host listens for the others.
        take_line
            Called with each line that the program writes.
        """
        name = self.job["TrainingJobName"]
        stream = f"{name}/{self.host}-{int(time.time())}"
        instances = self.job["ResourceConfig"]["InstanceCount"]
        # The hosts share this machine's cores: as many threads in each as there are cores would only be in
        # each other's way.
        shared = {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // instances))} if instances > 1 else {}
        role = platform.role(self.job["RoleArn"])
        environment = {
            **shared,
            **role.credentials(),
            **(self.job.get("Environment") or {}),
            "TRAINING_JOB_NAME": name,
            "TRAINING_JOB_ARN": self.job["TrainingJobArn"],
            # The hosts are processes of one machine, on which `algo-1` does not resolve.
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(master_port),
            "GLOO_SOCKET_IFNAME": loopback_interface(),
        }
        self.process = platform.run(image, "train", self.base, environment, stderr=subprocess.STDOUT)
        assert self.process.stdout is not None  # noqa: S101  (a pipe was asked for)
        logs = role.may_log(LOG_GROUP, stream)

        def take(line: str) -> None:
            self.last_lines.append(line)
            if logs:
                platform.logs.send(LOG_GROUP, stream, line)
            take_line(line)

        self._reader = follow(self.process.stdout, take, f"sagemaker-{name}-{self.host}")

    def finish_reading(self) -> None:
        """Wait for the last lines of a program that has ended."""
        if self._reader is not None:
            self._reader.join(timeout=2.0)

    def failure(self) -> str:
        """Return why the program failed: what it wrote to ``output/failure``, else its last line."""
        try:
            text = (self.base / "output" / "failure").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            text = ""
        return text or (self.last_lines[-1] if self.last_lines else "")
