"""Warnings: paths that no earlier state can have produced, unknown actions, circles without a way out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrain.workflow.checks import ENDLESS_LOOP, UNKNOWN_ACTION, UNPRODUCED_PATH, check
from retrain.workflow.checks.shapes import ANYTHING, join, of_constant, trimmed

CASES = Path(__file__).resolve().parents[2] / "states" / "cases"
INVOKE = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Parameters": {"FunctionName": "f"},
}
FUNCTION = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f"}


def machine(*states: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """States one after the other, unless they say otherwise."""
    made = {}
    for index, (name, state) in enumerate(states):
        state = dict(state)
        if not {"Next", "End", "Choices"} & set(state) and state["Type"] not in {"Succeed", "Fail"}:
            state |= {"Next": states[index + 1][0]} if index + 1 < len(states) else {"End": True}
        made[name] = state
    return {"StartAt": states[0][0], "States": made}


def warnings(definition: dict[str, Any], code: str = UNPRODUCED_PATH) -> dict[str, str]:
    found = check(definition)
    assert [each for each in found if each.severity == "ERROR"] == []
    return {each.location: each.message for each in found if each.code == code}


def test_the_answer_of_a_function_hides_the_input():
    found = warnings(
        machine(
            ("A", INVOKE), ("B", {"Type": "Pass", "Parameters": {"x.$": "$.payload", "y.$": "$.Payload.y"}})
        )
    )
    assert found == {
        "/States/B/Parameters/x.$": "'$.payload' leads nowhere: no earlier state can have produced "
        "'payload'; did you mean 'Payload'?"
    }


def test_what_is_kept_is_there():
    kept = {**INVOKE, "ResultPath": "$.answer"}
    assert warnings(machine(("A", kept), ("B", {"Type": "Pass", "InputPath": "$.anything"}))) == {}
    assert (
        warnings(machine(("A", {**INVOKE, "ResultPath": None}), ("B", {"Type": "Pass", "InputPath": "$.x"})))
        == {}
    )
    inside = {"Type": "Pass", "InputPath": "$.answer.Payloads"}
    assert list(warnings(machine(("A", kept), ("B", inside)))) == ["/States/B/InputPath"]


def test_what_a_function_says_is_not_known():
    assert warnings(machine(("A", FUNCTION), ("B", {"Type": "Pass", "InputPath": "$.whatever[0].x"}))) == {}


@pytest.mark.parametrize(
    ("state", "location"),
    [
        ({"Type": "Pass", "OutputPath": "$.x"}, "/States/B/OutputPath"),
        ({"Type": "Pass", "Parameters": {"a": {"b": [{"c.$": "$.x"}]}}}, "/States/B/Parameters/a/b[0]/c.$"),
        ({"Type": "Pass", "Parameters": {"a.$": "States.Format('{}', $.x)"}}, "/States/B/Parameters/a.$"),
        ({"Type": "Wait", "SecondsPath": "$.x"}, "/States/B/SecondsPath"),
        ({"Type": "Wait", "TimestampPath": "$.x"}, "/States/B/TimestampPath"),
        ({**FUNCTION, "TimeoutSecondsPath": "$.x"}, "/States/B/TimeoutSecondsPath"),
        ({"Type": "Fail", "CausePath": "$.x"}, "/States/B/CausePath"),
        (
            {
                "Type": "Map",
                "ItemsPath": "$.x",
                "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}},
            },
            "/States/B/ItemsPath",
        ),
        (
            {
                "Type": "Map",
                "ItemsPath": "$.list",
                "ItemProcessor": {
                    "StartAt": "I",
                    "States": {"I": {"Type": "Pass", "InputPath": "$.x", "End": True}},
                },
            },
            "/States/B/ItemProcessor/States/I/InputPath",
        ),
        (
            {
                "Type": "Parallel",
                "Branches": [
                    {"StartAt": "P", "States": {"P": {"Type": "Pass", "InputPath": "$.x", "End": True}}}
                ],
            },
            "/States/B/Branches[0]/States/P/InputPath",
        ),
        (
            {
                "Type": "Choice",
                "Choices": [{"Variable": "$.x", "IsString": True, "Next": "Z"}],
                "Default": "Z",
            },
            "/States/B/Choices[0]",
        ),
        ({"Type": "Pass", "Parameters": {"a.$": "$$.Execution.Nam"}}, "/States/B/Parameters/a.$"),
        ({**INVOKE, "ResultSelector": {"a.$": "$.x"}}, "/States/B/ResultSelector/a.$"),
    ],
)
def test_every_place_for_a_path_is_looked_at(state, location):
    start = {"Type": "Pass", "Result": {"a": 1, "list": [{"y": 2}]}}
    states = [("A", start), ("B", state)]
    if state["Type"] == "Choice":
        states.append(("Z", {"Type": "Succeed"}))
    assert list(warnings(machine(*states))) == [location]


def test_a_path_that_one_way_produces_is_fine():
    definition = machine(
        (
            "C",
            {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "L"}], "Default": "R"},
        ),
        ("L", {"Type": "Pass", "Result": {"left": 1}, "Next": "E"}),
        ("R", {"Type": "Pass", "Result": {"right": 1}, "Next": "E"}),
        ("E", {"Type": "Pass", "Parameters": {"l.$": "$.left", "n.$": "$.neither"}}),
    )
    assert list(warnings(definition)) == ["/States/E/Parameters/n.$"]


def test_what_is_asked_for_may_be_used():
    rule = {
        "And": [{"Variable": "$.x", "IsPresent": True}, {"Variable": "$.x", "StringEquals": "a"}],
        "Next": "Z",
    }
    choice = {"Type": "Choice", "Choices": [rule], "Default": "Z"}
    start = {"Type": "Pass", "Result": {"a": 1}}
    assert warnings(machine(("A", start), ("B", choice), ("Z", {"Type": "Succeed"}))) == {}


def test_an_error_is_what_a_catcher_hands_on():
    caught = {**FUNCTION, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "H"}], "End": True}
    handler = {"Type": "Pass", "Parameters": {"e.$": "$.Error", "c.$": "$.Causes"}, "End": True}
    assert list(warnings(machine(("A", caught), ("H", handler)))) == ["/States/H/Parameters/c.$"]
    kept = {**caught, "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "H"}]}
    inside = {"Type": "Pass", "Parameters": {"c.$": "$.error.Causes", "x.$": "$.x"}, "End": True}
    assert list(warnings(machine(("A", kept), ("H", inside)))) == ["/States/H/Parameters/c.$"]


def test_a_circle_comes_to_rest():
    definition = machine(
        ("A", {"Type": "Pass", "Result": {"n": 0}}),
        ("B", {"Type": "Pass", "Parameters": {"before.$": "$", "n.$": "$.n", "x.$": "$.x"}}),
        (
            "C",
            {
                "Type": "Choice",
                "Choices": [{"Variable": "$.n", "NumericEquals": 9, "Next": "D"}],
                "Default": "B",
            },
        ),
        ("D", {"Type": "Pass", "InputPath": "$.before.before.n"}),
    )
    assert warnings(definition) == {}


def test_jsonata_is_not_guessed_at():
    jsonata = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input.x %}"}
    definition = machine(("A", INVOKE), ("B", jsonata), ("C", {"Type": "Pass", "InputPath": "$.x"}))
    assert warnings(definition) == {}


def test_an_action_that_a_service_does_not_have():
    state = {"Type": "Task", "Resource": "arn:aws:states:::eks:creatCluster", "Parameters": {}}
    found = warnings(machine(("A", state)), UNKNOWN_ACTION)
    assert list(found) == ["/States/A/Resource"]
    assert "did you mean 'createCluster'" in found["/States/A/Resource"]


def test_a_circle_without_a_way_out():
    definition = machine(
        (
            "A",
            {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "B"}], "Default": "Z"},
        ),
        ("B", {"Type": "Pass", "Next": "C"}),
        ("C", {"Type": "Pass", "Next": "B"}),
        ("Z", {"Type": "Succeed"}),
    )
    assert list(warnings(definition, ENDLESS_LOOP)) == ["/States/B", "/States/C"]


@pytest.mark.parametrize("file", sorted(CASES.glob("*.json")), ids=lambda file: file.stem)
def test_no_machine_that_ends_well_is_warned_of_its_paths(file):
    """The engine's cases, whose expectations were written by hand."""
    for case in json.loads(file.read_text()):
        if case["expect"].get("status") == "SUCCEEDED":
            codes = {each.code for each in check(case["definition"])}
            assert not codes & {UNPRODUCED_PATH, UNKNOWN_ACTION}, case["name"]


