"""How far an execution has come, state by state, as its history tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, get_args

from retrain.states.timeline import Outcome, Timeline, Visit, read

Status: TypeAlias = Literal["not_reached", "running", "succeeded", "failed", "caught", "aborted"]

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
"""All that can be said of a state; `aborted` is one that was ended because something else ended."""

_OF_OUTCOME: Final[Mapping[Outcome, Status]] = {
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "CAUGHT": "caught",
    "FAILED": "failed",
    "ABORTED": "aborted",
}
_GRAVEST_FIRST: Final[tuple[Status, ...]] = ("running", "failed", "caught", "aborted", "succeeded")


@dataclass(frozen=True, slots=True)
class StateProgress:
    """What became of one state, all of its visits together.

    Attributes
    ----------
    status
        Of the last visit; of the iterations of a Map, of those that are at it at the same time, the gravest.
    entered, left
        Seconds since the epoch: first entered, last left; `left` is None while one visit lasts.
    tries
        Attempts in all: more than `visits` if something was tried again.
    visits
        How often it was entered: in a loop or a Map, more than once.
    ended
        How many of these visits are over.
    error
        The name of the last error of a task, caught or not.
    """

    status: Status = "not_reached"
    entered: float | None = None
    left: float | None = None
    tries: int = 0
    visits: int = 0
    ended: int = 0
    error: str | None = None

    @property
    def seconds(self) -> float | None:
        """From first entered to last left; None before it has been left."""
        return None if self.entered is None or self.left is None else self.left - self.entered


@dataclass(frozen=True, slots=True)
class Step:
    """One visit, as far as edges are concerned: where, which state, and whether an error led on from it."""

    scope: tuple[int, int | None]
    state: str
    caught: bool


_NOT_REACHED: Final = StateProgress()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an execution has come.

    Attributes
    ----------
    states
        By name; a state that is not here has not been reached.
    status
        Of the execution, as DescribeExecution has it: `RUNNING`, `SUCCEEDED`, `FAILED`, ...
    started, stopped
        Seconds since the epoch.
    steps
        Every visit in the order of the entries.
    """

    states: Mapping[str, StateProgress] = field(default_factory=dict)
    status: str = "RUNNING"
    started: float | None = None
    stopped: float | None = None
    steps: tuple[Step, ...] = ()

    def of(self, state: str) -> StateProgress:
        """Return what became of a state."""
        return self.states.get(state, _NOT_REACHED)

    @classmethod
    def from_history(cls, events: Iterable[Mapping[str, Any]]) -> Progress:
        """Return the progress of an execution.

        Parameters
        ----------
        events
            All events that GetExecutionHistory has so far, from the first on; of a running execution too.
            None at all for one that has only been asked for.

        Raises
        ------
        TimelineError
            The events are no history, or not the whole of one.
        """
        events = list(events)
        return cls.from_timeline(read(events)) if events else cls()

    @classmethod
    def from_timeline(cls, timeline: Timeline) -> Progress:
        """Return the progress that a timeline, read by `retrain.states.timeline`, tells of."""
        visits: dict[str, list[Visit]] = {}
        for visit in timeline.visits:
            visits.setdefault(visit.state, []).append(visit)
        return cls(
            {name: _summary(each, timeline) for name, each in visits.items()},
            timeline.status,
            timeline.started,
            timeline.stopped,
            tuple(_step(visit) for visit in timeline.visits),
        )


def _summary(visits: list[Visit], timeline: Timeline) -> StateProgress:
    over = [visit for visit in visits if visit.outcome != "RUNNING"]
    errors = [attempt.error for visit in visits for attempt in visit.attempts if attempt.error]
    return StateProgress(
        status=_status(visits),
        entered=visits[0].entered,
        left=max(_left(visit, timeline) for visit in visits) if len(over) == len(visits) else None,
        tries=sum(visit.retries + 1 for visit in visits),
        visits=len(visits),
        ended=len(over),
        error=errors[-1] if errors else None,
    )


def _left(visit: Visit, timeline: Timeline) -> float:
    """Return when a visit was over; the history of one that failed tells no exit."""
    if visit.exited is not None:
        return visit.exited
    ends = [attempt.ended for attempt in visit.attempts if attempt.ended is not None]
    return max(ends, default=timeline.stopped if timeline.stopped is not None else visit.entered)


def _status(visits: list[Visit]) -> Status:
    """Return the gravest among the last visits of all iterations, of the last time that they were begun."""
    outermost = _outermost(visits[-1])
    last = {_scope(visit): visit for visit in visits if _outermost(visit) is outermost or visit is visits[-1]}
    found = {_OF_OUTCOME[visit.outcome] for visit in last.values()}
    return next(status for status in _GRAVEST_FIRST if status in found)


def _outermost(visit: Visit) -> Visit | None:
    return next(reversed(list(visit.around())), None)


def _scope(visit: Visit) -> tuple[int, int | None]:
    return (visit.within.entered_id if visit.within else 0, visit.iteration)


def _step(visit: Visit) -> Step:
    return Step(_scope(visit), visit.state, visit.outcome == "CAUGHT")
