"""Starting a run by hand, on the data that is there."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from retrain.aws import Stack
from retrain.operations.times import now


def start(
    stack: Stack, dataset: str, *, force: bool = False, hyperparameters: Mapping[str, str] | None = None
) -> str:
    """Start a run, and return its id.

    Parameters
    ----------
    stack, dataset
        What to train on.
    force : bool
        Also if the same has run before.
    hyperparameters : mapping, optional
        For this run alone, over those of the dataset's program and of the stack.
    """
    moment = now()
    run_id = f"{dataset}-manual-{moment:%Y%m%dt%H%M%S}-{secrets.token_hex(2)}"
    request: dict[str, Any] = {
        "dataset": {"name": dataset},
        "force": force,
        "trigger": {
            "kind": "manual",
            "id": run_id,
            "time": moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
        },
    }
    if hyperparameters:
        request["training"] = {"hyperparameters": dict(hyperparameters)}
    with stack.explained_errors("starting the run"):
        stack.client("stepfunctions").start_execution(
            stateMachineArn=stack.output("StateMachineArn"), name=run_id, input=json.dumps(request)
        )
    return run_id
