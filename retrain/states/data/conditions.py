"""What a Choice state in JSONPath decides by."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from retrain.states.data import paths, timestamps
from retrain.states.data.scope import Scope
from retrain.states.data.values import is_number
from retrain.states.errors import RUNTIME, StatesError
from retrain.states.model.conditions import And, Comparison, Condition, Not, Or
from retrain.states.model.values import ABSENT, Json


def matches(condition: Condition, scope: Scope) -> bool:
    """Return whether a rule's condition holds.

    Raises
    ------
    StatesError
        States.Runtime if a path of the condition leads nowhere, save for IsPresent.

    Notes ----- https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html: a value of another
    type than the operator's does not match; nothing is converted. And and Or stop at the first condition that
    decides.
    """
    if isinstance(condition, Comparison):
        return compare(condition, scope)
    if isinstance(condition, And):
        return all(matches(each, scope) for each in condition.conditions)
    if isinstance(condition, Or):
        return any(matches(each, scope) for each in condition.conditions)
    if isinstance(condition, Not):
        return not matches(condition.condition, scope)
    raise TypeError(f"{type(condition).__name__} is no condition of the States Language.")


def compare(comparison: Comparison, scope: Scope) -> bool:
    """Return whether one comparison holds; see `matches`."""
    operator = comparison.operator
    if operator == "IsPresent":
        return paths.exists(comparison.variable, scope) is comparison.value
    left = _value_at(comparison.variable, scope)
    if operator in _TYPE_TESTS:
        return _TYPE_TESTS[operator](left) is comparison.value
    value = comparison.value
    right = _value_at(str(value), scope) if comparison.is_path else value
    try:
        comparable, test = _COMPARISONS[operator]
    except KeyError:
        raise StatesError(RUNTIME, f"Choice states know no operator '{operator}'.") from None
    one, other = comparable(left), comparable(right)
    return one is not None and other is not None and test(one, other)


def _value_at(path: str, scope: Scope) -> Json:
    value = paths.find(path, scope)
    if value is ABSENT:
        raise StatesError(
            RUNTIME, f"Invalid path '{path}': The choice state's condition path references an invalid value."
        )
    return value


def _is_timestamp(value: Json) -> bool:
    return isinstance(value, str) and timestamps.parse(value) is not None


_TYPE_TESTS: Final[dict[str, Callable[[Json], bool]]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: isinstance(value, str),
    "IsNumeric": is_number,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": _is_timestamp,
}


# The value in a form that Python compares as AWS does; None if it is of another type.
def _string(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _ordered_string(value: Json) -> str | bytes | None:
    # Java orders strings by UTF-16 units: not as Python does beyond the Basic Multilingual Plane.
    return value.encode("utf-16-be", "surrogatepass") if isinstance(value, str) else None


def _number(value: Json) -> Any:
    return value if is_number(value) else None


def _boolean(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None


def _timestamp(value: Json) -> Any:
    return timestamps.parse(value) if isinstance(value, str) else None


def _equals(one: Any, other: Any) -> bool:
    return bool(one == other)


_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "LessThan": lambda one, other: one < other,
    "GreaterThan": lambda one, other: one > other,
    "LessThanEquals": lambda one, other: one <= other,
    "GreaterThanEquals": lambda one, other: one >= other,
}

_COMPARISONS: Final[dict[str, tuple[Callable[[Json], Any], Callable[[Any, Any], bool]]]] = {
    "StringEquals": (_string, _equals),
    "StringMatches": (_string, lambda text, pattern: string_matches(text, pattern)),
    "NumericEquals": (_number, _equals),
    "BooleanEquals": (_boolean, _equals),
    "TimestampEquals": (_timestamp, _equals),
    **{
        f"{kind}{order}": (comparable, test)
        for kind, comparable in (
            ("String", _ordered_string),
            ("Numeric", _number),
            ("Timestamp", _timestamp),
        )
        for order, test in _ORDERS.items()
    },
}

OPERATORS: Final = frozenset({"IsPresent", *_TYPE_TESTS, *_COMPARISONS})
"""All comparison operators, without the ending `Path`."""


def string_matches(text: str, pattern: str) -> bool:
    r"""Return whether a text matches a pattern in which `*` stands for any letters, also none.

    `\*` is an asterisk and `\\` a backslash; see https://states-language.net/spec.html#choice-state
    ("StringMatches").
    """
    pieces = _pieces(pattern)
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return text == first
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in pieces[1:-1]:  # the leftmost place is always as good as any other
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


_ESCAPED_OR_STAR: Final = re.compile(r"\\([\\*])|(\*)")


@lru_cache(maxsize=1024)
def _pieces(pattern: str) -> tuple[str, ...]:
    """Return the literal texts between the asterisks."""
    pieces, piece, at = [], "", 0
    for match in _ESCAPED_OR_STAR.finditer(pattern):
        piece += pattern[at : match.start()]
        at = match.end()
        if match[2]:
            pieces.append(piece)
            piece = ""
        else:
            piece += match[1]
    return (*pieces, piece + pattern[at:])
