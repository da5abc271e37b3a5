"""The time that executions live by: the real one, and one that jumps to whatever comes next."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar

from retrain.states.errors import StatesLanguageError

T = TypeVar("T")

_LONGEST_SLEEP = 60.0
"""Seconds. Longer waits look at the clock in between: it may have been set, the machine may have slept."""

_RESOLUTION = 1e-6
"""Seconds of virtual time that are as good as none."""

DEFAULT_START = 1_767_225_600.0
"""2026-01-01T00:00:00Z, when virtual time begins."""


class RealClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return the time, in seconds since the epoch."""
        return time.time()

    async def sleep_until(self, when: float) -> None:
        """Return when it is that time."""
        while (left := when - time.time()) > 0:
            await asyncio.sleep(min(left, _LONGEST_SLEEP))

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine function to its end in an event loop of its own."""
        return asyncio.run(main())


class VirtualClock:
    """A clock that jumps to the next event as soon as nothing can run before it.

    It drives the event loop itself, so `asyncio.sleep` and asyncio's timeouts are in virtual time too, and
    everything must run inside `run`. While a call in a thread (`loop.run_in_executor`) is under way, time
    stands still.

    Parameters
    ----------
    start : float
        When time begins, in seconds since the epoch.

    Examples
    --------
    >>> clock = VirtualClock(start=0.0)
    >>> async def a_year() -> float:
    ...     await clock.sleep_until(365 * 86400.0)
    ...     return clock.now()
    >>> clock.run(a_year)
    31536000.0
    """

    def __init__(self, start: float = DEFAULT_START) -> None:
        self._start = start
        self._elapsed = 0.0  # apart from the start, so that small steps are not lost beside a large number
        self._loop: _VirtualLoop | None = None

    def now(self) -> float:
        """Return the virtual time, in seconds since the epoch."""
        return self._start + self._elapsed

    async def sleep_until(self, when: float) -> None:
        """Return when virtual time has come that far."""
        if asyncio.get_running_loop() is not self._loop:
            raise StatesLanguageError("A VirtualClock only moves inside its own loop: use clock.run(main).")
        if (left := when - self.now()) > 0:
            await asyncio.sleep(left)
            self._elapsed = max(self._elapsed, when - self._start)  # what rounding has left

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine function to its end, in virtual time. A deadlock raises StatesLanguageError."""
        with asyncio.Runner(loop_factory=self._new_loop) as runner:
            try:
                return runner.run(main())
            finally:
                self._loop = None

    def _new_loop(self) -> _VirtualLoop:
        self._loop = _VirtualLoop(self)
        return self._loop

    def _advance(self, seconds: float) -> None:
        self._elapsed += seconds


class _JumpingSelector(selectors.BaseSelector):
    """Moves virtual time on where the real selector would wait for it."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._inner = selectors.DefaultSelector()
        self.threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return self._inner.select(timeout)
        if self.threads:
            return self._inner.select(None)  # a thread's end wakes the loop
        if ready := self._inner.select(0):
            return ready
        if timeout is None:
            raise StatesLanguageError("Virtual time stands still: everything waits and nothing is due.")
        self._clock._advance(timeout)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.get_key(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._inner.get_map()

    def close(self) -> None:
        self._inner.close()


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        self._virtual = clock
        self._jumping = _JumpingSelector(clock)
        super().__init__(self._jumping)
        # asyncio adds it to the time to see what is due; the usual 1 ns is lost beside a year in seconds.
        self._clock_resolution = _RESOLUTION

    def time(self) -> float:
        return self._virtual._elapsed

    def run_in_executor(  # type: ignore[override]  # its callers' types are of no concern here
        self, executor: Executor | None, func: Any, *args: Any
    ) -> Any:
        future = super().run_in_executor(executor, func, *args)
        self._jumping.threads += 1
        future.add_done_callback(self._thread_ended)
        return future

    def _thread_ended(self, _: Any) -> None:
        self._jumping.threads -= 1

    async def shutdown_default_executor(self, *args: Any) -> None:
        self._jumping.threads += 1  # it waits for the threads in a thread
        try:
            await super().shutdown_default_executor(*args)
        finally:
            self._jumping.threads -= 1
