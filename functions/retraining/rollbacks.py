"""Going back to an earlier model, the same careful way in which a new one goes live.

A rollback is a run of its own: it trains and judges nothing, and takes endpoint config, model, decision and
rows to verify with from the run that it goes back to. It waits for no slot and counts for no day: whoever
goes back is in a hurry.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from retraining import champions, deployments, names, plans, preparation, records, requests, rollouts
from retraining.errors import RollbackError
from retraining.executions import Execution
from retraining.ports import Endpoints, EndpointState, Ledger, Ports, ServedModel
from retraining.requests import RetrainRequest, Rollback
from retraining.settings import Settings

_OF_THE_TARGET = (
    "dataset_s3_uri",
    "dataset_version",
    "holdout_version",
    "file_count",
    "total_bytes",
    "image_uri",
    "source",
    "hyperparameters",
    "dataset_order",
)
"""What the model of a rollback was made from: fields of its own run's record."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is gone back to: a run with its record, its endpoint config, and the model behind that."""

    run_id: str
    record: Mapping[str, Any]
    endpoint_config_name: str
    model: ServedModel


def prepare(
    payload: object, execution: Execution, settings: Settings, ports: Ports, endpoints: Endpoints
) -> dict[str, Any]:
    """Prepare a rollback and write its record.

    Parameters
    ----------
    payload : object
        The execution's input, which anyone may have written.

    Returns
    -------
    dict
        The state machine's data from here on, of the same shape as `preparation.prepare` gives them.

    Raises
    ------
    RequestError
        The request is not one.
    RollbackError
        There is nothing to go back to.
    EndpointBusyError
        Another deployment is under way; ask again.
    EndpointUnusableError
        A person has to see to the endpoint.
    """
    request = requests.parse(payload, plans.request_policy(settings), may_roll_back=True)
    made = names.run_names(settings.stack_name, request.dataset, execution.name)
    endpoint = endpoints.describe(made.endpoint)
    if endpoint is None:
        raise RollbackError(
            f"There is no endpoint {made.endpoint}, so there is nothing to go back from: the next run of "
            f"{request.dataset} that is promoted creates it."
        )
    deployments.refuse_busy(endpoint)
    known = ports.ledger.get_champion(made.endpoint)
    target = _target(request, endpoint, known, settings, ports.ledger, endpoints, execution.name)
    mode = target.model.serving_mode
    serving = endpoints.served_model(endpoint.endpoint_config_name)
    if serving is not None and serving.serving_mode != mode:
        raise RollbackError(
            f"The endpoint {made.endpoint} is {serving.serving_mode} now, and the model of the run "
            f"{target.run_id} was served {mode}: SageMaker does not go from one to the other, or not back "
            "again. Name another run with --to."
        )
    champion = deployments.find_champion(made.endpoint, endpoints, ports.ledger)
    made = replace(made, model=target.model.model_name, endpoint_config=target.endpoint_config_name)
    rollout = rollouts.plan(settings, made.endpoint, target.run_id, rollouts.ROLLBACK, mode)
    run = {
        "kind": rollouts.ROLLBACK,
        "id": execution.name,
        "execution_arn": execution.arn,
        "started_at": execution.started_at,
        "dataset": request.dataset,
        **{name: target.record.get(name) for name in _OF_THE_TARGET},
        "trigger": asdict(request.trigger),
        "rollback": {
            "to_run_id": target.run_id,
            "from_run_id": _run_of(endpoint, known, settings, ports.ledger),
            "to_endpoint_config_name": target.endpoint_config_name,
            "from_endpoint_config_name": endpoint.endpoint_config_name,
        },
    }
    prepared = {
        "run": run,
        "names": asdict(made),
        "training": None,
        "serving": {
            "VariantName": preparation.VARIANT,
            "Tags": preparation.tags_of(settings, request.dataset, made),
        },
        "gate": None,
        "champion": champion,
        "rollout": rollout,
        "decision": target.record.get("decision"),
        "job": {"model_data_url": target.model.model_data_url},
        "poll": preparation.poll(settings.serving.wait_seconds, rollout["settle_seconds"]),
        "skip": {"skipped": False, "repeats": "", "reason": ""},
    }
    ports.ledger.put_run(records.running(run, made.endpoint, None))
    return prepared


