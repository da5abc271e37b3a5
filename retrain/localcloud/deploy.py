"""Deploying the one template.yaml to the local cloud: what ``sam build`` and ``sam deploy`` do for AWS."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from retrain.localcloud import definitions, packaging
from retrain.localcloud.clients import client
from retrain.localcloud.environment import ACCOUNT, REGION
from retrain.localcloud.errors import DefinitionError, DeployError
from retrain.localcloud.template import configured_parameters, load_template, parameter_defaults

DEPLOY_SECONDS = 120.0

# Resource type -> the property that names local files.
_LOCAL_FILES = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}


def deploy(
    template: Path,
    *,
    endpoint_url: str,
    stack_name: str = "retrain",
    state_dir: Path,
    parameters: Mapping[str, str] | None = None,
    on_progress: Callable[[str], None] = lambda _: None,
) -> dict[str, str]:
    """Create the stack, or update it, and give its outputs.

    Parameters
    ----------
    template
        ``template.yaml``; what it names (CodeUri, ContentUri, DefinitionUri) is relative to its folder.
    endpoint_url
        The local cloud.
    stack_name
        Name of the stack.
    state_dir
        Where built layers are kept.
    parameters
        Values of the stack's parameters; over those of samconfig.toml's [local], which are over the defaults.
    on_progress
        Told in words what takes longer.

    Raises
    ------
    DefinitionError
        A state machine that AWS would refuse.
    DeployError
        Anything else for which the stack could not be created, with the reasons of the stack's events.
    """
    folder = template.resolve().parent
    content = load_template(template)
    values = {**configured_parameters(folder), **(parameters or {})}
    declared = content.get("Parameters", {})
    unknown = sorted(set(parameters or {}) - set(declared))
    if unknown:
        raise DeployError(f"{template.name} has no parameter {', '.join(unknown)}.")
    values = {name: value for name, value in values.items() if name in declared}
    missing = sorted(name for name, item in declared.items() if "Default" not in item and name not in values)
    if missing:
        raise DeployError(
            f"{template.name} needs values for {', '.join(missing)}: "
            "set them in samconfig.toml under [local.deploy.parameters]."
        )

    uploader = _Uploader(endpoint_url, f"{stack_name}-deployment-{ACCOUNT}")
    pseudo = {"Partition": "aws", "Region": REGION, "AccountId": ACCOUNT, "StackName": stack_name}
    known = {f"AWS::{name}": value for name, value in pseudo.items()}
    known |= {**parameter_defaults(content), **values}
    for logical_id, resource in content["Resources"].items():
        _package(logical_id, resource, content, folder, state_dir, known, uploader, on_progress)
    body = json.dumps(content, default=str).encode()
    bucket, key = uploader.upload(body, ".template").removeprefix("s3://").split("/", 1)
    return _apply(stack_name, f"{endpoint_url}/{bucket}/{key}", values, endpoint_url)


def is_deployed(endpoint_url: str, stack_name: str) -> bool:
    """Whether the stack is there and whole."""
    status = _status(client("cloudformation", endpoint_url), stack_name)
    return status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


class _Uploader:
    """Puts packages into the deployment bucket, named by their digests."""

    def __init__(self, endpoint_url: str, bucket: str) -> None:
        self._s3 = client("s3", endpoint_url)
        self._bucket = bucket
        self._s3.create_bucket(Bucket=bucket)

    def upload(self, body: bytes, suffix: str) -> str:
        key = hashlib.sha256(body).hexdigest() + suffix
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)
        return f"s3://{self._bucket}/{key}"


def _package(
    logical_id: str,
    resource: dict[str, Any],
    template: dict[str, Any],
    folder: Path,
    state_dir: Path,
    parameters: Mapping[str, str],
    uploader: _Uploader,
    on_progress: Callable[[str], None],
) -> None:
    """Replace a resource's local files by what was made of them and uploaded."""
    kind = resource.get("Type", "")
    if kind not in _LOCAL_FILES:
        return
    field = _LOCAL_FILES[kind]
    properties = resource.setdefault("Properties", {})
    shared = template.get("Globals", {}).get(kind.rsplit("::", 1)[-1], {})
    named = properties.get(field, shared.get(field))
    if not isinstance(named, str) or named.startswith("s3://"):
        return
    path = folder / named
    if kind == "AWS::Serverless::StateMachine":
        definition = _checked_definition(logical_id, path, properties, parameters)
        properties[field] = uploader.upload(definition.encode(), ".asl.json")
        return
    method = resource.get("Metadata", {}).get("BuildMethod")
    if method is not None and not str(method).startswith("python"):
        raise DeployError(
            f"{logical_id}: the local cloud does not know BuildMethod {method}; it builds Python."
        )
    target: str | None = ""
    if kind == "AWS::Serverless::LayerVersion":
        target = "python" if method else None
    built = packaging.package(
        path, requirements_to=target, cache=state_dir / "build", on_progress=on_progress
    )
    properties[field] = uploader.upload(built, ".zip")


