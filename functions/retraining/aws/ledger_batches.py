"""The ledger's part for batches of uploads: changes of datasets that no run has seen yet."""

from collections.abc import Mapping, Sequence
from typing import Any

from retraining.aws.table import Table
from retraining.ports import Batch

_SK = "BATCH"


class BatchRecords:
    """The records of batches; a part of `retraining.aws.ledger.DynamoLedger`."""

    _table: Table

    def get_batch(self, dataset: str) -> Batch | None:
        """Return what is known of a dataset's changes."""
        known = self._table.get(_pk(dataset), _SK)
        return None if known is None else _batch(dataset, known)

    def note_changes(
        self, dataset: str, count: int, noted_at: str, event_time: str, keys: Sequence[str] = ()
    ) -> Batch:
        """Count changes and strike keys off the missing ones; return the batch with them."""
        expression = "ADD #changes :count SET #changed_at = :now"
        values: dict[str, Any] = {"count": count, "now": noted_at}
        if keys:
            expression += " DELETE #missing :keys"
            values["keys"] = frozenset(keys)
        noted = self._table.update(_pk(dataset), _SK, expression, **values) or {}
        if event_time > noted.get("event_time", ""):
            later = "attribute_not_exists(#event_time) OR #event_time < :time"
            noted = (
                self._table.update(_pk(dataset), _SK, "SET #event_time = :time", later, time=event_time)
                or noted
            )
        return _batch(dataset, noted)

    def begin_check(self, dataset: str) -> Batch | None:
        """Note that the message which looks for the quiet period has come, and return the batch."""
        known = self._table.update(_pk(dataset), _SK, "REMOVE #check_due_at", "attribute_exists(pk)")
        return None if known is None else _batch(dataset, known)

    def expect_check(self, dataset: str, due_at: str) -> None:
        """Note that such a message is on its way."""
        self._table.update(_pk(dataset), _SK, "SET #check_due_at = :due", due=due_at)

    def keep_manifest(
        self, dataset: str, manifest: Mapping[str, Any], missing: Sequence[str], changes: int | None
    ) -> bool:
        """Keep what a batch waits for; False if not just so many changes were noted (None: never mind)."""
        expression = "SET #manifest = :manifest REMOVE #missing"
        values: dict[str, Any] = {"manifest": dict(manifest)}
        if missing:
            expression = "SET #manifest = :manifest, #missing = :missing"
            values["missing"] = frozenset(missing)
        same = ""
        if changes is not None:
            same = "attribute_not_exists(#changes) OR #changes = :changes"
            values["changes"] = changes
        return self._table.update(_pk(dataset), _SK, expression, same, **values) is not None

    def forget_manifest(self, dataset: str, event_id: str | None = None) -> None:
        """Wait for nothing any more; with an id, only if it is this event's manifest that is waited for."""
        forget = "REMOVE #manifest, #missing"
        if event_id is None:
            self._table.update(_pk(dataset), _SK, forget)
        else:
            self._table.update(_pk(dataset), _SK, forget, "#manifest.#event_id = :event", event=event_id)

    def close_batch(self, dataset: str, seen: int) -> None:
        """Close a batch with so many changes; those noted since make the next one."""
        earlier = "attribute_not_exists(#seen) OR #seen < :seen"
        self._table.update(_pk(dataset), _SK, "SET #seen = :seen", earlier, seen=seen)


def _pk(dataset: str) -> str:
    return f"BATCH#{dataset}"


def _batch(dataset: str, known: Mapping[str, Any]) -> Batch:
    return Batch(
        dataset=dataset,
        changes=int(known.get("changes", 0)),
        seen=int(known.get("seen", 0)),
        changed_at=str(known.get("changed_at", "")),
        event_time=str(known.get("event_time", "")),
        check_due_at=str(known.get("check_due_at", "")),
        manifest=known.get("manifest"),
        missing=known.get("missing") or frozenset(),
    )
