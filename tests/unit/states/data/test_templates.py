"""Payload templates."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given

from retrain.states.data import Scope, templates
from retrain.states.errors import PARAMETER_PATH_FAILURE, StatesError
from tests.unit.states.data.strategies import VALUES


def test_the_example_of_the_specification() -> None:
    template = {
        "flagged": True,
        "parts": {"first.$": "$.vals[0]", "last3.$": "$.vals[-3:]"},
        "weekday.$": "$$.DayOfWeek",
        "formattedOutput.$": "States.Format('Today is {}', $$.DayOfWeek)",
    }
    before = copy.deepcopy(template)
    scope = Scope({"flagged": 7, "vals": [0, 10, 20, 30, 40, 50]}, {"DayOfWeek": "TUESDAY"})
    assert templates.fill(template, scope) == {
        "flagged": True,
        "parts": {"first": 0, "last3": [30, 40, 50]},
        "weekday": "TUESDAY",
        "formattedOutput": "Today is TUESDAY",
    }
    assert template == before


def test_only_marked_fields_are_worked_out(scope: Scope) -> None:
    template = {
        "a": "$.foo",
        "b": "States.UUID()",
        "c": ["$.foo", {"d.$": "$.foo", "$": "$.foo"}],
        ".$": "$count",
    }
    assert templates.fill(template, scope) == {
        "a": "$.foo",
        "b": "States.UUID()",
        "c": ["$.foo", {"d": 123, "$": "$.foo"}],
        "": 3,
    }


def test_an_index_past_the_end_is_null_only_at_the_end_of_a_path(scope: Scope) -> None:
    assert templates.fill({"a.$": "$.bar[9]"}, scope) == {"a": None}
    with pytest.raises(StatesError, match="could not be found"):
        templates.fill({"a.$": "$.bar[9].x"}, scope)


@pytest.mark.parametrize("path", ["$.zip", "$.name.x", "$.nothing.x", "$.name[0]", "$unset", "$count.x"])
def test_a_path_that_leads_nowhere_fails_with_the_field(scope: Scope, path: str) -> None:
    with pytest.raises(StatesError) as caught:
        templates.fill({"deep": [{"field.$": path}]}, scope)
    assert caught.value.error == "States.Runtime"
    assert caught.value.cause.startswith(
        f"The JSONPath '{path}' specified for the field 'field.$' could not be found in the input '"
    )


def test_the_field_may_decide_the_error(scope: Scope) -> None:
    with pytest.raises(StatesError, match=r"States\.ParameterPathFailure"):
        templates.fill({"a.$": "$.zip"}, scope, error=PARAMETER_PATH_FAILURE)


@pytest.mark.parametrize("value", [1, None, {"a": 1}, ["$.foo"]])
def test_a_marked_field_must_be_a_text(scope: Scope, value: Any) -> None:
    with pytest.raises(StatesError, match=r"field 'a\.\$' must be a STRING"):
        templates.fill({"a.$": value}, scope)


@pytest.mark.parametrize("text", ["foo", "", "$.a[", "States.Nope()"])
def test_a_text_that_is_neither_path_nor_function_fails(scope: Scope, text: str) -> None:
    with pytest.raises(StatesError):
        templates.fill({"a.$": text}, scope)


def test_one_field_that_takes_a_path_or_a_function(scope: Scope) -> None:
    assert templates.evaluate("$.name", scope, field="ErrorPath") == "Ann"
    assert templates.evaluate("States.Format('{}!', $.name)", scope, field="ErrorPath") == "Ann!"
    with pytest.raises(StatesError, match="specified for the field 'ErrorPath'"):
        templates.evaluate("$.zip", scope, field="ErrorPath")


@given(VALUES, VALUES)
def test_what_the_input_has_goes_through_unchanged(value: Any, constant: Any) -> None:
    before = copy.deepcopy((value, constant))
    template = {"x": constant, "l": [constant], "v.$": "$.v", "s.$": "States.Array($.v)"}
    filled = templates.fill(template, Scope({"v": value}))
    assert filled == {"x": constant, "l": [constant], "v": value, "s": [value]}
    assert (value, constant) == before
