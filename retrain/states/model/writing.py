"""Gives the typed objects back as a definition."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from retrain.states.model.conditions import And, ChoiceRule, Comparison, Condition, Not, Or
from retrain.states.model.names import ITERATOR, definition_names
from retrain.states.model.states import Map, StateBase, StateMachine
from retrain.states.model.values import ABSENT, QueryLanguage


def to_definition(machine: StateMachine) -> dict[str, Any]:
    """Return the definition of a state machine.

    What was parsed comes back as it was, its fields in their order, also those that only repeat a default.
    What was made or altered otherwise has the model's order, and no field that would only repeat a default.
    """
    return _object(machine, machine.query_language)


def _written(value: Any, language: QueryLanguage) -> Any:
    if isinstance(value, Comparison | And | Or | Not):
        return _in_order(_condition(value, language), value.given)
    if isinstance(value, ChoiceRule):
        return _rule(value, language)
    if isinstance(value, StateBase):
        return _state(value, language)
    if dataclasses.is_dataclass(value):
        return _object(value, language)
    if isinstance(value, tuple):
        return [_written(each, language) for each in value]
    if isinstance(value, Mapping):
        return {key: _written(item, language) for key, item in value.items()}
    if isinstance(value, list):
        return [_written(each, language) for each in value]
    return value


def _object(value: Any, language: QueryLanguage, skip: tuple[str, ...] = ()) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        name = definition_names(type(value)).get(field.name)
        if name is None or name in skip:
            continue
        item = getattr(value, field.name)
        if _says_something(value, field, item, name):
            document[name] = _written(item, language)
    return _in_order(document, value.given)


def _says_something(value: Any, field: dataclasses.Field[Any], item: Any, name: str) -> bool:
    if item is ABSENT or (item is None and field.default is None):
        return False
    return name in value.given or item != field.default


def _in_order(document: dict[str, Any], given: tuple[str, ...]) -> dict[str, Any]:
    first = {name: document[name] for name in given if name in document}
    return first | document


def _state(state: StateBase, language: QueryLanguage) -> dict[str, Any]:
    document: dict[str, Any] = {"Type": state.type, **_object(state, language, ("QueryLanguage",))}
    if "QueryLanguage" in state.given or state.query_language != language:
        document["QueryLanguage"] = state.query_language
    if isinstance(state, Map):
        for old, new in ((ITERATOR, "ItemProcessor"), ("Parameters", "ItemSelector")):
            if old in state.given and new in document:
                document[old] = document.pop(new)
    return _in_order(document, state.given)


def _rule(rule: ChoiceRule, language: QueryLanguage) -> dict[str, Any]:
    document = _object(rule, language, ("Condition",))
    if isinstance(rule.condition, str | bool):
        document["Condition"] = rule.condition
    else:
        document |= _condition(rule.condition, language)
    return _in_order(document, rule.given)


def _condition(condition: Condition, language: QueryLanguage) -> dict[str, Any]:
    comment = {} if condition.comment is None else {"Comment": condition.comment}
    if isinstance(condition, Comparison):
        operator = f"{condition.operator}Path" if condition.is_path else condition.operator
        return {**comment, "Variable": condition.variable, operator: _written(condition.value, language)}
    if isinstance(condition, Not):
        return {**comment, "Not": _written(condition.condition, language)}
    return {**comment, type(condition).__name__: _written(condition.conditions, language)}
