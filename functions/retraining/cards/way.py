"""The way of a run through its state machine, read out of the execution's history."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from retraining.cards.facts import items, part
from retraining.cards.figures import moment

SUCCEEDED = "succeeded"
RETRIED = "retried"
CAUGHT = "caught"
FAILED = "failed"
STOPPED = "stopped"
UNDER_WAY = "under-way"

ENDS = (SUCCEEDED, RETRIED, CAUGHT, FAILED, STOPPED, UNDER_WAY)
"""How a state may end, the worst of a repeated one being the last of these; see `Visit`."""

_LONGEST_ROUND = 12
"""States that a loop may have to be recognised as one."""

_TRIES = frozenset({"TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled"})


@dataclass(slots=True)
class Visit:
    """A state's turn.

    Attributes
    ----------
    name, kind : str
        The state, and its type.
    entered_at, left_at : datetime
        ``left_at`` is None while it lasts.
    tries : int
        How often its task was begun; 0 for states without one.
    failures : list of str
        The error of each failed try.
    seconds : float or None
        How long it lasted; None while it does.
    end : str
        `SUCCEEDED`; `RETRIED`, if it took more than one try; `CAUGHT`, if a Catch led on from its failure;
        `FAILED`, if it ended the execution, or is of the type Fail; `STOPPED`, if the execution was stopped
        in it, or timed out; `UNDER_WAY`.
    """

    name: str
    kind: str
    entered_at: datetime
    left_at: datetime | None = None
    tries: int = 0
    failures: list[str] = field(default_factory=list)
    seconds: float | None = None
    end: str = UNDER_WAY

    def leave(self, at: datetime, end: str) -> None:
        """End the turn."""
        self.left_at, self.end = at, end
        self.seconds = max(0.0, (at - self.entered_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Loop:
    """States that took turns, again and again: each of `rounds` visits the same states in the same order."""

    rounds: tuple[tuple[Visit, ...], ...]

    def merged(self) -> Iterator[Visit]:
        """Yield one visit for each state, which stands for all of its visits and lasts as long as they."""
        for visits in zip(*self.rounds, strict=True):
            first, last = visits[0], visits[-1]
            yield Visit(
                name=first.name,
                kind=first.kind,
                entered_at=first.entered_at,
                left_at=last.left_at,
                tries=sum(visit.tries for visit in visits),
                failures=[error for visit in visits for error in visit.failures],
                seconds=None if last.seconds is None else sum(visit.seconds or 0.0 for visit in visits),
                end=max((visit.end for visit in visits), key=ENDS.index),
            )


def visits(events: Sequence[Mapping[str, Any]]) -> list[Visit]:
    """Read the turns of all states, in the order in which they were entered.

    Parameters
    ----------
    events : sequence of mapping
        As GetExecutionHistory gives them, with or without execution data. An event belongs to the state of
        the event that it follows from, which holds for states that run side by side, too.
    """
    found: list[Visit] = []
    owners: dict[Any, Visit | None] = {}
    for event in events:
        kind, at = str(event.get("type", "")), moment(event.get("timestamp"))
        if at is None:
            continue
        if kind.endswith("StateEntered"):
            name = str(part(event, "stateEnteredEventDetails").get("name", ""))
            found.append(Visit(name, kind.removesuffix("StateEntered"), at))
            owner: Visit | None = found[-1]
        elif kind.endswith("StateExited"):
            name = str(part(event, "stateExitedEventDetails").get("name", ""))
            owner = next((visit for visit in reversed(found) if visit.name == name), None)
            if owner is not None:
                _leave(owner, at)
        else:
            owner = owners.get(event.get("previousEventId"))
            if kind.startswith("Execution"):
                _end_all(found, kind, at)
            elif owner is not None:
                _note(owner, kind, event)
        owners[event.get("id")] = owner
    return found


def _leave(visit: Visit, at: datetime) -> None:
    if visit.kind == "Fail":
        visit.leave(at, FAILED)
    elif visit.end == FAILED:
        visit.leave(at, CAUGHT)
    else:
        visit.leave(at, RETRIED if visit.failures else SUCCEEDED)


def _note(visit: Visit, kind: str, event: Mapping[str, Any]) -> None:
    if kind in _TRIES:
        visit.tries += 1
        visit.end = UNDER_WAY
    elif kind.endswith(("Failed", "TimedOut")):
        details = next((part(event, name) for name in event if name.endswith("EventDetails")), {})
        visit.failures.append(str(details.get("error") or kind))
        visit.end = FAILED
    elif kind.endswith("Succeeded"):
        visit.end = UNDER_WAY


def _end_all(found: Sequence[Visit], kind: str, at: datetime) -> None:
    """End what the execution's end has ended."""
    end = {"ExecutionFailed": FAILED, "ExecutionTimedOut": STOPPED, "ExecutionAborted": STOPPED}.get(kind)
    if end is None:
        return
    for visit in found:
        if visit.left_at is None:
            visit.leave(at, end)


def folded(turns: Sequence[Visit]) -> list[Visit | Loop]:
    """Fold turns that repeat themselves, such as waiting and looking, into loops."""
    names = [visit.name for visit in turns]
    steps: list[Visit | Loop] = []
    at = 0
    while at < len(turns):
        length, rounds = _longest_loop(names, at)
        if rounds < 2:
            steps.append(turns[at])
            at += 1
            continue
        starts = range(at, at + length * rounds, length)
        steps.append(Loop(tuple(tuple(turns[start : start + length]) for start in starts)))
        at += length * rounds
    return steps


def _longest_loop(names: Sequence[str], at: int) -> tuple[int, int]:
    """Return length and number of the rounds that begin at a place and cover most; rather short ones."""
    best = (1, 1)
    for length in range(1, min(_LONGEST_ROUND, (len(names) - at) // 2) + 1):
        rounds = 1
        while names[at : at + length] == names[at + rounds * length : at + (rounds + 1) * length]:
            rounds += 1
        if rounds > 1 and rounds * length > best[0] * best[1]:
            best = length, rounds
    return best


def branches(definition: Mapping[str, Any] | None, state: str) -> list[str]:
    """Return where a Choice may lead, in the order in which its definition says so."""
    body = part(part(definition, "States"), state)
    ways = [rule.get("Next") for rule in items(body, "Choices") if isinstance(rule, Mapping)]
    ways.append(body.get("Default"))
    return list(dict.fromkeys(way for way in ways if isinstance(way, str)))
