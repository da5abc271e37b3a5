"""`retrain workflow`: graph, iam, validate."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.unit.states.execution.machines import failing, run, task

PROJECT = Path(__file__).resolve().parents[3]
RETRAIN = PROJECT / "statemachine" / "retrain.asl.json"
STATES = {"Work": task(Next="Done"), "Done": {"Type": "Succeed"}}
GOOD = {"StartAt": "Work", "States": STATES}
BAD = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Nxt": "B"}}}
LOOP = {
    "StartAt": "A",
    "States": {
        "A": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.x", "IsNull": True, "Next": "B"}],
            "Default": "Z",
        },
        "B": {"Type": "Pass", "Next": "C"},
        "C": {"Type": "Pass", "Next": "B"},
        "Z": {"Type": "Succeed"},
    },
}


@pytest.fixture
def file(tmp_path):
    def write(definition, name="machine.asl.json"):
        path = tmp_path / name
        path.write_text(definition if isinstance(definition, str) else json.dumps(definition))
        return path

    return write


def test_a_graph_is_text_if_nothing_else_is_asked_for(retrain, file):
    ended = retrain("workflow", "graph", file(GOOD))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "● Work                                  Lambda f\n■ Done                                  succeed\n"
    )


def test_the_functions_are_named_though_cloudformation_has_not_filled_them_in(retrain):
    ended = retrain("workflow", "graph", RETRAIN)
    assert ended.out.startswith("● Prepare                               Lambda PrepareTraining\n")


@pytest.mark.parametrize(("form", "begins"), [("svg", "<svg "), ("mermaid", "flowchart TD\n")])
def test_other_forms_go_to_a_file_or_to_a_pipe(retrain, file, tmp_path, form, begins):
    target = tmp_path / "drawn"
    ended = retrain("workflow", "graph", file(GOOD), "--format", form, "--output", target)
    assert (ended.code, ended.out, ended.err) == (0, "", f"{target} written.\n")
    assert target.read_text().startswith(begins)
    assert retrain("workflow", "graph", file(GOOD), "-f", form).out == target.read_text()


def test_a_graph_coloured_by_an_execution(retrain, file, tmp_path):
    history = tmp_path / "history.json"
    history.write_text(json.dumps({"events": list(run(STATES, function=failing()).history)}))
    ended = retrain("workflow", "graph", file(GOOD), "--history", history)
    assert ended.out.splitlines() == [
        "✗ Work                                  failed, 0 ms",
        "○ Done                                  not reached",
    ]


@pytest.mark.parametrize("text", ["[]x", '{"no": "events"}', '[{"id": 1}]', "[1]"])
def test_what_is_no_history_is_said_to_be_none(retrain, file, tmp_path, text):
    history = tmp_path / "history.json"
    history.write_text(text)
    ended = retrain("workflow", "graph", file(GOOD), "--history", history)
    assert ended.code == 2
    assert f"{history} holds no history of an execution" in ended.err


def test_a_definition_that_aws_would_refuse_is_not_drawn(retrain, file):
    ended = retrain("workflow", "graph", file(BAD))
    assert ended.code == 1
    assert "did you mean 'Next'?" in ended.err
    assert ended.out == ""


def test_a_folder_that_is_not_there(retrain, file, tmp_path):
    ended = retrain("workflow", "graph", file(GOOD), "-o", tmp_path / "no" / "drawn.svg")
    assert ended.code == 2
    assert "cannot be written: No such file or directory." in ended.err


def test_a_definition_from_standard_input(retrain, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("StartAt: A\nStates:\n  A: {Type: Succeed}\n"))
    assert retrain("workflow", "graph", "-").out.startswith("■ A ")


def test_a_policy_for_cloudformation(retrain):
    ended = retrain("workflow", "iam", RETRAIN, "--logging")
    assert (ended.code, ended.err) == (0, "")
    by_sid = {statement["Sid"]: statement for statement in ended.json["Statement"]}
    assert "${NotifyFunctionArn}" in by_sid["Invoke"]["Resource"]
    assert by_sid["DeliverLogs"]["Action"][0] == "logs:CreateLogDelivery"
    assert "SendTraces" not in by_sid
    assert by_sid["CreateModel"]["Resource"] == (
        "arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:model/*"
    )


def test_a_policy_as_it_is_attached(retrain, file):
    call = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:getItem", "End": True}
    machine = {"StartAt": "A", "States": {"A": {**call, "Parameters": {"TableName": "${T}", "Key": {}}}}}
    ended = retrain(
        *("workflow", "iam", file(machine), "--partition", "aws-cn", "--region", "cn-north-1"),
        *("--account-id", "123456789012", "--substitute", "T=things"),
    )
    assert (
        ended.json["Statement"][0]["Resource"] == "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/things"
    )


def test_why_a_right_is_needed(retrain):
    ended = retrain("workflow", "iam", RETRAIN, "--explain")
    lines = [line.split("\t") for line in ended.out.splitlines()]
    assert lines[0] == ["ACTIONS", "RESOURCES", "STATES", "WHY"]
    assert [
        "sagemaker:DescribeTrainingJob, sagemaker:StopTrainingJob",
        "Train",
        "follows and stops the job",
    ] in [[line[0], line[2], line[3]] for line in lines]


def test_what_the_definition_cannot_tell_is_a_remark(retrain, file):
    call = {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask", "End": True}
    machine = {"StartAt": "A", "States": {"A": {**call, "Parameters": {"TaskDefinition": "d"}}}}
    ended = retrain("workflow", "iam", file(machine))
    assert ended.json["Statement"]
    assert ended.err.startswith("A: The roles in the task definition are not told here")


def test_validate_finds_what_aws_would_refuse(retrain, file):
    good, bad = file(GOOD), file(BAD, "bad.json")
    ended = retrain("workflow", "validate", good, bad)
    assert ended.code == 1
    assert f"{good}: AWS would take it" in ended.err
    assert f"{bad}: 3 errors" in ended.err


def test_validate_finds_what_can_hardly_be_meant(retrain, file):
    ended = retrain("workflow", "validate", file(LOOP), "--json")
    assert ended.code == 0
    (found,) = ended.json["files"]
    assert found["result"] == "OK"
    assert {each["code"] for each in found["diagnostics"]} == {"ENDLESS_LOOP"}


def test_our_own_state_machine_passes(retrain):
    ended = retrain("workflow", "validate", RETRAIN)
    assert (ended.code, ended.out, ended.err) == (0, "", f"{RETRAIN}: AWS would take it\n")


def test_a_substitution_without_a_value(retrain, file):
    ended = retrain("workflow", "graph", file(GOOD), "--substitute", "Partition")
    assert ended.code == 2
    assert "'Partition' must be NAME=VALUE" in ended.err
