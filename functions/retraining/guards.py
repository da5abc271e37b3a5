"""How many runs of a dataset there may be: at a time, and in a day.

A run takes a slot and a place of the day under its name, so that asking again takes no second one. Slots are
not given back: who finds them all taken looks which of their runs have ended.
"""

from dataclasses import dataclass

from retraining.ports import Ports
from retraining.settings import GuardSettings


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a run may not start; ``passes`` tells whether waiting for other runs helps."""

    reason: str
    passes: bool


def enter(dataset: str, run_id: str, limits: GuardSettings, ports: Ports) -> Obstacle | None:
    """Let a run pass, or say what is in its way."""
    holders = _take_slot(dataset, run_id, limits.max_concurrent_runs, ports)
    if holders:
        runs = "1 run" if len(holders) == 1 else f"{len(holders)} runs"
        names = ", ".join(sorted(holders)[:3])
        return Obstacle(
            f"MaxConcurrentRuns allows {limits.max_concurrent_runs} of this dataset at a time, and {runs} "
            f"({names}) {'is' if len(holders) == 1 else 'are'} under way; this one waits.",
            passes=True,
        )
    day = ports.clock().strftime("%Y-%m-%d")
    if not ports.ledger.take_day(dataset, day, run_id, limits.max_runs_per_day):
        ports.ledger.free_slots(dataset, [run_id])
        return Obstacle(
            f"MaxRunsPerDay allows {limits.max_runs_per_day} runs of this dataset in a day, and {day} (UTC) "
            "has had them: ask again tomorrow, or raise the stack's parameter.",
            passes=False,
        )
    return None


def _take_slot(dataset: str, run_id: str, limit: int, ports: Ports) -> frozenset[str]:
    """Take a slot, clearing away those of runs that have ended; return who holds them if none is left."""
    holders = ports.ledger.take_slot(dataset, run_id, limit)
    if holders is None:
        return frozenset()
    ended = [holder for holder in sorted(holders) if not _is_under_way(holder, ports)]
    if not ended:
        return holders
    ports.ledger.free_slots(dataset, ended)
    return ports.ledger.take_slot(dataset, run_id, limit) or frozenset()


def _is_under_way(run_id: str, ports: Ports) -> bool:
    execution = ports.machine.describe(run_id)
    return execution is not None and execution.status in {"RUNNING", "PENDING_REDRIVE"}
