"""AWS's services as a list of answers, and the engine with them, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from retrain.states.execution import Engine, Execution, SeededEntropy, VirtualClock
from retrain.states.model import parse
from retrain.states.tasks import Activities, ServiceTasks
from retrain.states.tasks.failures import client_error

T = TypeVar("T")

METADATA = {"HTTPStatusCode": 200, "RequestId": "id-1", "HTTPHeaders": {"content-type": "json"}}


class Services:
    """Answers calls with what was prepared, the last answer again and again.

    An answer may be a dict, an exception, a function of the request, or a number of seconds to take first.
    """

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, list[Any]] = {
            name: list(given) if isinstance(given, list) else [given] for name, given in answers.items()
        }
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.roles: list[str | None] = []

    async def call(
        self, service: str, operation: str, request: dict[str, Any], *, role: str | None = None
    ) -> Any:
        self.calls.append((service, operation, request))
        self.roles.append(role)
        answers = self.answers.get(operation)
        assert answers is not None, f"{operation} was not expected"
        while isinstance(answers[0], int | float):
            await asyncio.sleep(answers.pop(0))
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        return {"ResponseMetadata": METADATA, **answer}

    async def blocking(self, function: Callable[..., T], *args: Any) -> T:
        return function(*args)

    @property
    def operations(self) -> list[str]:
        return [operation for _, operation, _ in self.calls]


def refused(code: str, message: str = "no", status: int = 400) -> Exception:
    return client_error(code, message, "Operation", status)


def resource(name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:states:::{name}"


def machine(name: str, parameters: Any = None, **fields: Any) -> Any:
    """A machine of one task."""
    state = {"Type": "Task", "Resource": resource(name), "End": True, **fields}
    if parameters is not None:
        state["Parameters"] = parameters
    return parse({"StartAt": "Task", "States": {"Task": state}})


def run(services: Services, name: str, parameters: Any = None, given: Any = None, **fields: Any) -> Execution:
    """Run a machine of one task to its end."""
    engine = Engine(ServiceTasks(services), clock=VirtualClock(start=0.0), entropy=SeededEntropy())
    return engine.run_to_end(machine(name, parameters, **fields), {} if given is None else given)


def failed(execution: Execution) -> tuple[str | None, str | None]:
    assert execution.status == "FAILED", execution
    return execution.error, execution.cause


def drive(services: Services, scenario: Callable[[Engine, ServiceTasks], Any], **named: Any) -> Any:
    """Run a scenario, a coroutine function, in virtual time."""
    clock = VirtualClock(start=0.0)
    activities = Activities(lambda arn: not arn.endswith(":none"))

    async def main() -> Any:
        tasks = ServiceTasks(services, activities=activities, **named)
        return await scenario(Engine(tasks, clock=clock, entropy=SeededEntropy()), tasks)

    return clock.run(main)
