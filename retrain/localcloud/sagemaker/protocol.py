"""AWS's JSON protocol 1.1, which SageMaker and CodePipeline speak."""

from __future__ import annotations

import json
from typing import Any

from retrain.localcloud.sagemaker.errors import MalformedRequestError

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


def parsed(body: bytes) -> Any:
    """Return a request's members.

    Raises
    ------
    MalformedRequestError
        The body is no JSON.
    """
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise MalformedRequestError(f"The request's body is no JSON: {error}") from error


def answer(status: int, content: dict[str, Any]) -> Answer:
    """Return an answer."""
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(content).encode()


def refusal(status: int, code: str, message: str) -> Answer:
    """Return an error as AWS's clients read it."""
    refused = answer(status, {"__type": code, "message": message})
    refused[1]["x-amzn-ErrorType"] = code
    return refused
