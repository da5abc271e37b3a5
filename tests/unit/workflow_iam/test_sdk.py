"""What calls of the AWS SDK need: IAM has names of its own for many."""

from __future__ import annotations

import pytest

from tests.unit.workflow_iam.machines import allowed, of

ARN = "arn:aws:{}:eu-west-1:123456789012:{}"
OBJECT = "arn:aws:s3:::b/k"


@pytest.mark.parametrize(
    ("call", "request_", "expected"),
    [
        ("s3:getObject", {"Bucket": "b", "Key": "k"}, {"s3:GetObject": OBJECT}),
        ("s3:headObject", {"Bucket": "b", "Key.$": "$.k"}, {"s3:GetObject": "arn:aws:s3:::b/*"}),
        ("s3:listObjectsV2", {"Bucket": "b"}, {"s3:ListBucket": "arn:aws:s3:::b"}),
        ("s3:headBucket", {"Bucket": "b"}, {"s3:ListBucket": "arn:aws:s3:::b"}),
        ("s3:listBuckets", {}, {"s3:ListAllMyBuckets": "*"}),
        ("s3:createMultipartUpload", {"Bucket": "b", "Key": "k"}, {"s3:PutObject": OBJECT}),
        ("s3:listParts", {"Bucket": "b", "Key": "k"}, {"s3:ListMultipartUploadParts": OBJECT}),
        ("s3:deleteObjects", {"Bucket": "b"}, {"s3:DeleteObject": "arn:aws:s3:::b/*"}),
        ("s3:getBucketEncryption", {"Bucket": "b"}, {"s3:GetEncryptionConfiguration": "arn:aws:s3:::b"}),
        (
            "s3:getObjectLockConfiguration",
            {"Bucket": "b"},
            {"s3:GetBucketObjectLockConfiguration": "arn:aws:s3:::b"},
        ),
        (
            "s3:copyObject",
            {"Bucket": "b", "Key": "k", "CopySource": "/from/there"},
            {"s3:GetObject": "arn:aws:s3:::from/there", "s3:PutObject": OBJECT},
        ),
        (
            "lambda:invoke",
            {"FunctionName": "f"},
            {"lambda:InvokeFunction": ARN.format("lambda", "function:f")},
        ),
        (
            "sfn:startSyncExecution",
            {"StateMachineArn": ARN.format("states", "stateMachine:m")},
            {"states:StartSyncExecution": ARN.format("states", "stateMachine:m")},
        ),
        ("sfn:sendTaskSuccess", {"TaskToken.$": "$.t", "Output": "{}"}, {"states:SendTaskSuccess": "*"}),
        ("cloudwatch:putMetricData", {"Namespace": "n"}, {"cloudwatch:PutMetricData": "*"}),
        (
            "cloudwatchlogs:createLogStream",
            {"LogGroupName": "g", "LogStreamName": "s"},
            {"logs:CreateLogStream": ARN.format("logs", "log-group:g:*")},
        ),
        ("eventbridge:putRule", {"Name": "r"}, {"events:PutRule": "*"}),
        (
            "sagemakerruntime:invokeEndpoint",
            {"EndpointName": "e"},
            {"sagemaker:InvokeEndpoint": ARN.format("sagemaker", "endpoint/e")},
        ),
        (
            "bedrockruntime:converse",
            {"ModelId": "m"},
            {"bedrock:InvokeModel": "arn:aws:bedrock:eu-west-1::foundation-model/m"},
        ),
        (
            "secretsmanager:getSecretValue",
            {"SecretId": "db"},
            {"secretsmanager:GetSecretValue": ARN.format("secretsmanager", "secret:db-*")},
        ),
        ("ssm:getParameter", {"Name": "p"}, {"ssm:GetParameter": ARN.format("ssm", "parameter/p")}),
        ("ssm:getParameter", {"Name": "/a/b"}, {"ssm:GetParameter": ARN.format("ssm", "parameter/a/b")}),
        (
            "elasticloadbalancingv2:describeLoadBalancers",
            {},
            {"elasticloadbalancing:DescribeLoadBalancers": "*"},
        ),
        ("sesv2:sendEmail", {}, {"ses:SendEmail": "*"}),
        ("efs:describeFileSystems", {}, {"elasticfilesystem:DescribeFileSystems": "*"}),
        ("emr:listClusters", {}, {"elasticmapreduce:ListClusters": "*"}),
        ("apigateway:getRestApis", {}, {"apigateway:GET": "*"}),
        (
            "sagemaker:describeEndpoint",
            {"EndpointName.$": "$.e"},
            {"sagemaker:DescribeEndpoint": ARN.format("sagemaker", "endpoint/*")},
        ),
        (
            "sagemaker:describeHyperParameterTuningJob",
            {"HyperParameterTuningJobName": "j"},
            {
                "sagemaker:DescribeHyperParameterTuningJob": ARN.format(
                    "sagemaker", "hyper-parameter-tuning-job/j"
                )
            },
        ),
        ("sagemaker:listEndpoints", {"NameContains": "e"}, {"sagemaker:ListEndpoints": "*"}),
    ],
)
def test_a_call(call, request_, expected):
    found = allowed(of(f"aws-sdk:{call}", request_))
    assert found == {action: [arn] for action, arn in expected.items()}


