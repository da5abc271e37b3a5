"""What the intrinsic functions in the roles' policies stand for, with logical ids in the place of names.

`!GetAtt DataBucket.Arn` is `arn:aws:s3:::<DataBucket>`, so that it can be compared with what was recorded of
a deployed stack (`tests.audit.recorded_rights`).
"""

from __future__ import annotations

import re
from typing import Any

_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "000000000000",
    "AWS::StackName": "<stack>",
}
_HERE = "us-east-1:000000000000"
_ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{_HERE}:table/<{{}}>",
    "AWS::IAM::Role": "arn:aws:iam::000000000000:role/<{}>",
    "AWS::Lambda::Function": f"arn:aws:lambda:{_HERE}:function:<{{}}>",
    "AWS::S3::Bucket": "arn:aws:s3:::<{}>",
    "AWS::SageMaker::ModelPackageGroup": f"arn:aws:sagemaker:{_HERE}:model-package-group/<stack>-<{{}}>",
    "AWS::SNS::Topic": f"arn:aws:sns:{_HERE}:<{{}}>",
    "AWS::SQS::Queue": f"arn:aws:sqs:{_HERE}:<{{}}>",
    # It has the stack's name, as the template gives it.
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{_HERE}:stateMachine:<stack>",
}
_NAMES = {"AWS::StepFunctions::StateMachine": "<stack>"}
_REFERRED_BY_ARN = frozenset({"AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"})


class UnresolvedError(Exception):
    """A function or a reference that this does not know."""


def resolved(value: Any, template: dict[str, Any]) -> Any:
    """Return a value of a template with its functions carried out.

    Raises
    ------
    UnresolvedError
        Naming what is not known.
    """
    if isinstance(value, list):
        return [resolved(item, template) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return _place(value["Ref"], "", template)
    if set(value) == {"Fn::GetAtt"}:
        given = value["Fn::GetAtt"]
        name, attribute = given if isinstance(given, list) else given.split(".", 1)
        return _place(name, attribute, template)
    if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
        return re.sub(r"\$\{([^}]+)\}", lambda match: _sub(match[1], template), value["Fn::Sub"])
    if any(name.startswith("Fn::") for name in value):
        raise UnresolvedError(f"{value} is not resolved here: teach {__name__}.")
    return {name: resolved(item, template) for name, item in value.items()}


def _sub(text: str, template: dict[str, Any]) -> str:
    name, _, attribute = text.partition(".")
    return _place(name, attribute, template)


def _place(name: str, attribute: str, template: dict[str, Any]) -> str:
    if name in _PSEUDO:
        return _PSEUDO[name]
    kind = template["Resources"].get(name, {}).get("Type", "")
    if attribute == "Name" and kind in _NAMES:
        return _NAMES[kind]
    if kind in _ARNS and (attribute.endswith("Arn") or (not attribute and kind in _REFERRED_BY_ARN)):
        return _ARNS[kind].format(name)
    raise UnresolvedError(
        f"{name}.{attribute} of {kind or 'no resource'} is not resolved here: teach {__name__}."
    )
