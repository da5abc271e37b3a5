"""Checks of single values: types, ranges, paths, expressions. Messages begin with AWS's own words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from retrain.states.model.values import JSONATA
from retrain.states.validation import expressions
from retrain.states.validation.report import Place, did_you_mean

Check: TypeAlias = Callable[[Any, Place, str], None]
"""Looks at a value, at a place, under a location."""


def anything(value: Any, place: Place, at: str) -> None:
    """Take any value."""


def string(value: Any, place: Place, at: str) -> None:
    """Take a string."""
    if not isinstance(value, str):
        _expected("STRING", value, place, at)


def boolean(value: Any, place: Place, at: str) -> None:
    """Take true or false."""
    if not isinstance(value, bool):
        _expected("BOOLEAN", value, place, at)


def number(minimum: float | None = None, maximum: float | None = None) -> Check:
    """Take a number within limits, or in a JSONata state an expression."""
    return _ranged(minimum, maximum, fraction=True)


def integer(minimum: int | None = None, maximum: int | None = None) -> Check:
    """Take an integer within limits, or in a JSONata state an expression."""
    return _ranged(minimum, maximum, fraction=False)


def constant_number(minimum: float | None = None, maximum: float | None = None) -> Check:
    """Take a number within limits, in either language; retriers know no expressions."""
    return _ranged(minimum, maximum, fraction=True, expression=False)


def constant_integer(minimum: int | None = None, maximum: int | None = None) -> Check:
    """Take an integer within limits, in either language."""
    return _ranged(minimum, maximum, fraction=False, expression=False)


def _ranged(
    minimum: float | None, maximum: float | None, *, fraction: bool, expression: bool = True
) -> Check:
    def check(value: Any, place: Place, at: str) -> None:
        if expression and place.language == JSONATA and expressions.is_jsonata(value):
            expressions.jsonata(value, place, at)
        elif isinstance(value, bool) or not isinstance(value, int | float if fraction else int):
            _expected("NUMBER" if fraction else "INTEGER", value, place, at)
        elif minimum is not None and value < minimum:
            place.report.schema(f"Minimum value is {minimum}", at)
        elif maximum is not None and value > maximum:
            place.report.schema(f"Maximum value is {maximum}", at)

    return check


def enum(*values: str) -> Check:
    """Take one of some strings."""

    def check(value: Any, place: Place, at: str) -> None:
        if not isinstance(value, str):
            _expected("STRING", value, place, at)
        elif value not in values:
            near = did_you_mean(value, values)
            place.report.schema(f"Value should be one of the following: [{', '.join(values)}]{near}", at)

    return check


def array_of(check: Check, *, empty: bool = False) -> Check:
    """Take an array, each element of which passes a check."""

    def check_all(value: Any, place: Place, at: str) -> None:
        if not isinstance(value, list):
            _expected("ARRAY", value, place, at)
        elif not value and not empty:
            place.report.schema("Value cannot be empty", at)
        else:
            for index, item in enumerate(value):
                check(item, place, f"{at}[{index}]")

    return check_all


def an_object(value: Any, place: Place, at: str) -> None:
    """Take an object."""
    if not isinstance(value, dict):
        _expected("OBJECT", value, place, at)


def path(value: Any, place: Place, at: str) -> None:
    """Take a JSONPath, or null."""
    if value is None:
        return
    if not isinstance(value, str):
        _expected("STRING", value, place, at)
    elif fault := expressions.path_fault(value):
        place.report.schema(f"Value must be a valid JSONPath. {fault}", at)


def reference_path(value: Any, place: Place, at: str) -> None:
    """Take a path that can only mean a single value."""
    if not isinstance(value, str):
        _expected("STRING", value, place, at)
    elif fault := expressions.reference_path_fault(value):
        place.report.schema(f"Value is not a Reference Path: {fault}", at)


def result_path(value: Any, place: Place, at: str) -> None:
    """Take null, or a path to a single place in the state's input; elsewhere nothing can be put."""
    if value is None:
        return
    reference_path(value, place, at)
    if isinstance(value, str) and value.startswith("$$"):
        place.report.schema(
            "Value is not a Reference Path: a result cannot be put into the context object ('$$')", at
        )
    elif isinstance(value, str) and re.match(r"\$[A-Za-z_]", value):
        place.report.schema(
            "Value is not a Reference Path: a result cannot be put into a variable; use Assign", at
        )


def path_or_intrinsic(value: Any, place: Place, at: str) -> None:
    """Take a path to a single value, or an intrinsic function."""
    if not isinstance(value, str):
        _expected("STRING", value, place, at)
    elif value.startswith("States."):
        if fault := expressions.intrinsic_fault(value):
            place.report.schema(f"Value is not a valid intrinsic function call: {fault}", at)
    else:
        reference_path(value, place, at)


def timestamp(value: Any, place: Place, at: str) -> None:
    """Take a time in RFC 3339's form, or in a JSONata state an expression."""
    if place.language == JSONATA and expressions.is_jsonata(value):
        expressions.jsonata(value, place, at)
    else:
        constant_timestamp(value, place, at)


def constant_timestamp(value: Any, place: Place, at: str) -> None:
    """Take a time in RFC 3339's form."""
    if not isinstance(value, str):
        _expected("STRING", value, place, at)
    elif expressions.timestamp_fault(value):
        place.report.schema("String does not match RFC3339 timestamp; write it like 2016-03-14T01:59:00Z", at)


def text(value: Any, place: Place, at: str) -> None:
    """Take a string, which in a JSONata state may be an expression."""
    if not isinstance(value, str):
        _expected("STRING", value, place, at)
    elif place.language == JSONATA:
        expressions.jsonata(value, place, at)


def condition(value: Any, place: Place, at: str) -> None:
    """Take a JSONata expression; a Boolean is one that needs no evaluation."""
    if isinstance(value, bool):
        return
    if not isinstance(value, str):
        _expected("STRING", value, place, at)
    elif not expressions.is_jsonata(value):
        place.report.schema("JSONata string must start with {% and end with %}", at)
    else:
        expressions.jsonata(value, place, at)


def payload(value: Any, place: Place, at: str) -> None:
    """Take what is filled in by the state's language: a payload template, or JSONata anywhere in a value."""
    if place.language == JSONATA:
        expressions.jsonata(value, place, at)
    elif not isinstance(value, dict):
        _expected("OBJECT", value, place, at)
    else:
        expressions.template(value, place, at)


def object_payload(value: Any, place: Place, at: str) -> None:
    """Take the same, but in JSONata an object or one expression for it."""
    if place.language == JSONATA and not isinstance(value, dict) and not expressions.is_jsonata(value):
        place.report.schema("Expected value of type [OBJECT] or a JSONata expression", at)
    else:
        payload(value, place, at)


def items(value: Any, place: Place, at: str) -> None:
    """Take an array, an object, or a JSONata expression."""
    if not isinstance(value, list | dict) and not expressions.is_jsonata(value):
        place.report.schema("Expected value of type [ARRAY], [OBJECT] or a JSONata expression", at)
    else:
        expressions.jsonata(value, place, at)


def _expected(name: str, value: Any, place: Place, at: str) -> None:
    may = name in {"NUMBER", "INTEGER"} and place.language == JSONATA and isinstance(value, str)
    remedy = "; a JSONata expression must start with {% and end with %}" if may else ""
    place.report.schema(f"Expected value of type [{name}]{remedy}", at)
