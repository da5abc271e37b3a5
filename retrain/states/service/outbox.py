"""Sends what the service has to tell, in order, from a thread of its own."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger(__name__)

EventSink = Callable[[str, str, dict[str, Any], list[str]], None]
"""``(source, detail type, detail, resources)``: puts an event on the default bus."""

LogSink = Callable[[str, str, list[tuple[int, str]]], None]
"""``(group, stream, [(milliseconds since the epoch, line)])``: appends to a log stream, made if need be."""

MetricSink = Callable[[str, list[dict[str, Any]]], None]
"""``(namespace, metric data)`` as PutMetricData takes them, 1,000 at most."""

_TOGETHER_SECONDS = 0.2
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Sinks:
    """Where events, log records and metrics go; each is called on the outbox's thread and may block.

    None: nobody wants them.
    """

    events: EventSink | None = None
    logs: LogSink | None = None
    metrics: MetricSink | None = None


@dataclass(slots=True)
class _Batch:
    lines: dict[tuple[str, str], list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    metrics: list[dict[str, Any]] = field(default_factory=list)
    count: int = 0


class Outbox:
    """Takes what is to be sent, and sends it when there is time.

    Events go out one by one, at once; log lines and metrics gather for a moment.

    Parameters
    ----------
    sinks
        Where it goes.
    """

    def __init__(self, sinks: Sinks) -> None:
        self.sinks = sinks
        self._queue: queue.SimpleQueue[Callable[[_Batch], None] | threading.Event | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._run, name="states-outbox", daemon=True)
        self._thread.start()

    def event(self, source: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
        """Send an event."""
        sink = self.sinks.events
        if sink is not None:
            self._queue.put(lambda _: sink(source, detail_type, detail, resources))

    def line(self, group: str, stream: str, moment: int, text: str) -> None:
        """Append a line to a log stream."""
        if self.sinks.logs is not None:
            self._queue.put(lambda batch: batch.lines[group, stream].append((moment, text)))

    def metrics(self, data: list[dict[str, Any]]) -> None:
        """Send metrics of the namespace AWS/States."""
        if self.sinks.metrics is not None and data:
            self._queue.put(lambda batch: batch.metrics.extend(data))

    def flush(self, seconds: float = 5.0) -> bool:
        """Wait until all that came so far has been sent; False if it has not within `seconds`."""
        done = threading.Event()
        self._queue.put(done)
        return done.wait(seconds)

    def close(self, seconds: float = 5.0) -> None:
        """Send what is left, and end."""
        self._queue.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        going_on = True
        while going_on:
            batch = _Batch()
            flushed: threading.Event | None = None
            deadline: float | None = None
            while batch.count < _MOST:
                try:
                    left = None if deadline is None else max(0.0, deadline - time.monotonic())
                    item = self._queue.get(timeout=left)
                except queue.Empty:
                    break
                if item is None:
                    going_on = False
                    break
                if isinstance(item, threading.Event):
                    flushed = item
                    break
                deadline = deadline or time.monotonic() + _TOGETHER_SECONDS
                batch.count += 1
                self._safely(item, batch)
            self._send(batch)
            if flushed is not None:
                flushed.set()

    def _send(self, batch: _Batch) -> None:
        logs, metrics = self.sinks.logs, self.sinks.metrics
        if logs is not None:
            for (group, stream), lines in batch.lines.items():
                self._safely(logs, group, stream, lines)
        if metrics is not None:
            for start in range(0, len(batch.metrics), _MOST):
                self._safely(metrics, "AWS/States", batch.metrics[start : start + _MOST])

    def _safely(self, function: Callable[..., Any], *args: Any) -> None:
        try:
            function(*args)
        except Exception:  # a rule's target, say, must not end the telling
            log.exception("Something about an execution was not told.")
