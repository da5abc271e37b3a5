"""JSONata: what AWS adds and takes away, values in and out, and the library's defects that are mended."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.states.data import Scope, jsonata
from retrain.states.errors import StatesError
from tests.unit.states.data.strategies import OBJECTS, VALUES


def evaluate(expression: str, given_input: Any = None, **more: Any) -> Any:
    return jsonata.evaluate(expression, Scope(given_input, **more), "Output/v")


def outcome(expression: str, scope: Scope) -> Any:
    """Return what an expression gives, or that it gives nothing, and the type: 1 is not 1.0 here."""
    try:
        return repr(jsonata.evaluate(expression, scope))
    except StatesError as error:
        return error.cause.rpartition("' ")[2]


class TestFunctions:
    @pytest.mark.parametrize(
        ("expression", "result"),
        [
            ("$partition([1,2,3,4,5], 2)", [[1, 2], [3, 4], [5]]),
            ("$partition([1,2,3])", [[1, 2, 3]]),
            ("$partition([1,2,3,4,5], 2.9)", [[1, 2], [3, 4], [5]]),
            ("$range(0, 10, 2)", [0, 2, 4, 6, 8, 10]),
            ("$range(10, 0, -2)", [10, 8, 6, 4, 2, 0]),
            ("$range(-1.7, 2, 1)", [-1, 0, 1, 2]),
            ("$range(5, 1, -1.5)", [5, 4, 3, 2, 1]),
            ("$range(3, 3, 1)", 3),
            ("$hash('Hello', 'MD5')", "8b1a9953c4611296a827abf8c47804d7"),
            ("$hash('ñ', 'MD5')", "94e9342ecbb1458b6043ecd3bfcbc192"),
            ("$random(42)", 0.7275636800328681),
            ("$random(0.9)", 0.730967787376657),
            ("$random()", 0.5),
            ("$uuid()", "00000000-0000-4000-8000-000000000001"),
            ('$parse(\'{"b":1,"a":[1,null]}\')', {"b": 1, "a": [1, None]}),
            ("$parse('{\"n\":9223372036854775807}').n", 9223372036854775807),
            ("$parse('1e2')", 100),
            ("$exists($parse('null'))", True),
            ("$map(['{\"a\":1}', '{\"a\":2}'], $parse).a", [1, 2]),
        ],
    )
    def test_those_that_aws_adds(self, scope: Scope, expression: str, result: Any) -> None:
        assert jsonata.evaluate(expression, scope) == result

    def test_the_one_that_aws_takes_away(self) -> None:
        with pytest.raises(StatesError, match="returned nothing"):
            evaluate("$eval")

    def test_the_time_is_that_of_the_scope(self) -> None:
        assert evaluate("$now()", clock=lambda: 0.0) == "1970-01-01T00:00:00.000Z"
        assert evaluate("$millis()", clock=lambda: 1.5) == 1500


class TestValues:
    @pytest.mark.parametrize(
        ("expression", "result"),
        [
            ("1/0", "Infinity"),
            ("-1/0", "-Infinity"),
            ("0/0", "NaN"),
            ("1e308 * 10", "Infinity"),
            ("[1/0]", ["Infinity"]),
            ("{'k': 1/0}", {"k": "Infinity"}),
            ("$parseInteger('abc', '0')", "NaN"),
            ("5.5 % 2", 1.5),
            ("-7 % 3", -1),
            ("10/2", 5),
            ("[0.5 + 0.5]", [1]),
            ("1e20", 1e20),
            ("1 in [true]", False),
            ("1 in [1, 2]", True),
            ("[1..3]", [1, 2, 3]),
            ("$count(null)", 1),
            ("$type(null)", "null"),
            ("$exists(null)", True),
            ("null", None),
            ("[null]", [None]),
            ("{'a': null}", {"a": None}),
            ("$states.input.nulls[$ = null]", None),
            ("$count($states.input.nulls)", 2),
            ("$states.input.nulls", [None, 1]),
            ("$states.input.whole", 1),
            ("$states.input.big", 9.223372036854776e18),
            ("$states.input.one", [7]),
            ("$states.input.one[0]", 7),
            ("$states.input.objects.k", [1, 2]),
            ("$states.input.objects[k = 1]", {"k": 1}),
            ("[$states.input.objects[k = 1]]", [{"k": 1}]),
            ("$states.input.objects[k = 1][]", [{"k": 1}]),
            ("$states.input.single.k", 1),
            ("$states.input.empty", []),
            ("$v.k", [9]),
            ("$v.k[0]", 9),
            ("$states.context.Execution.Name", "e"),
            ("$states.input.`and`", 5),
        ],
    )
    def test_results(self, expression: str, result: Any) -> None:
        scope = Scope(
            {
                "nulls": [None, 1],
                "whole": 1.0,
                "big": 2**63,
                "one": [7],
                "objects": [{"k": 1}, {"k": 2}],
                "single": [{"k": 1}],
                "empty": [],
                "and": 5,
            },
            {"Execution": {"Name": "e"}},
            {"v": {"k": [9]}},
        )
        value = jsonata.evaluate(expression, scope)
        assert value == result
        assert type(value) is type(result)

    @pytest.mark.parametrize(
        ("expression", "text"),
        [
            ("1e20", "100000000000000000000"),
            ("1.5e20", "150000000000000000000"),
            ("1e21", "1e+21"),
            ("-1e21", "-1e+21"),
            ("1e21 - 1", "1e+21"),
            ("1e100", "1e+100"),
            ("1e-6", "0.000001"),
            ("1e-7", "1e-7"),
            ("1/3", "0.333333333333333"),
            ("$parse('9223372036854775807')", "9223372036854775807"),
            ("$parse('9223372036854775808')", "9223372036854776000"),
            ("1.50", "1.5"),
            ("-0.0", "0"),
            ("true", "true"),
            ("null", "null"),
            ("'a'", "a"),
            ("$sum", ""),
            (
                "{'n': 1e20, 'é': [1.0, null, $sum, 'ü\"']}",
                '{"n":100000000000000000000,"é":[1,null,"","ü\\""]}',
            ),
        ],
    )
    def test_text(self, expression: str, text: str) -> None:
        assert evaluate(f"$string({expression})") == text
        if expression != "$sum":
            assert evaluate(f"'<' & ({expression}) & '>'") == f"<{text}>"

    def test_pretty_text(self) -> None:
        assert evaluate("$string({'a': 1, 'b': [], 'c': [{'d': 2}]}, true)") == (
            '{\n  "a": 1,\n  "b": [],\n  "c": [\n    {\n      "d": 2\n    }\n  ]\n}'
        )

    def test_what_the_states_variable_has(self) -> None:
        scope = Scope(1, {"c": 2}, result=None, error_output={"Error": "E"})
        assert jsonata.evaluate("$states", scope) == {
            "input": 1,
            "context": {"c": 2},
            "result": None,
            "errorOutput": {"Error": "E"},
        }
        assert jsonata.evaluate("$states.result", scope) is None
        assert jsonata.evaluate("$states.errorOutput.Error", scope) == "E"


class TestTemplates:
    def test_only_whole_texts_are_expressions(self, scope: Scope) -> None:
        template = {
            "a": "{% $states.input.foo %}",
            "b": "{%$count%}",
            "c": " {% 1 %}",
            "d": "x {% 1 %}",
            "e": "{% 1 %} ",
            "f": "{%",
            "{% 1 %}": 1,
            "g": [None, 2.5, True, ["{% 'x' %}"]],
        }
        before = copy.deepcopy(template)
        assert jsonata.fill(template, scope) == {
            "a": 123,
            "b": 3,
            "c": " {% 1 %}",
            "d": "x {% 1 %}",
            "e": "{% 1 %} ",
            "f": "{%",
            "{% 1 %}": 1,
            "g": [None, 2.5, True, ["x"]],
        }
        assert template == before

    @given(VALUES)
    def test_what_comes_in_goes_out(self, value: Any) -> None:
        before = copy.deepcopy(value)
        scope = Scope({"v": value}, variables={"v": value})
        assert jsonata.evaluate("$states.input.v", scope) == value
        assert jsonata.evaluate("$v", scope) == value
        assert jsonata.evaluate("{'x': $states.input.v}", scope) == {"x": value}
        assert value == before

    @given(VALUES, st.lists(st.sampled_from(["a", "b", "A", "AB"]), max_size=3))
    def test_plain_paths_give_what_the_library_gives(self, value: Any, names: list[str]) -> None:
        scope = Scope(value, variables={"v": value})
        for root in ("$states.input", "$v", "$states.result"):
            plain = ".".join([root, *names])
            assert outcome(plain, scope) == outcome(f"({plain})", scope)

    @given(OBJECTS)
    def test_nothing_is_changed(self, value: dict[str, Any]) -> None:
        before = copy.deepcopy(value)
        scope = Scope(value)
        for expression in (
            "$merge([$states.input, {'z': 1}])",
            "$states.input ~> |$|{'z': 1}|",
            "$append([$states.input.*], [1])",
            "[$states.input.* ~> $reverse()]",
            "$each($states.input, function($v, $k) {[$k, $v]}) ~> $string()",
        ):
            try:
                jsonata.evaluate(expression, scope)
            except StatesError as error:
                assert "returned nothing" in error.cause  # noqa: PT017 - an empty object gives nothing
        assert value == before


def test_the_library_is_loaded_only_when_it_is_needed() -> None:
    program = (
        "import sys\n"
        "limit = sys.getrecursionlimit()\n"
        "from retrain.states.data import Scope, jsonata\n"
        "assert jsonata.fill({'a': '{% $states.input.b.c %}'}, Scope({'b': {'c': 1.0}})) == {'a': 1}\n"
        "assert 'jsonata' not in sys.modules and sys.getrecursionlimit() == limit\n"
        "assert jsonata.evaluate('1 + 1', Scope(None)) == 2 and 'jsonata' in sys.modules\n"
        "assert sys.getrecursionlimit() == limit\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
