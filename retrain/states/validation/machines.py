"""Walks through a definition: the machine, its states, and the machines inside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from retrain.states.model.values import JSONATA, JSONPATH, QueryLanguage
from retrain.states.validation import fields, maps, resources, transitions, variables
from retrain.states.validation.report import (
    DUPLICATE_LABEL_NAME,
    DUPLICATE_STATE_NAME,
    EXPRESS_TIMEOUT,
    INVALID_STATE_NAME,
    Kind,
    Place,
    Report,
    did_you_mean,
)
from retrain.states.validation.shapes import Field, Shape
from retrain.states.validation.states import GO_ON, MAX_SECONDS, SHAPES, TYPES

MAX_NAME_LENGTH: Final = 80
EXPRESS_SECONDS: Final = 300
"""An Express execution lasts five minutes at most, whatever its definition says."""

_MACHINE: Final = {
    "StartAt": Field(fields.string),
    "States": Field(fields.an_object),
    "Comment": Field(fields.string),
}
_REQUIRED: Final = ("States", "StartAt")
_TOP: Final = Shape(
    {
        **_MACHINE,
        "Version": Field(fields.enum("1.0")),
        "TimeoutSeconds": Field(fields.constant_integer(0, MAX_SECONDS)),
        "QueryLanguage": Field(fields.enum(JSONPATH, JSONATA)),
    },
    _REQUIRED,
)
_BRANCH: Final = Shape(_MACHINE, _REQUIRED)
_PROCESSOR: Final = Shape({**_MACHINE, "ProcessorConfig": Field(maps.processor_config)}, _REQUIRED)


@dataclass(slots=True)
class Walk:
    """One walk through one definition; `machine` begins it."""

    report: Report
    kind: Kind
    language: QueryLanguage = JSONPATH
    _names: set[str] = field(default_factory=set)
    _labels: set[str] = field(default_factory=set)

    def machine(self, definition: dict[str, Any]) -> None:
        """Check a whole definition."""
        self.language = _language(definition, JSONPATH)
        _TOP.check(definition, Place(self.report, self.kind, self.language), "")
        limit = definition.get("TimeoutSeconds")
        if self.kind == "EXPRESS" and type(limit) is int and limit > EXPRESS_SECONDS:
            self.report.warning(
                EXPRESS_TIMEOUT, f"Express executions end after {EXPRESS_SECONDS} seconds", "/TimeoutSeconds"
            )
        self._states(definition, {}, "")

    def _inner(
        self, shape: Shape, value: Any, outer: dict[str, str], at: str, kind: Kind | None = None
    ) -> None:
        shape.check(value, Place(self.report, self.kind, self.language), at)
        if isinstance(value, dict):
            variables.check_scopes(value.get("States"), outer, self.report, at)
            around, self.kind = self.kind, kind or self.kind
            self._states(value, outer, at)
            self.kind = around

    def _states(self, machine: dict[str, Any], outer: dict[str, str], at: str) -> None:
        states = machine.get("States")
        if not isinstance(states, dict):
            return
        if not states:
            self.report.schema("Value cannot be empty", f"{at}/States")
            return
        scope = outer | variables.assigned(states)
        for name, state in states.items():
            here = f"{at}/States/{name}"
            self._name(name, here)
            if isinstance(state, dict):
                self._state(state, scope, here)
            else:
                self.report.schema("Expected value of type [OBJECT]", here)
        transitions.check(machine, self.report, at)

    def _name(self, name: str, at: str) -> None:
        if not name or len(name) > MAX_NAME_LENGTH:
            self.report.error(
                INVALID_STATE_NAME,
                f"The state name '{name}' has {len(name)} characters: 1 to {MAX_NAME_LENGTH} are allowed by"
                " the service",
                at,
            )
        if name in self._names:
            self.report.error(DUPLICATE_STATE_NAME, f"Duplicate State name: {name}", at)
        self._names.add(name)

    def _state(self, state: dict[str, Any], scope: dict[str, str], at: str) -> None:
        place = self._place(state, at)
        kind = state.get("Type")
        shape = SHAPES.get(kind) if isinstance(kind, str) else None
        if shape is None:
            self._unknown_type(state, at)
            return
        shape.check(state, place, at)
        if kind in GO_ON:
            self._next_or_end(state, at)
        if kind == "Task":
            resources.task(state, place, at)
        elif kind == "Parallel":
            self._parallel(state, scope, at)
        elif kind == "Map":
            self._map(state, place, scope, at)

    def _unknown_type(self, state: dict[str, Any], at: str) -> None:
        kind = state.get("Type")
        if "Type" not in state:
            self.report.schema("These fields are required: [Type]", at)
        elif isinstance(kind, str):
            near = did_you_mean(kind, TYPES)
            self.report.schema(
                f"Value should be one of the following: [{', '.join(TYPES)}]{near}", f"{at}/Type"
            )
        else:
            self.report.schema("Expected value of type [STRING]", f"{at}/Type")

    def _place(self, state: dict[str, Any], at: str) -> Place:
        language = _language(state, self.language)
        if self.language == JSONATA and language == JSONPATH:
            self.report.schema(
                "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", at
            )
        return Place(self.report, self.kind, language)

    def _next_or_end(self, state: dict[str, Any], at: str) -> None:
        goes, ends = "Next" in state, state.get("End") is True
        if goes and ends:
            self.report.schema("There should only be one of the following fields: [Next, End]", at)
        elif not goes and not ends:
            self.report.schema("This object should have only one of the following fields: [Next, End]", at)

    def _parallel(self, state: dict[str, Any], scope: dict[str, str], at: str) -> None:
        branches = state.get("Branches")
        if "Branches" not in state:
            return
        if not isinstance(branches, list):
            self.report.schema("Expected value of type [ARRAY]", f"{at}/Branches")
        elif not branches:
            self.report.schema("Value cannot be empty", f"{at}/Branches")
        else:
            for index, branch in enumerate(branches):
                self._inner(_BRANCH, branch, scope, f"{at}/Branches[{index}]")

    def _map(self, state: dict[str, Any], place: Place, scope: dict[str, str], at: str) -> None:
        maps.whole(state, place, at)
        label = state.get("Label")
        if isinstance(label, str):
            if label in self._labels:
                self.report.error(DUPLICATE_LABEL_NAME, f"Duplicate Label name: {label}", f"{at}/Label")
            self._labels.add(label)
        # The iterations of a distributed Map are executions of their own: they see no variable from outside.
        outer = {} if maps.is_distributed(state) else scope
        for name in ("ItemProcessor", "Iterator"):
            if name in state:
                self._inner(_PROCESSOR, state[name], outer, f"{at}/{name}", maps.kind_of_iterations(state))


def _language(holder: dict[str, Any], inherited: QueryLanguage) -> QueryLanguage:
    """Return what AWS takes an object's QueryLanguage for: anything but exactly JSONPath is JSONata to it."""
    if "QueryLanguage" not in holder:
        return inherited
    return JSONPATH if holder["QueryLanguage"] == JSONPATH else JSONATA
