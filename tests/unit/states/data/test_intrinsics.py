"""Intrinsic functions: the examples of AWS's page, what fails, and how it is told."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.states.data import Scope, intrinsics
from retrain.states.errors import StatesError


def evaluate(expression: str, given_input: Any = None, **more: Any) -> Any:
    return intrinsics.evaluate(expression, Scope(given_input, **more))


def failure(expression: str, given_input: Any = None, **more: Any) -> StatesError:
    with pytest.raises(StatesError) as caught:
        evaluate(expression, given_input, **more)
    return caught.value


NESTED = "States.StringSplit(States.ArrayGetItem(States.StringSplit($.ImageRecipe.Arn, '/'), 2), '.')"


class TestFailures:
    @pytest.mark.parametrize(
        ("expression", "words"),
        [
            ("States.Nope()", "There is no intrinsic function 'States.Nope'"),
            ("States.UUID(1)", "takes 0 arguments, not 1"),
            ("States.Format()", "takes 1 or more arguments, not 0"),
            ("States.MathRandom(1)", "takes 2 to 3 arguments, not 1"),
            ("States.Format(1)", "must be a string, not number"),
            ("States.Format('{}')", "as many arguments as occurrences of {}: 0 for 1"),
            ("States.Format('{}', 1, 2)", "as many arguments as occurrences of {}: 2 for 1"),
            ("States.StringToJson('\\{')", "no JSON"),
            ("States.StringToJson('NaN')", "no JSON"),
            ("States.StringToJson(1)", "must be a string"),
            ("States.ArrayPartition($.array, 0)", "must be a positive integer"),
            ("States.ArrayPartition($.array, -1)", "must be a positive integer"),
            ("States.ArrayPartition($.array, 0.4)", "must be a positive integer"),
            ("States.ArrayPartition('abc', 1)", "takes an array first, not a value of type string"),
            ("States.ArrayContains($, 1)", "takes an array first"),
            ("States.ArrayRange(1, 9, 0)", "must not be 0"),
            ("States.ArrayRange(1, 1001, 0.4)", "must not be 0"),
            ("States.ArrayRange(0, 1000, 1)", "1,000 items at most, not 1,001"),
            ("States.ArrayRange('1', 2, 1)", "must be an integer, not string"),
            ("States.ArrayGetItem($.array, 3)", "out of bounds"),
            ("States.ArrayGetItem($.array, -1)", "out of bounds"),
            ("States.ArrayGetItem($.array, 1.5)", "must be an integer"),
            ("States.ArrayGetItem($.array, true)", "must be an integer, not boolean"),
            ("States.ArrayLength($.long)", "takes an array"),
            ("States.ArrayUnique(null)", "takes an array"),
            ("States.Base64Encode($.long)", "10,000 characters at most, not 10,001"),
            ("States.Base64Decode($.long)", "10,000 characters at most"),
            ("States.Base64Decode('not base64!')", "no Base64"),
            ("States.Base64Decode('QQ')", "no Base64"),
            ("States.Hash($.long, 'MD5')", "10,000 characters at most"),
            ("States.Hash('a', 'SHA256')", "knows MD5, SHA-1, SHA-256, SHA-384, SHA-512, not 'SHA256'"),
            ("States.Hash('a', 'md5')", "not 'md5'"),
            ("States.JsonMerge($, $, true)", "third argument must be false"),
            ("States.JsonMerge($.array, $, false)", "takes two objects, not array and object"),
            ("States.MathRandom(5, 5)", "must be less than the second"),
            ("States.MathAdd(2147483647, 1)", "is not from -2147483648 to 2147483647"),
            ("States.MathAdd(2147483648, 1)", "must be from -2147483648 to 2147483647"),
            ("States.MathAdd('1', 1)", "must be an integer, not string"),
            ("States.MathAdd(true, 1)", "must be an integer, not boolean"),
            ("States.StringSplit(1, ',')", "must be a string"),
            ("States.StringSplit('a', 1)", "second argument of States.StringSplit must be a string"),
        ],
    )
    def test_a_function_that_cannot_fails_as_an_intrinsic(self, expression: str, words: str) -> None:
        error = failure(expression, {"array": [1, 2, 3], "long": "a" * 10_001})
        assert error.error == "States.IntrinsicFailure"
        assert error.cause.startswith(f"The function '{expression}' had the following error: ")
        assert words in error.cause

    @pytest.mark.parametrize(
        ("expression", "argument"),
        [
            ("States.Format('{}', $.nope)", "$.nope"),
            ("States.Format('{} {}', $.other, $.a.b)", "$.a.b"),
            ("States.Format($.nope, 1)", "$.nope"),
            ("States.Format('{}', States.Format('{}', $.nope))", "$.nope"),
            ("States.Array(1, $.nope)", "$.nope"),
            ("States.Format('{}', $.items[5])", "$.items[5]"),
            ("States.Format('{}', $.items[5].x)", "$.items[5].x"),
            ("States.Format('{}', $$.Nope.Deep)", "$.Nope.Deep"),
        ],
    )
    def test_an_argument_that_leads_nowhere_is_a_runtime_error(self, expression: str, argument: str) -> None:
        error = failure(expression, {"other": 1, "items": [1]}, context={"State": {}})
        assert error.error == "States.Runtime"
        assert error.cause == (
            f"The function '{expression}' had the following error: The JsonPath argument for the field "
            f"'{argument}' could not be found in the input '{{\"other\":1,\"items\":[1]}}'"
        )

    def test_an_index_into_no_array_is_told_as_aws_tells_it(self) -> None:
        assert failure("States.Format('{}', $.other[0])", {"other": 1}).cause == (
            "The function 'States.Format('{}', $.other[0])' had the following error: "
            "Filter: [0] can only be applied to arrays. Current context is: 1"
        )


class TestSyntax:
    @pytest.mark.parametrize(
        "expression",
        [
            "States.",
            "States.Format",
            "States.Format(",
            "States.Format('a'",
            "States.Format('a)",
            "States.UUID() x",
            "States.Format('a',)",
            "States.Format(,)",
            "States.Format(a)",
            'States.Format("a")',
            "States.Array(01)",
            "States.Array(1 2)",
            "States.Array(TRUE)",
            "States.Array($.a[)",
            "States.Array($.a b)",
            "States.Array(.5)",
            "States.Format('a{b')",
            "States.Format('a}b')",
            r"States.Format('a\n')",
            r"States.Format('a\')",
            "States.UUID",
            "states.UUID()",
            "States.Array($.a['b)",
            "States.Array($.a.nope())",
            "",
        ],
    )
    def test_what_is_no_intrinsic_function(self, expression: str) -> None:
        assert intrinsics.check(expression)
        assert failure(expression, {"a": 1}).error == "States.IntrinsicFailure"

    def test_what_can_be_seen_before_it_runs(self) -> None:
        assert intrinsics.check("States.Format('{}', $.a)") is None
        assert intrinsics.check("States.Nope()") == "There is no intrinsic function 'States.Nope'."
        assert intrinsics.check("States.Array(States.UUID(1))") == "States.UUID takes 0 arguments, not 1."

    def test_the_paths_among_the_arguments(self) -> None:
        assert intrinsics.references("States.Format('{} {}', $.a, States.Array($$.b, $c))") == (
            "$.a",
            "$$.b",
            "$c",
        )
        assert intrinsics.references("States.Format(") == ()

    def test_ten_functions_fit_into_a_field(self) -> None:
        ten = "States.Array(" * 9 + "States.UUID()" + ")" * 9
        assert intrinsics.check(ten) is None
        assert intrinsics.check(f"States.Array({ten})") == "A field can have 10 intrinsic functions at most."
        assert failure(f"States.Array({ten})").error == "States.IntrinsicFailure"

    @given(st.text(alphabet="States.Format('{}\\,$ab)[]1 ", max_size=20))
    def test_no_text_brings_the_parser_down(self, text: str) -> None:
        if intrinsics.check("States." + text) is not None:
            assert failure("States." + text).error in {"States.IntrinsicFailure", "States.Runtime"}


class TestExamples:
    """Those of https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html."""

    @pytest.mark.parametrize(
        ("expression", "given_input", "result"),
        [
            ("States.Array($.Id)", {"Id": 123456}, [123456]),
            ("States.Array()", None, []),
            (
                "States.ArrayPartition($.inputArray,4)",
                {"inputArray": [*range(1, 10)]},
                [
                    [1, 2, 3, 4],
                    [5, 6, 7, 8],
                    [9],
                ],
            ),
            ("States.ArrayPartition($,1.5)", [1, 2, 3], [[1, 2], [3]]),
            (
                "States.ArrayContains($.inputArray, $.lookingFor)",
                {"inputArray": [*range(1, 10)], "lookingFor": 5},
                True,
            ),
            ("States.ArrayRange(1, 9, 2)", None, [1, 3, 5, 7, 9]),
            ("States.ArrayRange(9, 1, -4)", None, [9, 5, 1]),
            ("States.ArrayRange(5, 1, 1)", None, []),
            ("States.ArrayGetItem($.inputArray, $.index)", {"inputArray": [*range(1, 10)], "index": 5}, 6),
            ("States.ArrayLength($.inputArray)", {"inputArray": [*range(1, 10)]}, 9),
            ("States.ArrayUnique($.inputArray)", {"inputArray": [1, 2, 3, 3, 3, 3, 3, 3, 4]}, [1, 2, 3, 4]),
            ("States.Base64Encode($.input)", {"input": "Data to encode"}, "RGF0YSB0byBlbmNvZGU="),
            ("States.Base64Decode($.base64)", {"base64": "RGF0YSB0byBlbmNvZGU="}, "Data to encode"),
            (
                "States.Hash($.Data, $.Algorithm)",
                {"Data": "input data", "Algorithm": "SHA-1"},
                "aaff4a450a104cd177d28d18d74485e8cae074b7",
            ),
            (
                "States.JsonMerge($.json1, $.json2, false)",
                {"json1": {"a": {"a1": 1, "a2": 2}, "b": 2}, "json2": {"a": {"a3": 1, "a4": 2}, "c": 3}},
                {"a": {"a3": 1, "a4": 2}, "b": 2, "c": 3},
            ),
            (
                "States.StringToJson($.escapedJsonString)",
                {"escapedJsonString": '{"foo": "bar"}'},
                {"foo": "bar"},
            ),
            (
                "States.JsonToString($.unescapedJson)",
                {"unescapedJson": {"foo": "bär", "n": [1, None]}},
                '{"foo":"bär","n":[1,null]}',
            ),
            ("States.MathAdd($.value1, $.step)", {"value1": 111, "step": -1}, 110),
            (
                "States.StringSplit($.inputString, $.splitter)",
                {"inputString": "1,2,3,4,5", "splitter": ","},
                ["1", "2", "3", "4", "5"],
            ),
            (
                "States.StringSplit($.inputString, $.splitter)",
                {"inputString": "This.is+a,test=string", "splitter": ".+,="},
                ["This", "is", "a", "test", "string"],
            ),
            ("States.Format('Hello, my name is {}.', $.name)", {"name": "Arnav"}, "Hello, my name is Arnav."),
            (
                "States.Format($.template, $.name)",
                {"name": "Arnav", "template": "Hello, my name is {}."},
                "Hello, my name is Arnav.",
            ),
            (
                f"States.Array(States.ArrayGetItem({NESTED}, 0), States.ArrayGetItem({NESTED}, 1))",
                {"ImageRecipe": {"Arn": "arn/recipe/1.2.3"}},
                ["1", "2"],
            ),
        ],
    )
    def test_it(self, expression: str, given_input: Any, result: Any) -> None:
        assert evaluate(expression, given_input) == result

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (None, "null"),
            (True, "true"),
            (1, "1"),
            (1.1, "1.1"),
            ("", ""),
            ("a'b", "a'b"),
            ({"Arg1": 1, "Arg2": []}, "{Arg1=1, Arg2=[]}"),
            ([None, "x", [True]], "[null, x, [true]]"),
            (1e7, "1.0E7"),
            (12345678.9, "1.23456789E7"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (-1e21, "-1.0E21"),
            (100.0, "100.0"),
        ],
    )
    def test_what_values_look_like_in_text(self, value: Any, text: str) -> None:
        assert evaluate("States.Format('<{}>', $)", value) == f"<{text}>"

    def test_escapes(self) -> None:
        assert evaluate(r"States.Format('it\'s \{\} and \\ and {}', 1)") == r"it's {} and \ and 1"
        assert evaluate(r"States.Array('a\'b', '{}', '\{')") == ["a'b", "{}", "{"]

    def test_arguments_of_all_kinds(self) -> None:
        expression = (
            "States.Array( true ,false,null,-1.5e2, 0,'x', $['a,)']  ,$$.N, $v[0], $.b[?(@.c == ')')].c )"
        )
        scope = Scope({"a,)": 1, "b": [{"c": ")"}]}, {"N": 2}, {"v": [3]})
        assert intrinsics.check(expression) is None
        assert intrinsics.evaluate(expression, scope) == [True, False, None, -150.0, 0, "x", 1, 2, 3, [")"]]

    @pytest.mark.parametrize(
        ("numbers", "total"),
        [
            ("1.49, 1.5", 3),
            ("0.5, 0", 1),
            ("2.5, 0", 3),
            ("-0.5, 0", 0),
            ("-1.5, 0", -1),
            ("-1.51, 0", -2),
            ("-0.5, 0.5", 1),
            ("2147483647, 0", 2147483647),
            ("-2147483648, 0", -2147483648),
        ],
    )
    def test_fractions_are_rounded_as_java_rounds(self, numbers: str, total: int) -> None:
        assert evaluate(f"States.MathAdd({numbers})") == total

    def test_what_is_the_same(self) -> None:
        assert evaluate(
            "States.ArrayUnique($)", [1, True, 1.0, "1", None, [1], [True], [1], {"a": 1}, {"a": 1}]
        ) == [
            1,
            True,
            "1",
            None,
            [1],
            [True],
            {"a": 1},
        ]
        assert evaluate("States.ArrayContains($, 1)", [True, "1"]) is False
        assert evaluate("States.ArrayContains($, true)", [1, 1.0]) is False

    def test_random_numbers(self, scope: Scope) -> None:
        assert intrinsics.evaluate("States.UUID()", scope) == "00000000-0000-4000-8000-000000000001"
        assert intrinsics.evaluate("States.MathRandom(1, 11)", scope) == 6
        drawn = evaluate("States.MathRandom(0, 999, 3)")
        assert drawn == evaluate("States.MathRandom(0, 999, 3)")
        assert 0 <= drawn < 999
        assert re.fullmatch(
            r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", evaluate("States.UUID()")
        )
