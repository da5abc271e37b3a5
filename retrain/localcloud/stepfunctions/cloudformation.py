"""AWS::StepFunctions::StateMachine, StateMachineVersion, StateMachineAlias and Activity for stacks."""

from __future__ import annotations

import json
from typing import Any

import yaml

from retrain.localcloud import seams
from retrain.localcloud.stepfunctions.api import Api
from retrain.states.service import ServiceError

MACHINE = "AWS::StepFunctions::StateMachine"
VERSION = "AWS::StepFunctions::StateMachineVersion"
ALIAS = "AWS::StepFunctions::StateMachineAlias"
ACTIVITY = "AWS::StepFunctions::Activity"

Properties = dict[str, Any]
Made = tuple[str, dict[str, Any]]

_MACHINE_PROPERTIES = frozenset(
    {
        *("StateMachineName", "StateMachineType", "RoleArn", "Tags", "LoggingConfiguration"),
        *("TracingConfiguration", "EncryptionConfiguration", "Definition", "DefinitionString"),
        *("DefinitionS3Location", "DefinitionSubstitutions"),
    }
)
_BOOLEANS = frozenset({"enabled", "includeExecutionData"})
_NUMBERS = frozenset({"kmsDataKeyReusePeriodSeconds", "weight"})


def register(api: Api) -> None:
    """Teach CloudFormation the types."""
    machines, versions = MachineResource(api), VersionResource(api)
    aliases, activities = AliasResource(api), ActivityResource(api)
    seams.register_cloudformation_type(MACHINE, machines.create, machines.delete, machines.update)
    seams.register_cloudformation_type(VERSION, versions.create, versions.delete, versions.update)
    seams.register_cloudformation_type(ALIAS, aliases.create, aliases.delete, aliases.update)
    seams.register_cloudformation_type(ACTIVITY, activities.create, activities.delete, activities.update)


class HandlerError(ValueError):
    """Why a resource of a stack failed, in CloudFormation's words."""

    def __init__(self, message: str, code: str = "InvalidRequest") -> None:
        super().__init__(f'Resource handler returned message: "{message}" (HandlerErrorCode: {code})')


class _Resource:
    def __init__(self, api: Api) -> None:
        self._api = api

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        try:
            return self._api.call(operation, **request)
        except ServiceError as error:
            raise HandlerError(error.message) from error

    def _set_tags(self, arn: str, old: Properties, new: Properties) -> None:
        before, after = _tags(old), _tags(new)
        gone = sorted({tag["key"] for tag in before} - {tag["key"] for tag in after})
        if gone:
            self._call("UntagResource", resourceArn=arn, tagKeys=gone)
        if after:
            self._call("TagResource", resourceArn=arn, tags=after)


