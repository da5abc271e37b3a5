"""Builds the typed objects from a definition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from retrain.states.errors import DefinitionError
from retrain.states.model.conditions import And, ChoiceRule, Comparison, Condition, Not, Or
from retrain.states.model.handlers import Catcher, Retrier
from retrain.states.model.items import (
    ItemBatcher,
    ItemReader,
    ProcessorConfig,
    ReaderConfig,
    ResultWriter,
)
from retrain.states.model.names import ITERATOR, definition_names
from retrain.states.model.states import (
    Branch,
    Choice,
    Fail,
    ItemProcessor,
    Map,
    Parallel,
    Pass,
    State,
    StateMachine,
    Succeed,
    Task,
    Wait,
)
from retrain.states.model.values import JSONPATH, QueryLanguage

_TYPES: dict[str, type[Any]] = {
    each.type: each for each in (Pass, Task, Wait, Choice, Succeed, Fail, Parallel, Map)
}


def parse(definition: str | Mapping[str, Any], *, yaml: bool = True) -> StateMachine:
    """Return a definition as typed objects.

    Parameters
    ----------
    definition
        JSON or YAML text, or the parsed object, which is copied.
    yaml
        Whether text may be YAML; CreateStateMachine takes JSON alone.

    Raises
    ------
    DefinitionError
        AWS would refuse it; the error holds everything that was found.
    """
    from retrain.states.validation import examine  # which needs this package's values

    document, diagnostics = examine(definition, yaml=yaml)
    if document is None or any(each.severity == "ERROR" for each in diagnostics):
        raise DefinitionError(diagnostics)
    return build(document)


def build(document: Mapping[str, Any]) -> StateMachine:
    """Return a definition that validation has passed as typed objects; of any other, nothing is promised.

    For definitions that were checked when they came: checking takes longer than building.
    """
    language: QueryLanguage = document.get("QueryLanguage", JSONPATH)
    return StateMachine(
        states=_states(document, language),
        query_language=language,
        **_fields(StateMachine, document, "States", "QueryLanguage"),
    )


def build_state(name: str, document: Mapping[str, Any], language: QueryLanguage = JSONPATH) -> State:
    """Return a single state, as TestState is given one, under a machine of a query language."""
    kind = _TYPES[document["Type"]]
    own: QueryLanguage = document.get("QueryLanguage", language)
    made: dict[str, Any] = {"name": name, "query_language": own}
    for field, (attribute, make) in _PARTS.items():
        if field in document:
            made[attribute] = make(document[field], language)
    if kind is Map and "Parameters" in document:
        made["item_selector"] = document["Parameters"]
    state: State = kind(**made, **_fields(kind, document, "QueryLanguage", *_PARTS))
    return state


def _states(machine: Mapping[str, Any], language: QueryLanguage) -> dict[str, State]:
    return {name: build_state(name, state, language) for name, state in machine["States"].items()}


def _fields(kind: type[Any], document: Mapping[str, Any], *made: str) -> dict[str, Any]:
    """Return the arguments that a class takes as the definition has them, and the names that it has."""
    names = definition_names(kind)
    plain = {
        attribute: tuple(document[name]) if name in _TUPLES else document[name]
        for attribute, name in names.items()
        if name in document and name not in made
    }
    return {**plain, "given": tuple(document)}


_TUPLES = frozenset({"ErrorEquals", "CSVHeaders"})


def _branches(value: list[Any], language: QueryLanguage) -> tuple[Branch, ...]:
    return tuple(Branch(states=_states(each, language), **_fields(Branch, each, "States")) for each in value)


def _processor(value: Mapping[str, Any], language: QueryLanguage) -> ItemProcessor:
    config = value.get("ProcessorConfig")
    return ItemProcessor(
        states=_states(value, language),
        processor_config=None if config is None else ProcessorConfig(**_fields(ProcessorConfig, config)),
        **_fields(ItemProcessor, value, "States", "ProcessorConfig"),
    )


def _reader(value: Mapping[str, Any], _: QueryLanguage) -> ItemReader:
    config = value.get("ReaderConfig")
    return ItemReader(
        reader_config=None if config is None else ReaderConfig(**_fields(ReaderConfig, config)),
        **_fields(ItemReader, value, "ReaderConfig"),
    )


def _rule(value: Mapping[str, Any]) -> ChoiceRule:
    if "Condition" in value:
        return ChoiceRule(condition=value["Condition"], **_fields(ChoiceRule, value, "Condition"))
    own = {"Next", "Assign", "Comment"}
    return ChoiceRule(
        condition=_condition({name: item for name, item in value.items() if name not in own}),
        **_fields(ChoiceRule, value, "Condition"),
    )


def _condition(value: Mapping[str, Any]) -> Condition:
    given = tuple(value)
    comment = value.get("Comment")
    if "And" in value:
        return And(conditions=tuple(map(_condition, value["And"])), comment=comment, given=given)
    if "Or" in value:
        return Or(conditions=tuple(map(_condition, value["Or"])), comment=comment, given=given)
    if "Not" in value:
        return Not(condition=_condition(value["Not"]), comment=comment, given=given)
    operator = next(name for name in value if name not in {"Variable", "Comment"})
    return Comparison(
        variable=value["Variable"],
        operator=operator.removesuffix("Path"),
        value=value[operator],
        is_path=operator.endswith("Path"),
        comment=comment,
        given=given,
    )


def _batcher(value: Mapping[str, Any], _: QueryLanguage) -> ItemBatcher:
    return ItemBatcher(**_fields(ItemBatcher, value))


def _writer(value: Mapping[str, Any], _: QueryLanguage) -> ResultWriter:
    return ResultWriter(**_fields(ResultWriter, value))


def _rules(value: list[Any], _: QueryLanguage) -> tuple[ChoiceRule, ...]:
    return tuple(map(_rule, value))


def _retriers(value: list[Any], _: QueryLanguage) -> tuple[Retrier, ...]:
    return tuple(Retrier(**_fields(Retrier, each)) for each in value)


def _catchers(value: list[Any], _: QueryLanguage) -> tuple[Catcher, ...]:
    return tuple(Catcher(**_fields(Catcher, each)) for each in value)


_PARTS: dict[str, tuple[str, Callable[[Any, QueryLanguage], Any]]] = {
    "Branches": ("branches", _branches),
    "ItemProcessor": ("item_processor", _processor),
    ITERATOR: ("item_processor", _processor),
    "ItemReader": ("item_reader", _reader),
    "ItemBatcher": ("item_batcher", _batcher),
    "ResultWriter": ("result_writer", _writer),
    "Choices": ("choices", _rules),
    "Retry": ("retry", _retriers),
    "Catch": ("catch", _catchers),
}
"""Fields of states that become objects: the attribute, and what makes it."""
