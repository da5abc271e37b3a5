"""The fields of each type of state."""

from __future__ import annotations

from typing import Any, Final

from retrain.states.model.values import JSONATA, JSONPATH
from retrain.states.validation import choices, fields, handlers, maps, variables
from retrain.states.validation.report import NO_PATH, PASS_RESULT_IS_STATIC, Place
from retrain.states.validation.resources import resource
from retrain.states.validation.shapes import Field, Shape

MAX_SECONDS: Final = 99_999_999


def _result(value: Any, place: Place, at: str) -> None:
    if _looks_evaluated(value):
        place.report.warning(
            PASS_RESULT_IS_STATIC, "Result is not evaluated: use Parameters for paths and functions", at
        )


def _looks_evaluated(value: Any) -> bool:
    if isinstance(value, dict):
        return any(key.endswith(".$") or _looks_evaluated(item) for key, item in value.items())
    if isinstance(value, list):
        return any(map(_looks_evaluated, value))
    return isinstance(value, str) and value.startswith(("$.", "$$."))


def _fail_text(value: Any, place: Place, at: str) -> None:
    fields.text(value, place, at)
    if place.language == JSONPATH and isinstance(value, str) and value.startswith(("$.", "$$.")):
        name = at.rsplit("/", 1)[-1]
        place.report.warning(NO_PATH, f"'{value}' looks like a path: write {name}Path", at)


_COMMON: Final = {
    "Type": Field(fields.anything),  # which decided what shape the state is checked by
    "QueryLanguage": Field(fields.enum(JSONPATH, JSONATA)),
    "Comment": Field(fields.string),
}
_NEXT_OR_END: Final = {"Next": Field(fields.string), "End": Field(fields.boolean)}
_INPUT_OUTPUT: Final = {
    "InputPath": Field(fields.path, JSONPATH),
    "OutputPath": Field(fields.path, JSONPATH),
    "Output": Field(fields.payload, JSONATA),
}
_ASSIGN: Final = {"Assign": Field(variables.assign)}
_PARAMETERS: Final = {"Parameters": Field(fields.payload, JSONPATH)}
_ARGUMENTS: Final = {"Arguments": Field(fields.object_payload, JSONATA)}
_RESULT: Final = {"ResultPath": Field(fields.result_path, JSONPATH)}
_AFTER_WORK: Final = {
    "Output": Field(lambda value, place, at: fields.payload(value, place.seeing("result"), at), JSONATA),
    "Assign": Field(lambda value, place, at: variables.assign(value, place.seeing("result"), at)),
}
_HANDLED: Final = {
    **_RESULT,
    **_AFTER_WORK,
    "ResultSelector": Field(fields.payload, JSONPATH),
    "Retry": Field(handlers.retry),
    "Catch": Field(handlers.catch),
}
_SECONDS: Final = Field(fields.integer(1, MAX_SECONDS))
_REFERENCE: Final = Field(fields.reference_path, JSONPATH)

_FLOW: Final = {**_COMMON, **_NEXT_OR_END, **_INPUT_OUTPUT, **_ASSIGN}

SHAPES: Final = {
    "Pass": Shape({**_FLOW, **_PARAMETERS, **_RESULT, "Result": Field(_result, JSONPATH)}, ("Type",)),
    "Task": Shape(
        {
            **_FLOW,
            **_PARAMETERS,
            **_ARGUMENTS,
            **_HANDLED,
            "Resource": Field(resource),
            "Credentials": Field(fields.object_payload),
            "TimeoutSeconds": _SECONDS,
            "TimeoutSecondsPath": _REFERENCE,
            "HeartbeatSeconds": _SECONDS,
            "HeartbeatSecondsPath": _REFERENCE,
        },
        ("Type", "Resource"),
        at_most_one=(("TimeoutSeconds", "TimeoutSecondsPath"), ("HeartbeatSeconds", "HeartbeatSecondsPath")),
    ),
    "Wait": Shape(
        {
            **_FLOW,
            "Seconds": Field(fields.integer(0, MAX_SECONDS)),
            "SecondsPath": _REFERENCE,
            "Timestamp": Field(fields.timestamp),
            "TimestampPath": _REFERENCE,
        },
        ("Type",),
        one_of=(("SecondsPath", "Seconds", "TimestampPath", "Timestamp"),),
    ),
    "Choice": Shape({**_COMMON, **choices.FIELDS}, ("Type", "Choices")),
    "Succeed": Shape({**_COMMON, **_INPUT_OUTPUT}, ("Type",)),
    "Fail": Shape(
        {
            **_COMMON,
            "Error": Field(_fail_text),
            "ErrorPath": Field(fields.path_or_intrinsic, JSONPATH),
            "Cause": Field(_fail_text),
            "CausePath": Field(fields.path_or_intrinsic, JSONPATH),
        },
        ("Type",),
        at_most_one=(("Error", "ErrorPath"), ("Cause", "CausePath")),
    ),
    "Parallel": Shape(
        {**_FLOW, **_PARAMETERS, **_ARGUMENTS, **_HANDLED, "Branches": Field(fields.anything)},
        ("Type", "Branches"),
    ),
    "Map": Shape(
        {
            **_FLOW,
            **_PARAMETERS,
            **_HANDLED,
            **maps.FIELDS,
            "ItemProcessor": Field(fields.anything),
            "Iterator": Field(fields.anything),
        },
        ("Type",),
        one_of=(("ItemProcessor", "Iterator"),),
        at_most_one=maps.AT_MOST_ONE,
    ),
}
"""By the value of Type. Branches and item processors, being machines, are checked by the walk itself."""

TYPES: Final = tuple(SHAPES)
GO_ON: Final = frozenset({"Pass", "Task", "Wait", "Parallel", "Map"})
"""Types that have Next or End."""
