"""Every step class with every integration pattern, against AWS's table and all that checks definitions."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import given, settings
from hypothesis import strategies as st

from retrain.states.tasks import naming
from retrain.states.tasks.optimised import INTEGRATIONS, KNOWN_ELSEWHERE
from retrain.states.tasks.shapes import to_request
from retrain.workflow import steps
from retrain.workflow.errors import (
    MissingRequiredParameterError,
    ParameterError,
    PatternError,
    PlaceholderError,
    ServiceError,
)
from retrain.workflow.inputs import ExecutionInput
from retrain.workflow.services import ServiceAction, actions_of, find, optimised_services
from retrain.workflow.services.elsewhere import ELSEWHERE
from retrain.workflow.steps import AwsSdkStep, Graph, IntegrationPattern, ServiceStep, Task
from retrain.workflow.steps.sagemaker import SageMakerStep

# What AWS's documentation says of each: resource, then how it can be waited for beside request-response,
# s for .sync, 2 for .sync:2, t for .waitForTaskToken.
TABLE = {
    "ApiGatewayInvokeStep": ("apigateway:invoke", "t"),
    "AthenaGetQueryExecutionStep": ("athena:getQueryExecution", ""),
    "AthenaGetQueryResultsStep": ("athena:getQueryResults", ""),
    "AthenaStartQueryExecutionStep": ("athena:startQueryExecution", "s"),
    "AthenaStopQueryExecutionStep": ("athena:stopQueryExecution", ""),
    "BatchSubmitJobStep": ("batch:submitJob", "s"),
    "BedrockInvokeModelStep": ("bedrock:invokeModel", "t"),
    "CodeBuildBatchDeleteBuildsStep": ("codebuild:batchDeleteBuilds", ""),
    "CodeBuildBatchGetReportsStep": ("codebuild:batchGetReports", ""),
    "CodeBuildDeleteBuildBatchStep": ("codebuild:deleteBuildBatch", ""),
    "CodeBuildRetryBuildBatchStep": ("codebuild:retryBuildBatch", "s"),
    "CodeBuildStartBuildBatchStep": ("codebuild:startBuildBatch", "s"),
    "CodeBuildStartBuildStep": ("codebuild:startBuild", "s"),
    "CodeBuildStopBuildBatchStep": ("codebuild:stopBuildBatch", ""),
    "CodeBuildStopBuildStep": ("codebuild:stopBuild", ""),
    "DynamoDBDeleteItemStep": ("dynamodb:deleteItem", ""),
    "DynamoDBGetItemStep": ("dynamodb:getItem", ""),
    "DynamoDBPutItemStep": ("dynamodb:putItem", ""),
    "DynamoDBUpdateItemStep": ("dynamodb:updateItem", ""),
    "EcsRunTaskStep": ("ecs:runTask", "st"),
    "EksCallStep": ("eks:call", ""),
    "EksCreateClusterStep": ("eks:createCluster", "s"),
    "EksCreateFargateProfileStep": ("eks:createFargateProfile", "s"),
    "EksCreateNodegroupStep": ("eks:createNodegroup", "s"),
    "EksDeleteClusterStep": ("eks:deleteCluster", "s"),
    "EksDeleteFargateProfileStep": ("eks:deleteFargateProfile", "s"),
    "EksDeleteNodegroupStep": ("eks:deleteNodegroup", "s"),
    "EksRunJobStep": ("eks:runJob", "s"),
    "EmrAddStepStep": ("elasticmapreduce:addStep", "s"),
    "EmrCancelStepStep": ("elasticmapreduce:cancelStep", ""),
    "EmrContainersCreateVirtualClusterStep": ("emr-containers:createVirtualCluster", ""),
    "EmrContainersDeleteVirtualClusterStep": ("emr-containers:deleteVirtualCluster", "s"),
    "EmrContainersStartJobRunStep": ("emr-containers:startJobRun", "s"),
    "EmrCreateClusterStep": ("elasticmapreduce:createCluster", "s"),
    "EmrModifyInstanceFleetByNameStep": ("elasticmapreduce:modifyInstanceFleetByName", ""),
    "EmrModifyInstanceGroupByNameStep": ("elasticmapreduce:modifyInstanceGroupByName", ""),
    "EmrServerlessCancelJobRunStep": ("emr-serverless:cancelJobRun", "s"),
    "EmrServerlessCreateApplicationStep": ("emr-serverless:createApplication", "s"),
    "EmrServerlessDeleteApplicationStep": ("emr-serverless:deleteApplication", "s"),
    "EmrServerlessStartApplicationStep": ("emr-serverless:startApplication", "s"),
    "EmrServerlessStartJobRunStep": ("emr-serverless:startJobRun", "s"),
    "EmrServerlessStopApplicationStep": ("emr-serverless:stopApplication", "s"),
    "EmrSetClusterTerminationProtectionStep": ("elasticmapreduce:setClusterTerminationProtection", ""),
    "EmrTerminateClusterStep": ("elasticmapreduce:terminateCluster", "s"),
    "EventBridgePutEventsStep": ("events:putEvents", "t"),
    "GlueDataBrewStartJobRunStep": ("databrew:startJobRun", "s"),
    "GlueStartJobRunStep": ("glue:startJobRun", "s"),
    "HttpInvokeStep": ("http:invoke", ""),
    "LambdaStep": ("lambda:invoke", "t"),
    "MediaConvertCreateJobStep": ("mediaconvert:createJob", "s"),
    "SnsPublishStep": ("sns:publish", "t"),
    "SqsSendMessageStep": ("sqs:sendMessage", "t"),
    "StepFunctionsStartExecutionStep": ("states:startExecution", "s2t"),
}
ENDINGS = {"s": "sync", "2": "sync:2", "t": "waitForTaskToken"}
CASES = [
    (name, resource, pattern)
    for name, (resource, letters) in TABLE.items()
    for pattern in ["", *(ENDINGS[letter] for letter in letters)]
]
CLASSES = {
    name: kind
    for name, kind in vars(steps).items()
    if isinstance(kind, type)
    and issubclass(kind, ServiceStep)
    and not issubclass(kind, SageMakerStep)
    and kind not in {ServiceStep, AwsSdkStep}
}


def sample(shape: Shape, action: ServiceAction) -> Any:
    """A value with everything that is required, in a state machine's spelling."""
    if isinstance(shape, StructureShape):
        if getattr(shape, "is_document_type", False):
            return {"any": "thing"}
        return {
            action.spelling(name, shape.name): sample(shape.members[name], action)
            for name in shape.required_members
        }
    if isinstance(shape, ListShape):
        return [sample(shape.member, action)]
    if isinstance(shape, MapShape):
        return {"key": sample(shape.value, action)}
    enum = getattr(shape, "enum", None)
    values = {"boolean": True, "integer": 1, "long": 1, "float": 1.5, "double": 1.5, "timestamp": 0}
    return values.get(shape.type_name, enum[0] if enum else "text")


