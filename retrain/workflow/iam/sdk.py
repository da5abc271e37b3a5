"""Which resources a call of the AWS SDK touches, as far as its request tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_OBJECT: Final = "s3:::{Bucket}/{Key}"
_BUCKET: Final = "s3:::{Bucket}"

RESOURCES: Final[Mapping[str, Mapping[str, str]]] = {
    "bedrock-runtime": {"ModelId": "bedrock:{region}::foundation-model/{ModelId}"},
    "cloudwatch": {"AlarmName": "cloudwatch:{region}:{account}:alarm:{AlarmName}"},
    "codepipeline": {"Name": "codepipeline:{region}:{account}:{Name}"},
    "dynamodb": {"TableName": "dynamodb:{region}:{account}:table/{TableName}"},
    "ecr": {"RepositoryName": "ecr:{region}:{account}:repository/{RepositoryName}"},
    "events": {"EventBusName": "events:{region}:{account}:event-bus/{EventBusName}"},
    "firehose": {"DeliveryStreamName": "firehose:{region}:{account}:deliverystream/{DeliveryStreamName}"},
    "kinesis": {"StreamName": "kinesis:{region}:{account}:stream/{StreamName}"},
    "kms": {"KeyId": "kms:{region}:{account}:key/{KeyId}"},
    "lambda": {"FunctionName": "lambda:{region}:{account}:function:{FunctionName}"},
    "logs": {"LogGroupName": "logs:{region}:{account}:log-group:{LogGroupName}:*"},
    "rds-data": {"ResourceArn": "rds:{region}:{account}:cluster:{ResourceArn}"},
    "sagemaker-runtime": {"EndpointName": "sagemaker:{region}:{account}:endpoint/{EndpointName}"},
    "secretsmanager": {"SecretId": "secretsmanager:{region}:{account}:secret:{SecretId}-*"},
    "sns": {"TopicArn": "sns:{region}:{account}:{TopicArn}"},
    "sqs": {"QueueUrl": "sqs:{region}:{account}:{QueueName}"},
    "ssm": {"Name": "ssm:{region}:{account}:parameter/{Name}"},
    "stepfunctions": {
        "StateMachineArn": "states:{region}:{account}:stateMachine:{StateMachineArn}",
        "ExecutionArn": "states:{region}:{account}:execution:{ExecutionArn}",
    },
}
"""By boto3's name of the service, and the member of the request that names the resource; the first counts."""

_OBJECT_ACTION: Final = re.compile(
    r"(?:Get|Put|Delete|Restore)Object.*|AbortMultipartUpload|ListMultipartUploadParts"
)
_SAGEMAKER: Final = re.compile(r"(?:Create|Describe|Delete|Update|Stop|Start)(?P<kind>[A-Z]\w+)")
_NO_RESOURCE: Final = re.compile(r"List|BatchDescribe|Search|GetCallerIdentity")

_ALARMS: Final = "SageMaker looks at the alarms of a deployment config as the caller"

CALLER: Final[Mapping[tuple[str, str], str]] = {
    (
        "sagemaker",
        "CreateModelPackage",
    ): "no role is passed: SageMaker looks at artifact and image as the caller",
    ("sagemaker", "CreateEndpoint"): _ALARMS,
    ("sagemaker", "UpdateEndpoint"): _ALARMS,
}
"""Calls that a service carries out with the rights of its caller, and why."""

TAGGING: Final[Mapping[str, str]] = {
    "dynamodb": "TagResource",
    "ecr": "TagResource",
    "ecs": "TagResource",
    "events": "TagResource",
    "glue": "TagResource",
    "kms": "TagResource",
    "lambda": "TagResource",
    "logs": "TagResource",
    "sagemaker": "AddTags",
    "scheduler": "TagResource",
    "secretsmanager": "TagResource",
    "sns": "TagResource",
    "sqs": "TagQueue",
    "ssm": "AddTagsToResource",
    "states": "TagResource",
}
"""By IAM's prefix: what is needed besides to make something that has tags."""


def resource_of(service: str, operation: str, action: str, request: Mapping[str, Any]) -> tuple[str, ...]:
    """Return resources in the manner of the tables; `*` if IAM knows none, or the request does not tell.

    Parameters
    ----------
    service, operation
        As botocore has them.
    action
        Without its prefix.
    request
        The members that are given.
    """
    if _NO_RESOURCE.match(operation) and service not in ("s3", "ssm", "dynamodb"):
        return ("*",)
    if service == "sagemaker":
        return _sagemaker(operation, request)
    if service == "s3":
        return _s3(operation, action)
    for member, resource in RESOURCES.get(service, {}).items():
        if member in request:
            return (resource,)
    return ("*",)


def _s3(operation: str, action: str) -> tuple[str, ...]:
    if action == "ListAllMyBuckets":
        return ("*",)
    if action == "GetObject" and "Copy" in operation:
        return ("s3:::{CopySource}",)
    return (_OBJECT,) if _OBJECT_ACTION.fullmatch(action) else (_BUCKET,)


def _sagemaker(operation: str, request: Mapping[str, Any]) -> tuple[str, ...]:
    match = _SAGEMAKER.fullmatch(operation)
    if match is None:
        return ("*",)
    kind = match["kind"]
    if kind == "ModelPackage":
        group = "{ModelPackageGroupName}"
        return (
            f"sagemaker:{{region}}:{{account}}:model-package-group/{group}",
            f"sagemaker:{{region}}:{{account}}:model-package/{group}/*",
        )
    if f"{kind}Name" not in request:
        return ("*",)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower()
    return (f"sagemaker:{{region}}:{{account}}:{words}/{{{kind}Name}}",)
