"""Activities: tasks that wait for a worker to ask for them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from retrain.states.errors import RUNTIME, StatesError
from retrain.states.execution.protocols import TaskCall
from retrain.states.model import Json

POLL_SECONDS = 60.0
"""How long GetActivityTask waits for a task before it answers that there is none."""


@dataclass(slots=True, eq=False)
class _Worker:
    name: str | None
    given: asyncio.Future[TaskCall]


class Activities:
    """The tasks that wait for workers, and the workers that wait for tasks; for the loop's thread only.

    Parameters
    ----------
    exists
        Whether there is an activity of an ARN.
    """

    def __init__(self, exists: Callable[[str], bool]) -> None:
        self._exists = exists
        self._tasks: dict[str, deque[TaskCall]] = {}
        self._workers: dict[str, deque[_Worker]] = {}

    async def perform(self, call: TaskCall) -> Json:
        """Wait until a worker has taken a task and answered it.

        Raises
        ------
        StatesError
            What the worker sent; States.Runtime where there is no such activity.
        """
        arn = call.resource
        if call.token is None or not self._exists(arn):
            cause = f"Activity Does Not Exist: '{arn}'"
            call.history.schedule_failed(RUNTIME, cause)
            raise StatesError(RUNTIME, cause)
        if isinstance(call.saved, dict) and call.saved.get("taken"):
            call.token.started()  # a worker has had it since before a restart
            return await call.token.wait()
        self._offer(arn, call)
        try:
            return await call.token.wait()
        finally:
            waiting = self._tasks.get(arn)
            if waiting is not None and call in waiting:
                waiting.remove(call)

    def _offer(self, arn: str, call: TaskCall) -> None:
        workers = self._workers.get(arn, deque())
        while workers:
            worker = workers.popleft()
            if not worker.given.done():
                self._take(call, worker.name)
                worker.given.set_result(call)
                return
        self._tasks.setdefault(arn, deque()).append(call)

    def _take(self, call: TaskCall, worker: str | None) -> None:
        assert call.token is not None  # noqa: S101  (perform has looked)
        call.history.started(worker)
        call.save({"taken": True})
        call.token.started()

    async def take(
        self, arn: str, worker: str | None, seconds: float = POLL_SECONDS
    ) -> tuple[str, Any] | None:
        """Give a worker the next task.

        Parameters
        ----------
        arn
            The activity.
        worker
            The worker's name, for the history.
        seconds
            How long to wait for a task.

        Returns
        -------
        tuple or None
            The task's token and its input; None where there was no task.
        """
        waiting = self._tasks.get(arn)
        if waiting:
            call = waiting.popleft()
            self._take(call, worker)
        else:
            asking = _Worker(worker, asyncio.get_running_loop().create_future())
            self._workers.setdefault(arn, deque()).append(asking)
            try:
                call = await asyncio.wait_for(asking.given, seconds)
            except TimeoutError:
                return None
            finally:
                if asking in self._workers[arn]:
                    self._workers[arn].remove(asking)
        assert call.token is not None  # noqa: S101
        return call.token.value, call.arguments
