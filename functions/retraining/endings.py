"""How a run ended, and why, from whatever its state holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retraining import failures

DEPLOYED = "DEPLOYED"
REJECTED = "REJECTED"
FAILED = "FAILED"
ROLLED_BACK = "ROLLED_BACK"
SKIPPED = "SKIPPED"

OUTCOMES = (DEPLOYED, REJECTED, SKIPPED, FAILED, ROLLED_BACK)

_UNSETTLED = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})


@dataclass(frozen=True, slots=True)
class Ending:
    """The outcome of a run.

    Attributes
    ----------
    reason : str
        A sentence or more, for people.
    error : dict or None
        ``name`` and ``cause``, if something went wrong.
    training_job : str
        The job that failed; empty if the run failed by something else.
    """

    outcome: str
    reason: str
    error: dict[str, str] | None = None
    training_job: str = ""


def of_state(state: Mapping[str, Any], outcome: str) -> Ending:
    """Return how a run ended.

    Parameters
    ----------
    state : mapping
        The state machine's data when the run ended.
    outcome : str
        The end of the path that was taken: `DEPLOYED`, `REJECTED`, `SKIPPED` or `FAILED`. A failed update
        that left the previous config in service becomes `ROLLED_BACK`.
    """
    if outcome == SKIPPED:
        claim = _part(state, "claim")
        return Ending(outcome, str(claim.get("reason") or _part(state, "skip").get("reason", "")))
    if outcome == REJECTED:
        approval = _part(state, "approval")
        if approval and not approval.get("granted"):
            return Ending(outcome, str(approval.get("reason") or "Nobody approved the challenger."))
    rollback = _part(_part(state, "run"), "rollback")
    if outcome == DEPLOYED and rollback:
        instead = f" instead of that of the run {rollback['from_run_id']}" if rollback["from_run_id"] else ""
        return Ending(outcome, f"The model of the run {rollback['to_run_id']} serves again{instead}.")
    if outcome in {DEPLOYED, REJECTED}:
        return Ending(outcome, str(_part(state, "decision").get("summary", "")))
    if "restore" in state or "restore_error" in state:
        return _taken_back(state)
    disagreement = _disagreement(state)
    if disagreement:
        return _removed(disagreement)
    if "error" in state and "deployment" not in state:
        return _failed(_part(state, "error"))
    return _of_deployment(state)


def _failed(error: Mapping[str, Any]) -> Ending:
    failure = failures.explain(error)
    told = {"name": failure.name, "cause": failure.cause}
    return Ending(FAILED, failure.reason, told, failure.training_job)


def _disagreement(state: Mapping[str, Any]) -> str:
    """Return why the live endpoint could not stay as it was; empty if it was not found wanting."""
    verification = _part(state, "verification")
    if verification:
        return "" if verification.get("agrees") else str(verification.get("sentence", ""))
    if "error" in state and "deployment" in state:
        return f"The live endpoint could not be verified: {failures.explain(_part(state, 'error')).reason}"
    return ""


def _removed(disagreement: str) -> Ending:
    error = {"name": "EndpointNotVerified", "cause": disagreement}
    return Ending(FAILED, f"{disagreement} It was the first one, and was removed.", error)


def _taken_back(state: Mapping[str, Any]) -> Ending:
    """Tell how the way back to the champion went."""
    disagreement = _disagreement(state)
    endpoint, previous = _part(state, "endpoint"), _part(state, "claim").get("previous_endpoint_config_name")
    status, config = endpoint.get("EndpointStatus"), endpoint.get("EndpointConfigName")
    if status == "InService" and config == previous:
        reason = f"{disagreement} The endpoint was taken back to {config}, which serves again."
        return Ending(ROLLED_BACK, reason, {"name": "EndpointNotVerified", "cause": disagreement})
    detail = failures.explain(_part(state, "restore_error")).reason if "restore_error" in state else ""
    found = f"The endpoint is {status} with {config}." if status else ""
    reason = " ".join(
        part
        for part in (disagreement, f"Taking it back to {previous} did not succeed.", detail, found)
        if part
    )
    return Ending(FAILED, reason, {"name": "ChampionNotRestored", "cause": reason})


def _of_deployment(state: Mapping[str, Any]) -> Ending:
    """Tell the ends of a deployment apart that looking at the endpoint has shown."""
    endpoint, wanted = _part(state, "endpoint"), _part(state, "names").get("endpoint_config")
    status, config = endpoint.get("EndpointStatus"), endpoint.get("EndpointConfigName")
    detail = str(endpoint.get("FailureReason") or "").strip() or "SageMaker gave no reason."
    if "look_error" in state:
        failure = failures.explain(_part(state, "look_error"))
        reason = f"The endpoint could not be looked at any more, while it was deployed to: {failure.reason}"
        return Ending(FAILED, reason, {"name": failure.name, "cause": failure.cause})
    if status == "InService" and config != wanted:
        reason = f"The update was rolled back and the endpoint serves {config} again: {detail}"
        return Ending(ROLLED_BACK, reason, {"name": "EndpointRolledBack", "cause": detail})
    if status in _UNSETTLED:
        reason = f"The endpoint is still {status} after all the time that it was given."
        return Ending(FAILED, reason, {"name": "EndpointNotSettled", "cause": reason})
    if status is None and "deleting" in state:
        reason = (
            "The endpoint that was to be replaced is still being deleted, after all the time it was given."
        )
        return Ending(FAILED, reason, {"name": "EndpointNotDeleted", "cause": reason})
    if status is None:
        return Ending(FAILED, "The run failed without saying why.", {"name": "Unknown", "cause": ""})
    return Ending(
        FAILED, f"The endpoint did not start: {detail}", {"name": "EndpointFailed", "cause": detail}
    )


def _part(state: object, name: str) -> Mapping[str, Any]:
    """Return a nested object, empty if there is none."""
    part = state.get(name) if isinstance(state, Mapping) else None
    return part if isinstance(part, Mapping) else {}
