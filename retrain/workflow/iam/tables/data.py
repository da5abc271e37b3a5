"""DynamoDB, Athena, Glue, DataBrew, EMR in its three forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from retrain.workflow.iam.tables.rights import Rights, right

_TABLE: Final = "dynamodb:{region}:{account}:table/{TableName}"
_WORKGROUP: Final = (
    "athena:{region}:{account}:workgroup/{WorkGroup}",
    "athena:{region}:{account}:datacatalog/*",
)
_ANY_WORKGROUP: Final = "athena:{region}:{account}:workgroup/*"
# A query reads and writes as whoever starts it; its text and the workgroup alone tell which tables.
_QUERY: Final = (
    right("athena:StartQueryExecution GetDataCatalog", *_WORKGROUP),
    right(
        "s3:GetBucketLocation GetObject ListBucket ListBucketMultipartUploads ListMultipartUploadParts "
        "AbortMultipartUpload CreateBucket PutObject",
        "s3:::*",
    ),
    right(
        "glue:CreateDatabase GetDatabase GetDatabases UpdateDatabase DeleteDatabase CreateTable UpdateTable "
        "GetTable GetTables DeleteTable BatchDeleteTable BatchCreatePartition CreatePartition "
        "UpdatePartition GetPartition GetPartitions BatchGetPartition DeletePartition BatchDeletePartition",
        "glue:{region}:{account}:catalog",
        "glue:{region}:{account}:database/*",
        "glue:{region}:{account}:table/*",
        "glue:{region}:{account}:userDefinedFunction/*",
    ),
    right("lakeformation:GetDataAccess"),
)
_CLUSTERS: Final = "elasticmapreduce:{region}:{account}:cluster/{ClusterId}"
_VIRTUAL: Final = "emr-containers:{region}:{account}:/virtualclusters/{VirtualClusterId}"
_APPLICATION: Final = "emr-serverless:{region}:{account}:/applications/{ApplicationId}"
_APPLICATIONS: Final = "emr-serverless:{region}:{account}:/applications/*"
_APPLICATION_RULE: Final = "StepFunctionsGetEventsForEMRServerlessApplicationRule"
_JOB_RULE: Final = "StepFunctionsGetEventsForEMRServerlessJobRule"


_CONTAINERS_ROLE: Final = right(
    "iam:CreateServiceLinkedRole",
    "iam::{account}:role/aws-service-role/emr-containers.amazonaws.com/AWSServiceRoleForAmazonEMRContainers",
    condition={"StringLike": {"iam:AWSServiceName": "emr-containers.amazonaws.com"}},
)
_SERVERLESS_ROLE: Final = right(
    "iam:CreateServiceLinkedRole",
    "iam::{account}:role/aws-service-role/ops.emr-serverless.amazonaws.com/AWSServiceRoleForAmazonEMRServerless*",
    condition={"StringLike": {"iam:AWSServiceName": "ops.emr-serverless.amazonaws.com"}},
)


RIGHTS: Final[Mapping[tuple[str, str], Rights]] = {
    **{
        ("dynamodb", name): Rights((right(f"dynamodb:{name[:1].upper()}{name[1:]}", _TABLE),))
        for name in ("getItem", "putItem", "updateItem", "deleteItem")
    },
    ("athena", "startQueryExecution"): Rights(
        _QUERY, (right("athena:StopQueryExecution GetQueryExecution", *_WORKGROUP),)
    ),
    ("athena", "stopQueryExecution"): Rights((right("athena:StopQueryExecution", _ANY_WORKGROUP),)),
    ("athena", "getQueryExecution"): Rights((right("athena:GetQueryExecution", _ANY_WORKGROUP),)),
    ("athena", "getQueryResults"): Rights(
        (right("athena:GetQueryResults", _ANY_WORKGROUP), right("s3:GetObject", "s3:::*"))
    ),
    ("glue", "startJobRun"): Rights(
        (right("glue:StartJobRun", "glue:{region}:{account}:job/{JobName}"),),
        (right("glue:GetJobRun GetJobRuns BatchStopJobRun", "glue:{region}:{account}:job/{JobName}"),),
    ),
    ("databrew", "startJobRun"): Rights(
        (right("databrew:StartJobRun", "databrew:{region}:{account}:job/{Name}"),),
        (right("databrew:ListJobRuns StopJobRun", "databrew:{region}:{account}:job/{Name}"),),
    ),
    ("elasticmapreduce", "createCluster"): Rights(
        (right("elasticmapreduce:RunJobFlow"), right("elasticmapreduce:AddTags", _CLUSTERS, when="Tags")),
        (right("elasticmapreduce:DescribeCluster TerminateJobFlows", _CLUSTERS),),
        "StepFunctionsGetEventForEMRRunJobFlowRule",
        {
            "ServiceRole": "elasticmapreduce.amazonaws.com",
            "JobFlowRole": "ec2.amazonaws.com",
            "AutoScalingRole": "elasticmapreduce.amazonaws.com",
        },
    ),
    ("elasticmapreduce", "terminateCluster"): Rights(
        (right("elasticmapreduce:TerminateJobFlows", _CLUSTERS),),
        (right("elasticmapreduce:DescribeCluster", _CLUSTERS),),
        "StepFunctionsGetEventForEMRTerminateJobFlowsRule",
    ),
    ("elasticmapreduce", "addStep"): Rights(
        (right("elasticmapreduce:AddJobFlowSteps", _CLUSTERS),),
        (right("elasticmapreduce:DescribeStep CancelSteps", _CLUSTERS),),
        "StepFunctionsGetEventForEMRAddJobFlowStepsRule",
        {"ExecutionRoleArn": "elasticmapreduce.amazonaws.com"},
    ),
    ("elasticmapreduce", "cancelStep"): Rights((right("elasticmapreduce:CancelSteps", _CLUSTERS),)),
    ("elasticmapreduce", "setClusterTerminationProtection"): Rights(
        (right("elasticmapreduce:SetTerminationProtection", _CLUSTERS),)
    ),
    ("elasticmapreduce", "modifyInstanceFleetByName"): Rights(
        (right("elasticmapreduce:ModifyInstanceFleet ListInstanceFleets", _CLUSTERS),)
    ),
    ("elasticmapreduce", "modifyInstanceGroupByName"): Rights(
        (right("elasticmapreduce:ModifyInstanceGroups ListInstanceGroups", _CLUSTERS),)
    ),
    ("emr-containers", "createVirtualCluster"): Rights(
        (
            right("emr-containers:CreateVirtualCluster"),
            _CONTAINERS_ROLE,
            right("emr-containers:TagResource", _VIRTUAL, when="Tags"),
        )
    ),
    ("emr-containers", "deleteVirtualCluster"): Rights(
        (
            right(
                "emr-containers:DeleteVirtualCluster",
                "emr-containers:{region}:{account}:/virtualclusters/{Id}",
            ),
        ),
        (
            right(
                "emr-containers:DescribeVirtualCluster",
                "emr-containers:{region}:{account}:/virtualclusters/{Id}",
            ),
        ),
    ),
    ("emr-containers", "startJobRun"): Rights(
        (
            right(
                "emr-containers:StartJobRun",
                _VIRTUAL,
                condition={"StringEquals": {"emr-containers:ExecutionRoleArn": "{ExecutionRoleArn}"}},
            ),
            right("emr-containers:TagResource", _VIRTUAL + "/jobruns/*", when="Tags"),
        ),
        (right("emr-containers:DescribeJobRun CancelJobRun", _VIRTUAL + "/jobruns/*"),),
    ),
    ("emr-serverless", "createApplication"): Rights(
        (
            right("emr-serverless:CreateApplication", "emr-serverless:{region}:{account}:/*"),
            _SERVERLESS_ROLE,
            right("emr-serverless:TagResource", _APPLICATIONS, when="Tags"),
        ),
        (right("emr-serverless:GetApplication DeleteApplication", _APPLICATIONS),),
        _APPLICATION_RULE,
    ),
    ("emr-serverless", "startApplication"): Rights(
        (right("emr-serverless:StartApplication", _APPLICATION),),
        (right("emr-serverless:GetApplication StopApplication", _APPLICATION),),
        _APPLICATION_RULE,
    ),
    ("emr-serverless", "stopApplication"): Rights(
        (right("emr-serverless:StopApplication", _APPLICATION),),
        (right("emr-serverless:GetApplication", _APPLICATION),),
        _APPLICATION_RULE,
    ),
    ("emr-serverless", "deleteApplication"): Rights(
        (right("emr-serverless:DeleteApplication", _APPLICATION),),
        (right("emr-serverless:GetApplication", _APPLICATION),),
        _APPLICATION_RULE,
    ),
    ("emr-serverless", "startJobRun"): Rights(
        (
            right("emr-serverless:StartJobRun", _APPLICATION),
            right("emr-serverless:TagResource", _APPLICATION + "/jobruns/*", when="Tags"),
        ),
        (right("emr-serverless:GetJobRun CancelJobRun", _APPLICATION + "/jobruns/*"),),
        _JOB_RULE,
        {"ExecutionRoleArn": "emr-serverless.amazonaws.com"},
    ),
    ("emr-serverless", "cancelJobRun"): Rights(
        (right("emr-serverless:CancelJobRun", _APPLICATION + "/jobruns/{JobRunId}"),),
        (right("emr-serverless:GetJobRun", _APPLICATION + "/jobruns/{JobRunId}"),),
        _JOB_RULE,
    ),
}
