"""What an extension of the local cloud (SageMaker, CodePipeline) is told about the cloud that it runs in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import IO, Any, Protocol


class Spawn(Protocol):
    """Start a process that dies with the local cloud, even when the cloud is killed with ``kill -9``."""

    def __call__(
        self,
        args: Sequence[str],
        *,
        cwd: Path | str | None = None,
        env: Mapping[str, str] | None = None,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
    ) -> Popen[bytes]:
        """Start `args`; see :func:`retrain.localcloud.guardian.spawn`."""
        ...


@dataclass(frozen=True)
class LocalCloudContext:
    """Where the local cloud runs and what its extensions may use.

    Attributes
    ----------
    state_dir
        The cloud's folder (``.retrain``); an extension keeps its own state in a folder of its own below it.
    endpoint_url
        ``http://127.0.0.1:PORT``, for boto3 clients (never used from the event loop's thread).
    project_root
        The folder of ``template.yaml``.
    images
        Glob pattern on an image's repository (registry host, tag and digest taken away) to the folder of
        the local image that stands for it.
    port
        The port of `endpoint_url`.
    spawn
        Starts a process that cannot outlive the cloud.
    """

    state_dir: Path
    endpoint_url: str
    project_root: Path
    images: Mapping[str, Path]
    port: int
    spawn: Spawn
