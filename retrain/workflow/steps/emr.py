"""Steps for EMR: on clusters of its own, on EKS, and serverless. Each takes what `ServiceStep` takes."""

from __future__ import annotations

from retrain.workflow.steps.task import ServiceStep


class EmrCreateClusterStep(ServiceStep, service="elasticmapreduce", action="createCluster"):
    """Creates a cluster: `Name`, `Instances`, `ReleaseLabel`, `ServiceRole`, `JobFlowRole`."""


class EmrTerminateClusterStep(ServiceStep, service="elasticmapreduce", action="terminateCluster"):
    """Shuts a cluster down: `ClusterId`."""


class EmrAddStepStep(ServiceStep, service="elasticmapreduce", action="addStep"):
    """Runs a step on a cluster: `ClusterId`, `Step`."""


class EmrCancelStepStep(ServiceStep, service="elasticmapreduce", action="cancelStep"):
    """Cancels a step: `ClusterId`, `StepId`."""


class EmrSetClusterTerminationProtectionStep(
    ServiceStep, service="elasticmapreduce", action="setClusterTerminationProtection"
):
    """Protects a cluster against being shut down: `ClusterId`, `TerminationProtected`."""


class EmrModifyInstanceFleetByNameStep(
    ServiceStep, service="elasticmapreduce", action="modifyInstanceFleetByName"
):
    """Changes the size of an instance fleet: `ClusterId`, `InstanceFleetName`, `InstanceFleet`."""


class EmrModifyInstanceGroupByNameStep(
    ServiceStep, service="elasticmapreduce", action="modifyInstanceGroupByName"
):
    """Changes the size of an instance group: `ClusterId`, `InstanceGroupName`, `InstanceGroup`."""


class EmrContainersCreateVirtualClusterStep(
    ServiceStep, service="emr-containers", action="createVirtualCluster"
):
    """Creates a virtual cluster on EKS: `Name`, `ContainerProvider`."""


class EmrContainersDeleteVirtualClusterStep(
    ServiceStep, service="emr-containers", action="deleteVirtualCluster"
):
    """Deletes a virtual cluster: `Id`."""


class EmrContainersStartJobRunStep(ServiceStep, service="emr-containers", action="startJobRun"):
    """Runs a job on a virtual cluster: `VirtualClusterId`, `ExecutionRoleArn`, `JobDriver`."""


class EmrServerlessCreateApplicationStep(ServiceStep, service="emr-serverless", action="createApplication"):
    """Creates an application: `ReleaseLabel`, `Type`."""


class EmrServerlessStartApplicationStep(ServiceStep, service="emr-serverless", action="startApplication"):
    """Starts an application: `ApplicationId`."""


class EmrServerlessStopApplicationStep(ServiceStep, service="emr-serverless", action="stopApplication"):
    """Stops an application: `ApplicationId`."""


class EmrServerlessDeleteApplicationStep(ServiceStep, service="emr-serverless", action="deleteApplication"):
    """Deletes an application: `ApplicationId`."""


class EmrServerlessStartJobRunStep(ServiceStep, service="emr-serverless", action="startJobRun"):
    """Runs a job: `ApplicationId`, `ExecutionRoleArn`, `JobDriver`."""


class EmrServerlessCancelJobRunStep(ServiceStep, service="emr-serverless", action="cancelJobRun"):
    """Cancels a job: `ApplicationId`, `JobRunId`."""
