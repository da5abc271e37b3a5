"""What the tests of the engine share: small machines, and runs of them in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from retrain.states.errors import StatesError
from retrain.states.execution import (
    Engine,
    Execution,
    FunctionRunner,
    SeededEntropy,
    StoredObject,
    VirtualClock,
)
from retrain.states.model import StateMachine, parse

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:f"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:work"
PASS: dict[str, Any] = {"Type": "Pass", "End": True}


def task(**fields: Any) -> dict[str, Any]:
    """A Task state of a function that ends its machine, unless `Next` is given."""
    return {"Type": "Task", "Resource": LAMBDA, **({} if "Next" in fields else {"End": True}), **fields}


def machine(states: Mapping[str, Any], **fields: Any) -> StateMachine:
    """A machine that begins with the first of its states."""
    return parse({"StartAt": next(iter(states)), "States": states, **fields})


def branch(**states: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def echo(call: Any) -> Any:
    return call.arguments


def engine(function: Callable[[Any], Any] = echo, **named: Any) -> Engine:
    named.setdefault("clock", VirtualClock(start=0.0))
    return Engine(FunctionRunner(function), entropy=SeededEntropy(), **named)


def run(
    states: Mapping[str, Any] | StateMachine,
    given: Any = None,
    function: Callable[[Any], Any] = echo,
    **named: Any,
) -> Execution:
    """Run a machine to its end in virtual time that begins at 0."""
    whole = states if isinstance(states, StateMachine) else machine(states)
    return engine(function, **named).run_to_end(whole, {} if given is None else given)


def failing(error: str = "Boom", cause: str = "why") -> Callable[[Any], Any]:
    def function(call: Any) -> Any:
        raise StatesError(error, cause)

    return function


def events(execution: Execution) -> list[tuple[int, int, str]]:
    """Ids, previous ids and types."""
    return [(event["id"], event["previousEventId"], event["type"]) for event in execution.history]


class Objects:
    """An object store in memory; what is written can be read."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = {("bucket", name): body for name, body in objects.items()}

    def put(self, key: str, body: bytes) -> None:
        self.objects["bucket", key] = body

    async def read_object(self, bucket: str, key: str, version: str | None = None) -> bytes:
        if (bucket, key) not in self.objects:
            raise StatesError("S3.NoSuchKey", "The specified key does not exist.")
        return self.objects[bucket, key]

    async def list_objects(self, bucket: str, prefix: str, limit: int | None = None) -> list[StoredObject]:
        found = sorted(key for of, key in self.objects if of == bucket and key.startswith(prefix))
        return [
            StoredObject(
                {
                    "Key": key,
                    "Size": len(self.objects[bucket, key]),
                    "ETag": '"e"',
                    "LastModified": 1.0,
                    "StorageClass": "STANDARD",
                }
            )
            for key in found[:limit]
        ]

    async def write_object(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        self.objects[bucket, key] = body
