"""Choice: every operator, strict about types."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.states.data import Scope, conditions
from retrain.states.errors import StatesError
from retrain.states.model.conditions import And, Comparison, Condition, Not, Or
from tests.unit.states.data.strategies import VALUES

EVERYTHING = [
    None,
    True,
    False,
    0,
    1,
    1.5,
    "",
    "1",
    "true",
    "2016-08-18T17:33:00Z",
    [],
    [1],
    {},
    {"a": 1},
]


def holds(operator: str, value: Any, other: Any) -> bool:
    """Compare with a constant and by a path: the answer must be the same."""
    scope = Scope({"v": value, "other": other})
    constant = conditions.matches(Comparison(variable="$.v", operator=operator, value=other), scope)
    if not operator.startswith("Is") and operator != "StringMatches":
        by_path = Comparison(variable="$.v", operator=operator, value="$.other", is_path=True)
        assert conditions.matches(by_path, scope) is constant
    return constant


class TestMissing:
    @pytest.mark.parametrize("operator", sorted(conditions.OPERATORS - {"IsPresent"}))
    @pytest.mark.parametrize("path", ["$.zip", "$.list[3]", "$.nothing.x", "$unset", "$$.Task"])
    def test_a_missing_variable_is_an_error(self, operator: str, path: str) -> None:
        scope = Scope({"list": [], "nothing": None})
        with pytest.raises(StatesError) as caught:
            conditions.matches(Comparison(variable=path, operator=operator, value=True), scope)
        assert caught.value.error == "States.Runtime"
        assert caught.value.cause == (
            f"Invalid path '{path}': The choice state's condition path references an invalid value."
        )

    def test_a_missing_other_side_is_an_error(self) -> None:
        comparison = Comparison(variable="$.a", operator="NumericEquals", value="$.zip", is_path=True)
        with pytest.raises(StatesError, match=r"Invalid path '\$\.zip'"):
            conditions.matches(comparison, Scope({"a": 1}))

    @pytest.mark.parametrize(
        ("path", "present"),
        [
            ("$.a", True),
            ("$.nothing", True),
            ("$.zip", False),
            ("$.list[0]", True),
            ("$.list[1]", False),
            ("$.zip.x", False),
            ("$$.Execution", True),
            ("$unset", False),
            ("$v", True),
        ],
    )
    def test_is_present_never_fails(self, path: str, present: bool) -> None:
        scope = Scope({"a": 1, "nothing": None, "list": [0]}, {"Execution": {}}, {"v": None})
        for wanted in (True, False):
            comparison = Comparison(variable=path, operator="IsPresent", value=wanted)
            assert conditions.matches(comparison, scope) is (present is wanted)

    def test_an_unknown_operator_is_an_error(self) -> None:
        with pytest.raises(StatesError, match="know no operator 'NumericSpicyThan'"):
            conditions.matches(Comparison(variable="$", operator="NumericSpicyThan", value=1), Scope(1))


class TestTypes:
    @pytest.mark.parametrize(
        ("operator", "those"),
        [
            ("IsNull", [None]),
            ("IsBoolean", [True, False]),
            ("IsNumeric", [0, 1, 1.5]),
            ("IsString", ["", "1", "true", "2016-08-18T17:33:00Z"]),
            ("IsTimestamp", ["2016-08-18T17:33:00Z"]),
        ],
    )
    def test_which_values_are_of_a_type(self, operator: str, those: list[Any]) -> None:
        for value in EVERYTHING:
            is_one = any(value is one or (type(value) is type(one) and value == one) for one in those)
            assert holds(operator, value, True) is is_one
            assert holds(operator, value, False) is not is_one

    @pytest.mark.parametrize(
        ("kind", "other", "fitting"),
        [
            ("String", "1", str),
            ("Numeric", 1, (int, float)),
            ("Boolean", True, bool),
            ("Timestamp", "2016-08-18T17:33:00Z", str),
        ],
    )
    def test_a_value_of_another_type_never_matches(self, kind: str, other: Any, fitting: Any) -> None:
        for value in EVERYTHING:
            if not isinstance(value, fitting) or (isinstance(value, bool) and kind != "Boolean"):
                for operator in conditions.OPERATORS:
                    if operator.startswith(kind):
                        assert holds(operator, value, other) is False


class TestOrder:
    @pytest.mark.parametrize(
        ("kind", "less", "more"),
        [
            ("Numeric", 1, 2),
            ("Numeric", -1.5, 0),
            ("Numeric", 0.1, 0.2),
            ("String", "A", "AB"),
            ("String", "B", "a"),
            ("String", "", "a"),
            ("String", "\U0001f600", "\uff5e"),
            ("String", "10", "9"),
            ("Timestamp", "2016-08-18T17:33:00Z", "2016-08-18T17:33:01Z"),
            ("Timestamp", "2016-08-18T18:33:00+01:00", "2016-08-18T17:33:00.000000001Z"),
            ("Timestamp", "2016-08-18T17:33:00.9Z", "2016-08-18T17:33:00-00:01"),
        ],
    )
    def test_less_and_more(self, kind: str, less: Any, more: Any) -> None:
        for one, other, sign in ((less, more, -1), (more, less, 1), (less, less, 0)):
            assert holds(f"{kind}Equals", one, other) is (sign == 0)
            assert holds(f"{kind}LessThan", one, other) is (sign < 0)
            assert holds(f"{kind}GreaterThan", one, other) is (sign > 0)
            assert holds(f"{kind}LessThanEquals", one, other) is (sign <= 0)
            assert holds(f"{kind}GreaterThanEquals", one, other) is (sign >= 0)

    def test_equal_in_another_form(self) -> None:
        assert holds("NumericEquals", 1, 1.0)
        assert holds("TimestampEquals", "2016-08-18T17:33:00Z", "2016-08-18T18:33:00.0+01:00")
        assert not holds("StringEquals", "Hello", "hello")
        assert holds("BooleanEquals", False, False)
        assert not holds("BooleanEquals", False, True)

    @given(VALUES, VALUES)
    def test_numbers_compare_as_numbers_do(self, one: Any, other: Any) -> None:
        numbers = all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in (one, other))
        assert holds("NumericLessThan", one, other) is (numbers and one < other)


class TestTimestamps:
    @pytest.mark.parametrize(
        "text",
        [
            "2016-03-14T01:59:00Z",
            "2016-03-14T01:59:00.123Z",
            "2016-03-14T01:59:00.123456789+05:30",
            "2024-02-29T00:00:00Z",
            "2016-03-14T01:59:00-08:00",
        ],
    )
    def test_those_that_are(self, text: str) -> None:
        assert holds("IsTimestamp", text, True)

    @pytest.mark.parametrize(
        "text",
        [
            "2016-08-18t17:33:00Z",
            "2016-08-18T17:33:00z",
            "2024-01-01",
            "2024-01-01T00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00+01",
            "2024-01-01T00:00:00+0100",
            "2024-13-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:60Z",
            "2024-01-01 00:00:00Z",
            " 2024-01-01T00:00:00Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00+19:00",
            "٢٠٢٤-01-01T00:00:00Z",
            "",
        ],
    )
    def test_those_that_are_not(self, text: str) -> None:
        assert not holds("IsTimestamp", text, True)
        assert not holds("TimestampGreaterThan", text, "1970-01-01T00:00:00Z")


class TestPatterns:
    @pytest.mark.parametrize(
        ("text", "pattern", "matches"),
        [
            ("log-2020.txt", "log-*.txt", True),
            ("log-.txt", "log-*.txt", True),
            ("log-2020.txt", "*.tx", False),
            ("abc", "abc", True),
            ("abc", "ABC", False),
            ("", "", True),
            ("", "*", True),
            ("a\nb", "a*b", True),
            ("a", "**", True),
            ("aXbXc", "a*b*c", True),
            ("acb", "a*b*c", False),
            ("ab", "ab*b", False),
            ("a.c", "a.c", True),
            ("abc", "a.c", False),
            ("a*c", r"a\*c", True),
            ("abc", r"a\*c", False),
            (r"a\c", r"a\\c", True),
            (r"a\bc", r"a\\*", True),
            (r"a\*", r"a\\\*", True),
            (r"a\b", r"a\b", True),
            ("[x]", "[*]", True),
        ],
    )
    def test_which_texts_match(self, text: str, pattern: str, matches: bool) -> None:
        assert holds("StringMatches", text, pattern) is matches

    @given(st.text(alphabet="ab*\\.", max_size=10), st.text(alphabet="ab*", max_size=7))
    def test_as_a_regular_expression_would(self, text: str, pattern: str) -> None:
        expression = re.escape(pattern).replace(r"\*", ".*")
        assert holds("StringMatches", text, pattern) is bool(re.fullmatch(expression, text, re.DOTALL))

    def test_many_asterisks_take_no_time(self) -> None:
        assert not conditions.string_matches("a" * 10_000, "*a" * 500 + "b")


class TestLogic:
    YES = Comparison(variable="$.a", operator="NumericEquals", value=1)
    NO = Comparison(variable="$.a", operator="NumericEquals", value=2)
    FAILS = Comparison(variable="$.zip", operator="NumericEquals", value=2)

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (And(conditions=(YES, YES)), True),
            (And(conditions=(YES, NO)), False),
            (Or(conditions=(NO, YES)), True),
            (Or(conditions=(NO, NO)), False),
            (Not(condition=NO), True),
            (Not(condition=YES), False),
            (And(conditions=(NO, FAILS)), False),
            (Or(conditions=(YES, FAILS)), True),
            (Not(condition=And(conditions=(YES, Or(conditions=(NO, Not(condition=YES)))))), True),
        ],
    )
    def test_trees(self, condition: Condition, expected: bool) -> None:
        assert conditions.matches(condition, Scope({"a": 1})) is expected

    def test_a_condition_that_decides_can_fail(self) -> None:
        with pytest.raises(StatesError):
            conditions.matches(And(conditions=(self.YES, self.FAILS)), Scope({"a": 1}))

    def test_jsonata_is_no_condition_here(self) -> None:
        with pytest.raises(TypeError, match="str is no condition"):
            conditions.matches("{% true %}", Scope(None))  # type: ignore[arg-type]
