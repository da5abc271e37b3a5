"""Workflows without a cloud: what is sent, what is refused before it is sent, templates, pictures."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from cfnlint.api import ManualArgs, lint

from retrain.errors import CloudError
from retrain.workflow import Execution, ExecutionStatus, Workflow, set_stream_logger
from retrain.workflow.errors import (
    AuthoringError,
    InvalidDefinitionError,
    MissingRequiredParameterError,
    WorkflowError,
)
from retrain.workflow.steps import Chain, FrozenGraph, Graph, Pass, Task
from tests.unit.workflow_authoring.conftest import ROLE

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:w"
NOW = datetime(2026, 8, 1, tzinfo=UTC)


@pytest.fixture
def client() -> Any:
    return boto3.client("stepfunctions", aws_access_key_id="a", aws_secret_access_key="b")


def workflow(client: Any = None, **arguments: Any) -> Workflow:
    definition = arguments.pop("definition", Chain([Pass("A"), Pass("B")]))
    return Workflow("w", definition, ROLE, client=client, **arguments)


def test_what_create_sends(client):
    own = workflow(
        client, comment="c", timeout_seconds=9, tags=[{"key": "a", "value": "b"}], format_json=False
    )
    with Stubber(client) as stub:
        stub.add_response(
            "create_state_machine",
            {"stateMachineArn": ARN, "creationDate": NOW},
            {
                "name": "w",
                "definition": json.dumps(own.to_dict()),
                "roleArn": ROLE,
                "type": "STANDARD",
                "tags": [{"key": "a", "value": "b"}],
            },
        )
        assert own.create() == own.create() == ARN
    assert own.to_dict()["Comment"] == "c"
    assert own.to_dict()["TimeoutSeconds"] == 9


def test_what_aws_would_refuse_is_never_sent(client):
    own = workflow(client, definition=Pass("A", input_path="nowhere"))
    with Stubber(client), pytest.raises(InvalidDefinitionError, match="/States/A/InputPath"):
        own.create()
    express = workflow(
        client,
        kind="EXPRESS",
        definition=Task("T", resource="arn:aws:states:::glue:startJobRun.sync", parameters={"JobName": "j"}),
    )
    with Stubber(client), pytest.raises(InvalidDefinitionError, match="Express"):
        express.create()


def test_what_aws_answers_stays_botocores(client):
    own = workflow(client)
    with Stubber(client) as stub:
        stub.add_client_error("create_state_machine", "StateMachineLimitExceeded", "too many")
        with pytest.raises(ClientError, match="too many"):
            own.create()


def test_no_cloud_at_all_gets_a_sentence():
    with pytest.raises(CloudError, match="retrain local up"):
        workflow().create()


def test_one_that_exists_is_found(client):
    with Stubber(client) as stub:
        stub.add_client_error(
            "create_state_machine",
            "StateMachineAlreadyExists",
            f"State Machine Already Exists: '{ARN}'",
        )
        assert workflow(client).create() == ARN


def test_a_definition_that_cannot_be_used_changes_nothing(client):
    own = workflow(client, state_machine_arn=ARN)
    before = own.to_dict()
    with pytest.raises(InvalidDefinitionError):
        own.update(definition=Pass("A", input_path="nowhere"))
    assert own.to_dict() == before
    with pytest.raises(MissingRequiredParameterError, match="a new definition, a new role, or both"):
        own.update()


@pytest.mark.parametrize("definition", [5, ["A"], None])
def test_what_is_no_definition_gets_a_sentence(definition):
    with pytest.raises(AuthoringError, match="definition is a state, a chain"):
        workflow(definition=definition)


def test_a_definition_may_come_as_it_is():
    written = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    for definition in (written, json.dumps(written), FrozenGraph(written), Graph(Pass("A"))):
        assert workflow(definition=definition).to_dict()["StartAt"] == "A"


def test_waiting_for_an_output(client, monkeypatch):
    own = workflow(client, state_machine_arn=ARN)
    execution = Execution(own, f"{ARN}:e", NOW, "RUNNING")
    described = {"executionArn": f"{ARN}:e", "stateMachineArn": ARN, "startDate": NOW, "input": "{}"}
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    with Stubber(client) as stub:
        for status in ("RUNNING", "RUNNING", "SUCCEEDED"):
            answer = {**described, "status": status, **({"output": "[1]"} if status == "SUCCEEDED" else {})}
            stub.add_response("describe_execution", answer)
        assert execution.get_output(wait=True) == [1]
    assert len(pauses) == 2
    assert execution.status is ExecutionStatus.Succeeded
    assert (execution.name, execution.client) == ("e", client)


def test_a_template_of_cloudformation():
    template = yaml.safe_load(workflow(tags=[{"key": "a", "value": "b"}]).get_cloudformation_template())
    assert template["Resources"]["StateMachineComponent"]["Type"] == "AWS::StepFunctions::StateMachine"
    properties = template["Resources"]["StateMachineComponent"]["Properties"]
    assert json.loads(properties["DefinitionString"]) == workflow().to_dict()
    assert properties["RoleArn"] == ROLE
    assert properties["Tags"] == [{"Key": "a", "Value": "b"}]


@pytest.mark.parametrize("form", ["get_cloudformation_template", "get_sam_template"])
def test_templates_pass_cfn_lint(form):
    template = getattr(workflow(comment="Ünïcode\nin lines"), form)()
    assert lint(template, config=ManualArgs(regions=["us-east-1"])) == []


def test_a_sam_template_keeps_substitutions():
    text = '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${FunctionArn}", "End": true}}}'
    own = Workflow.from_asl(
        text, role=ROLE, substitutions={"FunctionArn": "arn:aws:lambda:us-east-1:1:function:f"}
    )
    properties = yaml.safe_load(own.get_sam_template())["Resources"]["StateMachineComponent"]["Properties"]
    assert properties["Definition"]["States"]["A"]["Resource"] == "${FunctionArn}"
    assert properties["DefinitionSubstitutions"] == {"FunctionArn": "arn:aws:lambda:us-east-1:1:function:f"}


def test_a_workflow_is_drawn():
    own = workflow()
    picture = own.render_graph()
    assert picture.svg() == own._repr_html_()
    assert "A" in str(picture)
    assert "A" in picture.mermaid()


def test_errors_are_the_tools_own():
    assert issubclass(AuthoringError, WorkflowError)
    assert issubclass(AuthoringError, ValueError)


def test_what_the_library_logs_can_be_seen(capsys, client):
    import logging

    logger = logging.getLogger("retrain.workflow")
    handlers = list(logger.handlers)
    set_stream_logger()
    set_stream_logger()
    try:
        assert len(logger.handlers) == len(handlers) + 1
        workflow(client, state_machine_arn=ARN).create()
        assert "exists already" in capsys.readouterr().err
    finally:
        logger.handlers[:] = handlers
        logger.setLevel(logging.NOTSET)
