"""What waits in queues is a metric in CloudWatch, as SQS sends it, so that alarms on queues can ring.

MiniStack counts messages for those who ask, and sends nothing. SQS does so every minute, for queues in use.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.cloudwatch import Datum
from retrain.localcloud.cloudwatch.metrics import MetricRecorder

SQS = "ministack.services.sqs"
NAMESPACE = "AWS/SQS"
TICK_SECONDS = 2.0

seams.expect(SQS, "_queues", None)


def of_queue(messages: Iterable[dict[str, Any]], now: float) -> list[Datum]:
    """Return what SQS would send about a queue with these messages."""
    visible = hidden = delayed = 0
    oldest = 0.0
    for message in messages:
        if message["visible_at"] <= now:
            visible += 1
        elif message.get("receive_count"):
            hidden += 1
        else:
            delayed += 1
        # SQS no longer counts the age of what was received three times and not deleted.
        if message.get("receive_count", 0) < 3:
            oldest = max(oldest, now - message.get("sent_at", now))
    return [
        Datum("ApproximateNumberOfMessagesVisible", visible, "Count"),
        Datum("ApproximateNumberOfMessagesNotVisible", hidden, "Count"),
        Datum("ApproximateNumberOfMessagesDelayed", delayed, "Count"),
        Datum("ApproximateAgeOfOldestMessage", oldest, "Seconds"),
    ]


class QueueWatch:
    """Sends the metrics of all queues in use; one that has become empty is told of once more."""

    def __init__(self, recorder: MetricRecorder, clock: Callable[[], float] = time.time) -> None:
        self._recorder = recorder
        self._clock = clock
        self._in_use: set[str] = set()
        self._closed = threading.Event()

    def start(self) -> None:
        """Begin to look at the queues as time goes by."""
        threading.Thread(target=self._run, name="queue-metrics", daemon=True).start()

    def close(self) -> None:
        """Look no more."""
        self._closed.set()

    def look(self) -> None:
        """Send what there is to tell now."""
        now = self._clock()
        in_use = set()
        for queue in list(seams.module(SQS)._queues.values()):
            name, messages = str(queue["name"]), list(queue["messages"])
            if messages:
                in_use.add(name)
            if messages or name in self._in_use:
                self._recorder.record(NAMESPACE, [{"QueueName": name}], of_queue(messages, now))
        self._in_use = in_use

    def _run(self) -> None:
        while not self._closed.wait(TICK_SECONDS):
            self.look()


_watch: QueueWatch | None = None


def install() -> None:
    """Begin to send metrics of queues."""
    global _watch
    _watch = QueueWatch(MetricRecorder())
    _watch.start()


def shutdown() -> None:
    """End that."""
    global _watch
    if _watch is not None:
        _watch.close()
        _watch = None
