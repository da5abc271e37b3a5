"""Amazon DynamoDB: what has been told of runs, in the ledger's table."""

from collections.abc import Mapping
from typing import Any

from retraining.aws.table import Table


class DynamoMarks:
    """Marks of what was told; implements `retraining.telling.Marks`.

    They lie beside the run, as ``RUN#<run id>`` and ``TOLD``.

    Parameters
    ----------
    table : str
        Name of the ledger's table.
    """

    def __init__(self, table: str) -> None:
        self._table = Table(table)

    def get(self, run_id: str) -> dict[str, Any]:
        """Return a run's marks, empty if there are none."""
        return self._table.get(f"RUN#{run_id}", "TOLD") or {}

    def put(self, run_id: str, marks: Mapping[str, Any]) -> None:
        """Write a run's marks."""
        self._table.put(f"RUN#{run_id}", "TOLD", marks)
