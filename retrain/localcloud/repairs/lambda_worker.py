"""A function's process, as near to Lambda's as a process without a container can be.

Mends: errors keep the exception's own class name; the function sees its own code, its layers and boto3 alone;
its environment is Lambda's and not the developer's; everything it prints is in the log; a time-out ends it at
once; a process that dies is reported as Lambda reports it.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from retrain.localcloud.guardian import MARKER
from retrain.localcloud.repairs.lambda_forks import ForkedProcess, ForkServers

log = logging.getLogger("retrain.localcloud")

BOOTSTRAP = Path(__file__).with_name("lambda_bootstrap.py")
INIT_SECONDS = 30.0
"""Lambda allows ten for the first import; a laptop that trains beside it may need more."""

_LOG_SECONDS = 1.0

_RESERVED = (
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)


class FunctionProcess:
    """One execution environment of a function: a process that is started once and invoked many times.

    Parameters
    ----------
    config
        The function's configuration, as GetFunctionConfiguration gives it.
    path
        The folders it may import from, in this order.
    credentials
        ``AWS_ACCESS_KEY_ID`` and so on.
    region
        Its region.
    forks
        Where its process comes from, if it can be forked.
    """

    def __init__(
        self,
        config: dict[str, Any],
        path: list[Path],
        credentials: dict[str, str],
        region: str,
        forks: ForkServers,
    ) -> None:
        self._config = config
        self._path = path
        self._mark = f"\x1e{uuid.uuid4().hex}"
        self._lines: Queue[str] = Queue()
        self._answers: Queue[str | None] = Queue()
        environment = self._environment(credentials, region)
        self.process: ForkedProcess | subprocess.Popen[str] = forks.process(
            path, environment
        ) or subprocess.Popen(
            [sys.executable, "-I", "-S", "-X", "utf8", str(BOOTSTRAP)],
            cwd=path[0],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            process_group=0,
        )
        for read in (self._read_log, self._read_answers):
            threading.Thread(target=read, name=read.__name__.strip("_"), daemon=True).start()

    def start(self) -> dict[str, Any] | None:
        """Import the handler. Gives the error payload where that fails."""
        module, _, handler = self._config.get("Handler", "").rpartition(".")
        self._send(
            {
                "path": [str(folder) for folder in self._path],
                "module": module.replace("/", "."),
                "handler": handler,
                "mark": self._mark,
            }
        )
        answer = self._answer(INIT_SECONDS, "")
        error: dict[str, Any] | None = answer.get("error")
        return error

    def invoke(self, event: Any, request_id: str, trace: str | None) -> dict[str, Any]:
        """Run the handler. Gives ``{"result": …}`` or ``{"error": payload}``, and always ``"log"``."""
        timeout = float(self._config.get("Timeout") or 3)
        self._send(
            {
                "event": event,
                "request_id": request_id,
                "arn": self._config.get("FunctionArn", ""),
                "deadline": time.time() + timeout,
                "trace": trace,
            }
        )
        answer = self._answer(timeout, request_id)
        return {**answer, "log": self.drain_log()}

    def drain_log(self) -> str:
        """All that was printed since the last time."""
        lines = []
        deadline = time.monotonic() + _LOG_SECONDS
        with suppress(Empty):
            while (line := self._lines.get(timeout=max(0.0, deadline - time.monotonic()))) != self._mark:
                lines.append(line)
        return "\n".join(lines)

    @property
    def alive(self) -> bool:
        """Whether it can be invoked (again)."""
        return self.process.poll() is None

    def kill(self) -> None:
        """End it and what it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdin is not None:
            with suppress(BrokenPipeError):
                self.process.stdin.close()

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None  # noqa: S101  (for the type checker: it is a pipe)
        with suppress(BrokenPipeError):  # it has ended; that is found when its answer is waited for
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()

    def _answer(self, seconds: float, request_id: str) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=seconds)
        except Empty:
            self.kill()
            message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
            return {"error": {"errorType": "Sandbox.Timedout", "errorMessage": message}}
        if line is None:
            return {
                "error": {"errorType": "Runtime.ExitError", "errorMessage": self._exit_message(request_id)}
            }
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _exit_message(self, request_id: str) -> str:
        code = self.process.wait()
        if code == 0:
            return f"RequestId: {request_id} Error: Runtime exited without providing a reason"
        how = f"exit status {code}" if code > 0 else f"signal: {signal.Signals(-code).name}"
        return f"RequestId: {request_id} Error: Runtime exited with error: {how}"

    def _read_log(self) -> None:
        assert self.process.stderr is not None  # noqa: S101
        with self.process.stderr as lines:
            for line in lines:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(self._mark)  # it has ended: nothing more comes

    def _read_answers(self) -> None:
        assert self.process.stdout is not None  # noqa: S101
        with self.process.stdout as lines:
            for line in lines:
                self._answers.put(line)
        self._answers.put(None)

    def _environment(self, credentials: dict[str, str], region: str) -> dict[str, str]:
        config = self._config
        name = str(config.get("FunctionName", ""))
        variables = config.get("Environment", {}).get("Variables", {})
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}"
        environment = {
            **{key: value for key, value in variables.items() if key not in _RESERVED},
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            **{key: value for key, value in credentials.items() if value},
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', 'python3')}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
            "AWS_LAMBDA_FUNCTION_VERSION": str(config.get("Version", "$LATEST")),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": group,
            "AWS_LAMBDA_LOG_STREAM_NAME": uuid.uuid4().hex,
            "LAMBDA_TASK_ROOT": str(self._path[0]),
            "_HANDLER": str(config.get("Handler", "")),
            # Not Lambda's own: no settings from the developer's files, and the way to the local cloud.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        environment.setdefault("AWS_ENDPOINT_URL", os.environ["AWS_ENDPOINT_URL"])
        if MARKER in os.environ:
            environment[MARKER] = os.environ[MARKER]
        return environment


def unpacked(archive: bytes, folder: Path) -> Path:
    """Unpack a zip archive once, below `folder`, in a place named by its digest."""
    target = folder / hashlib.sha256(archive).hexdigest()[:32]
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder))
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        opened.extractall(temporary)  # zipfile keeps members below the folder
    try:
        temporary.rename(target)
    except OSError:  # another thread was faster
        shutil.rmtree(temporary, ignore_errors=True)
    return target
