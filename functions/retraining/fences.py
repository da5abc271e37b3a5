"""Who may deploy to an endpoint: one run at a time, no older dataset version, nothing from before a rollback.

The ledger keeps one claim for each endpoint: the highest order of a dataset version that was to go live
there, the run that claimed last, and the last rollback. It is changed by conditional writes only.
"""

from collections.abc import Mapping
from typing import Any

from retraining import records, rollouts
from retraining.errors import EndpointBusyError
from retraining.executions import Execution
from retraining.ports import Ledger, StateMachine

_UNDER_WAY = frozenset({"RUNNING", "PENDING_REDRIVE"})
_MOST_TRIES = 5


def obstacle(run: Mapping[str, Any], run_id: str, started_at: str, claim: Mapping[str, Any] | None) -> str:
    """Return why a run's model may not go live any more; empty if nothing is ahead of it.

    Parameters
    ----------
    run : mapping
        The part of this name of the state machine's data.
    started_at : str
        When the run began, in the ledger's form.
    claim : mapping or None
        The endpoint's claim.
    """
    if claim is None or run.get("kind") == rollouts.ROLLBACK:
        return ""
    order = _order(run)
    if claim["order"] > order:
        return (
            f"The run {claim['run_id']} is of a newer version of the dataset (number {claim['order']}; this "
            f"one is of number {order}) and went live before, or was about to: this run's model is not "
            "deployed."
        )
    rolled_back_at = str(claim.get("rolled_back_at") or "")
    if rolled_back_at >= started_at and claim.get("rolled_back_by") != run_id:
        return (
            f"The run {claim['rolled_back_by']} was to go back to an earlier model at {rolled_back_at}, "
            "after this run had begun: this run's model is not deployed. Start a run again to have its model "
            "compared with the one that serves now."
        )
    return ""


def enter(
    endpoint_name: str,
    run: Mapping[str, Any],
    execution: Execution,
    now: str,
    ledger: Ledger,
    machine: StateMachine,
) -> str:
    """Claim an endpoint for a run.

    Parameters
    ----------
    run : mapping
        The part of this name of the state machine's data.
    now : str
        In the ledger's form.

    Returns
    -------
    str
        Why the run may not deploy any more; empty if the endpoint is its own until it has ended.

    Raises
    ------
    EndpointBusyError
        The run that claimed it last has not ended; ask again.
    """
    for _ in range(_MOST_TRIES):
        known = ledger.get_claim(endpoint_name)
        reason = obstacle(run, execution.name, execution.started_at, known)
        if reason:
            return reason
        _refuse_second(endpoint_name, execution.name, known, ledger, machine)
        if ledger.claim_endpoint(endpoint_name, _claim(run, execution.name, now, known), known):
            return ""
    raise EndpointBusyError(f"Several runs claim the endpoint {endpoint_name} at this moment.")


def _refuse_second(
    endpoint_name: str, run_id: str, known: Mapping[str, Any] | None, ledger: Ledger, machine: StateMachine
) -> None:
    """Wait for the run that deploys now: SageMaker would refuse a second update, or do it over the first."""
    holder = str(known["run_id"]) if known else run_id
    if holder == run_id:
        return
    record = ledger.get_run(holder)
    if record is None or record.get("outcome") != records.RUNNING:
        return
    execution = machine.describe(holder)
    if execution is not None and execution.status in _UNDER_WAY:
        raise EndpointBusyError(
            f"The run {holder} deploys to the endpoint {endpoint_name}, and has not ended in all the time "
            "that it was given. Start the run again."
        )


def _claim(run: Mapping[str, Any], run_id: str, now: str, known: Mapping[str, Any] | None) -> dict[str, Any]:
    known = known or {}
    claim = {
        "order": max(int(known.get("order", 0)), _order(run)),
        "run_id": run_id,
        "claimed_at": now,
        "rolled_back_at": known.get("rolled_back_at"),
        "rolled_back_by": known.get("rolled_back_by"),
        "turn": int(known.get("turn", 0)) + 1,
    }
    if run.get("kind") == rollouts.ROLLBACK:
        claim |= {"rolled_back_at": now, "rolled_back_by": run_id}
    return claim


def _order(run: Mapping[str, Any]) -> int:
    return int(run.get("dataset_order") or 0)
