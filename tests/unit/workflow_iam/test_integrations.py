"""What the optimised integrations need."""

from __future__ import annotations

import pytest

from retrain.states.tasks.optimised import INTEGRATIONS
from retrain.workflow.iam.tables import RIGHTS
from retrain.workflow.services.elsewhere import ELSEWHERE
from tests.unit.workflow_iam.machines import allowed, of

ARN = "arn:aws:{}:eu-west-1:123456789012:{}"
RULE = "arn:aws:events:eu-west-1:123456789012:rule/StepFunctionsGet{}"
HEARS = ["events:PutTargets", "events:PutRule", "events:DescribeRule"]


def test_every_integration_is_in_the_tables():
    known = {(service, action) for service, each in INTEGRATIONS.items() for action in each.actions}
    known |= {(service, action) for service, each in ELSEWHERE.items() for action in each.actions}
    assert sorted(known - set(RIGHTS)) == []


@pytest.mark.parametrize(
    ("resource", "parameters", "expected"),
    [
        ("lambda:invoke", {"FunctionName": "f"}, {"lambda:InvokeFunction": ["lambda", "function:f"]}),
        (
            "lambda:invoke",
            {"FunctionName": "arn:aws:lambda:us-east-1:210987654321:function:f:3"},
            {"lambda:InvokeFunction": "arn:aws:lambda:us-east-1:210987654321:function:f:3"},
        ),
        ("lambda:invoke", {"FunctionName.$": "$.f"}, {"lambda:InvokeFunction": ["lambda", "function:*"]}),
        (
            "arn:aws:lambda:us-east-1:1:function:f:PROD",
            None,
            {"lambda:InvokeFunction": "arn:aws:lambda:us-east-1:1:function:f:PROD"},
        ),
        ("dynamodb:putItem", {"TableName": "t"}, {"dynamodb:PutItem": ["dynamodb", "table/t"]}),
        ("sns:publish", {"TopicArn": ARN.format("sns", "t")}, {"sns:Publish": ["sns", "t"]}),
        ("sns:publish", {"TopicArn.$": "$.t"}, {"sns:Publish": ["sns", "*"]}),
        ("sns:publish", {"PhoneNumber": "+1"}, {"sns:Publish": "*"}),
        (
            "sqs:sendMessage.waitForTaskToken",
            {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/210987654321/q.fifo"},
            {"sqs:SendMessage": "arn:aws:sqs:us-east-1:210987654321:q.fifo"},
        ),
        ("sqs:sendMessage", {"QueueUrl.$": "$.q"}, {"sqs:SendMessage": ["sqs", "*"]}),
        (
            "events:putEvents",
            {"Entries": [{"Source": "a"}]},
            {"events:PutEvents": ["events", "event-bus/default"]},
        ),
        ("events:putEvents", {"Entries.$": "$.e"}, {"events:PutEvents": ["events", "event-bus/*"]}),
        ("glue:startJobRun", {"JobName": "j"}, {"glue:StartJobRun": ["glue", "job/j"]}),
        (
            "apigateway:invoke",
            {
                "ApiEndpoint": "a1.execute-api.eu-west-1.amazonaws.com",
                "Method": "GET",
                "Stage": "p",
                "Path": "/o",
            },
            {"execute-api:Invoke": ["execute-api", "a1/p/GET/o"]},
        ),
        (
            "bedrock:invokeModel",
            {"ModelId": "m"},
            {"bedrock:InvokeModel": "arn:aws:bedrock:eu-west-1::foundation-model/m"},
        ),
    ],
)
def test_a_call(resource, parameters, expected):
    wanted = {
        action: [where if isinstance(where, str) else ARN.format(*where)]
        for action, where in expected.items()
    }
    assert allowed(of(resource, parameters)) == wanted


@pytest.mark.parametrize(
    ("resource", "parameters", "more", "rule"),
    [
        (
            "sagemaker:createTransformJob.sync",
            {"TransformJobName": "j"},
            ["sagemaker:DescribeTransformJob", "sagemaker:StopTransformJob"],
            "EventsForSageMakerTransformJobsRule",
        ),
        ("batch:submitJob.sync", {}, ["batch:DescribeJobs", "batch:TerminateJob"], "EventsForBatchJobsRule"),
        ("ecs:runTask.sync", {}, ["ecs:StopTask", "ecs:DescribeTasks"], "EventsForECSTaskRule"),
        (
            "codebuild:startBuild.sync",
            {},
            ["codebuild:StopBuild", "codebuild:BatchGetBuilds"],
            "EventForCodeBuildStartBuildRule",
        ),
        (
            "states:startExecution.sync:2",
            {},
            ["states:DescribeExecution", "states:StopExecution"],
            "EventsForStepFunctionsExecutionRule",
        ),
        (
            "elasticmapreduce:addStep.sync",
            {},
            ["elasticmapreduce:DescribeStep", "elasticmapreduce:CancelSteps"],
            "EventForEMRAddJobFlowStepsRule",
        ),
        ("glue:startJobRun.sync", {}, ["glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"], None),
    ],
)
def test_waiting_for_a_job_needs_more_and_for_most_a_rule(resource, parameters, more, rule):
    waiting, calling = allowed(of(resource, parameters)), allowed(of(resource.split(".")[0], parameters))
    hears = HEARS if rule else []
    assert sorted(set(waiting) - set(calling)) == sorted([*more, *hears])
    assert {waiting[action][0] for action in hears} == ({RULE.format(rule)} if rule else set())


def test_a_task_token_needs_nothing_more():
    call = {"FunctionName": "f", "Payload": {"token.$": "$$.Task.Token"}}
    assert allowed(of("lambda:invoke.waitForTaskToken", call)) == allowed(of("lambda:invoke", call))


def test_nested_executions_are_followed_by_name():
    child = "arn:aws:states:eu-west-1:123456789012:stateMachine:child"
    found = allowed(of("states:startExecution.sync", {"StateMachineArn": child}))
    assert found["states:StartExecution"] == [child]
    assert found["states:StopExecution"] == [ARN.format("states", "execution:child:*")]


def test_tags_need_a_right_of_their_own_if_there_are_any():
    tagged = of(
        "sagemaker:createEndpoint", {"EndpointName": "e", "EndpointConfigName": "c", "Tags.$": "$.tags"}
    )
    assert allowed(tagged)["sagemaker:AddTags"] == [ARN.format("sagemaker", "endpoint/e")]
    plain = of("sagemaker:createEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"})
    assert set(allowed(plain)) == {"sagemaker:CreateEndpoint"}


