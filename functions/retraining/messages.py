"""What people are told: one message per outcome, its subject and body written for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from retraining import champions, passages, records
from retraining.metrics import METRICS

SUBJECT_LIMIT = 100
"""SNS takes ASCII subjects of at most 100 characters."""

UNKNOWN = "It could not be found out."
"""In place of a record's ``serving``, where nobody could look."""

_HEADLINES = {
    records.DEPLOYED: "a new model serves",
    records.REJECTED: "the challenger was rejected",
    records.SKIPPED: "the run was skipped",
    records.FAILED: "the run failed",
    records.ROLLED_BACK: "the update was rolled back",
}

_ROLLBACK_HEADLINES = {
    records.DEPLOYED: "an earlier model serves again",
    records.FAILED: "the rollback failed",
    records.ROLLED_BACK: "the rollback was itself rolled back",
}


@dataclass(frozen=True, slots=True)
class Message:
    """A notification; ``attributes`` are for the filter policies of subscribers."""

    subject: str
    body: str
    attributes: dict[str, str]


def render(record: Mapping[str, Any], *, ledger_written: bool = True, card: Sequence[str] = ()) -> Message:
    """Write the notification of a run that has ended.

    Parameters
    ----------
    record : mapping
        The run's finished record.
    ledger_written : bool
        False if the record could not be written to the ledger, which the message then says.
    card : sequence of str
        Lines that say where the run card is.
    """
    outcome, dataset = str(record["outcome"]), str(record.get("dataset") or "unknown")
    headline = _HEADLINES.get(outcome, outcome.lower())
    if rollback := _rollback(record):
        headline = _ROLLBACK_HEADLINES.get(outcome, headline)
    if passages.is_refused(record):
        headline = "the challenger was not approved"
    sections = [
        ("What was asked for", _going_back(record, rollback))
        if rollback
        else ("What arrived", _arrival(record)),
        ("What was decided, and why", _decision(record, outcome)),
        ("How it went live", passages.deployment(record) if outcome == records.DEPLOYED else ""),
        ("What serves now", _serving(record, outcome)),
        ("What to look at", passages.warnings(record)),
        ("What it cost", passages.cost(record)),
        ("Where to look", "\n".join([*card, _where(record)])),
    ]
    body = "\n\n".join(f"{title}\n{text}" for title, text in sections if text)
    if not ledger_written:
        body += "\n\nThis outcome could not be written to the ledger; see the execution's history."
    return Message(
        subject=subject(f"Retrain {dataset}: {headline}{_figure(record)}"),
        body=f"{dataset}: {headline}.\n\n{body}\n",
        attributes={"outcome": outcome, "dataset": dataset},
    )


def _arrival(record: Mapping[str, Any]) -> str:
    trigger = record.get("trigger")
    asked = _asked_for(trigger.get("kind", "manual") if isinstance(trigger, Mapping) else "manual")
    if record.get("file_count") is None:
        return f"A run was asked for {asked}; its data was not read."
    files = "1 file" if record["file_count"] == 1 else f"{record['file_count']:,} files"
    return f"{files}, dataset version {str(record['dataset_version'])[:12]}; the run was asked for {asked}."


def _asked_for(kind: str) -> str:
    return {
        "s3": "by an upload", "event": "by an event", "schedule": "by schedule", "alarm": "by an alarm",
        "codepipeline": "by CodePipeline", "manual": "by hand",
    }.get(kind, f"by {kind}")  # fmt: skip


def _decision(record: Mapping[str, Any], outcome: str) -> str:
    if outcome in {records.FAILED, records.ROLLED_BACK}:
        return f"Nothing new was deployed. {record.get('reason') or ''}".rstrip()
    if outcome == records.SKIPPED:
        return f"Nothing was deployed. {record.get('reason') or ''}".rstrip()
    if _rollback(record):
        checks = _checks(record)
        found = f" What the gate found of it at the time:\n{checks}" if checks else ""
        return f"{record.get('reason') or ''}{found}"
    verdict = (
        "The challenger was promoted." if outcome == records.DEPLOYED else "The challenger was rejected."
    )
    if passages.is_refused(record):
        verdict = f"The gate promoted the challenger, but it does not go live: {record.get('reason')}"
    return f"{verdict}\n{_checks(record)}".rstrip()


