"""What CodePipeline is answered, and what a run's end means for the pipeline that waits for it.

CodePipeline takes output variables with a success only; so a failure says the same figures in its message.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retraining import champions, records
from retraining.pipelines.parameters import SUCCEED
from retraining.pipelines.tokens import Token

MESSAGE_LIMIT = 5_000
SUMMARY_LIMIT = 2_048

# What CodePipeline knows as reasons of a failure, as far as they occur here.
JOB_FAILED = "JobFailed"
CONFIGURATION_ERROR = "ConfigurationError"
PERMISSION_ERROR = "PermissionError"
REVISION_UNAVAILABLE = "RevisionUnavailable"
SYSTEM_UNAVAILABLE = "SystemUnavailable"

NONE = "none"
"""The value of an output variable that a run does not have: later actions may refer to every one of them."""


@dataclass(frozen=True, slots=True)
class CarryOn:
    """The run has not ended: call again."""

    token: Token
    summary: str


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The action is done."""

    run_id: str
    summary: str
    variables: dict[str, str]


@dataclass(frozen=True, slots=True)
class Failed:
    """The action has failed; ``kind`` is one of the failure types above."""

    kind: str
    message: str
    run_id: str = ""


Reply = CarryOn | Succeeded | Failed

_NOT_WANTED = frozenset({records.REJECTED, records.SKIPPED})
"""A worse challenger, and one that came too late: a champion of newer data was there before it."""


def ended(record: Mapping[str, Any], token: Token, on_rejected: str) -> Reply:
    """Return what a run's end means for the pipeline.

    A run that was already there counts as one of the job's own: what was rejected once is rejected still, and
    a pipeline that is released again must not turn green by it.

    Parameters
    ----------
    record : mapping
        The run's record, after its end.
    token : Token
        What is known of the job.
    on_rejected : str
        The policy.
    """
    outcome, run_id = str(record.get("outcome")), str(record.get("run_id"))
    reason = str(record.get("reason") or "No reason was recorded.")
    told = f"Run {run_id}: {outcome}. {reason}"
    if token.repeated:
        told = f"{told} ({token.repeated})"
    found = variables(record)
    if outcome == records.DEPLOYED or (outcome in _NOT_WANTED and on_rejected == SUCCEED):
        return Succeeded(run_id, told[:SUMMARY_LIMIT], found)
    figures = ", ".join(f"{name}={value}" for name, value in found.items())
    room = MESSAGE_LIMIT - len(figures) - 3
    return Failed(JOB_FAILED, f"{told[:room]} [{figures}]", run_id)


def variables(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the output variables of a run."""
    decision = record.get("decision") or {}
    challenger = (decision.get("metrics") or {}).get("challenger") or {}
    judged = champions.judged(decision)
    values = {
        "RunId": record.get("run_id"),
        "Outcome": record.get("outcome"),
        "Verdict": decision.get("verdict"),
        "Endpoint": record.get("endpoint_name"),
        "Accuracy": challenger.get("accuracy"),
        "Metric": judged["metric"] if judged["value"] is not None else None,
        "Value": judged["value"],
        "Image": record.get("image_uri"),
    }
    return {name: NONE if value is None or value == "" else str(value) for name, value in values.items()}
