"""What all parts of the local SageMaker share: settings, names, S3, logs, events, programs."""

from __future__ import annotations

import logging
import os
import platform as machine
import queue
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

from retrain.localcloud.authorisation.decisions import Authority
from retrain.localcloud.clients import client
from retrain.localcloud.context import LocalCloudContext
from retrain.localcloud.environment import ACCOUNT, REGION, client_environment
from retrain.localcloud.sagemaker.downloads import ObjectCache
from retrain.localcloud.sagemaker.images import LocalImage
from retrain.localcloud.sagemaker.logs import LogShipper
from retrain.localcloud.sagemaker.monitoring import Monitoring, NoMonitoring
from retrain.localcloud.sagemaker.objects import ObjectStore, S3ObjectStore
from retrain.localcloud.sagemaker.roles import ExecutionRole, HeldObjects

log = logging.getLogger("retrain.localcloud.sagemaker")

EventSink = Callable[[str, str, dict[str, Any], list[str]], None]

# What a program in a container may see of the developer's environment: enough to run and to install packages.
_INHERITED = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "VIRTUAL_ENV"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *(
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "NO_PROXY",
            "http_proxy",
            "https_proxy",
            "all_proxy",
            "no_proxy",
        ),
    }
)
_INHERITED_PREFIXES = ("LC_", "PIP_", "UV_", "LD_LIBRARY", "DYLD_", "CUDA_", "NVIDIA_", "OMP_", "MKL_")


@dataclass(frozen=True)
class Settings:
    """Times, in seconds, that differ from AWS's because nobody waits two minutes on a laptop.

    Attributes
    ----------
    stop_grace
        Between SIGTERM and SIGKILL (AWS: 120).
    drain
        The longest wait for requests still under way when an endpoint is deleted or the local cloud stops. An
        update waits as long as an invocation may take.
    startup
        How long a server has until ``/ping`` answers, unless the variant says otherwise.
    poll
        Between two looks at running processes.
    invocation
        How long an answer to an invocation may take (as in AWS).
    """

    stop_grace: float = 5.0
    drain: float = 5.0
    startup: float = 120.0
    poll: float = 0.05
    invocation: float = 60.0


class EventSender:
    """Sends events in order from a thread of its own: delivering one may start a Lambda function.

    Parameters
    ----------
    sink
        Takes source, detail type, detail and resources.
    """

    def __init__(self, sink: EventSink) -> None:
        self._sink = sink
        self._queue: queue.Queue[tuple[str, dict[str, Any], str]] = queue.Queue()
        threading.Thread(target=self._run, name="sagemaker-events", daemon=True).start()

    def send(self, detail_type: str, detail: dict[str, Any], resource: str) -> None:
        """Send an event of source ``aws.sagemaker`` about the resource of that ARN."""
        self._queue.put((detail_type, detail, resource))

    def _run(self) -> None:
        while True:
            detail_type, detail, resource = self._queue.get()
            try:
                self._sink("aws.sagemaker", detail_type, detail, [resource])
            except Exception:  # a rule's target must not end the sending of events
                log.exception("The event %r about %s was not sent.", detail_type, resource)


@dataclass
class Platform:
    """The surroundings of the local SageMaker.

    Attributes
    ----------
    context
        The local cloud.
    folder
        SageMaker's own folder in the cloud's state.
    objects, logs, events, cache
        S3, CloudWatch Logs, EventBridge, and the objects fetched from S3.
    put_metrics
        Sends CloudWatch metrics: namespace and metric data.
    settings
        Times.
    monitoring
        CloudWatch in the same process: endpoints' metrics and alarms.
    authority
        Holds execution roles to their policies; None lets them do everything.
    """

    context: LocalCloudContext
    folder: Path
    objects: ObjectStore
    logs: LogShipper
    events: EventSender
    cache: ObjectCache
    put_metrics: Callable[[str, list[dict[str, Any]]], None]
    settings: Settings = field(default_factory=Settings)
    monitoring: Monitoring = field(default_factory=NoMonitoring)
    authority: Authority | None = None

    @classmethod
    def of(
        cls,
        context: LocalCloudContext,
        events: EventSink,
        settings: Settings | None = None,
        monitoring: Monitoring | None = None,
        authority: Authority | None = None,
    ) -> Platform:
        """Return the surroundings in a running local cloud."""
        folder = context.state_dir / "sagemaker"
        objects = S3ObjectStore(context.endpoint_url)
        cloudwatch = client("cloudwatch", context.endpoint_url)
        return cls(
            context=context,
            folder=folder,
            objects=objects,
            logs=LogShipper(lambda: client("logs", context.endpoint_url)),
            events=EventSender(events),
            cache=ObjectCache(folder / "cache", objects),
            put_metrics=lambda namespace, data: cloudwatch.put_metric_data(
                Namespace=namespace, MetricData=data
            ),
            settings=settings or Settings(),
            monitoring=monitoring or NoMonitoring(),
            authority=authority,
        )

    def role(self, role_arn: str | None) -> ExecutionRole:
        """Return an execution role to act in."""
        return ExecutionRole(self.authority, role_arn)

    def objects_of(self, role: ExecutionRole) -> HeldObjects:
        """Return S3, and the cache, as a role has them."""
        return HeldObjects(role, self.objects, self.cache)

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a resource, e.g. of kind ``training-job``."""
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"

    def run(
        self, image: LocalImage, command: str, base: Path, environment: Mapping[str, str], *, stderr: int
    ) -> Popen[bytes]:
        """Start an image's program.

        Parameters
        ----------
        image
            What to run.
        command
            ``train`` or ``serve``.
        base
            The folder that stands for ``/opt/ml``.
        environment
            Variables of this container, which win over all others.
        stderr
            As for Popen; standard output is a pipe.
        """
        scratch = base / "tmp"
        scratch.mkdir(parents=True, exist_ok=True)
        variables = {
            name: value
            for name, value in os.environ.items()
            if name in _INHERITED or name.startswith(_INHERITED_PREFIXES)
        }
        variables |= client_environment(self.context.port)
        variables |= {
            "AWS_ENDPOINT_URL": self.context.endpoint_url,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONPATH": str(image.folder),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",  # the image's folder is somebody's source tree
            "SAGEMAKER_BASE_DIR": str(base),
            "TMPDIR": str(scratch),
        }
        variables |= environment
        return self.context.spawn(
            [*image.entrypoint, command],
            # Not the base folder itself: its `code` would hide Python's own module of that name.
            cwd=scratch,
            env=variables,
            stdout=-1,
            stderr=stderr,
        )


def now() -> float:
    """Return the time as the API gives it: seconds since 1970, to the millisecond."""
    return round(time.time(), 3)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 on which nothing listens at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def loopback_interface() -> str:
    """Return the name of the loopback interface."""
    return "lo0" if machine.system() == "Darwin" else "lo"


def signal_group(process: Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a process and everything that it started and that stayed in its process group."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return  # ended already; on macOS a group of zombies answers EPERM


def end(process: Popen[bytes], grace: float) -> None:
    """End a process and its group: SIGTERM, and SIGKILL after `grace` seconds."""
    if process.poll() is None:
        signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + grace
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    signal_group(process, signal.SIGKILL)
    process.wait()
