"""Definitions that were written elsewhere come in and go out unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from retrain.states import model
from retrain.states.validation import examine
from retrain.workflow import Workflow
from retrain.workflow.errors import AuthoringError, InvalidDefinitionError

PROJECT = Path(__file__).resolve().parents[3]
RETRAIN = PROJECT / "statemachine" / "retrain.asl.json"
PUBLISHED = PROJECT / "tests" / "integration" / "published_pipeline" / "pipeline.asl.json"
DEFINITIONS = PROJECT / "tests" / "unit" / "workflow_drawing" / "definitions"

JSONATA = {
    "Comment": "As Workflow Studio writes it",
    "QueryLanguage": "JSONata",
    "StartAt": "Look",
    "States": {
        "Look": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:listBuckets",
            "Arguments": {},
            "Assign": {"count": "{% $count($states.result.Buckets) %}"},
            "Output": "{% $states.result.Buckets %}",
            "Next": "Any?",
        },
        "Any?": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $count > 0 %}", "Next": "Each"}],
            "Default": "None",
        },
        "Each": {
            "Type": "Map",
            "Items": "{% $states.input %}",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "One",
                "States": {"One": {"Type": "Pass", "End": True}},
            },
            "End": True,
        },
        "None": {"Type": "Fail", "Error": "Nothing", "Cause": "{% 'none at ' & $now() %}"},
    },
}
OLD = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map",
            "Parameters": {"x.$": "$$.Map.Item.Value"},
            "Iterator": {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}},
            "MaxConcurrency": 0,
            "ResultPath": None,
            "End": True,
        }
    },
}


@pytest.mark.parametrize("file", [RETRAIN, PUBLISHED], ids=lambda file: file.stem)
def test_the_projects_own_definitions_come_back_as_they_are(file):
    workflow = Workflow.from_asl(file)
    written = json.loads(file.read_text())
    assert workflow.to_dict() == written
    assert list(workflow.to_dict()["States"]) == list(written["States"])
    assert workflow.name == file.name.split(".")[0]
    assert model.to_definition(workflow.definition.machine) == written
    assert workflow.validate() == ()


@pytest.mark.parametrize("written", [JSONATA, OLD], ids=["jsonata", "old"])
@pytest.mark.parametrize("dump", [json.dumps, yaml.safe_dump], ids=["json", "yaml"])
def test_both_languages_in_both_forms_come_back_as_they_are(written, dump, tmp_path):
    file = tmp_path / "machine.asl.json"
    file.write_text(dump(written))
    for source in (file, str(file), dump(written)):
        workflow = Workflow.from_asl(source)
        assert workflow.to_dict() == written
        assert model.to_definition(workflow.definition.machine) == written
    assert Workflow.from_asl(str(file)).name == "machine"


@pytest.mark.parametrize("file", sorted(DEFINITIONS.iterdir()), ids=lambda file: file.stem)
def test_definitions_of_all_kinds_come_back_as_they_are(file):
    written = examine(file.read_text())[0]
    workflow = Workflow.from_asl(file)
    assert workflow.to_dict() == written
    assert json.dumps(workflow.to_dict()) == json.dumps(written)
    assert model.to_definition(workflow.definition.machine) == written


def test_what_is_changed_in_the_copy_does_not_change_the_workflow():
    workflow = Workflow.from_asl(json.dumps(OLD))
    workflow.to_dict()["States"].clear()
    assert workflow.to_dict() == OLD


def test_tokens_stay_until_they_are_filled_in():
    workflow = Workflow.from_asl(RETRAIN, substitutions={"Partition": "aws-cn"})
    resource = workflow.to_dict()["States"]["Prepare"]["Resource"]
    assert resource == "arn:${Partition}:states:::lambda:invoke"
    filled = workflow.definition.filled_in()["States"]["Prepare"]["Resource"]
    assert filled == "arn:aws-cn:states:::lambda:invoke"


def test_a_token_outside_of_quotes_must_be_filled_in():
    text = '{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": ${Pause}, "End": true}}}'
    workflow = Workflow.from_asl(text, substitutions={"Pause": "7"})
    assert workflow.to_dict()["States"]["W"]["Seconds"] == 7


def test_a_definition_that_aws_would_refuse_is_refused_with_every_fault():
    broken = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "C": {"Type": "Pas"}}}
    with pytest.raises(InvalidDefinitionError) as caught:
        Workflow.from_asl(json.dumps(broken))
    assert {each.location for each in caught.value.diagnostics} >= {"/States/A/Next", "/States/C/Type"}
    assert "did you mean 'Pass'" in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[1]", '{"StartAt": 5}', "a: [\n"])
def test_what_is_no_definition_is_refused(text):
    with pytest.raises(InvalidDefinitionError):
        Workflow.from_asl(text)


def test_a_file_that_cannot_be_read_gets_a_sentence(tmp_path):
    with pytest.raises(AuthoringError, match=r"nowhere.json cannot be read: No such file"):
        Workflow.from_asl("nowhere.json")
    binary = tmp_path / "b.json"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AuthoringError, match="no text in UTF-8"):
        Workflow.from_asl(binary)
