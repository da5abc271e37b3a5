"""The demo's own local cloud: beside any other, and gone when the demo is over."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import psutil

from retrain.aws import Stack, Target
from retrain.localcloud import deploy, process


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the demo as Ctrl-C does: with everything stopped."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def process_start() -> datetime:
    """Return when this process began, so that the demo's time holds all of its own."""
    return datetime.fromtimestamp(psutil.Process().create_time(), UTC)


@contextmanager
def local_cloud(state_dir: Path, root: Path, say: Callable[[str], None]) -> Iterator[Stack]:
    """Start an empty local cloud on a free port, deploy, and stop it in the end, whatever happens.

    Parameters
    ----------
    state_dir : Path
        Its own; what an earlier demo left there is removed.
    root : Path
        The folder of `template.yaml`.
    say : callable
        Told what happens.

    Yields
    ------
    Stack
        The deployed stack.
    """
    process.reset(state_dir)
    try:
        cloud = process.up(state_dir, port=None, project_root=root, on_progress=say)
        target = Target(cloud.endpoint_url, process.environment(cloud), local_cloud=True)
        yield Stack(cloud.stack_name, target)
    finally:
        process.down(state_dir)


def redeploy(stack: Stack, root: Path, state_dir: Path, parameters: dict[str, str]) -> None:
    """Update the stack's parameters."""
    url = stack.target.endpoint_url or ""
    deploy.deploy(
        root / "template.yaml",
        endpoint_url=url,
        stack_name=stack.name,
        state_dir=state_dir,
        parameters=parameters,
    )
