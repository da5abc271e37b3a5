"""What the endpoint serves, and how a challenger goes live on it."""

from collections.abc import Mapping
from typing import Any

from retraining.errors import ChampionChangedError, EndpointBusyError, EndpointUnusableError
from retraining.ports import Endpoints, EndpointState, Ledger

_ACTIONS = {
    "InService": "update",
    "Failed": "recreate",
    "OutOfService": "recreate",
    "Deleting": "await_deletion",
}
"""What to do about an endpoint, by its status."""

_BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})
_SERVES_NOTHING = frozenset({"Failed", "Deleting", "Creating"})


def find_champion(endpoint_name: str, endpoints: Endpoints, ledger: Ledger) -> dict[str, Any] | None:
    """Find the model that serves now.

    The endpoint is believed before the ledger: a run that was interrupted while it deployed may have left the
    two apart, and the challenger has to beat what really serves.

    Returns
    -------
    dict or None
        Its run (empty if the ledger does not know it), endpoint config, model, artifact, and the figures of
        its own evaluation with the version of the holdout that they are about. None if nothing serves.

    Raises
    ------
    EndpointUnusableError
        The endpoint could not be deployed to afterwards.
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


def claim(state: Mapping[str, Any], run_id: str, ledger: Ledger) -> dict[str, Any]:
    """Claim an endpoint for a run, right before it deploys; a run of a newer dataset version may be ahead.

    Parameters
    ----------
    state : mapping
        The state machine's data after CreateEndpointConfig.

    Returns
    -------
    dict
        ``granted``, and ``reason`` if not.
    """
    endpoint, order = state["names"]["endpoint"], int(state["run"].get("dataset_order") or 0)
    ahead = ledger.claim_endpoint(endpoint, order, run_id)
    if ahead is None:
        return {"granted": True, "reason": ""}
    reason = (
        f"The run {ahead['run_id']} is of a newer version of the dataset (number {ahead['order']}; this one "
        f"is of number {order}) and went live before, or was about to: this run's model is not deployed."
    )
    return {"granted": False, "reason": reason}


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
    if endpoint.status in _BUSY:
        raise EndpointBusyError(
            f"The endpoint {endpoint.name} is {endpoint.status}: another deployment has not ended in "
            "all the time that it was given. Start the run again."
        )
    action = _action(endpoint)
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


def _action(endpoint: EndpointState) -> str:
    action = _ACTIONS.get(endpoint.status)
    if action is None:
        raise EndpointUnusableError(
            f"The endpoint {endpoint.name} is {endpoint.status}, which Retrain does not mend by itself: "
            "bring it back into service or delete it, and start the run again."
        )
    return action
