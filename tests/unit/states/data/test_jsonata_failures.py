"""JSONata: which expressions fail or are refused, in which words, and how much they may take."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.states.data import Scope, jsonata, jsonataengine
from retrain.states.errors import StatesError


def evaluate(expression: str, given_input: Any = None, **more: Any) -> Any:
    return jsonata.evaluate(expression, Scope(given_input, **more), "Output/v")


def cause(expression: str, given_input: Any = None, **more: Any) -> str:
    with pytest.raises(StatesError) as caught:
        evaluate(expression, given_input, **more)
    assert caught.value.error == "States.QueryEvaluationError"
    return caught.value.cause


class TestNothing:
    @pytest.mark.parametrize(
        "expression",
        [
            "$states.input.missing",
            "$states.input.missing.more",
            "$states.input.text.length",
            "$states.input.a.b.c",
            "$states.result",
            "$states.errorOutput.Error",
            "$unset",
            "$unset.x",
            "$states.input.list[9]",
            "$states.input.list[n = 5]",
            "[]~>$filter(function($x){true})",
            "$lookup($states.input, 'zip')",
            "$partition([], 2)",
            "$partition([1,2,3], 0)",
            "$partition([1,2], -0.5)",
            "$range(1, 5)",
            "$range(5, 1, 1)",
            "$range(1, 5, 0)",
            "$hash('a')",
            "$parse()",
            "$parse($states.input.missing)",
            "$string()",
        ],
    )
    def test_an_expression_that_gives_nothing_fails(self, expression: str) -> None:
        assert cause(expression, {"a": {"b": 1}, "list": [{"n": 1}], "text": "abc"}) == (
            f"The JSONata expression '{expression}' specified for the field 'Output/v' "
            "returned nothing (undefined)."
        )

    @pytest.mark.parametrize(
        ("template", "field", "place"),
        [
            ({"v": "{% $states.input.missing %}"}, "Output", "Output/v"),
            ({"a": {"b": [[1, "{%$states.input.missing%}"]]}}, "Output", "Output/a/b[0][1]"),
            ("{% $states.input.missing %}", "Choices[1]/Condition", "Choices[1]/Condition"),
            ({"x": {"y": "{% $states.input.missing %}"}}, "Assign", "Assign/x/y"),
            ({"x": "{% $states.input.missing %}"}, "", "x"),
        ],
    )
    def test_the_cause_names_the_field(self, template: Any, field: str, place: str) -> None:
        with pytest.raises(StatesError) as caught:
            jsonata.fill(template, Scope({}), field)
        assert caught.value.cause == (
            f"The JSONata expression '$states.input.missing' specified for the field '{place}' "
            "returned nothing (undefined)."
        )

    @pytest.mark.parametrize("expression", ["$sum", "function($x){$x}", "/ab/", "[1, $sum]", "{'f': $uuid}"])
    def test_a_function_is_no_result(self, expression: str) -> None:
        assert cause(expression).endswith("'Output/v' returned an unsupported result type.")

    def test_another_type_than_the_field_wants(self) -> None:
        scope = Scope({"n": "1"})
        with pytest.raises(StatesError) as caught:
            jsonata.evaluate("{% $states.input.n %}", scope, "TimeoutSeconds", expected="number")
        assert caught.value.cause == (
            "The JSONata expression '$states.input.n' specified for the field 'TimeoutSeconds' returned an "
            "unexpected result type. Expected 'number', but was 'string' for value: \"1\""
        )
        assert jsonata.evaluate("{% $states.input.n = '1' %}", scope, expected="boolean") is True


class TestErrors:
    @pytest.mark.parametrize(
        ("expression", "tail"),
        [
            ("$eval('1+1')", ". T1006: Attempted to invoke a non-function"),
            (
                "$split('a','b',-1)",
                ". D3020: Third argument of split function must evaluate to a positive number",
            ),
            (
                "$each('x', function($v){$v})",
                '. T0410: Argument 1 of function "each" does not match function signature',
            ),
            (
                "$replace('a','','b')",
                ". D3010: Second argument of replace function cannot be an empty string",
            ),
            ("$sqrt(-1)", ". D3060: The sqrt function cannot be applied to a negative number: -1"),
            ("1 + {}", '. T2002: The right side of the "+" operator must evaluate to a number'),
            (
                "1 < 'a'",
                '. T2009: The values 1 and "a" either side of operator "<" must be of the same data type',
            ),
            ("$sum(['a'])", '. T0412: Argument 1 of function "sum" must be an array of "numbers"'),
            ("$error('boom')", ". D3137: boom"),
            (
                "$uppercase(null)",
                '. T0410: Argument 1 of function "uppercase" does not match function signature',
            ),
            ("$parse(null)", '. T0410: Argument 1 of function "parse" does not match function signature'),
            (
                "$parse('{}', 'x')",
                '. T0410: Argument 2 of function "parse" does not match function signature',
            ),
            ("$partition([1,2,3], -1)", ". D3137: Second argument must be zero or greater"),
            (
                "$partition(null, 2)",
                '. T0412: Argument 1 of function "partition" must be an array of "arrays"',
            ),
            ("$range(1)", '. T0410: Argument 2 of function "range" does not match function signature'),
            ("$hash(42, 'MD5')", '. T0410: Argument 1 of function "hash" does not match function signature'),
            ("$uuid('x')", '. T0410: Argument 1 of function "uuid" does not match function signature'),
            ("$random(1, 2)", '. T0410: Argument 2 of function "random" does not match function signature'),
        ],
    )
    def test_the_cause_has_the_expression_and_the_code(self, expression: str, tail: str) -> None:
        assert cause("{% " + expression + " %}") == (
            f"The JSONata expression '{expression}' specified for the field 'Output/v' threw an error "
            f"during evaluation{tail}"
        )

    @pytest.mark.parametrize(
        "text", ["", "  ", "{}{}", "[1] [2]", '{"a":1,"a":2}', "1e400", "NaN", "{'a':1}"]
    )
    def test_what_parse_refuses(self, text: str) -> None:
        assert ". D3137: Invalid JSON" in cause("$parse($states.input)", text)

    @pytest.mark.parametrize("name", ["md5", "SHA3-256", ""])
    def test_what_hash_refuses(self, name: str) -> None:
        assert ". D3137: " in cause(f"$hash('a', '{name}')")

    def test_an_error_of_pythons_comes_with_a_colon(self) -> None:
        assert "threw an error during evaluation: " in cause("$toMillis('nope')")

    @pytest.mark.parametrize(
        ("expression", "problem"),
        [
            ("a[1,2)", 'Expected "]", got ","'),
            ('"unterminated', "String literal must be terminated by a matching quote"),
            ("1 +", "Unexpected end of expression"),
            ('{"a":}', 'The symbol "}" cannot be used as a unary operator'),
            ('$match("a", /abc', "No terminating / in regular expression"),
            ("", "Unexpected end of expression"),
        ],
    )
    def test_what_is_not_well_formed(self, expression: str, problem: str) -> None:
        assert jsonata.check("{% " + expression + " %}") == problem
        assert jsonata.unsupported(expression) == ()
        assert problem in cause("{% " + expression + " %}")

    @pytest.mark.parametrize(
        ("expression", "what"),
        [
            ("phone", "'phone' at the top level"),
            ("$", "'$' at the top level"),
            ("$.a", "'$' at the top level"),
            ("$$", "'$$'"),
            ("$states.input[$$.a]", "'$$'"),
            ("$sum(x)", "'x' at the top level"),
            ("{'k': b}", "'b' at the top level"),
            ("$map($states.input.a, function($x){ b })", "'b' at the top level"),
        ],
    )
    def test_what_has_no_meaning_without_a_context_value(self, expression: str, what: str) -> None:
        assert jsonata.unsupported("{% " + expression + " %}") == (f"Reference to {what} is not supported.",)

    @pytest.mark.parametrize(
        "expression",
        [
            "$states.input.items[value > 3]",
            "$states.input.a.{'k': b}",
            "$states.input.a^(b)",
            "$x.(a + b)",
            "$states.input.a{b: c}",
            "$x[$ > 1]",
            "($y := 1; $y)",
        ],
    )
    def test_what_has(self, expression: str) -> None:
        assert jsonata.check(expression) is None
        assert jsonata.unsupported(expression) == ()


@given(st.text(alphabet="$ab1.[](){}:?;,'\"/\\*+-~>=<&|^@#%! fnucto", max_size=16))
def test_no_text_brings_the_parser_down(text: str) -> None:
    problem = jsonata.check(text)
    assert problem is None or problem in cause(text)
    assert all("is not supported." in each for each in jsonata.unsupported(text))


class TestLimits:
    RECURSION = "($f := function($x){ $x <= 0 ? 0 : 1 + $f($x-1) }; $f(%d))"

    @pytest.mark.parametrize(
        ("just", "too_deep"),
        [
            ("1" + "+1" * 99, "1" + "+1" * 100),
            ("(" * 99 + "1" + ")" * 99, "(" * 100 + "1" + ")" * 100),
            (RECURSION % 31, RECURSION % 32),
            ("1" + "~>$string" * 99, "1" + "~>$string" * 100),
        ],
    )
    def test_depth(self, just: str, too_deep: str) -> None:
        assert evaluate(just) is not None
        assert cause(too_deep).endswith(": " + jsonataengine.TOO_DEEP)

    def test_depth_beyond_what_python_can_parse(self) -> None:
        assert cause("(" * 50_000 + "1" + ")" * 50_000).endswith(": " + jsonataengine.TOO_DEEP)

    def test_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(jsonataengine, "MAXIMUM_SECONDS", 0.05)
        assert cause("($f := function($x){ $f($x+1) }; $f(1))").endswith(": " + jsonataengine.TOO_LONG)
        assert evaluate("($f := function($x){ $x = 9 ? $x : $f($x+1) }; $f(1))") == 9

    def test_memory(self) -> None:
        assert evaluate("[1..873782] ~> $count()") == 873_782
        assert cause("[1..873783] ~> $count()").endswith(": " + jsonataengine.TOO_LARGE)
        assert cause("$count($range(1, 360146, 1))").endswith(": " + jsonataengine.TOO_LARGE)
        doubling = "($f := function($s, $n){ $n = 0 ? $s : $f($s & $s, $n - 1) }; $length($f('x', %d)))"
        assert evaluate(doubling % 22) == 2**22
        assert cause(doubling % 23).endswith(": " + jsonataengine.TOO_LARGE)
