"""Mock configurations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from retrain.states.errors import StatesError
from retrain.states.execution import Engine, Execution, FunctionRunner, VirtualClock
from retrain.states.mocks import MockConfiguration, MockConfigurationError
from retrain.states.model import parse

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:f"
MACHINE = parse(
    {
        "StartAt": "One",
        "States": {
            "One": {
                "Type": "Task",
                "Resource": LAMBDA,
                "Retry": [{"ErrorEquals": ["Slow"], "MaxAttempts": 3}],
                "Next": "Two",
            },
            "Two": {"Type": "Task", "Resource": LAMBDA, "End": True},
        },
    }
)
CONFIGURATION: dict[str, Any] = {
    "StateMachines": {
        "Training": {
            "TestCases": {
                "Happy": {"One": "Good", "Two": "Good"},
                "Retried": {"One": "Slow twice", "Two": "Good"},
                "Hybrid": {"One": "Good"},
            }
        },
        "Other": {"TestCases": {"Happy": {"One": "Slow twice"}}},
    },
    "MockedResponses": {
        "Good": {"0": {"Return": {"ok": True}}},
        "Slow twice": {
            "0-1": {"Throw": {"Error": "Slow", "Cause": "very"}},
            "2": {"Return": "at last"},
        },
    },
}


def run(case: str, machine: str | None = None, **more: Any) -> Execution:
    runner = MockConfiguration(CONFIGURATION).runner(case, machine, **more)
    return Engine(runner, clock=VirtualClock()).run_to_end(MACHINE, {})


def test_each_call_gets_its_response() -> None:
    execution = run("Retried")
    assert (execution.status, execution.output) == ("SUCCEEDED", {"ok": True})
    assert execution.history.types().count("LambdaFunctionFailed") == 2


def test_a_machine_tells_cases_of_the_same_name_apart() -> None:
    assert run("Happy", "Training").status == "SUCCEEDED"
    with pytest.raises(MockConfigurationError, match="name the state machine"):
        run("Happy")


def test_a_case_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(MockConfigurationError, match=r"no case 'Sad'.*Retried of Training"):
        run("Sad")


def test_a_state_without_a_response_fails_or_is_run_by_another() -> None:
    assert "no response for the state 'Two'" in (run("Hybrid").cause or "")
    assert run("Hybrid", otherwise=FunctionRunner(lambda call: "real")).output == "real"


def test_a_call_beyond_the_last_response_fails() -> None:
    looping = parse(
        {
            "StartAt": "One",
            "States": {
                "One": {"Type": "Task", "Resource": LAMBDA, "Next": "C"},
                "C": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.stop", "IsPresent": True, "Next": "E"}],
                    "Default": "One",
                },
                "E": {"Type": "Succeed"},
            },
        }
    )
    runner = MockConfiguration(CONFIGURATION).runner("Hybrid")
    execution = Engine(runner, clock=VirtualClock()).run_to_end(looping, {})
    assert "nothing for its call number 1" in (execution.cause or "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"MockedResponses": {}}, "names 'Good', which MockedResponses does not have"),
        ({"MockedResponses": {"Good": {"x": {"Return": 1}}}}, 'like "0" or "1-3"'),
        ({"MockedResponses": {"Good": {"3-1": {"Return": 1}}}}, 'like "0" or "1-3"'),
        ({"MockedResponses": {"Good": {"0": {}}}}, "either Return or Throw"),
        (
            {"MockedResponses": {"Good": {"0": {"Return": 1, "Throw": {"Error": "E"}}}}},
            "either Return or Throw",
        ),
        ({"MockedResponses": {"Good": {"0": {"Throw": {"Cause": "C"}}}}}, "must have an Error"),
        (
            {"MockedResponses": {"Good": {"0-2": {"Return": 1}, "1": {"Return": 1}}}},
            "says twice what call number 1",
        ),
        ({"StateMachines": {"T": {"TestCases": []}}}, "StateMachines.T.TestCases must be an object"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(MockConfigurationError, match=message):
        MockConfiguration({**CONFIGURATION, **change})


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "mocks.json"
    with pytest.raises(MockConfigurationError, match="cannot be read"):
        MockConfiguration.read(file)
    file.write_text("{")
    with pytest.raises(MockConfigurationError, match="is not JSON"):
        MockConfiguration.read(file)
    file.write_text(json.dumps(CONFIGURATION))
    assert MockConfiguration.read(file).runner("Retried")


def test_errors_can_be_thrown_without_a_cause() -> None:
    configuration = MockConfiguration(
        {
            "StateMachines": {"M": {"TestCases": {"C": {"One": "R"}}}},
            "MockedResponses": {"R": {"0": {"Throw": {"Error": "E"}}}},
        }
    )
    execution = Engine(configuration.runner("C"), clock=VirtualClock()).run_to_end(MACHINE, {})
    assert (execution.error, execution.cause) == ("E", None)
    assert issubclass(MockConfigurationError, Exception)
    assert not issubclass(MockConfigurationError, StatesError)
