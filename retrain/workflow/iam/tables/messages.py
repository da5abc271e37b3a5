"""SNS, SQS, EventBridge, Step Functions, API Gateway, HTTP endpoints, MediaConvert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from retrain.workflow.iam.tables.rights import Rights, right

_QUEUES: Final = tuple(
    f"mediaconvert:{{region}}:{{account}}:{kind}/*" for kind in ("queues", "jobTemplates", "presets")
)

RIGHTS: Final[Mapping[tuple[str, str], Rights]] = {
    ("sns", "publish"): Rights((right("sns:Publish", "sns:{region}:{account}:{TopicArn}"),)),
    ("sqs", "sendMessage"): Rights((right("sqs:SendMessage", "sqs:{region}:{account}:{QueueName}"),)),
    ("events", "putEvents"): Rights(
        (right("events:PutEvents", "events:{region}:{account}:event-bus/{EventBusName}"),)
    ),
    ("states", "startExecution"): Rights(
        (right("states:StartExecution", "states:{region}:{account}:stateMachine:{StateMachineArn}"),),
        (
            right(
                "states:DescribeExecution StopExecution",
                "states:{region}:{account}:execution:{StateMachineName}:*",
            ),
        ),
        "StepFunctionsGetEventsForStepFunctionsExecutionRule",
    ),
    ("apigateway", "invoke"): Rights(
        (right("execute-api:Invoke", "execute-api:{region}:{account}:{ApiId}/{Stage}/{Method}/{Path}"),)
    ),
    ("http", "invoke"): Rights(
        (
            right(
                "states:InvokeHTTPEndpoint",
                "states:{region}:{account}:stateMachine:{machine}",
                condition={
                    "StringEquals": {"states:HTTPMethod": "{Method}"},
                    "StringLike": {"states:HTTPEndpoint": "{ApiEndpoint}"},
                },
            ),
            right(
                "events:RetrieveConnectionCredentials", "events:{region}:{account}:connection/{ConnectionArn}"
            ),
            right(
                "secretsmanager:GetSecretValue DescribeSecret",
                "secretsmanager:{region}:{account}:secret:events!connection/*",
            ),
        )
    ),
    ("mediaconvert", "createJob"): Rights(
        (right("mediaconvert:CreateJob", *_QUEUES), right("mediaconvert:TagResource", when="Tags")),
        (
            right(
                "mediaconvert:GetJob CancelJob",
                "mediaconvert:{region}:{account}:jobs/*",
                condition={"StringEquals": {"aws:ResourceTag/ManagedByService": "AWSStepFunctions"}},
            ),
        ),
        "StepFunctionsGetEventsForMediaConvertJobRule",
        {"Role": "mediaconvert.amazonaws.com"},
    ),
}
