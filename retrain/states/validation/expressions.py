"""Checks of what a state's query language evaluates: paths, intrinsic functions, templates, JSONata."""

from __future__ import annotations

from typing import Any

from retrain.states.validation import jsonatas
from retrain.states.validation.report import (
    INVALID_JSONATA_EXPRESSION,
    NO_DOLLAR,
    UNSUPPORTED_JSONATA_EXPRESSION,
    Place,
)


def path_fault(path: str) -> str | None:
    """Return what is wrong with a JSONPath, or None."""
    from retrain.states.data import paths

    if not path.startswith("$"):
        return "A path must begin with '$'"
    return paths.check(path)


def reference_path_fault(path: str) -> str | None:
    """Return why a path cannot be one that means a single value, or None if it is."""
    from retrain.states.data import paths

    if not path.startswith("$"):
        return "Reference path didn't start with '$'"
    if fault := paths.check(path):
        return fault
    return None if paths.is_reference(path) else f"'{path}' can mean more than one value"


def intrinsic_fault(expression: str) -> str | None:
    """Return what is wrong with an intrinsic function, or None."""
    from retrain.states.data import intrinsics

    return intrinsics.check(expression)


def timestamp_fault(text: str) -> str | None:
    """Return what is wrong with a timestamp, or None."""
    from retrain.states.data import timestamps

    return None if timestamps.parse(text) is not None else "it is no time that RFC 3339 knows"


def is_jsonata(value: Any) -> bool:
    """Return whether a value is a string that stands for a JSONata expression."""
    return (
        isinstance(value, str)
        and value.startswith("{%")
        and value.endswith("%}")
        and len(value) >= len("{%%}")
    )


def jsonata(value: Any, place: Place, at: str) -> None:
    """Check all expressions inside a value."""
    if isinstance(value, dict):
        for key, item in value.items():
            jsonata(item, place, f"{at}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            jsonata(item, place, f"{at}[{index}]")
    elif is_jsonata(value):
        _expression(value[2:-2].strip(), place, at)
    elif isinstance(value, str) and value.startswith("{%"):
        place.report.schema("JSONata string must start with {% and end with %}", at)


def _expression(source: str, place: Place, at: str) -> None:
    from retrain.states.data import jsonata as language

    if fault := language.check(source):
        place.report.error(INVALID_JSONATA_EXPRESSION, fault, at)
        return
    for fault in (*language.unsupported(source), *jsonatas.missing_fields(source, place.sees)):
        place.report.error(UNSUPPORTED_JSONATA_EXPRESSION, fault, at)


def template(value: Any, place: Place, at: str) -> None:
    """Check the fields of a payload template whose names end in `.$`, however deep they are."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            template(item, place, f"{at}[{index}]")
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        here = f"{at}/{key}"
        if key.endswith(".$"):
            _dynamic(key, item, place, here)
            if key[:-2] in value:
                place.report.schema(f"Duplicate field '{key[:-2]}': it is given with and without '.$'", at)
        elif isinstance(item, str) and _looks_dynamic(item):
            place.report.warning(
                NO_DOLLAR, f"'{item}' looks like a path or an intrinsic function: write '{key}.$'", here
            )
        else:
            template(item, place, here)


def _dynamic(key: str, value: Any, place: Place, at: str) -> None:
    if not isinstance(value, str):
        place.report.schema(
            f"The value for the field '{key}' must be a STRING that contains a JSONPath or an intrinsic"
            " function call",
            at,
        )
        return
    fault = path_fault(value) if value.startswith("$") else intrinsic_fault(value)
    if fault:
        place.report.schema(
            f"The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call:"
            f" {fault}",
            at,
        )


def _looks_dynamic(text: str) -> bool:
    """Return whether a constant is probably meant to be evaluated; only the sure signs count."""
    return (
        text == "$"
        or text.startswith(("$.", "$$.", "$["))
        or (text.startswith("States.") and text.endswith(")"))
    )
