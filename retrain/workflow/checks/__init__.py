"""Warnings on top of the engine's validation: what AWS takes, and what cannot work or is hardly meant.

- `UNPRODUCED_PATH`: a path that leads to something that no earlier state can have produced.
- `UNKNOWN_ACTION`: an action that a service's integration does not have.
- `ENDLESS_LOOP`: states that lead only to each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from retrain.states import model
from retrain.states.errors import Diagnostic
from retrain.states.validation import Kind, examine
from retrain.workflow.checks.flow import check_machine
from retrain.workflow.checks.shapes import ANYTHING
from retrain.workflow.errors import AuthoringError
from retrain.workflow.services import parse

UNPRODUCED_PATH: Final = "UNPRODUCED_PATH"
UNKNOWN_ACTION: Final = "UNKNOWN_ACTION"
ENDLESS_LOOP: Final = "ENDLESS_LOOP"


def check(definition: str | Mapping[str, Any], *, kind: Kind = "STANDARD") -> tuple[Diagnostic, ...]:
    """Return everything for which AWS would refuse a definition, and what is doubtful in it.

    Parameters
    ----------
    definition
        JSON or YAML text, or the parsed object.
    kind
        What the state machine is to be.

    Returns
    -------
    tuple of Diagnostic
        The engine's; and, if there is no error among them, this module's warnings.
    """
    document, found = examine(definition, kind=kind)
    if document is None or any(each.severity == "ERROR" for each in found):
        return found
    machine = model.build(document)
    warnings: dict[tuple[str, str, str], None] = {}

    def warn(code: str, message: str, location: str) -> None:
        warnings.setdefault((code, message, location))

    check_machine(machine, ANYTHING, lambda message, where: warn(UNPRODUCED_PATH, message, where))
    for state, where in _all_states(machine, ""):
        if isinstance(state, model.Task):
            try:
                parse(state.resource)
            except AuthoringError as error:
                warn(UNKNOWN_ACTION, str(error), f"{where}/Resource")
    for each, where in _machines(machine, ""):
        for name in _endless(each):
            warn(ENDLESS_LOOP, "From here no execution can ever come to an end", f"{where}/States/{name}")
    return (*found, *(Diagnostic("WARNING", *each) for each in warnings))


def _machines(machine: model.Machine, at: str) -> Iterator[tuple[model.Machine, str]]:
    yield machine, at
    for name, state in machine.states.items():
        here = f"{at}/States/{name}"
        if isinstance(state, model.Parallel):
            for index, branch in enumerate(state.branches):
                yield from _machines(branch, f"{here}/Branches[{index}]")
        elif isinstance(state, model.Map):
            inner = "Iterator" if "Iterator" in state.given else "ItemProcessor"
            yield from _machines(state.item_processor, f"{here}/{inner}")


def _all_states(machine: model.Machine, at: str) -> Iterator[tuple[model.State, str]]:
    for each, where in _machines(machine, at):
        for name, state in each.states.items():
            yield state, f"{where}/States/{name}"


def _endless(machine: model.Machine) -> list[str]:
    """Return the states from which no end can be reached."""
    ending = {
        name
        for name, state in machine.states.items()
        if state.end or isinstance(state, model.Succeed | model.Fail)
    }
    grown = True
    while grown:
        more = {
            name
            for name, state in machine.states.items()
            if name not in ending and ending.intersection(_targets(state))
        }
        ending |= more
        grown = bool(more)
    return [name for name in machine.states if name not in ending]


def _targets(state: model.State) -> Iterator[str]:
    if state.next:
        yield state.next
    if isinstance(state, model.Choice):
        yield from (rule.next for rule in state.choices)
        if state.default:
            yield state.default
    for catcher in getattr(state, "catch", ()):
        yield catcher.next