class MachineResource(_Resource):
    """State machines; ``Ref`` gives the ARN."""

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Made:
        """Create a state machine."""
        _refuse_unknown(MACHINE, properties, _MACHINE_PROPERTIES)
        name = properties.get("StateMachineName") or seams.physical_name(stack_name, logical_id, 80)
        arn = self._call(
            "CreateStateMachine",
            name=name,
            type=properties.get("StateMachineType", "STANDARD"),
            tags=_tags(properties),
            **_described(properties),
        )["stateMachineArn"]
        return arn, self._attributes(arn)

    def update(self, physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
        """Change a state machine; name and type are changed by CloudFormation's replacing it."""
        del stack_name
        _refuse_unknown(MACHINE, new, _MACHINE_PROPERTIES)
        self._call("UpdateStateMachine", stateMachineArn=physical_id, **_described(new, old))
        self._set_tags(physical_id, old, new)
        return physical_id, self._attributes(physical_id)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Delete a state machine, and end its executions."""
        del properties
        self._call("DeleteStateMachine", stateMachineArn=physical_id)

    def _attributes(self, arn: str) -> dict[str, Any]:
        found = self._call("DescribeStateMachine", stateMachineArn=arn)
        return {"Arn": arn, "Name": found["name"], "StateMachineRevisionId": found["revisionId"]}


class VersionResource(_Resource):
    """Versions; ``Ref`` gives the ARN."""

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Made:
        """Publish a version."""
        del logical_id, stack_name
        request = {
            "stateMachineArn": properties.get("StateMachineArn"),
            "revisionId": properties.get("StateMachineRevisionId"),
            "description": properties.get("Description"),
        }
        arn = self._call("PublishStateMachineVersion", **request)["stateMachineVersionArn"]
        return arn, {"Arn": arn}

    def update(self, physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
        """Publish another version: every property of one is part of it."""
        del old
        return self.create(physical_id, new, stack_name)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Delete a version."""
        del properties
        self._call("DeleteStateMachineVersion", stateMachineVersionArn=physical_id)


class AliasResource(_Resource):
    """Aliases; ``Ref`` gives the ARN."""

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Made:
        """Create an alias."""
        arn = self._call(
            "CreateStateMachineAlias",
            name=properties.get("Name") or seams.physical_name(stack_name, logical_id, 80),
            description=properties.get("Description"),
            routingConfiguration=_routing(properties),
        )["stateMachineAliasArn"]
        return arn, {"Arn": arn}

    def update(self, physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
        """Change an alias; another name is another alias."""
        if old.get("Name") != new.get("Name"):
            return self.create(physical_id, new, stack_name)
        self._call(
            "UpdateStateMachineAlias",
            stateMachineAliasArn=physical_id,
            description=new.get("Description") or "",
            routingConfiguration=_routing(new),
        )
        return physical_id, {"Arn": physical_id}

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Delete an alias."""
        del properties
        self._call("DeleteStateMachineAlias", stateMachineAliasArn=physical_id)


class ActivityResource(_Resource):
    """Activities; ``Ref`` gives the ARN."""

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Made:
        """Create an activity."""
        name = properties.get("Name") or seams.physical_name(stack_name, logical_id, 80)
        encryption = properties.get("EncryptionConfiguration")
        arn = self._call(
            "CreateActivity",
            name=name,
            tags=_tags(properties),
            encryptionConfiguration=None if encryption is None else _camel(encryption),
        )["activityArn"]
        return arn, {"Arn": arn, "Name": name}

    def update(self, physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
        """Set the tags; another name is another activity."""
        if old.get("Name") != new.get("Name"):
            return self.create(physical_id, new, stack_name)
        self._set_tags(physical_id, old, new)
        return physical_id, {"Arn": physical_id, "Name": physical_id.rsplit(":", 1)[-1]}

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Delete an activity."""
        del properties
        self._call("DeleteActivity", activityArn=physical_id)


def _refuse_unknown(kind: str, properties: Properties, known: frozenset[str]) -> None:
    unknown = sorted(properties.keys() - known)
    if unknown:
        raise HandlerError(f"Encountered unsupported property {', '.join(unknown)} of {kind}")


def _described(properties: Properties, old: Properties | None = None) -> dict[str, Any]:
    """Return what creating and updating have in common; what was dropped from a template is reset."""
    request: dict[str, Any] = {
        "definition": _as_json(seams.states_definition(properties)),
        "roleArn": properties.get("RoleArn"),
    }
    defaults = {"LoggingConfiguration": {"Level": "OFF"}, "TracingConfiguration": {"Enabled": False}}
    for name in ("LoggingConfiguration", "TracingConfiguration", "EncryptionConfiguration"):
        given = properties.get(name)
        if given is None and old is not None and old.get(name) is not None:
            given = defaults.get(name)
        if given is not None:
            request[name[:1].lower() + name[1:]] = _camel(given)
    return request


def _as_json(definition: str) -> str:
    """Return a definition as JSON: a file of a template may be YAML, the API takes none."""
    try:
        json.loads(definition)
    except ValueError:
        try:
            parsed = yaml.safe_load(definition)
        except yaml.YAMLError:
            return definition  # the service says what is wrong with it
        return json.dumps(parsed, default=str) if isinstance(parsed, dict) else definition
    return definition


def _camel(value: Any, name: str = "") -> Any:
    """Return properties as members of a request; a template's values may all be text."""
    if isinstance(value, dict):
        found = {}
        for key, item in value.items():
            member = key[:1].lower() + key[1:]
            found[member] = _camel(item, member)
        return found
    if isinstance(value, list):
        return [_camel(item, name) for item in value]
    if name in _BOOLEANS and isinstance(value, str):
        return value.lower() == "true"
    if name in _NUMBERS and isinstance(value, str):
        return int(value)
    if name == "logGroupArn" and isinstance(value, str) and not value.endswith(":*"):
        return f"{value}:*"  # what Fn::GetAtt gives in AWS ends with it
    return value


def _tags(properties: Properties) -> list[dict[str, str]]:
    return [
        {"key": str(tag["Key"]), "value": str(tag.get("Value", ""))} for tag in properties.get("Tags") or []
    ]


def _routing(properties: Properties) -> Any:
    preference = properties.get("DeploymentPreference")
    if preference is None:
        return _camel(properties.get("RoutingConfiguration") or [])
    if preference.get("Type", "ALL_AT_ONCE") != "ALL_AT_ONCE":
        raise HandlerError(
            f"DeploymentPreference {preference['Type']} is not implemented in the local cloud; "
            "ALL_AT_ONCE and RoutingConfiguration are"
        )
    return [{"stateMachineVersionArn": preference.get("StateMachineVersionArn"), "weight": 100}]
