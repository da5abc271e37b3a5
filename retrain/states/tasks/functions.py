"""Lambda functions as tasks: by `lambda:invoke`, and by their ARN."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from retrain.states.errors import StatesError
from retrain.states.model import Json
from retrain.states.tasks.shapes import UnusableParametersError

UNKNOWN = "Lambda.Unknown"


def request_of(function: str, payload: Json) -> dict[str, Any]:
    """Return the request that invokes a function by its ARN with a payload."""
    return {"FunctionName": function, "Payload": compact(payload)}


def compact(value: Json) -> bytes:
    """Return JSON as it is sent to a function."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def check_arguments(parameters: Json) -> None:
    """Refuse parameters of `lambda:invoke` that AWS would not take, beyond what the model says.

    Raises
    ------
    UnusableParametersError
        Another InvocationType than RequestResponse and Event.
    """
    kind = parameters.get("InvocationType") if isinstance(parameters, dict) else None
    if kind not in (None, "RequestResponse", "Event", "DryRun"):
        raise UnusableParametersError([f"The InvocationType {kind!r} is none that Lambda has"])


def payload_of(answer: Mapping[str, Any]) -> Json:
    """Return what a function answered.

    Raises
    ------
    StatesError
        It failed: by the name of its error, with the whole error as the cause.
    """
    body = answer.get("Payload") or b""
    text = (body.read() if hasattr(body, "read") else body).decode()
    if answer.get("FunctionError"):
        raise _failure(text)
    if not text:
        return ""
    try:
        payload: Json = json.loads(text)
    except ValueError:
        payload = text
    return payload


def _failure(text: str) -> StatesError:
    try:
        described = json.loads(text)
    except ValueError:
        return StatesError(UNKNOWN, text)
    name = described.get("errorType") if isinstance(described, dict) else None
    return StatesError(str(name) if name else UNKNOWN, text)
