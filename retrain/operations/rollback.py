"""Going back to an earlier model: what there is to go back to, and the run that does it."""

from __future__ import annotations

import json
import secrets
from typing import Any

from retrain.aws import Stack
from retrain.errors import RollbackError
from retrain.operations import ledger
from retrain.operations.ledger import Record
from retrain.operations.times import now


def dataset(stack: Stack) -> str:
    """Return the one dataset of a stack that has a champion.

    Raises
    ------
    RollbackError
        There is none, or there are several.
    """
    found = sorted(_dataset(stack, record) for record in ledger.champions(stack))
    if not found:
        raise RollbackError(
            f"No endpoint of the stack '{stack.name}' has a champion, so there is nothing to go back from."
        )
    if len(found) > 1:
        raise RollbackError(f"Which dataset? The stack '{stack.name}' serves models of {', '.join(found)}.")
    return found[0]


def check(stack: Stack, dataset: str, to: str | None) -> str:
    """Find what a rollback will go back to, as far as the ledger can tell, before anything is started.

    Parameters
    ----------
    stack, dataset
        Whose endpoint.
    to : str, optional
        A run, or a beginning of its id; by default the run whose model served before.

    Returns
    -------
    str
        The run's whole id.

    Raises
    ------
    RollbackError
        There is nothing to go back to.
    RunNotFoundError
        No run is meant by `to`.
    """
    champion = ledger.champion(stack, stack.endpoint_name(dataset))
    if champion is None:
        raise RollbackError(
            f"No model of {dataset} has been deployed yet, so there is nothing to go back from: "
            "'retrain runs' lists what there was."
        )
    earlier = champion.get("predecessors") or []
    if to is None:
        if not earlier and _serves(stack, dataset) != champion.get("endpoint_config_name"):
            return str(champion["run_id"])  # what serves now could not be written down
        if not earlier:
            raise RollbackError(
                f"There is nothing to go back to: the model of the run {champion['run_id']} is the first one "
                f"that the endpoint of {dataset} has served, or the last one that is left."
            )
        run_id = str(earlier[0].get("run_id") or "")
        _refuse_removed(ledger.find_run(stack, run_id) or {}, earlier[1:])
        return run_id
    record = ledger.run(stack, to)
    _refuse(record, champion, earlier, dataset)
    return str(record["run_id"])


def start(stack: Stack, dataset: str, to: str | None) -> str:
    """Start the run that goes back, and return its id.

    Without a name it goes back from what serves at this moment only, so that two people who do it at the same
    time do not go back twice.

    Parameters
    ----------
    stack, dataset
        Whose endpoint.
    to : str, optional
        The whole id of a run; by default the one whose model served before.
    """
    moment = now()
    run_id = f"{dataset}-rollback-{moment:%Y%m%dt%H%M%S}-{secrets.token_hex(2)}"
    request: dict[str, Any] = {
        "dataset": {"name": dataset},
        "rollback": {"to": to} if to else {"to": None, "from_endpoint_config_name": _serves(stack, dataset)},
        "trigger": {
            "kind": "manual",
            "id": run_id,
            "time": moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
        },
    }
    with stack.explained_errors("starting the rollback"):
        stack.client("stepfunctions").start_execution(
            stateMachineArn=stack.output("StateMachineArn"), name=run_id, input=json.dumps(request)
        )
    return run_id


def _refuse(record: Record, champion: Record, earlier: list[Record], dataset: str) -> None:
    """Refuse a run whose model cannot serve again."""
    run_id = record["run_id"]
    others = [entry for entry in earlier if entry.get("run_id") not in {None, "", run_id}]
    if record.get("dataset") != dataset:
        raise RollbackError(f"The run {run_id} is of the dataset {record.get('dataset')}, not of {dataset}.")
    if (record.get("rollback") or {}).get("to_run_id", run_id) == champion["run_id"]:
        raise RollbackError(f"The model of the run {champion['run_id']} serves already.{_told(others)}")
    if record.get("outcome") != "DEPLOYED" and len(others) == len(earlier):
        raise RollbackError(
            f"The model of the run {run_id} has never served: the run is {record.get('outcome')}."
            f"{_told(others)}"
        )
    _refuse_removed(record, others)


def _refuse_removed(record: Record, others: list[Record]) -> None:
    if record.get("removing_at"):
        raise RollbackError(
            f"The model of the run {record['run_id']} has been removed; the stack's parameter KeepModels "
            f"says how many are kept.{_told(others)}"
        )


def _told(entries: list[Record]) -> str:
    runs = [str(entry["run_id"]) for entry in entries if entry.get("run_id")]
    return f" Models that served before are those of {', '.join(runs[:5])}." if runs else ""


def _serves(stack: Stack, dataset: str) -> str:
    with stack.explained_errors("describing the endpoint"):
        answer = stack.client("sagemaker").describe_endpoint(EndpointName=stack.endpoint_name(dataset))
    return str(answer["EndpointConfigName"])


def _dataset(stack: Stack, champion: Record) -> str:
    return str(champion["endpoint_name"]).removeprefix(f"{stack.name}-")
