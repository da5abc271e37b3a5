"""What ValidateStateMachineDefinition has been seen to answer: code, message and location."""

from __future__ import annotations

import pytest

from tests.unit.states.validation.machines import FUNCTION, distributed, found, inner, jsonata, machine

SCHEMA = "SCHEMA_VALIDATION_FAILED"
TARGET = "MISSING_TRANSITION_TARGET"
PASS = {"Type": "Pass", "End": True}
ONLY_JSONATA = (
    "The QueryLanguage is set to 'JSONPath', but field '{}' is only supported for the 'JSONata' QueryLanguage"
)
ONLY_JSONPATH = (
    "The QueryLanguage is set to 'JSONata', but field '{}' is only supported for the 'JSONPath' QueryLanguage"
)
DOWNGRADE = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
LANGUAGES = "Value should be one of the following: [JSONPath, JSONata]"

MEASURED = {
    "nothing at all": ({}, [(SCHEMA, "These fields are required: [States, StartAt]", "/")]),
    "no start": ({"States": {"A": PASS}}, [(SCHEMA, "These fields are required: [StartAt]", "/")]),
    "a loop without an end": (
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}},
        [("MISSING_END_STATE", "Workflow has no terminal state", "")],
    ),
    "without an end, unreachable states are not looked for": (
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}, "B": {"Type": "Pass", "Next": "A"}}},
        [("MISSING_END_STATE", "Workflow has no terminal state", "")],
    ),
    "a missing target and no end": (
        machine({"Type": "Pass", "Next": "NOPE"}),
        [
            (TARGET, "Missing 'Next' target: NOPE", "/States/A/Next"),
            ("MISSING_END_STATE", "Workflow has no terminal state", ""),
        ],
    ),
    "an end that nothing leads to": (
        {
            "StartAt": "A",
            "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}, "C": PASS},
        },
        [(TARGET, 'State "C" is not reachable.', "/States/C")],
    ),
    "a name with a slash": (
        {"StartAt": "A", "States": {"A": PASS, "a/b": PASS}},
        [(TARGET, 'State "a/b" is not reachable.', "/States/a/b")],
    ),
    "a start that is missing": (
        {"StartAt": "Nope", "States": {"A": PASS}},
        [
            (TARGET, "Missing 'Next' target: Nope", "/StartAt"),
            (TARGET, 'State "A" is not reachable.', "/States/A"),
        ],
    ),
    "an inner loop without an end is taken": (
        machine(
            {
                "Type": "Map",
                "ItemProcessor": {
                    "StartAt": "B",
                    "States": {"B": {"Type": "Pass", "Next": "C"}, "C": {"Type": "Pass", "Next": "B"}},
                },
                "End": True,
            }
        ),
        [],
    ),
    "an unreachable state in a branch": (
        machine(
            {
                "Type": "Parallel",
                "Branches": [{"StartAt": "W", "States": {"W": PASS, "Ghost": PASS}}],
                "End": True,
            }
        ),
        [(TARGET, 'State "Ghost" is not reachable.', "/States/A/Branches[0]/States/Ghost")],
    ),
    "targets of a Choice": (
        {
            "StartAt": "A",
            "States": {
                "A": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.x", "IsPresent": True, "Next": "Ghost"}],
                    "Default": "Z",
                },
                "Z": PASS,
            },
        },
        [(TARGET, "Missing 'Next' target: Ghost", "/States/A/Choices[0]/Next")],
    ),
    "a target of a Catch": (
        machine(
            {
                "Type": "Task",
                "Resource": FUNCTION,
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Ghost"}],
                "End": True,
            }
        ),
        [(TARGET, "Missing 'Next' target: Ghost", "/States/A/Catch[0]/Next")],
    ),
    "a field of another type of state": (
        machine({**PASS, "TimeoutSeconds": 5, "Retry": [{"ErrorEquals": ["States.ALL"]}]}),
        [
            (SCHEMA, "Field 'TimeoutSeconds' is not supported", "/States/A"),
            (SCHEMA, "Field 'Retry' is not supported", "/States/A"),
        ],
    ),
    "a Map's language does not reach its items": (
        machine(
            {
                "Type": "Map",
                "QueryLanguage": "JSONata",
                "ItemProcessor": inner({**PASS, "Output": {"a": "{% 1 %}"}}),
                "End": True,
            },
            QueryLanguage="JSONPath",
        ),
        [(SCHEMA, ONLY_JSONATA.format("Output"), "/States/A/ItemProcessor/States/I")],
    ),
    "an item processor has no language of its own": (
        machine({"Type": "Map", "Iterator": inner(PASS, QueryLanguage="JSONata"), "End": True}),
        [(SCHEMA, "Field 'QueryLanguage' is not supported", "/States/A/Iterator")],
    ),
    "JSONPath's fields in JSONata": (
        jsonata({**PASS, "InputPath": "$.a", "OutputPath": "$.b", "ResultPath": "$.c"}),
        [
            (SCHEMA, ONLY_JSONPATH.format(name), "/States/A")
            for name in ("InputPath", "OutputPath", "ResultPath")
        ],
    ),
    "JSONPath under JSONata": (
        jsonata({**PASS, "QueryLanguage": "JSONPath"}),
        [(SCHEMA, DOWNGRADE, "/States/A")],
    ),
    "a language in lower case counts as JSONata": (
        machine({**PASS, "QueryLanguage": "foo", "InputPath": "$.a"}),
        [
            (SCHEMA, ONLY_JSONPATH.format("InputPath"), "/States/A"),
            (SCHEMA, LANGUAGES, "/States/A/QueryLanguage"),
        ],
    ),
    "a language that is no string": (
        machine(PASS, QueryLanguage=5),
        [(SCHEMA, "Expected value of type [STRING]", "/QueryLanguage")],
    ),
    "Assign in JSONPath": (machine({**PASS, "Assign": {"counter": 1}}), []),
    "a syntax error in JSONata": (
        jsonata({**PASS, "Output": "{% 1 + %}"}),
        [("INVALID_JSONATA_EXPRESSION", "Unexpected end of expression", "/States/A/Output")],
    ),
    "a reference to JSONata's root": (
        jsonata({**PASS, "Output": "{% $$ %}"}),
        [("UNSUPPORTED_JSONATA_EXPRESSION", "Reference to '$$' is not supported.", "/States/A/Output")],
    ),
    "an error output outside of Catch": (
        jsonata({**PASS, "Output": "{% $states.errorOutput %}"}),
        [
            (
                "UNSUPPORTED_JSONATA_EXPRESSION",
                "Field '$states.errorOutput' does not exist.",
                "/States/A/Output",
            )
        ],
    ),
    "half an expression": (
        jsonata({**PASS, "Output": {"a": ["{% 1"]}}),
        [(SCHEMA, "JSONata string must start with {% and end with %}", "/States/A/Output/a[0]")],
    ),
    "no concurrency below none": (
        machine({"Type": "Map", "MaxConcurrency": -1, "ItemProcessor": inner(PASS), "End": True}),
        [(SCHEMA, "Minimum value is 0", "/States/A/MaxConcurrency")],
    ),
    "any concurrency above": (
        machine({"Type": "Map", "MaxConcurrency": 2**63 - 1, "ItemProcessor": inner(PASS), "End": True}),
        [],
    ),
    "a version": (
        machine(PASS, Version="2.0"),
        [(SCHEMA, "Value should be one of the following: [1.0]", "/Version")],
    ),
    "zero seconds for a machine, and between retries": (
        machine(
            {
                "Type": "Task",
                "Resource": FUNCTION,
                "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 0, "MaxAttempts": 0}],
                "End": True,
            },
            TimeoutSeconds=0,
        ),
        [],
    ),
    "a reserved variable": (
        machine({**PASS, "Assign": {"states": 1}}),
        [
            (
                "RESERVED_VARIABLE_NAME",
                "Cannot assign to reserved variable '$states'.",
                "/States/A/Assign/states",
            )
        ],
    ),
    "a variable with a dash": (
        machine({**PASS, "Assign": {"a-b": 1}}),
        [
            (
                "INVALID_VARIABLE_NAME",
                "Invalid variable name 'a-b': the variable name contains invalid characters.",
                "/States/A/Assign/a-b",
            )
        ],
    ),
    "a label given twice": (
        {
            "StartAt": "A",
            "States": {
                "A": {**distributed(Label="x"), "Next": "B"} | {"End": False},
                "B": {**distributed(Label="x"), "ItemProcessor": {**distributed()["ItemProcessor"]}},
            },
        },
        [
            ("DUPLICATE_STATE_NAME", "Duplicate State name: I", "/States/B/ItemProcessor/States/I"),
            ("DUPLICATE_LABEL_NAME", "Duplicate Label name: x", "/States/B/Label"),
        ],
    ),
}


@pytest.mark.parametrize("case", MEASURED)
def test_what_aws_says(case):
    definition, expected = MEASURED[case]
    assert sorted(found(definition)) == sorted(expected)


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Express state machine does not support '.waitForTaskToken' service integration",
        ),
        (
            "arn:aws:states:::states:startExecution.sync:2",
            "Express state machine does not support '.sync' service integration",
        ),
        (
            "arn:aws:states:us-east-1:123456789012:activity:work",
            "Express state machine does not support Activity ARN",
        ),
    ],
)
def test_what_express_does_not_do(resource, message):
    parameters = {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}
    if "startExecution" in resource:
        parameters = {"StateMachineArn": "arn"}
    state = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}
    assert found(machine(state)) == []
    assert found(machine(state), kind="EXPRESS") == [(SCHEMA, message, "/States/A/Resource")]


def test_express_has_no_distributed_map():
    assert found(machine(distributed()), kind="EXPRESS") == [
        (
            SCHEMA,
            "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines",
            "/States/A/ItemProcessor/ProcessorConfig/Mode",
        )
    ]