def request(action: ServiceAction, pattern: str) -> dict[str, Any]:
    made = {} if action.request is None else sample(action.request, action)
    made = {name: value for name, value in made.items() if action.only is None or name in action.only}
    if pattern == "waitForTaskToken":  # somewhere the token is passed on
        free = {
            "lambda": {"Payload": {"token.$": "$$.Task.Token"}},
            "sns": {"Message": {"token.$": "$$.Task.Token"}},
            "sqs": {"MessageBody": {"token.$": "$$.Task.Token"}},
            "states": {"Input": {"token.$": "$$.Task.Token"}},
            "ecs": {"Overrides": {"ContainerOverrides": [{"Command.$": "States.Array($$.Task.Token)"}]}},
            "events": {"Entries": [{"Detail": {"token.$": "$$.Task.Token"}}]},
            "bedrock": {"Body": {"token.$": "$$.Task.Token"}},
            "apigateway": {"RequestBody": {"token.$": "$$.Task.Token"}},
        }
        made |= free[action.service]
    return made


def test_the_table_has_every_step_class():
    renamed = {"EksCreateNodeGroupStep"}
    assert set(CLASSES) - renamed == set(TABLE)
    assert steps.EksCreateNodeGroupStep is steps.EksCreateNodegroupStep


@pytest.mark.parametrize(("name", "resource", "pattern"), CASES, ids=lambda value: value or "request")
def test_every_pattern_of_every_service_is_accepted(name, resource, pattern, accepted):
    service, action = resource.split(":")
    found = find(service, action)
    parameters = request(found, pattern)
    step = CLASSES[name]("Call", integration_pattern=pattern, parameters=parameters)
    definition = accepted(Graph(step))["States"]["Call"]
    ending = "sync:2" if name == "StepFunctionsStartExecutionStep" and pattern == "sync" else pattern
    assert definition["Resource"] == f"arn:aws:states:::{resource}" + (f".{ending}" if ending else "")
    assert definition["Parameters"] == parameters
    if service in INTEGRATIONS and pattern != "waitForTaskToken" and service != "events":
        operation = naming.operation_of(INTEGRATIONS[service].service, action)
        assert operation is not None
        to_request(parameters, operation, found.spelling)  # raises what botocore's model does not have


