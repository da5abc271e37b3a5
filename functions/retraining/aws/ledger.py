"""Amazon DynamoDB: the ledger's one table."""

from typing import Any

from retraining.aws.attributes import from_attribute, to_attribute
from retraining.aws.ledger_batches import BatchRecords
from retraining.aws.ledger_starts import StartRecords
from retraining.aws.table import Table

__all__ = ["DynamoLedger", "from_attribute", "to_attribute"]


class DynamoLedger(StartRecords, BatchRecords):
    """The ledger; implements `retraining.ports.Ledger`.

    ============================  ============  ==========================================================
    pk                            sk            what
    ============================  ============  ==========================================================
    ``RUN#<run id>``              ``RUN``       a run
    ``ENDPOINT#<endpoint>``       ``CHAMPION``  the model that an endpoint serves, and its predecessor
    ``ENDPOINT#<endpoint>``       ``CLAIM``     the newest dataset version that was to be deployed there
    ``POLICY#<dataset>``          ``POLICY``    a dataset's own policy of the gate
    ``TRIGGER#<kind>#<id>``       ``TRIGGER``   what arrived, and what came of it
    ``BATCH#<dataset>``           ``BATCH``     changes of a dataset that no run has seen yet
    ``KEY#<retrain key>``         ``KEY``       the last run of a retrain key
    ``VERSION#<dataset>``         ``VERSION``   the version of a dataset that was seen last, and its order
    ``DAY#<dataset>#<date>``      ``DAY``       the runs of a day
    ``SLOTS#<dataset>``           ``SLOTS``     the runs under way
    ============================  ============  ==========================================================

    The index ``ByKind`` lists runs, champions or triggers, ordered by ``started_at``.

    Parameters
    ----------
    table : str
        Name of the table.
    """

    def __init__(self, table: str) -> None:
        self._table = Table(table)

    def get_run(self, run_id: str) -> dict[str, Any] | None:
        """Return the record of a run."""
        return self._table.get(f"RUN#{run_id}", "RUN")

    def put_run(self, record: dict[str, Any]) -> None:
        """Write the record of a run."""
        self._table.put(f"RUN#{record['run_id']}", "RUN", record)

    def get_champion(self, endpoint_name: str) -> dict[str, Any] | None:
        """Return the record of an endpoint's champion."""
        return self._table.get(f"ENDPOINT#{endpoint_name}", "CHAMPION")

    def put_champion(self, record: dict[str, Any]) -> None:
        """Write the record of an endpoint's champion."""
        self._table.put(f"ENDPOINT#{record['endpoint_name']}", "CHAMPION", record)

    def get_policy(self, dataset: str) -> dict[str, Any] | None:
        """Return a dataset's overrides of the gate's policy."""
        record = self._table.get(f"POLICY#{dataset}", "POLICY")
        return record.get("gate") if record else None
