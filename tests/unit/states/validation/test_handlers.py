"""Retry and Catch."""

from __future__ import annotations

import pytest

from tests.unit.states.validation.machines import errors, jsonata, machine, task, warnings

RETRY = "/States/A/Retry"
CATCH = "/States/A/Catch"
ALL = {"ErrorEquals": ["States.ALL"]}
ENUM = "Value should be one of the following: [NONE, FULL]"


@pytest.mark.parametrize(
    ("retriers", "said"),
    [
        ({}, f"{RETRY}: Expected value of type [ARRAY]"),
        ([1], f"{RETRY}[0]: Expected value of type [OBJECT]"),
        ([{}], f"{RETRY}[0]: These fields are required: [ErrorEquals]"),
        ([{"ErrorEquals": []}], f"{RETRY}[0]/ErrorEquals: Value cannot be empty"),
        ([{"ErrorEquals": "E"}], f"{RETRY}[0]/ErrorEquals: Expected value of type [ARRAY]"),
        ([{"ErrorEquals": [1]}], f"{RETRY}[0]/ErrorEquals[0]: Expected value of type [STRING]"),
        (
            [ALL, {"ErrorEquals": ["E"]}],
            f"{RETRY}[0]/ErrorEquals: States.ALL must appear alone and at end of list",
        ),
        (
            [{"ErrorEquals": ["E", "States.ALL"]}],
            f"{RETRY}[0]/ErrorEquals: States.ALL must appear alone and at end of list",
        ),
        ([{**ALL, "IntervalSeconds": -1}], f"{RETRY}[0]/IntervalSeconds: Minimum value is 0"),
        ([{**ALL, "IntervalSeconds": 1.5}], f"{RETRY}[0]/IntervalSeconds: Expected value of type [INTEGER]"),
        ([{**ALL, "MaxAttempts": -1}], f"{RETRY}[0]/MaxAttempts: Minimum value is 0"),
        ([{**ALL, "MaxAttempts": 100_000_000}], f"{RETRY}[0]/MaxAttempts: Maximum value is 99999999"),
        ([{**ALL, "BackoffRate": 0.9}], f"{RETRY}[0]/BackoffRate: Minimum value is 1"),
        ([{**ALL, "BackoffRate": "2"}], f"{RETRY}[0]/BackoffRate: Expected value of type [NUMBER]"),
        ([{**ALL, "MaxDelaySeconds": 0}], f"{RETRY}[0]/MaxDelaySeconds: Minimum value is 1"),
        ([{**ALL, "MaxDelaySeconds": 31_622_401}], f"{RETRY}[0]/MaxDelaySeconds: Maximum value is 31622400"),
        (
            [{**ALL, "IntervalSeconds": 5, "MaxDelaySeconds": 5}],
            f"{RETRY}[0]/MaxDelaySeconds: MaxDelaySeconds must be greater than IntervalSeconds, which is 5",
        ),
        (
            [{**ALL, "JitterStrategy": "full"}],
            f"{RETRY}[0]/JitterStrategy: {ENUM}; did you mean 'FULL'?",
        ),
        ([{**ALL, "Next": "A"}], f"{RETRY}[0]: Field 'Next' is not supported"),
        (
            [{**ALL, "MaxAttempt": 1}],
            f"{RETRY}[0]: Field 'MaxAttempt' is not supported; did you mean 'MaxAttempts'?",
        ),
    ],
)
def test_retriers_that_are_refused(retriers, said):
    assert errors(machine(task(Retry=retriers))) == [said]


def test_retriers_that_are_taken():
    many = [
        {
            "ErrorEquals": ["States.Timeout", "MyError"],
            "IntervalSeconds": 3,
            "MaxAttempts": 0,
            "BackoffRate": 1,
            "MaxDelaySeconds": 4,
            "JitterStrategy": "NONE",
            "Comment": "why",
        },
        ALL,
    ]
    assert errors(machine(task(Retry=many))) == []
    assert errors(machine(task(Retry=[], Catch=[]))) == []


def test_a_retriers_numbers_are_no_expressions():
    said = errors(jsonata(task(Retry=[{**ALL, "MaxAttempts": "{% 3 %}"}])))
    assert said[0].startswith(f"{RETRY}[0]/MaxAttempts: Expected value of type [INTEGER]")


@pytest.mark.parametrize(
    ("catchers", "said"),
    [
        ([ALL], f"{CATCH}[0]: These fields are required: [Next]"),
        (
            [{**ALL, "Next": "A"}, {"ErrorEquals": ["E"], "Next": "A"}],
            f"{CATCH}[0]/ErrorEquals: States.ALL must",
        ),
        (
            [{**ALL, "Next": "A", "ResultPath": "$.a[*]"}],
            f"{CATCH}[0]/ResultPath: Value is not a Reference Path",
        ),
        (
            [{**ALL, "Next": "A", "ResultPath": "$$.a"}],
            f"{CATCH}[0]/ResultPath: Value is not a Reference Path",
        ),
        (
            [{**ALL, "Next": "A", "Output": {}}],
            f"{CATCH}[0]: The QueryLanguage is set to 'JSONPath', but field",
        ),
        ([{**ALL, "Next": "A", "MaxAttempts": 1}], f"{CATCH}[0]: Field 'MaxAttempts' is not supported"),
    ],
)
def test_catchers_that_are_refused(catchers, said):
    (only,) = errors(machine(task(Catch=catchers)))
    assert only.startswith(said)


def test_catchers_that_are_taken():
    for fields in ({"ResultPath": None}, {"ResultPath": "$.error"}, {"Assign": {"e.$": "$.Error"}}):
        assert errors(machine(task(Catch=[{**ALL, "Next": "A", **fields}]))) == []
    catcher = {
        **ALL,
        "Next": "A",
        "Output": "{% $states.errorOutput %}",
        "Assign": {"e": "{% $states.errorOutput %}"},
    }
    assert errors(jsonata(task(Catch=[catcher]))) == []


@pytest.mark.parametrize(
    ("name", "code"),
    [("States.Runtime", "UNCATCHABLE_ERROR"), ("States.TimeOut", "UNKNOWN_ERROR_NAME"), ("MyError", None)],
)
def test_error_names_that_never_match(name, code):
    said = warnings(machine(task(Retry=[{"ErrorEquals": [name]}])))
    assert said == ([f"{code} {RETRY}[0]/ErrorEquals[0]"] if code else [])
