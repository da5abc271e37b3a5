"""Batches of uploads: changes are noted as they come, and a batch is closed once, by one of three.

``_SUCCESS`` closes it at once; so does ``manifest.json`` as soon as every file that it names is there; else
the quiet period does, when so long nothing has changed. For the latter one message per dataset is on its way
through the delay queue. It looks when it comes, and if something has changed meanwhile it is sent again for
the time that is left; nothing is asked in between.

Each step may be repeated, and a crash between two leads to a message too many at most: a change counts as
seen only after the decision about it was written down, and what was written down is not decided again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from retraining import delayed, manifests, starting, triggers
from retraining.arrived import Upload
from retraining.datasets import DATASETS_PREFIX
from retraining.errors import ManifestError, ObjectMissingError
from retraining.executions import from_datetime
from retraining.ports import Batch, Ports
from retraining.settings import Settings
from retraining.starting import Answer, Asked

MOST_KEYS = 100
"""Missing files that the ledger knows by name; once they have come, the next ones are looked for."""

_SHOWN = 3
_MOST_LOOKS = 5
_SOON = 5
_LATE = timedelta(minutes=5)
"""A message that is so late is believed lost, and another one sent."""


def note(dataset: str, uploads: Sequence[Upload], settings: Settings, ports: Ports) -> None:
    """Note changes of a dataset, and see to it that somebody looks when it has become quiet.

    Parameters
    ----------
    uploads : sequence of Upload
        Of this dataset, without markers.
    """
    now = from_datetime(ports.clock())
    keys = [upload.key for upload in uploads if not upload.is_deletion]
    event_time = from_datetime(max(upload.time for upload in uploads))
    batch = ports.ledger.note_changes(dataset, len(uploads), now, event_time, keys)
    if batch.changes - len(uploads) == batch.seen and batch.manifest is None:
        ports.ledger.announce(triggers.record(_asked(batch, settings), ports.clock()) | {"reason": _ARRIVING})
    if batch.manifest and not batch.missing and not batch.manifest.get("problem"):
        _look_for_files(batch, dict(batch.manifest), settings, ports)
        return
    quiet, patience = settings.arrival.quiet_seconds, settings.arrival.manifest_seconds
    _expect_check(batch, min(patience, delayed.LONGEST) if batch.manifest else quiet, ports)


def close_by_marker(upload: Upload, settings: Settings, ports: Ports) -> Answer | None:
    """Close a batch because of a marker, or wait for the files that it names.

    Returns
    -------
    Answer or None
        None if there is nothing to decide: the marker was decided about before, or is gone.
    """
    known = ports.ledger.get_trigger(triggers.trigger_id("s3", upload.event_id))
    if known is not None and triggers.is_final(known):
        return None
    batch = _batch(upload.dataset, ports)
    asked = _asked(batch, settings, upload.event_id, from_datetime(upload.time), upload.relative)
    if known is not None and known["result"] == triggers.STARTING:
        return _close(batch, asked, settings, ports, int(known["covered"]))
    if upload.is_deletion:
        if upload.relative != manifests.MANIFEST or not batch.manifest:
            return None
        if _is_there(settings.data_bucket, upload.dataset, ports):
            # Events come in any order, and of old versions too: this one is about an earlier manifest.
            return _look_for_files(batch, dict(batch.manifest), settings, ports)
        _drop_manifest(batch, "The manifest was deleted.", ports)
        _expect_check(batch, settings.arrival.quiet_seconds, ports)
        return None
    if upload.relative == manifests.MANIFEST:
        if batch.manifest and batch.manifest["event_id"] != upload.event_id:
            _drop_manifest(batch, "Another manifest has taken its place.", ports)
        manifest = {"event_id": upload.event_id, "time": from_datetime(upload.time)}
        return _look_for_files(batch, manifest, settings, ports)
    if batch.manifest:
        _drop_manifest(batch, "_SUCCESS has closed the batch.", ports)
    return _close(batch, asked, settings, ports)


def check(dataset: str, settings: Settings, ports: Ports) -> Answer | None:
    """Look whether a dataset's quiet period is over, and close its batch if it is.

    Returns
    -------
    Answer or None
        None if nothing is open.
    """
    batch = ports.ledger.begin_check(dataset)
    if batch is None or not (batch.is_open or batch.manifest):
        return None
    if batch.manifest:
        if _go_on(batch, settings, ports):
            batch = _batch(dataset, ports)
        if batch.manifest is None or batch.manifest.get("reported"):
            return None
        return _look_for_files(batch, dict(batch.manifest), settings, ports)
    left = _left(batch.changed_at, settings.arrival.quiet_seconds, ports.clock())
    if left > 0:
        _send_check(dataset, left, ports)
        return Answer(starting.WAITING, "", _ARRIVING)
    asked = _asked(batch, settings)
    known = ports.ledger.get_trigger(triggers.trigger_id(asked.kind, asked.id))
    seen = batch.changes
    if known is not None and known["result"] != triggers.WAITING:
        seen = int(known["covered"])  # what was decided, before a crash, was about these
    answer = _close(batch, asked, settings, ports, seen)
    if batch.changes > seen:
        _send_check(dataset, settings.arrival.quiet_seconds, ports)
    return answer


_ARRIVING = "Files are arriving; the batch closes by _SUCCESS, by manifest.json, or after the quiet period."


def _close(batch: Batch, asked: Asked, settings: Settings, ports: Ports, seen: int | None = None) -> Answer:
    """Ask for a run of what lies there now, and count the batch's changes as seen."""
    if asked.id != _identity(batch) and not _go_on(batch, settings, ports):
        ports.ledger.withdraw(triggers.trigger_id(asked.kind, _identity(batch)))
    answer = starting.ask(asked, settings, ports)
    if batch.is_open:
        ports.ledger.close_batch(batch.dataset, batch.changes if seen is None else seen)
    return answer


