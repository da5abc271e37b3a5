"""What a Task state calls, and what it gives to it."""

from __future__ import annotations

import pytest

from tests.unit.states.validation.machines import errors, jsonata, machine, task, warnings

NOT_RECOGNIZED = (
    "/States/A/Resource: The resource provided {} is not recognized. The value is not a valid resource ARN,"
    " or the resource is not available in this region."
)
STATES = "arn:aws:states:::"


def call(resource, **parameters):
    return machine({"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True})


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:lambda:us-east-1:123456789012:function:work",
        "arn:aws-cn:lambda:cn-north-1:123456789012:function:work:PROD",
        "arn:aws:states:us-east-1:123456789012:activity:work",
    ],
)
def test_functions_and_activities_need_no_parameters(resource):
    assert errors(machine(task(Resource=resource))) == []


@pytest.mark.parametrize(
    "resource", ["work", "", "arn:aws:lambda", "https://example.com", "arn:aws:lambda:::"]
)
def test_what_is_no_arn(resource):
    (only,) = errors(machine(task(Resource=resource)))
    assert only.startswith("/States/A/Resource: Value is not a valid resource ARN")


@pytest.mark.parametrize(
    ("resource", "remedy"),
    [
        ("arn:aws:sqs:us-east-1:123456789012:queue", ""),
        ("arn:aws:states:us-east-1:123456789012:task:work", ""),
        (f"{STATES}lamda:invoke", "; did you mean 'lambda'?"),
        (f"{STATES}kinesis:putRecord", " For any service: aws-sdk:kinesis:putRecord"),
        (f"{STATES}lambda:invok", "; did you mean 'invoke'?"),
        (f"{STATES}lambda:invoke.sync", " '.sync' is not one of its patterns: .waitForTaskToken"),
        (
            f"{STATES}dynamodb:getItem.waitForTaskToken",
            " '.waitForTaskToken' is not one of its patterns: none",
        ),
        (f"{STATES}sagemaker:createTrainingJob.sync:2", " '.sync:2' is not one of its patterns: .sync"),
        (f"{STATES}sagemaker:createTrainingJob.synch", "; did you mean 'sync'?"),
        (f"{STATES}aws-sdk:nonesuch:doIt", " 'nonesuch' is no service of the AWS SDK."),
        (f"{STATES}aws-sdk:s3:listBucket", "; did you mean 'listBuckets'?"),
        (f"{STATES}aws-sdk:s3:listBuckets.sync", " Calls of the AWS SDK know no '.sync'."),
    ],
)
def test_what_step_functions_cannot_call(resource, remedy):
    assert NOT_RECOGNIZED.format(resource) + remedy in errors(call(resource))


@pytest.mark.parametrize(
    ("resource", "parameters"),
    [
        (f"{STATES}lambda:invoke", {"FunctionName": "work", "Payload.$": "$"}),
        (f"{STATES}sqs:sendMessage", {"QueueUrl.$": "$.url", "MessageBody": {"a.$": "$.b"}}),
        (f"{STATES}states:startExecution.sync:2", {"StateMachineArn": "arn", "Input": {}}),
        (f"{STATES}aws-sdk:s3:listBuckets", {}),
        (f"{STATES}aws-sdk:sfn:describeExecution", {"ExecutionArn": "arn"}),
        (f"{STATES}aws-sdk:sagemaker:describeTrainingJob", {"TrainingJobName.$": "$.name"}),
        (
            f"{STATES}aws-sdk:sqs:sendMessage.waitForTaskToken",
            {"QueueUrl": "u", "MessageBody.$": "$$.Task.Token"},
        ),
        (f"{STATES}emr-serverless:startJobRun.sync", {"Anything": 1}),
    ],
)
def test_calls_that_are_taken(resource, parameters):
    assert errors(call(resource, **parameters)) == []


def test_a_call_needs_parameters():
    said = f"field is required for resource ARN: {STATES}lambda:invoke"
    assert errors(machine(task(Resource=f"{STATES}lambda:invoke"))) == [f"/States/A: Parameters {said}"]
    assert errors(jsonata(task(Resource=f"{STATES}lambda:invoke"))) == [f"/States/A: Arguments {said}"]
    assert errors(jsonata(task(Resource=f"{STATES}lambda:invoke", Arguments="{% $states.input %}"))) == []


@pytest.mark.parametrize(
    ("resource", "parameters", "said"),
    [
        ("lambda:invoke", {}, "The field 'FunctionName' is required but was missing"),
        ("sqs:sendMessage", {"QueueUrl": "u"}, "The field 'MessageBody' is required but was missing"),
        ("aws-sdk:sqs:sendMessage", {"QueueUrl": "u"}, "The field 'MessageBody' is required but was missing"),
        (
            "lambda:invoke",
            {"FunctionName": "f", "Paylod.$": "$"},
            "The field \"Paylod\" is not supported by Step Functions; did you mean 'Payload'?",
        ),
        (
            "aws-sdk:s3:listObjectsV2",
            {"Bucket": "b", "prefix": "p"},
            "The field \"prefix\" is not supported by Step Functions; did you mean 'Prefix'?",
        ),
        (
            "lambda:invoke",
            {"FunctionName": "f", "DryRun": True},
            'The field "DryRun" is not supported by Step Functions',
        ),
    ],
)
def test_what_a_call_is_given(resource, parameters, said):
    assert errors(call(STATES + resource, **parameters)) == [f"/States/A/Parameters: {said}"]


def test_an_activity_takes_no_credentials():
    state = task(
        Resource="arn:aws:states:us-east-1:123456789012:activity:work", Credentials={"RoleArn": "arn"}
    )
    assert errors(machine(state)) == ["/States/A: The field 'Credentials' is not supported for activities"]


@pytest.mark.parametrize(
    ("body", "doubtful"),
    [
        ({"MessageBody": "done"}, True),
        ({"MessageBody": {"token.$": "$$.Task.Token"}}, False),
        ({"MessageBody.$": "States.Format('{}', $$.Task.Token)"}, False),
        ({"MessageBody.$": "$$"}, False),
    ],
)
def test_a_token_that_nobody_gets(body, doubtful):
    definition = call(f"{STATES}sqs:sendMessage.waitForTaskToken", QueueUrl="u", **body)
    assert errors(definition) == []
    assert warnings(definition) == (["NO_TASK_TOKEN /States/A/Parameters"] if doubtful else [])
