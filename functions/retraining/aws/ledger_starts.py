"""The ledger's part for starting runs: triggers, retrain keys, versions, and what may be done only so often.

Every change that two may want at once is one conditional write.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from retraining.aws.table import Table
from retraining.triggers import WAITING


class StartRecords:
    """The records of what starts runs; a part of `retraining.aws.ledger.DynamoLedger`."""

    _table: Table

    def get_trigger(self, trigger_id: str) -> dict[str, Any] | None:
        """Return what was decided about a trigger."""
        return self._table.get(_trigger_pk(trigger_id), "TRIGGER")

    def put_trigger(self, record: dict[str, Any]) -> None:
        """Write what was decided about a trigger."""
        self._table.put(_trigger_pk(record["trigger_id"]), "TRIGGER", record)

    def announce(self, record: dict[str, Any]) -> None:
        """Write the first record of a trigger, unless there is one."""
        self._table.put(_trigger_pk(record["trigger_id"]), "TRIGGER", record, "attribute_not_exists(pk)")

    def withdraw(self, trigger_id: str) -> None:
        """Delete a trigger's record, if it still says that the trigger waits."""
        self._table.delete(_trigger_pk(trigger_id), "TRIGGER", "#result = :waiting", waiting=WAITING)

    def intend(self, record: dict[str, Any]) -> dict[str, Any]:
        """Write what is about to be done about a trigger, unless something is already; return what stands."""
        pk = _trigger_pk(record["trigger_id"])
        free = "attribute_not_exists(pk) OR #result = :waiting"
        if self._table.put(pk, "TRIGGER", record, free, waiting=WAITING):
            return record
        return self._table.get(pk, "TRIGGER") or record

    def get_key(self, key: str) -> dict[str, Any] | None:
        """Return ``run_id`` and ``attempt`` of the last run of a retrain key."""
        return self._table.get(f"KEY#{key}", "KEY")

    def claim_key(self, key: str, run_id: str, attempt: int, previous: str | None) -> bool:
        """Make a run the last one of a key, if that still is the previous one (None: if there is none)."""
        record = {"run_id": run_id, "attempt": attempt}
        if previous is None:
            condition = "attribute_not_exists(pk) OR #run_id = :own"
            return self._table.put(f"KEY#{key}", "KEY", record, condition, own=run_id)
        condition = "#run_id = :previous OR #run_id = :own"
        return self._table.put(f"KEY#{key}", "KEY", record, condition, previous=previous, own=run_id)

    def observe_version(self, dataset: str, digest: str, seen_at: str) -> int:
        """Return the order of a dataset's version as it was seen at a time."""
        pk = f"VERSION#{dataset}"
        while True:
            known = self._table.get(pk, "VERSION")
            if known is None:
                record = {"digest": digest, "seen_at": seen_at, "order": 1}
                if self._table.put(pk, "VERSION", record, "attribute_not_exists(pk)"):
                    return 1
                continue
            order = int(known["order"])
            if known["digest"] == digest:
                return order
            if seen_at < known["seen_at"]:
                return order - 1
            record = {"digest": digest, "seen_at": seen_at, "order": order + 1}
            if self._table.put(pk, "VERSION", record, "#order = :before", before=order):
                return order + 1

    def take_day(self, dataset: str, day: str, run_id: str, limit: int) -> bool:
        """Count a run of a day, once however often asked; False if the limit is reached."""
        return self._take(f"DAY#{dataset}#{day}", "DAY", run_id, limit)

    def take_slot(self, dataset: str, run_id: str, limit: int) -> frozenset[str] | None:
        """Make a run one of those under way; return None, or the runs that fill the limit."""
        pk = f"SLOTS#{dataset}"
        if self._take(pk, "SLOTS", run_id, limit):
            return None
        known = self._table.get(pk, "SLOTS") or {}
        return frozenset(known.get("runs", ()))

    def free_slots(self, dataset: str, run_ids: Sequence[str]) -> None:
        """Forget runs that are not under way (any more)."""
        self._table.update(f"SLOTS#{dataset}", "SLOTS", "DELETE #runs :ended", ended=frozenset(run_ids))

    def get_claim(self, endpoint_name: str) -> dict[str, Any] | None:
        """Return an endpoint's claim, as `retraining.fences` keeps it."""
        return self._table.get(f"ENDPOINT#{endpoint_name}", "CLAIM")

    def claim_endpoint(
        self, endpoint_name: str, claim: dict[str, Any], known: Mapping[str, Any] | None
    ) -> bool:
        """Write an endpoint's claim; False if the known one (None: none) does not stand any more."""
        pk = f"ENDPOINT#{endpoint_name}"
        if known is None:
            return self._table.put(pk, "CLAIM", claim, "attribute_not_exists(pk)")
        if "turn" not in known:
            # As earlier releases wrote it.
            return self._table.put(pk, "CLAIM", claim, "attribute_not_exists(#turn)")
        return self._table.put(pk, "CLAIM", claim, "#turn = :turn", turn=known["turn"])

    def _take(self, pk: str, sk: str, run_id: str, limit: int) -> bool:
        room = "attribute_not_exists(#runs) OR size(#runs) < :limit OR contains(#runs, :run)"
        taken = self._table.update(
            pk, sk, "ADD #runs :runs", room, runs=frozenset({run_id}), limit=limit, run=run_id
        )
        return taken is not None


def _trigger_pk(trigger_id: str) -> str:
    """Return the key of a trigger's record; DynamoDB's keys have at most 2,048 bytes."""
    if len(trigger_id.encode("utf-8", "surrogatepass")) <= 1_000:
        return f"TRIGGER#{trigger_id}"
    return f"TRIGGER#{hashlib.sha256(trigger_id.encode('utf-8', 'surrogatepass')).hexdigest()}"
