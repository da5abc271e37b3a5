"""Fields of states: which there are, which they need, what they hold."""

from __future__ import annotations

import pytest

from tests.unit.states.validation.machines import (
    FUNCTION,
    errors,
    inner,
    jsonata,
    machine,
    task,
    warnings,
)

PASS = {"Type": "Pass", "End": True}
TYPES = "Pass, Task, Wait, Choice, Succeed, Fail, Parallel, Map"
ONE_OF = "There should only be one of the following fields"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({**PASS, "Nxt": "B"}, "/States/A: Field 'Nxt' is not supported; did you mean 'Next'?"),
        ({**PASS, "comment": ""}, "/States/A: Field 'comment' is not supported; did you mean 'Comment'?"),
        (
            {**PASS, "Parameter": {}},
            "/States/A: Field 'Parameter' is not supported; did you mean 'Parameters'?",
        ),
        ({**PASS, "Zebra": 1}, "/States/A: Field 'Zebra' is not supported"),
        (
            {"Type": "Pas", "End": True},
            f"/States/A/Type: Value should be one of the following: [{TYPES}]; did you mean 'Pass'?",
        ),
        ({"End": True}, "/States/A: These fields are required: [Type]"),
        ({"Type": ["Pass"]}, "/States/A/Type: Expected value of type [STRING]"),
        (None, "/States/A: Expected value of type [OBJECT]"),
        ({"Type": "Task", "End": True}, "/States/A: These fields are required: [Resource]"),
        ({**PASS, "Comment": 1}, "/States/A/Comment: Expected value of type [STRING]"),
        ({**PASS, "End": "true"}, "/States/A/End: Expected value of type [BOOLEAN]"),
    ],
)
def test_names_and_types_of_fields(state, said):
    assert said in errors(machine(state))


def test_a_target_that_is_nearly_there_is_named():
    definition = {
        "StartAt": "Train",
        "States": {"Train": {"Type": "Pass", "Next": "evaluate"}, "Evaluate": PASS},
    }
    assert errors(definition)[0] == (
        "/States/Train/Next: Missing 'Next' target: evaluate; did you mean 'Evaluate'?"
    )


@pytest.mark.parametrize("kind", ["Pass", "Task", "Wait", "Parallel", "Map"])
def test_a_state_goes_on_or_ends(kind):
    extra = {
        "Task": {"Resource": FUNCTION},
        "Wait": {"Seconds": 1},
        "Parallel": {"Branches": [inner(PASS)]},
        "Map": {"ItemProcessor": inner(PASS)},
    }.get(kind, {})
    state = {"Type": kind, **extra}
    both = "There should only be one of the following fields: [Next, End]"
    neither = "This object should have only one of the following fields: [Next, End]"
    assert f"/States/A: {neither}" in errors(machine(state))
    assert f"/States/A: {neither}" in errors(machine({**state, "End": False}))
    assert f"/States/A: {both}" in errors(machine({**state, "Next": "A", "End": True}))
    assert errors(machine({**state, "End": True})) == []
    two = {"StartAt": "A", "States": {"A": {**state, "Next": "B", "End": False}, "B": {"Type": "Succeed"}}}
    assert errors(two) == []


@pytest.mark.parametrize("kind", ["Succeed", "Fail"])
@pytest.mark.parametrize("field", [{"Next": "A"}, {"End": True}, {"Assign": {}}])
def test_a_terminal_state_neither_goes_on_nor_assigns(kind, field):
    (name,) = field
    assert f"/States/A: Field '{name}' is not supported" in errors(machine({"Type": kind, **field}))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "/States/A: This object should have only one of the following fields: [SecondsPath, Seconds,"),
        (
            {"Seconds": 1, "Timestamp": "2016-03-14T01:59:00Z"},
            "/States/A: There should only be one of the following fields: [Seconds, Timestamp]",
        ),
        ({"Seconds": -1}, "/States/A/Seconds: Minimum value is 0"),
        ({"Seconds": 100_000_000}, "/States/A/Seconds: Maximum value is 99999999"),
        ({"Seconds": 1.5}, "/States/A/Seconds: Expected value of type [INTEGER]"),
        ({"Seconds": True}, "/States/A/Seconds: Expected value of type [INTEGER]"),
        ({"Seconds": "{% 1 %}"}, "/States/A/Seconds: Expected value of type [INTEGER]"),
        ({"SecondsPath": "$.a[*]"}, "/States/A/SecondsPath: Value is not a Reference Path"),
        (
            {"TimestampPath": "a"},
            "/States/A/TimestampPath: Value is not a Reference Path: Reference path didn't",
        ),
        *(
            ({"Timestamp": text}, "/States/A/Timestamp: String does not match RFC3339 timestamp")
            for text in (
                "2016-03-14",
                "2016-03-14t01:59:00Z",
                "2016-03-14T01:59:00",
                "2016-02-30T01:59:00Z",
                "",
            )
        ),
    ],
)
def test_what_a_wait_waits_for(fields, said):
    assert any(each.startswith(said) for each in errors(machine({"Type": "Wait", "End": True, **fields})))


@pytest.mark.parametrize(
    "fields",
    [
        {"Seconds": 0},
        {"SecondsPath": "$.a.b[0]"},
        {"SecondsPath": "$$.Execution.Input.a"},
        {"SecondsPath": "$seconds"},
        {"Timestamp": "2016-03-14T01:59:00.123+02:00"},
    ],
)
def test_what_a_wait_can_wait_for(fields):
    assert errors(machine({"Type": "Wait", "End": True, **fields})) == []