def _checked_definition(
    logical_id: str, path: Path, properties: Mapping[str, Any], parameters: Mapping[str, str]
) -> str:
    try:
        definition = path.read_text()
    except OSError as error:
        raise DeployError(f"{logical_id}: the definition {path} cannot be read: {error.strerror}.") from error
    substitutions = {
        name: parameters.get(value["Ref"], value)
        if isinstance(value, dict) and set(value) == {"Ref"}
        else value
        for name, value in properties.get("DefinitionSubstitutions", {}).items()
    }
    kind = properties.get("Type", "STANDARD")
    found = definitions.problems(definitions.substitute(definition, substitutions), kind)
    if found:
        raise DefinitionError(
            f"AWS would refuse the state machine {logical_id} ({path.name}):\n  " + "\n  ".join(found)
        )
    return definition


def _apply(
    stack_name: str, template_url: str, values: Mapping[str, str], endpoint_url: str
) -> dict[str, str]:
    cloudformation = client("cloudformation", endpoint_url)
    request = {
        "StackName": stack_name,
        "TemplateURL": template_url,
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    status = _status(cloudformation, stack_name)
    if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
        cloudformation.delete_stack(StackName=stack_name)  # all that AWS allows to do with such a stack
        _wait(cloudformation, stack_name)
        status = None
    try:
        if status is None:
            cloudformation.create_stack(**request)
        else:
            cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise DeployError(
                f"The stack {stack_name} was refused: {error.response['Error'].get('Message', error)}"
            ) from error
    final = _wait(cloudformation, stack_name)
    if final not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise DeployError(
            f"The stack {stack_name} could not be deployed ({final}):\n  "
            + "\n  ".join(_reasons(cloudformation, stack_name))
        )
    stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _status(cloudformation: Any, stack_name: str) -> str | None:
    """The stack's status; None where there is no such stack."""
    try:
        status = str(cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]["StackStatus"])
    except ClientError:
        return None  # CloudFormation answers ValidationError for a stack that does not exist
    return None if status == "DELETE_COMPLETE" else status


def _wait(cloudformation: Any, stack_name: str) -> str | None:
    deadline = time.monotonic() + DEPLOY_SECONDS
    while True:
        status = _status(cloudformation, stack_name)
        if status is None or not status.endswith("_IN_PROGRESS"):
            return status
        if time.monotonic() > deadline:
            raise DeployError(f"The stack {stack_name} is still {status} after {DEPLOY_SECONDS:.0f} s.")
        time.sleep(0.02)


def _reasons(cloudformation: Any, stack_name: str) -> list[str]:
    """Why the last operation failed, oldest first."""
    found: list[str] = []
    with contextlib.suppress(ClientError):
        for event in cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]:
            if event["LogicalResourceId"] == stack_name and event["ResourceStatus"] in (
                "CREATE_IN_PROGRESS",
                "UPDATE_IN_PROGRESS",
            ):
                break  # what lies before belongs to an earlier operation
            if "FAILED" in event["ResourceStatus"] and "cancelled" not in event.get(
                "ResourceStatusReason", ""
            ):
                found.append(
                    f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
                )
    return list(dict.fromkeys(reversed(found))) or ["CloudFormation gives no reason; see the server's log."]
