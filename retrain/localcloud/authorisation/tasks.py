"""The tasks of state machines, held to the machine's role: also those that reach a service without HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from retrain.localcloud.authorisation import answers, rights
from retrain.localcloud.authorisation.creation import check_machine
from retrain.localcloud.authorisation.decisions import Authority, Caller
from retrain.localcloud.authorisation.requests import Call
from retrain.localcloud.authorisation.scene import Facts, Scene
from retrain.localcloud.errors import AccessDeniedError, AuthorisationError
from retrain.states.errors import StatesLanguageError
from retrain.states.service import ServiceError
from retrain.states.tasks.calls import Answer
from retrain.states.tasks.calls import Caller as ServiceCaller
from retrain.states.tasks.failures import client_error

T = TypeVar("T")

SESSION = "StepFunctions"
"""What the session of a state machine's role is called; in AWS it has a random name."""


class HeldCaller:
    """Calls services for tasks, if the role that they act in allows it.

    Parameters
    ----------
    inner
        Who calls. What goes by HTTP is signed by the role, so that the gate decides.
    authority
        Decides about the rest.
    facts
        What services know of their resources.
    inside
        The services that are called without HTTP.
    """

    def __init__(
        self, inner: ServiceCaller, authority: Authority, facts: Facts, inside: Collection[str]
    ) -> None:
        self._inner = inner
        self._authority = authority
        self._facts = facts
        self._inside = frozenset(inside)

    async def call(
        self, service: str, operation: str, request: dict[str, Any], *, role: str | None = None
    ) -> Answer:
        """Call an operation; a refusal is the service's own, which Retry and Catch see."""
        if role is not None and service in self._inside:
            self._require(Caller(role, SESSION), Call(service, operation, request))
        return await self._inner.call(service, operation, request, role=role)

    async def blocking(self, function: Callable[..., T], *args: Any) -> T:
        """Run a function on a thread of the pool."""
        return await self._inner.blocking(function, *args)

    def _require(self, caller: Caller, call: Call) -> None:
        try:
            if self._authority.is_held(caller):
                for check in rights.checks(call, Scene(self._facts, caller.account)):
                    self._authority.require(caller, check)
        except AccessDeniedError as refused:
            status = 403 if call.service == "lambda" else 400
            raise client_error("AccessDeniedException", str(refused), call.operation, status) from refused
        except AuthorisationError as refused:
            raise client_error(answers.NOT_IMPLEMENTED, str(refused), call.operation, 501) from refused


def machine_guard(authority: Authority) -> Callable[[str, dict[str, Any]], None]:
    """Return what looks at requests to Step Functions: a role must allow what Step Functions does."""

    def guard(operation: str, request: dict[str, Any]) -> None:
        role, definition = request.get("roleArn"), request.get("definition")
        if operation not in ("CreateStateMachine", "UpdateStateMachine") or not role or not definition:
            return
        logging = request.get("loggingConfiguration") or {}
        logs = str(logging.get("level") or "OFF") != "OFF"
        try:
            check_machine(authority, role, definition, logs=logs)
        except AccessDeniedError as refused:
            raise ServiceError("AccessDeniedException", str(refused)) from refused
        except AuthorisationError as refused:
            raise ServiceError(answers.NOT_IMPLEMENTED, str(refused)) from refused
        except (StatesLanguageError, json.JSONDecodeError):
            return  # the service says what is wrong with the definition

    return guard
