"""Start: from arrivals to at most one execution per content.

Nothing is kept between two messages. A run's name is the digest of its content, and Step Functions itself
refuses a name twice; so a message may be delivered, retried or repeated as often as it likes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from retraining import datasets, names
from retraining.arrivals import Upload
from retraining.datasets import DATASETS_PREFIX, HOLDOUT_PREFIX, DatasetVersion
from retraining.executions import from_datetime
from retraining.ports import StateMachine, Storage
from retraining.settings import Settings

STARTED = "started"
DUPLICATE = "duplicate"
WAITING = "waiting"
EMPTY = "empty"

_MOST_ATTEMPTS = 100
_FAILED = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an arrival: one of this module's words, the run that it led to if any, and why."""

    result: str
    run_id: str
    reason: str


def deciding(uploads: Iterable[tuple[str, Upload]]) -> list[tuple[str, Upload]]:
    """Keep, of the uploads of one delivery, those that can decide something.

    For each dataset these are the newest marker and the newest other file: whatever an older one could start,
    the newest one starts too, and sees more.

    Parameters
    ----------
    uploads : iterable of (str, Upload)
        With the ids of their messages.
    """
    newest: dict[tuple[str, bool], tuple[str, Upload]] = {}
    for message_id, upload in uploads:
        group = (upload.dataset, upload.is_marker)
        if group not in newest or upload.uploaded_at > newest[group][1].uploaded_at:
            newest[group] = (message_id, upload)
    return list(newest.values())


def start(upload: Upload, settings: Settings, storage: Storage, machine: StateMachine) -> Answer:
    """Start a run if an upload completes its batch and its content was not run before.

    A dataset that cannot be trained is started as well, if it is only for want of a holdout or of a proper
    name: Prepare refuses it at once, and so the refusal is recorded and told like every other outcome,
    exactly once.
    """
    prefix = f"{DATASETS_PREFIX}{upload.dataset}/"
    listing = list(storage.list_objects(settings.data_bucket, prefix))
    if not upload.is_marker and not datasets.closes_batch(upload.uploaded_at, listing):
        return Answer(WAITING, "", "something newer lies in the dataset and decides later")
    dataset_version = datasets.version(listing, prefix)
    if dataset_version.file_count == 0 and not upload.is_marker:
        return Answer(EMPTY, "", "the dataset's files have been deleted since")
    key = _retrain_key(upload.dataset, dataset_version, settings, storage)
    stem = upload.dataset if names.is_name(upload.dataset, names.DATASET_NAME_LIMIT) else "refused"
    request = {
        "dataset": {"name": upload.dataset, "s3_uri": f"s3://{settings.data_bucket}/{prefix}"},
        "trigger": {"kind": "s3", "id": upload.event_id, "time": from_datetime(upload.uploaded_at)},
    }
    return _start_once(
        lambda attempt: names.execution_name(stem, key, attempt), request, upload.uploaded_at, machine
    )


def _retrain_key(dataset: str, dataset_version: DatasetVersion, settings: Settings, storage: Storage) -> str:
    holdout_prefix = f"{HOLDOUT_PREFIX}{dataset}/"
    holdout = datasets.version(storage.list_objects(settings.data_bucket, holdout_prefix), holdout_prefix)
    defaults = settings.training
    source = f"{defaults.source_s3_uri}#{defaults.entry_point}" if defaults.source_s3_uri else ""
    return datasets.retrain_key(
        dataset,
        dataset_version.digest,
        holdout.digest,
        defaults.image_uri,
        source,
        defaults.hyperparameters.items(),
    )


def _start_once(
    name: Callable[[int], str], request: dict[str, Any], asked_at: datetime, machine: StateMachine
) -> Answer:
    """Start the first attempt, or the next one if people uploaded the same again after a failure."""
    for attempt in range(1, _MOST_ATTEMPTS + 1):
        run_id = name(attempt)
        if machine.start(run_id, request):
            return Answer(STARTED, run_id, "the batch is complete")
        known = machine.describe(run_id)
        if known is None or known.status not in _FAILED:
            return Answer(DUPLICATE, run_id, f"the same content is run {run_id} already")
        if not known.stopped_at or datetime.fromisoformat(known.stopped_at) >= asked_at:
            return Answer(DUPLICATE, run_id, f"run {run_id} failed on the same content after this upload")
    return Answer(DUPLICATE, run_id, f"the same content has failed {_MOST_ATTEMPTS} times")