def _checks(record: Mapping[str, Any]) -> str:
    decision = record.get("decision")
    checks = decision.get("checks", []) if isinstance(decision, Mapping) else []
    return "\n".join(
        f"  [{'passed' if check['passed'] else 'failed'}] {check['sentence']}" for check in checks
    )


def _rollback(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a rollback went back to and from; empty if the run trained."""
    found = record.get("rollback")
    return found if isinstance(found, Mapping) else {}


def _going_back(record: Mapping[str, Any], rollback: Mapping[str, Any]) -> str:
    trigger = record.get("trigger")
    asked = _asked_for(trigger.get("kind", "manual") if isinstance(trigger, Mapping) else "manual")
    instead = rollback.get("from_run_id") or rollback.get("from_endpoint_config_name")
    return f"To go back to the model of the run {rollback['to_run_id']}, from that of {instead}; {asked}."


def _serving(record: Mapping[str, Any], outcome: str) -> str:
    serving = record.get("serving")
    if not record.get("endpoint_name"):
        return "Whatever served before; nothing was changed."
    if not isinstance(serving, Mapping):
        return serving or "No endpoint serves this dataset's model yet."
    run_id = serving.get("run_id")
    if run_id == record["run_id"]:
        model = "the model of this run"
    elif run_id:
        model = f"the model of the run {run_id}"
    else:
        model = f"the endpoint config {serving['endpoint_config_name']}"
    figure = _written(serving)
    serves = "serves" if outcome == records.DEPLOYED else "still serves"
    status = serving.get("status")
    if status != "InService":
        return f"The endpoint {serving['endpoint_name']} is {status}."
    return f"The endpoint {serving['endpoint_name']} {serves} {model}{figure}."


def _where(record: Mapping[str, Any]) -> str:
    lines = [f"  run        {record['run_id']}", f"  execution  {record['execution_arn']}"]
    if record.get("training_job_name"):
        lines.append(f"  job        {record['training_job_name']}")
    return "\n".join(lines)


def _figure(record: Mapping[str, Any]) -> str:
    decision = record.get("decision")
    if record["outcome"] not in {records.DEPLOYED, records.REJECTED} or not isinstance(decision, Mapping):
        return ""
    return _written(champions.judged(decision))


def _written(figure: Mapping[str, Any]) -> str:
    """Write the ``metric`` and its ``value`` for the end of a sentence, empty if they are not known."""
    metric = METRICS.get(str(figure.get("metric") or "accuracy"))
    value = figure.get("value", figure.get("accuracy"))
    if metric is None or not isinstance(value, int | float):
        return ""
    return f", {metric.in_sentence} {metric.written(value)}"


def subject(text: str) -> str:
    """Make a text fit for a subject: printable ASCII, of limited length."""
    printable = "".join(letter if " " <= letter <= "~" else "?" for letter in text)
    return printable if len(printable) <= SUBJECT_LIMIT else f"{printable[: SUBJECT_LIMIT - 3]}..."


_ARRIVAL_HEADLINES = {
    "refused": "nothing was started",
    "empty": "there is nothing to train on",
    "waiting": "a run waits for others",
}


def of_trigger(trigger: Mapping[str, Any]) -> Message:
    """Write the notification about something that arrived, and that no run comes of, or not yet.

    Parameters
    ----------
    trigger : mapping
        Its record.
    """
    result, dataset = str(trigger["result"]), str(trigger.get("dataset") or "unknown")
    headline, asked = _ARRIVAL_HEADLINES.get(result, result), _asked_for(trigger["trigger"]["kind"])
    sections = [
        (
            "What arrived",
            f"A run was asked for {asked} ({trigger.get('received_from') or 'unknown source'}).",
        ),
        ("What was decided, and why", str(trigger["reason"])),
        ("Where to look", f"  trigger    {trigger['trigger']['id']}\n  command    retrain triggers"),
    ]
    body = "\n\n".join(f"{title}\n{text}" for title, text in sections)
    return Message(
        subject=subject(f"Retrain {dataset}: {headline}"),
        body=f"{dataset}: {headline}.\n\n{body}\n",
        attributes={"outcome": result.upper(), "dataset": dataset},
    )
