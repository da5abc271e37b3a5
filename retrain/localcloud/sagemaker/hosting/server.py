"""One model server: an image's ``serve`` on a port of its own, started, watched, restarted and ended."""

from __future__ import annotations

import http.client
import logging
import secrets
import shutil
import subprocess
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from retrain.localcloud.errors import AuthorisationError
from retrain.localcloud.sagemaker.downloads import DownloadError, extract, place_all, relative_path
from retrain.localcloud.sagemaker.errors import DeploymentError
from retrain.localcloud.sagemaker.images import ImageError, LocalImage, resolve
from retrain.localcloud.sagemaker.logs import follow
from retrain.localcloud.sagemaker.objects import ObjectError, S3Uri
from retrain.localcloud.sagemaker.platform import Platform, end, free_port

log = logging.getLogger("retrain.localcloud.sagemaker")

MAX_RESTARTS = 5
_RESTART_PAUSE_SECONDS = 0.2
_PING_PAUSE_SECONDS = 0.05
_FORGET_RESTARTS_SECONDS = 60.0


class ServerSpec(TypedDict):
    """What has to run for one production variant; kept in the endpoint's record."""

    variant: str
    model: str
    image: str
    environment: dict[str, str]
    model_data: str | None
    packed: bool
    weight: float
    instances: int
    serverless: dict[str, Any] | None
    startup_seconds: int | None
    role: NotRequired[str | None]


