"""What each operation honours, what it may safely take without honouring, and therefore what it refuses.

A member of a request that stands in neither list is refused by name: a parameter that AWS would act upon is
never dropped in silence. Names are paths of members from the top of the request; lists are passed through; a
trailing ``*`` stands for everything below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from retrain.localcloud.sagemaker.errors import UnsupportedError

HONOURED: dict[str, frozenset[str]] = {
    "CreateTrainingJob": frozenset(
        {
            *("TrainingJobName", "RoleArn", "HyperParameters*", "Environment*", "Tags*"),
            *("EnableManagedSpotTraining", "RetryStrategy*"),
            "AlgorithmSpecification.TrainingImage",
            "AlgorithmSpecification.TrainingInputMode",
            "AlgorithmSpecification.MetricDefinitions*",
            *("InputDataConfig.ChannelName", "InputDataConfig.ContentType", "InputDataConfig.InputMode"),
            *("InputDataConfig.CompressionType", "InputDataConfig.RecordWrapperType"),
            "InputDataConfig.DataSource.S3DataSource.S3DataType",
            "InputDataConfig.DataSource.S3DataSource.S3Uri",
            "InputDataConfig.DataSource.S3DataSource.S3DataDistributionType",
            *("OutputDataConfig.S3OutputPath", "ResourceConfig.InstanceType", "ResourceConfig.InstanceCount"),
            *("ResourceConfig.VolumeSizeInGB", "CheckpointConfig*"),
            *("StoppingCondition.MaxRuntimeInSeconds", "StoppingCondition.MaxWaitTimeInSeconds"),
        }
    ),
    "CreateModel": frozenset(
        {
            *("ModelName", "ExecutionRoleArn", "Tags*"),
            *(
                f"{where}.{name}"
                for where in ("PrimaryContainer", "Containers")
                for name in (
                    *(
                        "Image",
                        "ModelDataUrl",
                        "Environment*",
                        "ModelPackageName",
                        "Mode",
                        "ContainerHostname",
                    ),
                    "ModelDataSource.S3DataSource.S3Uri",
                    "ModelDataSource.S3DataSource.S3DataType",
                    "ModelDataSource.S3DataSource.CompressionType",
                )
            ),
        }
    ),
    "CreateEndpointConfig": frozenset(
        {
            *("EndpointConfigName", "Tags*", "DataCaptureConfig*"),
            *(
                f"ProductionVariants.{name}"
                for name in (
                    *("VariantName", "ModelName", "InstanceType", "InitialInstanceCount"),
                    *("InitialVariantWeight", "ServerlessConfig*"),
                    "ContainerStartupHealthCheckTimeoutInSeconds",
                )
            ),
        }
    ),
    "CreateEndpoint": frozenset({"EndpointName", "EndpointConfigName", "Tags*", "DeploymentConfig*"}),
    "UpdateEndpoint": frozenset(
        {
            "EndpointName",
            "EndpointConfigName",
            "DeploymentConfig*",
            "RetainAllVariantProperties",
            "RetainDeploymentConfig",
        }
    ),
    "CreateModelPackage": frozenset(
        {
            *(
                "ModelPackageName",
                "ModelPackageGroupName",
                "ModelPackageDescription",
                "InferenceSpecification*",
            ),
            *("ModelApprovalStatus", "MetadataProperties*", "ModelMetrics*", "ClientToken", "Domain", "Task"),
            *(
                "SamplePayloadUrl",
                "CustomerMetadataProperties*",
                "DriftCheckBaselines*",
                "SkipModelValidation",
            ),
            *("SourceUri", "ModelCard*", "ModelLifeCycle*", "Tags*", "CertifyForMarketplace"),
            "AdditionalInferenceSpecifications*",
        }
    ),
    "UpdateModelPackage": frozenset(
        {
            *("ModelPackageArn", "ModelApprovalStatus", "ApprovalDescription", "CustomerMetadataProperties*"),
            *("CustomerMetadataPropertiesToRemove*", "InferenceSpecification*", "SourceUri", "ModelCard*"),
            *("ModelLifeCycle*", "ClientToken", "AdditionalInferenceSpecificationsToAdd*"),
        }
    ),
}

HARMLESS: dict[str, frozenset[str]] = {
    # On a laptop no network is shut off, nothing is encrypted and no machine is chosen; the records keep it.
    "CreateTrainingJob": frozenset(
        {
            *("VpcConfig*", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption"),
            *("OutputDataConfig.KmsKeyId", "ResourceConfig.VolumeKmsKeyId", "ExperimentConfig*"),
            *(
                "ResourceConfig.KeepAlivePeriodInSeconds",
                "InfraCheckConfig*",
                "ProfilerConfig.DisableProfiler",
            ),
            "AlgorithmSpecification.EnableSageMakerMetricsTimeSeries",
            "AlgorithmSpecification.TrainingImageConfig.TrainingRepositoryAccessMode",
            # Collections of tensors are saved by a debugger library in AWS's own images alone.
            "DebugHookConfig*",
            "TensorBoardOutputConfig*",
            "StoppingCondition.MaxPendingTimeInSeconds",
        }
    ),
    "CreateModel": frozenset(
        {
            *("VpcConfig*", "EnableNetworkIsolation", "PrimaryContainer.ImageConfig.RepositoryAccessMode"),
            "Containers.ImageConfig.RepositoryAccessMode",
        }
    ),
    "CreateEndpointConfig": frozenset(
        {
            *("KmsKeyId", "VpcConfig*", "EnableNetworkIsolation", "ExecutionRoleArn"),
            *(
                f"ProductionVariants.{name}"
                for name in (
                    *("VolumeSizeInGB", "ModelDataDownloadTimeoutInSeconds", "InferenceAmiVersion"),
                    *("EnableSSMAccess", "RoutingConfig*", "AcceleratorType"),
                )
            ),
        }
    ),
    "CreateModelPackage": frozenset({"SecurityConfig*"}),
}


def refuse_unsupported(operation: str, request: dict[str, Any]) -> None:
    """Refuse the members of a valid request that the local cloud would not act upon.

    Operations without an entry in `HONOURED` honour everything.

    Raises
    ------
    UnsupportedError
        Naming the first such member.
    """
    known = HONOURED.get(operation)
    if known is None:
        return
    allowed = known | HARMLESS.get(operation, frozenset())
    prefixes = tuple(path[:-1] for path in allowed if path.endswith("*"))
    for path, value in _leaves(request, ""):
        if value in (None, [], {}) or path in allowed or any(_within(path, prefix) for prefix in prefixes):
            continue
        raise UnsupportedError(f"{operation}: {path}")


def _within(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + ".")


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for item in value:
            yield from _leaves(item, path)
    else:
        yield path, value