def test_a_role_is_passed_to_the_service_that_gets_it():
    role = "arn:aws:iam::123456789012:role/worker"
    found = of("ecs:runTask", {"TaskDefinition": "d", "Overrides": {"TaskRoleArn": role}})
    (passing,) = (need for need in found.needs if need.actions == ("iam:PassRole",))
    assert passing.resources == (role,)
    assert passing.condition == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    assert found.notes[0].startswith("Do: The roles in the task definition are not told here")


def test_a_role_that_only_the_run_will_tell():
    found = of("sagemaker:createTrainingJob.sync", {"RoleArn.$": "$.role"})
    assert allowed(found)["iam:PassRole"] == ["arn:aws:iam::123456789012:role/*"]


def test_a_role_by_its_name():
    found = of("elasticmapreduce:createCluster.sync", {"ServiceRole": "EMR_DefaultRole"})
    assert allowed(found)["iam:PassRole"] == ["arn:aws:iam::123456789012:role/EMR_DefaultRole"]


def test_another_role_does_the_task():
    role = "arn:aws:iam::210987654321:role/visitor"
    found = of("dynamodb:getItem", {"TableName": "t"}, Credentials={"RoleArn": role})
    assert allowed(found) == {"sts:AssumeRole": [role]}
    assert found.notes == ("Do: the rights for the task itself belong to the role in Credentials.",)


def test_an_http_endpoint_is_a_condition():
    found = of(
        "http:invoke",
        {
            "ApiEndpoint": "https://example.com/pay",
            "Method.$": "$.method",
            "Authentication": {"ConnectionArn": ARN.format("events", "connection/c/1")},
        },
    )
    (call,) = (need for need in found.needs if "states:InvokeHTTPEndpoint" in need.actions)
    assert call.condition == {"StringLike": {"states:HTTPEndpoint": "https://example.com/pay"}}
    assert call.resources == (ARN.format("states", "stateMachine:machine"),)
    assert allowed(found)["events:RetrieveConnectionCredentials"] == [ARN.format("events", "connection/c/1")]


def test_an_activity_needs_nothing_of_the_role():
    assert of("arn:aws:states:eu-west-1:123456789012:activity:dig").needs == ()


def test_jsonata_is_read_too():
    found = of("dynamodb:getItem", Arguments={"TableName": "t"}, QueryLanguage="JSONata")
    dynamic = of("dynamodb:getItem", Arguments={"TableName": "{% $t %}"}, QueryLanguage="JSONata")
    assert allowed(found) == {"dynamodb:GetItem": [ARN.format("dynamodb", "table/t")]}
    assert allowed(dynamic) == {"dynamodb:GetItem": [ARN.format("dynamodb", "table/*")]}


def test_an_action_that_nobody_knows_is_said_and_not_guessed():
    found = of("sagemaker:createMiracle", {})
    assert found.needs == ()
    assert found.notes == ("Do: nothing is known of what sagemaker:createMiracle needs.",)
