"""The event loop that all executions run in, on a thread of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from retrain.states.errors import StatesLanguageError

T = TypeVar("T")


class LoopThread:
    """An event loop on a thread."""

    def __init__(self, name: str = "states") -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Run a coroutine in the loop; from any other thread."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError as error:
            work.close()
            raise StatesLanguageError("The service has been closed.") from error

    def call(self, work: Coroutine[Any, Any, T], seconds: float | None = None) -> T:
        """Run a coroutine in the loop and wait for its result; from any other thread.

        Raises
        ------
        TimeoutError
            It did not end within `seconds`; it is cancelled.
        StatesLanguageError
            This is the loop's own thread, or the loop has been closed.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise StatesLanguageError("The loop's own thread cannot wait for what runs in the loop.")
        future = self.submit(work)
        try:
            return future.result(seconds)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise

    async def join(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in this loop, waiting in another; in this loop itself, at once."""
        if asyncio.get_running_loop() is self._loop:
            return await work
        return await asyncio.wrap_future(self.submit(work))

    def soon(self, function: Callable[..., Any], *args: Any) -> None:
        """Call a function on the loop's thread; from any thread."""
        self._loop.call_soon_threadsafe(function, *args)

    def close(self) -> None:
        """End the loop; what runs in it is cut off."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
