"""Simple runners of tasks."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable

from retrain.states.errors import RUNTIME, StatesError
from retrain.states.execution.protocols import TaskCall
from retrain.states.model import Json


class FunctionRunner:
    """Gives every task to one function, plain or async; it returns the result or raises StatesError."""

    def __init__(self, function: Callable[[TaskCall], Json | Awaitable[Json]]) -> None:
        self._function = function

    async def run(self, call: TaskCall) -> Json:
        """Return what the function returns."""
        result = self._function(call)
        return await result if inspect.isawaitable(result) else result


class NoTasks:
    """Refuses every task: for machines that have none."""

    async def run(self, call: TaskCall) -> Json:
        """Raise StatesError."""
        raise StatesError(
            RUNTIME, f"Nothing here runs tasks: give a result for {call.state_name!r} ({call.resource})."
        )
