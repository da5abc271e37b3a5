"""The stack of template.yaml, for tests: its resources made in moto, its functions' environment, its rules.

Everything is read from the template, so that there is no second description of it to keep.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
REGION = "us-east-1"
ACCOUNT = "123456789012"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/retrain-training:1.0"
PARAMETERS = {
    "TrainingImageUri": IMAGE,
    "EndpointWaitSeconds": 15,
    "TrainingHyperparameters": '{"epochs": 3}',
}
NAMES = {
    "DataBucket": "retrain-databucket-a1b2c3",
    "ArtifactsBucket": "retrain-artifactsbucket-a1b2c3",
    "LedgerTable": "retrain-ledgertable-a1b2c3",
    "StateMachine": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:retrain",
    "NotificationTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:NotificationTopic",
    "AWS::StackName": "retrain",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/retrain/0-0-0-0-a1b2c3d4e5f6",
}
_SERVICES = {"AWS::SQS::Queue": "sqs", "AWS::IAM::Role": "iam", "AWS::Serverless::Function": "lambda"}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def _short_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {tag: loader.construct_sequence(node, deep=True)}
    raise AssertionError(node)


_Loader.add_multi_constructor("!", _short_form)
TEMPLATE: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), Loader=_Loader)
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def resolve(value: Any) -> Any:
    """Replace the template's references by what the stack of the tests has."""
    if isinstance(value, list):
        return [resolve(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((tag, argument),) = value.items()
        if tag == "Ref":
            return _reference(argument)
        if tag == "GetAtt":
            return arn(argument.partition(".")[0])
        if tag == "Sub":
            text, own = argument if isinstance(argument, list) else (argument, {})
            own = resolve(own)
            return re.sub(
                r"\$\{([^}]+)\}", lambda name: str(own.get(name[1]) or _reference_or_attribute(name[1])), text
            )
        if tag == "Join":
            return argument[0].join(resolve(argument[1]))
        if tag == "Select":
            return resolve(argument[1])[argument[0]]
        if tag == "Split":
            return resolve(argument[1]).split(argument[0])
    return {key: resolve(item) for key, item in value.items()}


def arn(logical_id: str) -> str:
    """Return the ARN of a resource of the stack."""
    if logical_id.endswith("Bucket"):
        return f"arn:aws:s3:::{NAMES[logical_id]}"
    if logical_id == "ModelPackageGroup":
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package-group/retrain-a1b2c3d4e5f6"
    service = _SERVICES.get(RESOURCES[logical_id]["Type"], "events")
    region = "" if service == "iam" else REGION
    kind = {"iam": "role/", "lambda": "function:"}.get(service, "")
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{kind}{logical_id}"


def properties(logical_id: str) -> dict[str, Any]:
    """Return the properties of a resource, references replaced."""
    found = resolve(RESOURCES[logical_id]["Properties"])
    assert isinstance(found, dict)
    return found


def environment(logical_id: str) -> dict[str, str]:
    """Return the environment variables of a function."""
    shared = resolve(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])
    own = properties(logical_id).get("Environment", {}).get("Variables", {})
    return {name: str(value) for name, value in (shared | own).items()}


def create(client: Callable[[str], Any]) -> None:
    """Create the stack's buckets, table, topic and state machine wherever the clients lead."""
    s3 = client("s3")
    for bucket in ("DataBucket", "ArtifactsBucket"):
        s3.create_bucket(Bucket=NAMES[bucket])
        s3.put_bucket_versioning(
            Bucket=NAMES[bucket], VersioningConfiguration=properties(bucket)["VersioningConfiguration"]
        )
    table = properties("LedgerTable")
    for other in ("PointInTimeRecoverySpecification", "SSESpecification"):
        table.pop(other)
    client("dynamodb").create_table(TableName=NAMES["LedgerTable"], **table)
    client("sns").create_topic(Name="NotificationTopic")
    client("stepfunctions").create_state_machine(
        name=properties("StateMachine")["Name"],
        definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
        roleArn=arn("StateMachineRole"),
    )


def _reference(name: str) -> Any:
    if name in NAMES:
        return NAMES[name]
    if name in PARAMETERS:
        return PARAMETERS[name]
    if name in TEMPLATE["Parameters"]:
        declared = TEMPLATE["Parameters"][name]
        value = declared["Default"]
        return value.split(",") if declared["Type"] == "CommaDelimitedList" else value
    return name


def _reference_or_attribute(name: str) -> Any:
    logical_id, dot, _ = name.partition(".")
    return arn(logical_id) if dot and logical_id in RESOURCES else _reference(name)
