"""Choice states: every operator, in JSONPath and in JSONata."""

from __future__ import annotations

import inspect

import pytest

from retrain.states.validation.choices import COMPARISONS
from retrain.workflow.errors import AuthoringError
from retrain.workflow.inputs import ExecutionInput, Format, StepInput
from retrain.workflow.steps import Choice, ChoiceRule, Graph, Pass, Succeed

VALUES = {"String": "a", "Numeric": 1.5, "Boolean": True, "Timestamp": "2026-08-01T12:00:00Z", "Is": False}


def constant(operator: str):
    return next(value for prefix, value in VALUES.items() if operator.startswith(prefix))


def with_rule(rule) -> Choice:
    choice = Choice("C")
    choice.add_choice(rule, Succeed("Yes"))
    choice.default_choice(Succeed("No"))
    return choice


def test_every_operator_of_the_language_is_there():
    own = {name for name in vars(ChoiceRule) if name[0].isupper()}
    assert own == {*COMPARISONS, "And", "Or", "Not"}
    for name in COMPARISONS:
        assert list(inspect.signature(getattr(ChoiceRule, name)).parameters) == ["variable", "value"]


@pytest.mark.parametrize("operator", COMPARISONS)
def test_every_operator_is_accepted(operator, accepted):
    value = "$.other" if operator.endswith("Path") else constant(operator)
    rule = getattr(ChoiceRule, operator)(variable="$.value", value=value)
    written = accepted(Graph(with_rule(rule)))["States"]["C"]
    assert written == {
        "Type": "Choice",
        "Choices": [{"Variable": "$.value", operator: value, "Next": "Yes"}],
        "Default": "No",
    }


@pytest.mark.parametrize("operator", [name for name in COMPARISONS if not name.endswith("Path")])
def test_every_operator_checks_its_constant(operator):
    wrong = {"String": 1, "Numeric": True, "Boolean": "True", "Timestamp": 5, "Is": "yes"}
    value = next(each for prefix, each in wrong.items() if operator.startswith(prefix))
    with pytest.raises(AuthoringError, match=f"{operator} compares with .*, not with"):
        getattr(ChoiceRule, operator)("$.value", value)


def test_rules_are_joined(accepted):
    one, two = ChoiceRule.IsPresent("$.a", True), ChoiceRule.NumericLessThan("$.a", 3)
    rule = ChoiceRule.And([one, ChoiceRule.Or([two, ChoiceRule.Not(ChoiceRule.StringMatches("$.b", "x*"))])])
    written = accepted(Graph(with_rule(rule)))["States"]["C"]["Choices"][0]
    assert written == {
        "And": [
            {"Variable": "$.a", "IsPresent": True},
            {
                "Or": [
                    {"Variable": "$.a", "NumericLessThan": 3},
                    {"Not": {"Variable": "$.b", "StringMatches": "x*"}},
                ]
            },
        ],
        "Next": "Yes",
    }


def test_placeholders_are_compared():
    variable, value = StepInput()["a"], ExecutionInput()["limit"]
    assert ChoiceRule.NumericLessThan(variable, value).to_dict() == {
        "Variable": "$['a']",
        "NumericLessThanPath": "$$.Execution.Input['limit']",
    }
    assert ChoiceRule.StringEqualsPath(variable, value).to_dict()["StringEqualsPath"]
    with pytest.raises(AuthoringError, match="compares with a constant only"):
        ChoiceRule.StringMatches(variable, value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ChoiceRule.StringEquals("value", "a"),
        lambda: ChoiceRule.StringEquals(5, "a"),
        lambda: ChoiceRule.StringEqualsPath("$.a", "b"),
        lambda: ChoiceRule.StringEquals(Format("{}", StepInput()["a"]), "a"),
        lambda: ChoiceRule.And([]),
        lambda: ChoiceRule.And(ChoiceRule.IsNull("$.a", True)),
        lambda: ChoiceRule.Or(["$.a"]),
        lambda: ChoiceRule.Not("$.a"),
        lambda: Choice("C").add_choice({"Variable": "$.a", "IsNull": True}, Succeed("S")),
        lambda: Choice("C").add_choice(ChoiceRule.IsNull("$.a", True), "S"),
    ],
)
def test_what_is_no_rule_gets_a_sentence(make):
    with pytest.raises(AuthoringError):
        make()


def test_conditions_in_jsonata():
    choice = Choice("C", assign={"tried": True})
    choice.add_choice(
        "{% $states.input.a > 3 %}",
        Succeed("Yes"),
        assign={"x": StepInput()["a"]},
        output={"a": StepInput()["a"]},
        comment="big",
    )
    choice.default_choice(Pass("No"))
    graph = Graph(choice, query_language="JSONata")
    assert graph.validate() == ()
    assert graph.to_dict()["States"]["C"]["Choices"] == [
        {
            "Condition": "{% $states.input.a > 3 %}",
            "Assign": {"x": "{% $states.input.a %}"},
            "Output": {"a": "{% $states.input.a %}"},
            "Comment": "big",
            "Next": "Yes",
        }
    ]


@pytest.mark.parametrize(
    ("rule", "language"), [("{% true %}", "JSONPath"), (ChoiceRule.IsNull("$.a", True), "JSONata")]
)
def test_a_rule_of_the_other_language_is_refused(rule, language):
    with pytest.raises(AuthoringError, match=f"is in {language}"):
        Graph(with_rule(rule), query_language=language)
