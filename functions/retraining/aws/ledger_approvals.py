"""The ledger's part for approvals: what is asked about a model package, and how the run's record tells of it.

A task token is kept only as long as something waits under it, and in no index.
"""

from collections.abc import Mapping
from typing import Any

from retraining.aws.table import Table

_RUNNING = "RUNNING"


class ApprovalRecords:
    """The records of approvals; a part of `retraining.aws.ledger.DynamoLedger`."""

    _table: Table

    def keep_approval(self, question: Mapping[str, Any], seen_at: str) -> dict[str, Any] | None:
        """Keep what is asked, and return all that is known; None if a later look has kept it already."""
        values = {**question, "seen_at": seen_at, "decision": None}
        return self._table.update(
            f"APPROVAL#{question['model_package_arn']}",
            "APPROVAL",
            "SET " + ", ".join(f"#{name} = :{name}" for name in values),
            "attribute_not_exists(#seen_at) OR #seen_at <= :seen_at",
            **values,
        )

    def get_approval(self, package_arn: str) -> dict[str, Any] | None:
        """Return what was asked about a package, None if nothing ever was."""
        return self._table.get(f"APPROVAL#{package_arn}", "APPROVAL")

    def approval_told(self, package_arn: str, asked_at: str) -> None:
        """Note that people were told of what was asked at a time."""
        self._table.update(
            f"APPROVAL#{package_arn}", "APPROVAL", "SET #told_for = :asked_at", asked_at=asked_at
        )

    def decide_approval(self, package_arn: str, token: str, decision: Mapping[str, Any]) -> None:
        """Keep a decision, and forget the token that it was the answer to."""
        self._table.update(
            f"APPROVAL#{package_arn}",
            "APPROVAL",
            "SET #decision = :decision, #task_token = :nothing",
            "#task_token = :token",
            decision=dict(decision),
            nothing="",
            token=token,
        )

    def note_approval(self, run_id: str, package_arn: str, approval: Mapping[str, Any], reason: str) -> None:
        """Note in the record of a run under way how its approval stands."""
        self._table.update(
            f"RUN#{run_id}",
            "RUN",
            "SET #approval = :approval, #reason = :reason, #model_package_arn = :package_arn",
            "#outcome = :running",
            approval=dict(approval),
            reason=reason,
            package_arn=package_arn,
            running=_RUNNING,
        )
