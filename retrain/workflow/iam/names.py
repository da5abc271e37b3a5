"""What IAM calls an operation of a service: mostly as the API does, but not always.

From the Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from retrain.states.tasks import naming

_PREFIXES: Final = {
    "cloudwatch": "cloudwatch",
    "dynamodbstreams": "dynamodb",
    "iot-data": "iot",
    "iot-jobs-data": "iot",
    "kinesis-video-media": "kinesisvideo",
    "mturk": "mechanicalturk",
    "resourcegroupstaggingapi": "tag",
    "apigatewaymanagementapi": "execute-api",
    "marketplace-entitlement": "aws-marketplace",
    "meteringmarketplace": "aws-marketplace",
    "neptunedata": "neptune-db",
    "timestream-query": "timestream",
    "timestream-write": "timestream",
}
"""By boto3's name of a service, where the name that requests are signed with is not IAM's."""

_MULTIPART: Final = dict.fromkeys(
    ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"), ("PutObject",)
)
_S3: Final[Mapping[str, tuple[str, ...]]] = {
    **_MULTIPART,
    "CopyObject": ("GetObject", "PutObject"),
    "UploadPartCopy": ("GetObject", "PutObject"),
    "DeleteBucketCors": ("PutBucketCORS",),
    "DeleteBucketEncryption": ("PutEncryptionConfiguration",),
    "DeleteBucketLifecycle": ("PutLifecycleConfiguration",),
    "DeleteBucketReplication": ("PutReplicationConfiguration",),
    "DeleteBucketTagging": ("PutBucketTagging",),
    "DeleteObjects": ("DeleteObject",),
    "DeletePublicAccessBlock": ("PutBucketPublicAccessBlock",),
    "GetBucketCors": ("GetBucketCORS",),
    "GetBucketEncryption": ("GetEncryptionConfiguration",),
    "GetBucketLifecycleConfiguration": ("GetLifecycleConfiguration",),
    "GetBucketNotificationConfiguration": ("GetBucketNotification",),
    "GetBucketReplication": ("GetReplicationConfiguration",),
    "GetObjectLockConfiguration": ("GetBucketObjectLockConfiguration",),
    "GetPublicAccessBlock": ("GetBucketPublicAccessBlock",),
    "HeadBucket": ("ListBucket",),
    "HeadObject": ("GetObject",),
    "ListBuckets": ("ListAllMyBuckets",),
    "ListMultipartUploads": ("ListBucketMultipartUploads",),
    "ListObjects": ("ListBucket",),
    "ListObjectsV2": ("ListBucket",),
    "ListObjectVersions": ("ListBucketVersions",),
    "ListParts": ("ListMultipartUploadParts",),
    "PutBucketCors": ("PutBucketCORS",),
    "PutBucketEncryption": ("PutEncryptionConfiguration",),
    "PutBucketLifecycleConfiguration": ("PutLifecycleConfiguration",),
    "PutBucketNotificationConfiguration": ("PutBucketNotification",),
    "PutBucketReplication": ("PutReplicationConfiguration",),
    "PutObjectLockConfiguration": ("PutBucketObjectLockConfiguration",),
    "PutPublicAccessBlock": ("PutBucketPublicAccessBlock",),
    "SelectObjectContent": ("GetObject",),
}
_PARTIQL: Final = ("PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete")
_ACTIONS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "s3": _S3,
    "lambda": {
        "Invoke": ("InvokeFunction",),
        "InvokeAsync": ("InvokeFunction",),
        "InvokeWithResponseStream": ("InvokeFunction",),
    },
    "dynamodb": {
        "BatchExecuteStatement": _PARTIQL,
        "ExecuteStatement": _PARTIQL,
        "ExecuteTransaction": _PARTIQL,
        "TransactGetItems": ("GetItem",),
        "TransactWriteItems": ("ConditionCheckItem", "PutItem", "UpdateItem", "DeleteItem"),
    },
    "bedrock-runtime": {
        "Converse": ("InvokeModel",),
        "ConverseStream": ("InvokeModelWithResponseStream",),
        "StartAsyncInvoke": ("InvokeModel",),
    },
    "sqs": {
        "SendMessageBatch": ("SendMessage",),
        "DeleteMessageBatch": ("DeleteMessage",),
        "ChangeMessageVisibilityBatch": ("ChangeMessageVisibility",),
    },
    "sns": {"PublishBatch": ("Publish",)},
}


def prefix_of(service: str) -> str:
    """Return what stands before the colon in IAM's actions, for a service by boto3's name of it."""
    if service in _PREFIXES:
        return _PREFIXES[service]
    model = naming.service_model(service)
    signing = model.metadata.get("signingName") or model.metadata["endpointPrefix"]
    return str(signing)


def actions_of(service: str, operation: str) -> tuple[str, ...]:
    """Return the actions that a call needs.

    Parameters
    ----------
    service
        boto3's name.
    operation
        As the service's model has it, such as `ListObjectsV2`.
    """
    prefix = prefix_of(service)
    if service in ("apigateway", "apigatewayv2"):
        # API Gateway's actions are the methods of its own interface.
        method = naming.service_model(service).operation_model(operation).http["method"]
        return (f"{prefix}:{method}",)
    names = _ACTIONS.get(service, {}).get(operation, (operation,))
    return tuple(f"{prefix}:{name}" for name in names)
