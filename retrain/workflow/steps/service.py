"""Steps that call services. Each takes what `ServiceStep` takes; those of `steps.compute` are here too."""

from __future__ import annotations

from retrain.workflow.steps.compute import (
    EksCallStep,
    EksCreateClusterStep,
    EksCreateFargateProfileStep,
    EksCreateNodeGroupStep,
    EksCreateNodegroupStep,
    EksDeleteClusterStep,
    EksDeleteFargateProfileStep,
    EksDeleteNodegroupStep,
    EksRunJobStep,
)
from retrain.workflow.steps.emr import (
    EmrAddStepStep,
    EmrCancelStepStep,
    EmrContainersCreateVirtualClusterStep,
    EmrContainersDeleteVirtualClusterStep,
    EmrContainersStartJobRunStep,
    EmrCreateClusterStep,
    EmrModifyInstanceFleetByNameStep,
    EmrModifyInstanceGroupByNameStep,
    EmrServerlessCancelJobRunStep,
    EmrServerlessCreateApplicationStep,
    EmrServerlessDeleteApplicationStep,
    EmrServerlessStartApplicationStep,
    EmrServerlessStartJobRunStep,
    EmrServerlessStopApplicationStep,
    EmrSetClusterTerminationProtectionStep,
    EmrTerminateClusterStep,
)
from retrain.workflow.steps.task import AwsSdkStep, ServiceStep

__all__ = [
    "ApiGatewayInvokeStep",
    "AthenaGetQueryExecutionStep",
    "AthenaGetQueryResultsStep",
    "AthenaStartQueryExecutionStep",
    "AthenaStopQueryExecutionStep",
    "AwsSdkStep",
    "BedrockInvokeModelStep",
    "DynamoDBDeleteItemStep",
    "DynamoDBGetItemStep",
    "DynamoDBPutItemStep",
    "DynamoDBUpdateItemStep",
    "EksCallStep",
    "EksCreateClusterStep",
    "EksCreateFargateProfileStep",
    "EksCreateNodeGroupStep",
    "EksCreateNodegroupStep",
    "EksDeleteClusterStep",
    "EksDeleteFargateProfileStep",
    "EksDeleteNodegroupStep",
    "EksRunJobStep",
    "EmrAddStepStep",
    "EmrCancelStepStep",
    "EmrContainersCreateVirtualClusterStep",
    "EmrContainersDeleteVirtualClusterStep",
    "EmrContainersStartJobRunStep",
    "EmrCreateClusterStep",
    "EmrModifyInstanceFleetByNameStep",
    "EmrModifyInstanceGroupByNameStep",
    "EmrServerlessCancelJobRunStep",
    "EmrServerlessCreateApplicationStep",
    "EmrServerlessDeleteApplicationStep",
    "EmrServerlessStartApplicationStep",
    "EmrServerlessStartJobRunStep",
    "EmrServerlessStopApplicationStep",
    "EmrSetClusterTerminationProtectionStep",
    "EmrTerminateClusterStep",
    "EventBridgePutEventsStep",
    "GlueDataBrewStartJobRunStep",
    "HttpInvokeStep",
    "MediaConvertCreateJobStep",
    "ServiceStep",
    "SnsPublishStep",
    "SqsSendMessageStep",
    "StepFunctionsStartExecutionStep",
]


class DynamoDBGetItemStep(ServiceStep, service="dynamodb", action="getItem"):
    """Reads an item from DynamoDB: `TableName`, `Key`."""


class DynamoDBPutItemStep(ServiceStep, service="dynamodb", action="putItem"):
    """Writes an item to DynamoDB: `TableName`, `Item`."""


class DynamoDBUpdateItemStep(ServiceStep, service="dynamodb", action="updateItem"):
    """Changes an item in DynamoDB: `TableName`, `Key`, `UpdateExpression`."""


class DynamoDBDeleteItemStep(ServiceStep, service="dynamodb", action="deleteItem"):
    """Deletes an item from DynamoDB: `TableName`, `Key`."""


class SnsPublishStep(ServiceStep, service="sns", action="publish"):
    """Publishes a message: `TopicArn`, `Message` (text or JSON)."""


class SqsSendMessageStep(ServiceStep, service="sqs", action="sendMessage"):
    """Sends a message to a queue: `QueueUrl`, `MessageBody` (text or JSON)."""


class EventBridgePutEventsStep(ServiceStep, service="events", action="putEvents"):
    """Sends events to EventBridge: `Entries`."""


class StepFunctionsStartExecutionStep(ServiceStep, service="states", action="startExecution"):
    """Starts another state machine: `StateMachineArn`, `Input`. Its output comes as JSON, not as text."""


class AthenaStartQueryExecutionStep(ServiceStep, service="athena", action="startQueryExecution"):
    """Runs a query of Athena: `QueryString`, `WorkGroup`."""


class AthenaStopQueryExecutionStep(ServiceStep, service="athena", action="stopQueryExecution"):
    """Stops a query of Athena: `QueryExecutionId`."""


class AthenaGetQueryExecutionStep(ServiceStep, service="athena", action="getQueryExecution"):
    """Tells how a query of Athena is: `QueryExecutionId`."""


class AthenaGetQueryResultsStep(ServiceStep, service="athena", action="getQueryResults"):
    """Gets the rows that a query of Athena found: `QueryExecutionId`."""


class GlueDataBrewStartJobRunStep(ServiceStep, service="databrew", action="startJobRun"):
    """Runs a job of Glue DataBrew: `Name`."""


class ApiGatewayInvokeStep(ServiceStep, service="apigateway", action="invoke"):
    """Calls an API of API Gateway: `ApiEndpoint`, `Method`, `Path`, `RequestBody`."""


class HttpInvokeStep(ServiceStep, service="http", action="invoke"):
    """Calls any HTTPS API: `ApiEndpoint`, `Method`, `Authentication` (an EventBridge connection)."""


class BedrockInvokeModelStep(ServiceStep, service="bedrock", action="invokeModel"):
    """Asks a model of Bedrock: `ModelId`, `Body`."""


class MediaConvertCreateJobStep(ServiceStep, service="mediaconvert", action="createJob"):
    """Runs a job of MediaConvert: `Role`, `Settings`."""
