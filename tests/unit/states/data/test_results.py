"""ResultPath."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.states.data import Scope, paths, results
from retrain.states.errors import StatesError
from retrain.states.model.values import ABSENT
from tests.unit.states.data.strategies import KEYS, OBJECTS, VALUES


@pytest.mark.parametrize(
    ("path", "raw_input", "words"),
    [
        ("$.x", "input1", 'Unable to apply ReferencePath $.x to input "input1"'),
        ("$.x", None, "Unable to apply ReferencePath $.x to input null"),
        ("$.x.y", 5, "Unable to apply ReferencePath $.x.y to input 5"),
        ("$[0]", True, "Unable to apply ReferencePath $[0] to input true"),
        ("$.x", [{"a": 1}], 'Unable to apply step "x" to input [{"a":1}]'),
        ("$[0]", {"a": 1}, 'Unable to apply step "0" to input {"a":1}'),
        ("$[1]", [0], 'Unable to apply step "1" to input [0]'),
        ("$.a.b", {"a": 1}, 'Unable to apply step "b" to input 1'),
        ("$.a.b", {"a": None}, 'Unable to apply step "b" to input null'),
        ("$.a[0]", {}, 'Unable to apply step "0" to input {}'),
        ("$.a[2].b", {"a": [1, 2]}, 'Unable to apply step "2" to input [1,2]'),
    ],
)
def test_a_path_that_does_not_fit_fails(path: str, raw_input: Any, words: str) -> None:
    with pytest.raises(StatesError) as caught:
        results.put(path, raw_input, "r")
    assert (caught.value.error, caught.value.cause) == ("States.ResultPathMatchFailure", words)


@pytest.mark.parametrize("path", ["$..a", "$.a[*]", "$.a[-1]", "$$.a", "$v.a", "a", "$.a[", "$.a[0:1]"])
def test_only_reference_paths_into_the_input_will_do(path: str) -> None:
    with pytest.raises(StatesError, match=r"States\.Runtime: Invalid path"):
        results.put(path, {"a": [1]}, "r")


@pytest.mark.parametrize(
    ("path", "raw_input", "output"),
    [
        (None, {"a": 1}, {"a": 1}),
        ("$", {"a": 1}, "r"),
        (ABSENT, {"a": 1}, "r"),
        ("$.x", {"a": 1}, {"a": 1, "x": "r"}),
        ("$.a", {"a": 1, "b": 2}, {"a": "r", "b": 2}),
        ("$.x.y.z", {}, {"x": {"y": {"z": "r"}}}),
        ("$.x.y", {"x": {"a": 1}}, {"x": {"a": 1, "y": "r"}}),
        ("$['x y'].z", {}, {"x y": {"z": "r"}}),
        ("$[1].payload", [{}, {"id": 7}], [{}, {"id": 7, "payload": "r"}]),
        ("$.a[0]", {"a": [1, 2]}, {"a": ["r", 2]}),
    ],
)
def test_where_the_result_goes(path: Any, raw_input: Any, output: Any) -> None:
    before = copy.deepcopy(raw_input)
    assert results.put(path, raw_input, "r") == output
    assert raw_input == before


def test_the_order_of_fields_stays() -> None:
    assert list(results.put("$.b", {"a": 1, "b": 2, "c": 3}, 0)) == ["a", "b", "c"]


@given(OBJECTS, VALUES, st.lists(KEYS, min_size=1, max_size=3))
def test_what_was_put_is_found_there_and_the_input_is_as_it_was(
    raw_input: dict[str, Any], result: Any, keys: list[str]
) -> None:
    before = copy.deepcopy(raw_input)
    path = "$" + "".join(f"['{key}']" for key in keys)
    try:
        output = results.put(path, raw_input, result)
    except StatesError as error:
        assert error.cause.startswith("Unable to apply step")  # noqa: PT017 - something else stands in the way
    else:
        assert paths.evaluate(path, Scope(output)) == result
        assert {key: value for key, value in output.items() if key != keys[0]} == {
            key: value for key, value in before.items() if key != keys[0]
        }
    assert raw_input == before
