"""`retrain states validate`."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
GOOD = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
BAD = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Nxt": "B"}}}
DOUBTFUL = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "$.a", "End": True}}}


@pytest.fixture
def file(tmp_path):
    def write(definition, name="machine.asl.json"):
        path = tmp_path / name
        path.write_text(definition if isinstance(definition, str) else json.dumps(definition))
        return path

    return write


def test_what_aws_would_take(retrain, file):
    path = file(GOOD)
    ended = retrain("states", "validate", path)
    assert (ended.code, ended.out, ended.err) == (0, "", f"{path}: AWS would take it\n")


def test_what_aws_would_refuse(retrain, file):
    path = file(BAD)
    ended = retrain("states", "validate", path)
    assert ended.code == 1
    lines = [line.split("\t") for line in ended.out.splitlines()]
    assert lines[0] == ["FILE", "SEVERITY", "CODE", "LOCATION", "MESSAGE"]
    assert lines[1] == [
        *(str(path), "ERROR", "SCHEMA_VALIDATION_FAILED", "/States/A"),
        "Field 'Nxt' is not supported; did you mean 'Next'?",
    ]
    assert ended.err == f"{path}: 3 errors\n"


def test_what_is_doubtful_is_said_and_no_failure(retrain, file):
    path = file(DOUBTFUL)
    ended = retrain("states", "validate", path)
    assert ended.code == 0
    assert "PASS_RESULT_IS_STATIC" in ended.out
    assert ended.err == f"{path}: 1 warning\n"


def test_as_json_in_the_shape_of_the_service(retrain, file):
    good, bad = file(GOOD), file(BAD, "bad.json")
    ended = retrain("states", "validate", good, bad, "--json")
    assert ended.code == 1
    first, second = ended.json["files"]
    assert first == {"file": str(good), "result": "OK", "diagnostics": []}
    assert second["result"] == "FAIL"
    assert second["diagnostics"][0] == {
        "severity": "ERROR",
        "code": "SCHEMA_VALIDATION_FAILED",
        "message": "Field 'Nxt' is not supported; did you mean 'Next'?",
        "location": "/States/A",
    }


def test_yaml_from_standard_input(retrain, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("StartAt: A\nStates:\n  A: {Type: Succeed}\n"))
    assert retrain("states", "validate", "-").code == 0


def test_express(retrain, file):
    resource = "arn:aws:states:us-east-1:123456789012:activity:work"
    path = file({"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": resource, "End": True}}})
    assert retrain("states", "validate", path).code == 0
    ended = retrain("states", "validate", path, "--express")
    assert ended.code == 1
    assert "Express state machine does not support Activity ARN" in ended.out


def test_tokens_are_filled_in(retrain, file):
    path = file({"StartAt": "A", "States": {"A": {"Type": "${Kind}"}}})
    assert retrain("states", "validate", path).code == 1
    ended = retrain("states", "validate", path, "--substitute", "Kind=Succeed")
    assert (ended.code, ended.err) == (0, f"{path}: AWS would take it\n")
    assert "placeholders stand for Kind" in retrain("states", "validate", path).err


def test_the_projects_own_machine(retrain):
    ended = retrain("states", "validate", PROJECT / "statemachine" / "retrain.asl.json")
    assert (ended.code, ended.out) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.json"], "nowhere.json cannot be read: No such file or directory."),
        (["{folder}"], "cannot be read: Is a directory."),
        (["{binary}"], "is no text in UTF-8, so it is no definition."),
        (["{good}", "--substitute", "Kind"], "'Kind' must be NAME=VALUE, like Partition=aws."),
        ([], "Missing argument 'FILE...'"),
    ],
)
def test_wrong_use(retrain, file, tmp_path, arguments, sentence):
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    names = {"folder": tmp_path, "binary": binary, "good": file(GOOD)}
    ended = retrain("states", "validate", *(each.format(**names) for each in arguments))
    assert ended.code == 2
    assert sentence in ended.err
