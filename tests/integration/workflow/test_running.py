"""Workflows are created, changed, run, listed, stopped and read back on the local cloud."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import yaml

from retrain.localcloud import deploy
from retrain.workflow import ExecutionStatus, Workflow
from retrain.workflow.errors import InputError, MissingRequiredParameterError, WorkflowNotFoundError
from retrain.workflow.inputs import ExecutionInput, MapItemIndex, MapItemValue
from retrain.workflow.steps import (
    Chain,
    Choice,
    ChoiceRule,
    Map,
    Parallel,
    Pass,
    Succeed,
    Wait,
)
from tests.integration.workflow.conftest import ROLE


@pytest.fixture
def client(aws: Any) -> Any:
    return aws("stepfunctions")


def a_name() -> str:
    return f"run-{uuid.uuid4().hex[:8]}"


def test_placeholders_choices_branches_and_items_do_what_they_say(client):
    execution_input = ExecutionInput(schema={"digits": list, "limit": int})
    count = Map(
        "Each digit",
        items_path=execution_input["digits"],
        parameters={"index": MapItemIndex(), "value": MapItemValue()["value"]},
        iterator=Pass("One digit"),
        result_path="$.each",
    )
    beside = Parallel("Two ways", result_path="$.both")
    beside.add_branch(Pass("Left", parameters={"limit": execution_input["limit"]}))
    beside.add_branch(Chain([Pass("Right 1"), Pass("Right 2", result="right")]))
    high, low = Pass("High", parameters={"both": beside.output()["both"], "side": "high"}), Succeed("Low")
    decide = Choice("Which?")
    decide.add_choice(ChoiceRule.NumericGreaterThan(beside.output()["limit"], 5), high)
    decide.default_choice(low)
    workflow = Workflow(
        a_name(), Chain([count, beside, decide]), ROLE, execution_input=execution_input, client=client
    )
    workflow.create()
    inputs = {"digits": [{"value": 7}, {"value": 9}], "limit": 6}
    assert workflow.execute(inputs=inputs).get_output(wait=True) == {
        "both": [{"limit": 6}, "right"],
        "side": "high",
    }
    few = workflow.execute(inputs={**inputs, "limit": 1}).get_output(wait=True)
    assert few["each"] == [{"index": 0, "value": 7}, {"index": 1, "value": 9}]


def test_the_same_in_jsonata(client):
    execution_input = ExecutionInput(schema={"name": str})
    first = Pass("Greet", output={"text": execution_input["name"], "list": [1, execution_input["name"]]})
    decide = Choice("Known?")
    decide.add_choice("{% $states.input.text = 'Ada' %}", Succeed("Known"))
    decide.default_choice(Pass("Unknown", output={"who": first.output()["text"]}))
    workflow = Workflow(a_name(), Chain([first, decide]), ROLE, client=client, query_language="JSONata")
    workflow.create()
    known = workflow.execute(inputs={"name": "Ada"}).get_output(wait=True)
    assert known == {"text": "Ada", "list": [1, "Ada"]}
    assert workflow.execute(inputs={"name": "Bo"}).get_output(wait=True) == {"who": "Bo"}


def test_a_workflow_is_created_changed_listed_attached_and_deleted(client):
    name = a_name()
    workflow = Workflow(name, Pass("One"), ROLE, client=client)
    arn = workflow.create()
    assert workflow.create() == arn
    assert Workflow(name, Pass("Other"), ROLE, client=client).create() == arn
    assert name in [each["name"] for each in Workflow.list_workflows(client=client)]

    workflow.update(definition=Chain([Pass("One"), Pass("Two", result={"changed": True})]))
    attached = Workflow.attach(arn, client=client)
    assert attached.to_dict() == workflow.to_dict()
    execution = attached.execute(name="first", inputs={"a": 1})
    assert execution.get_output(wait=True) == {"changed": True}
    assert execution.get_input() == {"a": 1}
    done = attached.list_executions(status_filter=ExecutionStatus.Succeeded)
    assert [each.name for each in done] == ["first"]
    assert attached.list_executions(status_filter="FAILED") == []
    assert "first" in done.to_html()
    events = execution.list_events()
    assert events[0]["type"] == "ExecutionStarted"
    assert execution.list_events(reverse_order=True)[0]["type"] == "ExecutionSucceeded"
    assert len(execution.list_events(max_items=2)) == 2

    workflow.delete()
    with pytest.raises(WorkflowNotFoundError, match="create"):
        workflow.execute()


def test_an_execution_is_stopped_and_says_why(client):
    workflow = Workflow(a_name(), Wait("Long", seconds=600), ROLE, client=client)
    workflow.create()
    execution = workflow.execute()
    assert execution.get_output() is None
    execution.stop(cause="Enough", error="Stopped")
    description = execution.describe()
    assert (description["status"], description["error"], description["cause"]) == (
        "ABORTED",
        "Stopped",
        "Enough",
    )
    assert execution.status is ExecutionStatus.Aborted


def test_an_input_that_does_not_fit_never_starts(client):
    execution_input = ExecutionInput(schema={"name": str, "count": int})
    workflow = Workflow(
        a_name(),
        Pass("P", parameters={"n": execution_input["name"]}),
        ROLE,
        execution_input=execution_input,
        client=client,
    )
    workflow.create()
    with pytest.raises(InputError, match="'name' is missing; 'count' must be int and is str"):
        workflow.execute(inputs={"count": "3"})
    assert workflow.list_executions() == []


def test_nothing_can_be_done_without_a_state_machine_or_a_role(client):
    workflow = Workflow(a_name(), Pass("P"), None, client=client)
    with pytest.raises(MissingRequiredParameterError, match="role"):
        workflow.create()
    with pytest.raises(WorkflowNotFoundError):
        workflow.update(role=ROLE)
    assert workflow.list_executions() == []


@pytest.mark.parametrize("form", ["get_cloudformation_template", "get_sam_template"])
def test_its_template_deploys(form, client, local_cloud, tmp_path):
    name = a_name()
    workflow = Workflow(name, Pass("Hello", result={"it": "works"}), ROLE, client=client)
    template = getattr(workflow, form)("A workflow")
    assert yaml.safe_load(template)["Description"] == "A workflow"
    file = tmp_path / "template.yaml"
    file.write_text(template)
    deploy.deploy(
        file,
        endpoint_url=local_cloud.endpoint_url,
        state_dir=local_cloud.state_dir,
        stack_name=f"stack-{name}",
    )
    found = [each for each in Workflow.list_workflows(client=client) if each["name"] == name]
    deployed = Workflow.attach(found[0]["stateMachineArn"], client=client)
    assert deployed.execute().get_output(wait=True) == {"it": "works"}
