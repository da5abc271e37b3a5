"""What happened in an execution, state by state, rebuilt from nothing but its history.

Reads the events of GetExecutionHistory, of AWS or of the local cloud, and knows nothing of the engine: what
state was entered when, within which branch or iteration, how often it was tried, and how it ended.

Examples
--------
>>> events = sfn.get_execution_history(executionArn=arn)["events"]  # doctest: +SKIP
>>> for visit in read(events).visits:  # doctest: +SKIP
...     print(visit.path, visit.entered, visit.exited, visit.outcome, visit.retries)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from retrain.states.errors import StatesLanguageError

Outcome: TypeAlias = Literal["RUNNING", "SUCCEEDED", "CAUGHT", "FAILED", "ABORTED"]

_LASTS = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}
_TASKS = ("Task", "LambdaFunction", "Activity")
_AT_ONCE = 0.5
"""Seconds; a retry waits for a second at least."""
_ENDS = ("Succeeded", "Failed", "TimedOut", "StartFailed", "SubmitFailed", "ScheduleFailed")


class TimelineError(StatesLanguageError):
    """Events that are no history of an execution, or not the whole of one."""


@dataclass(slots=True)
class Attempt:
    """One attempt of a task, or of all branches or iterations; `error` and `cause` if the task failed."""

    started: float
    ended: float | None = None
    error: str | None = None
    cause: str | None = None


@dataclass(slots=True, eq=False)
class Visit:
    """One time that a state was entered.

    Attributes
    ----------
    state, type
        Its name, and its type such as `Task`.
    within, iteration
        The Parallel or Map state around it, if there is one, and which iteration of the Map.
    entered, exited
        Seconds since the epoch; `exited` is None if it never was.
    entered_id
        The event of its entry.
    input, output
        As JSON values.
    outcome
        `CAUGHT` if an error of it was; `ABORTED` if something else ended it.
    attempts
        Of Task, Parallel and Map states, all redrives included.
    retries
        How often it was tried again, since the last redrive.
    """

    state: str
    type: str
    entered: float
    entered_id: int
    input: Any = None
    within: Visit | None = None
    iteration: int | None = None
    exited: float | None = None
    output: Any = None
    outcome: Outcome = "RUNNING"
    attempts: list[Attempt] = field(default_factory=list)
    retries: int = 0
    _begun: bool = False
    _failed: bool = False

    @property
    def path(self) -> str:
        """Where it stands: the states around it and itself, such as `Train all[2]/Train`."""
        inside = "" if self.iteration is None else f"[{self.iteration}]"
        return f"{self.within.path}{inside}/{self.state}" if self.within else self.state

    def around(self) -> Iterator[Visit]:
        """Yield the states around it, the nearest first."""
        visit = self.within
        while visit is not None:
            yield visit
            visit = visit.within


@dataclass(slots=True)
class Timeline:
    """An execution as its history tells it; visits in the order of their entries."""

    started: float
    status: str = "RUNNING"
    stopped: float | None = None
    redrives: list[float] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)


@dataclass(slots=True)
class _Place:
    """Where an event leaves whoever follows it: inside a visit, or, once that has ended, beside it."""

    visit: Visit | None = None
    iteration: int | None = None
    ended: bool = False

    def scope(self) -> tuple[Visit | None, int | None]:
        """Return what surrounds a state that is entered next."""
        if self.visit is not None and self.ended:
            return self.visit.within, self.visit.iteration
        return self.visit, self.iteration

    def nearest(self, kind: str, *, at: float, starting: bool) -> Visit | None:
        """Return the Parallel or Map state that an event without a name speaks of.

        A state that has only been entered cannot end yet, and starts in the moment of its entry: what starts
        later is one around it that is tried again.
        """
        visit = self.visit.within if self.visit is not None and self.ended else self.visit
        while visit is not None:
            fresh = starting and at - visit.entered < _AT_ONCE
            if visit.type == kind and (visit.attempts or fresh):
                return visit
            visit = visit.within
        return None


def read(events: Iterable[Mapping[str, Any]]) -> Timeline:
    """Return the timeline of an execution.

    Parameters
    ----------
    events
        All events of its history, in any order, as boto3 or the API's JSON gives them.

    Raises
    ------
    TimelineError
        The events do not begin with `ExecutionStarted`, or refer to what is not there.
    """
    ordered = sorted(events, key=lambda event: int(event["id"]))
    if not ordered or ordered[0]["type"] != "ExecutionStarted":
        raise TimelineError("A history begins with ExecutionStarted: give all of its pages.")
    reader = _Reader(Timeline(_seconds(ordered[0]["timestamp"])))
    for event in ordered[1:]:
        reader.read(event)
    return reader.timeline


class _Reader:
    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._places: dict[int, _Place] = {0: _Place(), 1: _Place()}
        self._open: dict[int, Visit] = {}
        self._lost: set[int] = set()  # entered in an attempt that was tried again as a whole

    def read(self, event: Mapping[str, Any]) -> None:
        kind, at = str(event["type"]), _seconds(event["timestamp"])
        previous = self._places.get(int(event["previousEventId"]))
        if previous is None:
            raise TimelineError(
                f"Event {event['id']} follows event {event['previousEventId']}, which is missing."
            )
        details = _details(event)
        if kind in _LASTS:
            self._stop(kind, at, previous)
            place = previous
        elif kind == "ExecutionRedriven":
            self._redrive(at)
            place = previous
        elif kind.endswith("StateEntered"):
            place = self._enter(kind, at, int(event["id"]), details, previous)
        elif kind.endswith("StateExited"):
            place = self._exit(at, details, previous)
        elif kind.endswith("Aborted"):
            place = previous
        elif kind.startswith("MapIteration"):
            visit = self._named(details["name"], previous)
            place = _Place(visit, details["index"] if kind == "MapIterationStarted" else None)
        elif kind.startswith(("ParallelState", "MapState")):
            place = self._around(kind, at, previous)
        elif kind == "EvaluationFailed" and previous.visit is not None:
            place = self._evaluation_failed(previous.visit, details, previous)
        else:
            place = self._task(kind, at, details, previous)
        self._places[int(event["id"])] = place

    def _enter(self, kind: str, at: float, number: int, details: Any, previous: _Place) -> _Place:
        within, iteration = previous.scope()
        type_ = kind.removesuffix("StateEntered")
        visit = Visit(details["name"], type_, at, number, _json(details.get("input")), within, iteration)
        self.timeline.visits.append(visit)
        self._open[number] = visit
        return _Place(visit)

    def _exit(self, at: float, details: Any, previous: _Place) -> _Place:
        visit = self._named(details["name"], previous)
        visit.exited, visit.output = at, _json(details.get("output"))
        self._close(visit, "CAUGHT" if visit._failed else "SUCCEEDED", None)
        return _Place(visit, ended=True)

    def _around(self, kind: str, at: float, previous: _Place) -> _Place:
        """Take an event of a Parallel or Map state as a whole; none of them has a name."""
        type_, what = ("Parallel", kind[13:]) if kind.startswith("Parallel") else ("Map", kind[8:])
        visit = previous.nearest(type_, at=at, starting=what == "Started")
        if visit is None:
            raise TimelineError(f"{kind} stands outside of any {type_} state.")
        if what == "Started":
            self._end_inner(visit, previous.visit)
            self._lost.update(each.entered_id for each in self.timeline.visits if visit in each.around())
            self._begin(visit, at)
        elif what == "Failed":
            self._end_inner(visit, previous.visit)
            visit._failed = True
            visit.attempts[-1].ended = at
            return _Place(visit, ended=True)
        else:
            visit._failed = False
            visit.attempts[-1].ended = at
        return _Place(visit)

    def _task(self, kind: str, at: float, details: Any, previous: _Place) -> _Place:
        visit = previous.visit
        for prefix in _TASKS:
            if visit is not None and visit.type == "Task" and kind.startswith(prefix):
                what = kind.removeprefix(prefix)
                if what == "Scheduled":
                    self._begin(visit, at)
                elif what in _ENDS:
                    attempt, failed = visit.attempts[-1], what != "Succeeded"
                    attempt.ended, visit._failed = at, failed
                    if failed:
                        attempt.error, attempt.cause = details.get("error"), details.get("cause")
        return previous

    def _evaluation_failed(self, visit: Visit, details: Any, previous: _Place) -> _Place:
        if previous.ended or visit.state != details.get("state", visit.state):
            visit = self._named(details["state"], previous)
        if visit._failed and not visit._begun:
            visit.retries += 1
        visit._failed, visit._begun = True, False
        return _Place(visit)

    def _begin(self, visit: Visit, at: float) -> None:
        if visit._failed or visit._begun:
            visit.retries += 1
        visit._begun, visit._failed = True, False
        visit.attempts.append(Attempt(at))

    def _stop(self, kind: str, at: float, previous: _Place) -> None:
        self.timeline.status, self.timeline.stopped = _LASTS[kind], at
        failing = previous.visit if kind == "ExecutionFailed" else None
        for visit in list(self._open.values()):
            self._close(visit, self._ending(visit, failing), failing)

    def _redrive(self, at: float) -> None:
        timeline = self.timeline
        timeline.redrives.append(at)
        timeline.status, timeline.stopped = "RUNNING", None
        for visit in timeline.visits:
            over = visit.entered_id in self._lost or any(each.exited is not None for each in visit.around())
            if visit.outcome in ("FAILED", "ABORTED") and not over:
                visit.outcome, visit.retries, visit._failed = "RUNNING", 0, False
                visit._begun = visit.type != "Task" and bool(visit.attempts)
                self._open[visit.entered_id] = visit

    def _named(self, name: str, previous: _Place) -> Visit:
        visit = previous.visit
        while visit is not None and visit.state != name:
            visit = visit.within
        if visit is None:
            raise TimelineError(f"The state {name!r} was not entered before.")
        return visit

    def _close(self, visit: Visit, outcome: Outcome, failing: Visit | None) -> None:
        visit.outcome = outcome
        self._open.pop(visit.entered_id, None)
        self._end_inner(visit, failing)

    def _end_inner(self, around: Visit, failing: Visit | None) -> None:
        for visit in list(self._open.values()):
            if around in visit.around():
                visit.outcome = self._ending(visit, failing)
                del self._open[visit.entered_id]

    @staticmethod
    def _ending(visit: Visit, failing: Visit | None) -> Outcome:
        if failing is not None and (visit is failing or visit in failing.around()):
            return "FAILED"
        return "ABORTED"


def _seconds(timestamp: datetime | float) -> float:
    return timestamp.timestamp() if isinstance(timestamp, datetime) else float(timestamp)


def _json(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _details(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((value for key, value in event.items() if key.endswith("EventDetails")), {})