def _go_on(batch: Batch, settings: Settings, ports: Ports) -> bool:
    """Finish what the quiet period's message began and broke off from; whether it had begun anything.

    The message comes again, but finds the batch in another's hands, of a marker or a manifest.
    """
    known = ports.ledger.get_trigger(triggers.trigger_id("s3", _identity(batch)))
    if known is None or known["result"] != triggers.STARTING:
        return False
    starting.ask(_asked(batch, settings), settings, ports)
    ports.ledger.close_batch(batch.dataset, int(known["covered"]))
    return True


def _identity(batch: Batch) -> str:
    """Return the id under which a batch is closed by the quiet period; the same for as long as it is open."""
    return f"{batch.dataset}/{batch.seen}"


def _asked(
    batch: Batch,
    settings: Settings,
    identity: str = "",
    time: str = "",
    closed_by: str = starting.QUIET_PERIOD,
) -> Asked:
    """Return the wish of a batch, under an id of its own or that of a marker's event."""
    prefix = f"{DATASETS_PREFIX}{batch.dataset}/"
    dataset = {"name": batch.dataset, "s3_uri": f"s3://{settings.data_bucket}/{prefix}"}
    return Asked(
        payload={"dataset": dataset},
        kind="s3",
        id=identity or _identity(batch),
        time=time or batch.event_time,
        received_from="aws.s3: a batch of uploads",
        about={
            "closed_by": closed_by,
            "events": batch.changes - batch.seen,
            "covered": batch.changes,
        },
    )


