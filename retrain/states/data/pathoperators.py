"""Operators of filters in AWS's JSONPath: `==`, `=~`, `in`, `subsetof` and so on, as Jayway has them.

https://github.com/json-path/JsonPath#filter-operators, less `type` and `matches`, which need Java's types.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final

from retrain.states.data.values import is_number, same


class _Undefined(Enum):
    UNDEFINED = "UNDEFINED"


UNDEFINED: Final = _Undefined.UNDEFINED
"""What a path in a filter gives that leads nowhere."""


def _equal(one: Any, other: Any) -> bool:
    if UNDEFINED in (one, other) or isinstance(one, re.Pattern) or isinstance(other, re.Pattern):
        return False
    if is_number(one) and isinstance(other, str):  # a number finds itself in a text, as in Jayway
        try:
            return Decimal(other) == Decimal(repr(one))
        except InvalidOperation:
            return False
    if isinstance(one, str) and is_number(other):
        return one == repr(other)
    return same(one, other)


def _strictly_equal(one: Any, other: Any) -> bool:
    return is_number(one) == is_number(other) and _equal(one, other)


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(one: Any, other: Any) -> bool:
        if (is_number(one) and is_number(other)) or (isinstance(one, str) and isinstance(other, str)):
            return test(one, other)
        return False

    return compare


def _matches(one: Any, other: Any) -> bool:
    pattern, subject = (one, other) if isinstance(one, re.Pattern) else (other, one)
    if not isinstance(pattern, re.Pattern) or isinstance(subject, re.Pattern):
        return False
    subjects = subject if isinstance(subject, list) else [subject]
    return any(pattern.fullmatch(_text(each)) is not None for each in subjects)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, (bool, int, float)) else ""


def _among(one: Any, many: Any) -> bool:
    return isinstance(many, list) and any(_equal(one, each) for each in many)


def _contains(one: Any, other: Any) -> bool:
    return other in one if isinstance(one, str) and isinstance(other, str) else _among(other, one)


def _subset(one: Any, other: Any) -> bool:
    return isinstance(one, list) and isinstance(other, list) and all(_among(each, other) for each in one)


def _overlap(one: Any, other: Any) -> bool:
    return isinstance(one, list) and isinstance(other, list) and any(_among(each, other) for each in one)


def _disjoint(one: Any, other: Any) -> bool:
    return isinstance(one, list) and isinstance(other, list) and not _overlap(one, other)


def _has_size(one: Any, other: Any) -> bool:
    return is_number(other) and isinstance(one, (str, list, dict)) and len(one) == int(other)


def _is_empty(one: Any, other: Any) -> bool:
    return isinstance(one, (str, list, dict)) and (len(one) == 0) is other


TESTS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": _equal,
    "!=": lambda one, other: not _equal(one, other),
    "===": _strictly_equal,
    "!==": lambda one, other: not _strictly_equal(one, other),
    "<": _ordered(lambda one, other: bool(one < other)),
    "<=": _ordered(lambda one, other: bool(one <= other)),
    ">": _ordered(lambda one, other: bool(one > other)),
    ">=": _ordered(lambda one, other: bool(one >= other)),
    "=~": _matches,
    "in": _among,
    "nin": lambda one, other: not _among(one, other),
    "subsetof": _subset,
    "anyof": _overlap,
    "noneof": _disjoint,
    "all": lambda one, other: _subset(other, one),
    "contains": _contains,
    "size": _has_size,
    "empty": _is_empty,
}
"""What each operator says of two values."""
