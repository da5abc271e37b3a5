"""TestState: one state by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from retrain.states.service import ServiceError
from tests.unit.states.service.cloud import ROLE, Cloud, drive
from tests.unit.states.tasks.services import Services, refused

TASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues",
    "InputPath": "$.in",
    "Parameters": {"QueueNamePrefix.$": "$.prefix"},
    "ResultSelector": {"first.$": "$.QueueUrls[0]"},
    "ResultPath": "$.found",
    "OutputPath": "$.found",
    "Next": "After",
}


def run(definition: Any, services: Services | None = None, **request: Any) -> dict[str, Any]:
    async def scenario(cloud: Cloud) -> Any:
        given = {**request, "input": json.dumps(request.get("input", {}))}
        return await cloud.call("TestState", definition=json.dumps(definition), **given)

    return drive(scenario, services)


def refusal(definition: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ServiceError) as raised:
        run(definition, **request)
    return raised.value.code, raised.value.message


def test_a_task_with_all_that_its_fields_made_of_the_data() -> None:
    services = Services(ListQueues={"QueueUrls": ["q1", "q2"]})
    given = {"in": {"prefix": "q"}, "other": 1}
    answer = run(TASK, services, input=given, roleArn=ROLE, inspectionLevel="DEBUG")
    assert (answer["status"], answer["output"], answer["nextState"]) == (
        "SUCCEEDED",
        '{"first":"q1"}',
        "After",
    )
    inspected = {name: json.loads(text) for name, text in answer["inspectionData"].items()}
    assert inspected == {
        "input": given,
        "afterInputPath": {"prefix": "q"},
        "afterParameters": {"QueueNamePrefix": "q"},
        "result": {"QueueUrls": ["q1", "q2"]},
        "afterResultSelector": {"first": "q1"},
        "afterResultPath": {**given, "found": {"first": "q1"}},
    }


def test_nothing_is_shown_unless_asked_for() -> None:
    services = Services(ListQueues={"QueueUrls": ["q1"]})
    assert "inspectionData" not in run(TASK, services, input={"in": {"prefix": "q"}}, roleArn=ROLE)


def test_a_mock_takes_the_place_of_the_service() -> None:
    answer = run(TASK, input={"in": {"prefix": "q"}}, mock={"result": '{"QueueUrls": ["m"]}'})
    assert answer["output"] == '{"first":"m"}'


@pytest.mark.parametrize(
    ("handlers", "configuration", "expected"),
    [
        ({}, {}, {"status": "FAILED"}),
        (
            {
                "Retry": [
                    {"ErrorEquals": ["Other"]},
                    {"ErrorEquals": ["Sqs.SqsException"], "IntervalSeconds": 3},
                ]
            },
            {"retrierRetryCount": 1},
            {"status": "RETRIABLE", "details": {"retryIndex": 1, "retryBackoffIntervalSeconds": 6}},
        ),
        (
            {
                "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2}],
                "Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught", "ResultPath": "$.e"}],
            },
            {"retrierRetryCount": 2},
            {"status": "CAUGHT_ERROR", "nextState": "Caught", "details": {"catchIndex": 0}},
        ),
    ],
)
def test_an_error_and_what_becomes_of_it(handlers: Any, configuration: Any, expected: Any) -> None:
    answer = run(
        {**TASK, **handlers},
        Services(ListQueues=refused("Strange")),
        input={"in": {"prefix": "q"}},
        roleArn=ROLE,
        stateConfiguration=configuration,
        inspectionLevel="DEBUG",
    )
    details = expected.pop("details", None)
    assert answer["inspectionData"].get("errorDetails") == details
    assert {name: answer[name] for name in expected} == expected
    assert answer["error"] == "Sqs.SqsException"
    assert answer["cause"].startswith("no (Service: Sqs")
    if "nextState" in expected:
        assert json.loads(answer["output"])["e"]["Error"] == "Sqs.SqsException"


def test_other_states() -> None:
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.n", "NumericGreaterThan": 1, "Next": "Many"}],
        "Default": "Few",
    }
    assert run(choice, input={"n": 2})["nextState"] == "Many"
    assert run(choice, input={"n": 1})["nextState"] == "Few"
    assert run(choice)["error"] == "States.Runtime"
    assert run({"Type": "Wait", "Seconds": 99_999, "End": True}, input=1) == {
        "status": "SUCCEEDED",
        "output": "1",
    }
    failed = run({"Type": "Fail", "Error": "E", "Cause": "C"})
    assert (failed["status"], failed["error"], failed["cause"]) == ("FAILED", "E", "C")
    assert run({"Type": "Succeed"}, input=[1])["output"] == "[1]"


def test_jsonata_variables_and_context() -> None:
    state = {
        "Type": "Pass",
        "QueryLanguage": "JSONata",
        "Output": "{% [$v, $states.context.Execution.Name, $states.input] %}",
        "End": True,
    }
    answer = run(
        state,
        input=1,
        variables='{"v": 2}',
        context='{"Execution": {"Name": "mine"}}',
        inspectionLevel="DEBUG",
    )
    assert answer["output"] == '[2,"mine",1]'


def test_a_state_of_a_whole_definition() -> None:
    inner = {"StartAt": "In", "States": {"In": {"Type": "Pass", "Result": 7, "End": True}}}
    whole = {
        "StartAt": "Both",
        "States": {"Both": {"Type": "Parallel", "Branches": [inner], "End": True}},
    }
    assert run(whole, stateName="In")["output"] == "7"
    assert run(whole, stateName="Both", mock={"result": "[1]"})["output"] == "[1]"
    assert refusal(whole)[0] == "ValidationException"
    assert refusal(whole, stateName="Out")[1] == "The definition has no state 'Out'"


@pytest.mark.parametrize(
    ("definition", "request_fields", "code", "words"),
    [
        (TASK, {}, "ValidationException", "role ARN"),
        (
            {
                **TASK,
                "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                "Parameters": {"QueueUrl": "q", "MessageBody": "b"},
            },
            {"roleArn": ROLE},
            "ValidationException",
            "mock must be given",
        ),
        (TASK, {"mock": {}}, "ValidationException", "exactly one"),
        (TASK, {"mock": {"result": "{"}, "input": {"in": {"prefix": "q"}}}, "ValidationException", "no JSON"),
        ({"Type": "Pass", "End": True}, {"mock": {"result": "1"}}, "ValidationException", "cannot be mocked"),
        ({"Type": "Pass"}, {}, "InvalidDefinition", "SCHEMA_VALIDATION_FAILED"),
        ({"Type": "Nothing"}, {}, "InvalidDefinition", ""),
        ([], {}, "InvalidDefinition", "JSON object"),
        ({"Type": "Succeed"}, {"variables": "[]"}, "ValidationException", "variables must be"),
        ({"Type": "Succeed"}, {"inspectionLevel": "ALL"}, "ValidationException", "INFO, DEBUG, TRACE"),
    ],
)
def test_what_is_refused(definition: Any, request_fields: Any, code: str, words: str) -> None:
    found, message = refusal(definition, **request_fields)
    assert found == code
    assert words in message
