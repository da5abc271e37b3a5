"""The runs of distributed Map states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from retrain.states.model import Json

if TYPE_CHECKING:
    from retrain.states.execution.record import Execution

RunStatus: TypeAlias = Literal["RUNNING", "SUCCEEDED", "FAILED", "ABORTED"]

COUNTED = ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten")
"""The counts of DescribeMapRun, in its spelling."""


def no_counts() -> dict[str, int]:
    """Return a zero for each count."""
    return dict.fromkeys(COUNTED, 0)


@dataclass(slots=True, eq=False, repr=False)
class MapRun:
    """One run, as DescribeMapRun shows it.

    Attributes
    ----------
    arn, execution_arn, state_machine_arn : str
        The run's, its parent execution's, and that under which its child executions stand
        (`…:machine/label`).
    state : str
        The Map state's name.
    executions : dict of Execution
        The child executions that have begun, by the position of their items, or batches of items.
    item_counts, execution_counts : dict
        How many items and executions are in which status, by the API's names.
    batched : bool
        Each execution has a batch of items.
    tolerated_failure_count, tolerated_failure_percentage : int, float
        Beyond either, the run fails.
    """

    arn: str
    execution_arn: str
    state_machine_arn: str
    state: str
    started: float
    batched: bool = False
    max_concurrency: int = 0
    tolerated_failure_count: int = 0
    tolerated_failure_percentage: float = 0.0
    status: RunStatus = "RUNNING"
    stopped: float | None = None
    redrive_count: int = 0
    redriven: float | None = None
    item_counts: dict[str, int] = field(default_factory=no_counts)
    execution_counts: dict[str, int] = field(default_factory=no_counts)
    executions: dict[int, Execution] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<MapRun {self.arn} {self.status}>"

    def take(self, arguments: Sequence[Json]) -> None:
        """Count the executions that are to come, by their inputs."""
        for each in arguments:
            for status in ("total", "pending"):
                self.execution_counts[status] += 1
                self.item_counts[status] += self._items(each)

    def recount(self, child: Execution, before: str, after: str) -> None:
        """Count an execution, and its items, as being in another status, by the counts' names."""
        for status, by in ((before, -1), (after, 1)):
            self.execution_counts[status] += by
            self.item_counts[status] += by * self._items(child.input)

    def waits(self, child: Execution) -> bool:
        """Whether an execution counts as pending: it has not begun, or not again after a redrive."""
        return child.history.last_type in {None, "ExecutionRedriven"}

    def _items(self, given: Json) -> int:
        return len(cast("Any", given)["Items"]) if self.batched else 1

    def journal(self) -> dict[str, Any]:
        """Return the run as plain JSON."""
        names = [name for name in self.__slots__ if name != "executions"]
        found: dict[str, Any] = {name: getattr(self, name) for name in names}
        found["item_counts"] = dict(self.item_counts)
        found["execution_counts"] = dict(self.execution_counts)
        found["executions"] = {str(at): each.journal() for at, each in self.executions.items()}
        return found

    @classmethod
    def restore(cls, journal: Mapping[str, Any], executions: dict[int, Execution]) -> MapRun:
        """Return the run that `journal` described, with its child executions."""
        fields = {name: value for name, value in journal.items() if name != "executions"}
        return cls(**fields, executions=executions)
