"""Pipelines: made, changed, shown, deleted, started."""

from __future__ import annotations

import base64
import binascii
import copy
from typing import Any

from retrain.localcloud.codepipeline import definitions
from retrain.localcloud.codepipeline.errors import (
    ExecutionNotFoundError,
    PipelineNameInUseError,
    PipelineNotFoundError,
)
from retrain.localcloud.codepipeline.executions import IN_PROGRESS, SUCCEEDED, Executions
from retrain.localcloud.codepipeline.platform import Platform
from retrain.localcloud.sagemaker.errors import InvalidRequestError, UnsupportedError
from retrain.localcloud.sagemaker.platform import now
from retrain.localcloud.sagemaker.store import Collection, Record

Request = dict[str, Any]

_PAGE = 100
_EXECUTION_SUMMARY = (
    *("pipelineExecutionId", "status", "statusSummary", "startTime", "lastUpdateTime", "executionMode"),
)
_EXECUTION = (
    *("pipelineName", "pipelineVersion", "pipelineExecutionId", "status", "statusSummary", "variables"),
    "executionMode",
)


class Pipelines:
    """The API's operations on pipelines and their executions.

    Parameters
    ----------
    platform
        The surroundings.
    records
        The pipelines, each as GetPipeline answers it.
    executions
        What they have been doing.
    """

    def __init__(self, platform: Platform, records: Collection, executions: Executions) -> None:
        self._platform = platform
        self._records = records
        self._executions = executions

    def create(self, request: Request) -> Request:
        """CreatePipeline."""
        if request.get("tags"):
            raise UnsupportedError("Tags of a pipeline")
        declaration = copy.deepcopy(request["pipeline"])
        name = declaration["name"]
        if name in self._records:
            raise PipelineNameInUseError(f"A pipeline with the name '{name}' already exists in account.")
        definitions.check(declaration)
        declaration["version"] = 1
        moment = now()
        metadata = {"pipelineArn": self._platform.arn(name), "created": moment, "updated": moment}
        self._records.put(name, {"pipeline": declaration, "metadata": metadata})
        return {"pipeline": declaration}

    def update(self, request: Request) -> Request:
        """UpdatePipeline."""
        declaration = copy.deepcopy(request["pipeline"])
        known = self._get(declaration["name"])
        definitions.check(declaration)
        declaration["version"] = known["pipeline"]["version"] + 1
        metadata = {**known["metadata"], "updated": now()}
        self._records.put(declaration["name"], {"pipeline": declaration, "metadata": metadata})
        return {"pipeline": declaration}

    def get(self, request: Request) -> Request:
        """GetPipeline."""
        found = self._get(request["name"])
        version = request.get("version")
        if version is not None and version != found["pipeline"]["version"]:
            raise UnsupportedError(f"Version {version} of a pipeline, which is not its newest,")
        return found

    def delete(self, request: Request) -> Request:
        """DeletePipeline; as in AWS, one that does not exist is no error."""
        self._records.delete(request["name"])
        self._executions.forget(request["name"])
        return {}

    def list_all(self, request: Request) -> Request:
        """ListPipelines."""
        found = [
            {
                "name": record["pipeline"]["name"],
                "version": record["pipeline"]["version"],
                "pipelineType": record["pipeline"].get("pipelineType", "V1"),
                "created": record["metadata"]["created"],
                "updated": record["metadata"]["updated"],
            }
            for record in self._records.all()
        ]
        return _paged(sorted(found, key=lambda one: str(one["name"])), request, "pipelines")

    def start(self, request: Request) -> Request:
        """StartPipelineExecution."""
        if request.get("sourceRevisions"):
            raise UnsupportedError("sourceRevisions of StartPipelineExecution")
        pipeline = self._get(request["name"])
        declared = {
            variable["name"]: variable.get("defaultValue")
            for variable in pipeline["pipeline"].get("variables") or ()
        }
        given = {variable["name"]: variable["value"] for variable in request.get("variables") or ()}
        unknown = sorted(set(given) - set(declared))
        if unknown:
            raise InvalidRequestError(f"The pipeline {request['name']} has no variable {', '.join(unknown)}.")
        resolved = {**declared, **given}
        missing = sorted(name for name, value in resolved.items() if value is None)
        if missing:
            raise InvalidRequestError(
                f"The pipeline {request['name']} needs values for its variables {', '.join(missing)}."
            )
        return {"pipelineExecutionId": self._executions.start(pipeline, resolved)}

    def execution(self, request: Request) -> Request:
        """GetPipelineExecution."""
        self._get(request["pipelineName"])
        for record in self._executions.of(request["pipelineName"]):
            if record["pipelineExecutionId"] == request["pipelineExecutionId"]:
                return {"pipelineExecution": _only(record, _EXECUTION)}
        raise ExecutionNotFoundError(
            f"The pipeline {request['pipelineName']} has no execution {request['pipelineExecutionId']}."
        )

    def list_executions(self, request: Request) -> Request:
        """ListPipelineExecutions, newest first."""
        if request.get("filter"):
            raise UnsupportedError("The filter of ListPipelineExecutions")
        self._get(request["pipelineName"])
        found = [_only(record, _EXECUTION_SUMMARY) for record in self._executions.of(request["pipelineName"])]
        return _paged(found, request, "pipelineExecutionSummaries")

    def list_actions(self, request: Request) -> Request:
        """ListActionExecutions, newest first."""
        chosen = request.get("filter") or {}
        if chosen.get("latestInPipelineExecution"):
            raise UnsupportedError("The filter latestInPipelineExecution of ListActionExecutions")
        self._get(request["pipelineName"])
        wanted = chosen.get("pipelineExecutionId")
        found = [
            detail
            for record in self._executions.of(request["pipelineName"])
            if wanted in (None, record["pipelineExecutionId"])
            for detail in reversed(record["_actions"])
        ]
        return _paged(found, request, "actionExecutionDetails")

    def state(self, request: Request) -> Request:
        """GetPipelineState: of each action its latest execution."""
        pipeline = self._get(request["name"])
        executions = self._executions.of(request["name"])
        declaration = pipeline["pipeline"]
        return {
            "pipelineName": declaration["name"],
            "pipelineVersion": declaration["version"],
            "stageStates": [_stage_state(stage, executions) for stage in declaration["stages"]],
            "created": pipeline["metadata"]["created"],
            "updated": pipeline["metadata"]["updated"],
        }

    def _get(self, name: str) -> Record:
        record = self._records.get(name)
        if record is None:
            raise PipelineNotFoundError(f"Account does not have a pipeline with name '{name}'.")
        return record


