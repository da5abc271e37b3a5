"""Watching the instances of a job while they train: their ends, the clock, the storage, requests to stop."""

from __future__ import annotations

import enum
import re
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrain.localcloud.sagemaker.errors import JobError
from retrain.localcloud.sagemaker.platform import Settings, end, signal_group
from retrain.localcloud.sagemaker.training.instances import Instance, used_bytes

_GIGABYTE = 1 << 30
_STORAGE_LOOK_SECONDS = 0.5
_SYNC_SECONDS = 1.0
# What a host says whose peers went away: a consequence of the failure that is looked for, not the failure.
_LOST_PEER = re.compile(
    r"closed by (remote )?peer|reset by peer|Broken pipe|Connection (reset|closed|refused)", re.I
)
_DISK_FULL = re.compile(r"No space left on device|Errno 28|Disk quota exceeded", re.I)


class Ending(enum.Enum):
    """How the training came to its end, failures apart."""

    COMPLETED = "Completed"
    STOPPED = "Stopped"
    MAX_RUNTIME = "MaxRuntimeExceeded"
    MAX_WAIT = "MaxWaitTimeExceeded"
    INTERRUPTED = "Interrupted"


@dataclass
class Limits:
    """What ends a job from outside.

    Attributes
    ----------
    runtime_deadline, wait_deadline
        Of the monotonic clock; None where there is no such limit.
    volume_gigabytes
        Storage of each instance.
    stop
        Set when somebody asks for the job to stop.
    interrupt
        A file whose appearance takes the (spot) instances away; None where that cannot happen.
    """

    runtime_deadline: float
    wait_deadline: float | None
    volume_gigabytes: int
    stop: threading.Event
    interrupt: Path | None


class Supervisor:
    """Watches the instances of one job.

    Parameters
    ----------
    instances
        Started.
    limits, settings
        What ends them.
    sync
        Called about once a second: metrics and checkpoints on their way.
    """

    def __init__(
        self, instances: Sequence[Instance], limits: Limits, settings: Settings, sync: Callable[[], None]
    ) -> None:
        self._instances = instances
        self._limits = limits
        self._settings = settings
        self._sync = sync
        self._next_look = 0.0
        self._next_sync = time.monotonic() + _SYNC_SECONDS

    def watch(self) -> Ending:
        """Wait until every instance has ended, and end them where a limit says so.

        Raises
        ------
        JobError
            If an instance fails, or uses more storage than it has.
        """
        try:
            while True:
                ending = self._look()
                if ending is not None:
                    break
                self._limits.stop.wait(self._settings.poll)
        finally:
            self.end_all()
        return ending

    def _look(self) -> Ending | None:
        codes = [instance.process.poll() for instance in self._instances if instance.process]
        if any(code not in (None, 0) for code in codes):
            # A host that still runs is given a moment: one that failed first may be the slower to end.
            self._await_others(0.5)
            raise JobError(self._failure())
        self._check_storage(at_once=None not in codes)
        if None not in codes:
            return Ending.COMPLETED
        if time.monotonic() >= self._next_sync:
            self._sync()
            self._next_sync = time.monotonic() + _SYNC_SECONDS
        return self._limit_reached()

    def _limit_reached(self) -> Ending | None:
        limits, clock = self._limits, time.monotonic()
        if limits.stop.is_set():
            return Ending.STOPPED
        if clock >= limits.runtime_deadline:
            return Ending.MAX_RUNTIME
        if limits.wait_deadline is not None and clock >= limits.wait_deadline:
            return Ending.MAX_WAIT
        if limits.interrupt is not None and limits.interrupt.exists():
            limits.interrupt.unlink(missing_ok=True)
            return Ending.INTERRUPTED
        return None

    def _check_storage(self, *, at_once: bool) -> None:
        started = time.monotonic()
        if started < self._next_look and not at_once:
            return
        for instance in self._instances:
            used = used_bytes(instance.base)
            if used > self._limits.volume_gigabytes * _GIGABYTE:
                raise JobError(
                    f"ClientError: {instance.host} ran out of storage: {used / _GIGABYTE:.2f} GB are in use, "
                    f"and VolumeSizeInGB is {self._limits.volume_gigabytes}. Write less, or raise it."
                )
        # Looking at very many files takes its time; then it is done less often.
        self._next_look = time.monotonic() + max(_STORAGE_LOOK_SECONDS, 10 * (time.monotonic() - started))

    def _await_others(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(
            instance.process and instance.process.poll() is None for instance in self._instances
        ):
            time.sleep(0.02)

    def _failure(self) -> str:
        failed = [item for item in self._instances if item.process and item.process.poll() not in (None, 0)]
        for instance in failed:
            instance.finish_reading()
        culprit = next((item for item in failed if not _LOST_PEER.search(item.failure())), failed[0])
        return failure_reason(culprit, self._limits.volume_gigabytes, several=len(self._instances) > 1)

    def end_all(self) -> None:
        """End whatever still runs; all at once, so that the grace is waited for once."""
        for instance in self._instances:
            if instance.process and instance.process.poll() is None:
                signal_group(instance.process, signal.SIGTERM)
        deadline = time.monotonic() + self._settings.stop_grace
        for instance in self._instances:
            if instance.process:
                end(instance.process, max(0.0, deadline - time.monotonic()))
            instance.finish_reading()


def failure_reason(instance: Instance, volume_gigabytes: int, *, several: bool) -> str:
    """Return the FailureReason for an instance whose program ended with an error, in AWS's form.

    >>> # AlgorithmError: ExecuteUserScriptError: ..., exit code: 1
    """
    code = instance.process.returncode if instance.process else 1
    if code < 0:
        code = 128 - code  # as a shell, and a container, gives the signal that ended it
    text = instance.failure()
    if not text.startswith("AlgorithmError"):
        text = f"AlgorithmError: {text or 'See job logs for more information'}"
    ending = f", exit code: {code}"
    if several:
        ending += f" ({instance.host})"
    if _DISK_FULL.search(text):
        ending += f". The storage is full: VolumeSizeInGB is {volume_gigabytes}; write less, or raise it"
    return text[: 1024 - len(ending)] + ending
