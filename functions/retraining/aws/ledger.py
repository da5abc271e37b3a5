"""Amazon DynamoDB: the ledger's one table."""

from typing import Any

from retraining.aws.attributes import from_attribute, to_attribute
from retraining.aws.ledger_approvals import ApprovalRecords
from retraining.aws.ledger_batches import BatchRecords
from retraining.aws.ledger_runs import RunRecords
from retraining.aws.ledger_starts import StartRecords
from retraining.aws.table import Table

__all__ = ["DynamoLedger", "from_attribute", "to_attribute"]


class DynamoLedger(RunRecords, StartRecords, BatchRecords, ApprovalRecords):
    """The ledger; implements `retraining.ports.Ledger`.

    ============================  ============  ==========================================================
    pk                            sk            what
    ============================  ============  ==========================================================
    ``RUN#<run id>``              ``RUN``       a run
    ``RUN#<run id>``              ``TOLD``      what has been told of its end; see `retraining.aws.told`
    ``ENDPOINT#<endpoint>``       ``CHAMPION``  the model that an endpoint serves, and those before it
    ``ENDPOINT#<endpoint>``       ``CLAIM``     who deploys; the newest version; the last rollback
    ``POLICY#<dataset>``          ``POLICY``    a dataset's own policy of the gate
    ``PROGRAM#<dataset>``         ``PROGRAM``   what a dataset is trained with
    ``APPROVAL#<model package>``  ``APPROVAL``  what a run asks somebody, and who waits for the answer
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

    def get_champion(self, endpoint_name: str) -> dict[str, Any] | None:
        """Return the record of an endpoint's champion."""
        return self._table.get(f"ENDPOINT#{endpoint_name}", "CHAMPION")

    def put_champion(self, record: dict[str, Any]) -> bool:
        """Write the record of an endpoint's champion; False if a later deployment has written its own."""
        newest = "attribute_not_exists(#deployed_at) OR #deployed_at <= :deployed_at"
        pk, deployed_at = f"ENDPOINT#{record['endpoint_name']}", str(record.get("deployed_at") or "")
        return self._table.put(pk, "CHAMPION", record, newest, deployed_at=deployed_at)

    def get_policy(self, dataset: str) -> dict[str, Any] | None:
        """Return a dataset's overrides of the gate's policy."""
        record = self._table.get(f"POLICY#{dataset}", "POLICY")
        return record.get("gate") if record else None

    def get_program(self, dataset: str) -> dict[str, Any] | None:
        """Return what a dataset is trained with instead of the stack's defaults."""
        record = self._table.get(f"PROGRAM#{dataset}", "PROGRAM")
        return record.get("training") if record else None