def test_the_engines_cases_are_there():
    assert len(list(CASES.glob("*.json"))) > 5


def test_errors_come_alone():
    found = check({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}})
    assert "MISSING_TRANSITION_TARGET" in {each.code for each in found}
    assert check("{") != ()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(VALUES, VALUES)
def test_joining_is_the_same_both_ways_round_and_adds_nothing_to_itself(one, other):
    a, b = of_constant(one), of_constant(other)
    both = join(a, b)
    assert join(b, a) == both
    assert join(both, a) == both
    assert join(both, ANYTHING) == ANYTHING
    assert trimmed(both) == both


@settings(deadline=None)
@given(VALUES)
def test_a_path_to_what_is_there_is_never_warned_of(value):
    def paths(value, at):
        if isinstance(value, dict):
            for name, item in value.items():
                if name and "'" not in name and "\\" not in name:
                    yield f"{at}['{name}']"
                    yield from paths(item, f"{at}['{name}']")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from paths(item, f"{at}[{index}]")

    parameters = {f"p{index}.$": path for index, path in enumerate(paths(value, "$"))}
    definition = machine(
        ("A", {"Type": "Pass", "Result": value}), ("B", {"Type": "Pass", "Parameters": parameters})
    )
    found = check(json.dumps(definition))
    if all(each.severity != "ERROR" for each in found):
        assert [each for each in found if each.code == UNPRODUCED_PATH] == []
