"""The ledger's part for runs: their records, and which of them have something left."""

from collections.abc import Iterator
from typing import Any

from retraining.aws.table import Table

_SUMMARY = (
    "run_id",
    "dataset",
    "dataset_version",
    "outcome",
    "finished_at",
    "rollback",
    "repeats",
    "model_package_arn",
    "pinned_by",
    "removing_at",
)


class RunRecords:
    """The records of runs; a part of `retraining.aws.ledger.DynamoLedger`."""

    _table: Table

    def get_run(self, run_id: str) -> dict[str, Any] | None:
        """Return the record of a run."""
        return self._table.get(_pk(run_id), "RUN")

    def put_run(self, record: dict[str, Any]) -> None:
        """Write the record of a run."""
        self._table.put(_pk(record["run_id"]), "RUN", record)

    def pin_run(self, run_id: str, by: str) -> bool:
        """Keep what a run has left, because a rollback goes back to it; False if its removal has begun."""
        left = "attribute_exists(pk) AND attribute_not_exists(#removing_at)"
        return self._table.update(_pk(run_id), "RUN", "SET #pinned_by = :by", left, by=by) is not None

    def list_runs(self, dataset: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield the runs that have not been cleaned up, of one dataset or of all, without their details."""
        condition, values = "attribute_not_exists(#removed_at)", {}
        if dataset is not None:
            condition, values = f"{condition} AND #dataset = :dataset", {"dataset": dataset}
        return self._table.query_kind("run", _SUMMARY, condition, **values)

    def begin_removal(self, run_id: str, at: str, pinned_by: str | None) -> bool:
        """Note that what a run has left goes; False if a rollback goes back to it."""
        free = "attribute_not_exists(#pinned_by)"
        values = {}
        if pinned_by is not None:
            free, values = f"{free} OR #pinned_by = :pinned_by", {"pinned_by": pinned_by}
        condition = f"attribute_exists(pk) AND ({free})"
        return (
            self._table.update(_pk(run_id), "RUN", "SET #removing_at = :at", condition, at=at, **values)
            is not None
        )

    def end_removal(self, run_id: str, at: str) -> None:
        """Note that nothing of a run is left but its record, evaluation and card."""
        self._table.update(_pk(run_id), "RUN", "SET #removed_at = :at", "attribute_exists(pk)", at=at)


def _pk(run_id: str) -> str:
    return f"RUN#{run_id}"
