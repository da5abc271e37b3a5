"""Executions end when they should: at once when stopped, and as TIMED_OUT after the machine's TimeoutSeconds.

MiniStack runs an execution on a thread that looks at its status between states only: a stopped execution
sleeps or waits on, and a TimeoutSeconds on the machine is ignored. Here every execution has a `Lifetime`.
Whatever waits on its behalf waits through it, and is woken when the execution ends; then `ExecutionEnded`
unwinds the thread.
"""

from __future__ import annotations

import contextvars
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from retrain.localcloud import seams

for _name, _parameters in {
    "_run_execution": "exec_arn",
    "_emit_execution_status_event": "execution",
    "_fail_execution": "execution error cause",
    "_add_event": "execution event_type details",
    "_executions": None,
    "_state_machines": None,
    "time": None,
    "now_iso": "",
}.items():
    seams.expect(seams.STATES, _name, _parameters)


class ExecutionEnded(SystemExit):
    """Unwinds a thread whose execution has ended.

    It is a SystemExit because threads and executors let that pass in silence, and because nothing that is
    meant for failures of tasks must catch it.
    """


class Lifetime:
    """How long an execution lasts, and the one place where its threads wait."""

    def __init__(self, arn: str, parent: Lifetime | None = None) -> None:
        self.arn = arn
        self.ended = False
        self.entered = False
        self._parent = parent
        self._children: list[Lifetime] = []
        self._condition = threading.Condition()
        if parent is not None:
            parent._children.append(self)

    def wait(self, until: Callable[[], bool], seconds: float | None) -> bool:
        """Wait until `until` holds; False when `seconds` have passed before.

        Raises
        ------
        ExecutionEnded
            The execution has ended meanwhile.
        """
        with self._condition:
            held = self._condition.wait_for(lambda: self.ended or until(), seconds)
        self.check()
        return held

    def wake(self) -> None:
        """Make those that wait look again."""
        with self._condition:
            self._condition.notify_all()

    def check(self) -> None:
        """Unwind this thread where the execution has ended."""
        if self.ended:
            raise ExecutionEnded

    def end(self) -> None:
        """Say that the execution has ended, and abort those nested in it."""
        self.ended = True
        self.wake()
        for child in list(self._children):
            _close(child.arn, "ABORTED", "ExecutionAborted", {}, {})
        if self._parent is not None and self in self._parent._children:
            self._parent._children.remove(self)


_lifetimes: dict[str, Lifetime] = {}
_current: contextvars.ContextVar[Lifetime | None] = contextvars.ContextVar("retrain_lifetime", default=None)
_events_lock = threading.Lock()


def current() -> Lifetime:
    """The lifetime of the execution that this thread works for; one without end outside of executions."""
    return _current.get() or Lifetime("")


@contextmanager
def _living(lifetime: Lifetime) -> Iterator[None]:
    _lifetimes[lifetime.arn] = lifetime
    token = _current.set(lifetime)
    try:
        yield
    finally:
        _current.reset(token)
        _lifetimes.pop(lifetime.arn, None)


def _close(arn: str, status: str, event_type: str, fields: dict[str, Any], details: dict[str, Any]) -> None:
    """End an execution that runs; without effect on one that has ended."""
    states = seams.module(seams.STATES)
    execution = states._executions.get(arn)
    if execution is None or execution["status"] != "RUNNING":
        return
    execution.update(status=status, stopDate=states.now_iso(), **fields)
    key = event_type[0].lower() + event_type[1:] + "EventDetails"
    states._add_event(execution, event_type, {key: details})
    states._emit_execution_status_event(execution)


def _time_out(arn: str) -> None:
    _close(arn, "TIMED_OUT", "ExecutionTimedOut", {"error": "States.Timeout"}, {"error": "States.Timeout"})


def _machine_timeout(execution: dict[str, Any]) -> float | None:
    machine = seams.module(seams.STATES)._state_machines.get(execution["stateMachineArn"])
    try:
        seconds = json.loads(machine["definition"]).get("TimeoutSeconds")
    except (TypeError, ValueError, AttributeError):
        return None  # no machine, or no definition: the run itself says so
    return float(seconds) if isinstance(seconds, int | float) else None


def _run(original: Callable[[str], None], exec_arn: str) -> None:
    execution = seams.module(seams.STATES)._executions.get(exec_arn)
    if execution is None:
        return
    execution["events"][0].setdefault("previousEventId", 0)
    seconds = _machine_timeout(execution)
    timer = None
    if seconds is not None:
        timer = threading.Timer(seconds, contextvars.copy_context().run, (_time_out, exec_arn))
        timer.daemon = True
        timer.start()
    try:
        with _living(Lifetime(exec_arn, _current.get())):
            original(exec_arn)
    except ExecutionEnded:
        current().check()  # a nested execution that was ended by its parent unwinds the parent's thread too
    finally:
        if timer is not None:
            timer.cancel()


def _status_changed(original: Callable[[dict[str, Any]], None], execution: dict[str, Any]) -> None:
    original(execution)
    lifetime = _lifetimes.get(execution["executionArn"])
    if execution["status"] != "RUNNING" and lifetime is not None:
        lifetime.end()


def _fail(original: Callable[..., None], execution: dict[str, Any], error: str, cause: str) -> None:
    if execution["status"] != "RUNNING":
        return  # it was stopped or timed out, and that stands
    if error == "States.Runtime":
        cause = _located(execution, cause)
    original(execution, error, cause)
    execution["output"] = None  # only a success has one


def _located(execution: dict[str, Any], cause: str) -> str:
    """A cause with the state that it happened in, in AWS's words."""
    for event in reversed(execution["events"]):
        if event["type"].endswith("StateEntered"):
            name = event["stateEnteredEventDetails"]["name"]
            place = f"(entered at the event id #{event['id']})"
            return f"An error occurred while executing the state '{name}' {place}. {cause}"
    return cause


def _add_event(
    original: Callable[..., Any],
    execution: dict[str, Any],
    event_type: str,
    details: dict[str, Any] | None = None,
) -> Any:
    with _events_lock:  # the branches of a Parallel write to one history
        if execution["status"] != "RUNNING" and not event_type.startswith("Execution"):
            raise ExecutionEnded
        event = original(execution, event_type, details)
        event["previousEventId"] = event["id"] - 1
    lifetime = _current.get()
    if lifetime is not None:
        lifetime.entered = True
    return event


def _sleep(seconds: float) -> None:
    lifetime = _current.get()
    if lifetime is None:
        time.sleep(seconds)
    elif lifetime.entered:
        lifetime.wait(lambda: False, seconds)
    # Before the first state MiniStack sleeps 150 ms, so that its own tests see RUNNING; nothing here needs
    # that.


def install() -> None:
    """Put lifetimes around executions."""
    seams.wrap(seams.STATES, "_run_execution", _run)
    seams.wrap(seams.STATES, "_emit_execution_status_event", _status_changed)
    seams.wrap(seams.STATES, "_fail_execution", _fail)
    seams.wrap(seams.STATES, "_add_event", _add_event)
    clock = SimpleNamespace(sleep=_sleep, time=time.time, monotonic=time.monotonic)
    seams.replace(seams.STATES, "time", clock)