@pytest.mark.parametrize("name", TABLE)
def test_what_is_waited_for_if_nothing_is_said(name):
    resource, letters = TABLE[name]
    kind, expected = CLASSES[name], f"arn:aws:states:::{resource}"
    usual = ".sync:2" if "2" in letters else ".sync" if "s" in letters else ""
    assert kind("Call").to_dict()["Resource"] == expected + usual
    assert kind("Call", wait_for_completion=False).to_dict()["Resource"] == expected
    assert kind("Call", wait_for_callback=False).to_dict()["Resource"] == expected + usual
    for argument, letter, word in (
        ("wait_for_completion", "s", ".sync"),
        ("wait_for_callback", "t", ".waitForTaskToken"),
    ):
        if letter in letters:
            assert word in kind("Call", **{argument: True}).to_dict()["Resource"]
        else:
            with pytest.raises(PatternError, match=rf"{resource} does not offer \{word}: it offers"):
                kind("Call", **{argument: True})


def test_patterns_by_name_and_by_enum():
    kind = steps.EcsRunTaskStep
    for pattern in (IntegrationPattern.WaitForTaskToken, "WaitForTaskToken", ".waitForTaskToken"):
        assert kind("E", integration_pattern=pattern).to_dict()["Resource"].endswith(".waitForTaskToken")
    assert kind("E", integration_pattern=IntegrationPattern.CallAndContinue).to_dict()["Resource"] == (
        "arn:aws:states:::ecs:runTask"
    )
    assert IntegrationPattern.RequestResponse is IntegrationPattern.CallAndContinue
    with pytest.raises(PatternError, match="no integration pattern 'later'"):
        kind("E", integration_pattern="later")
    with pytest.raises(PatternError, match="not for both"):
        kind("E", wait_for_completion=True, wait_for_callback=True)
    with pytest.raises(PatternError, match="give either"):
        kind("E", wait_for_completion=True, integration_pattern="sync")


def test_the_partition_is_the_regions(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")
    assert steps.LambdaStep("L").to_dict()["Resource"] == "arn:aws-cn:states:::lambda:invoke"
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert steps.LambdaStep("L").to_dict()["Resource"] == "arn:aws:states:::lambda:invoke"


def test_the_engine_knows_the_same_services():
    assert set(ELSEWHERE) == KNOWN_ELSEWHERE
    assert not set(ELSEWHERE) & set(INTEGRATIONS)
    assert set(optimised_services()) == set(INTEGRATIONS) | KNOWN_ELSEWHERE


@pytest.mark.parametrize("service", optimised_services())
def test_every_action_has_a_request(service):
    for action in actions_of(service):
        found = find(service, action)
        assert found.patterns
        assert found.request is not None


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: steps.LambdaStep("L", parameters={"FunctonName": "f"}), "did you mean 'FunctionName'"),
        (
            lambda: steps.LambdaStep("L", parameters={"Payload": {}}),
            "'L': 'FunctionName' is required and was not given to lambda:invoke",
        ),
        (
            lambda: steps.DynamoDBGetItemStep("D", parameters={}),
            "'TableName', 'Key' are required and were not given",
        ),
        (
            lambda: steps.EcsRunTaskStep(
                "E", parameters={"TaskDefinition": "t", "NetworkConfiguration": {"AwsvpcConfiguration": {}}}
            ),
            r"'NetworkConfiguration.AwsvpcConfiguration.Subnets' is required",
        ),
        (
            lambda: steps.BatchSubmitJobStep(
                "B",
                parameters={
                    "JobName": "j",
                    "JobQueue": "q",
                    "JobDefinition": "d",
                    "ContainerOverrides": {"Enviroment": []},
                },
            ),
            r"no parameter 'ContainerOverrides.Enviroment'; did you mean 'Environment'",
        ),
        (
            lambda: steps.SnsPublishStep("S", parameters={"TopicArn": 5, "Message": "m"}),
            "'TopicArn' of sns:publish must be a string, not 5",
        ),
        (
            lambda: steps.EmrCreateClusterStep("E", parameters={"Name": "n", "Instances": {}, "Steps": []}),
            "no parameter 'Steps'",
        ),
        (
            lambda: steps.EksCallStep("E", parameters={"ClusterName": "c"}),
            "'CertificateAuthority', 'Endpoint', 'Method', 'Path' are required",
        ),
        (
            lambda: steps.HttpInvokeStep(
                "H",
                parameters={"ApiEndpoint": "https://a", "Method": "GET", "Authentication": {"Arn": "a"}},
            ),
            "no parameter 'Authentication.Arn'",
        ),
        (
            lambda: steps.SqsSendMessageStep("S", parameters={"QueueUrl": "q", "DelaySeconds": "1"}),
            "'DelaySeconds' of sqs:sendMessage must be a whole number, not '1'",
        ),
        (lambda: steps.LambdaStep("L", parameters=["f"]), "are an object"),
        (lambda: AwsSdkStep("A", service="s3", action="getObject", parameters={"Bucket": "b"}), "'Key' is"),
        (
            lambda: Task("T", resource="arn:aws:states:::sqs:sendMessage", parameters={"QueueUrl": "q"}),
            "'MessageBody' is required",
        ),
    ],
)
def test_parameters_that_do_not_fit_get_a_sentence(make, sentence):
    with pytest.raises(ParameterError, match=sentence):
        make()


