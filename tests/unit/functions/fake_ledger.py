"""The ledger in memory: every conditional write is one that DynamoDB would do or refuse alike."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from retraining.ports import Batch


class FakeLedger:
    """Records by id."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.champions: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self.programs: dict[str, dict[str, Any]] = {}
        self.triggers: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, tuple[str, str, int]] = {}
        self.days: dict[tuple[str, str], set[str]] = {}
        self.slots: dict[str, set[str]] = {}
        self.claims: dict[str, dict[str, Any]] = {}
        self.batches: dict[str, Batch] = {}

    def get_run(self, run_id: str) -> dict[str, Any] | None:
        return self.runs.get(run_id)

    def put_run(self, record: dict[str, Any]) -> None:
        self.runs[record["run_id"]] = record

    def get_champion(self, endpoint_name: str) -> dict[str, Any] | None:
        return self.champions.get(endpoint_name)

    def put_champion(self, record: dict[str, Any]) -> bool:
        known = self.champions.get(record["endpoint_name"], {})
        if known.get("deployed_at", "") > record.get("deployed_at", ""):
            return False
        self.champions[record["endpoint_name"]] = record
        return True

    def get_policy(self, dataset: str) -> dict[str, Any] | None:
        return self.policies.get(dataset)

    def get_program(self, dataset: str) -> dict[str, Any] | None:
        return self.programs.get(dataset)

    def get_trigger(self, trigger_id: str) -> dict[str, Any] | None:
        return self.triggers.get(trigger_id)

    def put_trigger(self, record: dict[str, Any]) -> None:
        self.triggers[record["trigger_id"]] = dict(record)

    def announce(self, record: dict[str, Any]) -> None:
        self.triggers.setdefault(record["trigger_id"], dict(record))

    def withdraw(self, trigger_id: str) -> None:
        if self.triggers.get(trigger_id, {}).get("result") == "waiting":
            del self.triggers[trigger_id]

    def intend(self, record: dict[str, Any]) -> dict[str, Any]:
        known = self.triggers.get(record["trigger_id"])
        if known is None or known["result"] == "waiting":
            self.put_trigger(record)
        return self.triggers[record["trigger_id"]]

    def get_key(self, key: str) -> dict[str, Any] | None:
        return self.keys.get(key)

    def claim_key(self, key: str, run_id: str, attempt: int, previous: str | None) -> bool:
        known = self.keys.get(key)
        if known is not None and known["run_id"] not in {run_id, previous}:
            return False
        if known is None and previous is not None:
            return False
        self.keys[key] = {"run_id": run_id, "attempt": attempt}
        return True

    def observe_version(self, dataset: str, digest: str, seen_at: str) -> int:
        known, known_at, order = self.versions.get(dataset, ("", "", 0))
        if known == digest:
            return order
        if seen_at < known_at:
            return order - 1
        self.versions[dataset] = (digest, seen_at, order + 1)
        return order + 1

    def take_day(self, dataset: str, day: str, run_id: str, limit: int) -> bool:
        return self._take(self.days.setdefault((dataset, day), set()), run_id, limit)

    def take_slot(self, dataset: str, run_id: str, limit: int) -> frozenset[str] | None:
        slots = self.slots.setdefault(dataset, set())
        return None if self._take(slots, run_id, limit) else frozenset(slots)

    def free_slots(self, dataset: str, run_ids: Sequence[str]) -> None:
        self.slots[dataset] -= set(run_ids)

    def get_claim(self, endpoint_name: str) -> dict[str, Any] | None:
        return self.claims.get(endpoint_name)

    def claim_endpoint(
        self, endpoint_name: str, claim: dict[str, Any], known: Mapping[str, Any] | None
    ) -> bool:
        if self.claims.get(endpoint_name) != known:
            return False
        self.claims[endpoint_name] = dict(claim)
        return True

    def list_runs(self, dataset: str | None = None) -> Iterator[dict[str, Any]]:
        for record in list(self.runs.values()):
            if not record.get("removed_at") and dataset in {None, record.get("dataset")}:
                yield dict(record)

    def begin_removal(self, run_id: str, at: str, pinned_by: str | None) -> bool:
        record = self.runs.get(run_id)
        if record is None or record.get("pinned_by", pinned_by) != pinned_by:
            return False
        self.runs[run_id] = {**record, "removing_at": at}
        return True

    def end_removal(self, run_id: str, at: str) -> None:
        self.runs[run_id] = {**self.runs[run_id], "removed_at": at}

    def pin_run(self, run_id: str, by: str) -> bool:
        record = self.runs.get(run_id)
        if record is None or record.get("removing_at"):
            return False
        self.runs[run_id] = {**record, "pinned_by": by}
        return True

    def get_batch(self, dataset: str) -> Batch | None:
        return self.batches.get(dataset)

    def note_changes(
        self, dataset: str, count: int, noted_at: str, event_time: str, keys: Sequence[str] = ()
    ) -> Batch:
        known = self.batches.get(dataset) or Batch(dataset, 0, 0, "", "")
        self.batches[dataset] = replace(
            known,
            changes=known.changes + count,
            changed_at=noted_at,
            event_time=max(known.event_time, event_time),
            missing=known.missing - set(keys),
        )
        return self.batches[dataset]

    def begin_check(self, dataset: str) -> Batch | None:
        if dataset in self.batches:
            self.batches[dataset] = replace(self.batches[dataset], check_due_at="")
        return self.batches.get(dataset)

    def expect_check(self, dataset: str, due_at: str) -> None:
        self.batches[dataset] = replace(self._known(dataset), check_due_at=due_at)

    def keep_manifest(
        self, dataset: str, manifest: Mapping[str, Any], missing: Sequence[str], changes: int | None
    ) -> bool:
        known = self._known(dataset)
        if changes is not None and known.changes != changes:
            return False
        self.batches[dataset] = replace(known, manifest=dict(manifest), missing=frozenset(missing))
        return True

    def forget_manifest(self, dataset: str, event_id: str | None = None) -> None:
        known = self._known(dataset)
        if event_id is None or (known.manifest and known.manifest["event_id"] == event_id):
            self.batches[dataset] = replace(known, manifest=None, missing=frozenset())

    def close_batch(self, dataset: str, seen: int) -> None:
        known = self._known(dataset)
        self.batches[dataset] = replace(known, seen=max(known.seen, seen))

    def _known(self, dataset: str) -> Batch:
        return self.batches.get(dataset) or Batch(dataset, 0, 0, "", "")

    @staticmethod
    def _take(taken: set[str], run_id: str, limit: int) -> bool:
        if run_id not in taken and len(taken) >= limit:
            return False
        taken.add(run_id)
        return True
