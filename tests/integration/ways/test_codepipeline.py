"""CodePipeline has built an image: both ways of handing it over, through a pipeline of the local cloud."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from retrain import cli
from retrain.localcloud import process
from retrain.operations import codepipeline
from retrain.operations.codepipeline import DEFINITIONS, LAMBDA, NATIVE, Build
from tests.integration.definitions import Aws
from tests.integration.ways.conftest import REGISTRY, Way

IMAGE = f"{REGISTRY}/retrain-training:local"
UNTAUGHT = {"training": {"hyperparameters": {"epochs": "1", "learning_rate": "0.000001"}}}
"""A program that learns next to nothing, which the gate rejects."""

Detail = dict[str, Any]


@pytest.fixture(scope="module")
def way(open_way: Callable[..., Way]) -> Way:
    return open_way("pipelines")


@pytest.fixture
def released(way: Way) -> Callable[..., tuple[str, Detail]]:
    """Send a build through a pipeline, and give its status and the execution of its last action."""

    def release(
        name: str, by: str, *, image_file: str = codepipeline.DETAIL, **request: Any
    ) -> tuple[str, Detail]:
        on_rejected = request.pop("on_rejected", None)
        build = Build(IMAGE, {"dataset": {"name": name}, **request}, image_file)
        pipeline, execution = codepipeline.release(way.stack, build, by, on_rejected=on_rejected)
        *_, last = codepipeline.follow(way.stack, pipeline, execution, timeout=90)
        return codepipeline.status(way.stack, pipeline, execution), last

    return release


def failure(detail: Detail) -> tuple[str, str]:
    error = detail["output"]["executionResult"]["errorDetails"]
    return error["code"], error["message"]


def test_the_native_action(way: Way, released: Callable[..., tuple[str, Detail]]) -> None:
    way.fill("native")
    status, detail = released("native", NATIVE)
    assert status == "Succeeded", failure(detail)
    told = way.told("native")
    run_id = f"pipeline-{detail['actionExecutionId']}"
    assert told.attributes["outcome"] == "DEPLOYED", told.body
    assert told.run["run_id"] == run_id
    assert told.run["trigger"]["kind"] == "codepipeline"
    assert told.run["image_uri"].startswith(f"{REGISTRY}/retrain-training@sha256:")
    assert detail["output"]["outputVariables"]["ExecutionArn"].endswith(f":{run_id}")


def test_the_native_action_cannot_pass_by_what_is_examined(
    way: Way, released: Callable[..., tuple[str, Detail]]
) -> None:
    status, detail = released("native", NATIVE, trainig={})
    assert status == "Failed"
    code, message = failure(detail)
    assert (code, "trainig is unknown here" in message) == ("JobFailed", True), message
    way.told("native")


def test_a_promoted_run(way: Way, aws: Aws, released: Callable[..., tuple[str, Detail]]) -> None:
    way.fill("promoted")
    status, detail = released("promoted", LAMBDA)
    assert status == "Succeeded", failure(detail)
    told = way.told("promoted")
    result, variables = detail["output"]["executionResult"], detail["output"]["outputVariables"]
    assert told.attributes["outcome"] == "DEPLOYED", told.body
    run_id = told.run["run_id"]
    assert result["externalExecutionId"] == run_id == variables["RunId"]
    assert (variables["Outcome"], variables["Verdict"]) == ("DEPLOYED", "promote")
    assert variables["Endpoint"] == "pipelines-promoted"
    assert float(variables["Accuracy"]) > 0.9
    assert variables["Image"] == told.run["image_uri"]
    assert variables["Image"].startswith(f"{REGISTRY}/retrain-training@sha256:")
    decision = way.decision(dataset="promoted")
    assert (decision["result"], decision["run_id"]) == ("started", run_id)
    assert decision["trigger"]["kind"] == "codepipeline"

    # The same once more, as the other file says it: the same run, and nothing is trained.
    status, again = released("promoted", LAMBDA, image_file=DEFINITIONS)
    assert (status, again["output"]["outputVariables"]) == ("Succeeded", variables)
    # And a call that is repeated when all is over.
    job = {"id": decision["trigger"]["id"], "accountId": "000000000000"}
    job["data"] = aws("codepipeline").get_job_details(jobId=job["id"])["jobDetails"]["data"]
    answer = aws("lambda").invoke(
        FunctionName=way.people.outputs["CodePipelineJobFunctionName"],
        Payload=json.dumps({"CodePipeline.job": job}),
    )
    answered = json.load(answer["Payload"])
    assert (answered["run_id"], answered["taken"]) == (run_id, False)
    assert [run for run in way.runs() if run.startswith("promoted-")] == [run_id]


def test_a_rejected_run(way: Way, released: Callable[..., tuple[str, Detail]]) -> None:
    way.fill("rejected")
    status, detail = released("rejected", LAMBDA, **UNTAUGHT)
    told = way.told("rejected")
    assert told.attributes["outcome"] == "REJECTED", told.body
    run_id = told.run["run_id"]
    assert status == "Failed"
    code, message = failure(detail)
    assert code == "JobFailed"
    assert message.startswith(f"Run {run_id}: REJECTED. ")
    assert "Verdict=reject" in message
    assert detail["output"]["executionResult"]["externalExecutionId"] == run_id

    # Released again, it is the same content: nothing is trained, and the verdict stands.
    status, detail = released("rejected", LAMBDA, **UNTAUGHT)
    assert status == "Failed"
    assert f"Run {run_id}: REJECTED." in failure(detail)[1]
    # Unless somebody is content with it.
    status, detail = released("rejected", LAMBDA, on_rejected="succeed", **UNTAUGHT)
    assert status == "Succeeded", failure(detail)
    variables = detail["output"]["outputVariables"]
    assert (variables["RunId"], variables["Outcome"], variables["Verdict"]) == (run_id, "REJECTED", "reject")
    assert [run for run in way.runs() if run.startswith("rejected-")] == [run_id]


def test_a_failed_run(way: Way, released: Callable[..., tuple[str, Detail]]) -> None:
    way.fill("failed")
    status, detail = released("failed", LAMBDA, training={"hyperparameters": {"epochs": "many"}})
    told = way.told("failed")
    assert told.attributes["outcome"] == "FAILED", told.body
    assert status == "Failed"
    code, message = failure(detail)
    assert code == "JobFailed"
    assert f"Run {told.run['run_id']}: FAILED. " in message
    assert "epochs" in message


@pytest.mark.parametrize(
    ("name", "request_", "said"),
    [
        ("nobody", {}, "There are no files under s3://"),
        ("promoted", {"colour": "red"}, "colour is unknown here"),
        ("promoted", {"training": {"image_uri": "docker.io/somebody/image:1"}}, "AllowedImageRepositories"),
        ("promoted", {"training": {"image_tag": "never-pushed"}}, "never-pushed"),
    ],
)
def test_what_cannot_be_run_fails_at_once(
    way: Way, released: Callable[..., tuple[str, Detail]], name: str, request_: Detail, said: str
) -> None:
    before = way.runs()
    status, detail = released(name, LAMBDA, **request_)
    assert status == "Failed"
    code, message = failure(detail)
    assert (code, said in message) == ("ConfigurationError", True), message
    assert way.runs() == before


def test_the_command(
    retrain_stack: dict[str, str],
    local_cloud: process.LocalCloud,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RETRAIN_STATE_DIR", str(local_cloud.state_dir))
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    arguments = ["local", "codepipeline", "run", "--image", "retrain-training:local", "--dataset", "nobody"]
    assert cli.run([*arguments, "--watch", "--timeout", "60"]) == 1
    told = capsys.readouterr().out
    assert "Build    Succeeded" in told
    assert "Retrain  Failed" in told
    assert "There are no files under s3://" in told


def log_lines(aws: Aws) -> Iterator[str]:
    """Every line in every log group of the local cloud."""
    logs = aws("logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            for events in logs.get_paginator("filter_log_events").paginate(
                logGroupName=group["logGroupName"]
            ):
                yield from (event["message"] for event in events["events"])


def test_no_job_left_its_credentials_anywhere_in_the_logs(
    way: Way, aws: Aws, local_cloud: process.LocalCloud, released: Callable[..., tuple[str, Detail]]
) -> None:
    """In logs of functions and state machines, the server's own, histories, the ledger, and answers."""
    released("nobody", LAMBDA)  # so that there is a job, even if this test runs alone
    lines = list(log_lines(aws))
    answered = [json.loads(line) for line in lines if "Answered a job of CodePipeline" in line]
    jobs = {line["job_id"] for line in answered}
    assert jobs
    secrets = set()
    for job in jobs:
        details = aws("codepipeline").get_job_details(jobId=job)["jobDetails"]
        secrets |= set(details["data"]["artifactCredentials"].values())
    assert len(secrets) == 3 * len(jobs)
    assert min(map(len, secrets)) > 15

    states = aws("stepfunctions")
    executions = states.list_executions(stateMachineArn=way.people.outputs["StateMachineArn"])["executions"]
    written = {
        "logs": "\n".join(lines),
        "server": process.log_path(local_cloud.state_dir).read_text(),
        "histories": "".join(
            str(
                states.get_execution_history(executionArn=execution["executionArn"], maxResults=1000)[
                    "events"
                ]
            )
            for execution in executions
        ),
        "ledger": str(aws("dynamodb").scan(TableName=way.people.outputs["LedgerTableName"])["Items"]),
        "pipelines": "".join(
            str(aws("codepipeline").list_action_executions(pipelineName=pipeline["name"]))
            for pipeline in aws("codepipeline").list_pipelines()["pipelines"]
        ),
    }
    assert [place for place, text in written.items() for secret in secrets if secret in text] == []
