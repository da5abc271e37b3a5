"""New processes of functions from fork servers, where a process so made cannot be told from a started one.

That is so on Linux, when nothing that the fork server has imported depends on what the function brings: no
module of the function's own has the name of one that is imported already, and every environment variable that
was asked for during the imports has the same value. Any other function's process is started as ever.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from retrain.localcloud.guardian import MARKER

log = logging.getLogger("retrain.localcloud")

PROGRAM = Path(__file__).with_name("lambda_forkserver.py")

MAX_SERVERS = 3
"""How many fork servers there are at most, one for each combination of layers."""

_LIMIT = 1 << 18
_BEFORE_PYTHON = ("GLIBC_", "LC_", "LD_", "MALLOC_", "OPENSSL_")
"""How variables begin that are read when a program starts, or its libraries are loaded."""

_SHARED = (
    "PATH",
    "LANG",
    "TZ",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
)
"""What all functions' environments have in common, and fork servers have too."""


class ForkedProcess:
    """A function's process: what `subprocess.Popen` is for one that was started."""

    def __init__(self, server: ForkServer, pid: int, streams: tuple[IO[str], IO[str], IO[str]]) -> None:
        self.pid = pid
        self.stdin, self.stdout, self.stderr = streams
        self.returncode: int | None = None
        self._server = server
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Give the exit status, None while it runs."""
        with self._lock:
            if self.returncode is None:
                self.returncode = self._server.status(self.pid)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises
        ------
        subprocess.TimeoutExpired
            It runs on.
        """
        began, pause = time.monotonic(), 0.0005
        while (code := self.poll()) is None:
            if timeout is not None and time.monotonic() - began > timeout:
                raise subprocess.TimeoutExpired(str(PROGRAM), timeout)
            time.sleep(pause)
            pause = min(0.02, pause * 2)
        return code

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        # Its number stays its own until the fork server is asked how it ended.
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class ForkServer:
    """A process that has imported what functions with these layers import.

    Parameters
    ----------
    path
        The folders that functions with these layers import from, their own code left out.
    environment
        Its environment variables.
    """

    def __init__(self, path: Sequence[Path], environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._lock = threading.Lock()
        self._living: set[int] = set()
        self._lost = False
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-X", "utf8", str(PROGRAM), str(theirs.fileno())],
                cwd="/",
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                process_group=0,
            )
        loaded = self._ask({"path": [str(folder) for folder in path]})
        self._modules = frozenset(loaded["modules"])
        self._asked = frozenset(loaded["asked"])

    def serves(self, code: Path, environment: Mapping[str, str]) -> bool:
        """Whether a process for this function may be forked."""
        own = {entry.name.partition(".")[0] for entry in code.iterdir()}
        if own & self._modules or "*" in self._asked:
            return False
        asked = {*self._asked, *(name for name in environment if name.startswith(_BEFORE_PYTHON))}
        return all(environment.get(name) == self._environment.get(name) for name in asked)

    def fork(self, folder: Path, environment: Mapping[str, str]) -> ForkedProcess:
        """Make a process.

        Raises
        ------
        OSError
            The fork server has ended.
        """
        (in_read, in_write), (out_read, out_write), (err_read, err_write) = os.pipe(), os.pipe(), os.pipe()
        given = (in_read, out_write, err_write)
        text: dict[str, Any] = {"encoding": "utf-8", "errors": "replace"}
        streams = (os.fdopen(in_write, "w", **text), os.fdopen(out_read, **text), os.fdopen(err_read, **text))
        try:
            answer = self._ask({"fork": {"environment": dict(environment), "folder": str(folder)}}, given)
        except OSError:
            for stream in streams:
                stream.close()
            raise
        finally:
            for descriptor in given:
                os.close(descriptor)
        self._living.add(answer["pid"])
        return ForkedProcess(self, answer["pid"], streams)

    def status(self, pid: int) -> int | None:
        """How one of its processes ended; None while it runs."""
        try:
            code: int | None = self._ask({"poll": pid})["status"]
        except OSError:  # the fork server was killed, and nobody can say any more how the process fares
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            code = -signal.SIGKILL
        if code is not None:
            self._living.discard(pid)
        return code

    @property
    def alive(self) -> bool:
        """Whether it can fork."""
        return not self._lost and self._process.poll() is None

    @property
    def idle(self) -> bool:
        """Whether none of its processes is known to run."""
        return not self._living

    def close(self) -> None:
        """End it; its processes go on."""
        self._channel.close()
        self._process.kill()
        self._process.wait()

    def _ask(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        try:
            with self._lock:
                socket.send_fds(self._channel, [json.dumps(message).encode()], descriptors)
                if not (data := self._channel.recv(_LIMIT)):
                    raise ConnectionResetError("The fork server has ended.")
        except OSError:
            self._lost = True
            raise
        answer: dict[str, Any] = json.loads(data)
        return answer


class ForkServers:
    """The fork servers of a local cloud: made when they are first needed."""

    def __init__(self) -> None:
        self._servers: dict[tuple[str, ...], ForkServer] = {}
        self._lock = threading.Lock()

    def process(self, path: Sequence[Path], environment: Mapping[str, str]) -> ForkedProcess | None:
        """Make a process for a function, None where it has to be started.

        Parameters
        ----------
        path
            The folders that the function imports from, its own code first.
        environment
            Its environment variables.
        """
        if sys.platform != "linux":  # elsewhere a process that was forked may not use the system's libraries
            return None
        code, *others = path
        server = self._server(others, environment)
        if server is None or not server.serves(code, environment):
            return None
        try:
            return server.fork(code, environment)
        except OSError as error:
            log.warning("A function's process is started instead of forked: %s", error)
            return None

    def _server(self, path: Sequence[Path], environment: Mapping[str, str]) -> ForkServer | None:
        shared = {name: environment[name] for name in (*_SHARED, MARKER) if name in environment}
        key = (*map(str, path), *map(str, sorted(shared.items())))
        with self._lock:
            for known, server in list(self._servers.items()):
                full = len(self._servers) >= MAX_SERVERS and key not in self._servers
                if not server.alive or (full and server.idle):
                    self._servers.pop(known).close()
            if key not in self._servers and len(self._servers) < MAX_SERVERS:
                try:
                    self._servers[key] = ForkServer(path, shared)
                except OSError as error:
                    log.warning("Functions' processes are started instead of forked: %s", error)
            return self._servers.get(key)

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            for server in self._servers.values():
                server.close()
            self._servers.clear()
