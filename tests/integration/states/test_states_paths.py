"""Paths that lead nowhere, choices and the context object, in executions of the local cloud."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.definitions import History, Run, call, machine


class TestPaths:
    @pytest.mark.parametrize(
        ("state", "words"),
        [
            (
                {"Type": "Pass", "Parameters": {"y.$": "$.missing"}},
                "The JSONPath '$.missing' specified for the field 'y.$' could not be found in the input '{",
            ),
            ({"Type": "Pass", "InputPath": "$.missing"}, "'$.missing'"),
            ({"Type": "Pass", "OutputPath": "$.missing.deeper"}, "'$.missing.deeper'"),
            ({"Type": "Pass", "Parameters": {"y.$": "$$.State.Missing"}}, "$.State.Missing'"),
            ({"Type": "Pass", "Parameters": {"y.$": "States.Format('{}', $.missing)"}}, "'$.missing'"),
            (
                {"Type": "Wait", "SecondsPath": "$.missing"},
                "SecondsPath",
            ),
            ({"Type": "Wait", "SecondsPath": "$.there"}, "must be an integer"),
            ({"Type": "Wait", "TimestampPath": "$.missing"}, "TimestampPath"),
            (
                {"Type": "Choice", "Choices": [{"Variable": "$.missing", "NumericEquals": 1, "Next": "Last"}]}
                | {"Default": "Last"},
                "Invalid path '$.missing': The choice state's condition path references an invalid value.",
            ),
            (
                {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.there", "StringEqualsPath": "$.missing", "Next": "Last"}],
                    "Default": "Last",
                },
                "Invalid path '$.missing'",
            ),
        ],
    )
    def test_a_path_that_leads_nowhere_fails_the_execution(
        self, run: Run, state: dict[str, Any], words: str
    ) -> None:
        described = run(machine(("First", state), ("Last", {"Type": "Succeed"})), {"there": None})
        assert (described["status"], described["error"]) == ("FAILED", "States.Runtime")
        assert described["cause"].startswith(
            "An error occurred while executing the state 'First' (entered at the event id #2). "
        )
        assert words in described["cause"]

    def test_nothing_catches_it(self, mends: dict[str, str], run: Run) -> None:
        task = call(
            mends["FunctionArn"],
            Retry=[{"ErrorEquals": ["States.ALL"]}],
            Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
            ResultSelector={"x.$": "$.missing"},
        )
        described = run(machine(("Call", task), ("Caught", {"Type": "Pass"})), {})
        assert (described["status"], described["error"]) == ("FAILED", "States.Runtime")

    def test_is_present_may_ask_for_it(self, run: Run) -> None:
        choice = {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.missing", "IsPresent": True, "Next": "Wrong"},
                {
                    "And": [
                        {"Variable": "$.null", "IsPresent": True},
                        {"Variable": "$.null", "IsNull": True},
                        {"Not": {"Variable": "$.missing", "IsPresent": True}},
                    ],
                    "Next": "Right",
                },
            ],
            "Default": "Wrong",
        }
        states = machine(("First", choice), ("Wrong", {"Type": "Fail"}), ("Right", {"Type": "Succeed"}))
        assert run(states, {"null": None})["status"] == "SUCCEEDED"

    def test_values_of_another_type_do_not_match(self, run: Run) -> None:
        rules = [
            {"Variable": "$.text", "NumericEquals": 1},
            {"Variable": "$.number", "StringEquals": "1"},
            {"Variable": "$.true", "NumericEquals": 1},
            {"Variable": "$.number", "BooleanEquals": True},
            {"Variable": "$.text", "StringLessThanPath": "$.number"},
        ]
        choice = {"Type": "Choice", "Choices": [{"Or": rules, "Next": "Wrong"}], "Default": "Right"}
        states = machine(("First", choice), ("Wrong", {"Type": "Fail"}), ("Right", {"Type": "Succeed"}))
        assert run(states, {"text": "1", "number": 1, "true": True})["status"] == "SUCCEEDED"

    def test_the_context_object_is_whole(self, run: Run) -> None:
        template = {
            "redrives.$": "$$.Execution.RedriveCount",
            "role.$": "$$.Execution.RoleArn",
            "machine.$": "$$.StateMachine.Name",
            "name.$": "States.Format('{}-{}', $$.Execution.Name, $$.Execution.Input.flag)",
        }
        described = run(
            machine(("First", {"Type": "Pass", "Parameters": template})), {"flag": True}, name="run-7"
        )
        made = json.loads(described["output"])
        assert made == {
            "redrives": 0,
            "role": "arn:aws:iam::000000000000:role/test",
            "machine": described["stateMachineArn"].rsplit(":", 1)[-1],
            "name": "run-7-true",
        }


def test_a_branch_of_a_parallel_has_its_own_state_in_the_context(
    mends: dict[str, str], run: Run, history: History
) -> None:
    tried_again = call(
        mends["FunctionArn"],
        {"raise": "no", "name.$": "$$.State.Name"},
        Retry=[{"ErrorEquals": ["UploadTornError"], "IntervalSeconds": 1, "MaxAttempts": 1}],
        Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
    )
    branches = [
        machine(("Call", tried_again), ("Caught", {"Type": "Pass"})),
        machine(("Before", {"Type": "Pass"}), ("Other", {"Type": "Pass"})),
    ]
    described = run(machine(("Both", {"Type": "Parallel", "Branches": branches})))
    scheduled = [
        e["taskScheduledEventDetails"] for e in history(described["executionArn"]) if "Scheduled" in e["type"]
    ]
    assert [json.loads(e["parameters"])["Payload"]["name"] for e in scheduled] == ["Call", "Call"]
