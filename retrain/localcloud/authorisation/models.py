"""Which rights calls of SageMaker need: what they name, tag, hand on, and have done in the caller's name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from retrain.localcloud.authorisation.decisions import Check
from retrain.localcloud.authorisation.requests import Call
from retrain.localcloud.authorisation.scene import Scene
from retrain.workflow.iam.requests import members as deep
from retrain.workflow.iam.requests import s3_object
from retrain.workflow.iam.roles import passed

_KINDS = {
    "TrainingJob": "training-job",
    "Model": "model",
    "EndpointConfig": "endpoint-config",
    "Endpoint": "endpoint",
    "ModelPackageGroup": "model-package-group",
}
_VERBS = ("Create", "Describe", "Update", "Delete", "Stop")
_LISTS = ("ListEndpoints", "ListEndpointConfigs", "ListModels", "ListTrainingJobs", "ListModelPackages")
_TAGGING = ("AddTags", "ListTags", "DeleteTags")
_IMAGE = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[^/]+/(?P<name>[^:@]+)(?:[:@].*)?"
)

OPERATIONS = frozenset(
    {
        *(f"{verb}{kind}" for verb in _VERBS for kind in (*_KINDS, "ModelPackage")),
        *_LISTS,
        *_TAGGING,
    }
)


def checks(call: Call, scene: Scene) -> Iterator[Check]:
    """Yield what has to be allowed for a call."""
    given = call.members
    named = list(_named(call, scene))
    for resource in named:
        yield Check(f"sagemaker:{call.operation}", resource, _tags(resource, given, scene))
    if call.operation.startswith("Create") and given.get("Tags"):
        yield Check("sagemaker:AddTags", named[0], _tags(named[0], given, scene))
    for role, service in passed("sagemaker", call.operation, given):
        if role is not None:
            yield Check("iam:PassRole", role, {"iam:passedtoservice": service})
    if call.operation == "CreateModelPackage":
        yield from _shown(given)
    for alarm in _alarms(given):
        yield Check("cloudwatch:DescribeAlarms", scene.arn("cloudwatch", f"alarm:{alarm}"))


def _named(call: Call, scene: Scene) -> Iterator[str]:
    """Yield the resources that a call names; the one that it is about comes first."""
    given, operation = call.members, call.operation
    if operation in _LISTS:
        yield "*"
    elif operation in _TAGGING:
        yield str(given["ResourceArn"])
    elif operation.endswith("ModelPackage"):
        yield from _package(given, scene)
    else:
        kind = next(kind for verb in _VERBS if (kind := operation.removeprefix(verb)) in _KINDS)
        yield scene.arn("sagemaker", f"{_KINDS[kind]}/{_last(given.get(f'{kind}Name'))}")
        if operation in ("CreateEndpoint", "UpdateEndpoint"):
            yield scene.arn("sagemaker", f"endpoint-config/{_last(given.get('EndpointConfigName'))}")


def _package(given: Any, scene: Scene) -> Iterator[str]:
    group = given.get("ModelPackageGroupName")
    if group:
        yield scene.arn("sagemaker", f"model-package-group/{_last(group)}")
        yield scene.arn("sagemaker", f"model-package/{_last(group)}/*")
        return
    name = str(given.get("ModelPackageArn") or given.get("ModelPackageName"))
    yield name if name.startswith("arn:") else scene.arn("sagemaker", f"model-package/{name}")


def _last(name: Any) -> str:
    return str(name).rpartition("/")[2]


def _tags(resource: str, given: Any, scene: Scene) -> dict[str, str | list[str]]:
    context: dict[str, str | list[str]] = {
        f"aws:resourcetag/{key}".lower(): value for key, value in scene.facts.tags_of(resource).items()
    }
    tags = [tag for tag in given.get("Tags") or [] if isinstance(tag, dict)]
    context |= {f"aws:requesttag/{tag['Key']}".lower(): str(tag["Value"]) for tag in tags}
    if tags:
        context["aws:tagkeys"] = [str(tag["Key"]) for tag in tags]
    return context


def _shown(given: Any) -> Iterator[Check]:
    """Yield what SageMaker looks at as whoever registers a model: no role is handed on for it."""
    for url in deep(given, "ModelDataUrl"):
        place = s3_object(url) if url else None
        if place is not None:
            bucket, key = place
            yield Check("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
            yield Check("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": key})
    for image in deep(given, "Image"):
        found = _IMAGE.fullmatch(image or "")
        if found is not None:
            repository = f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['name']}"
            yield Check("ecr:BatchGetImage", repository)
            yield Check("ecr:DescribeImages", repository)


def _alarms(given: Any) -> Iterator[str]:
    """Yield the alarms that a deployment rolls back at: SageMaker looks at them as the caller."""
    rollback = (given.get("DeploymentConfig") or {}).get("AutoRollbackConfiguration") or {}
    for alarm in rollback.get("Alarms") or []:
        yield str(alarm["AlarmName"])
