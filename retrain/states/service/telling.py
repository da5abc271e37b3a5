"""Watches executions and tells what happens in them: to EventBridge, CloudWatch Logs and CloudWatch."""

from __future__ import annotations

from collections.abc import Callable

from retrain.states.service.arns import machine_arn
from retrain.states.service.entries import Entry
from retrain.states.service.notices import (
    EVENT_SOURCE,
    EVENT_TYPE,
    TaskMetrics,
    is_logged,
    is_of_task,
    log_record,
    log_stream,
    milliseconds,
    status_detail,
    status_metrics,
)
from retrain.states.service.outbox import Outbox


class Telling:
    """Tells each change of an execution once.

    Parameters
    ----------
    outbox
        Sends it.
    now
        The time, in seconds since the epoch.
    """

    def __init__(self, outbox: Outbox, now: Callable[[], float]) -> None:
        self._outbox = outbox
        self._now = now

    def changed(self, entry: Entry) -> None:
        """Tell what has happened in an execution since the last time."""
        execution = entry.execution
        if execution is None:
            return
        self._events(entry)
        state = (execution.status, execution.redrive_count)
        if state == entry.told:
            return
        entry.told = state
        if not execution.express:
            detail = status_detail(execution, self._now())
            self._outbox.event(EVENT_SOURCE, EVENT_TYPE, detail, [execution.arn])
        self._outbox.metrics(status_metrics(execution))

    def _events(self, entry: Entry) -> None:
        execution = entry.execution
        assert execution is not None  # noqa: S101  (changed has looked)
        logging = entry.revision.logging
        level = logging.get("level", "OFF") if self._outbox.sinks.logs is not None else "OFF"
        wants_metrics = self._outbox.sinks.metrics is not None
        begin, entry.logged = entry.logged, len(execution.history)
        if level == "OFF" and not wants_metrics:
            return
        if entry.extra is None:
            entry.extra = TaskMetrics()
        if level == "OFF" and not any(map(is_of_task, execution.history.types(begin))):
            return  # most events are; to show one costs more than all else here
        group = stream = ""
        if level != "OFF":
            target = logging["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"]
            group = target.removesuffix(":*").split(":log-group:", 1)[1]
            stream = log_stream(machine_arn(entry.machine_arn).name, entry.arn, entry.started)
        for event in execution.history[begin : entry.logged]:
            if is_logged(event["type"], level):
                text = log_record(event, execution, include_data=bool(logging.get("includeExecutionData")))
                self._outbox.line(group, stream, milliseconds(event["timestamp"]) or 0, text)
            if wants_metrics:
                self._outbox.metrics(entry.extra.of(event))
