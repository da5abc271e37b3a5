"""Executions from their journals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from retrain.states.execution.frames import Frame
from retrain.states.execution.history import LIMIT, History
from retrain.states.execution.mapruns import MapRun
from retrain.states.execution.protocols import ExecutionIdentity
from retrain.states.execution.record import Execution
from retrain.states.model import Machine, Map, Parallel

_PLAIN = (
    "express",
    "status",
    "output",
    "error",
    "cause",
    "stopped",
    "redriven",
    "map_run",
    "state_machine_alias_arn",
    "state_machine_version_arn",
)


def restore(machine: Machine, journal: Mapping[str, Any], clock: Callable[[], float]) -> Execution:
    """Return the execution that `Execution.journal` described.

    Parameters
    ----------
    machine : StateMachine
        What it runs; the same as then.
    journal : mapping
        What `journal` gave, or that read from JSON.
    clock : callable
        The time.
    """
    execution = Execution(
        identity=ExecutionIdentity(**journal["identity"]),
        machine=machine,
        input=journal["input"],
        started=journal["started"],
        frame=Frame.restore(machine, journal["frame"]),
        history=History.load(journal["history"], journal.get("history_limit", LIMIT)),
        clock=clock,
    )
    for name in _PLAIN:
        setattr(execution, name, journal[name])
    maps = {state.name: state for state in _maps(machine)} if journal["map_runs"] else {}
    for each in journal["map_runs"]:
        processor = maps[each["state"]].item_processor
        children = {int(at): restore(processor, child, clock) for at, child in each["executions"].items()}
        run = MapRun.restore(each, children)
        execution.map_runs[run.arn] = run
    return execution


def _maps(machine: Machine) -> Iterator[Map]:
    """Return all Map states; their names are unique in the whole state machine."""
    for state in machine.states.values():
        if isinstance(state, Map):
            yield state
            yield from _maps(state.item_processor)
        elif isinstance(state, Parallel):
            for branch in state.branches:
                yield from _maps(branch)