def _target(
    request: RetrainRequest,
    endpoint: EndpointState,
    known: Mapping[str, Any] | None,
    settings: Settings,
    ledger: Ledger,
    endpoints: Endpoints,
    run_id: str,
) -> Target:
    """Find what to go back to, and keep it from being removed meanwhile."""
    earlier = champions.before(known, endpoint.endpoint_config_name)
    wish = request.rollback or Rollback(None)
    if wish.from_endpoint_config_name not in {None, endpoint.endpoint_config_name}:
        serving = _run_of(endpoint, known, settings, ledger) or "another run"
        raise RollbackError(
            f"The endpoint {endpoint.name} has changed since this was asked for: it serves the model of "
            f"{serving} now. Look at that one; if it is to go as well, ask again."
        )
    wanted = wish.to
    if wanted is None:
        found, record = _predecessor(earlier, endpoint, settings, ledger)
    else:
        found, record = _named(wanted, ledger)
        if record.get("dataset") != request.dataset:
            raise RollbackError(
                f"The run {found} is of the dataset {record.get('dataset')}, not of {request.dataset}."
            )
    config = str(record.get("endpoint_config_name") or "")
    deployed = record.get("outcome") == records.DEPLOYED
    if not config or not (deployed or config in {entry["endpoint_config_name"] for entry in earlier}):
        raise RollbackError(
            f"The model of the run {found} has never served: the run is {record.get('outcome')}. "
            f"{_possible(earlier)}"
        )
    if config == endpoint.endpoint_config_name:
        raise RollbackError(
            f"The endpoint {endpoint.name} serves the model of the run {found} already. {_possible(earlier)}"
        )
    # In this order: what is removed now cannot be gone back to, and what is gone back to is not removed.
    model = endpoints.served_model(config) if ledger.pin_run(found, run_id) else None
    if model is None:
        others = [entry for entry in earlier if entry["endpoint_config_name"] != config]
        raise RollbackError(
            f"The model of the run {found} or its endpoint config {config} has been removed; the stack's "
            f"parameter KeepModels says how many are kept. {_possible(others)}"
        )
    return Target(found, record, config, model)


def _predecessor(
    earlier: list[dict[str, Any]], endpoint: EndpointState, settings: Settings, ledger: Ledger
) -> tuple[str, Mapping[str, Any]]:
    if not earlier:
        raise RollbackError(
            f"There is nothing to go back to: the ledger knows no model that the endpoint {endpoint.name} "
            "served before this one."
        )
    config = str(earlier[0]["endpoint_config_name"])
    run_id = str(earlier[0].get("run_id") or "") or _run_of_config(config, settings, ledger)
    record = ledger.get_run(run_id) if run_id else None
    if record is None:
        raise RollbackError(
            f"The ledger does not know the run of the endpoint config {config}, which served before. "
            f"{_possible(earlier[1:])}"
        )
    return run_id, {**record, "endpoint_config_name": config}


def _named(wanted: str, ledger: Ledger) -> tuple[str, Mapping[str, Any]]:
    """Return the run of that id; of a rollback, the run whose model it went back to."""
    record = ledger.get_run(wanted)
    rollback = (record or {}).get("rollback")
    if isinstance(rollback, Mapping):
        wanted = str(rollback.get("to_run_id"))
        record = ledger.get_run(wanted)
    if record is None:
        raise RollbackError(f"The ledger knows no run {wanted}: 'retrain runs' lists those there are.")
    return wanted, record


def _possible(earlier: list[dict[str, Any]]) -> str:
    runs = [str(entry["run_id"]) for entry in earlier if entry.get("run_id")][:5]
    if not runs:
        return "No other model is known that served before."
    return f"Models that served before are those of {', '.join(runs)}."


def _run_of(
    endpoint: EndpointState, known: Mapping[str, Any] | None, settings: Settings, ledger: Ledger
) -> str | None:
    """Return the run whose model serves now, None if the ledger does not know it."""
    config = endpoint.endpoint_config_name
    if known and known.get("endpoint_config_name") == config:
        return str(known.get("run_id"))
    return _run_of_config(config, settings, ledger) or None


def _run_of_config(config: str, settings: Settings, ledger: Ledger) -> str:
    """Return the run that an endpoint config is named after, empty if there is none."""
    run_id = config.removeprefix(f"{settings.stack_name}-")
    return run_id if ledger.get_run(run_id) else ""