def test_what_is_missing_altogether_is_told_when_the_machine_is_made():
    step = steps.LambdaStep("L")
    assert step.to_dict()["Resource"] == "arn:aws:states:::lambda:invoke"
    with pytest.raises(MissingRequiredParameterError, match="FunctionName"):
        Graph(step)
    step.update_parameters({"FunctionName": "f"})
    assert Graph(step)


@pytest.mark.parametrize(
    ("service", "action", "sentence"),
    [
        ("logs", "createLogGroup", "did you mean 'cloudwatchlogs'"),
        ("dynamo", "getItem", "did you mean 'dynamodb'"),
        ("Sage-Maker", "createModel", "did you mean 'sagemaker'"),
        ("s3", "ListBuckets", "did you mean 'listBuckets'"),
        ("s3", "listBucket", "did you mean 'listBuckets'"),
        ("nothing", "at all", "no service 'nothing'"),
    ],
)
def test_a_service_or_an_action_that_does_not_exist(service, action, sentence):
    with pytest.raises(ServiceError, match=sentence):
        AwsSdkStep("A", service=service, action=action)


@pytest.mark.parametrize(
    ("resource", "sentence"),
    [
        ("arn:aws:states:::lamda:invoke", "did you mean 'lambda'"),
        ("arn:aws:states:::lambda:invok", "did you mean 'invoke'"),
        ("arn:aws:states:::eks:createClusters", "did you mean 'createCluster'"),
        ("lambda", "A resource is the ARN"),
    ],
)
def test_a_resource_that_does_not_exist(resource, sentence):
    with pytest.raises(ServiceError, match=sentence):
        Task("T", resource=resource, parameters={})


@pytest.mark.parametrize(
    ("service", "action", "parameters"),
    [
        ("s3", "listBuckets", {}),
        ("sagemaker", "createModelPackage", {"ModelPackageGroupName": "g"}),
        ("cloudwatchlogs", "createLogGroup", {"LogGroupName": "g"}),
        ("sfn", "sendTaskSuccess", {"TaskToken.$": "$.token", "Output.$": "$.output"}),
        ("rds", "describeDBInstances", {"DbInstanceIdentifier": "i"}),
        ("ec2", "describeInstances", {}),
    ],
)
def test_any_call_of_the_aws_sdk(service, action, parameters, accepted):
    step = AwsSdkStep("Call", service=service, action=action, parameters=parameters)
    state = accepted(Graph(step))["States"]["Call"]
    assert state["Resource"] == f"arn:aws:states:::aws-sdk:{service}:{action}"
    waiting = AwsSdkStep(
        "Call", service=service, action=action, wait_for_callback=True, parameters=parameters
    )
    assert waiting.to_dict()["Resource"].endswith(".waitForTaskToken")
    with pytest.raises(PatternError, match=r"does not offer \.sync"):
        AwsSdkStep("Call", service=service, action=action, integration_pattern="sync", parameters=parameters)


def test_a_placeholders_type_must_be_the_members():
    execution_input = ExecutionInput(schema={"url": str, "delay": int, "rate": float})
    fits = {"QueueUrl": execution_input["url"], "MessageBody": "m", "DelaySeconds": execution_input["delay"]}
    assert steps.SqsSendMessageStep("S", parameters=fits)
    with pytest.raises(PlaceholderError, match=r"'DelaySeconds'.*a whole number; .*'rate'.* is float"):
        steps.SqsSendMessageStep("S", parameters={**fits, "DelaySeconds": execution_input["rate"]})


def test_a_step_makes_its_resource_itself():
    with pytest.raises(ValueError, match="makes its resource itself"):
        steps.LambdaStep("L", resource="arn:aws:states:::lambda:invoke")


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )
)
def test_anything_as_parameters_is_taken_or_gets_a_sentence(value):
    for kind in (steps.EcsRunTaskStep, steps.LambdaStep, steps.EksCallStep):
        with contextlib.suppress(ParameterError):
            kind("Call", parameters=value)
