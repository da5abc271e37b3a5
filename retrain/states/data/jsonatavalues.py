"""JSON values on their way into the JSONata library and out of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final


class _NoValue(Enum):
    UNDEFINED = "UNDEFINED"
    UNSUPPORTED = "UNSUPPORTED"


UNDEFINED: Final = _NoValue.UNDEFINED
"""What an expression gives that gives nothing; JSON cannot say it."""

UNSUPPORTED: Final = _NoValue.UNSUPPORTED
"""What an expression gives that gives a function."""

_LONG: Final = 2**63


def exact(value: Any) -> Any:
    """Return a value with its numbers as AWS has them in JSONata: 1.0 is 1, what no 64 bits hold is a double.

    What need not change is the value itself, not a copy.
    """
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if kind is int:
        return value if -_LONG <= value < _LONG else float(value)
    if kind is float:
        return int(value) if value.is_integer() and -_LONG <= value < _LONG else value
    return _mapped(value, exact)


def inward(value: Any, null: object) -> Any:
    """Return a value as the library wants it: `exact`, and with its own null instead of None."""
    if value is None:
        return null
    if isinstance(value, (str, bool, int, float)):
        return exact(value)
    return _mapped(value, lambda each: inward(each, null))


def _mapped(value: Any, change: Any) -> Any:
    if isinstance(value, list):
        items = [change(each) for each in value]
        unchanged = all(map(_identical, items, value))
        return value if unchanged and type(value) is list else items
    if isinstance(value, Mapping):
        fields = {key: change(each) for key, each in value.items()}
        unchanged = type(value) is dict and all(map(_identical, fields.values(), value.values()))
        return value if unchanged else fields
    return value


def _identical(one: object, other: object) -> bool:
    return one is other


def outward(value: Any, null: object) -> Any:
    """Return what the library gave as plain JSON; UNSUPPORTED if there is a function in it.

    Numbers that JSON has no word for become texts, as in AWS: "Infinity", "-Infinity", "NaN".
    """
    try:
        return _outward(value, null)
    except _NoJsonError:
        return UNSUPPORTED


class _NoJsonError(ValueError):
    """A function, or a regular expression."""


def _outward(value: Any, null: object) -> Any:
    if value is null or value is None:
        return None
    if isinstance(value, (str, bool, int)):
        return exact(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return exact(value)
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, (list, Mapping)):
        return _mapped(value, lambda each: _outward(each, null))
    raise _NoJsonError
