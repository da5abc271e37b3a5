"""JSON values as attributes of DynamoDB, and back."""

import math
from typing import Any

_LEAST_NUMBER, _GREATEST_NUMBER = 1e-130, 9.999999999999999e125
"""The positive numbers that DynamoDB holds; it refuses an item with one beyond them."""


def to_attribute(value: Any) -> dict[str, Any]:
    """Turn a JSON value into an attribute of DynamoDB.

    Raises
    ------
    TypeError
        The value is none of JSON's.
    """
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int | float):
        return {"N": repr(_within_range(value))}
    if isinstance(value, dict):
        return {"M": {str(name): to_attribute(item) for name, item in value.items()}}
    if isinstance(value, frozenset):
        return {"SS": sorted(value)}
    if isinstance(value, list | tuple):
        return {"L": [to_attribute(item) for item in value]}
    raise TypeError(f"The ledger cannot hold a {type(value).__name__}.")


def _within_range(value: float) -> float:
    """Return the nearest number that DynamoDB holds: a p-value may be smaller than its least number."""
    if abs(value) < _LEAST_NUMBER:
        return 0
    if abs(value) > _GREATEST_NUMBER:
        return math.copysign(_GREATEST_NUMBER, value)
    return value


def from_attribute(attribute: dict[str, Any]) -> Any:
    """Turn an attribute of DynamoDB into a JSON value."""
    ((kind, value),) = attribute.items()
    if kind == "NULL":
        return None
    if kind == "N":
        return float(value) if set(value) & set(".eE") else int(value)
    if kind == "M":
        return {name: from_attribute(item) for name, item in value.items()}
    if kind == "L":
        return [from_attribute(item) for item in value]
    if kind == "SS":
        return frozenset(value)
    return value
