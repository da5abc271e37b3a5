"""An execution that the end of the last server cut off fails as in AWS: in its history, and with an event.

MiniStack marks it FAILED when it reads its state, and tells nobody: its history stays open, and a rule on
executions' ends, by which a stack keeps its books, hears nothing.
"""

from __future__ import annotations

import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.context import LocalCloudContext

log = logging.getLogger("retrain.localcloud")

ERROR = "States.ServiceRestart"
"""MiniStack's name for it; AWS has none, since its executions survive."""

CAUSE = "The local cloud was stopped while the execution was running."

_ANSWER_SECONDS = 60.0

for _name, _parameters in {
    "load_persisted_state": "data",
    "_executions": None,
    "_add_event": "execution event_type details",
    "_emit_execution_status_event": "execution",
}.items():
    seams.expect(seams.STATES, _name, _parameters)


def close(executions: list[dict[str, Any]], add_event: Callable[..., Any]) -> list[dict[str, Any]]:
    """End the histories of the executions that were cut off, each once, and give those executions."""
    found = [
        execution
        for execution in executions
        if execution.get("error") == ERROR and execution["events"][-1]["type"] != "ExecutionFailed"
    ]
    for execution in found:
        execution["cause"] = CAUSE
        add_event(
            execution, "ExecutionFailed", {"executionFailedEventDetails": {"error": ERROR, "cause": CAUSE}}
        )
    return found


def _tell(context: LocalCloudContext, executions: list[dict[str, Any]]) -> None:
    """Send the events once the cloud answers: what they start needs all of it."""
    url = f"{context.endpoint_url}/_ministack/health"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _ANSWER_SECONDS
    while True:
        try:
            opener.open(url, timeout=_ANSWER_SECONDS).close()
            break
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > deadline:
                log.error("The ends of %d executions were not told: %s", len(executions), error)
                return
            time.sleep(0.05)
    states = seams.module(seams.STATES)
    for execution in executions:
        states._emit_execution_status_event(execution)


def install(context: LocalCloudContext) -> None:
    """Close what the last server left open, as soon as its state is read."""

    def load(original: Callable[[Any], None], data: Any) -> None:
        original(data)
        states = seams.module(seams.STATES)
        cut_off = close(list(states._executions.all_values()), states._add_event)
        if cut_off:
            threading.Thread(
                target=_tell, args=(context, cut_off), name="executions-cut-off", daemon=True
            ).start()

    seams.wrap(seams.STATES, "load_persisted_state", load)
