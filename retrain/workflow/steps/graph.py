"""Graphs: whole state machines made of states, and definitions that were read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from retrain.states import model as language_model
from retrain.states.errors import Diagnostic
from retrain.states.model.substitutions import substitute
from retrain.states.model.values import JSONATA, JSONPATH, QueryLanguage
from retrain.states.validation import Kind, validate
from retrain.workflow.errors import (
    AuthoringError,
    DuplicateStateError,
    EndlessChainError,
    InvalidDefinitionError,
    TransitionError,
)
from retrain.workflow.steps import dataflow
from retrain.workflow.steps.block import Block
from retrain.workflow.steps.chain import Chain, Target, first_of
from retrain.workflow.steps.state import State


class Graph(Block):
    """A state machine, or a machine inside a Parallel or Map state.

    Parameters
    ----------
    branch : State or Chain
        Where it begins; everything that can be reached from there belongs to it.
    comment, timeout_seconds, version, query_language : optional
        Fields of the state machine as a whole. In the query language `JSONata`, placeholders become
        JSONata expressions.

    Raises
    ------
    AuthoringError
        Names occur twice, states are never reached or never left, parameters or placeholders do not fit.
    """

    model = language_model.StateMachine
    made = frozenset({"start_at", "states"})

    def __init__(self, branch: Target, **fields: Any) -> None:
        if not isinstance(branch, State | Chain):
            raise AuthoringError(f"A graph begins with a state or a chain, not with {type(branch).__name__}.")
        self.branch = branch
        super().__init__(**fields)
        if self.query_language not in {None, JSONPATH, JSONATA}:
            raise AuthoringError(f"query_language is 'JSONPath' or 'JSONata', not {self.query_language!r}.")
        self.check()

    @classmethod
    def inside(cls, branch: Target) -> Graph:
        """Return the graph of a machine inside a state; the graph around it checks it."""
        graph = cls.__new__(cls)
        graph.fields = {}
        graph.branch = branch
        return graph

    @property
    def language(self) -> QueryLanguage:
        """The query language of states that have none of their own."""
        return self.query_language or JSONPATH

    @property
    def states(self) -> dict[str, State]:
        """The states by name, those of machines inside others left out."""
        return {state.state_id: state for state in reachable(self.branch)}

    def contains(self, state: State) -> bool:
        """Whether a state is part of the graph."""
        return self.states.get(state.state_id) is state

    def all_states(self) -> Iterator[State]:
        """Return all states, those of machines inside others too."""
        for state in reachable(self.branch):
            yield state
            for machine in state.inner():
                yield from graph_of(machine).all_states()

    def check(self) -> None:
        """Raise what is wrong with the graph as it is now.

        Raises
        ------
        AuthoringError
            A sentence about the first thing that was found.
        """
        _check_names(self, {})
        for state in self.all_states():
            state.check(self.language)
        _check_ends(self)
        dataflow.check(self)

    def to_dict(self, query_language: QueryLanguage | None = None) -> dict[str, Any]:
        """Return the definition."""
        self.check()
        return self.machine_to_dict(query_language or self.language)

    def machine_to_dict(self, language: QueryLanguage) -> dict[str, Any]:
        """Return the definition without checking it again."""
        return {
            **self._fields_to_dict(language),
            "StartAt": self.branch.state_id,
            "States": {name: state.to_dict(language) for name, state in self.states.items()},
        }

    def validate(self, kind: Kind = "STANDARD") -> tuple[Diagnostic, ...]:
        """Return everything for which AWS would refuse the definition, and what is doubtful in it."""
        return validate(self.to_dict(), kind=kind)

    @property
    def machine(self) -> language_model.StateMachine:
        """The definition as typed objects.

        Raises
        ------
        InvalidDefinitionError
            AWS would refuse it.
        """
        return parsed(self.to_dict())

    def _title(self) -> str:
        return "The state machine"

    def __repr__(self) -> str:
        """Return how the graph is written."""
        return f"Graph({self.branch!r})"


class FrozenGraph(Graph):
    """A definition that was written elsewhere; it is kept as it is.

    Parameters
    ----------
    definition : dict
        The parsed definition.
    substitutions : dict, optional
        What `${Name}` tokens stand for. They stay in the definition, as CloudFormation fills them in; for
        checking it, those without a value get placeholders.
    """

    def __init__(self, definition: Mapping[str, Any], substitutions: Mapping[str, str] | None = None) -> None:
        if not isinstance(definition, Mapping):
            raise AuthoringError(f"A definition is an object, not {type(definition).__name__}.")
        self.fields = {}
        self.definition = dict(definition)
        self.substitutions = dict(substitutions or {})

    @classmethod
    def from_json(cls, json_definition: str) -> FrozenGraph:
        """Return the graph of a definition in JSON."""
        return cls(json.loads(json_definition))

    @property
    def language(self) -> QueryLanguage:
        """The query language of states that have none of their own."""
        language: QueryLanguage = self.definition.get("QueryLanguage", JSONPATH)
        return language

    @property
    def states(self) -> dict[str, Any]:
        """The states by name, as the definition has them."""
        states: dict[str, Any] = self.definition.get("States", {})
        return states

    def contains(self, state: State) -> bool:
        """Whether there is a state of that name."""
        return state.state_id in self.states

    def all_states(self) -> Iterator[State]:
        """Return nothing: a definition that was read consists of no steps."""
        return iter(())

    def check(self) -> None:
        """Raise if AWS would refuse the definition."""
        raise_errors(self.validate())

    def to_dict(self, query_language: QueryLanguage | None = None) -> dict[str, Any]:
        """Return the definition, as it was given."""
        del query_language
        copy: dict[str, Any] = json.loads(json.dumps(self.definition))
        return copy

    def machine_to_dict(self, language: QueryLanguage) -> dict[str, Any]:
        """Return the definition, as it was given."""
        del language
        return self.to_dict()

    def validate(self, kind: Kind = "STANDARD") -> tuple[Diagnostic, ...]:
        """Return everything for which AWS would refuse the definition, and what is doubtful in it."""
        return validate(self.filled_in(), kind=kind)

    def filled_in(self) -> dict[str, Any]:
        """Return the definition with its `${Name}` tokens filled in."""
        text, _ = substitute(json.dumps(self.definition), self.substitutions)
        filled: dict[str, Any] = json.loads(text)
        return filled

    @property
    def machine(self) -> language_model.StateMachine:
        """The definition as typed objects, `${Name}` tokens and all."""
        self.check()
        return language_model.build(self.to_dict())

    def __repr__(self) -> str:
        """Return which states there are."""
        return f"FrozenGraph(states={list(self.states)!r})"


def graph_of(machine: Target | Graph) -> Graph:
    """Return the graph of a machine inside a state."""
    return machine if isinstance(machine, Graph) else Graph.inside(machine)


def reachable(branch: Target) -> list[State]:
    """Return all states that can be reached, in the order in which a reader meets them."""
    found: dict[int, State] = {}
    waiting = [first_of(branch)]
    while waiting:
        state = waiting.pop()
        if id(state) not in found:
            found[id(state)] = state
            waiting += [first_of(each) for each in reversed(state.targets())]
    return list(found.values())


def parsed(definition: Mapping[str, Any]) -> language_model.StateMachine:
    """Return a definition as typed objects.

    Raises
    ------
    InvalidDefinitionError
        AWS would refuse it.
    """
    raise_errors(validate(definition))
    return language_model.build(definition)


def raise_errors(diagnostics: tuple[Diagnostic, ...]) -> None:
    """Raise InvalidDefinitionError if there is an error among the diagnostics."""
    if any(each.severity == "ERROR" for each in diagnostics):
        raise InvalidDefinitionError(diagnostics)


def _check_names(graph: Graph, seen: dict[str, State]) -> None:
    for state in reachable(graph.branch):
        other = seen.get(state.state_id)
        if other is state:
            raise DuplicateStateError(
                f"The state '{state.state_id}' is in two machines: those inside Parallel and Map states are "
                "worlds of their own. Write a second state with another name."
            )
        if other is not None:
            raise DuplicateStateError(
                f"Two states are named '{state.state_id}' (a {other.type} and a {state.type}): every state "
                "of a state machine needs a name of its own, also inside Parallel and Map states."
            )
        seen[state.state_id] = state
    for state in reachable(graph.branch):
        for machine in state.inner():
            _check_names(graph_of(machine), seen)


def _check_ends(graph: Graph) -> None:
    states = reachable(graph.branch)
    _check_chains(graph, {id(state) for state in states})
    if not any(_ends(state) for state in states):
        names = " → ".join(f"'{state.state_id}'" for state in [*states, states[0]])
        raise EndlessChainError(
            f"The chain never ends: {names} and so on. Let a state end it, by leading nowhere, or leave the "
            "circle with a Choice state."
        )
    for state in states:
        for machine in state.inner():
            _check_ends(graph_of(machine))


def _ends(state: State) -> bool:
    return "End" in state._transition_to_dict() or state.type in {"Succeed", "Fail"}


def _check_chains(graph: Graph, reached: set[int]) -> None:
    """A chain's state that something else was put in the place of would silently be lost."""
    chains = [graph.branch, *(each for state in reachable(graph.branch) for each in state.targets())]
    for chain in chains:
        if not isinstance(chain, Chain):
            continue
        for before, state in zip(chain.steps, chain.steps[1:], strict=False):
            if id(state) not in reached:
                leads = f"'{before.target.state_id}'" if before.target is not None else "nothing"
                raise TransitionError(
                    f"Nothing leads to '{state.state_id}' any longer: in the chain it follows "
                    f"'{before.state_id}', which now leads to {leads}."
                )
