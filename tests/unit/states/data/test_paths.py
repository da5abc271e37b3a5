"""Paths: what they lead to, what is missing, and in which words AWS says so."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.states.data import Scope, paths, templates
from retrain.states.errors import PARAMETER_PATH_FAILURE, StatesError
from retrain.states.model.values import ABSENT
from tests.unit.states.data.strategies import VALUES


def failure(path: str, scope: Scope, **more: Any) -> StatesError:
    with pytest.raises(StatesError) as caught:
        paths.evaluate(path, scope, **more)
    return caught.value


class TestMissing:
    @pytest.mark.parametrize(
        ("path", "words"),
        [
            ("$.zip", "No results for path: $['zip']"),
            ("$.zip.code", "Missing property in path $['zip']"),
            ("$.car.cdr.x", "Expected to find an object with property ['x'] in path $['car']['cdr']"),
            ("$.nothing.x", "Expected to find an object with property ['x'] in path $['nothing']"),
            ("$.bar.x", "Expected to find an object with property ['x'] in path $['bar']"),
            ("$.name[0]", 'Filter: [0] can only be applied to arrays. Current context is: "Ann"'),
            ("$.nothing[0]", "The path $['nothing'] is null"),
            ("$.car[0]", "can only be applied to arrays"),
            ("$.bar[3]", "No results for path: $['bar'][3]"),
            ("$.bar[-4]", "No results for path: $['bar'][-4]"),
            ("$.zip[*].a", "Missing property in path $['zip']"),
            ("$.zip[1:]", "Missing property in path $['zip']"),
            ("$.name[1:]", "can only be applied to arrays"),
            ("$.name[?(@.a == 1)]", "can not be applied to primitives"),
            ("$.bar[9].x[*]", "No results for path: $['bar'][9]"),
            ("$['car', 'jar'].a", "Multi properties can only be used as path leafs: $['car', 'jar']"),
            ("$.empty.sum()", "empty array"),
            ("$$.Task.Token", "Missing property in path $['Task']"),
            ("$unset", "The variable '$unset' has not been assigned"),
            ("$count.x", "Expected to find an object"),
        ],
    )
    def test_a_definite_path_that_leads_nowhere_fails(self, scope: Scope, path: str, words: str) -> None:
        error = failure(path, scope)
        assert error.error == "States.Runtime"
        assert error.cause.startswith(f"Invalid path '{path}' : ")
        assert words in error.cause

    def test_the_cause_names_the_field_and_the_input(self) -> None:
        error = failure("$.application.address", Scope({"flagged": False}), field="address.$")
        assert error.cause == (
            "The JSONPath '$.application.address' specified for the field 'address.$' could not be found "
            "in the input '{\"flagged\":false}'"
        )

    def test_the_cause_quotes_the_context_object_for_a_path_into_it(self) -> None:
        error = failure("$$.Nope.Deep", Scope({}, {"State": {"Name": "é"}}), field="ctx.$")
        assert error.cause == (
            "The JSONPath '$.Nope.Deep' specified for the field 'ctx.$' could not be found in the input "
            '\'{"State":{"Name":"é"}}\''
        )

    def test_the_field_may_decide_the_error(self, scope: Scope) -> None:
        assert failure("$.zip", scope, error=PARAMETER_PATH_FAILURE).error == "States.ParameterPathFailure"

    @pytest.mark.parametrize("path", ["$", "$.a", "$[0]", "$[*]"])
    def test_a_path_on_an_input_that_is_null_fails(self, path: str) -> None:
        error = failure(path, Scope(None), field="InputPath")
        assert error.error == "States.Runtime"
        assert error.cause == "Unable to apply Path transformation to null or empty input."
        with pytest.raises(StatesError, match="null or empty input"):
            templates.fill({"a.$": path}, Scope(None))
        assert paths.evaluate("$$.a", Scope(None, {"a": None})) is None
        assert paths.evaluate("$v", Scope(None, {}, {"v": None})) is None

    def test_find_says_absent_instead(self, scope: Scope) -> None:
        assert paths.find("$.zip", scope) is ABSENT
        assert paths.find("$.nothing", scope) is None
        assert paths.find_or_null("$.bar[3]", scope) is None
        assert paths.find_or_null("$.bar[3].x", scope) is ABSENT

    @pytest.mark.parametrize(
        "path", ["$.bar[0]", "$.nothing", "$", "$$", "$count", "$.cars[*].zip", "$..zip"]
    )
    def test_what_exists(self, scope: Scope, path: str) -> None:
        assert paths.exists(path, scope)

    @pytest.mark.parametrize("path", ["$.empty[0]", "$.zip", "$.zip[*]", "$unset", "$$.Task", "$.name.x"])
    def test_what_does_not(self, scope: Scope, path: str) -> None:
        assert not paths.exists(path, scope)


class TestFound:
    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("$.foo", 123),
            ("$.bar", ["a", "b", "c"]),
            ("$.car.cdr", True),
            ("$.jar[?(@.a >= 5)]", [{"a": 5}, {"a": 7}]),
            ("$.abc.['def ghi']", "spaced"),
            ("$.abc['def ghi']", "spaced"),
            ('$["abc"]["x.y"]', "dotted"),
            (r"$.abc['it\'s']", "quoted"),
            (r"$.abc.x\.y", "dotted"),
            ("$.nothing", None),
            ("$.bar[0]", "a"),
            ("$.bar[-1]", "c"),
            ("$.bar[ 1 ]", "b"),
            ("$$.Execution.Name", "e"),
            ("$count", 3),
            ("$settings.depth[1].k", "v"),
            ("$.bar.length()", 3),
            ("$.car.length()", 1),
            ("$.name.length()", None),
            ("$.car.keys()", ["cdr"]),
            ("$.jar[*].a", [1, 5, 2, 7, 3]),
            ("$..a.sum()", 18.0),
            ("$..a.max()", 7.0),
            ("$..a.avg()", 3.6),
            ("$.bar.first()", "a"),
            ("$.bar.index(1)", "b"),
            ("$['foo', 'name', 'zip']", {"foo": 123, "name": "Ann"}),
        ],
    )
    def test_a_definite_path_gives_the_value(self, scope: Scope, path: str, value: Any) -> None:
        assert paths.evaluate(path, scope) == value

    @pytest.mark.parametrize(
        ("path", "values"),
        [
            ("$.bar[0,2]", ["a", "c"]),
            ("$.bar[0,9]", ["a", None]),
            ("$.bar[1:]", ["b", "c"]),
            ("$.bar[:2]", ["a", "b"]),
            ("$.bar[-2:]", ["b", "c"]),
            ("$.bar[5:]", []),
            ("$.bar[*]", ["a", "b", "c"]),
            ("$.car.*", [True]),
            ("$.name[*]", []),
            ("$.empty[*].x", []),
            ("$.cars[*].year", [2021, 1999]),
            ("$.cars[*].zip", []),
            ("$.cars[*].tags[0]", ["new", None, "new"]),
            ("$.cars[*].tags.length()", [2, 0, 1]),
            ("$.cars[?(@.year > 2000)][0]", []),
            ("$..maker", ["Volvo", "Skoda", "Tesla"]),
            ("$..cdr", [True]),
            ("$..zip", []),
            ("$..jar[0].a", [1]),
            (
                "$.cars[*]['maker', 'price']",
                [
                    {"maker": "Volvo", "price": 30.5},
                    {"maker": "Skoda", "price": 1},
                    {"maker": "Tesla"},
                ],
            ),
        ],
    )
    def test_an_indefinite_path_gives_a_list(self, scope: Scope, path: str, values: Any) -> None:
        assert paths.evaluate(path, scope) == values

    def test_lists_of_lists_are_flattened_by_two_wildcards(self) -> None:
        assert paths.evaluate("$[*][*]", Scope([[1, 2], [], [3]])) == [1, 2, 3]

    def test_everything_below_comes_from_the_top_down(self) -> None:
        value = {"a": {"b": [1, {"c": 2}]}, "d": 3}
        assert paths.evaluate("$..*", Scope(value)) == [
            {"b": [1, {"c": 2}]},
            3,
            [1, {"c": 2}],
            1,
            {"c": 2},
            2,
        ]


class TestFilters:
    @pytest.mark.parametrize(
        ("condition", "makers"),
        [
            ("@.year", "Volvo Skoda"),
            ("!@.year", "Tesla"),
            ("!(@.year)", "Tesla"),
            ("@.owner", "Tesla"),
            ("@.owner == null", "Tesla"),
            ("@.year == null", ""),
            ("@.year != 1999", "Volvo Tesla"),
            ("@.year == 1999", "Skoda"),
            ("@.year == '1999'", "Skoda"),
            ("@.year === '1999'", ""),
            ("@.year < '3000'", ""),
            ("@.price <= 1.0", "Skoda"),
            ("@.maker > 'Sz'", "Volvo Tesla"),
            ("@['maker'] == \"Volvo\"", "Volvo"),
            ("@.maker in ['Volvo', \"Tesla\"]", "Volvo Tesla"),
            ("@.maker nin ['Volvo']", "Skoda Tesla"),
            ("@.maker =~ /.*O.*/i", "Volvo Skoda"),
            ("@.maker =~ /olv/", ""),
            ("@.tags contains 'red'", "Volvo"),
            ("@.maker contains 'esl'", "Tesla"),
            ("@.tags subsetof ['new', 'blue']", "Skoda Tesla"),
            ("@.tags anyof ['red', 'blue']", "Volvo"),
            ("@.tags noneof ['red', 'blue']", "Skoda Tesla"),
            ("@.tags all ['new']", "Volvo Tesla"),
            ("@.tags size 1", "Tesla"),
            ("@.tags empty true", "Skoda"),
            ("@.tags[0] == 'new'", "Volvo Tesla"),
            ("@.tags.length() > 1", "Volvo"),
            ("@.year > $.foo && @.price > 2", "Volvo"),
            ("@.year == 1999 || @.price > 2 && @.maker == 'nobody'", "Skoda"),
            ("(@.year == 1999 || @.price > 2) && @.maker == 'Volvo'", "Volvo"),
            ("2000 < @.year", "Volvo"),
        ],
    )
    def test_which_items_pass(self, scope: Scope, condition: str, makers: str) -> None:
        assert paths.evaluate(f"$.cars[?({condition})].maker", scope) == makers.split()

    def test_an_object_is_tested_itself(self, scope: Scope) -> None:
        assert paths.evaluate("$.car[?(@.cdr == true)]", scope) == [{"cdr": True}]
        assert paths.evaluate("$.car[?(@.cdr == false)]", scope) == []

    def test_the_item_itself_matches_no_scalar(self) -> None:
        assert paths.evaluate("$[?(@ > 1)]", Scope([1, 2, 3])) == []

    def test_any_depth(self, scope: Scope) -> None:
        assert paths.evaluate("$..[?(@.year == 1999)].maker", scope) == ["Skoda"]


class TestSyntax:
    @pytest.mark.parametrize(
        "path",
        [
            "",
            "foo",
            ".foo",
            "$.",
            "$foo bar",
            "$.foo bar",
            "$.foo.",
            "$..",
            "$...a",
            "$[",
            "$[]",
            "$['a]",
            "$['a'",
            "$['a''b']",
            "$.a[1",
            "$.a[x]",
            "$.a[1:2:3]",
            "$.a[1,]",
            "$.a[?@.b]",
            "$.a[?(@.b]",
            "$.a[?(@.b ==)]",
            "$.a[?(1)]",
            "$.a[?(@.b == 'x)]",
            "$.a[?(@.b =~ /(/)]",
            "$.a[?(@.b type 'x')]",
            "$.a[?(@.b in [1)]",
            "$.a[(@.length-1)]",
            "$.a.nope()",
            "$.a.length().b",
            "$.a.length(1)",
            "$.a.index()",
            "$.a)",
            "$.a,b",
        ],
    )
    def test_what_is_no_path(self, path: str) -> None:
        problem = paths.check(path)
        assert problem
        assert not paths.is_reference(path)
        assert problem in failure(path, Scope({})).cause

    @pytest.mark.parametrize(
        "path",
        [
            "$",
            "$$",
            "$x",
            "$$.Execution.Id",
            "$.store.book",
            r"$.store\.book",
            r"$.\stor\e.boo\k",
            "$.store.book.title",
            r"$.foo.\.bar",
            r"$.foo\@bar.baz\[\[.\?pretty",
            "$.&Ж中.x",
            "$.ledgers.branch[0].pending.count",
            "$.ledgers[0][22][315].foo",
            "$['store']['book']",
            "$['store'][0]['book']",
            "$.a-b",
            "$.a_b",
            "$.Head.['Content-Type']",
        ],
    )
    def test_reference_paths(self, path: str) -> None:
        assert paths.check(path) is None
        assert paths.is_reference(path)

    @pytest.mark.parametrize(
        "path",
        [
            "$.a[*]",
            "$.*",
            "$..a",
            "$.a[0,1]",
            "$.a[0:1]",
            "$['a','b']",
            "$.a[?(@.b)]",
            "$.a.length()",
            "$.a[-1]",
        ],
    )
    def test_paths_that_are_no_reference_paths(self, path: str) -> None:
        assert paths.check(path) is None
        assert not paths.is_reference(path)

    def test_a_backslash_takes_the_next_letter_as_it_is(self) -> None:
        scope = Scope({"foo@bar": {"baz[[": {"?pretty": 1}}, "foo": {".bar": 2}})
        assert paths.evaluate(r"$.foo\@bar.baz\[\[.\?pretty", scope) == 1
        assert paths.evaluate(r"$.foo.\.bar", scope) == 2

    @given(st.text(alphabet="$@.[]()?*:,'\"ab01 &|=<>!~/\\-", max_size=14))
    def test_no_text_brings_the_parser_down(self, text: str) -> None:
        path, scope = "$" + text, Scope({"a": [1, {"b": 0}]})
        if paths.check(path) is None:
            assert paths.exists(path, scope) == (paths.find(path, scope) is not ABSENT)


STEPS = st.lists(st.one_of(st.sampled_from(["a", "b", "é"]), st.integers(-2, 2), st.just("*")), max_size=4)


def walked(value: Any, steps: list[Any]) -> list[Any]:
    """Return all that steps lead to; IndexError or KeyError if the definite part leads nowhere."""
    found, definite = [value], True
    for place, step in enumerate(steps, 1):
        following: list[Any] = []
        for each in found:
            if step == "*":
                following += (
                    each.values() if isinstance(each, dict) else each if isinstance(each, list) else []
                )
            elif isinstance(step, int) and isinstance(each, list):
                if -len(each) <= step < len(each):
                    following.append(each[step])
                elif definite:
                    raise IndexError(step)
                elif place == len(steps):
                    following.append(None)
            elif isinstance(step, str) and isinstance(each, dict) and step in each:
                following.append(each[step])
            elif definite:
                raise KeyError(step)
        definite = definite and step != "*"
        found = following
    return found


@given(VALUES, STEPS)
def test_a_path_goes_where_its_steps_go_and_changes_nothing(value: Any, steps: list[Any]) -> None:
    before = copy.deepcopy(value)
    path = "$.top" + "".join(
        "[*]" if step == "*" else f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps
    )
    try:
        expected = walked(value, steps)
    except (IndexError, KeyError):
        assert paths.find(path, Scope({"top": value})) is ABSENT
    else:
        assert paths.evaluate(path, Scope({"top": value})) == (expected if "*" in steps else expected[0])
    assert value == before
