"""Docker, as these tests use it: run a container as SageMaker does, and remove it again."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# What serving has to make do with: no root, no capability, no file that can be written.
WITHOUT_PRIVILEGES = (
    *("--user", "10001:10001", "--cap-drop", "ALL", "--read-only"),
    *("--security-opt", "no-new-privileges"),
)


def docker(*arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a docker command to its end."""
    done = subprocess.run(["docker", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, f"docker {arguments[0]}: {done.stdout[-2000:]}{done.stderr}"
    return done


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    body: Any


@dataclass
class Container:
    """A container that was started."""

    name: str = field(default_factory=lambda: f"retrain-{uuid.uuid4().hex[:12]}")

    def inspect(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(docker("inspect", self.name).stdout)[0]
        return found

    def wait(self, seconds: float = 240.0) -> int:
        """Wait for its end, and give the exit status."""
        until(lambda: not self.inspect()["State"]["Running"], seconds, f"the end of {self.name}")
        return int(self.inspect()["State"]["ExitCode"])

    def log(self) -> str:
        done = docker("logs", self.name)
        return done.stdout + done.stderr

    def url(self) -> str:
        """Where its port 8080 is reached from here."""
        published = docker("port", self.name, "8080/tcp").stdout.splitlines()[0]
        return f"http://{published}"

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send a request; a body makes it a POST."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url() + path, body, named)
        try:
            with _OPENER.open(request, timeout=60) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        return Answer(status, json.loads(content) if content else None)

    def until_it_serves(self, seconds: float = 60.0) -> None:
        def answers() -> bool:
            assert self.inspect()["State"]["Running"], self.log()
            try:
                return self.ask("/ping").status == 200
            except OSError:
                return False

        until(answers, seconds, "/ping")


def until(ask: Callable[[], Any], seconds: float, what: str) -> Any:
    """Ask again and again until the answer is something, and give it."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"{what} did not come about within {seconds} s"
        time.sleep(0.05)
    return answer


@contextmanager
def container(image: str, command: str, *options: str | Path) -> Iterator[Container]:
    """Run ``docker run IMAGE train`` or ``serve``, and remove the container in the end."""
    made = Container()
    docker("run", "--detach", "--name", made.name, *options, image, command)
    try:
        yield made
    finally:
        docker("rm", "--force", "--volumes", made.name, check=False)


@contextmanager
def network() -> Iterator[str]:
    """A network in which containers know each other by name, as the hosts of a training job do."""
    name = f"retrain-{uuid.uuid4().hex[:12]}"
    docker("network", "create", name)
    try:
        yield name
    finally:
        docker("network", "rm", name)


def hand_over(image: str, folder: Path) -> None:
    """Make what a container wrote as root ours, so that it can be removed."""
    mount = f"{folder}:/opt/ml"
    owner = f"{os.getuid()}:{os.getgid()}"
    docker("run", "--rm", "--volume", mount, "--entrypoint", "chown", image, "--recursive", owner, "/opt/ml")
