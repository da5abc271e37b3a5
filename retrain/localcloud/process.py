"""Starting and stopping the local cloud from another process: ``retrain local up | down | status``."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from select import select

import psutil

from retrain.localcloud import deploy as deployment
from retrain.localcloud import guardian, server, statefiles
from retrain.localcloud.environment import client_environment
from retrain.localcloud.errors import PortTakenError, StartError, StopError

START_SECONDS = 60.0
STOP_SECONDS = 15.0
DEFAULT_PORT = 4566
STACK_NAME = "retrain"

_started: dict[int, subprocess.Popen[bytes]] = {}
"""Servers that this very process started, by pid: its children, whose end it has to take note of."""


@dataclass(frozen=True)
class LocalCloud:
    """A local cloud that runs."""

    endpoint_url: str
    pid: int
    port: int
    state_dir: Path
    started_at: str
    stack_name: str


def _silent(_: str) -> None:
    """Take a message and say nothing."""


def default_images(project_root: Path) -> dict[str, Path]:
    """The local images that stand for those of a registry, by pattern of their repository."""
    training = project_root / "training"
    return {"*retrain-training*": training, "*pytorch*": training}


def up(
    state_dir: Path,
    *,
    port: int | None = DEFAULT_PORT,
    project_root: Path,
    images: Mapping[str, Path] | None = None,
    on_progress: Callable[[str], None] = _silent,
    template: Path | None = None,
    stack_name: str = STACK_NAME,
    parameters: Mapping[str, str] | None = None,
    wait_scale: float = 1.0,
    deploy: bool = True,
) -> LocalCloud:
    """Start the local cloud in the background and create its stack; one that runs already is given back.

    Parameters
    ----------
    state_dir
        Where it keeps its state, logs and pid (``.retrain``).
    port
        Where to listen on 127.0.0.1; None for any free port.
    project_root
        The folder of ``template.yaml`` and ``training/``.
    images
        See :class:`~retrain.localcloud.context.LocalCloudContext`; `default_images` when None.
    on_progress
        Told in words what happens.
    template, stack_name
        What to deploy, ``project_root/template.yaml`` by default.
    parameters
        Values of the stack's parameters. They hold for later starts too, until the state is removed; one
        that runs already is given them by an update.
    wait_scale
        Factor on Wait states and retry intervals, for tests.
    deploy
        Whether to create or update the stack.

    Raises
    ------
    PortTakenError
        Something else listens on the port.
    StartError
        The server did not come up; the message holds the end of its log.
    DeployError
        The stack could not be created. The cloud is stopped again.
    """
    state_dir = state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True)
    with _lock(state_dir, on_progress):
        running = status(state_dir)
        if running is not None:
            on_progress(
                f"The local cloud runs already, on {running.endpoint_url} (pid {running.pid}, "
                f"since {running.started_at})."
            )
            if port not in (None, running.port):
                on_progress(f"It keeps port {running.port}; to move it to {port}, stop it first.")
            if deploy and (
                parameters or not deployment.is_deployed(running.endpoint_url, running.stack_name)
            ):
                _deploy(running, project_root, template, parameters, on_progress)
            return running
        _clear_stale(state_dir, on_progress)
        if port:
            _check_port(port)
        images = default_images(project_root) if images is None else images
        begun = time.monotonic()
        on_progress("Starting the local cloud ...")
        try:
            cloud = _start(state_dir, port or 0, project_root, images, stack_name, wait_scale, on_progress)
            on_progress(f"It listens on {cloud.endpoint_url} ({time.monotonic() - begun:.1f} s).")
            if deploy:
                _deploy(cloud, project_root, template, parameters, on_progress)
        except BaseException:  # Ctrl-C too: nothing stays behind of a start that did not succeed
            _stop(state_dir)
            raise
        return cloud


def down(state_dir: Path) -> bool:
    """Stop the local cloud and all that it started; its data is kept. False where none runs.

    Raises
    ------
    StopError
        It could not be stopped.
    """
    return _stop(state_dir.resolve())


def status(state_dir: Path) -> LocalCloud | None:
    """The local cloud that runs with this state folder, or None."""
    state_dir = state_dir.resolve()
    record = statefiles.read_record(state_dir)
    if record is None or record.process() is None:
        return None
    return LocalCloud(
        endpoint_url=f"http://127.0.0.1:{record.port}",
        pid=record.pid,
        port=record.port,
        state_dir=state_dir,
        started_at=record.started_at,
        stack_name=record.stack_name,
    )


def reset(state_dir: Path) -> None:
    """Stop the local cloud if it runs, and remove all its data; what was built for it is kept."""
    state_dir = state_dir.resolve()
    if not state_dir.exists():
        return
    with _lock(state_dir, _silent):
        _stop(state_dir)
        statefiles.remove(state_dir)


def environment(cloud: LocalCloud) -> dict[str, str]:
    """Environment variables by which boto3 and the AWS CLI reach `cloud`."""
    return client_environment(cloud.port)


def log_path(state_dir: Path) -> Path:
    """The server's log."""
    return state_dir / "server.log"


