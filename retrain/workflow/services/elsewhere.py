"""The optimised integrations that AWS carries out and the engine here does not.

The engine has their names (`retrain.states.tasks.optimised.KNOWN_ELSEWHERE`); here are their actions. From
the pages 'Integrating optimized services' of AWS's documentation. Requests are those of an operation in
botocore's models, save for a few that Step Functions made itself: these are given here in botocore's form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.model import ShapeResolver, StructureShape

_PLAIN: Final = frozenset({""})
_JOB: Final = frozenset({"", "sync"})
_CALLBACK: Final = frozenset({"", "waitForTaskToken"})


@dataclass(frozen=True, slots=True)
class Action:
    """One action.

    Attributes
    ----------
    patterns
        Ways of waiting; the empty one is request-response.
    operation
        The operation whose request it takes; None if it is the action's name.
    request
        The name of a request that is no operation's, in `REQUESTS`.
    without
        Members of the operation's request that cannot be given.
    """

    patterns: frozenset[str] = _PLAIN
    operation: str | None = None
    request: str | None = None
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Integration:
    """A service: boto3's name of it (None if it is no AWS service), and its actions."""

    service: str | None
    actions: Mapping[str, Action]


ELSEWHERE: Final[Mapping[str, Integration]] = {
    "apigateway": Integration("apigateway", {"invoke": Action(_CALLBACK, request="ApiGatewayInvoke")}),
    "databrew": Integration("databrew", {"startJobRun": Action(_JOB)}),
    "eks": Integration(
        "eks",
        {
            **dict.fromkeys(
                (
                    *("createCluster", "deleteCluster", "createFargateProfile", "deleteFargateProfile"),
                    *("createNodegroup", "deleteNodegroup"),
                ),
                Action(_JOB),
            ),
            "call": Action(request="EksCall"),
            "runJob": Action(_JOB, request="EksRunJob"),
        },
    ),
    "elasticmapreduce": Integration(
        "emr",
        {
            "createCluster": Action(_JOB, operation="RunJobFlow", without=frozenset({"Steps"})),
            "terminateCluster": Action(_JOB, request="EmrTerminateCluster"),
            "addStep": Action(_JOB, request="EmrAddStep"),
            "cancelStep": Action(request="EmrCancelStep"),
            "setClusterTerminationProtection": Action(request="EmrProtection"),
            "modifyInstanceFleetByName": Action(request="EmrModifyFleet"),
            "modifyInstanceGroupByName": Action(request="EmrModifyGroup"),
        },
    ),
    "emr-containers": Integration(
        "emr-containers",
        {
            "createVirtualCluster": Action(),
            "deleteVirtualCluster": Action(_JOB),
            "startJobRun": Action(_JOB),
        },
    ),
    "emr-serverless": Integration(
        "emr-serverless",
        dict.fromkeys(
            (
                *("createApplication", "startApplication", "stopApplication", "deleteApplication"),
                *("startJobRun", "cancelJobRun"),
            ),
            Action(_JOB),
        ),
    ),
    "http": Integration(None, {"invoke": Action(request="HttpInvoke")}),
    "mediaconvert": Integration("mediaconvert", {"createJob": Action(_JOB)}),
}


def _structure(required: str, optional: str = "", **types: str) -> dict[str, Any]:
    """Return a structure in botocore's form; its members are strings unless `types` says otherwise."""
    names = [*required.split(), *optional.split()]
    return {
        "type": "structure",
        "required": required.split(),
        "members": {name: {"shape": types.get(name, "String")} for name in names},
    }


_SHAPES: Final[dict[str, Any]] = {
    "String": {"type": "string"},
    "Boolean": {"type": "boolean"},
    "Integer": {"type": "integer"},
    "Any": {"type": "structure", "members": {}, "document": True},
    "ApiGatewayInvoke": _structure(
        "ApiEndpoint Method",
        "Headers Stage Path QueryParameters RequestBody AllowNullValues AuthType",
        **dict.fromkeys(("Headers", "QueryParameters", "RequestBody"), "Any"),
        AllowNullValues="Boolean",
    ),
    "HttpInvoke": _structure(
        "ApiEndpoint Method",
        "Authentication InvocationConfig Headers QueryParameters RequestBody Transform",
        Authentication="Connection",
        InvocationConfig="Connection",
        **dict.fromkeys(("Headers", "QueryParameters", "RequestBody", "Transform"), "Any"),
    ),
    "Connection": _structure("ConnectionArn"),
    "EksCall": _structure(
        "ClusterName CertificateAuthority Endpoint Method Path",
        "QueryParameters RequestBody",
        QueryParameters="Any",
        RequestBody="Any",
    ),
    "EksRunJob": _structure(
        "ClusterName CertificateAuthority Endpoint Job",
        "Namespace LogOptions",
        Job="Any",
        LogOptions="LogOptions",
    ),
    "LogOptions": _structure(
        "",
        "RetrieveLogs RawLogs LogParameters",
        RetrieveLogs="Boolean",
        RawLogs="Boolean",
        LogParameters="Any",
    ),
    "EmrTerminateCluster": _structure("ClusterId"),
    "EmrAddStep": _structure("ClusterId Step", "ExecutionRoleArn", Step="Any"),
    "EmrCancelStep": _structure("ClusterId StepId"),
    "EmrProtection": _structure("ClusterId TerminationProtected", TerminationProtected="Boolean"),
    "EmrModifyFleet": _structure("ClusterId InstanceFleetName InstanceFleet", InstanceFleet="Fleet"),
    "Fleet": _structure(
        "",
        "TargetOnDemandCapacity TargetSpotCapacity ResizeSpecifications",
        TargetOnDemandCapacity="Integer",
        TargetSpotCapacity="Integer",
        ResizeSpecifications="Any",
    ),
    "EmrModifyGroup": _structure("ClusterId InstanceGroupName InstanceGroup", InstanceGroup="Any"),
}


def request_shape(name: str) -> StructureShape:
    """Return the shape of a request that Step Functions made itself."""
    shape = ShapeResolver(_SHAPES).get_shape_by_name(name)
    assert isinstance(shape, StructureShape)  # noqa: S101
    return shape
