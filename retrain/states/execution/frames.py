"""Where an execution has come to: a tree of frames, changed in place as it runs, plain JSON on demand.

A frame belongs to one running machine: the execution's own, a branch's, or an iteration's. While its state is
a Parallel or a Map it has a fork, with the results that are there and a frame for each branch that is not
done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, TypeAlias, cast

from retrain.states.model import Json, Machine, Map, Parallel


class Pending(Enum):
    """The type of `PENDING`."""

    PENDING = "PENDING"


PENDING: Final = Pending.PENDING
"""In the place of a result that is not there yet."""

Item: TypeAlias = tuple[str | None, Json, str | None]
"""An item of a Map: its key if the items are an object's members, its value, if distributed its source."""

NO_VARIABLES: Final[Mapping[str, Json]] = {}


class Frame:
    """Where one machine has come to.

    Attributes
    ----------
    machine : Machine
        Whose states these are.
    state : str
        The current one.
    input : Json
        Its raw input.
    variables : mapping
        What it can read: the outer scopes' and its own.
    last : int
        The event that the next one of this frame follows.
    entered : float
        When the state was entered, in seconds since the epoch; 0.0 if that is still to come.
    entered_id : int
        The event of that.
    retries : list of int, optional
        How often each retrier of the state has been used.
    note : dict
        What the state must not forget over a restart: `until` (a Wait's end, or that of a pause before a
        retry), `task` (what the runner saved), `token`, `since` (when the attempt began), `beat` (the last
        heartbeat).
    fork : Fork, optional
        The branches or iterations of the current state.
    item : mapping, optional
        `Map` of the context object, in an iteration.
    """

    __slots__ = (
        "entered",
        "entered_id",
        "fork",
        "input",
        "item",
        "last",
        "machine",
        "note",
        "retries",
        "state",
        "variables",
    )

    def __init__(
        self,
        machine: Machine,
        input: Json,  # noqa: A002 (the language's word)
        *,
        variables: Mapping[str, Json] = NO_VARIABLES,
        last: int = 0,
        item: Mapping[str, Json] | None = None,
    ) -> None:
        self.machine = machine
        self.state = machine.start_at
        self.input = input
        self.variables = variables
        self.last = last
        self.item = item
        self.entered = 0.0
        self.entered_id = 0
        self.retries: list[int] | None = None
        self.note: dict[str, Json] | None = None
        self.fork: Fork | None = None

    @property
    def retry_count(self) -> int:
        """How often the current state has been retried."""
        return sum(self.retries) if self.retries else 0

    def move(self, state: str, input: Json) -> None:  # noqa: A002
        """Go on to another state; what belonged to the one before is forgotten."""
        self.state = state
        self.input = input
        self.entered = 0.0
        self.entered_id = 0
        self.retries = None
        self.note = None
        self.fork = None

    def rewind(self, *, too_large: bool = False) -> None:
        """Prepare the current state for being run again with the same input, after a redrive.

        `too_large` says that the execution failed with States.DataLimitExceeded: if that was about the
        results of all branches together, all of them run again.
        """
        self.retries = None
        self.note = None
        if self.fork is not None:
            if too_large and PENDING not in self.fork.results:
                self.fork = None
                return
            for frame in self.fork.running.values():
                frame.rewind(too_large=too_large)

    def journal(self) -> dict[str, Json]:
        """Return the frame as plain JSON."""
        found: dict[str, Any] = {"state": self.state, "input": self.input, "last": self.last}
        if self.variables:
            found["variables"] = self.variables
        if self.entered_id:
            found |= {"entered": self.entered, "entered_id": self.entered_id}
        if self.retries:
            found["retries"] = list(self.retries)
        if self.note:
            found["note"] = dict(self.note)
        if self.item is not None:
            found["item"] = self.item
        if self.fork is not None:
            found["fork"] = self.fork.journal()
        return found

    @classmethod
    def restore(cls, machine: Machine, journal: Mapping[str, Any]) -> Frame:
        """Return the frame that `journal` described."""
        frame = cls(machine, journal["input"], variables=journal.get("variables", NO_VARIABLES))
        frame.state = journal["state"]
        frame.last = journal["last"]
        frame.entered = journal.get("entered", 0.0)
        frame.entered_id = journal.get("entered_id", 0)
        frame.retries = journal.get("retries")
        frame.note = dict(journal["note"]) if "note" in journal else None
        frame.item = journal.get("item")
        if "fork" in journal:
            frame.fork = Fork.restore(machine.states[frame.state], journal["fork"])
        return frame


class Fork:
    """The branches of a Parallel state, or the iterations of a Map.

    Attributes
    ----------
    arguments : list
        The input of each.
    results : list
        The output of each that is done, else `PENDING`.
    running : dict
        The frames of those that have begun and are not done, by position: they run, or they failed or were
        aborted.
    run : str, optional
        The ARN of a distributed Map's run.
    items : list, optional
        The items that the inputs were made of, as (key, value, source), for the context object; None if the
        inputs are the items, or if a distributed Map has not read them yet.
    """

    __slots__ = ("arguments", "items", "results", "run", "running")

    def __init__(self, arguments: list[Json], items: Sequence[Item] | None = None) -> None:
        self.arguments = arguments
        self.results: list[Json | Pending] = [PENDING] * len(arguments)
        self.running: dict[int, Frame] = {}
        self.run: str | None = None
        self.items = items

    def fill(self, arguments: list[Json], items: Sequence[Item]) -> None:
        """Give a distributed Map's run its inputs, once they have been read."""
        self.arguments = arguments
        self.results = [PENDING] * len(arguments)
        self.items = items

    def done(self, position: int, result: Json) -> None:
        """Keep the result of one of them."""
        self.results[position] = result
        self.running.pop(position, None)

    def unfinished(self) -> list[int]:
        """Return the positions of those that are not done, in order."""
        return [position for position, result in enumerate(self.results) if result is PENDING]

    def outputs(self) -> list[Json]:
        """Return all results; to be asked when all are done."""
        return cast("list[Json]", self.results)

    def journal(self) -> dict[str, Json]:
        """Return the fork as plain JSON."""
        results = {str(at): result for at, result in enumerate(self.results) if result is not PENDING}
        return {
            "arguments": self.arguments,
            "results": cast("Json", results),
            "running": {str(at): frame.journal() for at, frame in self.running.items()},
            "run": self.run,
            "items": None if self.items is None else [list(each) for each in self.items],
        }

    @classmethod
    def restore(cls, state: Any, journal: Mapping[str, Any]) -> Fork:
        """Return the fork that `journal` described."""
        fork = cls(list(journal["arguments"]))
        for at, result in journal["results"].items():
            fork.results[int(at)] = result
        for at, frame in journal["running"].items():
            fork.running[int(at)] = Frame.restore(machine_at(state, int(at)), frame)
        fork.run = journal["run"]
        if journal["items"] is not None:
            fork.items = [(key, value, source) for key, value, source in journal["items"]]
        return fork


def machine_at(state: Parallel | Map, position: int) -> Machine:
    """Return the machine that a branch or an iteration runs."""
    return state.branches[position] if isinstance(state, Parallel) else state.item_processor
