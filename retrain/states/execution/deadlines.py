"""How long a task may take, and how long it may be silent."""

from __future__ import annotations

import asyncio

from retrain.states.execution.protocols import Clock


class Deadlines:
    """The timeout and the heartbeat of one attempt.

    Parameters
    ----------
    clock : Clock
        The time.
    timeout, heartbeat : float, optional
        In seconds.
    since, beat : float
        When the attempt began, and the last sign of life; seconds since the epoch.
    """

    __slots__ = ("_clock", "_heartbeat", "_limit", "_timeout", "armed", "beat", "since")

    def __init__(
        self, clock: Clock, timeout: float | None, heartbeat: float | None, since: float, beat: float
    ) -> None:
        self._clock = clock
        self._timeout = timeout
        self._heartbeat = heartbeat
        self._limit: asyncio.Timeout | None = None
        self.since = since
        self.beat = beat
        self.armed = False

    @property
    def given(self) -> bool:
        """Whether there is any."""
        return self._timeout is not None or self._heartbeat is not None

    def guard(self) -> asyncio.Timeout:
        """Return the context in which the task runs; TimeoutError comes out of it."""
        self._limit = asyncio.timeout(None)
        return self._limit

    def arm(self) -> None:
        """Let the time count; to be called inside the context."""
        self.armed = True
        due = [self.since + self._timeout] if self._timeout is not None else []
        if self._heartbeat is not None:
            due.append(self.beat + self._heartbeat)
        if due and self._limit is not None and not self._limit.expired():
            loop = asyncio.get_running_loop()
            self._limit.reschedule(loop.time() + max(0.0, min(due) - self._clock.now()))

    def start(self) -> None:
        """Begin to count: a worker has taken the task."""
        if not self.armed:
            self.since = self.beat = self._clock.now()
            self.arm()

    def signal(self) -> None:
        """A heartbeat has come."""
        self.beat = self._clock.now()
        if self.armed:
            self.arm()

    @property
    def heartbeat_missed(self) -> bool:
        """Whether it was the heartbeat that was due first."""
        if self._heartbeat is None:
            return False
        return self._timeout is None or self.beat + self._heartbeat < self.since + self._timeout