def _stage_state(stage: Record, executions: list[Record]) -> Record:
    state: Record = {
        "stageName": stage["name"],
        "inboundTransitionState": {"enabled": True},
        "actionStates": [{"actionName": action["name"]} for action in definitions.in_order(stage)],
    }
    for record in executions:  # newest first
        details = {one["actionName"]: one for one in record["_actions"] if one["stageName"] == stage["name"]}
        if not details:
            continue
        for action in state["actionStates"]:
            if action["actionName"] in details:
                action["latestExecution"] = _latest(details[action["actionName"]])
        statuses = [detail["status"] for detail in details.values()]
        unsuccessful = [status for status in statuses if status != SUCCEEDED]
        whole = len(details) == len(stage["actions"])
        status = unsuccessful[0] if unsuccessful else SUCCEEDED if whole else IN_PROGRESS
        state["latestExecution"] = {"pipelineExecutionId": record["pipelineExecutionId"], "status": status}
        break
    return state


def _latest(detail: Record) -> Record:
    result = detail["output"]["executionResult"]
    latest = {
        "actionExecutionId": detail["actionExecutionId"],
        "status": detail["status"],
        "summary": result.get("externalExecutionSummary"),
        "lastStatusChange": detail["lastUpdateTime"],
        "externalExecutionId": result.get("externalExecutionId"),
        "errorDetails": result.get("errorDetails"),
    }
    return {name: value for name, value in latest.items() if value}


def _only(record: Record, members: tuple[str, ...]) -> Record:
    return {name: record[name] for name in members if record.get(name) not in (None, [])}


def _paged(found: list[Record], request: Request, member: str) -> Request:
    size = request.get("maxResults") or _PAGE
    try:
        start = int(base64.urlsafe_b64decode(request.get("nextToken") or "MA=="))
    except (ValueError, binascii.Error) as error:
        raise InvalidRequestError("The next token is none that was given.") from error
    answer: Request = {member: found[start : start + size]}
    if start + size < len(found):
        answer["nextToken"] = base64.urlsafe_b64encode(str(start + size).encode()).decode()
    return answer
