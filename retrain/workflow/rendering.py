"""Writes values that hold placeholders as the States Language writes them, in either query language."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from retrain.states.model.names import definition_names
from retrain.states.model.values import ABSENT, JSONATA, QueryLanguage
from retrain.workflow.errors import PlaceholderError
from retrain.workflow.inputs.dynamic import Dynamic
from retrain.workflow.inputs.expressions import array


def template(value: Any, language: QueryLanguage, where: str) -> Any:
    """Return a payload template: an object that may hold placeholders at any depth.

    Parameters
    ----------
    value
        Dictionaries, lists, constants, placeholders, and objects of `retrain.states.model`.
    language
        The state's query language.
    where
        What the value belongs to, for messages.

    Raises
    ------
    PlaceholderError
        A placeholder stands where the query language cannot have one.
    """
    if isinstance(value, Dynamic):
        if language == JSONATA:
            return jsonata(value)
        raise PlaceholderError(
            f"{where} must be an object that holds placeholders, not the placeholder {value!r} itself: "
            "use input_path for that."
        )
    return _written(value, language, where)


def jsonata(value: Dynamic) -> str:
    """Return a placeholder as a string that JSONata states take for an expression."""
    return f"{{% {value.to_jsonata()} %}}"


def _written(value: Any, language: QueryLanguage, where: str) -> Any:
    if isinstance(value, Dynamic):
        return jsonata(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return model_object(value, language, where)
    if isinstance(value, Mapping):
        return _object(value, language, where)
    if isinstance(value, list | tuple):
        return [_written(each, language, where) for each in value]
    return value


def _object(value: Mapping[Any, Any], language: QueryLanguage, where: str) -> dict[str, Any]:
    written = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise PlaceholderError(f"{where} has the name {key!r}: the names of an object are strings.")
        if language != JSONATA and needs_path(item):
            dynamic = item if isinstance(item, Dynamic) else array(list(item))
            written[key if key.endswith(".$") else f"{key}.$"] = dynamic.to_jsonpath()
        else:
            written[key] = _written(item, language, f"{where}.{key}")
    return written


def needs_path(value: Any) -> bool:
    """Whether a value must be computed as a whole: a placeholder, or a list with one among its items."""
    if isinstance(value, Dynamic):
        return True
    return isinstance(value, list | tuple) and any(needs_path(each) for each in value)


def model_object(value: Any, language: QueryLanguage, where: str) -> dict[str, Any]:
    """Return an object of the model, such as an ItemReader, as a definition has it."""
    written = {}
    names = definition_names(type(value))
    for field in dataclasses.fields(value):
        name, item = names.get(field.name), getattr(value, field.name)
        if name is None or item is ABSENT or (item is None and field.default is None):
            continue
        if isinstance(item, Dynamic) and language != JSONATA:
            written[f"{name}Path" if f"{field.name}_path" in names else f"{name}.$"] = item.to_jsonpath()
        else:
            written[name] = _written(item, language, f"{where}.{name}")
    return written


def placeholders(value: Any) -> list[Dynamic]:
    """Return all placeholders inside a value."""
    if isinstance(value, Dynamic):
        return [value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return placeholders([getattr(value, field.name) for field in dataclasses.fields(value)])
    items = value.values() if isinstance(value, Mapping) else value
    if isinstance(items, list | tuple) or isinstance(value, Mapping):
        return [found for each in items for found in placeholders(each)]
    return []
