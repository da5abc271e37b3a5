"""What is counted of a run that has ended: figures for CloudWatch, each with its dimensions.

The dimensions are few and bounded, because each combination is a metric that is paid for while it is sent.
Run and dataset stand beside the figures in the log, where they cost nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

RUNS = "Runs"
RUN_SECONDS = "RunSeconds"
TRAINING_COST = "TrainingCostUsd"
GATE_CHECKS = "GateChecks"

PASSED, FAILED = "passed", "failed"

COUNT, SECONDS, NO_UNIT = "Count", "Seconds", "None"
"""CloudWatch's units."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of one metric; ``unit`` is CloudWatch's word for it."""

    name: str
    value: float
    unit: str
    dimensions: Mapping[str, str] = field(default_factory=dict)


def of_run(record: Mapping[str, Any]) -> list[Figure]:
    """Return what a finished record counts for.

    Parameters
    ----------
    record : mapping
        The run's record, as far as it is known.

    Returns
    -------
    list of Figure
        The run by its outcome; how long it took and what its training cost, where that is known; and every
        check of the gate by its result.
    """
    outcome = str(record["outcome"])
    figures = [Figure(RUNS, 1, COUNT, {"outcome": outcome})]
    seconds = _seconds(record.get("started_at"), record.get("finished_at"))
    if seconds is not None:
        figures.append(Figure(RUN_SECONDS, seconds, SECONDS))
    cost = _part(record, "cost_estimate").get("usd")
    if isinstance(cost, int | float):
        figures.append(Figure(TRAINING_COST, float(cost), NO_UNIT))
    checks = _part(record, "decision").get("checks")
    for check in checks if isinstance(checks, list) else []:
        result = PASSED if check.get("passed") else FAILED
        figures.append(Figure(GATE_CHECKS, 1, COUNT, {"check": str(check["name"]), "result": result}))
    return figures


def _seconds(start: object, end: object) -> float | None:
    if not isinstance(start, str) or not isinstance(end, str):
        return None
    return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = record.get(name)
    return part if isinstance(part, Mapping) else {}
