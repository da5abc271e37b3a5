"""The executions that the service knows: those that run in memory, those that have ended in the store too."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from retrain.states.execution import Engine, Execution, MapRun
from retrain.states.model import StateMachine, parse
from retrain.states.service.errors import no_such_execution, not_found
from retrain.states.service.records import Revision
from retrain.states.service.store import Store

IN_MEMORY = 1000
"""Executions that have ended and are kept in memory, where the store has them too."""

_WRITE_SECONDS = 0.2
_SHARE_OF_TIME = 20
"""An execution is written again after this many times as long as writing it took."""


@dataclass(slots=True, eq=False)
class Entry:
    """One execution and what belongs to it.

    Attributes
    ----------
    execution
        None where only the store has it.
    arn, name, machine_arn, status, started, stopped
        For lists; the rest is in the execution.
    revision
        What it runs.
    input_text
        As it was given; None where only the store has it.
    ended
        Set when it has ended.
    task
        What runs it.
    logged
        How many of its events have been told.
    told
        The status that has been told.
    """

    arn: str
    name: str
    machine_arn: str
    revision: Revision
    status: str
    started: float
    stopped: float | None = None
    redrive_count: int = 0
    redriven: float | None = None
    version_arn: str | None = None
    alias_arn: str | None = None
    map_runs: list[str] = field(default_factory=list)
    execution: Execution | None = None
    input_text: str | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[Any] | None = None
    logged: int = 0
    told: tuple[str, int] | None = None
    extra: Any = None

    def summary(self) -> dict[str, Any]:
        """Return what lists need, as plain JSON."""
        names = (
            *("arn", "name", "machine_arn", "status", "started", "stopped", "redrive_count", "redriven"),
            *("version_arn", "alias_arn", "map_runs", "logged"),
        )
        return {**{name: getattr(self, name) for name in names}, "revision": self.revision.revision_id}

    def follow(self) -> Execution:
        """Take over from the execution what lists need."""
        execution = self.execution
        assert execution is not None  # noqa: S101  (an execution that changes is in memory)
        self.status, self.stopped = execution.status, execution.stopped
        self.redrive_count, self.redriven = execution.redrive_count, execution.redriven
        self.map_runs = list(execution.map_runs)
        return execution


class Entries:
    """All Standard executions; for the loop's thread only.

    Parameters
    ----------
    store
        Where they are kept.
    engine
        Makes executions of what the store has.
    """

    def __init__(self, store: Store, engine: Engine) -> None:
        self._store = store
        self._engine = engine
        self._revisions = store.table("revision")
        self._machines: dict[str, StateMachine] = {}
        self._by_arn: dict[str, Entry] = {}
        self._by_run: dict[str, Entry] = {}
        self._closed: OrderedDict[str, None] = OrderedDict()
        self._unwritten: dict[str, Entry] = {}
        self._not_before: dict[str, float] = {}
        self._writing: asyncio.TimerHandle | None = None
        for _, summary in store.items("summary"):
            revision = Revision(**(self._revisions.get(summary["revision"]) or {}))
            entry = Entry(**{**summary, "revision": revision})
            self._by_arn[entry.arn] = entry
            self._by_run |= dict.fromkeys(entry.map_runs, entry)
            if entry.status != "RUNNING":
                entry.ended.set()

    # -- finding -------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._by_arn.values()))

    def find(self, arn: str) -> Entry | None:
        """Return an execution's entry, or None."""
        return self._by_arn.get(arn)

    def execution(self, arn: str) -> tuple[Execution, Entry]:
        """Return an execution, a distributed Map's child too, with the entry that it is kept in.

        Raises
        ------
        ServiceError
            ExecutionDoesNotExist.
        """
        entry = self._by_arn.get(arn)
        if entry is not None:
            return self.loaded(entry), entry
        if "/" in arn.rsplit(":", 2)[-2]:
            for parent in self:
                for run in self.loaded(parent).map_runs.values() if parent.map_runs else ():
                    for child in run.executions.values():
                        if child.arn == arn:
                            return child, parent
        raise no_such_execution(arn)

    def map_run(self, arn: str) -> tuple[MapRun, Entry]:
        """Return a distributed Map's run, with its execution's entry; ResourceNotFound if there is none."""
        entry = self._by_run.get(arn)
        if entry is None:
            raise not_found(arn)
        return self.loaded(entry).map_runs[arn], entry

    def loaded(self, entry: Entry) -> Execution:
        """Return an entry's execution, read from the store where it is only there."""
        if entry.execution is None:
            document = self._store.get("execution", entry.arn)
            if document is None:
                raise no_such_execution(entry.arn)
            entry.execution = self._engine.restore(self.machine(entry.revision), document["journal"])
            entry.input_text = document["input"]
            if entry.status != "RUNNING":
                self._keep_few(entry)
        return entry.execution

    def machine(self, revision: Revision) -> StateMachine:
        """Return a revision's definition, parsed."""
        found = self._machines.get(revision.revision_id)
        if found is None:
            found = self._machines[revision.revision_id] = parse(revision.definition)
        return found

    # -- keeping -------------------------------------------------------------------------------

    def add(self, entry: Entry) -> None:
        """Keep a new execution."""
        if self._revisions.get(entry.revision.revision_id) is None:
            self._revisions.put(entry.revision.revision_id, entry.revision.document())
        self._by_arn[entry.arn] = entry
        self.write(entry)

    def drop(self, entry: Entry) -> None:
        """Forget an execution."""
        self._by_arn.pop(entry.arn, None)
        for run in entry.map_runs:
            self._by_run.pop(run, None)
        self._closed.pop(entry.arn, None)
        self._unwritten.pop(entry.arn, None)
        self._not_before.pop(entry.arn, None)
        self._store.delete("execution", entry.arn)
        self._store.delete("summary", entry.arn)

    def changed(self, entry: Entry) -> None:
        """Write an execution soon, or at once if it has ended."""
        if entry.map_runs:
            self._by_run |= dict.fromkeys(entry.map_runs, entry)
        if entry.status != "RUNNING":
            self.write(entry)
            self._not_before.pop(entry.arn, None)
            self._keep_few(entry)
            return
        self._unwritten[entry.arn] = entry
        if self._writing is None and self._store.persistent:
            self._writing = asyncio.get_running_loop().call_later(_WRITE_SECONDS, self._write_due)

    def child_changed(self, child: Execution) -> None:
        """Write the execution soon that a distributed Map's child belongs to."""
        entry = self._by_run.get(child.map_run or "")
        if entry is not None:
            self.changed(entry)

    def write(self, entry: Entry) -> None:
        """Write an execution as it is now."""
        self._unwritten.pop(entry.arn, None)
        if not self._store.persistent or entry.execution is None:
            return
        began = time.monotonic()
        journal = entry.execution.journal()
        self._store.put("execution", entry.arn, {"journal": journal, "input": entry.input_text})
        self._store.put("summary", entry.arn, entry.summary())
        ended = time.monotonic()
        self._not_before[entry.arn] = ended + _SHARE_OF_TIME * (ended - began)

    def write_all(self) -> None:
        """Write all that has changed."""
        for entry in list(self._unwritten.values()):
            self.write(entry)

    def _write_due(self) -> None:
        self._writing = None
        now = time.monotonic()
        for entry in list(self._unwritten.values()):
            if self._not_before.get(entry.arn, 0.0) <= now:
                self.write(entry)
        if self._unwritten:
            self._writing = asyncio.get_running_loop().call_later(_WRITE_SECONDS, self._write_due)

    def _keep_few(self, entry: Entry) -> None:
        self._closed[entry.arn] = None
        self._closed.move_to_end(entry.arn)
        while self._store.persistent and len(self._closed) > IN_MEMORY:
            arn, _ = self._closed.popitem(last=False)
            old = self._by_arn.get(arn)
            if old is not None and old.status != "RUNNING":
                old.execution = None
