"""The optimised integrations: which operations there are, how they may be waited for, what they take.

From the pages 'Integrating optimized services' of AWS's documentation. Where `fields` is given, AWS takes
only these members of the request; for everything else there is `aws-sdk:…`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Action:
    """One operation of an integration.

    Attributes
    ----------
    patterns
        Ways of waiting beside request-response: `sync`, `sync:2`, `waitForTaskToken`.
    fields
        The members of the request that may be given; None for all.
    json_fields
        Members that are text to the service and may be given as JSON.
    """

    patterns: frozenset[str] = frozenset()
    fields: frozenset[str] | None = None
    json_fields: frozenset[str] = frozenset()
    request_response: bool = True


@dataclass(frozen=True, slots=True)
class Integration:
    """A service with an optimised integration.

    Attributes
    ----------
    service
        boto3's name.
    prefix
        What stands before the dot of its errors' names.
    base_exception
        The name of errors that the service's model does not have.
    java_service
        The service's name in the causes of errors.
    actions
        By the name in the resource.
    """

    service: str
    prefix: str
    base_exception: str
    java_service: str
    actions: Mapping[str, Action] = field(default_factory=dict)


_SYNC = frozenset({"sync"})
_TOKEN = frozenset({"waitForTaskToken"})
_PLAIN = Action()
_JOB = Action(_SYNC)


def _all(*names: str) -> dict[str, Action]:
    return dict.fromkeys(names, _PLAIN)


def _jobs(*names: str) -> dict[str, Action]:
    return dict.fromkeys(names, _JOB)


INTEGRATIONS: Mapping[str, Integration] = {
    "athena": Integration(
        *("athena", "Athena", "AmazonAthenaException", "AmazonAthena"),
        {
            **_jobs("startQueryExecution"),
            **_all("stopQueryExecution", "getQueryExecution", "getQueryResults"),
        },
    ),
    "batch": Integration("batch", "Batch", "AWSBatchException", "AWSBatch", _jobs("submitJob")),
    "bedrock": Integration(
        *("bedrock-runtime", "Bedrock", "AmazonBedrockException", "AmazonBedrock"),
        {"invokeModel": Action(_TOKEN)},
    ),
    "codebuild": Integration(
        *("codebuild", "CodeBuild", "AWSCodeBuildException", "AWSCodeBuild"),
        {
            **_jobs("startBuild", "startBuildBatch", "retryBuildBatch"),
            **_all("stopBuild", "stopBuildBatch", "batchDeleteBuilds", "batchGetReports", "deleteBuildBatch"),
        },
    ),
    "dynamodb": Integration(
        *("dynamodb", "DynamoDB", "AmazonDynamoDBException", "AmazonDynamoDBv2"),
        _all("getItem", "putItem", "deleteItem", "updateItem"),
    ),
    "ecs": Integration(
        *("ecs", "ECS", "AmazonECSException", "AmazonECS"),
        {"runTask": Action(_SYNC | _TOKEN)},
    ),
    "events": Integration(
        *("events", "EventBridge", "AmazonEventBridgeException", "AmazonEventBridge"),
        {"putEvents": Action(_TOKEN, frozenset({"Entries"}))},
    ),
    "glue": Integration("glue", "Glue", "AWSGlueException", "AWSGlue", _jobs("startJobRun")),
    "lambda": Integration(
        *("lambda", "Lambda", "AWSLambdaException", "AWSLambda"),
        {
            "invoke": Action(
                _TOKEN,
                frozenset(
                    {"ClientContext", "FunctionName", "InvocationType", "LogType", "Qualifier", "Payload"}
                ),
            )
        },
    ),
    "sagemaker": Integration(
        *("sagemaker", "SageMaker", "AmazonSageMakerException", "AmazonSageMaker"),
        {
            **_jobs(
                *("createTrainingJob", "createTransformJob", "createProcessingJob", "createLabelingJob"),
                "createHyperParameterTuningJob",
            ),
            **_all("createModel", "createEndpointConfig"),
            "createEndpoint": Action(fields=frozenset({"EndpointName", "EndpointConfigName", "Tags"})),
            "updateEndpoint": Action(fields=frozenset({"EndpointName", "EndpointConfigName"})),
        },
    ),
    "sns": Integration(
        *("sns", "SNS", "AmazonSNSException", "AmazonSNS"),
        {
            "publish": Action(
                _TOKEN,
                frozenset(
                    {
                        *("Message", "MessageAttributes", "MessageStructure", "PhoneNumber", "Subject"),
                        *("TargetArn", "TopicArn", "MessageGroupId", "MessageDeduplicationId"),
                    }
                ),
                json_fields=frozenset({"Message"}),
            )
        },
    ),
    "sqs": Integration(
        *("sqs", "SQS", "AmazonSQSException", "AmazonSQS"),
        {
            "sendMessage": Action(
                _TOKEN,
                frozenset(
                    {
                        *("DelaySeconds", "MessageAttributes", "MessageBody", "MessageDeduplicationId"),
                        *("MessageGroupId", "QueueUrl"),
                    }
                ),
                json_fields=frozenset({"MessageBody"}),
            )
        },
    ),
    "states": Integration(
        *("stepfunctions", "StepFunctions", "AWSStepFunctionsException", "AWSStepFunctions"),
        {
            "startExecution": Action(
                frozenset({"sync", "sync:2", "waitForTaskToken"}),
                frozenset({"StateMachineArn", "Name", "Input", "TraceHeader"}),
                json_fields=frozenset({"Input"}),
            )
        },
    ),
}
"""The integrations that are carried out here, by the service's name in the resource."""

KNOWN_ELSEWHERE = frozenset(
    {
        *("apigateway", "databrew", "eks", "elasticmapreduce", "emr-containers", "emr-serverless"),
        *("http", "mediaconvert"),
    }
)
"""Services with an optimised integration in AWS that is not carried out here."""
