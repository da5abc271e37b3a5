"""Functions at the end of a path: `$.items.length()`.

https://github.com/json-path/JsonPath#functions; AWS's page on paths says that reference paths cannot have
them, so other paths can.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from retrain.states.data.values import is_number
from retrain.states.model.values import Json

if TYPE_CHECKING:
    from retrain.states.data.pathsyntax import Function


class PathFunctionError(ValueError):
    """A function does not fit what the path leads to."""


def apply(function: Function, value: Json) -> Json:
    """Return what a function makes of a value.

    Raises
    ------
    PathFunctionError
        It cannot.
    """
    name = function.name
    if name in ("length", "size"):
        return len(value) if isinstance(value, (list, dict)) else None
    if name == "keys":
        if isinstance(value, dict):
            return list(value)
        raise PathFunctionError("Function keys() can only be applied to objects.")
    if name in ("first", "last", "index"):
        return _element(name, function.argument, value)
    numbers = [float(each) for each in value if is_number(each)] if isinstance(value, list) else []
    if not numbers:
        raise PathFunctionError("Aggregation function attempted to calculate value using empty array")
    if name == "stddev":
        return statistics.pstdev(numbers)
    if name == "avg":
        return sum(numbers) / len(numbers)
    if name == "sum":
        return sum(numbers)
    return min(numbers) if name == "min" else max(numbers)


def _element(name: str, argument: int | None, value: Json) -> Json:
    index = 0 if argument is None else argument
    if name == "last":
        index = -1
    if isinstance(value, list) and -len(value) <= index < len(value):
        found: Json = value[index]
        return found
    raise PathFunctionError(f"Function {name}() can only be applied to arrays that have that element.")
