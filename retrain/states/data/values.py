"""Small things that are true of JSON values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from retrain.states.model.values import Json

INTEGER_MINIMUM: Final = -(2**31)
INTEGER_MAXIMUM: Final = 2**31 - 1


def text_of(value: Json) -> str:
    """Return a value as compact JSON text, other letters than ASCII's as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value.")


def same(one: Json, other: Json) -> bool:
    """Return whether two values are equal as JSON: true is not 1, 1 is 1.0, keys have no order."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(same(value, other[key]) for key, value in one.items())
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    return one == other


def is_number(value: object) -> bool:
    """Return whether a value is a JSON number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def nearest(value: float) -> int:
    """Return the nearest integer, halves upwards, as Java's Math.round does it."""
    return value if isinstance(value, int) else math.floor(value + 0.5)


def number_text(value: float) -> str:
    """Return a number as Java writes it in text: 1.1, 1.0E10, 1.23456789E7."""
    if isinstance(value, int):
        return str(value)
    size = abs(value)
    if size == 0 or 1e-3 <= size < 1e7 or not math.isfinite(value):
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    return f"{'-' * sign}{text[0]}.{text[1:] or '0'}E{int(exponent) + len(digits) - 1}"


def kind(value: object) -> str:
    """Return the JSON name of a value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
