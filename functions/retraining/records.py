"""The ledger's records: shapes, and how a run's record comes to be from the state of its execution."""

from collections.abc import Mapping
from typing import Any

from retraining import costs, endings
from retraining.endings import DEPLOYED, FAILED, OUTCOMES, REJECTED, ROLLED_BACK, SKIPPED
from retraining.executions import Execution
from retraining.names import DATASET_NAME_LIMIT, endpoint_name, is_name
from retraining.ports import EndpointState

__all__ = ["DEPLOYED", "FAILED", "OUTCOMES", "REJECTED", "ROLLED_BACK", "RUNNING", "SKIPPED"]

RUNNING = "RUNNING"

_NO_TRIGGER = {"kind": "manual", "id": "", "time": ""}

_FINAL_FIELDS = (
    "finished_at",
    "reason",
    "training_job_name",
    "model_name",
    "endpoint_config_name",
    "model_package_arn",
    "decision",
    "previous_endpoint_config_name",
    "error",
    "repeats",
    "approval",
    "deployment",
    "verification",
    "rollback",
    "warnings",
    "cost_estimate",
    "serving",
)
"""What a run's record gains when it ends."""


def running(run: Mapping[str, Any], endpoint: str, training_job: str | None) -> dict[str, Any]:
    """Return the record of a run that was just prepared.

    Parameters
    ----------
    run : mapping
        The part of the same name of Prepare's output.
    endpoint : str
        The endpoint that the run is about.
    training_job : str or None
        Stem of the training job's name; the record names the first attempt, seldom followed by another. None
        for a rollback, which trains nothing.
    """
    return {
        **{key: value for key, value in run.items() if key != "id"},
        # The ledger's word for it; whether the run trains or goes back, its ``rollback`` says.
        "kind": "run",
        "run_id": run["id"],
        "outcome": RUNNING,
        "endpoint_name": endpoint,
        **dict.fromkeys(_FINAL_FIELDS),
        "training_job_name": f"{training_job}-r0t0" if training_job else None,
        "rollback": run.get("rollback"),
    }


def finished(
    state: Mapping[str, Any], execution: Execution, outcome: str, finished_at: str, *, stack_name: str
) -> dict[str, Any]:
    """Return the record of a run that has ended, from whatever its state holds.

    A run may fail before Prepare, with nothing but the request at hand, or anywhere later; what never came to
    be is None.

    Parameters
    ----------
    state : mapping
        The state machine's data when the run ended.
    execution : Execution
        The execution; its name is the run id.
    outcome : str
        The end of the path that was taken: `DEPLOYED`, `REJECTED`, `SKIPPED` or `FAILED`. A failed update
        that left the previous config in service becomes `ROLLED_BACK`.
    finished_at : str
        ISO 8601.
    stack_name : str
        Names the endpoint when Prepare did not get to it.
    """
    run, names = _part(state, "run"), _part(state, "names")
    decision, job = _part(state, "decision"), _part(state, "job")
    dataset = run.get("dataset") or requested_dataset(state)
    record = {
        **dict.fromkeys(("dataset_version", "holdout_version", "file_count", "image_uri", "hyperparameters")),
        "trigger": _requested_trigger(state),
        **{key: value for key, value in run.items() if key != "id"},
        **dict.fromkeys(_FINAL_FIELDS),
        "kind": "run",
        "run_id": execution.name,
        "execution_arn": execution.arn,
        "started_at": execution.started_at,
        "finished_at": finished_at,
        "dataset": dataset,
        "endpoint_name": names.get("endpoint") or _endpoint_name(stack_name, dataset),
        "training_job_name": job.get("name"),
        "decision": {
            key: decision[key] for key in ("verdict", "summary", "checks", "metrics") if key in decision
        }
        or None,
        "previous_endpoint_config_name": _part(state, "claim").get("previous_endpoint_config_name")
        or _part(decision, "deployment").get("previous_endpoint_config_name"),
        "model_package_arn": _part(state, "package").get("arn"),
        "repeats": _part(state, "skip").get("repeats") or None,
        "approval": dict(_part(state, "approval")) or None,
        "deployment": _deployment(state),
        "verification": dict(_part(state, "verification")) or None,
        "rollback": dict(_part(run, "rollback")) or None,
        "warnings": [warning] if (warning := _part(state, "claim").get("warning")) else [],
        "cost_estimate": costs.of_run(run, job, _part(state, "error")),
    }
    if "model" in state or record["rollback"]:
        record["model_name"] = names.get("model")
    if "endpoint_config" in state or record["rollback"]:
        record["endpoint_config_name"] = names.get("endpoint_config")
    ending = endings.of_state(state, outcome)
    record["outcome"], record["reason"], record["error"] = ending.outcome, ending.reason, ending.error
    if not job:
        record["training_job_name"] = ending.training_job or None
    return record


def serving(endpoint: EndpointState | None, known: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what serves now, for the record and the notification.

    Parameters
    ----------
    endpoint : EndpointState or None
        The endpoint, None if there is none.
    known : mapping or None
        The champion's record, which lends run and accuracy if it is the one that serves.
    """
    if endpoint is None:
        return None
    matches = known is not None and known.get("endpoint_config_name") == endpoint.endpoint_config_name
    return {
        "endpoint_name": endpoint.name,
        "endpoint_config_name": endpoint.endpoint_config_name,
        "status": endpoint.status,
        "run_id": known.get("run_id") if known and matches else None,
        "accuracy": known.get("accuracy") if known and matches else None,
        "metric": known.get("metric", "accuracy") if known and matches else None,
        "value": known.get("value", known.get("accuracy")) if known and matches else None,
    }


def requested_dataset(state: object) -> str | None:
    """Return the dataset's name from a request that may be anything at all."""
    part = state.get("dataset") if isinstance(state, Mapping) else None
    name = part.get("name") if isinstance(part, Mapping) else None
    return name[:64] if isinstance(name, str) and name else None


def _requested_trigger(state: Mapping[str, Any]) -> dict[str, str]:
    """Return who asked, from a request that Prepare may have refused."""
    asked = _part(state, "trigger")
    return {name: str(asked.get(name) or default)[:256] for name, default in _NO_TRIGGER.items()}


def _endpoint_name(stack_name: str, dataset: str | None) -> str | None:
    """Return the endpoint that a request was about; None if its dataset cannot have one."""
    return endpoint_name(stack_name, dataset) if dataset and is_name(dataset, DATASET_NAME_LIMIT) else None


def _deployment(state: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return how the model went live, or was to; None if the run did not get so far."""
    rollout, claim = _part(state, "rollout"), _part(state, "claim")
    if claim.get("action") in {None, "none"}:
        return None
    guarded = bool(claim.get("guarded"))
    return {
        "action": claim["action"],
        "strategy": (rollout.get("strategy") if guarded else "all_at_once")
        if claim["action"] == "update"
        else None,
        "guarded_by_alarms": guarded,
    }


def _part(state: object, name: str) -> Mapping[str, Any]:
    """Return a nested object, empty if there is none."""
    part = state.get(name) if isinstance(state, Mapping) else None
    return part if isinstance(part, Mapping) else {}
