"""Small state machines, made for one test each."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Run = Callable[..., dict[str, Any]]
Aws = Callable[[str], Any]
History = Callable[[str], list[dict[str, Any]]]


def machine(*states: tuple[str, dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """A machine of states in a row; a state without Next and End goes on to the one after it."""
    made: dict[str, Any] = {}
    for index, (name, state) in enumerate(states):
        following = {} if index + 1 == len(states) else {"Next": states[index + 1][0]}
        closed = {} if state["Type"] in ("Choice", "Succeed", "Fail") else following or {"End": True}
        made[name] = {**closed, **state}
    return {"StartAt": states[0][0], "States": made, **fields}


def call(function: str, payload: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A Task that calls the function that misbehaves as it is told."""
    parameters: dict[str, Any] = {"FunctionName": function}
    parameters |= {"Payload": payload} if payload is not None else {"Payload.$": "$"}
    return {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters, **fields}


def cause_of(description: dict[str, Any]) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(description["cause"])
    return decoded
