"""Intrinsic functions against simple oracles, with any JSON."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.states.data import Scope, intrinsics
from retrain.states.errors import StatesError
from tests.unit.states.data.strategies import ARRAYS, OBJECTS, VALUES


def evaluate(expression: str, given_input: Any = None) -> Any:
    return intrinsics.evaluate(expression, Scope(given_input))


@given(ARRAYS, st.integers(1, 9))
def test_partitions_joined_are_the_array(array: list[Any], size: int) -> None:
    chunks = evaluate(f"States.ArrayPartition($, {size})", array)
    assert [item for chunk in chunks for item in chunk] == array
    assert all(len(chunk) == size for chunk in chunks[:-1])


@given(ARRAYS)
def test_unique_items_are_all_there_once(array: list[Any]) -> None:
    texts = [json.dumps(item, sort_keys=True) for item in evaluate("States.ArrayUnique($)", array)]
    wanted = {json.dumps(item, sort_keys=True) for item in array}
    assert len(set(texts)) == len(texts)
    assert set(texts) <= wanted


@given(ARRAYS, VALUES)
def test_an_array_contains_what_was_put_into_it(array: list[Any], value: Any) -> None:
    given_input = {"array": [*array, value], "value": value}
    assert evaluate("States.ArrayContains($.array, $.value)", given_input) is True


@given(st.integers(-500, 500), st.integers(-500, 500), st.integers(-9, 9).filter(bool))
def test_ranges(first: int, last: int, step: int) -> None:
    expected = [n for n in range(min(first, last), max(first, last) + 1) if (n - first) % step == 0]
    if (step > 0) != (last >= first) and first != last:
        expected = []
    expression = f"States.ArrayRange({first}, {last}, {step})"
    if len(expected) > 1000:
        with pytest.raises(StatesError, match="1,000 items at most"):
            evaluate(expression)
    else:
        assert evaluate(expression) == (expected if step > 0 else expected[::-1])


@given(OBJECTS, OBJECTS)
def test_a_merge_has_the_fields_of_both(one: dict[str, Any], other: dict[str, Any]) -> None:
    given_input = {"one": one, "other": other}
    before = copy.deepcopy(given_input)
    merged = evaluate("States.JsonMerge($.one, $.other, false)", given_input)
    assert merged == {key: other.get(key, one.get(key)) for key in {*one, *other}}
    assert given_input == before


@given(VALUES)
def test_text_and_back(value: Any) -> None:
    assert evaluate("States.StringToJson(States.JsonToString($))", value) == value


@given(st.text(max_size=40))
def test_base64_and_back_and_hashes(text: str) -> None:
    assert evaluate("States.Base64Encode($)", text) == base64.b64encode(text.encode()).decode()
    assert evaluate("States.Base64Decode(States.Base64Encode($))", text) == text
    assert evaluate("States.Hash($, 'SHA-512')", text) == hashlib.sha512(text.encode()).hexdigest()


@given(st.text(alphabet="ab,.;é😀", max_size=20), st.text(alphabet=",.;😀", min_size=1, max_size=3))
def test_splitting(text: str, separators: str) -> None:
    expected = [piece for piece in re.split(f"[{re.escape(separators)}]", text) if piece]
    assert evaluate("States.StringSplit($.t, $.s)", {"t": text, "s": separators}) == expected


@given(st.lists(st.text(max_size=5), max_size=4))
def test_format_puts_values_in_their_places(values: list[str]) -> None:
    paths = "".join(f", $[{place}]" for place in range(len(values)))
    template = "|".join(["{}"] * len(values))
    assert evaluate(f"States.Format('{template}'{paths})", values) == "|".join(values)


@given(st.integers(-(2**30), 2**30 - 1), st.integers(-(2**30), 2**30 - 1))
def test_sums(one: int, other: int) -> None:
    assert evaluate(f"States.MathAdd({one}, {other})") == one + other


@given(st.integers(-(2**31), 2**31 - 1), st.integers(1, 10_000), st.integers(0, 99))
def test_random_numbers_stay_within(start: int, span: int, seed: int) -> None:
    end = min(start + span, 2**31 - 1)
    if start < end:
        assert start <= evaluate(f"States.MathRandom({start}, {end}, {seed})") < end
        assert start <= evaluate(f"States.MathRandom({start}, {end})") < end
