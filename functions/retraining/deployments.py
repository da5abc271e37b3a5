"""What the endpoint serves, and how a challenger goes live on it."""

from collections.abc import Mapping
from typing import Any

from retraining import fences, rollouts
from retraining.errors import ChampionChangedError, EndpointBusyError, EndpointUnusableError
from retraining.executions import Execution
from retraining.ports import Alarms, Endpoints, EndpointState, Ledger, StateMachine

_ACTIONS = {
    "InService": "update",
    "Failed": "recreate",
    "OutOfService": "recreate",
    "Deleting": "await_deletion",
}
"""What to do about an endpoint, by its status."""

_BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})
_SERVES_NOTHING = frozenset({"Failed", "Deleting", "Creating"})


def find_champion(
    endpoint_name: str, endpoints: Endpoints, ledger: Ledger, serving_mode: str = ""
) -> dict[str, Any] | None:
    """Find the model that serves now.

    The endpoint is believed before the ledger: a run that was interrupted while it deployed may have left the
    two apart, and the challenger has to beat what really serves.

    Parameters
    ----------
    serving_mode : str, optional
        How the challenger is to be served: ``realtime`` or ``serverless``.

    Returns
    -------
    dict or None
        Its run (empty if the ledger does not know it), endpoint config, model, artifact, and the figures of
        its own evaluation with the version of the holdout that they are about. None if nothing serves.

    Raises
    ------
    EndpointUnusableError
        The endpoint could not be deployed to afterwards: by its status, or because it serves in another mode.
    """
    endpoint = endpoints.describe(endpoint_name)
    if endpoint is None:
        return None
    if endpoint.status not in _BUSY:
        _action(endpoint)
    if endpoint.status in _SERVES_NOTHING or not endpoint.endpoint_config_name:
        return None
    model = endpoints.served_model(endpoint.endpoint_config_name)
    if model is None:
        return None
    if serving_mode and _ACTIONS.get(endpoint.status, "update") == "update":
        _require_mode(endpoint_name, model.serving_mode, serving_mode)
    known = ledger.get_champion(endpoint_name) or {}
    if known.get("endpoint_config_name") != endpoint.endpoint_config_name:
        known = {}
    return {
        "run_id": known.get("run_id", ""),
        "endpoint_config_name": endpoint.endpoint_config_name,
        "model_name": model.model_name,
        "model_data_url": model.model_data_url,
        "metrics": known.get("metrics"),
        "holdout_version": known.get("holdout_version"),
    }


def _require_mode(endpoint_name: str, now: str, wanted: str) -> None:
    """Refuse to turn one mode into the other, before a training job is paid for."""
    if now == wanted:
        return
    why = {
        rollouts.SERVERLESS: "SageMaker refuses to update a real-time endpoint to a serverless one.",
        rollouts.REALTIME: (
            "SageMaker would update it, but never back: should the new model fail, the champion could not be "
            "restored."
        ),
    }[wanted]
    raise EndpointUnusableError(
        f"The endpoint {endpoint_name} is {now}, and the stack's parameter ServingMode is {wanted}. {why} "
        f"Set ServingMode to {now}, or delete the endpoint if it may be gone until the next run has trained; "
        "then start the run again."
    )


def claim(
    state: Mapping[str, Any],
    execution: Execution,
    now: str,
    ledger: Ledger,
    machine: StateMachine,
    endpoints: Endpoints,
    alarms: Alarms,
) -> dict[str, Any]:
    """Claim an endpoint for a run, right before it deploys, and look at the endpoint for the last time.

    Between the comparison and this moment there may lie days, in which somebody was asked for approval.

    Parameters
    ----------
    state : mapping
        The state machine's data after CreateEndpointConfig; of a rollback, after Prepare.
    now : str
        In the ledger's form.

    Returns
    -------
    dict
        ``granted``, and ``reason`` if not; ``action`` and ``previous_endpoint_config_name`` as `decide` gives
        them; ``guarded``, whether alarms can roll the update back, and ``warning`` if they cannot.

    Raises
    ------
    ChampionChangedError, EndpointBusyError, EndpointUnusableError
        As `decide` raises them; EndpointBusyError also while the run that claimed last has not ended.
    """
    name = state["names"]["endpoint"]
    reason = fences.enter(name, state["run"], execution, now, ledger, machine)
    if reason:
        return _refused(reason)
    try:
        decided = decide(endpoints.describe(name), state["champion"], promoted=True)
    except ChampionChangedError as error:
        if state["run"].get("kind") != rollouts.ROLLBACK:
            raise
        # To start it again would go back once more.
        raise ChampionChangedError(
            f"The endpoint {name} has changed since this rollback was prepared: another run has deployed, or "
            "somebody else gone back. Look at what serves now; if that is to go as well, ask again."
        ) from error
    guarded, warning = _guard(state["rollout"], name, decided["action"], alarms)
    return {"granted": True, "reason": "", **decided, "guarded": guarded, "warning": warning}


