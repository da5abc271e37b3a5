"""Pipelines run: artifacts and variables go from action to action, jobs are answered, ends are told."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
import time
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from retrain.localcloud.codepipeline.jobs import VARIABLES_LIMIT
from retrain.localcloud.codepipeline.platform import Platform, Settings
from retrain.localcloud.codepipeline.service import CodePipeline
from retrain.localcloud.codepipeline.turns import PARALLEL, QUEUED, SUPERSEDED, Turns
from retrain.localcloud.sagemaker.errors import ApiError
from tests.unit.localcloud_codepipeline.conftest import (
    MACHINE,
    QUICK,
    FakeCloud,
    by_lambda,
    natively,
    pipeline,
    unknown_job,
    wait_for,
)

REQUEST = {"dataset": {"name": "mnist"}}


def build() -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        # With a date of its own, or two archives of the same would differ by the second they were made in.
        archive.writestr(zipfile.ZipInfo("retrain.json"), json.dumps(REQUEST))
    return content.getvalue()


@pytest.fixture(autouse=True)
def built(cloud: FakeCloud) -> None:
    cloud.objects["sources", "build.zip"] = build()


class Function:
    """A function that carries on so many times, and then ends its action."""

    def __init__(self, service: CodePipeline, times: int = 0, **end: Any) -> None:
        self.service = service
        self.times = times
        self.end = end or {"outputVariables": {"RunId": "mnist-1"}}
        self.events: list[dict[str, Any]] = []

    def __call__(self, event: dict[str, Any]) -> None:
        job = event["CodePipeline.job"]
        self.events.append(job)
        if len(self.events) <= self.times:
            self.service.call(
                "PutJobSuccessResult", {"jobId": job["id"], "continuationToken": f"token {len(self.events)}"}
            )
            return
        operation = "PutJobFailureResult" if "failureDetails" in self.end else "PutJobSuccessResult"
        self.service.call(operation, {"jobId": job["id"], **self.end})


def test_a_function_is_called_until_it_answers_without_a_token(service, cloud, ended):
    cloud.invoked = function = Function(service, times=2)
    done = ended(
        pipeline(by_lambda(UserParameters="for #{Build.VersionId} in #{codepipeline.PipelineExecutionId}"))
    )
    assert done["status"] == "Succeeded"
    first, second, third = function.events
    assert len({job["id"] for job in function.events}) == 3
    assert "continuationToken" not in first["data"]
    assert [job["data"]["continuationToken"] for job in (second, third)] == ["token 1", "token 2"]
    assert first["data"]["actionConfiguration"]["configuration"] == {
        "FunctionName": "job",
        "UserParameters": f"for v1 in {done['pipelineExecutionId']}",
    }
    (artifact,) = first["data"]["inputArtifacts"]
    place = artifact["location"]["s3Location"]
    assert place["objectKey"].startswith("retrain/Build/")
    assert cloud.objects[place["bucketName"], place["objectKey"]] == build()
    retrain = done["actions"][0]
    assert retrain["output"]["outputVariables"] == {"RunId": "mnist-1"}
    assert retrain["status"] == "Succeeded"


def test_each_job_has_credentials_of_its_own_and_no_file_keeps_them(service, cloud, ended, tmp_path: Path):
    cloud.invoked = function = Function(service, times=1)
    ended(pipeline(by_lambda()))
    keys = [job["data"]["artifactCredentials"]["secretAccessKey"] for job in function.events]
    assert len(set(keys)) == 2
    details = service.call("GetJobDetails", {"jobId": function.events[0]["id"]})["jobDetails"]
    assert details["data"]["artifactCredentials"]["secretAccessKey"] == keys[0]
    assert details["data"]["pipelineContext"]["stage"] == {"name": "Stage1"}
    kept = [path.read_text() for path in tmp_path.rglob("*.json")]
    assert kept
    assert not [text for text in kept for key in keys if key in text]


def test_a_function_that_fails_its_job(service, cloud, ended):
    details = {"type": "ConfigurationError", "message": "No image.", "externalExecutionId": "mnist-1"}
    cloud.invoked = Function(service, times=1, failureDetails=details)
    done = ended(pipeline(by_lambda(), natively()))
    assert done["status"] == "Failed"
    retrain, source = done["actions"]
    assert (retrain["status"], source["status"]) == ("Failed", "Succeeded")
    assert retrain["output"]["executionResult"] == {
        "externalExecutionId": "mnist-1",
        "errorDetails": {"code": "ConfigurationError", "message": "No image."},
    }
    state = service.call("GetPipelineState", {"name": "retrain"})["stageStates"]
    assert [stage.get("latestExecution", {}).get("status") for stage in state] == [
        "Succeeded",
        "Failed",
        None,
    ]
    assert state[1]["actionStates"][0]["latestExecution"]["errorDetails"]["message"] == "No image."


def test_a_function_that_does_not_answer(service, cloud, ended):
    service.platform.settings = Settings(reply=0.05)
    events: list[dict[str, Any]] = []
    cloud.invoked = events.append
    done = ended(pipeline(by_lambda()))
    assert done["status"] == "Failed"
    assert (
        "has not answered the job"
        in done["actions"][0]["output"]["executionResult"]["errorDetails"]["message"]
    )
    with pytest.raises(ApiError) as refused:
        service.call("PutJobSuccessResult", {"jobId": events[0]["CodePipeline.job"]["id"]})
    assert refused.value.code == "InvalidJobStateException"


def test_a_job_is_answered_once(service, cloud, ended):
    cloud.invoked = function = Function(service)
    ended(pipeline(by_lambda()))
    request = {"jobId": function.events[0]["id"]}
    failure = {**request, "failureDetails": {"type": "JobFailed", "message": "x"}}
    for operation, answer in (("PutJobSuccessResult", request), ("PutJobFailureResult", failure)):
        with pytest.raises(ApiError) as refused:
            service.call(operation, answer)
        assert refused.value.code == "InvalidJobStateException"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"continuationToken": "t", "outputVariables": {"a": "b"}}, "ValidationException"),
        ({"continuationToken": "t" * 2049}, "ValidationException"),
        ({"outputVariables": {"a b": "c"}}, "ValidationException"),
        ({"outputVariables": {"a": "c" * VARIABLES_LIMIT}}, "OutputVariablesSizeExceededException"),
        ({"failureDetails": {"type": "Rejected", "message": "x"}}, "ValidationException"),
        ({"failureDetails": {"type": "JobFailed", "message": "x" * 5001}}, "ValidationException"),
        ({}, "JobNotFoundException"),
    ],
)
def test_answers_that_are_refused(service, answer, code):
    operation = "PutJobFailureResult" if "failureDetails" in answer else "PutJobSuccessResult"
    with pytest.raises(ApiError) as refused:
        service.call(operation, {"jobId": unknown_job(), **answer})
    assert refused.value.code == code


def test_a_state_machine_is_started_with_a_file_of_the_artifact(service, cloud, ended):
    cloud.executions["any"] = {"status": "SUCCEEDED"}
    done = ended(pipeline(natively(ExecutionNamePrefix="ci", InputType="FilePath", Input="retrain.json")))
    assert done["status"] == "Succeeded"
    retrain = done["actions"][0]
    name = f"ci-{retrain['actionExecutionId']}"
    assert cloud.inputs == {name: REQUEST}
    assert retrain["output"]["outputVariables"] == {
        "StateMachineArn": MACHINE,
        "ExecutionArn": f"{MACHINE}:{name}",
    }


def test_a_state_machine_without_input_gets_an_empty_object(service, cloud, ended):
    cloud.executions["any"] = {"status": "SUCCEEDED"}
    done = ended(pipeline(natively()))
    assert list(cloud.inputs.items()) == [(done["actions"][0]["actionExecutionId"], {})]


def test_a_state_machine_that_fails(cloud, ended):
    cloud.executions["any"] = {"status": "FAILED", "error": "RunFailed", "cause": "No holdout."}
    done = ended(pipeline(natively()))
    assert done["status"] == "Failed"
    message = done["actions"][0]["output"]["executionResult"]["errorDetails"]["message"]
    assert message.endswith("is FAILED: RunFailed: No holdout.")


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ({"InputType": "FilePath", "Input": "other.json"}, "has no file other.json"),
        ({"Input": "#{Build.Colour}"}, "refers to #{Build.Colour}"),
        ({"Input": "#{Nobody.Name}"}, "refers to #{Nobody.Name}"),
        ({"Input": "#{Build.ObjectKey}" * 55 + "x" * 9}, None),
    ],
)
def test_inputs_that_lead_nowhere(cloud, ended, configuration, said):
    cloud.executions["any"] = {"status": "SUCCEEDED"}
    if said is None:
        cloud.objects["sources", "k" * 500] = build()
        declaration = pipeline(natively(Input="#{Build.ObjectKey}#{Build.ObjectKey}#{Build.ObjectKey}"))
        declaration["stages"][0]["actions"][0]["configuration"]["S3ObjectKey"] = "k" * 500
        said = "once its variables are resolved"
    else:
        declaration = pipeline(natively(**configuration))
    done = ended(declaration)
    assert done["status"] == "Failed"
    assert said in done["actions"][0]["output"]["executionResult"]["errorDetails"]["message"]
    assert cloud.inputs == {}


def test_pipeline_variables(service, cloud, ended):
    cloud.executions["any"] = {"status": "SUCCEEDED"}
    declaration = pipeline(
        natively(Input='{"a": "#{variables.a}", "b": "#{variables.b}"}'),
        pipelineType="V2",
        variables=[{"name": "a", "defaultValue": "1"}, {"name": "b"}],
    )
    with pytest.raises(ApiError, match="needs values for its variables b"):
        ended(declaration)
    begun = service.call(
        "StartPipelineExecution", {"name": "retrain", "variables": [{"name": "b", "value": "2"}]}
    )
    done = wait_for(service, "retrain", begun["pipelineExecutionId"])
    assert list(cloud.inputs.values()) == [{"a": "1", "b": "2"}]
    assert done["variables"][1] == {"name": "b", "resolvedValue": "2"}
    with pytest.raises(ApiError, match="has no variable c"):
        service.call(
            "StartPipelineExecution", {"name": "retrain", "variables": [{"name": "c", "value": "2"}]}
        )


def test_what_the_cloud_left_unfinished_has_failed_when_it_starts_again(service, cloud, tmp_path):
    service.call("CreatePipeline", {"pipeline": pipeline(natively())})
    begun = service.call("StartPipelineExecution", {"name": "retrain"})["pipelineExecutionId"]
    deadline = time.monotonic() + 10
    while not has_begun(service, begun):  # from then on, nothing is written until it ends
        assert time.monotonic() < deadline
        time.sleep(0.001)
    left = tmp_path / "left"
    for kind in ("executions", "pipelines"):
        shutil.copytree(tmp_path / kind, left / kind)
    service.shutdown()
    wait_for(service, "retrain", begun)

    again = CodePipeline(Platform("http://127.0.0.1:1", QUICK), left)
    done = wait_for(again, "retrain", begun)
    assert (done["status"], done["statusSummary"]) == (
        "Failed",
        "The local cloud was stopped while this ran.",
    )
    assert [action["status"] for action in done["actions"]] == ["Failed", "Succeeded"]


def has_begun(service: CodePipeline, execution: str) -> bool:
    request = {"pipelineName": "retrain", "filter": {"pipelineExecutionId": execution}}
    newest = service.call("ListActionExecutions", request)["actionExecutionDetails"][:1]
    return any(
        "externalExecutionId" in one["output"]["executionResult"]
        for one in newest
        if one["actionName"] == "Retrain"
    )


def test_lists_come_in_pages(service, cloud):
    cloud.executions["any"] = {"status": "SUCCEEDED"}
    service.call("CreatePipeline", {"pipeline": pipeline(natively())})
    for _ in range(2):
        begun = service.call("StartPipelineExecution", {"name": "retrain"})["pipelineExecutionId"]
        wait_for(service, "retrain", begun)
    first = service.call("ListActionExecutions", {"pipelineName": "retrain", "maxResults": 3})
    second = service.call(
        "ListActionExecutions", {"pipelineName": "retrain", "nextToken": first["nextToken"]}
    )
    found = [*first["actionExecutionDetails"], *second["actionExecutionDetails"]]
    assert [detail["actionName"] for detail in found] == ["Retrain", "Build", "Retrain", "Build"]
    assert "nextToken" not in second
    summaries = service.call("ListPipelineExecutions", {"pipelineName": "retrain"})[
        "pipelineExecutionSummaries"
    ]
    assert [one["status"] for one in summaries] == ["Succeeded", "Succeeded"]
    assert summaries[0]["pipelineExecutionId"] == begun


class TestTurns:
    """Who goes first."""

    @staticmethod
    def taken(turns: Turns, execution: str, mode: str, went: list[tuple[str, bool]]) -> threading.Thread:
        turns.join("p", execution)
        thread = threading.Thread(
            target=lambda: went.append((execution, turns.take("p", execution, mode))), daemon=True
        )
        thread.start()
        return thread

    def test_queued_executions_go_one_after_another(self):
        turns, went = Turns(), []
        self.taken(turns, "1", QUEUED, went).join(5)
        second = self.taken(turns, "2", QUEUED, went)
        third = self.taken(turns, "3", QUEUED, went)
        assert went == [("1", True)]
        turns.leave("p", "1")
        second.join(5)
        assert went == [("1", True), ("2", True)]
        turns.leave("p", "2")
        third.join(5)
        assert went[2:] == [("3", True)]

    def test_the_newest_of_those_that_wait_supersedes_the_others(self):
        turns, went = Turns(), []
        self.taken(turns, "1", SUPERSEDED, went).join(5)
        second = self.taken(turns, "2", SUPERSEDED, went)
        third = self.taken(turns, "3", SUPERSEDED, went)
        second.join(5)
        turns.leave("p", "1")
        third.join(5)
        assert went == [("1", True), ("2", False), ("3", True)]

    def test_parallel_executions_wait_for_nobody(self):
        turns, went = Turns(), []
        for execution in "123":
            self.taken(turns, execution, PARALLEL, went).join(5)
        assert [execution for execution, _ in went] == ["1", "2", "3"]


def request(service: CodePipeline, target: str, body: bytes) -> tuple[int, dict[str, Any]]:
    answer = asyncio.run(service.handle("POST", "/", {"x-amz-target": target}, body, {}))
    return answer[0], json.loads(answer[2])


def test_requests_and_answers_on_the_wire(service):
    target = "CodePipeline_20150709.ListPipelines"
    assert request(service, target, b"{}") == (200, {"pipelines": []})
    assert request(service, target, b"{")[1]["__type"] == "SerializationException"
    assert request(service, "Other.Thing", b"{}")[1]["__type"] == "SerializationException"
    status, answer = request(service, "CodePipeline_20150709.GetPipeline", b'{"name": "x"}')
    assert (status, answer["__type"]) == (400, "PipelineNotFoundException")
