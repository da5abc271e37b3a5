"""A pipeline for the local cloud, as the one in cicd/ is for AWS: what was built goes to Retrain.

Nothing is built here: an archive is made as the build of cicd/ leaves it, and a source action takes it from
there.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from retrain.aws import Stack
from retrain.errors import AwsCallError, WaitTimeoutError
from retrain.localcloud.environment import ACCOUNT, REGION

NATIVE, LAMBDA = "native", "lambda"
WAYS = (NATIVE, LAMBDA)
DETAIL, DEFINITIONS = "imageDetail.json", "imagedefinitions.json"
IMAGE_FILES = (DETAIL, DEFINITIONS)

REQUEST_FILE = "retrain.json"
"""The native action's input, as the build of cicd/ writes it."""

NAMESPACE = "Retrain"
_SOURCE_KEY = "build.zip"
_LOOK_SECONDS = 0.25

Document = dict[str, Any]


@dataclass(frozen=True)
class Build:
    """What a build hands to Retrain.

    Attributes
    ----------
    image
        Reference of the image.
    request
        The retrain request, without image and trigger.
    image_file
        One of `IMAGE_FILES`.
    """

    image: str
    request: Document
    image_file: str = DETAIL

    def archive(self) -> bytes:
        """Return the artifact."""
        repository, separator, tag = self.image.rpartition(":")
        tagged = bool(separator) and "/" not in tag and "@" not in self.image
        training = {"image_uri": repository, "image_tag": tag} if tagged else {"image_uri": self.image}
        request = {
            **self.request,
            "trigger": {"kind": "codepipeline", "id": f"build of {self.image}"[:256]},
            "training": {**self.request.get("training", {}), **training},
        }
        named: Document | list[Document] = {"ImageURI": self.image}
        if self.image_file == DEFINITIONS:
            named = [{"name": "training", "imageUri": self.image}]
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(self.image_file, json.dumps(named))
            archive.writestr(REQUEST_FILE, json.dumps(request))
        return content.getvalue()


def in_registry(image: str) -> str:
    """Return the reference of an image in the local cloud's registry, unless it names a registry itself."""
    if "/" in image and ("." in image.split("/", 1)[0] or ":" in image.split("/", 1)[0]):
        return image
    return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{image}"


def release(stack: Stack, build: Build, way: str, *, on_rejected: str | None = None) -> tuple[str, str]:
    """Send a build through the stack's pipeline; makes the pipeline first, if there is none yet.

    Parameters
    ----------
    stack : Stack
        In a local cloud.
    build : Build
        What to hand over.
    way : str
        `NATIVE`, the action of Step Functions, or `LAMBDA`, that of the function codepipeline_job.
    on_rejected : str, optional
        ``fail`` or ``succeed``, instead of the stack's policy; only the function knows it.

    Returns
    -------
    (str, str)
        Names of pipeline and execution.
    """
    name = f"{stack.name}-{way}"
    sources, artifacts = (
        f"{stack.name}-pipeline-source-{ACCOUNT}",
        f"{stack.name}-pipeline-artifacts-{ACCOUNT}",
    )
    with stack.explained_errors("preparing the pipeline's buckets"):
        s3 = stack.client("s3")
        for bucket in (sources, artifacts):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=sources, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=sources, Key=_SOURCE_KEY, Body=build.archive())
    if way == NATIVE:
        action = _native(stack)
    else:
        policy = {"on_rejected": on_rejected} if on_rejected else {}
        action = _lambda(stack, {**build.request, **policy})
    declaration = _declaration(name, _role(stack, artifacts), artifacts, sources, action)
    pipeline = stack.client("codepipeline")
    with stack.explained_errors(f"preparing the pipeline {name}"):
        known = {found["name"] for found in pipeline.list_pipelines()["pipelines"]}
        (pipeline.update_pipeline if name in known else pipeline.create_pipeline)(pipeline=declaration)
    with stack.explained_errors(f"starting the pipeline {name}"):
        return name, str(pipeline.start_pipeline_execution(name=name)["pipelineExecutionId"])


