"""Ways to the service: HTTP, other services of the local cloud, and its own tasks."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from retrain.localcloud import seams
from retrain.states.service import LoopThread, ServiceError, StepFunctionsService
from retrain.states.tasks.calls import Answer
from retrain.states.tasks.failures import client_error

log = logging.getLogger("retrain.localcloud")

_TYPE = {"Content-Type": "application/x-amz-json-1.0"}


class Api:
    """Calls the service from wherever somebody wants something of it.

    Parameters
    ----------
    loop
        Where the service lives.
    guard
        Looks at each operation and its request first, and may raise ServiceError.

    Attributes
    ----------
    service
        Set once it has been made in the loop.
    """

    def __init__(
        self, loop: LoopThread, guard: Callable[[str, dict[str, Any]], None] = lambda *_: None
    ) -> None:
        self._loop = loop
        self._guard = guard
        self.service: StepFunctionsService

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> seams.Response:
        """Answer an HTTP request."""
        del method, path, query  # the protocol has one path, and the operation in a header
        operation = headers.get("x-amz-target", "").partition(".")[2]
        try:
            request = json.loads(body or b"{}")
        except ValueError as error:
            return _refusal(ServiceError("SerializationException", f"The request is no JSON: {error}"))
        try:
            self._guard(operation, request)
            answer = await self._loop.join(self.service.call(operation, request, seams.account_id()))
        except ServiceError as error:
            return _refusal(error)
        except Exception as error:  # the caller must get an answer in AWS's form
            log.exception("%s failed in the local cloud itself.", operation)
            return _refusal(ServiceError("InternalFailure", f"{type(error).__name__}: {error}", 500))
        return 200, dict(_TYPE), json.dumps(answer).encode()

    async def inside(self, operation: str, request: dict[str, Any]) -> Answer:
        """Answer a task, which runs in the service's own loop."""
        try:
            answer = await self.service.call(operation, request)
        except ServiceError as error:
            raise client_error(error.code, error.message, operation, error.status) from error
        return {**answer, "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}}

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Carry out an operation for another part of the local cloud, on any thread but the loop's.

        Raises
        ------
        ServiceError
            The service refused.
        """
        self._guard(operation, request)
        return self._loop.call(self.service.call(operation, request))

    # -- what MiniStack's other services ask for ----------------------------------------------

    def start(self, request: dict[str, Any]) -> seams.Response:
        """Start an execution, as a target of EventBridge, Scheduler or Pipes."""
        try:
            answer = self.call("StartExecution", **request)
        except ServiceError as error:
            log.warning("An execution of %s was not started: %s", request.get("stateMachineArn"), error)
            return _refusal(error)
        return 200, dict(_TYPE), json.dumps(answer).encode()

    def machine_of(self, arn: str) -> str | None:
        """Return the state machine that an ARN is of, or of which it is a version or an alias; else None."""
        try:
            self.call("DescribeStateMachine", stateMachineArn=arn, includedData="METADATA_ONLY")
        except ServiceError:
            return None
        return ":".join(arn.split(":")[:7])


def _refusal(error: ServiceError) -> seams.Response:
    body = {"__type": error.code, "message": error.message}
    return error.status, {**_TYPE, "x-amzn-ErrorType": error.code}, json.dumps(body).encode()
