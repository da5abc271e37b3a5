"""The role of the state machine allows exactly what the state machine does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from retrain.states.model import parse
from retrain.workflow.iam import fill, needs

PROJECT = Path(__file__).resolve().parents[3]
DEFINITION = PROJECT / "statemachine" / "retrain.asl.json"


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as what they are applied to."""


def _short_form(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _short_form)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    template = yaml.load((PROJECT / "template.yaml").read_text(encoding="utf-8"), _Loader)
    found: dict[str, Any] = template["Resources"]
    return found


@pytest.fixture(scope="module")
def statements(resources) -> list[dict[str, Any]]:
    policies = resources["StateMachineRole"]["Properties"]["Policies"]
    return [each for policy in policies for each in policy["PolicyDocument"]["Statement"]]


@pytest.fixture(scope="module")
def needed(resources):
    properties = resources["StateMachine"]["Properties"]
    return needs(
        parse(fill(DEFINITION.read_text(encoding="utf-8"))),
        logging="Logging" in properties,
        tracing=bool(properties.get("Tracing", {}).get("Enabled")),
    )


def test_nothing_is_missing_and_nothing_superfluous(needed, statements):
    granted = {action for statement in statements for action in listed(statement["Action"])}
    assert sorted(needed.actions - granted) == []
    assert sorted(granted - needed.actions) == []
    assert needed.notes == ()


def kind(arn: str) -> str:
    """The service and the type of a resource: `sagemaker endpoint`."""
    match = re.search(r"arn:[^:]*(?:::Partition\})?:(?P<service>[a-z0-9-]+):[^/]*:(?P<type>[a-z-]+)[/:]", arn)
    return f"{match['service']} {match['type']}" if match else ""


def test_each_action_is_allowed_on_the_kind_of_resource_that_it_is_needed_on(needed, statements):
    for need in needed.needs:
        for action in need.actions:
            on = [
                arn
                for each in statements
                if action in listed(each["Action"])
                for arn in listed(each["Resource"])
            ]
            for arn in need.resources:
                if kind(arn):
                    assert {kind(arn), ""} & set(map(kind, on)), (action, arn)
                elif arn == "*":
                    assert on == ["*"], action


def test_what_is_allowed_everywhere_has_no_resources_in_iam(needed, statements):
    everywhere = {
        action for each in statements if each["Resource"] == "*" for action in listed(each["Action"])
    }
    assert everywhere == {
        action for each in needed.needs if each.resources == ("*",) for action in each.actions
    }


def test_roles_are_handed_over_to_the_service_that_they_are_for(needed, statements):
    (passing,) = (
        each for each in needed.needs if each.states == ("Train",) and "iam:PassRole" in each.actions
    )
    (statement,) = (each for each in statements if "iam:PassRole" in listed(each["Action"]))
    assert statement["Condition"] == passing.condition
    assert passing.resources == ("${SageMakerRoleArn}",)
    assert statement["Resource"] == "SageMakerRole.Arn"


def test_sagemaker_looks_at_artifact_and_image_as_the_one_who_registers_a_model(needed):
    why = {need.why for need in needed.needs if {"s3:GetObject", "ecr:DescribeImages"} & set(need.actions)}
    assert why == {"no role is passed: SageMaker looks at artifact and image as the caller"}


@pytest.mark.parametrize(
    ("state", "resource", "parameters", "missing", "superfluous"),
    [
        (
            *("CountLook", "aws-sdk:sagemaker:stopTrainingJob", {"TrainingJobName": "x"}),
            *(set(), set()),  # the role may stop jobs already, for .sync
        ),
        (
            *("CountLook", "aws-sdk:sagemaker:describeModel", {"ModelName": "x"}),
            *({"sagemaker:DescribeModel"}, set()),
        ),
        (
            *("FindDeletedEndpoint", "aws-sdk:sagemaker:describeModel", {"ModelName": "x"}),
            *({"sagemaker:DescribeModel"}, {"sagemaker:ListEndpoints"}),
        ),
    ],
)
def test_a_change_of_the_machine_is_noticed(state, resource, parameters, missing, superfluous, statements):
    definition = json.loads(fill(DEFINITION.read_text(encoding="utf-8")))
    definition["States"][state] |= {
        "Type": "Task",
        "Resource": f"arn:aws:states:::{resource}",
        "Parameters": parameters,
    }
    definition["States"][state].pop("ResultSelector", None)
    granted = {action for statement in statements for action in listed(statement["Action"])}
    found = needs(parse(definition), logging=True, tracing=True).actions
    assert (found - granted, granted - found) == (missing, superfluous)
