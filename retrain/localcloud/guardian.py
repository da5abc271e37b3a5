"""Nothing that the local cloud starts outlives it, not even when the server is killed with ``kill -9``.

Two means together. Every process started for the cloud inherits a marker in its environment (`spawn` sees to
it, and plain children of the server inherit it anyway), and belongs to the server's session unless it left
it. Beside the server runs a *guardian*: a small process in a session of its own that holds the reading end of
a pipe whose only writing end is the server's. When the server ends, however it ends, the pipe closes, and the
guardian kills every process of the server's session and every process that carries the marker, grandchildren
included.

(``PR_SET_PDEATHSIG`` would not do: it is tied to the thread that forked, is not inherited by grandchildren,
and exists on Linux only.)
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import psutil

MARKER = "RETRAIN_LOCALCLOUD"
"""Environment variable that holds the cloud's id in every process started for it."""

_SWEEP_SECONDS = 4.0
_write_end: int | None = None


def start(marker: str) -> subprocess.Popen[bytes]:
    """Start the guardian of this process; to be called once, by the server.

    Parameters
    ----------
    marker
        The cloud's id, already in this process's environment under `MARKER`.
    """
    global _write_end  # held open for as long as the process lives: that is the mechanism
    read_end, _write_end = os.pipe()
    environment = {name: value for name, value in os.environ.items() if name != MARKER}
    try:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "retrain.localcloud.guardian"),
                *("--marker", marker, "--session", str(os.getsid(0)), "--pipe", str(read_end)),
            ],
            env=environment,
            pass_fds=(read_end,),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
    finally:
        os.close(read_end)


def spawn(
    args: Sequence[str],
    *,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process that dies with the local cloud, in a process group of its own.

    Parameters
    ----------
    args, cwd, stdout, stderr
        As for :class:`subprocess.Popen`. Standard input is closed.
    env
        The environment, the server's own when None; the cloud's marker is added.
    """
    environment = dict(os.environ if env is None else env)
    if MARKER in os.environ:
        environment[MARKER] = os.environ[MARKER]
    return subprocess.Popen(
        list(args),
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        process_group=0,
    )


def processes_of(
    marker: str, session: int | None = None, *, spare: Iterable[int] = ()
) -> list[psutil.Process]:
    """List the processes that carry `marker` or belong to `session`, except this one and `spare`."""
    spared = {os.getpid(), *spare}
    found = []
    for process in psutil.process_iter():
        if process.pid in spared or process.pid == 0:
            continue
        try:
            if process.environ().get(MARKER) == marker or _session(process.pid) == session is not None:
                found.append(process)
        except (psutil.Error, OSError):
            continue  # ended meanwhile, or somebody else's: not ours in either case
    return found


def sweep(marker: str, session: int | None = None, *, seconds: float = _SWEEP_SECONDS) -> int:
    """Kill every process of the cloud until none is left, and say how many there were.

    A process may fork while it is being looked for; therefore it ends only after a look that found none.
    """
    deadline = time.monotonic() + seconds
    killed: set[int] = set()
    while time.monotonic() < deadline:
        found = [process for process in processes_of(marker, session) if _alive(process)]
        if not found:
            break
        for process in found:
            killed.add(process.pid)
            try:
                process.kill()
            except psutil.Error:
                continue  # ended by itself
        wait_for_end(found, 0.5)
    return len(killed)


def wait_for_end(processes: Iterable[psutil.Process], seconds: float) -> bool:
    """Wait until none of the processes runs; False when `seconds` have passed before.

    A zombie has ended: whoever should take note of its end may be slow, and psutil's own wait waits for that.
    """
    left, deadline = list(processes), time.monotonic() + seconds
    while left := [process for process in left if _alive(process)]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def main(argv: Sequence[str] | None = None) -> None:
    """Wait until the server has ended, then sweep."""
    parser = argparse.ArgumentParser(description="Ends what a local cloud has started, once it has ended.")
    parser.add_argument("--marker", required=True)
    parser.add_argument("--session", type=int, required=True)
    parser.add_argument("--pipe", type=int, required=True)
    options = parser.parse_args(argv)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(options.pipe, 1):  # nobody ever writes: this returns when the writing end is closed
        pass
    # A server that is going down by itself has a moment to end its children in good order.
    sweep(options.marker, options.session)


if __name__ == "__main__":
    main()
