"""Lines of running programs to CloudWatch Logs, as they come."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import IO, Any

import botocore.exceptions

log = logging.getLogger("retrain.localcloud.sagemaker")

_INTERVAL_SECONDS = 0.25
_MAX_EVENTS = 5_000
_MAX_BYTES = 900_000
_MAX_LINE_BYTES = 200_000


class LogShipper:
    """Sends lines to log streams from a thread of its own, in batches of a quarter of a second.

    Parameters
    ----------
    make_client
        Returns a boto3 client of CloudWatch Logs; called once, on the shipper's thread.
    """

    def __init__(self, make_client: Callable[[], Any]) -> None:
        self._make_client = make_client
        self._queue: queue.Queue[tuple[str, str, int, str] | threading.Event] = queue.Queue()
        self._made: set[tuple[str, str]] = set()
        self._client: Any = None
        self._closed = False
        threading.Thread(target=self._run, name="sagemaker-logs", daemon=True).start()

    def send(self, group: str, stream: str, line: str) -> None:
        """Append a line to a stream, which is made if need be. Never blocks and never raises."""
        if self._closed:
            return
        self._queue.put((group, stream, time.time_ns() // 1_000_000, line))

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until everything sent so far has been handed over; False if it was not within `timeout`."""
        if self._closed:
            return False
        done = threading.Event()
        self._queue.put(done)
        return done.wait(timeout)

    def close(self) -> None:
        """Drop what comes from now on: there is nobody left to take it."""
        self._closed = True

    def _run(self) -> None:
        while True:
            batch: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
            waiting: list[threading.Event] = []
            deadline = None
            count = 0
            while count < _MAX_EVENTS:
                try:
                    item = self._queue.get(
                        timeout=None if deadline is None else max(0.0, deadline - time.monotonic())
                    )
                except queue.Empty:
                    break
                deadline = deadline or time.monotonic() + _INTERVAL_SECONDS
                if isinstance(item, threading.Event):
                    waiting.append(item)
                    break
                group, stream, timestamp, line = item
                # CloudWatch Logs takes no empty message.
                message = line.encode()[:_MAX_LINE_BYTES].decode(errors="ignore") or " "
                batch[group, stream].append({"timestamp": timestamp, "message": message})
                count += 1
            for (group, stream), events in batch.items():
                self._put(group, stream, events)
            for event in waiting:
                event.set()

    def _put(self, group: str, stream: str, events: list[dict[str, Any]]) -> None:
        try:
            self._client = self._client or self._make_client()
            if (group, stream) not in self._made:
                self._make(group, stream)
            for part in _parts(events):
                self._client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=part)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            self._made.discard((group, stream))
            log.warning("%d lines of %s %s were not logged: %s", len(events), group, stream, error)

    def _make(self, group: str, stream: str) -> None:
        for create, names in (
            (self._client.create_log_group, {"logGroupName": group}),
            (self._client.create_log_stream, {"logGroupName": group, "logStreamName": stream}),
        ):
            try:
                create(**names)
            except self._client.exceptions.ResourceAlreadyExistsException:
                continue
        self._made.add((group, stream))


def _parts(events: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Split events so that no part is larger than one call takes."""
    parts: list[list[dict[str, Any]]] = [[]]
    size = 0
    for event in events:
        length = len(event["message"].encode()) + 26
        if parts[-1] and size + length > _MAX_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(event)
        size += length
    return parts


def follow(stream: IO[bytes], take: Callable[[str], None], name: str) -> threading.Thread:
    """Call `take` with every line of a pipe but empty ones, from a thread that ends with the pipe."""

    def run() -> None:
        with stream:
            for raw in stream:
                for line in raw.decode(errors="replace").rstrip("\r\n").split("\r"):
                    if line.strip():
                        take(line.rstrip())

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
