"""Step Functions itself: its operations on plain dicts, and the executions that come of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from retrain.states.execution import Clock, Engine, Entropy, Execution, ItemStore, RealClock, SystemEntropy
from retrain.states.service.activities import Activities, Callbacks, MapRuns
from retrain.states.service.arns import Place, calling_account
from retrain.states.service.entries import Entries, Entry
from retrain.states.service.errors import ServiceError
from retrain.states.service.executions import Executions
from retrain.states.service.machines import Machines
from retrain.states.service.outbox import Outbox, Sinks
from retrain.states.service.requests import check
from retrain.states.service.store import Store
from retrain.states.service.tags import Tags
from retrain.states.service.telling import Telling
from retrain.states.service.teststate import TestState
from retrain.states.service.versions import Versions
from retrain.states.tasks import Caller, ServiceTasks, Watch

log = logging.getLogger(__name__)

LONGEST_CLOSE = 8.0
"""Seconds that tasks may take to let go of what they do when the service is closed."""

Request = dict[str, Any]
Operation = Callable[[Request], Request | Awaitable[Request]]


class StepFunctionsService:
    """Answers the Step Functions API and runs executions.

    Everything happens on the thread of the event loop that it is made in; `loop.LoopThread` has one to spare.

    Parameters
    ----------
    caller
        Calls other services for tasks.
    region, account
        For ARNs.
    store
        What is to outlast this object; in memory where None.
    sinks
        Where events, logs and metrics go.
    items
        Where distributed Map states read and write.
    watches
        Wait for jobs; see `tasks.ServiceTasks`.
    assume_roles
        Call services in the role of the state machine; see `tasks.ServiceTasks`.
    clock, entropy
        For tests.
    """

    def __init__(
        self,
        caller: Caller,
        *,
        region: str = "us-east-1",
        account: str = "000000000000",
        store: Store | None = None,
        sinks: Sinks | None = None,
        items: ItemStore | None = None,
        watches: Mapping[str, Watch] | None = None,
        assume_roles: bool = False,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
    ) -> None:
        self.place = Place(region, account)
        clock, entropy = clock or RealClock(), entropy or SystemEntropy()
        self._store = store or Store()
        self._outbox = Outbox(sinks or Sinks())
        self._telling = Telling(self._outbox, clock.now)
        self._express: dict[str, Entry] = {}
        self._end_waiters: dict[str, asyncio.Event] = {}
        self._closing = False
        self._tags = Tags(self._store.table("tags"), self._exists)
        self.machines = Machines(
            self._store,
            self.place,
            self._tags,
            now=clock.now,
            new_id=entropy.uuid,
            on_delete=lambda arn: self.executions.end_all_of(arn),
        )
        self.versions = Versions(self.machines, clock.now, entropy.random)
        self.activities = Activities(self._store, self.place, self._tags, clock.now)
        self.tasks = ServiceTasks(
            caller,
            activities=self.activities.queues,
            watches={**(watches or {}), "stepfunctions": self._watch},
            assume_roles=assume_roles,
        )
        self.engine = Engine(self.tasks, clock=clock, entropy=entropy, items=items, on_change=self._changed)
        self.entries = Entries(self._store, self.engine)
        self.executions = Executions(
            self.engine,
            self.entries,
            self.machines,
            self.versions,
            self.place,
            begin=self._begin,
            express=self._express,
        )
        self._operations = self._table(caller)

    def _table(self, caller: Caller) -> dict[str, Operation]:
        machines, versions, executions = self.machines, self.versions, self.executions
        callbacks, map_runs = Callbacks(self.engine.tokens), MapRuns(self.entries)
        activities, tags = self.activities, self._tags
        return {
            "CreateActivity": activities.create,
            "CreateStateMachine": machines.create,
            "CreateStateMachineAlias": versions.create_alias,
            "DeleteActivity": activities.delete,
            "DeleteStateMachine": machines.delete,
            "DeleteStateMachineAlias": versions.delete_alias,
            "DeleteStateMachineVersion": versions.delete,
            "DescribeActivity": activities.describe,
            "DescribeExecution": executions.describe,
            "DescribeMapRun": map_runs.describe,
            "DescribeStateMachine": machines.describe,
            "DescribeStateMachineAlias": versions.describe_alias,
            "DescribeStateMachineForExecution": executions.describe_machine,
            "GetActivityTask": activities.take,
            "GetExecutionHistory": executions.history,
            "ListActivities": activities.list_all,
            "ListExecutions": executions.list_all,
            "ListMapRuns": map_runs.list_all,
            "ListStateMachineAliases": versions.list_aliases,
            "ListStateMachineVersions": versions.list_all,
            "ListStateMachines": machines.list_all,
            "ListTagsForResource": tags.list_all,
            "PublishStateMachineVersion": versions.publish,
            "RedriveExecution": executions.redrive,
            "SendTaskFailure": callbacks.fail,
            "SendTaskHeartbeat": callbacks.beat,
            "SendTaskSuccess": callbacks.succeed,
            "StartExecution": executions.start,
            "StartSyncExecution": executions.start_sync,
            "StopExecution": executions.stop,
            "TagResource": tags.tag,
            "TestState": TestState(caller, self.place).test,
            "UntagResource": tags.untag,
            "UpdateMapRun": map_runs.update,
            "UpdateStateMachine": machines.update,
            "UpdateStateMachineAlias": versions.update_alias,
            "ValidateStateMachineDefinition": machines.validate,
        }

    async def call(self, operation: str, request: Request, account: str | None = None) -> Request:
        """Carry out one operation.

        Parameters
        ----------
        operation
            Such as `StartExecution`.
        request
            Its members, times as seconds since the epoch; the answer is of the same kind.
        account
            Whose call it is; by default whoever's call this one is part of, else the service's own account.

        Raises
        ------
        ServiceError
            What the caller gets instead of an answer.
        """
        if self._closing:
            raise ServiceError("ServiceUnavailable", "The service is being closed.", 503)
        check(operation, request)
        if account is not None:
            calling_account.set(account)
        given = {name: value for name, value in request.items() if value is not None}
        answer = self._operations[operation](given)
        return answer if isinstance(answer, dict) else await answer

    # -- executions under way ------------------------------------------------------------------

    def _begin(self, entry: Entry) -> None:
        execution = entry.execution
        assert execution is not None  # noqa: S101  (whoever begins it has it)
        entry.task = asyncio.get_running_loop().create_task(self._run(entry, execution), name=entry.arn)

    async def _run(self, entry: Entry, execution: Execution) -> None:
        if self._closing:
            return
        try:
            await self.engine.run(execution)
        except asyncio.CancelledError:
            if not self._closing:
                raise
        finally:
            if execution.status != "RUNNING":
                self._express.pop(entry.arn, None)
                entry.ended.set()

    def _changed(self, execution: Execution) -> None:
        if self._closing:
            return
        entry = self.entries.find(execution.arn)
        kept = entry is not None
        if entry is None:
            entry = self._express.get(execution.arn)
        if entry is None:
            self.entries.child_changed(execution)
            return
        entry.follow()
        self._telling.changed(entry)
        if kept:
            self.entries.changed(entry)

    async def _watch(self, _operation: str, arn: str) -> None:
        entry = self.entries.find(arn) or self._express.get(arn)
        if entry is not None:
            await entry.ended.wait()

    def _exists(self, arn: str) -> bool:
        return arn in self.machines.machines or self.activities.exists(arn)

    # -- beginning and end ---------------------------------------------------------------------

    async def resume(self) -> int:
        """Let the executions go on that the store has as running; returns how many.

        A wait goes on to the same time, a token can still be answered, a job that was submitted is still
        waited for; a task that was under way begins again.
        """
        found = [entry for entry in self.entries if entry.status == "RUNNING" and entry.task is None]
        for entry in found:
            execution = self.entries.loaded(entry)
            entry.told, entry.logged = (execution.status, execution.redrive_count), len(execution.history)
            entry.task = asyncio.get_running_loop().create_task(self._run(entry, execution), name=entry.arn)
        return len(found)

    async def close(self) -> None:
        """Stop running, so that `resume` of another object can go on with the same store.

        Jobs that tasks wait for are left alone.
        """
        self._closing = True
        running = [entry for entry in [*self.entries, *self._express.values()] if entry.task is not None]
        try:
            async with asyncio.timeout(LONGEST_CLOSE):
                await self.engine.shutdown()
                await asyncio.gather(
                    *(entry.task for entry in running if entry.task is not None), return_exceptions=True
                )
                await self.tasks.settled()
        except TimeoutError:
            log.warning("Some executions did not halt; they go on from where they were last written.")
        for entry in running:
            if entry.execution is not None and entry.arn not in self._express:
                entry.follow()
                self.entries.write(entry)
        self._outbox.close()
        self._store.close()
