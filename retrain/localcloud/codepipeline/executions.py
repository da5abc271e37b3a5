"""Executions of pipelines: stage after stage, each in a thread of its own, remembered in files."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from retrain.localcloud.codepipeline import definitions
from retrain.localcloud.codepipeline.actions import (
    LAMBDA,
    S3_SOURCE,
    STEP_FUNCTIONS,
    Kind,
    lambda_function,
    s3_source,
    step_functions,
)
from retrain.localcloud.codepipeline.actions.results import Result, Work
from retrain.localcloud.codepipeline.errors import ActionError, ForgottenError
from retrain.localcloud.codepipeline.jobs import Jobs
from retrain.localcloud.codepipeline.platform import Artifact, Platform
from retrain.localcloud.codepipeline.turns import SUPERSEDED as DEFAULT_MODE
from retrain.localcloud.codepipeline.turns import Turns
from retrain.localcloud.codepipeline.variables import resolve
from retrain.localcloud.sagemaker.platform import now
from retrain.localcloud.sagemaker.store import Collection, Record

log = logging.getLogger("retrain.localcloud.codepipeline")

IN_PROGRESS, SUCCEEDED, FAILED = "InProgress", "Succeeded", "Failed"
SUPERSEDED = "Superseded"

SUMMARY_LIMIT = 2_048
MOST_KEPT = 100
"""Executions of a pipeline that are remembered; AWS keeps those of a year."""


@dataclass
class _Progress:
    """What one execution knows while it runs."""

    artifacts: dict[str, Artifact] = field(default_factory=dict)
    variables: dict[str, dict[str, str]] = field(default_factory=dict)


class Executions:
    """The executions of all pipelines.

    Parameters
    ----------
    platform
        The surroundings.
    records
        What is remembered of them: members of the API's answers, and ``_declaration`` and ``_actions``.
    jobs
        Where functions answer.
    """

    def __init__(self, platform: Platform, records: Collection, jobs: Jobs) -> None:
        self._platform = platform
        self._records = records
        self._jobs = jobs
        self._turns = Turns()
        self._actions: dict[Kind, Callable[[Work], Result]] = {
            S3_SOURCE: lambda work: s3_source.run(work, platform),
            STEP_FUNCTIONS: lambda work: step_functions.run(work, platform),
            LAMBDA: lambda work: lambda_function.run(work, platform, jobs),
        }
        for name in records.names():
            self._interrupted(name)

    def start(self, pipeline: Record, variables: dict[str, str]) -> str:
        """Start an execution of a pipeline and return its id."""
        declaration, moment = pipeline["pipeline"], now()
        execution_id = str(uuid.uuid4())
        self._records.put(
            execution_id,
            {
                "pipelineExecutionId": execution_id,
                "pipelineName": declaration["name"],
                "pipelineVersion": declaration["version"],
                "status": IN_PROGRESS,
                "startTime": moment,
                "lastUpdateTime": moment,
                "executionMode": declaration.get("executionMode", DEFAULT_MODE),
                "variables": [
                    {"name": name, "resolvedValue": value} for name, value in sorted(variables.items())
                ],
                "_declaration": declaration,
                "_actions": [],
            },
        )
        for old in self.of(declaration["name"])[MOST_KEPT:]:
            if old["status"] != IN_PROGRESS:
                self._records.delete(old["pipelineExecutionId"])
        self._turns.join(declaration["name"], execution_id)
        threading.Thread(
            target=self._run, args=(execution_id, variables), name=f"pipeline-{execution_id}", daemon=True
        ).start()
        return execution_id

    def of(self, pipeline: str) -> list[Record]:
        """Return the executions of a pipeline, newest first."""
        found = [record for record in self._records.all() if record["pipelineName"] == pipeline]
        return sorted(found, key=lambda record: float(record["startTime"]), reverse=True)

    def forget(self, pipeline: str) -> None:
        """Remove what is known of a pipeline's executions."""
        for record in self.of(pipeline):
            self._records.delete(record["pipelineExecutionId"])

    def _run(self, execution_id: str, variables: dict[str, str]) -> None:
        record = self._records.get(execution_id)
        if record is None:
            return  # its pipeline was deleted this very moment
        name = record["pipelineName"]
        try:
            if self._turns.take(name, execution_id, record["executionMode"]):
                self._work_through(execution_id, record["_declaration"], variables)
            else:
                self._end(execution_id, SUPERSEDED, "A newer execution waits for the same pipeline.")
        except ForgottenError:
            log.warning("The execution %s was given up: its pipeline was deleted.", execution_id)
        except Exception as error:  # an execution must not stay in progress for a fault of ours
            log.exception("The execution %s failed in the local cloud itself.", execution_id)
            self._end(execution_id, FAILED, f"{type(error).__name__}: {error}")
        finally:
            self._turns.leave(name, execution_id)

    def _work_through(self, execution_id: str, declaration: Record, variables: dict[str, str]) -> None:
        progress = _Progress(
            variables={
                "codepipeline": {"PipelineExecutionId": execution_id},
                "variables": variables,
            }
        )
        for stage in declaration["stages"]:
            for action in definitions.in_order(stage):
                if not self._carry_out(execution_id, declaration, stage["name"], action, progress):
                    self._end(execution_id, FAILED)
                    return
        self._end(execution_id, SUCCEEDED)

    def _carry_out(
        self, execution_id: str, declaration: Record, stage: str, action: Record, progress: _Progress
    ) -> bool:
        """Run one action and remember how it went; gives whether it has succeeded."""
        action_id, configuration = str(uuid.uuid4()), action.get("configuration") or {}
        inputs = [progress.artifacts[name] for name in definitions.inputs(action)]
        detail = _detail(execution_id, action_id, declaration, stage, action, inputs)
        with self._edit(execution_id) as record:
            record["_actions"].append(detail)

        def report(summary: str, external_id: str) -> None:
            self._update(execution_id, action_id, external_id=external_id, summary=summary)

        try:
            resolved = resolve(configuration, progress.variables)
            self._update(execution_id, action_id, resolved=resolved)
            work = Work(declaration, stage, action, execution_id, action_id, resolved, inputs, report)
            result = self._actions[definitions.kind(action)](work)
        except ActionError as error:
            self._update(
                execution_id,
                action_id,
                status=FAILED,
                error={"code": error.code, "message": str(error)[:5_000]},
                external_id=error.external_id,
            )
            return False
        progress.artifacts.update({artifact.name: artifact for artifact in result.outputs})
        if action.get("namespace"):
            progress.variables[action["namespace"]] = result.variables
        self._update(
            execution_id,
            action_id,
            status=SUCCEEDED,
            external_id=result.external_id,
            summary=result.summary,
            variables=result.variables,
            outputs=[artifact.as_detail() for artifact in result.outputs],
        )
        return True

    def _update(
        self,
        execution_id: str,
        action_id: str,
        *,
        status: str | None = None,
        resolved: dict[str, str] | None = None,
        summary: str = "",
        external_id: str = "",
        error: dict[str, str] | None = None,
        variables: dict[str, str] | None = None,
        outputs: list[dict[str, Any]] | None = None,
    ) -> None:
        """Write down what is new about an action."""
        moment = now()
        with self._edit(execution_id) as record:
            record["lastUpdateTime"] = moment
            detail = next(one for one in record["_actions"] if one["actionExecutionId"] == action_id)
            detail["lastUpdateTime"] = moment
            result = detail["output"]["executionResult"]
            if status:
                detail["status"] = status
            if resolved is not None:
                detail["input"]["resolvedConfiguration"] = resolved
            if summary:
                result["externalExecutionSummary"] = summary[:SUMMARY_LIMIT]
            if external_id:
                result["externalExecutionId"] = external_id
            if error:
                result["errorDetails"] = error
            if variables is not None:
                detail["output"]["outputVariables"] = variables
            if outputs is not None:
                detail["output"]["outputArtifacts"] = outputs

    def _end(self, execution_id: str, status: str, summary: str = "") -> None:
        with self._edit(execution_id) as record:
            record["status"], record["lastUpdateTime"] = status, now()
            if summary:
                record["statusSummary"] = summary

    @contextmanager
    def _edit(self, execution_id: str) -> Iterator[Record]:
        if execution_id not in self._records:
            raise ForgottenError(f"There is no execution {execution_id} any more.")
        with self._records.edit(execution_id) as record:
            yield record

    def _interrupted(self, execution_id: str) -> None:
        """Say of an execution that was under way when the local cloud ended that it ended with it."""
        with self._records.edit(execution_id) as record:
            if record["status"] != IN_PROGRESS:
                return
            record["status"], record["statusSummary"] = FAILED, "The local cloud was stopped while this ran."
            for detail in record["_actions"]:
                if detail["status"] == IN_PROGRESS:
                    detail["status"] = FAILED
                    detail["output"]["executionResult"]["errorDetails"] = {
                        "code": "SystemUnavailable",
                        "message": "The local cloud was stopped while the action ran.",
                    }


def _detail(
    execution_id: str,
    action_id: str,
    declaration: Record,
    stage: str,
    action: Record,
    inputs: list[Artifact],
) -> dict[str, Any]:
    """Return an action's execution as ListActionExecutions shows it."""
    moment = now()
    given: dict[str, Any] = {
        "actionTypeId": action["actionTypeId"],
        "configuration": action.get("configuration") or {},
        "inputArtifacts": [artifact.as_detail() for artifact in inputs],
    }
    if action.get("namespace"):
        given["namespace"] = action["namespace"]
    return {
        "pipelineExecutionId": execution_id,
        "actionExecutionId": action_id,
        "pipelineVersion": declaration["version"],
        "stageName": stage,
        "actionName": action["name"],
        "startTime": moment,
        "lastUpdateTime": moment,
        "status": IN_PROGRESS,
        "input": given,
        "output": {"executionResult": {}, "outputArtifacts": [], "outputVariables": {}},
    }
