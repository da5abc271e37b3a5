"""An execution's history: events exactly as GetExecutionHistory gives them, kept compactly."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from retrain.states.model import Json

LIMIT: Final = 25_000
"""Events that the history of a Standard execution may have."""

EXPRESS_LIMIT: Final = 1_000_000
"""Events that are kept of an Express execution. AWS has no such limit; in the five minutes that one may take
there, it does not come that far, and one that runs in circles here must not fill the memory."""

_VALUES: Final = ("input", "output", "parameters")
"""Details that are JSON text to the API and values here."""
_TRUNCATABLE: Final = ("input", "output")


Event: TypeAlias = tuple[float, str, int, Any]
"""One event as it is kept: time, type, previous id, details. What the details refer to is shared with the
execution and becomes JSON text only when somebody reads it."""


def json_text(value: Json) -> str:
    """Return a value as Step Functions writes JSON: without blanks, characters as they are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class History(Sequence[Mapping[str, Any]]):
    """The events of one execution, in order; a sequence of dicts in the shape of the API.

    An item has `timestamp` (seconds since the epoch, a float), `type`, `id`, `previousEventId` and the type's
    details, such as `taskFailedEventDetails`. It is made when it is read.
    """

    __slots__ = ("_events", "limit")

    def __init__(self, limit: int | None = LIMIT) -> None:
        self._events: list[Event] = []
        self.limit = limit

    def append(self, timestamp: float, type: str, details: Any = None, previous_id: int = 0) -> int:  # noqa: A002
        """Add an event and return its id.

        Parameters
        ----------
        timestamp : float
            Seconds since the epoch.
        type : str
            Such as `TaskScheduled`.
        details : mapping, optional
            What the API's details have; `input`, `output` and `parameters` as values, not as text, and never
            changed afterwards. For states entered `(name, input)`, for states exited `(name, output, assigned
            variables)`, for a Map's iterations `(name, index)`.
        previous_id : int
            The event that it follows.
        """
        self._events.append((timestamp, type, previous_id, details))
        return len(self._events)

    @property
    def full(self) -> bool:
        """Whether the next event must be the execution's last."""
        return self.limit is not None and len(self._events) >= self.limit - 1

    def __len__(self) -> int:
        return len(self._events)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._render(each) for each in range(*index.indices(len(self._events)))]
        return self._render(range(len(self._events))[index])

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return map(self._render, range(len(self._events)))

    @property
    def last_type(self) -> str | None:
        """The type of the last event; None before the first."""
        return self._events[-1][1] if self._events else None

    def types(self, begin: int = 0) -> list[str]:
        """Return the types of all events in order, or of those from a position on."""
        return [event[1] for event in (self._events[begin:] if begin else self._events)]

    def _render(self, index: int) -> dict[str, Any]:
        timestamp, type_, previous_id, given = self._events[index]
        rendered = {"timestamp": timestamp, "type": type_, "id": index + 1, "previousEventId": previous_id}
        if given is not None:
            name, details = _details(type_, given)
            rendered[name] = details
        return rendered

    def dump(self) -> list[list[Any]]:
        """Return the events as plain JSON, for `load`."""
        return [list(event) for event in self._events]

    @classmethod
    def load(cls, dumped: Sequence[Sequence[Any]], limit: int | None = LIMIT) -> History:
        """Return the history that `dump` gave."""
        history = cls(limit)
        history._events = [(each[0], each[1], each[2], each[3]) for each in dumped]
        return history


def _details(type_: str, given: Any) -> tuple[str, dict[str, Any]]:
    if type_.endswith("StateEntered"):
        name, value = given
        entered = {"name": name, "input": json_text(value), "inputDetails": {"truncated": False}}
        return "stateEnteredEventDetails", entered
    if type_.endswith("StateExited"):
        name, value, assigned = given
        exited: dict[str, Any] = {
            "name": name,
            "output": json_text(value),
            "outputDetails": {"truncated": False},
        }
        if assigned:
            exited["assignedVariables"] = {key: json_text(each) for key, each in assigned.items()}
            exited["assignedVariablesDetails"] = {"truncated": False}
        return "stateExitedEventDetails", exited
    key = f"{type_[0].lower()}{type_[1:]}EventDetails"
    if type_ == "ExecutionSucceeded":
        return key, {"output": json_text(given[0]), "outputDetails": {"truncated": False}}
    if type_.startswith("MapIteration"):
        name, index = given
        return key, {"name": name, "index": index}
    details: dict[str, Any] = {}
    for field, value in given.items():
        details[field] = json_text(value) if field in _VALUES else value
        if field in _TRUNCATABLE:
            details[f"{field}Details"] = {"truncated": False}
    return key, details