def test_partiql_needs_what_its_statement_may_do():
    found = allowed(of("aws-sdk:dynamodb:executeStatement", {"Statement": "SELECT 1"}))
    assert set(found) == {f"dynamodb:PartiQL{verb}" for verb in ("Select", "Insert", "Update", "Delete")}


def test_a_transaction_needs_each_kind_of_write():
    found = allowed(of("aws-sdk:dynamodb:transactWriteItems", {"TransactItems": []}))
    assert set(found) == {f"dynamodb:{verb}Item" for verb in ("ConditionCheck", "Put", "Update", "Delete")}


def test_a_role_that_is_handed_over():
    role = "arn:aws:iam::123456789012:role/f"
    request = {"FunctionName": "f", "Role": role, "Tags": {"a": "b"}}
    found = of("aws-sdk:lambda:createFunction", request)
    assert allowed(found) == {
        "lambda:CreateFunction": [ARN.format("lambda", "function:f")],
        "lambda:TagResource": [ARN.format("lambda", "function:f")],
        "iam:PassRole": [role],
    }
    (passing,) = (need for need in found.needs if need.actions == ("iam:PassRole",))
    assert passing.condition == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}


@pytest.mark.parametrize(
    ("call", "request_"),
    [
        ("sts:assumeRole", {"RoleArn": "arn:aws:iam::1:role/r", "RoleSessionName": "s"}),
        ("iam:attachRolePolicy", {"RoleName": "r", "PolicyArn": "p"}),
        ("sagemaker:describeModel", {"ModelName": "m"}),
    ],
)
def test_a_call_that_hands_no_role_over(call, request_):
    assert "iam:PassRole" not in allowed(of(f"aws-sdk:{call}", request_))


def test_registering_a_model_shows_artifact_and_image_as_the_caller():
    found = allowed(
        of(
            "aws-sdk:sagemaker:createModelPackage",
            {
                "ModelPackageGroupName": "g",
                "InferenceSpecification": {
                    "Containers": [{"Image.$": "$.image", "ModelDataUrl": "s3://models/m/model.tar.gz"}]
                },
            },
        )
    )
    assert found == {
        "sagemaker:CreateModelPackage": [
            ARN.format("sagemaker", "model-package-group/g"),
            ARN.format("sagemaker", "model-package/g/*"),
        ],
        "s3:GetObject": ["arn:aws:s3:::models/m/model.tar.gz"],
        "s3:ListBucket": ["arn:aws:s3:::models"],
        "ecr:BatchGetImage": [ARN.format("ecr", "repository/*")],
        "ecr:DescribeImages": [ARN.format("ecr", "repository/*")],
    }


def test_a_service_that_botocore_does_not_know_is_said():
    found = of("aws-sdk:nosuchservice:doIt", {})
    assert found.needs == ()
    assert found.notes == ("Do: botocore does not know nosuchservice:doIt.",)
