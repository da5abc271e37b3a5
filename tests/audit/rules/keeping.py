"""What holds data is private, encrypted, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.audit.resources import alternatives, listed, of_type, referred

DATA = {
    "AWS::DynamoDB::Table",
    "AWS::ECR::Repository",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SageMaker::ModelPackageGroup",
}
"""What a stack that is deleted by mistake must not take along."""

_PUBLIC = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_LONGEST = 14 * 24 * 3600
"""How long SQS keeps messages at most, in seconds."""


def findings(template: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with buckets, tables, queues, topics, logs and deletion policies."""
    for name, body in template["Resources"].items():
        if body["Type"] in DATA:
            for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
                if body.get(policy) not in ("Retain", "RetainExceptOnCreate"):
                    yield f"{name}: holds data, and has no {policy} Retain"
    yield from _buckets(template)
    yield from _tables(template)
    yield from _queues(template)
    for name, topic in of_type(template, "AWS::SNS::Topic"):
        if not topic.get("KmsMasterKeyId"):
            yield f"{name}: is not encrypted (KmsMasterKeyId)"
    for name, group in of_type(template, "AWS::Logs::LogGroup"):
        if not group.get("RetentionInDays"):
            yield f"{name}: keeps logs for ever (RetentionInDays)"


def _buckets(template: dict[str, Any]) -> Iterator[str]:
    for name, bucket in of_type(template, "AWS::S3::Bucket"):
        access = bucket.get("PublicAccessBlockConfiguration", {})
        if not all(access.get(each) is True for each in _PUBLIC):
            yield f"{name}: is not wholly private (PublicAccessBlockConfiguration)"
        if bucket.get("VersioningConfiguration") != {"Status": "Enabled"}:
            yield f"{name}: is not versioned (VersioningConfiguration)"
        rules = bucket.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
        if not any(rule.get("ServerSideEncryptionByDefault", {}).get("SSEAlgorithm") for rule in rules):
            yield f"{name}: is not encrypted (BucketEncryption)"
        ownership = bucket.get("OwnershipControls", {}).get("Rules")
        if ownership != [{"ObjectOwnership": "BucketOwnerEnforced"}]:
            yield f"{name}: has access control lists (OwnershipControls)"
        if not any(_wants_tls(policy, name) for _, policy in of_type(template, "AWS::S3::BucketPolicy")):
            yield f"{name}: may be used without TLS (no policy denies s3:* without aws:SecureTransport)"


def _wants_tls(policy: dict[str, Any], bucket: str) -> bool:
    whole = [{"Fn::GetAtt": [bucket, "Arn"]}, {"Fn::Sub": f"${{{bucket}.Arn}}/*"}]
    return referred(policy["Bucket"]) == bucket and any(
        (each["Effect"], each.get("Principal"), each["Action"]) == ("Deny", "*", "s3:*")
        and each["Resource"] == whole
        and each.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for each in alternatives(policy["PolicyDocument"]["Statement"])
    )


def _tables(template: dict[str, Any]) -> Iterator[str]:
    for name, table in of_type(template, "AWS::DynamoDB::Table"):
        if table.get("SSESpecification", {}).get("SSEEnabled") is not True:
            yield f"{name}: is not encrypted under a key of KMS (SSESpecification)"
        recovery = table.get("PointInTimeRecoverySpecification", {})
        if recovery.get("PointInTimeRecoveryEnabled") is not True:
            yield f"{name}: cannot be brought back to a point in time (PointInTimeRecoverySpecification)"


def _queues(template: dict[str, Any]) -> Iterator[str]:
    queues = dict(of_type(template, "AWS::SQS::Queue"))
    buried = {
        referred(queue.get("RedrivePolicy", {}).get("deadLetterTargetArn")) for queue in queues.values()
    }
    for name, queue in queues.items():
        if not (queue.get("SqsManagedSseEnabled") is True or queue.get("KmsMasterKeyId")):
            yield f"{name}: is not encrypted (SqsManagedSseEnabled)"
        if queue.get("MessageRetentionPeriod") != _LONGEST:
            yield f"{name}: forgets messages before it must (MessageRetentionPeriod)"
        if (
            name not in buried
            and referred(queue.get("RedrivePolicy", {}).get("deadLetterTargetArn")) not in queues
        ):
            yield f"{name}: loses what cannot be handled (RedrivePolicy)"
        for _, source in of_type(template, "AWS::Lambda::EventSourceMapping"):
            if referred(source["EventSourceArn"]) == name:
                function = template["Resources"][referred(source["FunctionName"])]["Properties"]
                if queue.get("VisibilityTimeout", 30) < 6 * function.get("Timeout", 3):
                    yield f"{name}: shows messages again before their function is through (VisibilityTimeout)"
                if "ReportBatchItemFailures" not in listed(source.get("FunctionResponseTypes", [])):
                    yield f"{name}: one bad message drags its neighbours along (FunctionResponseTypes)"
