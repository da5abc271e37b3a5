"""SageMaker and Bedrock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from retrain.workflow.iam.tables.rights import Rights, right

_SAGEMAKER: Final = "sagemaker.amazonaws.com"


def _job(kind: str, name: str, resource: str, rule: str, role: str = "") -> Rights:
    """Return the rights for a kind of job, such as `TrainingJob`."""
    arn = f"sagemaker:{{region}}:{{account}}:{resource}/{{{name}}}"
    return Rights(
        (
            right(f"sagemaker:Create{kind}", arn),
            right("sagemaker:ListTags", arn),
            right("sagemaker:AddTags", arn, when="Tags"),
        ),
        (right(f"sagemaker:Describe{kind} Stop{kind}", arn),),
        rule,
        {role: _SAGEMAKER} if role else {},
    )


def _thing(kind: str, *resources: str, role: str = "") -> Rights:
    arns = tuple(f"sagemaker:{{region}}:{{account}}:{resource}" for resource in resources)
    return Rights(
        (right(f"sagemaker:{kind}", *arns), right("sagemaker:AddTags", arns[0], when="Tags")),
        passes={role: _SAGEMAKER} if role else {},
    )


RIGHTS: Final[Mapping[tuple[str, str], Rights]] = {
    ("sagemaker", "createTrainingJob"): _job(
        *("TrainingJob", "TrainingJobName", "training-job"),
        *("StepFunctionsGetEventsForSageMakerTrainingJobsRule", "RoleArn"),
    ),
    ("sagemaker", "createTransformJob"): _job(
        *("TransformJob", "TransformJobName", "transform-job"),
        "StepFunctionsGetEventsForSageMakerTransformJobsRule",
    ),
    ("sagemaker", "createProcessingJob"): _job(
        *("ProcessingJob", "ProcessingJobName", "processing-job"),
        *("StepFunctionsGetEventsForSageMakerProcessingJobsRule", "RoleArn"),
    ),
    ("sagemaker", "createHyperParameterTuningJob"): _job(
        *("HyperParameterTuningJob", "HyperParameterTuningJobName", "hyper-parameter-tuning-job"),
        *("StepFunctionsGetEventsForSageMakerTuningJobsRule", "RoleArn"),
    ),
    ("sagemaker", "createLabelingJob"): _job(
        *("LabelingJob", "LabelingJobName", "labeling-job"),
        *("StepFunctionsGetEventsForSageMakerLabelingJobsRule", "RoleArn"),
    ),
    ("sagemaker", "createModel"): _thing("CreateModel", "model/{ModelName}", role="ExecutionRoleArn"),
    ("sagemaker", "createEndpointConfig"): _thing(
        "CreateEndpointConfig", "endpoint-config/{EndpointConfigName}", role="ExecutionRoleArn"
    ),
    ("sagemaker", "createEndpoint"): _thing(
        "CreateEndpoint", "endpoint/{EndpointName}", "endpoint-config/{EndpointConfigName}"
    ),
    ("sagemaker", "updateEndpoint"): _thing(
        "UpdateEndpoint", "endpoint/{EndpointName}", "endpoint-config/{EndpointConfigName}"
    ),
    ("bedrock", "invokeModel"): Rights(
        (right("bedrock:InvokeModel", "bedrock:{region}::foundation-model/{ModelId}"),),
        note="A provisioned model or an inference profile has another ARN than a foundation model.",
    ),
    ("bedrock", "createModelCustomizationJob"): Rights(
        (
            right(
                "bedrock:CreateModelCustomizationJob",
                "bedrock:{region}::foundation-model/{BaseModelIdentifier}",
                "bedrock:{region}:{account}:custom-model/*",
                "bedrock:{region}:{account}:model-customization-job/*",
            ),
            right(
                "bedrock:TagResource", "bedrock:{region}:{account}:model-customization-job/*", when="JobTags"
            ),
        ),
        (
            right(
                "bedrock:GetModelCustomizationJob StopModelCustomizationJob",
                "bedrock:{region}:{account}:model-customization-job/*",
            ),
        ),
        passes={"RoleArn": "bedrock.amazonaws.com"},
    ),
}
