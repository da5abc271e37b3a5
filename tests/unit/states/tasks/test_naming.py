"""Names as the AWS SDK for Java makes them of botocore's models."""

from __future__ import annotations

import pytest

from retrain.states.tasks import jobs, naming, optimised


@pytest.mark.parametrize(
    ("sdk", "boto3"),
    [
        ("sagemaker", "sagemaker"),
        ("sfn", "stepfunctions"),
        ("cloudwatchlogs", "logs"),
        ("eventbridge", "events"),
        ("cognitoidentityprovider", "cognito-idp"),
        ("sagemakerruntime", "sagemaker-runtime"),
        ("logs", None),
        ("stepfunctions", None),
        ("SageMaker", None),
        ("", None),
    ],
)
def test_services_are_known_by_the_sdks_names_alone(sdk: str, boto3: str | None) -> None:
    assert naming.service_of(sdk) == boto3


def test_every_service_of_botocore_has_its_name() -> None:
    by_name = naming._services_by_sdk_name()
    for boto3 in ("ce", "ds", "elbv2", "iot-data", "lex-models", "mgh", "sdb", "serverlessrepo"):
        assert by_name[naming.error_prefix(boto3).lower()] == boto3


@pytest.mark.parametrize(
    ("service", "prefix"),
    [
        ("dynamodb", "DynamoDb"),
        ("stepfunctions", "Sfn"),
        ("sagemaker", "SageMaker"),
        ("ec2", "Ec2"),
        ("s3", "S3"),
        ("logs", "CloudWatchLogs"),
        ("rds-data", "RdsData"),
        ("ssm", "Ssm"),
        ("secretsmanager", "SecretsManager"),
        ("directconnect", "DirectConnect"),
        ("dms", "DatabaseMigration"),
    ],
)
def test_prefixes_of_errors(service: str, prefix: str) -> None:
    assert naming.error_prefix(service) == prefix


@pytest.mark.parametrize(
    ("wire", "spelt"),
    [
        ("stateMachineArn", "StateMachineArn"),
        ("DBClusterIdentifier", "DbClusterIdentifier"),
        ("IAMDatabaseAuthenticationEnabled", "IamDatabaseAuthenticationEnabled"),
        ("VolumeSizeInGB", "VolumeSizeInGB"),
        ("SourceDBSnapshotIdentifier", "SourceDBSnapshotIdentifier"),
        ("ETag", "ETag"),
        ("ARN", "Arn"),
        ("SSEKMSKeyId", "SsekmsKeyId"),
        ("S3Uri", "S3Uri"),
        ("M", "M"),
    ],
)
def test_members_begin_as_javas_identifiers_do(wire: str, spelt: str) -> None:
    assert naming.member_name(wire) == spelt


def test_null_of_dynamodb_is_nul() -> None:
    assert naming.member_name("NULL", "AttributeValue") == "Nul"
    assert naming.member_name("NULL", "Other") == "Null"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("ResourceInUse", "ResourceInUseException"),
        ("ThrottlingException", "ThrottlingException"),
        ("DBClusterNotFoundFault", "DBClusterNotFoundException"),
        ("NoSuchKey", "NoSuchKeyException"),
    ],
)
def test_classes_of_exceptions(code: str, name: str) -> None:
    assert naming.exception_name(code) == name


def test_every_optimised_action_is_an_operation_and_every_job_can_be_followed() -> None:
    for name, integration in optimised.INTEGRATIONS.items():
        for action, rules in integration.actions.items():
            operation = naming.operation_of(integration.service, action)
            assert operation is not None, (name, action)
            members = {member[:1].upper() + member[1:] for member in operation.input_shape.members}
            assert (rules.fields or set()) <= members
            assert rules.json_fields <= members
    for (name, action), job in jobs.JOBS.items():
        service = optimised.INTEGRATIONS[name].service
        assert "sync" in optimised.INTEGRATIONS[name].actions[action].patterns
        stop, describe = naming.operation_of(service, job.stop), naming.operation_of(service, job.describe)
        assert stop is not None
        assert describe is not None
        shape = describe.output_shape
        for step in job.at:
            shape = shape.member if step == "[]" else shape.members[step]
        assert shape.type_name == "structure"
