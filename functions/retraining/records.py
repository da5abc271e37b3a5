"""The ledger's records: shapes, and how a run's record comes to be from the state of its execution."""

from collections.abc import Mapping
from typing import Any

from retraining import costs, failures
from retraining.executions import Execution
from retraining.names import DATASET_NAME_LIMIT, endpoint_name, is_name
from retraining.ports import EndpointState

RUNNING = "RUNNING"
DEPLOYED = "DEPLOYED"
REJECTED = "REJECTED"
FAILED = "FAILED"
ROLLED_BACK = "ROLLED_BACK"
SKIPPED = "SKIPPED"

OUTCOMES = (DEPLOYED, REJECTED, SKIPPED, FAILED, ROLLED_BACK)

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
    "cost_estimate",
    "serving",
)
"""What a run's record gains when it ends."""


def running(run: Mapping[str, Any], endpoint: str, training_job: str) -> dict[str, Any]:
    """Return the record of a run that was just prepared.

    Parameters
    ----------
    run : mapping
        The part of the same name of Prepare's output.
    endpoint : str
        The endpoint that the run is about.
    training_job : str
        Stem of the training job's name; the record names the first attempt, seldom followed by another.
    """
    return {
        "kind": "run",
        "run_id": run["id"],
        "outcome": RUNNING,
        "endpoint_name": endpoint,
        **{key: value for key, value in run.items() if key != "id"},
        **dict.fromkeys(_FINAL_FIELDS),
        "training_job_name": f"{training_job}-r0t0",
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
        "previous_endpoint_config_name": _part(decision, "deployment").get("previous_endpoint_config_name"),
        "model_package_arn": _part(state, "package").get("arn"),
        "repeats": _part(state, "skip").get("repeats") or None,
        "cost_estimate": costs.of_run(run, job, _part(state, "error")),
    }
    if "model" in state:
        record["model_name"] = names.get("model")
    if "endpoint_config" in state:
        record["endpoint_config_name"] = names.get("endpoint_config")
    record["outcome"], record["reason"], record["error"] = _ending(state, outcome)
    if not job and "error" in state:
        record["training_job_name"] = failures.explain(_part(state, "error")).training_job or None
    return record


def champion(
    record: Mapping[str, Any], state: Mapping[str, Any], predecessor: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the champion's record after a deployment.

    Parameters
    ----------
    record : mapping
        The finished record of the run that was deployed.
    state : mapping
        The state machine's data.
    predecessor : mapping or None
        The champion's record until now. Writing the same champion twice keeps the first predecessor.
    """
    previous: Any = dict(predecessor) if predecessor else None
    if previous and previous.get("run_id") == record["run_id"]:
        previous = previous.get("previous")
    if previous:
        previous = {
            key: value for key, value in previous.items() if key not in {"previous", "kind", "endpoint_name"}
        }
    decision = _part(state, "decision")
    metrics = _part(_part(decision, "metrics"), "challenger")
    return {
        "kind": "champion",
        "endpoint_name": record["endpoint_name"],
        "run_id": record["run_id"],
        "endpoint_config_name": record["endpoint_config_name"],
        "model_name": record["model_name"],
        "model_data_url": _part(state, "job").get("model_data_url"),
        "accuracy": metrics.get("accuracy"),
        **judged(decision),
        "metrics": dict(metrics) or None,
        "holdout_version": record["holdout_version"],
        "dataset_order": record.get("dataset_order"),
        "started_at": record["started_at"],
        "deployed_at": record["finished_at"],
        "previous": previous,
    }


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


def judged(decision: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``metric`` that a challenger was judged by and its ``value``; None if it has none."""
    metrics = _part(decision, "metrics")
    metric = str(metrics.get("metric", "accuracy"))
    return {"metric": metric, "value": _part(metrics, "challenger").get(metric)}


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


def _ending(state: Mapping[str, Any], outcome: str) -> tuple[str, str, dict[str, str] | None]:
    """Return outcome, reason and error of a run."""
    if outcome == SKIPPED:
        claim = _part(state, "claim")
        return outcome, str(claim.get("reason") or _part(state, "skip").get("reason", "")), None
    if outcome in {DEPLOYED, REJECTED}:
        return outcome, str(_part(state, "decision").get("summary", "")), None
    if "error" in state:
        failure = failures.explain(_part(state, "error"))
        return outcome, failure.reason, {"name": failure.name, "cause": failure.cause}
    return _deployment_ending(state)


def _deployment_ending(state: Mapping[str, Any]) -> tuple[str, str, dict[str, str] | None]:
    """Tell the ends of a deployment apart that looking at the endpoint has shown."""
    endpoint, wanted = _part(state, "endpoint"), _part(state, "names").get("endpoint_config")
    status, config = endpoint.get("EndpointStatus"), endpoint.get("EndpointConfigName")
    detail = str(endpoint.get("FailureReason") or "").strip() or "SageMaker gave no reason."
    if status == "InService" and config != wanted:
        reason = f"The update was rolled back and the endpoint serves {config} again: {detail}"
        return ROLLED_BACK, reason, {"name": "EndpointRolledBack", "cause": detail}
    if status in {"Creating", "Updating", "SystemUpdating", "RollingBack"}:
        reason = f"The endpoint is still {status} after all the time that it was given."
        return FAILED, reason, {"name": "EndpointNotSettled", "cause": reason}
    if status is None and "deleting" in state:
        reason = (
            "The endpoint that was to be replaced is still being deleted, after all the time it was given."
        )
        return FAILED, reason, {"name": "EndpointNotDeleted", "cause": reason}
    if status is None:
        return FAILED, "The run failed without saying why.", {"name": "Unknown", "cause": ""}
    return FAILED, f"The endpoint did not start: {detail}", {"name": "EndpointFailed", "cause": detail}


def _part(state: object, name: str) -> Mapping[str, Any]:
    """Return a nested object, empty if there is none."""
    part = state.get(name) if isinstance(state, Mapping) else None
    return part if isinstance(part, Mapping) else {}