def test_expressions_stand_for_numbers_and_times_in_jsonata_alone():
    for fields in ({"Seconds": "{% $states.input.s %}"}, {"Timestamp": "{% $now() %}"}):
        assert errors(jsonata({"Type": "Wait", "End": True, **fields})) == []
    (only,) = errors(jsonata({"Type": "Wait", "End": True, "Seconds": "10"}))
    remedy = "a JSONata expression must start with {% and end with %}"
    assert only == f"/States/A/Seconds: Expected value of type [INTEGER]; {remedy}"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"TimeoutSeconds": 0}, "/States/A/TimeoutSeconds: Minimum value is 1"),
        ({"TimeoutSeconds": 100_000_000}, "/States/A/TimeoutSeconds: Maximum value is 99999999"),
        (
            {"TimeoutSeconds": 5, "TimeoutSecondsPath": "$.t"},
            f"/States/A: {ONE_OF}: [TimeoutSeconds, TimeoutSecondsPath]",
        ),
        (
            {"TimeoutSeconds": 5, "HeartbeatSeconds": 5},
            "/States/A/HeartbeatSeconds: HeartbeatSeconds must be smaller than TimeoutSeconds, which is 5",
        ),
        ({"Credentials": {}}, "/States/A/Credentials: The field 'RoleArn' is required but was missing"),
        ({"Credentials": "arn"}, "/States/A/Credentials: Expected value of type [OBJECT]"),
    ],
)
def test_a_tasks_limits_and_credentials(fields, said):
    assert errors(machine(task(**fields))) == [said]


def test_a_tasks_limits_that_are_taken():
    fields = {"TimeoutSeconds": 60, "HeartbeatSeconds": 59, "Credentials": {"RoleArn.$": "$.role"}}
    assert errors(machine(task(**fields))) == []
    assert errors(machine(task(HeartbeatSecondsPath="$.h", TimeoutSecondsPath="$.t"))) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"Error": "E", "ErrorPath": "$.e"},
            "/States/A: There should only be one of the following fields: [Error,",
        ),
        ({"Cause": 1}, "/States/A/Cause: Expected value of type [STRING]"),
        (
            {"CausePath": "States.Format('{}'"},
            "/States/A/CausePath: Value is not a valid intrinsic function call",
        ),
        ({"ErrorPath": "plain"}, "/States/A/ErrorPath: Value is not a Reference Path"),
        ({"InputPath": "$"}, "/States/A: Field 'InputPath' is not supported"),
    ],
)
def test_what_a_fail_says(fields, said):
    assert any(each.startswith(said) for each in errors(machine({"Type": "Fail", **fields})))


def test_what_a_fail_can_say():
    for fields in (
        {},
        {"Error": "E", "CausePath": "$.cause"},
        {"ErrorPath": "States.Format('{}-{}', $.a, $$.Execution.Name)"},
    ):
        assert errors(machine({"Type": "Fail", **fields})) == []
    assert errors(jsonata({"Type": "Fail", "Error": "{% 'E' %}"})) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "/States/A: These fields are required: [Branches]"),
        ({"Branches": {}}, "/States/A/Branches: Expected value of type [ARRAY]"),
        ({"Branches": []}, "/States/A/Branches: Value cannot be empty"),
        ({"Branches": [1]}, "/States/A/Branches[0]: Expected value of type [OBJECT]"),
        ({"Branches": [{}]}, "/States/A/Branches[0]: These fields are required: [States, StartAt]"),
        (
            {"Branches": [{**inner(PASS), "TimeoutSeconds": 1}]},
            "/States/A/Branches[0]: Field 'TimeoutSeconds' is",
        ),
        (
            {"Branches": [{"StartAt": "I", "States": {}}]},
            "/States/A/Branches[0]/States: Value cannot be empty",
        ),
        (
            {"Branches": [inner({"Type": "Pass", "Next": "A"})]},
            "/States/A/Branches[0]/States/I/Next: Missing 'Next' target: A",
        ),
    ],
)
def test_a_parallels_branches(fields, said):
    assert any(each.startswith(said) for each in errors(machine({"Type": "Parallel", "End": True, **fields})))


def test_names_are_unique_in_the_whole_machine():
    twice = {"Type": "Parallel", "Branches": [inner(PASS), inner(PASS)], "End": True}
    assert errors(machine(twice)) == ["/States/A/Branches[1]/States/I: Duplicate State name: I"]


@pytest.mark.parametrize("length", [0, 1, 80, 81])
def test_how_long_a_name_may_be(length):
    name = "ß" * length
    said = errors({"StartAt": name, "States": {name: PASS}})
    assert (said == []) == (length in {1, 80})


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (machine({**PASS, "Result": {"a.$": "$.b"}}), ["PASS_RESULT_IS_STATIC /States/A/Result"]),
        (machine({**PASS, "Result": ["$.b"]}), ["PASS_RESULT_IS_STATIC /States/A/Result"]),
        (machine({**PASS, "Result": "costs $5"}), []),
        (machine({**PASS, "Parameters": {"a": {"b": "$.c"}}}), ["NO_DOLLAR /States/A/Parameters/a/b"]),
        (machine({**PASS, "Parameters": {"a": "States.UUID()"}}), ["NO_DOLLAR /States/A/Parameters/a"]),
        (machine({**PASS, "Parameters": {"a": "$5"}}), []),
        (machine({"Type": "Fail", "Cause": "$.cause"}), ["NO_PATH /States/A/Cause"]),
        (machine(PASS, TimeoutSeconds=301), []),
    ],
)
def test_what_is_doubtful(definition, expected):
    assert warnings(definition) == expected
    assert errors(definition) == []


def test_a_long_limit_of_an_express_machine_is_doubtful():
    assert warnings(machine(PASS, TimeoutSeconds=301), kind="EXPRESS") == ["EXPRESS_TIMEOUT /TimeoutSeconds"]
    assert warnings(machine(PASS, TimeoutSeconds=300), kind="EXPRESS") == []
