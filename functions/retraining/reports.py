"""Writing run cards: gather what is known of a run, draw the card, and keep it beside the run's artifacts.

A card is for people and decides nothing: what cannot be read is said on the card, and the rest is shown.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from retraining import records
from retraining.card_links import card_key
from retraining.cards import curve
from retraining.cards.facts import Facts, LogLine
from retraining.cards.page import render
from retraining.errors import AwsError, ObjectMissingError, RunUnknownError, UnknownEventError
from retraining.evaluation import evaluation_key
from retraining.executions import Execution, from_datetime
from retraining.ports import Ledger, Storage
from retraining.settings import Settings

CONTENT_TYPE = "text/html; charset=utf-8"

_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


class Histories(Protocol):
    """What Step Functions remembers of executions, for 90 days."""

    def events(self, execution_arn: str) -> list[dict[str, Any]]:
        """Return an execution's events, oldest first."""

    def definition(self, execution_arn: str) -> dict[str, Any]:
        """Return the definition of the state machine that an execution runs."""


class TrainingLogs(Protocol):
    """What training jobs have written."""

    def read(self, job_name: str, wanted: Callable[[LogLine], bool]) -> tuple[list[LogLine], bool]:
        """Return those lines of a job that are wanted, host by host, oldest first, and whether these are all.

        A log may be too long to be looked through.
        """


def asked_for(event: Mapping[str, Any], ledger: Ledger) -> dict[str, Any] | None:
    """Return the record of the run that an event asks for a card of.

    Parameters
    ----------
    event : mapping
        ``{"report": {"run_id": ...}}``.

    Returns
    -------
    dict or None
        None if the event asks for nothing.

    Raises
    ------
    UnknownEventError, RunUnknownError
        It asks for something that there is not.
    """
    question = event.get("report")
    if question is None:
        return None
    run_id = question.get("run_id") if isinstance(question, Mapping) else None
    if not isinstance(run_id, str) or not _RUN_ID.fullmatch(run_id):
        raise UnknownEventError(
            'The part report of the event must be {"run_id": "..."} with the id of a run.'
        )
    record = ledger.get_run(run_id)
    if record is None:
        raise RunUnknownError(f"The ledger knows no run {run_id}: 'retrain runs' lists those there are.")
    return record


def ended(
    event: Mapping[str, Any], execution: Execution, ledger: Ledger, settings: Settings
) -> dict[str, Any]:
    """Return the record of the run whose state machine asks for its card.

    The ledger has it whole. If it could not be written there, or cannot be read, the state machine's data
    have enough of it for a card.

    Parameters
    ----------
    event : mapping
        A payload with ``input``, ``outcome`` and ``finished_at``.
    """
    state = event["input"] if isinstance(event["input"], Mapping) else {}
    try:
        known = ledger.get_run(execution.name)
    except AwsError:
        known = None
    # The clean-up comes after the record, and before the card.
    later = {name: state[name] for name in ("cleanup", "cleanup_error") if name in state}
    if known is not None and known.get("outcome") != records.RUNNING:
        return {**known, **later}
    recorded = state.get("record")
    run = recorded.get("run") if isinstance(recorded, Mapping) else None
    if isinstance(run, Mapping):
        return {**run, **later}
    finished_at = str(event["finished_at"])
    return records.finished(
        state, execution, str(event["outcome"]), finished_at, stack_name=settings.stack_name
    )


def write(
    record: Mapping[str, Any],
    now: datetime,
    settings: Settings,
    storage: Storage,
    histories: Histories,
    logs: TrainingLogs,
) -> dict[str, Any]:
    """Write the card of a run, replacing the one that there may be.

    Parameters
    ----------
    record : mapping
        The run's record.
    now : datetime
        With its zone.

    Returns
    -------
    dict
        ``s3_uri`` of the card, and ``unknown``: what could not be read, in sentences.
    """
    facts = gather(record, now, settings, storage, histories, logs)
    key = card_key(str(record["run_id"]))
    storage.write(settings.artifacts_bucket, key, render(facts).encode(), CONTENT_TYPE)
    return {"s3_uri": f"s3://{settings.artifacts_bucket}/{key}", "unknown": list(facts.unknown)}


def gather(
    record: Mapping[str, Any],
    now: datetime,
    settings: Settings,
    storage: Storage,
    histories: Histories,
    logs: TrainingLogs,
) -> Facts:
    """Read whatever a card is made of, as far as it can be read; see `write`."""
    unknown: list[str] = []
    events: list[dict[str, Any]] = []
    definition: dict[str, Any] | None = None
    log: list[LogLine] = []
    arn, job = record.get("execution_arn"), record.get("training_job_name")
    if arn:
        try:
            events = histories.events(str(arn))
            definition = histories.definition(str(arn))
        except AwsError as error:
            unknown.append(f"The way through the state machine is not known: {error}")
    if job:
        try:
            log, whole = logs.read(str(job), curve.tells)
            if not whole:
                unknown.append("The training log is very long: only its first part was looked through.")
        except AwsError as error:
            unknown.append(f"The training log is not known: {error}")
    return Facts(
        record=record,
        written_at=from_datetime(now),
        evaluation=_evaluation(str(record["run_id"]), settings, storage, unknown),
        events=events,
        definition=definition,
        log=log,
        unknown=tuple(unknown),
    )


def _evaluation(
    run_id: str, settings: Settings, storage: Storage, unknown: list[str]
) -> dict[str, Any] | None:
    """Return what the gate kept; None if there is nothing, and a sentence more if it cannot be read."""
    try:
        found = json.loads(storage.read(settings.artifacts_bucket, evaluation_key(run_id)))
    except ObjectMissingError:
        return None
    except (AwsError, ValueError) as error:
        unknown.append(f"The gate's figures by class and slice are not known: {error}")
        return None
    return found if isinstance(found, dict) else None
