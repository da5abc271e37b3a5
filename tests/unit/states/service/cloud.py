"""The service in virtual time, with services that answer as they are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from retrain.states.execution import SeededEntropy, VirtualClock
from retrain.states.service import Sinks, StepFunctionsService, Store
from tests.unit.states.tasks.services import Services

ROLE = "arn:aws:iam::123456789012:role/r"
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
FAIL = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "C"}}}

Answer = dict[str, Any]


class Cloud:
    """A service, and what it has told."""

    def __init__(self, service: StepFunctionsService, told: list[Any]) -> None:
        self.service = service
        self._told = told

    async def call(self, operation: str, **request: Any) -> Answer:
        return await self.service.call(operation, request)

    async def machine(self, definition: Any = PASS, name: str = "m", **request: Any) -> str:
        text = definition if isinstance(definition, str) else json.dumps(definition)
        answer = await self.call("CreateStateMachine", name=name, definition=text, roleArn=ROLE, **request)
        return str(answer["stateMachineArn"])

    async def start(self, machine: str, given: Any = None, **request: Any) -> str:
        text = json.dumps({} if given is None else given)
        answer = await self.call("StartExecution", stateMachineArn=machine, input=text, **request)
        return str(answer["executionArn"])

    async def end(self, arn: str) -> Answer:
        """Wait for an execution's end and describe it."""
        entry = self.service.entries.find(arn)
        assert entry is not None
        await entry.ended.wait()
        return await self.call("DescribeExecution", executionArn=arn)

    async def run(self, definition: Any = PASS, given: Any = None, name: str = "m") -> Answer:
        return await self.end(await self.start(await self.machine(definition, name), given))

    def told(self, kind: str) -> list[Any]:
        """What was told so far: `event`, `log` or `metric`."""
        assert self.service._outbox.flush()
        return [what for told, what in self._told if told == kind]


def drive(
    scenario: Callable[[Cloud], Any], services: Services | None = None, store: Store | None = None
) -> Any:
    """Run a scenario, a coroutine function, in virtual time that begins at 0."""
    clock = VirtualClock(start=0.0)
    told: list[Any] = []

    def metrics(namespace: str, data: list[Answer]) -> None:
        assert namespace == "AWS/States"
        told.extend(("metric", datum) for datum in data)

    sinks = Sinks(
        events=lambda *event: told.append(("event", event)),
        logs=lambda group, stream, lines: told.extend(("log", (group, stream, *line)) for line in lines),
        metrics=metrics,
    )

    async def main() -> Any:
        service = StepFunctionsService(
            services or Services(),
            account="123456789012",
            store=store,
            sinks=sinks,
            clock=clock,
            entropy=SeededEntropy(),
        )
        await service.resume()
        try:
            return await scenario(Cloud(service, told))
        finally:
            await service.close()

    return clock.run(main)
