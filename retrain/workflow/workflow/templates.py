"""CloudFormation and SAM templates of a workflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from retrain.workflow.workflow.workflow import Workflow

_VERSION = "2010-09-09"
_RESOURCE = "StateMachineComponent"


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that a person can read a definition."""


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def cloudformation(workflow: Workflow, description: str | None = None) -> str:
    """Return a CloudFormation template with the state machine as its only resource."""
    properties = {
        "StateMachineName": workflow.name,
        "StateMachineType": workflow.kind,
        "DefinitionString": json.dumps(workflow.to_dict(), indent=2),
        "RoleArn": workflow.role,
        "Tags": _tags(workflow.tags),
        "DefinitionSubstitutions": workflow.substitutions or None,
    }
    return _template("AWS::StepFunctions::StateMachine", properties, description)


def sam(workflow: Workflow, description: str | None = None) -> str:
    """Return a SAM template with the state machine as its only resource, its definition as YAML."""
    properties = {
        "Name": workflow.name,
        "Type": workflow.kind,
        "Definition": workflow.to_dict(),
        "Role": workflow.role,
        "Tags": {tag["key"]: tag["value"] for tag in workflow.tags} or None,
        "DefinitionSubstitutions": workflow.substitutions or None,
    }
    return _template("AWS::Serverless::StateMachine", properties, description)


def _template(kind: str, properties: dict[str, Any], description: str | None) -> str:
    transform = {"Transform": "AWS::Serverless-2016-10-31"} if "Serverless" in kind else {}
    given = {name: value for name, value in properties.items() if value is not None}
    document = {
        "AWSTemplateFormatVersion": _VERSION,
        **transform,
        "Description": description or "CloudFormation template for AWS Step Functions - State Machine",
        "Resources": {_RESOURCE: {"Type": kind, "Properties": given}},
    }
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text


def _tags(tags: list[dict[str, str]]) -> list[dict[str, str]] | None:
    return [{"Key": tag["key"], "Value": tag["value"]} for tag in tags] or None
