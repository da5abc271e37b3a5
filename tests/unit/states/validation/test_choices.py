"""A Choice state's rules."""

from __future__ import annotations

import pytest

from tests.unit.states.validation.machines import choice, errors

AT = "/States/A/Choices[0]"
IS_X = {"Variable": "$.a", "StringEquals": "x"}


@pytest.mark.parametrize(
    "rule",
    [
        IS_X,
        {"Variable": "$$.Execution.Name", "StringMatches": "a*"},
        {"Variable": "$variable.a[0]", "NumericGreaterThanEqualsPath": "$.limit"},
        {"Variable": "$.a", "NumericEquals": 1.5},
        {"Variable": "$.a", "TimestampLessThan": "2016-03-14T01:59:00Z"},
        {"Variable": "$.a", "BooleanEqualsPath": "$.b"},
        {"Variable": "$.a", "IsPresent": False},
        {"And": [IS_X, {"Or": [IS_X, {"Not": IS_X}]}]},
        {**IS_X, "Comment": "why", "Assign": {"x.$": "$.a"}},
    ],
)
def test_rules_that_are_taken(rule):
    assert errors(choice({**rule, "Next": "B"})) == []


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (1, f"{AT}: Expected value of type [OBJECT]"),
        ({}, f"{AT}: The object must have only one of the following fields, [And, Or, Not, Variable]"),
        (
            {**IS_X, "Not": IS_X},
            f"{AT}: The object must have only one of the following fields, [And, Or, Not,",
        ),
        ({"Variable": "$.a"}, f"{AT}: This object should have a comparison operator; add one, such as"),
        (
            {"Variable": "$.a", "StringEqual": "x"},
            f"{AT}: This object should have a comparison operator; did you mean 'StringEquals'?",
        ),
        (
            {**IS_X, "StringMatches": "x"},
            f"{AT}: There should only be one of the following fields: [StringEquals, StringMatches]",
        ),
        ({"StringEquals": "x"}, f"{AT}: The object must have only one of the following fields"),
        (
            {"Variable": "a", "StringEquals": "x"},
            f"{AT}/Variable: Value is not a Reference Path: Reference path didn't start with '$'",
        ),
        ({"Variable": "$.a[*]", "IsNull": True}, f"{AT}/Variable: Value is not a Reference Path"),
        ({"Variable": 1, "IsNull": True}, f"{AT}/Variable: Expected value of type [STRING]"),
        ({"Variable": "$.a", "StringEquals": 1}, f"{AT}/StringEquals: Expected value of type [STRING]"),
        ({"Variable": "$.a", "NumericEquals": "1"}, f"{AT}/NumericEquals: Expected value of type [NUMBER]"),
        ({"Variable": "$.a", "NumericEquals": True}, f"{AT}/NumericEquals: Expected value of type [NUMBER]"),
        (
            {"Variable": "$.a", "BooleanEquals": "true"},
            f"{AT}/BooleanEquals: Expected value of type [BOOLEAN]",
        ),
        ({"Variable": "$.a", "IsPresent": "$.b"}, f"{AT}/IsPresent: Expected value of type [BOOLEAN]"),
        (
            {"Variable": "$.a", "TimestampEquals": "now"},
            f"{AT}/TimestampEquals: String does not match RFC3339",
        ),
        (
            {"Variable": "$.a", "StringEqualsPath": "x"},
            f"{AT}/StringEqualsPath: Value is not a Reference Path",
        ),
        ({"And": []}, f"{AT}/And: Value cannot be empty"),
        ({"And": IS_X}, f"{AT}/And: Expected value of type [ARRAY]"),
        ({"Not": [IS_X]}, f"{AT}/Not: Expected value of type [OBJECT]"),
        ({"And": [{**IS_X, "Next": "B"}]}, f"{AT}/And[0]: Field 'Next' is not supported"),
        ({"Not": {**IS_X, "Next": "B"}}, f"{AT}/Not: Field 'Next' is not supported"),
        ({"Or": [{"Not": {}}]}, f"{AT}/Or[0]/Not: The object must have only one of the following fields"),
        ({**IS_X, "End": True}, f"{AT}: Field 'End' is not supported"),
        (
            {"Condition": "{% true %}"},
            f"{AT}: The QueryLanguage is set to 'JSONPath', but field 'Condition' is only",
        ),
        ({**IS_X, "Output": {}}, f"{AT}: The QueryLanguage is set to 'JSONPath', but field 'Output' is only"),
    ],
)
def test_rules_that_are_refused(rule, said):
    whole = {**rule, "Next": "B"} if isinstance(rule, dict) else rule
    (only,) = [each for each in errors(choice(whole)) if not each.startswith("/States/B")]
    assert only.startswith(said)


def test_a_rule_needs_a_target():
    assert errors(choice(IS_X)) == [f"{AT}: These fields are required: [Next]"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"Choices": []}, "/States/A/Choices: Value cannot be empty"),
        ({"Choices": {}}, "/States/A/Choices: Expected value of type [ARRAY]"),
        ({"Next": "B"}, "/States/A: Field 'Next' is not supported"),
        ({"End": True}, "/States/A: Field 'End' is not supported"),
        ({"Default": 1}, "/States/A/Default: Expected value of type [STRING]"),
        ({"ResultPath": "$"}, "/States/A: Field 'ResultPath' is not supported"),
    ],
)
def test_a_choice_state(fields, said):
    assert said in errors(choice({**IS_X, "Next": "B"}, **fields))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"Condition": "{% $states.input.a = 1 %}"}, None),
        ({"Condition": True, "Output": {"a": "{% 1 %}"}, "Assign": {"b": 1}}, None),
        ({}, f"{AT}: These fields are required: [Condition]"),
        ({"Condition": "$.a"}, f"{AT}/Condition: JSONata string must start with {{% and end with %}}"),
        ({"Condition": 1}, f"{AT}/Condition: Expected value of type [STRING]"),
        (
            IS_X,
            f"{AT}: The QueryLanguage is set to 'JSONata', but field 'Variable' is only supported for the",
        ),
        (
            {"And": [IS_X]},
            f"{AT}: The QueryLanguage is set to 'JSONata', but field 'And' is only supported for",
        ),
    ],
)
def test_rules_in_jsonata(rule, said):
    found = errors(choice({**rule, "Next": "B"}, QueryLanguage="JSONata"))
    assert (not found) if said is None else found[0].startswith(said)
