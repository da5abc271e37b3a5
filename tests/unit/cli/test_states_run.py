"""`retrain states run`."""

from __future__ import annotations

import io
import json

import pytest

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:f"
WAITS = {
    "StartAt": "Wait",
    "States": {
        "Wait": {"Type": "Wait", "Seconds": 86400, "Next": "Work"},
        "Work": {
            "Type": "Task",
            "Resource": LAMBDA,
            "Retry": [{"ErrorEquals": ["Slow"], "IntervalSeconds": 10, "MaxAttempts": 1}],
            "End": True,
        },
    },
}
MOCKS = {
    "StateMachines": {"M": {"TestCases": {"Good": {"Work": "Second"}, "Bad": {"Work": "Never"}}}},
    "MockedResponses": {
        "Second": {"0": {"Throw": {"Error": "Slow"}}, "1": {"Return": {"ä": 1}}},
        "Never": {"0": {"Throw": {"Error": "Broken", "Cause": "for good"}}},
    },
}
ADDS = {
    "StartAt": "Add",
    "States": {
        "Add": {"Type": "Pass", "Parameters": {"sum.$": "States.MathAdd($.a, $.b)"}, "End": True},
    },
}


@pytest.fixture
def file(tmp_path):
    def write(content, name="machine.json"):
        path = tmp_path / name
        path.write_text(json.dumps(content))
        return path

    return write


def test_without_tasks_nothing_else_is_needed(retrain, file):
    ended = retrain("states", "run", file(ADDS), "--input", '{"a": 1, "b": 2}')
    assert ended.code == 0
    assert json.loads(ended.out) == {"sum": 3}
    assert ended.err.startswith("SUCCEEDED after 0.")


def test_the_input_from_a_file(retrain, file):
    given = file({"a": 1, "b": 2}, "input.json")
    assert json.loads(retrain("states", "run", file(ADDS), "--input", f"@{given}").out) == {"sum": 3}


def test_the_definition_from_standard_input(retrain, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(ADDS)))
    assert json.loads(retrain("states", "run", "-", "--input", '{"a": 1, "b": 1}').out) == {"sum": 2}


def test_results_from_a_file_and_waiting_that_takes_no_time(retrain, file):
    ended = retrain("states", "run", file(WAITS), "--mocks", file(MOCKS, "mocks.json"), "--case", "Good")
    assert (ended.code, json.loads(ended.out)) == (0, {"ä": 1})
    assert ended.err == "SUCCEEDED after 86410.0 s\n"


def test_an_execution_that_fails(retrain, file):
    ended = retrain("states", "run", file(WAITS), "--mocks", file(MOCKS, "mocks.json"), "--case", "Bad")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "FAILED after 86400.0 s: Broken: for good\n"


def test_json_has_all_events(retrain, file):
    mocks = file(MOCKS, "mocks.json")
    ended = retrain("states", "run", file(WAITS), "--mocks", mocks, "--case", "Bad", "--json")
    told = json.loads(ended.out)
    assert ended.code == 1
    assert (told["status"], told["error"], told["seconds"]) == ("FAILED", "Broken", 86400.0)
    assert told["events"][-1]["type"] == "ExecutionFailed"


def test_a_definition_that_aws_would_refuse_is_not_run(retrain, file):
    ended = retrain("states", "run", file({"StartAt": "A", "States": {"A": {"Type": "Pass"}}}))
    assert ended.code == 1
    assert "ERROR" in ended.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "{"], "The input is not JSON"),
        (["--input", "@missing.json"], "missing.json cannot be read"),
        (["--case", "Good"], "--mocks and --case belong together"),
        (["--mocks", "missing.json", "--case", "Good"], "missing.json cannot be read"),
    ],
)
def test_arguments_that_cannot_be_meant(retrain, file, arguments, message):
    ended = retrain("states", "run", file(ADDS), *arguments)
    assert ended.code == 2
    assert message in ended.err


def test_a_case_that_is_not_there(retrain, file):
    ended = retrain("states", "run", file(WAITS), "--mocks", file(MOCKS, "mocks.json"), "--case", "Other")
    assert ended.code == 2
    assert "Good of M, Bad of M" in ended.err