def _refused(reason: str) -> dict[str, Any]:
    return {
        "granted": False,
        "reason": reason,
        "action": "none",
        "previous_endpoint_config_name": None,
        "guarded": False,
        "warning": "",
    }


def _guard(rollout: Mapping[str, Any], endpoint: str, action: str, alarms: Alarms) -> tuple[bool, str]:
    """Say whether an update can be watched by its alarms, and why not if that is worth a warning."""
    if action != "update" or not rollout["guardable"]:
        return False, ""
    ringing = alarms.ringing(rollouts.alarm_names(endpoint))
    if not ringing:
        return True, ""
    return False, (
        f"The alarm {' and the alarm '.join(ringing)} rang already before the update, about the champion: it "
        "could not tell whether the new model is better, so the update went all at once and unwatched."
    )


def is_superseded(endpoint: EndpointState | None, order: int, ledger: Ledger) -> bool:
    """Whether an endpoint serves a model of a newer dataset version than this one."""
    known = ledger.get_champion(endpoint.name) if endpoint else None
    if (
        endpoint is None
        or known is None
        or known.get("endpoint_config_name") != endpoint.endpoint_config_name
    ):
        return False
    return int(known.get("dataset_order") or 0) > order


def decide(
    endpoint: EndpointState | None,
    judged: Mapping[str, Any] | None,
    *,
    promoted: bool,
    superseded: bool = False,
) -> dict[str, Any]:
    """Decide how a challenger goes live, from the endpoint as it is at this moment.

    Parameters
    ----------
    endpoint : EndpointState or None
        The endpoint, None if there is none.
    judged : mapping or None
        The champion that the challenger was compared with.
    promoted : bool
        Whether the challenger is to go live at all.
    superseded : bool
        The champion is of a newer dataset version: the run will be skipped when it claims the endpoint.

    Returns
    -------
    dict
        ``action``: ``none``, ``create``, ``update``, ``recreate`` (delete first), ``await_deletion`` or
        ``superseded``;
        ``previous_endpoint_config_name``: what serves until then.

    Raises
    ------
    ChampionChangedError
        Another model has gone live since the comparison.
    EndpointBusyError
        Another model may be about to; ask again.
    EndpointUnusableError
        A person has to see to the endpoint.
    """
    if endpoint is None:
        return {"action": "create" if promoted else "none", "previous_endpoint_config_name": None}
    if not promoted or superseded:
        action = "superseded" if promoted else "none"
        return {"action": action, "previous_endpoint_config_name": endpoint.endpoint_config_name}
    action = refuse_busy(endpoint)
    if action != "update":
        return {"action": action, "previous_endpoint_config_name": None}
    expected = judged["endpoint_config_name"] if judged else None
    if expected != endpoint.endpoint_config_name:
        raise ChampionChangedError(
            f"The endpoint {endpoint.name} now serves {endpoint.endpoint_config_name}, but the challenger "
            f"was compared with {expected or 'no champion'}: another run deployed in between. "
            "Start the run again."
        )
    return {"action": action, "previous_endpoint_config_name": endpoint.endpoint_config_name}


def refuse_busy(endpoint: EndpointState) -> str:
    """Return what a deployment would do to an endpoint: ``update``, ``recreate`` or ``await_deletion``.

    Raises
    ------
    EndpointBusyError
        Another deployment is under way; ask again.
    EndpointUnusableError
        A person has to see to the endpoint.
    """
    if endpoint.status in _BUSY:
        raise EndpointBusyError(
            f"The endpoint {endpoint.name} is {endpoint.status}: another deployment has not ended in "
            "all the time that it was given. Start the run again."
        )
    return _action(endpoint)


def _action(endpoint: EndpointState) -> str:
    action = _ACTIONS.get(endpoint.status)
    if action is None:
        raise EndpointUnusableError(
            f"The endpoint {endpoint.name} is {endpoint.status}, which Retrain does not mend by itself: "
            "bring it back into service or delete it, and start the run again."
        )
    return action
