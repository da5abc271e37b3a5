"""Placeholders: what they are written as, and what schemas say no to."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from retrain.states.data import intrinsics, jsonata, paths
from retrain.states.data.scope import Scope
from retrain.workflow.errors import PlaceholderError
from retrain.workflow.inputs import (
    ContextObject,
    ExecutionInput,
    Format,
    Intrinsic,
    MapItemIndex,
    MapItemValue,
    StepInput,
    StepResult,
)
from retrain.workflow.steps import Catch, Chain, Graph, Map, Pass, Task, Wait

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
NAMES = st.text(min_size=1, max_size=12).filter(lambda name: "`" not in name)


def test_a_placeholder_is_a_path_into_what_it_stands_for():
    assert ExecutionInput()["a"]["b"][0].to_jsonpath() == "$$.Execution.Input['a']['b'][0]"
    assert StepInput()["a"].to_jsonpath() == "$['a']"
    assert StepResult()["a"].to_jsonpath() == "$['a']"
    assert MapItemValue()["a"].to_jsonpath() == "$$.Map.Item.Value['a']"
    assert MapItemIndex().to_jsonpath() == "$$.Map.Item.Index"
    assert ContextObject()["Execution"]["Name"].to_jsonpath() == "$$.Execution.Name"
    assert StepInput().to_jsonpath() == "$"


def test_a_placeholder_is_an_expression_in_jsonata():
    assert ExecutionInput()["a b"]["c"].to_jsonata() == "$states.context.Execution.Input.`a b`.c"
    assert StepInput()["a"][1].to_jsonata() == "$states.input.a[1]"
    assert StepResult()["a"].to_jsonata() == "$states.result.a"
    assert MapItemIndex().to_jsonata() == "$states.context.Map.Item.Index"


@settings(deadline=None)
@given(st.lists(st.one_of(NAMES, st.integers(0, 9)), max_size=5))
def test_every_name_makes_a_path_and_an_expression_that_the_engine_reads(names):
    placeholder = ExecutionInput()
    for name in names:
        placeholder = placeholder[name]
    assert paths.check(placeholder.to_jsonpath()) is None
    assert jsonata.check(placeholder.to_jsonata()) is None


@settings(deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=4), st.integers())
def test_the_path_leads_to_the_value(names, value):
    placeholder, document = StepInput(), value
    for name in names:
        placeholder = placeholder[name]
    for name in reversed(names):
        document = {name: document}
    assert paths.evaluate(placeholder.to_jsonpath(), Scope(input=document, context={})) == value


def test_the_same_name_is_the_same_placeholder():
    execution_input = ExecutionInput()
    assert execution_input["a"]["b"] is execution_input["a"]["b"]
    assert execution_input.contains(execution_input["a"]["b"])
    assert not execution_input["a"].contains(execution_input["b"])


def test_a_type_cannot_change():
    execution_input = ExecutionInput()
    execution_input.get("count", int)
    with pytest.raises(PlaceholderError, match="'count' is int elsewhere, and cannot be str here"):
        execution_input.get("count", str)


def test_a_schema_knows_no_other_names_and_says_what_is_nearest():
    execution_input = ExecutionInput(schema={"ModelName": str, "Job": {"Name": str}})
    assert execution_input["Job"]["Name"].type is str
    with pytest.raises(PlaceholderError, match="did you mean 'ModelName'"):
        execution_input["Modelname"]
    with pytest.raises(PlaceholderError, match="has 'Name'"):
        execution_input["Job"]["Other"]


@pytest.mark.parametrize("schema", [{"a": "str"}, {"a": {"b": set}}, {1: str}])
def test_what_is_no_schema_is_refused(schema):
    with pytest.raises(PlaceholderError):
        ExecutionInput(schema=schema)


@pytest.mark.parametrize("name", [None, 1.5, True, ("a",)])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(PlaceholderError, match="string, or an index"):
        StepInput()[name]


def test_inputs_are_compared_with_the_schema():
    schema = {"name": str, "rate": float, "on": bool, "deep": {"count": int}}
    execution_input = ExecutionInput(schema=schema)
    assert execution_input.validate(
        {"name": "a", "rate": 1, "on": True, "deep": {"count": 2}, "more": 0}
    ).valid
    result = execution_input.validate({"name": 1, "rate": 0.5, "on": 1, "deep": {"count": True}})
    assert not result.valid
    assert result.keys_type_mismatch == [
        ("name", str, int),
        ("on", bool, int),
        ("deep.count", int, bool),
    ]
    assert execution_input.validate({"deep": 5}).keys_type_mismatch == [("deep", dict, int)]
    assert execution_input.validate(None).keys_missing == ["name", "rate", "on", "deep.count"]
    assert json.loads(execution_input.get_schema_as_json(pretty=True)) == {
        "name": "str",
        "rate": "float",
        "on": "bool",
        "deep": {"count": "int"},
    }


def test_the_names_that_are_used_are_a_schema_too():
    execution_input = ExecutionInput()
    execution_input["items"][0]["key"]
    assert execution_input.validate({"items": [{"key": "a"}]}).valid
    assert execution_input.validate({"items": []}).keys_missing == ["items.0.key"]


def test_a_placeholder_cannot_silently_become_part_of_a_text():
    with pytest.raises(PlaceholderError, match="Format"):
        f"s3://{ExecutionInput()['bucket']}/data"


def test_a_text_around_placeholders():
    text = Format("it's {}/{}", StepInput()["a"], 2)
    assert text.to_jsonpath() == "States.Format('it\\'s {}/{}', $['a'], 2)"
    assert intrinsics.check(text.to_jsonpath()) is None
    assert text.to_jsonata() == '"it\'s " & $states.input.a & "/" & 2'
    with pytest.raises(PlaceholderError, match="has 1 places"):
        Format("{}", 1, 2)


@settings(deadline=None)
@given(st.lists(st.text(max_size=8).map(lambda text: text.replace("{}", "")), min_size=1, max_size=4))
def test_any_text_around_placeholders_comes_out_as_it_was_written(pieces):
    template = "{}".join(pieces)
    assume(template.count("{}") == len(pieces) - 1)
    text = Format(template, *(StepInput()[f"n{index}"] for index in range(len(pieces) - 1)))
    values = {f"n{index}": f"<{index}>" for index in range(len(pieces) - 1)}
    scope = Scope(input=values, context={})
    expected = "".join(
        piece + (f"<{index}>" if index < len(pieces) - 1 else "") for index, piece in enumerate(pieces)
    )
    assert intrinsics.evaluate(text.to_jsonpath(), scope) == expected


def test_other_functions():
    plus = Intrinsic("States.MathAdd", StepInput()["count"], 1)
    assert plus.to_jsonpath() == "States.MathAdd($['count'], 1)"
    with pytest.raises(PlaceholderError, match="no plain counterpart in JSONata"):
        plus.to_jsonata()
    assert Intrinsic("States.ArrayLength", StepInput()["a"]).to_jsonata() == "$count($states.input.a)"
    with pytest.raises(PlaceholderError, match="Pass state"):
        Intrinsic("States.Array", {"a": 1}).to_jsonpath()


def test_placeholders_anywhere_in_parameters_become_paths():
    execution_input = ExecutionInput(schema={"a": str, "n": int})
    state = Task(
        "T",
        resource=FUNCTION,
        parameters={
            "plain": 1,
            "a": execution_input["a"],
            "deep": {"list": [{"a": execution_input["a"]}, "b"]},
            "mixed": ["x", execution_input["a"], [execution_input["n"], None]],
            "text": Format("-{}-", execution_input["n"]),
        },
        result_selector={"r": StepResult()["x"]},
        timeout_seconds=execution_input["n"],
        input_path=StepInput()["part"],
    )
    assert state.to_dict() == {
        "Type": "Task",
        "Resource": FUNCTION,
        "InputPath": "$['part']",
        "Parameters": {
            "plain": 1,
            "a.$": "$$.Execution.Input['a']",
            "deep": {"list": [{"a.$": "$$.Execution.Input['a']"}, "b"]},
            "mixed.$": "States.Array('x', $$.Execution.Input['a'], "
            "States.Array($$.Execution.Input['n'], null))",
            "text.$": "States.Format('-{}-', $$.Execution.Input['n'])",
        },
        "TimeoutSecondsPath": "$$.Execution.Input['n']",
        "ResultSelector": {"r.$": "$['x']"},
        "End": True,
    }


def test_the_same_in_jsonata():
    execution_input = ExecutionInput(schema={"a": str, "n": int})
    state = Task(
        "T",
        resource=FUNCTION,
        query_language="JSONata",
        parameters={"a": execution_input["a"], "mixed": ["x", execution_input["a"]]},
        timeout_seconds=execution_input["n"],
    )
    assert state.to_dict() == {
        "Type": "Task",
        "QueryLanguage": "JSONata",
        "Resource": FUNCTION,
        "Arguments": {
            "a": "{% $states.context.Execution.Input.a %}",
            "mixed": ["x", "{% $states.context.Execution.Input.a %}"],
        },
        "TimeoutSeconds": "{% $states.context.Execution.Input.n %}",
        "End": True,
    }


def test_paths_become_values_in_jsonata():
    each = Map("M", items_path=ExecutionInput()["items"], query_language="JSONata", iterator=Pass("I"))
    assert each.to_dict()["Items"] == "{% $states.context.Execution.Input.items %}"
    for fields in ({"parameters": {"a": StepInput()["n"]}}, {"output": {"a": StepInput()["n"]}}):
        passing = Pass("P", query_language="JSONata", **fields).to_dict()
        assert passing["Output"] == {"a": "{% $states.input.n %}"}
    assert Pass("P", query_language="JSONata", result=1).to_dict()["Output"] == 1
    wait = Wait("W", seconds_path=StepInput()["n"], query_language="JSONata")
    assert wait.to_dict()["Seconds"] == "{% $states.input.n %}"


@pytest.mark.parametrize(
    "make",
    [
        lambda value: Pass("P", result={"a": value}),
        lambda value: Pass("P", comment=value),
        lambda value: Task("T", resource=FUNCTION, parameters=value),
    ],
)
def test_a_placeholder_where_none_can_be_is_refused(make):
    with pytest.raises(PlaceholderError):
        make(ExecutionInput()["a"]).to_dict()


def test_a_wait_for_what_the_input_says():
    assert Wait("W", seconds=StepInput()["n"]).to_dict()["SecondsPath"] == "$['n']"


def test_an_output_reaches_the_next_state_and_those_behind_states_that_keep_it():
    first = Task("First", resource=FUNCTION)
    keeps = Task("Keeps", resource=FUNCTION, result_path="$.kept")
    last = Pass("Last", parameters={"x": first.output()["x"], "y": keeps.output()["kept"]})
    graph = Graph(Chain([first, Wait("W", seconds=1), keeps, last]))
    assert graph.to_dict()["States"]["Last"]["Parameters"] == {"x.$": "$['x']", "y.$": "$['kept']"}


@pytest.mark.parametrize(
    "between",
    [
        Task("B", resource=FUNCTION),
        Pass("B", parameters={"x": 1}),
        Pass("B", result=1),
        Task("B", resource=FUNCTION, result_path="$.kept", output_path="$.kept"),
        Wait("B", seconds=1, output_path=None),
        Wait("B", seconds=1, input_path=None),
    ],
)
def test_an_output_that_does_not_arrive_is_refused(between):
    first = Task("First", resource=FUNCTION)
    last = Pass("Last", parameters={"x": Format("{}", first.output()["x"])})
    with pytest.raises(PlaceholderError, match=r"uses 'First'.output\(\)\['x'\].* does not reach it"):
        Graph(Chain([first, between, last]))


def test_what_a_catcher_hands_on():
    before = Task("Before", resource=FUNCTION)
    handler = Pass("Handler", parameters={"x": before.output()["x"]})
    for result_path, arrives in (("$.error", True), (None, True), ("$", False)):
        risky = Task("Risky", resource=FUNCTION)
        risky.add_catch(Catch(handler, error_equals=["States.ALL"], result_path=result_path))
        before.next_step = None
        chain = Chain([before, risky])
        if arrives:
            assert Graph(chain)
        else:
            with pytest.raises(PlaceholderError, match="does not reach it"):
                Graph(chain)


def test_items_are_known_to_the_map_state_alone():
    inside = Pass("Inside", parameters={"value": MapItemValue()["x"]})
    with pytest.raises(PlaceholderError, match="only a Map state knows"):
        Graph(Map("M", iterator=inside))
    assert Graph(Map("M", iterator=Pass("I"), parameters={"value": MapItemValue()["x"]}))
    with pytest.raises(PlaceholderError, match="has no members"):
        MapItemIndex()["x"]


def test_a_result_is_known_only_after_the_work():
    with pytest.raises(PlaceholderError, match="result_selector"):
        Graph(Task("T", resource=FUNCTION, parameters={"x": StepResult()["y"]}))
