"""Steps that run code: Lambda, Batch, Glue, ECS, EKS, CodeBuild. Each takes what `ServiceStep` takes."""

from __future__ import annotations

from retrain.workflow.steps.task import ServiceStep


class LambdaStep(ServiceStep, service="lambda", action="invoke"):
    """Invokes a Lambda function: `FunctionName`, `Payload`."""


class BatchSubmitJobStep(ServiceStep, service="batch", action="submitJob"):
    """Runs a job of AWS Batch: `JobName`, `JobDefinition`, `JobQueue`."""


class GlueStartJobRunStep(ServiceStep, service="glue", action="startJobRun"):
    """Runs a job of AWS Glue: `JobName`, `Arguments`."""


class EcsRunTaskStep(ServiceStep, service="ecs", action="runTask"):
    """Runs a task of ECS, on Fargate too: `LaunchType`, `Cluster`, `TaskDefinition`."""


class CodeBuildStartBuildStep(ServiceStep, service="codebuild", action="startBuild"):
    """Runs a build of CodeBuild: `ProjectName`."""


class CodeBuildStopBuildStep(ServiceStep, service="codebuild", action="stopBuild"):
    """Stops a build of CodeBuild: `Id`."""


class CodeBuildBatchDeleteBuildsStep(ServiceStep, service="codebuild", action="batchDeleteBuilds"):
    """Deletes builds of CodeBuild: `Ids`."""


class CodeBuildBatchGetReportsStep(ServiceStep, service="codebuild", action="batchGetReports"):
    """Gets reports of CodeBuild: `ReportArns`."""


class CodeBuildStartBuildBatchStep(ServiceStep, service="codebuild", action="startBuildBatch"):
    """Runs a batch build of CodeBuild: `ProjectName`."""


class CodeBuildStopBuildBatchStep(ServiceStep, service="codebuild", action="stopBuildBatch"):
    """Stops a batch build of CodeBuild: `Id`."""


class CodeBuildRetryBuildBatchStep(ServiceStep, service="codebuild", action="retryBuildBatch"):
    """Runs the failed builds of a batch build again: `Id`."""


class CodeBuildDeleteBuildBatchStep(ServiceStep, service="codebuild", action="deleteBuildBatch"):
    """Deletes a batch build of CodeBuild: `Id`."""


class EksCreateClusterStep(ServiceStep, service="eks", action="createCluster"):
    """Creates a cluster of EKS: `Name`, `RoleArn`, `ResourcesVpcConfig`."""


class EksDeleteClusterStep(ServiceStep, service="eks", action="deleteCluster"):
    """Deletes a cluster of EKS: `Name`."""


class EksCreateFargateProfileStep(ServiceStep, service="eks", action="createFargateProfile"):
    """Creates a Fargate profile: `ClusterName`, `FargateProfileName`, `PodExecutionRoleArn`."""


class EksDeleteFargateProfileStep(ServiceStep, service="eks", action="deleteFargateProfile"):
    """Deletes a Fargate profile: `ClusterName`, `FargateProfileName`."""


class EksCreateNodegroupStep(ServiceStep, service="eks", action="createNodegroup"):
    """Creates a node group: `ClusterName`, `NodegroupName`, `NodeRole`, `Subnets`."""


EksCreateNodeGroupStep = EksCreateNodegroupStep
"""The spelling of AWS's library."""


class EksDeleteNodegroupStep(ServiceStep, service="eks", action="deleteNodegroup"):
    """Deletes a node group: `ClusterName`, `NodegroupName`."""


class EksRunJobStep(ServiceStep, service="eks", action="runJob"):
    """Runs a Kubernetes job: `ClusterName`, `CertificateAuthority`, `Endpoint`, `Job`."""


class EksCallStep(ServiceStep, service="eks", action="call"):
    """Calls the Kubernetes API: `ClusterName`, `CertificateAuthority`, `Endpoint`, `Method`, `Path`."""
