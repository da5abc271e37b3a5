"""What every page shows: the runs, newest first, and the endpoints with their champions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from retrain.aws import Stack
from retrain.errors import AwsCallError
from retrain.operations import approval, executions, ledger
from retrain.operations.executions import Execution
from retrain.operations.times import as_datetime

_MOST_RUNS: Final = 50
WAITING: Final = "AWAITING_APPROVAL"
"""In place of an outcome, of a run that stands still until somebody decides."""

_NO_SUCH = frozenset({"ValidationException", "ValidationError"})


class Overview:
    """Looks at the ledger, the executions and the endpoints of a stack.

    Parameters
    ----------
    stack
        Which stack.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def look(self) -> Iterator[tuple[str, Any]]:
        """Yield `runs`, then `endpoints`."""
        records = ledger.runs(self._stack, limit=_MOST_RUNS)
        runs = merged(records, executions.newest(self._stack, limit=_MOST_RUNS))
        yield "runs", runs[:_MOST_RUNS]
        yield "endpoints", [found for name in _datasets(runs) if (found := self._endpoint(name))]

    def pause(self) -> float:
        """Return the seconds until the next look; AWS throttles, the local cloud does not."""
        return 0.4 if self._stack.is_near else 5.0

    def _endpoint(self, dataset: str) -> dict[str, Any] | None:
        """Return a dataset's endpoint with its champion, if there is either."""
        name = self._stack.endpoint_name(dataset)
        champion = ledger.champion(self._stack, name)
        status = self._status(name)
        if champion is None and status is None:
            return None
        champion = champion or {}
        metric = str(champion.get("metric") or "accuracy")
        return {
            "dataset": dataset,
            "name": name,
            "status": status,
            "run_id": champion.get("run_id"),
            "metric": metric,
            "value": champion.get("value", champion.get(metric)),
            "deployed_at": champion.get("deployed_at"),
            "endpoint_config": champion.get("endpoint_config_name"),
            "predecessor": (champion.get("previous") or {}).get("run_id"),
        }

    def _status(self, name: str) -> str | None:
        try:
            with self._stack.explained_errors(f"looking at the endpoint {name}"):
                answer = self._stack.client("sagemaker").describe_endpoint(EndpointName=name)
        except AwsCallError as error:
            if error.code in _NO_SUCH:
                return None
            raise
        return str(answer["EndpointStatus"])


def merged(records: Iterable[ledger.Record], found: Iterable[Execution]) -> list[dict[str, Any]]:
    """Return the runs that the ledger or Step Functions knows, newest first.

    The ledger does not know a run before Prepare has ended, and takes one that was stopped for running still.
    """
    runs = {str(record["run_id"]): summary(record) for record in records}
    for execution in found:
        run = runs.get(execution.run_id)
        if run is None:
            runs[execution.run_id] = of_execution(execution)
        else:
            runs[execution.run_id] = ended_early(run, execution)
    return sorted(runs.values(), key=lambda run: str(run["started_at"]), reverse=True)


def summary(record: ledger.Record) -> dict[str, Any]:
    """Return what a list shows of a run that the ledger knows."""
    metrics = (record.get("decision") or {}).get("metrics") or {}
    metric = str(metrics.get("metric") or "accuracy")
    return {
        "run_id": str(record["run_id"]),
        "dataset": record.get("dataset"),
        "outcome": WAITING if approval.is_waiting(record) else record.get("outcome"),
        "reason": record.get("reason"),
        "trigger": (record.get("trigger") or {}).get("kind"),
        "started_at": moment(record.get("started_at")),
        "finished_at": moment(record.get("finished_at")),
        "metric": metric,
        "value": (metrics.get("challenger") or {}).get(metric),
    }


def ended_early(run: dict[str, Any], execution: Execution | None) -> dict[str, Any]:
    """Return a run's summary, with the execution's end if it came before the run could write down its own."""
    if execution is None or execution.status in {executions.RUNNING, "SUCCEEDED"}:
        return run
    if run["outcome"] not in {None, executions.RUNNING, WAITING}:
        return run
    return {**run, **{key: of_execution(execution)[key] for key in ("outcome", "reason", "finished_at")}}


def of_execution(execution: Execution) -> dict[str, Any]:
    """Return the same of a run that has no record."""
    return {
        "run_id": execution.run_id,
        "dataset": None,
        "outcome": execution.status,
        "reason": ": ".join(part for part in (execution.error, execution.cause) if part) or None,
        "trigger": None,
        "started_at": moment(execution.started_at),
        "finished_at": moment(execution.finished_at),
        "metric": None,
        "value": None,
    }


def moment(value: Any) -> str | None:
    """Return a time as JavaScript reads it, in UTC, so that texts sort as times do."""
    if not value:
        return None
    return as_datetime(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _datasets(runs: Iterable[dict[str, Any]]) -> list[str]:
    return sorted({str(run["dataset"]) for run in runs if run["dataset"]})