def _look_for_files(
    batch: Batch, manifest: dict[str, Any], settings: Settings, ports: Ports
) -> Answer | None:
    """Close a batch whose manifest is fulfilled; else keep what is missing, and report it when it is time."""
    prefix = f"{DATASETS_PREFIX}{batch.dataset}/"
    for looks_left in reversed(range(_MOST_LOOKS)):
        try:
            named = _named(settings.data_bucket, prefix, ports)
        except ManifestError as error:
            return _refuse_manifest(batch, manifest, str(error), settings, ports)
        if named is None:
            ports.ledger.forget_manifest(batch.dataset, manifest["event_id"])
            _expect_check(batch, settings.arrival.quiet_seconds, ports)
            return None
        count = len(named)
        missing = manifests.missing(named, ports.storage.list_objects(settings.data_bucket, prefix))
        asked = _by_manifest(batch, manifest, settings)
        if not missing:
            answer = _close(batch, asked, settings, ports)
            ports.ledger.forget_manifest(batch.dataset, manifest["event_id"])
            return answer
        manifest.setdefault("since", from_datetime(ports.clock()))
        # What has come since the listing may be among the missing: then look again, at last by a message.
        sample = missing[:: -(-len(missing) // MOST_KEYS)]
        changes = batch.changes if looks_left else None
        if ports.ledger.keep_manifest(batch.dataset, manifest, sample, changes):
            break
        batch = _batch(batch.dataset, ports)
    what = _missing_files(count, missing, prefix)
    if not looks_left:
        _send_check(batch.dataset, _SOON, ports)
        return Answer(starting.WAITING, "", what)
    return _await(batch, manifest, asked, what, sample, settings, ports)


def _await(
    batch: Batch,
    manifest: dict[str, Any],
    asked: Asked,
    what: str,
    sample: list[str],
    settings: Settings,
    ports: Ports,
) -> Answer:
    """Wait for a manifest's files, or report, once, that they have not come."""
    now, patience = ports.clock(), settings.arrival.manifest_seconds
    left = _left(max(batch.changed_at, manifest["since"]), patience, now)
    if manifest.get("reported"):
        return Answer(starting.WAITING, "", what)
    if left > 0:
        ports.ledger.announce(triggers.record(asked, now) | {"reason": what})
        _expect_check(batch, min(left, delayed.LONGEST), ports)
        return Answer(starting.WAITING, "", what)
    reason = (
        f"{what} Nothing has come for {patience} seconds. A run starts as soon as they are there: "
        "upload them, or a manifest without them."
    )
    answer = starting.refuse(asked, reason, ports)
    ports.ledger.keep_manifest(batch.dataset, manifest | {"reported": True}, sample, None)
    return answer


def _refuse_manifest(
    batch: Batch, manifest: dict[str, Any], problem: str, settings: Settings, ports: Ports
) -> Answer:
    """Report a manifest that cannot be read; the batch stays open for a better one."""
    answer = starting.refuse(_by_manifest(batch, manifest, settings), problem, ports)
    manifest |= {"problem": problem, "reported": True}
    ports.ledger.keep_manifest(batch.dataset, manifest, [], None)
    return answer


def _drop_manifest(batch: Batch, reason: str, ports: Ports) -> None:
    """Wait for a manifest's files no more, and say so where it was said that it waits."""
    event_id = str((batch.manifest or {})["event_id"])
    known = ports.ledger.get_trigger(triggers.trigger_id("s3", event_id))
    if known is not None and known["result"] == triggers.WAITING:
        decided = {"result": starting.SKIPPED, "reason": f"{known['reason']} {reason}"}
        ports.ledger.intend({**known, **decided, "decided_at": from_datetime(ports.clock())})
    ports.ledger.forget_manifest(batch.dataset, event_id)


def _missing_files(named: int, missing: list[str], prefix: str) -> str:
    shown = ", ".join(key.removeprefix(prefix)[:100] for key in missing[:_SHOWN])
    more = f" and {len(missing) - _SHOWN:,} more" if len(missing) > _SHOWN else ""
    files, are = "file" if named == 1 else "files", "is" if len(missing) == 1 else "are"
    return f"manifest.json names {named:,} {files}, and {len(missing):,} {are} missing: {shown}{more}."


def _by_manifest(batch: Batch, manifest: dict[str, Any], settings: Settings) -> Asked:
    """Return the wish of a manifest; a report was a decision about it, after which it is another one."""
    again = "/completed" if manifest.get("reported") and not manifest.get("problem") else ""
    return _asked(batch, settings, f"{manifest['event_id']}{again}", manifest["time"], manifests.MANIFEST)


def _named(bucket: str, prefix: str, ports: Ports) -> dict[str, manifests.NamedFile] | None:
    try:
        with ports.storage.open(bucket, f"{prefix}{manifests.MANIFEST}") as stream:
            return manifests.parse(stream.read(manifests.MOST_BYTES + 1), bucket, prefix)
    except ObjectMissingError:
        return None


def _is_there(bucket: str, dataset: str, ports: Ports) -> bool:
    try:
        with ports.storage.open(bucket, f"{DATASETS_PREFIX}{dataset}/{manifests.MANIFEST}"):
            return True
    except ObjectMissingError:
        return False


def _batch(dataset: str, ports: Ports) -> Batch:
    return ports.ledger.get_batch(dataset) or Batch(dataset, 0, 0, "", "")


def _expect_check(batch: Batch, seconds: int, ports: Ports) -> None:
    """Send the message that looks again, unless one is on its way."""
    if batch.check_due_at and datetime.fromisoformat(batch.check_due_at) + _LATE > ports.clock():
        return
    _send_check(batch.dataset, seconds, ports)


def _send_check(dataset: str, seconds: int, ports: Ports) -> None:
    ports.delays.send(delayed.check(dataset), seconds)
    ports.ledger.expect_check(dataset, from_datetime(ports.clock() + timedelta(seconds=seconds)))


def _left(since: str, seconds: int, now: datetime) -> int:
    """Return the whole seconds that are left of a time."""
    over = datetime.fromisoformat(since) + timedelta(seconds=seconds) - now
    return max(0, -(-over // timedelta(seconds=1)))