def follow(stack: Stack, name: str, execution_id: str, *, timeout: float | None = None) -> Iterator[Document]:
    """Yield an execution's actions, as ListActionExecutions gives them, whenever one has changed; to its end.

    Raises
    ------
    WaitTimeoutError
        It did not end in time.
    """
    pipeline = stack.client("codepipeline")
    deadline = None if timeout is None else time.monotonic() + timeout
    told: dict[str, tuple[Any, ...]] = {}
    while True:
        ended = (
            status(stack, name, execution_id) != "InProgress"
        )  # before the actions, so that none is missed
        with stack.explained_errors(f"asking how the pipeline {name} fares"):
            details = pipeline.list_action_executions(
                pipelineName=name, filter={"pipelineExecutionId": execution_id}
            )["actionExecutionDetails"]
        for detail in reversed(details):
            result = detail["output"].get("executionResult", {})
            seen = detail["status"], result.get("externalExecutionSummary"), result.get("externalExecutionId")
            if told.get(detail["actionExecutionId"]) != seen:
                told[detail["actionExecutionId"]] = seen
                yield detail
        if ended:
            return
        if deadline is not None and time.monotonic() > deadline:
            raise WaitTimeoutError(f"The pipeline {name} has not ended within {timeout:g} s; it goes on.")
        time.sleep(_LOOK_SECONDS)


def status(stack: Stack, name: str, execution_id: str) -> str:
    """Return an execution's status: InProgress, Succeeded, Failed, Superseded."""
    with stack.explained_errors(f"asking how the pipeline {name} fares"):
        found = stack.client("codepipeline").get_pipeline_execution(
            pipelineName=name, pipelineExecutionId=execution_id
        )
    return str(found["pipelineExecution"]["status"])


def _native(stack: Stack) -> Document:
    return {
        "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "StepFunctions", "version": "1"},
        "configuration": {
            "StateMachineArn": stack.output("StateMachineArn"),
            "ExecutionNamePrefix": "pipeline",
            "InputType": "FilePath",
            "Input": REQUEST_FILE,
        },
    }


def _lambda(stack: Stack, parameters: Document) -> Document:
    return {
        "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"},
        "configuration": {
            "FunctionName": stack.output("CodePipelineJobFunctionName"),
            "UserParameters": json.dumps(parameters),
        },
    }


def _declaration(name: str, role: str, artifacts: str, sources: str, action: Document) -> Document:
    source = {
        "name": "Build",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": {"S3Bucket": sources, "S3ObjectKey": _SOURCE_KEY, "PollForSourceChanges": "false"},
        "outputArtifacts": [{"name": "Build"}],
    }
    retrain = {"name": "Retrain", "namespace": NAMESPACE, "inputArtifacts": [{"name": "Build"}], **action}
    return {
        "name": name,
        "roleArn": role,
        "artifactStore": {"type": "S3", "location": artifacts},
        "executionMode": "QUEUED",
        "pipelineType": "V2",
        "stages": [
            {"name": "Build", "actions": [source]},
            {"name": "Retrain", "actions": [retrain]},
        ],
    }


def _role(stack: Stack, artifacts: str) -> str:
    """Return the role that the pipeline's jobs get their credentials of: it may read and write artifacts."""
    name = f"{stack.name}-pipeline"
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "codepipeline.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    allowed = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ReadAndWriteArtifacts",
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
                "Resource": f"arn:aws:s3:::{artifacts}/*",
            }
        ],
    }
    iam = stack.client("iam")
    try:
        with stack.explained_errors("preparing the pipeline's role"):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    except AwsCallError as error:
        if error.code != "EntityAlreadyExists":
            raise
    with stack.explained_errors("preparing the pipeline's role"):
        iam.put_role_policy(RoleName=name, PolicyName="Artifacts", PolicyDocument=json.dumps(allowed))
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"
