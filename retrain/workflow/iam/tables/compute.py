"""Lambda, Batch, ECS, EKS, CodeBuild."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from retrain.workflow.iam.tables.rights import Rights, right

_PROJECT: Final = "codebuild:{region}:{account}:project/{ProjectName}"
_CLUSTER: Final = "eks:{region}:{account}:cluster/{Name}"
_NODEGROUPS: Final = "eks:{region}:{account}:nodegroup/*"
_PROFILES: Final = "eks:{region}:{account}:fargateprofile/*"
_EKS_JOB: Final = Rights(
    (right("eks:DescribeCluster", "eks:{region}:{account}:cluster/{ClusterName}"),),
    note="Inside of the cluster, the role's rights are Kubernetes's: map it to a user or a group there.",
)

RIGHTS: Final[Mapping[tuple[str, str], Rights]] = {
    ("lambda", "invoke"): Rights(
        (right("lambda:InvokeFunction", "lambda:{region}:{account}:function:{FunctionName}"),)
    ),
    ("batch", "submitJob"): Rights(
        (
            right(
                "batch:SubmitJob",
                "batch:{region}:{account}:job-definition/{JobDefinition}",
                "batch:{region}:{account}:job-queue/{JobQueue}",
            ),
            right("batch:TagResource", "batch:{region}:{account}:job/*", when="Tags"),
        ),
        # IAM knows no resource for looking at jobs, and a job's name is not known before it is there.
        (right("batch:DescribeJobs TerminateJob"),),
        "StepFunctionsGetEventsForBatchJobsRule",
    ),
    ("ecs", "runTask"): Rights(
        (
            right("ecs:RunTask", "ecs:{region}:{account}:task-definition/{TaskDefinition}"),
            right("ecs:TagResource", "ecs:{region}:{account}:task/*", when="Tags"),
        ),
        (right("ecs:StopTask DescribeTasks"),),
        "StepFunctionsGetEventsForECSTaskRule",
        {"TaskRoleArn": "ecs-tasks.amazonaws.com", "ExecutionRoleArn": "ecs-tasks.amazonaws.com"},
        "The roles in the task definition are not told here: add iam:PassRole for them, "
        "with iam:PassedToService ecs-tasks.amazonaws.com.",
    ),
    ("eks", "createCluster"): Rights(
        (right("eks:CreateCluster"), right("eks:TagResource", _CLUSTER, when="Tags")),
        (right("eks:DescribeCluster DeleteCluster", _CLUSTER),),
        passes={"RoleArn": "eks.amazonaws.com"},
    ),
    ("eks", "deleteCluster"): Rights(
        (right("eks:DeleteCluster", _CLUSTER),), (right("eks:DescribeCluster", _CLUSTER),)
    ),
    ("eks", "createNodegroup"): Rights(
        (
            right("ec2:DescribeSubnets eks:CreateNodegroup"),
            right("iam:GetRole ListAttachedRolePolicies", "iam::{account}:role/*"),
            right("eks:TagResource", _NODEGROUPS, when="Tags"),
        ),
        (right("eks:DescribeNodegroup DeleteNodegroup", _NODEGROUPS),),
        passes={"NodeRole": "eks.amazonaws.com"},
    ),
    ("eks", "deleteNodegroup"): Rights(
        (right("eks:DeleteNodegroup", _NODEGROUPS),), (right("eks:DescribeNodegroup", _NODEGROUPS),)
    ),
    ("eks", "createFargateProfile"): Rights(
        (
            right("eks:CreateFargateProfile", "eks:{region}:{account}:cluster/{ClusterName}"),
            right("eks:TagResource", _PROFILES, when="Tags"),
        ),
        (right("eks:DescribeFargateProfile DeleteFargateProfile", _PROFILES),),
        passes={"PodExecutionRoleArn": "eks-fargate-pods.amazonaws.com"},
    ),
    ("eks", "deleteFargateProfile"): Rights(
        (right("eks:DeleteFargateProfile", _PROFILES),), (right("eks:DescribeFargateProfile", _PROFILES),)
    ),
    ("eks", "call"): _EKS_JOB,
    ("eks", "runJob"): _EKS_JOB,
    ("codebuild", "startBuild"): Rights(
        (right("codebuild:StartBuild", _PROJECT),),
        (right("codebuild:StopBuild BatchGetBuilds", _PROJECT),),
        "StepFunctionsGetEventForCodeBuildStartBuildRule",
    ),
    ("codebuild", "startBuildBatch"): Rights(
        (right("codebuild:StartBuildBatch", _PROJECT),),
        (right("codebuild:StopBuildBatch BatchGetBuildBatches", _PROJECT),),
        "StepFunctionsGetEventForCodeBuildStartBuildBatchRule",
    ),
    ("codebuild", "retryBuildBatch"): Rights(
        (right("codebuild:RetryBuildBatch", "codebuild:{region}:{account}:project/*"),),
        (right("codebuild:StopBuildBatch BatchGetBuildBatches", "codebuild:{region}:{account}:project/*"),),
        "StepFunctionsGetEventForCodeBuildStartBuildBatchRule",
    ),
    **{
        ("codebuild", name): Rights(
            (right(f"codebuild:{name[:1].upper()}{name[1:]}", "codebuild:{region}:{account}:project/*"),)
        )
        for name in ("stopBuild", "stopBuildBatch", "batchDeleteBuilds", "deleteBuildBatch")
    },
    ("codebuild", "batchGetReports"): Rights(
        (right("codebuild:BatchGetReports", "codebuild:{region}:{account}:report-group/*"),)
    ),
}
