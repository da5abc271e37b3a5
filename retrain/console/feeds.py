"""Telling many pages what one look at the cloud has found.

A feed looks again and again for as long as somebody listens, and says only what has changed. Who is slow to
listen misses what was overtaken meanwhile, and always gets the newest.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final, Protocol

from retrain.errors import RetrainError

_log = logging.getLogger(__name__)

HEARTBEAT_SECONDS: Final = 10.0
"""How often a silent connection is proven to be alive."""


class Look(Protocol):
    """Something to look at."""

    def look(self) -> Iterator[tuple[str, Any]]:
        """Yield names with values that JSON knows; may take its time, and raise errors of the package."""

    def pause(self) -> float:
        """Return the seconds until the next look."""


class Listener:
    """A page that is told: by name, the newest of what it has not been told yet."""

    def __init__(self) -> None:
        self._news: dict[str, str] = {}
        self._changed = asyncio.Event()
        self.closed = False

    def tell(self, name: str, text: str) -> None:
        """Note what the page is to be told."""
        self._news[name] = text
        self._changed.set()

    def close(self) -> None:
        """End the telling."""
        self.closed = True
        self._changed.set()

    async def events(self) -> AsyncIterator[bytes]:
        """Yield server-sent events until closed, and comments while there is nothing to tell."""
        while not self.closed:
            try:
                await asyncio.wait_for(self._changed.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield b": nothing new\n\n"
                continue
            self._changed.clear()
            news, self._news = self._news, {}
            for name, text in news.items():
                yield f"event: {name}\ndata: {text}\n\n".encode()


class Feed:
    """One thing that is looked at for as long as somebody listens.

    Parameters
    ----------
    name
        What it is called where it is in trouble: `NAME-trouble` tells the reason, or null when that is over.
    subject
        What to look at.
    """

    def __init__(self, name: str, subject: Look) -> None:
        self.name = name
        self.subject = subject
        self._latest: dict[str, str] = {}
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def join(self, listener: Listener) -> None:
        """Tell a listener what is known, and from now on what changes."""
        self._listeners.add(listener)
        for name, text in self._latest.items():
            listener.tell(name, text)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep_looking(), name=f"console-{self.name}")
            self._task.add_done_callback(self._ended)

    def leave(self, listener: Listener) -> None:
        """Tell a listener no more; without any, nobody looks."""
        self._listeners.discard(listener)
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _keep_looking(self) -> None:
        loop = asyncio.get_running_loop()

        def look() -> str | None:
            try:
                for name, value in self.subject.look():
                    text = json.dumps(value, default=str, separators=(",", ":"))
                    loop.call_soon_threadsafe(self._publish, name, text)
            except RetrainError as error:
                return str(error)
            return None

        while True:
            trouble = await asyncio.to_thread(look)
            self._publish(f"{self.name}-trouble", json.dumps(trouble))
            await asyncio.sleep(self.subject.pause())

    def _publish(self, name: str, text: str) -> None:
        if self._latest.get(name) == text:
            return
        self._latest[name] = text
        for listener in self._listeners:
            listener.tell(name, text)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Say that something unforeseen ended the looking; a page that joins begins it anew."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        _log.error("The console failed while looking at %s", self.name, exc_info=error)
        what = f"The console failed ({type(error).__name__}: {error})"
        text = f"{what}; its own output says where. Reload to try again."
        self._publish(f"{self.name}-trouble", json.dumps(text))


class Hub:
    """All feeds: the overview, and one for each run that a page shows.

    Parameters
    ----------
    overview
        What every page shows.
    run
        Makes what is to be looked at for a run of a given id.
    """

    def __init__(self, overview: Look, run: Callable[[str], Look]) -> None:
        self._overview = Feed("overview", overview)
        self._make_run = run
        self._runs: dict[str, Feed] = {}
        self._listeners: set[Listener] = set()
        self._closed = False

    def close(self) -> None:
        """End all connections, so that the server can stop."""
        self._closed = True
        for listener in list(self._listeners):
            listener.close()

    async def events(self, run_id: str | None) -> AsyncIterator[bytes]:
        """Yield the server-sent events for a page that shows a run, or none, for as long as it is there."""
        listener = Listener()
        if self._closed:
            return
        self._listeners.add(listener)
        feeds = [self._overview]
        if run_id is not None:
            if run_id not in self._runs:
                self._runs[run_id] = Feed("run", self._make_run(run_id))
            feeds.append(self._runs[run_id])
        try:
            yield b"retry: 1000\n\n"
            for feed in feeds:
                feed.join(listener)
            async for event in listener.events():
                yield event
        finally:
            for feed in feeds:
                feed.leave(listener)
            if run_id is not None and not feeds[-1].heard:
                self._runs.pop(run_id, None)
            self._listeners.discard(listener)
