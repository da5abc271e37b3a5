"""Payload templates: JSON in which the fields whose names end in `.$` are worked out.

https://states-language.net/spec.html#payload-template
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrain.states.data import intrinsics, paths
from retrain.states.data.scope import Scope
from retrain.states.errors import RUNTIME, StatesError
from retrain.states.model.values import ABSENT, Json

MARK = ".$"


def fill(template: Json, scope: Scope, *, error: str = RUNTIME) -> Json:
    """Return a template with its marked fields worked out and the mark taken off their names.

    Parameters
    ----------
    template : Json
        Parameters, ResultSelector, ItemSelector, Assign and the like. Not changed; parts without marks are
        shared.
    scope : Scope
        What paths and intrinsic functions may see.
    error : str
        The name of the error if a path leads nowhere.

    Returns
    -------
    Json
        What the template stands for.

    Raises
    ------
    StatesError
        A path leads nowhere, or an intrinsic function fails. An index past the end of an array is null, as in
        AWS, if the path ends with it.
    """
    if isinstance(template, Mapping):
        return {
            (key[: -len(MARK)] if key.endswith(MARK) else key): (
                _expression(key, value, scope, error)
                if key.endswith(MARK)
                else fill(value, scope, error=error)
            )
            for key, value in template.items()
        }
    if isinstance(template, (list, tuple)):
        return [fill(item, scope, error=error) for item in template]
    return template


def evaluate(expression: str, scope: Scope, *, field: str, error: str = RUNTIME) -> Json:
    """Return what a path or an intrinsic function gives, for the fields that take either.

    Such as `ErrorPath`, `CausePath` and every field of a payload template.

    Raises
    ------
    StatesError
        It leads nowhere, or fails.
    """
    if intrinsics.is_intrinsic(expression):
        return intrinsics.evaluate(expression, scope)
    paths.refuse_null_input(expression, scope, error)
    value = paths.find_or_null(expression, scope)
    if value is ABSENT:
        raise StatesError(error, paths.not_found(expression, field, paths.searched(expression, scope)))
    return value


def _expression(field: str, value: Any, scope: Scope, error: str) -> Json:
    if not isinstance(value, str):
        raise StatesError(
            error,
            f"The value for the field '{field}' must be a STRING that contains a JSONPath "
            "or an intrinsic function call",
        )
    return evaluate(value, scope, field=field, error=error)
