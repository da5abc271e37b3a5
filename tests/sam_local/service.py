"""``sam local start-lambda``: all functions in Docker, each in a container that stays for its next event.

The containers are the ones of ``sam local invoke``. That command builds their image anew each time, since the
layer stands in the template, and starts a container for one event: three quarters of its time.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.unit.functions import stack

_SECONDS_TO_START = 120
_SECONDS_TO_ANSWER = 300
_SECONDS_TO_STOP = 60
_SECONDS_TO_LOG = 10
_END_OF_LOG = "REPORT RequestId"


@dataclass(frozen=True)
class Service:
    """Functions that can be invoked.

    Attributes
    ----------
    port
        Where the SAM CLI answers as Lambda does.
    log_file
        What all containers write, one after the other.
    """

    port: int
    log_file: Path

    def invoke(self, function: str, event: bytes) -> tuple[bytes, str]:
        """Invoke a function; gives what it answers, and its log."""
        before = len(self._log())
        client: Any = boto3.client(
            "lambda",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=stack.REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(proxies={}, read_timeout=_SECONDS_TO_ANSWER, retries={"max_attempts": 0}),
        )
        answer = client.invoke(FunctionName=function, Payload=event)["Payload"].read()
        # What a container writes takes a way of its own, and may come after the answer.
        deadline = time.monotonic() + _SECONDS_TO_LOG
        while _END_OF_LOG not in (log := self._log()[before:]) and time.monotonic() < deadline:
            time.sleep(0.02)
        return answer, log

    def _log(self) -> str:
        return self.log_file.read_text(encoding="utf-8") if self.log_file.exists() else ""


@contextlib.contextmanager
def serving(
    sam: Path, folder: Path, arguments: Sequence[str | Path], variables: dict[str, dict[str, str]]
) -> Iterator[Service]:
    """Have the SAM CLI serve the functions of a template, and end it with its containers.

    Parameters
    ----------
    sam
        The SAM CLI.
    folder
        For the logs.
    arguments
        What ``sam local invoke`` takes as well: the template and its parameters.
    variables
        The environment of each function.
    """
    environment = folder / "variables.json"
    environment.write_text(json.dumps(variables))
    service = Service(_free_port(), folder / "functions.log")
    said = folder / "start-lambda.log"
    with said.open("w") as output:
        process = subprocess.Popen(
            [
                *map(str, (sam, "local", "start-lambda", *arguments)),
                *("--port", str(service.port), "--env-vars", str(environment)),
                *("--warm-containers", "LAZY", "--no-watch", "--log-file", str(service.log_file)),
            ],
            cwd=stack.ROOT,
            env={
                **os.environ,
                "SAM_CLI_TELEMETRY": "0",
                "AWS_ACCESS_KEY_ID": stack.ACCOUNT,
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": stack.REGION,
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl+C is for this process, which then ends that one
        )
    try:
        _wait_until(lambda: _answers(service.port), process, said)
        yield service
    finally:
        process.send_signal(signal.SIGINT)  # upon which it removes the containers
        try:
            process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], said: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while not ready():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
