"""Checks of Retry and Catch."""

from __future__ import annotations

from typing import Any, Final

from retrain.states.errors import PREDEFINED, RUNTIME, STATES_ALL
from retrain.states.model.values import JSONATA, JSONPATH
from retrain.states.validation import fields, variables
from retrain.states.validation.report import UNCATCHABLE_ERROR, UNKNOWN_ERROR_NAME, Place, did_you_mean
from retrain.states.validation.shapes import Field, Shape

_MAX_INTEGER: Final = 99_999_999
_YEAR: Final = 31_622_400
"""Seconds of a leap year, which MaxDelaySeconds must not exceed."""

_KNOWN: Final = PREDEFINED | {"States.Http.Socket"}


def _error_name(value: Any, place: Place, at: str) -> None:
    if not isinstance(value, str):
        place.report.schema("Expected value of type [STRING]", at)
    elif value == RUNTIME:
        place.report.warning(UNCATCHABLE_ERROR, f"No Retry and no Catch ever matches {value}", at)
    elif value.startswith("States.") and value not in _KNOWN:
        near = did_you_mean(value, _KNOWN)
        place.report.warning(UNKNOWN_ERROR_NAME, f"'{value}' is no error that the language defines{near}", at)


_ERROR_EQUALS: Final = Field(fields.array_of(_error_name))
_COMMENT: Final = Field(fields.string)

_RETRIER: Final = Shape(
    {
        "ErrorEquals": _ERROR_EQUALS,
        "IntervalSeconds": Field(fields.constant_integer(0, _MAX_INTEGER)),
        "MaxAttempts": Field(fields.constant_integer(0, _MAX_INTEGER)),
        "BackoffRate": Field(fields.constant_number(1)),
        "MaxDelaySeconds": Field(fields.constant_integer(1, _YEAR)),
        "JitterStrategy": Field(fields.enum("NONE", "FULL")),
        "Comment": _COMMENT,
    },
    ("ErrorEquals",),
)

_CATCHER: Final = Shape(
    {
        "ErrorEquals": _ERROR_EQUALS,
        "Next": Field(fields.string),
        "ResultPath": Field(fields.result_path, JSONPATH),
        "Output": Field(fields.payload, JSONATA),
        "Assign": Field(variables.assign),
        "Comment": _COMMENT,
    },
    ("ErrorEquals", "Next"),
)


def _retrier(value: Any, place: Place, at: str) -> None:
    _RETRIER.check(value, place, at)
    if not isinstance(value, dict):
        return
    interval, most = value.get("IntervalSeconds"), value.get("MaxDelaySeconds")
    if type(interval) is int and type(most) is int and 0 < most <= interval:
        place.report.schema(
            f"MaxDelaySeconds must be greater than IntervalSeconds, which is {interval}",
            f"{at}/MaxDelaySeconds",
        )


def _catcher(value: Any, place: Place, at: str) -> None:
    _CATCHER.check(value, place.seeing("errorOutput"), at)


def retry(value: Any, place: Place, at: str) -> None:
    """Check a Retry field."""
    fields.array_of(_retrier, empty=True)(value, place, at)
    _all_alone_and_last(value, place, at)


def catch(value: Any, place: Place, at: str) -> None:
    """Check a Catch field."""
    fields.array_of(_catcher, empty=True)(value, place, at)
    _all_alone_and_last(value, place, at)


def _all_alone_and_last(value: Any, place: Place, at: str) -> None:
    if not isinstance(value, list):
        return
    for index, each in enumerate(value):
        names = each.get("ErrorEquals") if isinstance(each, dict) else None
        if not isinstance(names, list) or STATES_ALL not in names:
            continue
        if len(names) > 1 or index < len(value) - 1:
            place.report.schema(
                f"{STATES_ALL} must appear alone and at end of list", f"{at}[{index}]/ErrorEquals"
            )