class ModelServer:
    """A server for one production variant.

    InitialInstanceCount is not multiplied on one machine: one process answers for all.

    Parameters
    ----------
    platform
        The surroundings.
    endpoint
        The endpoint's name, for its log group.
    spec
        What to run.
    folder
        The server's own; removed when it is retired.
    config_name
        The endpoint config that it serves, for its metrics.

    Attributes
    ----------
    port
        Where it answers; None until ``/ping`` does, and while it is being restarted.
    given_up
        Why it is not restarted any more; None as long as it serves or is being restarted.
    """

    def __init__(
        self, platform: Platform, endpoint: str, spec: ServerSpec, folder: Path, *, config_name: str = ""
    ) -> None:
        self.endpoint = endpoint
        self.config_name = config_name
        self.spec = spec
        self.port: int | None = None
        self.given_up: str | None = None
        self.log_group = f"/aws/sagemaker/Endpoints/{endpoint}"
        self.log_stream = f"{spec['variant']}/i-{secrets.token_hex(9)[:17]}"
        self._platform = platform
        self._role = platform.role(spec.get("role"))
        self._logs = False
        self._folder = folder
        self._image: LocalImage | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._last_errors: deque[str] = deque(maxlen=20)
        self._readers: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._in_flight = 0
        self._healthy_since = 0.0
        self._retired = threading.Event()

    # -- requests -----------------------------------------------------------------------------------------

    def acquire(self) -> int | None:
        """Count a request in and return the port; None if the server does not answer now."""
        with self._lock:
            if self._retired.is_set() or self.port is None:
                return None
            self._in_flight += 1
            return self.port

    def release(self) -> None:
        """Count a request out."""
        with self._lock:
            self._in_flight -= 1
            self._idle.notify_all()

    @property
    def is_retired(self) -> bool:
        """Whether another server is there for its requests."""
        return self._retired.is_set()

    @property
    def last_error(self) -> str:
        """The last line that the program wrote to standard error, or an empty string."""
        return self._last_errors[-1] if self._last_errors else ""

    # -- life ---------------------------------------------------------------------------------------------

    def start(self, cancelled: threading.Event) -> None:
        """Fetch the model, start the program and wait until ``/ping`` answers.

        Raises
        ------
        DeploymentError
            If it does not come up, with the reason in AWS's words.
        """
        try:
            self._role.require_image(self.spec["image"])
            self._image = resolve(self.spec["image"], self._platform.context.images)
        except (ImageError, AuthorisationError) as error:
            raise DeploymentError(
                f"The image of production variant {self.spec['variant']} cannot be pulled: {error}"
            ) from error
        self._logs = self._role.may_log(self.log_group, self.log_stream)
        self._lay_down_model()
        self._run_until_healthy(cancelled)
        threading.Thread(target=self._watch, name=f"sagemaker-{self.log_stream}", daemon=True).start()

    def _lay_down_model(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        model = self._folder / "model"
        model.mkdir(parents=True)
        url = self.spec["model_data"]
        if url is None:
            return
        uri = S3Uri.parse(url)
        objects = self._platform.objects_of(self._role)
        try:
            listing = list(objects.list_objects(uri))
            if self.spec["packed"]:
                if not any(found.key == uri.key for found in listing):
                    raise DownloadError("no such object")
                archive = self._folder / "model.tar.gz"
                objects.fetch(uri, archive)
                extract(archive, model)
                archive.unlink()
            else:
                files = [(found, relative_path(uri.key, found.key)) for found in listing]
                place_all(
                    objects,
                    uri.bucket,
                    [(found, path) for found, path in files if path is not None],
                    model,
                )
        except (ObjectError, DownloadError, OSError) as error:
            raise DeploymentError(
                f'Failed to download model data for container "container_1" from URL: "{url}". Please ensure '
                "that there is an object located at the URL and that the role passed to CreateModel has "
                f"permissions to download the model. ({error})"
            ) from error

    def _run_until_healthy(self, cancelled: threading.Event) -> None:
        port = free_port()
        process = self._spawn(port)
        limit = self.spec["startup_seconds"] or self._platform.settings.startup
        deadline = time.monotonic() + limit
        while True:
            if cancelled.is_set() or self._retired.is_set():
                self._end()
                raise DeploymentError("The deployment was cut off.")
            code = process.poll()
            if code is not None:
                for reader in self._readers:
                    reader.join(timeout=1.0)
                raise DeploymentError(self._not_healthy(f"The container exited with code {code}"))
            if _ping(port):
                break
            if time.monotonic() >= deadline:
                self._end()
                raise DeploymentError(
                    self._not_healthy(f"/ping did not answer with 200 within {limit:g} seconds")
                )
            cancelled.wait(_PING_PAUSE_SECONDS)
        with self._lock:
            self.port = port
        self._healthy_since = time.monotonic()

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        assert self._image is not None  # noqa: S101  (start resolves it)
        environment = {
            **self._role.credentials(),
            **self.spec["environment"],
            "SAGEMAKER_BIND_TO_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
        }
        try:
            process = self._platform.run(
                self._image, "serve", self._folder, environment, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise DeploymentError(
                self._not_healthy(f"The image's program cannot be started: {error}")
            ) from error
        assert process.stdout is not None and process.stderr is not None  # noqa: S101, PT018  (pipes)
        name = f"sagemaker-{self.log_stream}"
        self._readers = [
            follow(process.stdout, self._take, name),
            follow(process.stderr, self._take_error, name),
        ]
        self._process = process
        return process

    def _take(self, line: str) -> None:
        if self._logs:
            self._platform.logs.send(self.log_group, self.log_stream, line)

    def _take_error(self, line: str) -> None:
        self._last_errors.append(line)
        self._take(line)

    def _not_healthy(self, why: str) -> str:
        last = f": {self.last_error}" if self.last_error else ""
        return (
            f"The primary container for production variant {self.spec['variant']} did not pass the ping "
            f"health check. Please check CloudWatch logs for this endpoint. {why}{last}"
        )[:1024]

    def _watch(self) -> None:
        """Restart a program that dies while it should serve, a bounded number of times."""
        restarts = 0
        while not self._retired.is_set():
            process = self._process
            if process is None or process.poll() is None:
                self._retired.wait(self._platform.settings.poll)
                continue
            with self._lock:
                self.port = None
            if time.monotonic() - self._healthy_since > _FORGET_RESTARTS_SECONDS:
                restarts = 0
            if restarts >= MAX_RESTARTS:
                self._take(f"The container exited {restarts + 1} times and is not restarted any more.")
                self.given_up = self._not_healthy(f"The container exited {restarts + 1} times")
                log.error("The server of %s died %d times: %s", self.log_group, restarts + 1, self.last_error)
                return
            restarts += 1
            self._take(
                f"The container exited with code {process.returncode}; restart {restarts} of {MAX_RESTARTS}."
            )
            self._retired.wait(_RESTART_PAUSE_SECONDS * 2 ** (restarts - 1))
            try:
                self._run_until_healthy(self._retired)
            except DeploymentError as error:
                if not self._retired.is_set():
                    log.warning("The server of %s did not come up again: %s", self.log_group, error)

    def retire(self, drain_seconds: float) -> None:
        """Take no more requests, wait for those under way, end the program and remove its folder."""
        deadline = time.monotonic() + drain_seconds
        with self._idle:
            self._retired.set()
            while self._in_flight > 0 and (left := deadline - time.monotonic()) > 0:
                self._idle.wait(left)
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self) -> None:
        if self._process is not None:
            end(self._process, self._platform.settings.stop_grace)


def _ping(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2.0)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
