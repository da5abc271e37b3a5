"""Whether the outputs that states use have reached them: `other.output()["key"]`.

A step's input holds what the state before it gave out. It holds what an earlier state gave out only if every
state in between passes its input on. A placeholder of any other state would silently mean something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from retrain.workflow import rendering
from retrain.workflow.errors import PlaceholderError
from retrain.workflow.inputs.dynamic import Dynamic
from retrain.workflow.inputs.expressions import Intrinsic
from retrain.workflow.inputs.placeholders import MapItemIndex, MapItemValue, StepInput, StepResult
from retrain.workflow.steps.chain import first_of

if TYPE_CHECKING:
    from retrain.workflow.steps.graph import Graph
    from retrain.workflow.steps.state import State

Sources = frozenset[int]
_NONE: Sources = frozenset()


def check(graph: Graph) -> None:
    """Raise for the first placeholder that cannot mean what it says.

    Raises
    ------
    PlaceholderError
        It is another state's output, or the item of a Map state outside of one.
    """
    _check_machine(graph, _NONE)


def _check_machine(graph: Graph, given: Sources) -> None:
    from retrain.workflow.steps.graph import graph_of, reachable

    states = reachable(graph.branch)
    arriving = _arriving(states, first_of(graph.branch), given)
    for state in states:
        _check_state(state, arriving[id(state)])
        replaced = any(name in state.fields for name in ("parameters", "arguments", "input_path"))
        inner = _NONE if state.type == "Map" or replaced else arriving[id(state)]
        for machine in state.inner():
            _check_machine(graph_of(machine), inner)


def _arriving(states: list[State], start: State, given: Sources) -> dict[int, Sources]:
    """Return, for each state, the states whose outputs its input may hold."""
    arriving: dict[int, Sources] = {id(state): _NONE for state in states}
    arriving[id(start)] = given
    changed = True
    while changed:
        changed = False
        for state in states:
            for target, sources in _leaving(state, arriving[id(state)]):
                more = arriving[id(target)] | sources
                if more != arriving[id(target)]:
                    arriving[id(target)] = more
                    changed = True
    return arriving


def _leaving(state: State, arriving: Sources) -> Iterator[tuple[State, Sources]]:
    out = frozenset({id(state)}) | (arriving if _passes_on(state) else _NONE)
    for target in state.usual_targets():
        yield first_of(target), out
    for catch in state.catches:
        keeps = catch.fields.get("result_path", "$") != "$" or "output" in catch.fields
        yield first_of(catch.next_step), arriving if keeps else _NONE


def _passes_on(state: State) -> bool:
    """Whether the state's output still holds its input; None is JSON's null, which selects nothing."""
    fields = state.fields
    if any(fields.get(name, "$") != "$" for name in ("input_path", "output_path")):
        return False
    if fields.get("output") is not None:
        return False
    if state.type in {"Choice", "Wait", "Succeed"}:
        return True
    if fields.get("result_path", "$") != "$":
        return True
    makes_result = state.type != "Pass" or any(
        fields.get(name) is not None for name in ("parameters", "result")
    )
    return not makes_result


def _check_state(state: State, arriving: Sources) -> None:
    for name, value in state.values():
        for placeholder in rendering.placeholders(value):
            _check_placeholder(placeholder, state, name, arriving)


def _check_placeholder(placeholder: Dynamic, state: State, field: str, arriving: Sources) -> None:
    if isinstance(placeholder, Intrinsic):
        for inside in placeholder.placeholders:
            _check_placeholder(inside, state, field, arriving)
    if isinstance(placeholder, MapItemIndex | MapItemValue) and state.type != "Map":
        raise PlaceholderError(
            f"The {state.type} state '{state.state_id}' uses {placeholder!r}, which only a Map state knows: "
            "give it to the iterations with the Map state's parameters."
        )
    if isinstance(placeholder, StepResult) and field not in {"result_selector", "assign", "output"}:
        raise PlaceholderError(
            f"The {state.type} state '{state.state_id}' uses its own result in {field}, which is made before "
            "there is one: StepResult is for result_selector."
        )
    owner = placeholder.owner if isinstance(placeholder, StepInput) else None
    if owner is None or id(owner) in arriving:
        return
    raise PlaceholderError(
        f"The {state.type} state '{state.state_id}' uses {placeholder!r} in {field}, but the output of "
        f"'{owner.state_id}' does not reach it: it gets what the state before it puts out. Put the states "
        "one after the other, or keep that output with result_path in the states between."
    )
