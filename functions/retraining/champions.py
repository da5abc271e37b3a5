"""An endpoint's champion: the model that serves, and those that served before it, newest first.

A deployment puts the model that served until then before its predecessors. A rollback takes it away again:
from A → B → C it leads to B with the predecessor A, and from there to A, before which there was nothing.
"""

from collections.abc import Mapping
from typing import Any

MOST_PREDECESSORS = 20

_OF_A_PREDECESSOR = (
    "run_id",
    "endpoint_config_name",
    "model_name",
    "model_data_url",
    "accuracy",
    "metric",
    "value",
    "holdout_version",
    "dataset_order",
    "started_at",
    "deployed_at",
)

Entry = dict[str, Any]


def succeed(
    record: Mapping[str, Any], state: Mapping[str, Any], known: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the champion's record after a deployment.

    Parameters
    ----------
    record : mapping
        The finished record of the run that was deployed: of a training run, whose model serves now, or of a
        rollback, since which an earlier run's model does.
    state : mapping
        The state machine's data.
    known : mapping or None
        The champion's record until now. Writing the same champion twice keeps its predecessors.
    """
    rollback = _part(record, "rollback")
    config = record["endpoint_config_name"]
    before = _after(config, _line(known, record, state))
    metrics = _part(_part(_part(state, "decision"), "metrics"), "challenger")
    return {
        "kind": "champion",
        "endpoint_name": record["endpoint_name"],
        "run_id": rollback.get("to_run_id") or record["run_id"],
        "endpoint_config_name": config,
        "model_name": record["model_name"],
        "model_data_url": _part(state, "job").get("model_data_url"),
        "accuracy": metrics.get("accuracy"),
        **judged(_part(state, "decision")),
        "metrics": dict(metrics) or None,
        "holdout_version": record["holdout_version"],
        "dataset_order": record.get("dataset_order"),
        "started_at": record["started_at"],
        "deployed_at": record["finished_at"],
        "deployed_by": record["run_id"],
        "previous": before[0] if before else None,
        "predecessors": before,
    }


def before(known: Mapping[str, Any] | None, endpoint_config_name: str) -> list[Entry]:
    """Return what served before the endpoint config that serves now, newest first.

    Parameters
    ----------
    known : mapping or None
        The champion's record. If it is about another config, because a deployment could not be written down
        or somebody updated the endpoint by hand, it is itself what served before.
    endpoint_config_name : str
        What the endpoint serves.
    """
    return _after(endpoint_config_name, line(known))


def line(known: Mapping[str, Any] | None) -> list[Entry]:
    """Return the champion of a record and those before it, newest first, each without its predecessors."""
    if not known:
        return []
    # Records of an earlier release name one predecessor only.
    earlier = known.get("predecessors") or [known.get("previous")]
    return [_entry(each) for each in (known, *earlier) if each]


def judged(decision: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``metric`` that a challenger was judged by and its ``value``; None if it has none."""
    metrics = _part(decision, "metrics")
    metric = str(metrics.get("metric", "accuracy"))
    return {"metric": metric, "value": _part(metrics, "challenger").get(metric)}


def _line(
    known: Mapping[str, Any] | None, record: Mapping[str, Any], state: Mapping[str, Any]
) -> list[Entry]:
    """Return what served until the deployment, and before: the endpoint is believed before the ledger."""
    found = line(known)
    configs = [entry["endpoint_config_name"] for entry in found]
    served = record.get("previous_endpoint_config_name")
    if not served or (configs and configs[0] == record["endpoint_config_name"]):
        return found
    if served in configs:
        return found[configs.index(served) :]
    champion = _part(state, "champion")
    if champion.get("endpoint_config_name") != served:
        champion = {"endpoint_config_name": served}
    return [_entry(champion), *found]


def _after(endpoint_config_name: object, entries: list[Entry]) -> list[Entry]:
    configs = [entry["endpoint_config_name"] for entry in entries]
    if endpoint_config_name in configs:
        entries = entries[configs.index(endpoint_config_name) + 1 :]
    return entries[:MOST_PREDECESSORS]


def _entry(champion: Mapping[str, Any]) -> Entry:
    return {name: champion.get(name) for name in _OF_A_PREDECESSOR}


def _part(state: object, name: str) -> Mapping[str, Any]:
    """Return a nested object, empty if there is none."""
    part = state.get(name) if isinstance(state, Mapping) else None
    return part if isinstance(part, Mapping) else {}