def _deploy(
    cloud: LocalCloud,
    project_root: Path,
    template: Path | None,
    parameters: Mapping[str, str] | None,
    on_progress: Callable[[str], None],
) -> None:
    begun = time.monotonic()
    on_progress(f"Deploying the stack {cloud.stack_name} ...")
    parameters = {**statefiles.read_parameters(cloud.state_dir), **(parameters or {})}
    deployment.deploy(
        template or project_root / "template.yaml",
        endpoint_url=cloud.endpoint_url,
        stack_name=cloud.stack_name,
        state_dir=cloud.state_dir,
        parameters=parameters,
        on_progress=on_progress,
    )
    statefiles.write_parameters(cloud.state_dir, parameters)
    on_progress(f"The stack {cloud.stack_name} is deployed ({time.monotonic() - begun:.1f} s).")


def _start(
    state_dir: Path,
    port: int,
    project_root: Path,
    images: Mapping[str, Path],
    stack_name: str,
    wait_scale: float,
    on_progress: Callable[[str], None],
) -> LocalCloud:
    log_file = log_path(state_dir)
    if log_file.exists():
        log_file.replace(log_file.with_suffix(".log.1"))
    read_end, write_end = os.pipe()
    with log_file.open("wb") as output, os.fdopen(read_end) as pipe:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "retrain.localcloud.server", "--state-dir", str(state_dir)),
                *("--port", str(port), "--project-root", str(project_root.resolve())),
                *("--stack-name", stack_name, "--wait-scale", str(wait_scale), "--ready-fd", str(write_end)),
                *server.images_arguments(images),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(write_end,),
            start_new_session=True,
            cwd=state_dir,
        )
        os.close(write_end)
        deadline = time.monotonic() + START_SECONDS
        try:
            announced = pipe.read() if select([pipe], [], [], START_SECONDS)[0] else ""
            if not announced:
                raise _start_failure(process, port, log_file)
            announcement = json.loads(announced)
            for note in announcement["notes"]:
                on_progress(note)
            _await_health(process, int(announcement["port"]), deadline, log_file)
        except BaseException:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=2)
            process.kill()
            process.wait()
            raise
    _started[process.pid] = process
    cloud = status(state_dir)
    if cloud is None:
        raise StartError(f"The local cloud ended just after it had started.{_tail(log_file)}")
    return cloud


def _start_failure(process: subprocess.Popen[bytes], port: int, log_file: Path) -> StartError:
    try:
        code = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return StartError(f"The local cloud did not start within {START_SECONDS:.0f} s.{_tail(log_file)}")
    if code == server.EXIT_PORT_TAKEN:
        return PortTakenError(_port_taken(port))
    return StartError(f"The local cloud ended with exit code {code} when it started.{_tail(log_file)}")


def _await_health(process: subprocess.Popen[bytes], port: int, deadline: float, log_file: Path) -> None:
    url = f"http://127.0.0.1:{port}/_ministack/health"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise _start_failure(process, port, log_file)
        try:
            with opener.open(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise StartError(f"The local cloud does not answer at {url}.{_tail(log_file)}")


def _stop(state_dir: Path) -> bool:
    record = statefiles.read_record(state_dir)
    if record is None:
        return False
    process = record.process()
    if process is not None:
        try:
            process.terminate()
            if not guardian.wait_for_end([process], STOP_SECONDS):
                process.kill()
                guardian.wait_for_end([process], 5)
        except psutil.NoSuchProcess:
            pass  # it ended by itself while we were at it
        except psutil.Error as error:
            raise StopError(f"The local cloud (pid {record.pid}) could not be stopped: {error}.") from error
    guardian.sweep(record.marker, record.pid if process is not None else None)
    _take_note_of_the_end(record.pid)
    if statefiles.read_record(state_dir) == record:  # not that of a server which was started meanwhile
        statefiles.record_path(state_dir).unlink(missing_ok=True)
    return process is not None


def _take_note_of_the_end(pid: int) -> None:
    """Wait for a server that has ended, if it was a child of this process; it would stay a zombie."""
    if pid in _started:
        _started.pop(pid).wait(timeout=5)


def _clear_stale(state_dir: Path, on_progress: Callable[[str], None]) -> None:
    record = statefiles.read_record(state_dir)
    if record is not None:
        on_progress(f"The last local cloud (pid {record.pid}) ended without being stopped.")
        guardian.sweep(record.marker)
        _take_note_of_the_end(record.pid)
    statefiles.record_path(state_dir).unlink(missing_ok=True)


def _check_port(port: int) -> None:
    try:
        server.bind(port).close()
    except PortTakenError as error:
        raise PortTakenError(_port_taken(port)) from error


def _port_taken(port: int) -> str:
    return (
        f"Port {port} is taken{_taker(port)}. Stop that program, or choose another port with `--port` "
        "(`--port 0` takes any that is free)."
    )


def _taker(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address and address[1] == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        return ""  # another user's process, or a system that does not tell
    return ""


def _tail(log_file: Path, lines: int = 15) -> str:
    try:
        text = log_file.read_text(errors="replace").splitlines()[-lines:]
    except OSError:
        return ""
    return f" The end of {log_file}:\n" + "\n".join(f"  {line}" for line in text)


@contextlib.contextmanager
def _lock(state_dir: Path, on_progress: Callable[[str], None]) -> Iterator[None]:
    """Let one start or reset at a time be under way in a state folder."""
    with (state_dir / "up.lock").open("w") as handle:
        deadline = time.monotonic() + 2 * START_SECONDS
        said = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not said:
                    on_progress("Another start is under way; waiting for it ...")
                    said = True
                if time.monotonic() > deadline:
                    raise StartError(
                        f"Another start of the local cloud in {state_dir} has not come to an end. "
                        "Look for a `retrain local up` that hangs, and end it."
                    ) from None
                time.sleep(0.05)
        yield
