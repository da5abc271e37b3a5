"""What CodePipeline is answered, call by call, until a run has ended."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from retraining import records, wishes
from retraining.errors import (
    AccessRefusedError,
    AwsError,
    ContendedError,
    ObjectMissingError,
    RequestError,
    TransientAwsError,
)
from retraining.pipelines import answering, parameters, replies, tokens
from retraining.pipelines.jobs import Artifact, Credentials, Job
from retraining.pipelines.replies import CarryOn, Failed, Reply, Succeeded
from retraining.pipelines.work import MOST_FAILURES, PATIENCE, work
from retraining.ports import ExecutionState
from retraining.wishes import Answer, Asked
from tests.unit.functions.test_pipeline_artifacts import REPOSITORY, zipped

JOB = "11111111-abcd-1111-abcd-111111abcdef"
RUN = "mnist-0123456789ab-1"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
CODEPIPELINE = botocore.session.Session().get_service_model("codepipeline")
METRICS = {"metric": "accuracy", "challenger": {"accuracy": 0.98}, "champion": None}


def record(outcome: str, **fields: Any) -> dict[str, Any]:
    """A run's record after its end, as far as it matters here."""
    verdict = {"DEPLOYED": "promote", "ROLLED_BACK": "promote", "REJECTED": "reject"}.get(outcome)
    return {
        "run_id": RUN,
        "outcome": outcome,
        "reason": f"Because of {outcome}.",
        "endpoint_name": "retrain-mnist",
        "image_uri": f"{REPOSITORY}@sha256:0",
        "decision": {"verdict": verdict, "metrics": METRICS} if verdict else None,
        **fields,
    }


class Scene:
    """A pipeline's Lambda action: what it is configured with, what is in the bucket, and how runs fare."""

    def __init__(self, settings: Any, **user_parameters: Any) -> None:
        self.settings = replace(settings, on_rejected="fail")
        self.user_parameters = json.dumps({"dataset": {"name": "mnist"}, **user_parameters})
        self.artifacts: dict[str, bytes | Exception] = {
            "build.zip": zipped({"imageDetail.json": json.dumps({"ImageURI": f"{REPOSITORY}:1.0"})})
        }
        self.asked: list[Asked] = []
        self.answer: Answer | Exception = Answer(wishes.STARTED, RUN, "A run was started.")
        self.statuses: dict[str, str | Exception] = {RUN: "RUNNING"}
        self.records: dict[str, dict[str, Any]] = {}

    def call(self, token: str = "", job_id: str = JOB) -> Reply:
        credentials = Credentials("ASIAKEY", "SECRETKEY", "SESSIONTOKEN")
        artifacts = tuple(Artifact(key, "pipeline", key) for key in self.artifacts)
        ports: Any = SimpleNamespace(
            clock=lambda: NOON,
            machine=SimpleNamespace(describe=self._describe),
            ledger=SimpleNamespace(get_run=self.records.get),
        )
        job = Job(job_id, self.user_parameters, artifacts, credentials, token)
        return work(job, self.settings, ports, SimpleNamespace(fetch=self._fetch), self._ask)

    def carry_on(self, reply: Reply) -> Reply:
        """Answer the next call, which has an id of its own and the last one's token."""
        assert isinstance(reply, CarryOn), reply
        return self.call(str(reply.token), "22222222-abcd-1111-abcd-111111abcdef")

    def end(self, outcome: str, status: str = "SUCCEEDED", **fields: Any) -> None:
        self.statuses[RUN] = status
        self.records[RUN] = record(outcome, **fields)

    def _ask(self, asked: Asked, settings: Any, ports: Any) -> Answer:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def _describe(self, name: str) -> ExecutionState | None:
        status = self.statuses.get(name)
        if isinstance(status, Exception):
            raise status
        return ExecutionState(status, "") if status else None

    def _fetch(self, bucket: str, key: str, limit: int) -> bytes:
        content = self.artifacts[key]
        if isinstance(content, Exception):
            raise content
        return content


@pytest.fixture
def scene(configured: Any) -> Scene:
    return Scene(configured)


def test_a_run_is_asked_for_with_the_image_that_was_built(scene):
    reply = scene.call()
    assert isinstance(reply, CarryOn)
    (asked,) = scene.asked
    assert asked.payload == {"dataset": {"name": "mnist"}, "training": {"image_uri": f"{REPOSITORY}:1.0"}}
    assert (asked.kind, asked.id, asked.time) == ("codepipeline", JOB, "2026-01-31T12:00:00.000Z")
    assert asked.asks_again
    assert reply.token.run == RUN


def test_later_calls_only_look(scene):
    reply = scene.carry_on(scene.carry_on(scene.call()))
    assert isinstance(reply, CarryOn)
    assert len(scene.asked) == 1
    scene.artifacts.clear()
    scene.end(records.DEPLOYED)
    assert isinstance(scene.carry_on(reply), Succeeded)


def test_a_call_that_comes_twice_is_the_same_wish(scene):
    first = scene.call()
    scene.answer = Answer(wishes.DUPLICATE, RUN, "It is under way.")
    assert scene.call() == first
    assert [asked.id for asked in scene.asked] == [JOB, JOB]


def test_deployed(scene):
    reply = scene.call()
    scene.end(records.DEPLOYED)
    assert scene.carry_on(reply) == Succeeded(
        RUN,
        f"Run {RUN}: DEPLOYED. Because of DEPLOYED.",
        {
            "RunId": RUN,
            "Outcome": "DEPLOYED",
            "Verdict": "promote",
            "Endpoint": "retrain-mnist",
            "Accuracy": "0.98",
            "Metric": "accuracy",
            "Value": "0.98",
            "Image": f"{REPOSITORY}@sha256:0",
        },
    )


def test_rejected_fails_the_action_and_says_the_figures(scene):
    reply = scene.call()
    scene.end(records.REJECTED)
    failed = scene.carry_on(reply)
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.run_id) == ("JobFailed", RUN)
    assert "REJECTED. Because of REJECTED." in failed.message
    assert "Verdict=reject, Endpoint=retrain-mnist, Accuracy=0.98" in failed.message


@pytest.mark.parametrize("by", ["stack", "action"])
def test_rejected_may_succeed_if_somebody_wants_that(configured, by):
    scene = Scene(configured, **({"on_rejected": "succeed"} if by == "action" else {}))
    scene.settings = replace(scene.settings, on_rejected="succeed" if by == "stack" else "fail")
    reply = scene.call()
    assert "on_rejected" not in scene.asked[0].payload
    scene.end(records.REJECTED)
    succeeded = scene.carry_on(reply)
    assert isinstance(succeeded, Succeeded)
    assert (succeeded.variables["Outcome"], succeeded.variables["Verdict"]) == ("REJECTED", "reject")


@pytest.mark.parametrize("outcome", [records.FAILED, records.ROLLED_BACK])
@pytest.mark.parametrize("policy", parameters.POLICIES)
def test_whatever_failed_fails(configured, outcome, policy):
    scene = Scene(configured, on_rejected=policy)
    reply = scene.call()
    scene.end(outcome, "FAILED")
    failed = scene.carry_on(reply)
    assert isinstance(failed, Failed)
    assert f"Because of {outcome}." in failed.message


def test_what_a_run_does_not_have_is_none(scene):
    reply = scene.call()
    scene.end(records.FAILED, "FAILED", image_uri=None, endpoint_name=None)
    failed = scene.carry_on(reply)
    assert isinstance(failed, Failed)
    assert "Verdict=none, Endpoint=none, Accuracy=none, Metric=none, Value=none, Image=none" in failed.message


@pytest.mark.parametrize("status", ["TIMED_OUT", "ABORTED", None])
def test_a_run_that_left_no_record(scene, status):
    reply = scene.call()
    scene.statuses[RUN] = status
    scene.records[RUN] = record(records.RUNNING)
    for _ in range(PATIENCE if status else 0):
        reply = scene.carry_on(reply)
    failed = scene.carry_on(reply)
    assert isinstance(failed, Failed)
    assert "ended without a record" in failed.message
    assert (status or "not known") in failed.message


def test_a_run_that_was_interrupted_is_recorded_a_little_later(scene):
    reply = scene.call()
    scene.statuses[RUN] = "ABORTED"
    scene.records[RUN] = record(records.RUNNING)
    reply = scene.carry_on(reply)
    scene.end(records.FAILED, "ABORTED", reason="It was stopped.")
    failed = scene.carry_on(reply)
    assert isinstance(failed, Failed)
    assert "It was stopped." in failed.message


@pytest.mark.parametrize("outcome", [records.DEPLOYED, records.REJECTED, records.FAILED])
def test_what_has_run_already_counts_as_it_ended(scene, outcome):
    scene.end(outcome)
    scene.answer = Answer(wishes.SKIPPED, RUN, "The same content has run already.")
    reply = scene.call()
    told = reply.summary if isinstance(reply, Succeeded) else reply.message
    assert isinstance(reply, Succeeded) == (outcome == records.DEPLOYED)
    assert "(The same content has run already.)" in told


def test_a_run_that_was_skipped_itself_leads_to_the_one_that_it_repeats(scene):
    reply = scene.call()
    scene.end(records.SKIPPED, repeats="mnist-first", reason="The same content has run as mnist-first.")
    again = scene.carry_on(reply)
    assert isinstance(again, CarryOn)
    assert again.token.run == "mnist-first"
    scene.statuses["mnist-first"] = "SUCCEEDED"
    scene.records["mnist-first"] = record(records.REJECTED, run_id="mnist-first")
    failed = scene.carry_on(again)
    assert isinstance(failed, Failed)
    assert "mnist-first: REJECTED" in failed.message


@pytest.mark.parametrize("policy", parameters.POLICIES)
def test_a_run_that_came_too_late_is_like_a_rejected_one(configured, policy):
    scene = Scene(configured, on_rejected=policy)
    reply = scene.call()
    scene.end(records.SKIPPED, repeats=None, reason="A champion of newer data serves.")
    assert isinstance(scene.carry_on(reply), Succeeded if policy == "succeed" else Failed)


def test_too_many_runs_at_a_time_is_no_failure(scene):
    scene.answer = Answer(wishes.WAITING, "", "Two runs are under way.")
    waiting = scene.call()
    assert isinstance(waiting, CarryOn)
    assert "Two runs are under way." in waiting.summary
    scene.answer = Answer(wishes.STARTED, RUN, "A run was started.")
    started = scene.carry_on(waiting)
    assert isinstance(started, CarryOn)
    assert started.token.run == RUN
    assert [(asked.id, asked.time) for asked in scene.asked] == [(JOB, "2026-01-31T12:00:00.000Z")] * 2


@pytest.mark.parametrize("result", [wishes.REFUSED, wishes.EMPTY])
def test_what_leads_to_no_run_is_a_fault_of_the_configuration(scene, result):
    scene.answer = Answer(result, "", "The field dataset.name is 'A'.")
    failed = scene.call()
    assert failed == Failed(
        "ConfigurationError", f"No run was started ({result}): The field dataset.name is 'A'."
    )


@pytest.mark.parametrize("training", [{"image_uri": "x:1"}, {"image_tag": "2"}])
def test_an_image_in_the_parameters_wins_and_nothing_is_fetched(configured, training):
    scene = Scene(configured, training=training)
    scene.artifacts = {"build.zip": AssertionError("fetched")}
    scene.call()
    assert scene.asked[0].payload["training"] == training


def test_without_an_artifact_the_stacks_own_image_is_meant(scene):
    scene.artifacts = {}
    scene.call()
    assert "training" not in scene.asked[0].payload


def test_what_else_the_parameters_say_of_the_training_is_kept(configured):
    scene = Scene(configured, training={"hyperparameters": {"epochs": "1"}}, force=True)
    scene.call()
    assert scene.asked[0].payload == {
        "dataset": {"name": "mnist"},
        "force": True,
        "training": {"hyperparameters": {"epochs": "1"}, "image_uri": f"{REPOSITORY}:1.0"},
    }


def test_the_image_may_be_in_any_of_the_artifacts(scene):
    scene.artifacts = {"source.zip": zipped({"README.md": "x"}), **scene.artifacts}
    assert isinstance(scene.call(), CarryOn)


def test_no_artifact_names_an_image(scene):
    scene.artifacts = {"source.zip": zipped({"README.md": "x"})}
    failed = scene.call()
    assert isinstance(failed, Failed)
    assert failed.kind == "ConfigurationError"
    assert "(source.zip) has an imageDetail.json or an imagedefinitions.json" in failed.message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ObjectMissingError("gone"), "RevisionUnavailable"),
        (AccessRefusedError("no"), "PermissionError"),
        (AwsError("odd"), "SystemUnavailable"),
    ],
)
def test_artifacts_that_cannot_be_had(scene, error, kind):
    scene.artifacts = {"build.zip": error}
    assert scene.call() == Failed(kind, str(error))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no UserParameters"),
        ("  ", "no UserParameters"),
        ("mnist", "are no JSON"),
        ("[" * 500, "are no JSON"),
        ('["mnist"]', "must be a JSON object"),
        ('{"dataset": {"name": "mnist"}, "on_rejected": "ignore"}', "must be fail or succeed"),
        ('{"dataset": {"name": "mnist"}, "container": 3}', "field container"),
        ('{"dataset": {"name": "mnist"}, "trigger": {"kind": "s3"}}', "field trigger"),
    ],
)
def test_parameters_that_cannot_be_meant(scene, text, said):
    scene.user_parameters = text
    failed = scene.call()
    assert isinstance(failed, Failed)
    assert failed.kind == "ConfigurationError"
    assert said in failed.message
    assert scene.asked == []


def test_a_job_that_meets_another_starter_is_asked_again(scene):
    scene.answer = ContendedError("Something else is about to start it.")
    assert isinstance(scene.call(), CarryOn)


def test_a_failing_aws_is_tried_again_and_in_the_end_told(scene):
    scene.answer = TransientAwsError("DynamoDB is busy.")
    reply = scene.call()
    for _ in range(MOST_FAILURES - 2):
        reply = scene.carry_on(reply)
    failed = scene.carry_on(reply)
    assert failed == Failed(
        "SystemUnavailable",
        f"This has failed {MOST_FAILURES} times in a row; the last time: DynamoDB is busy.",
    )
    assert {asked.id for asked in scene.asked} == {JOB}


def test_failures_are_forgotten_after_an_answer(scene):
    scene.answer = TransientAwsError("DynamoDB is busy.")
    reply = scene.call()
    scene.answer = Answer(wishes.STARTED, RUN, "A run was started.")
    reply = scene.carry_on(reply)
    assert isinstance(reply, CarryOn)
    assert reply.token.failures == 0
    scene.statuses[RUN] = TransientAwsError("Step Functions is busy.")
    reply = scene.carry_on(reply)
    assert isinstance(reply, CarryOn)
    assert (reply.token.failures, reply.token.run) == (1, RUN)


def test_a_request_that_is_refused_later_on(scene):
    scene.answer = RequestError(["The image is gone."])
    failed = scene.call()
    assert isinstance(failed, Failed)
    assert (failed.kind, "The image is gone." in failed.message) == ("ConfigurationError", True)


@pytest.mark.parametrize(
    "token", ["x", "{}", "[]", '{"job": 1, "since": ""}', '{"job": "a", "since": "b", "c": 1}']
)
def test_a_token_of_somebody_else(scene, token):
    failed = scene.call(token)
    assert isinstance(failed, Failed)
    assert "continuation token" in failed.message


class Pipeline:
    """Takes answers as CodePipeline does: checked against the model, and each job's only once."""

    def __init__(self) -> None:
        self.answered: list[str] = []

    def carry_on(self, job_id: str, token: str, summary: str, run_id: str) -> bool:
        details = {"summary": summary} | ({"externalExecutionId": run_id} if run_id else {})
        return self._take("PutJobSuccessResult", job_id, continuationToken=token, executionDetails=details)

    def succeed(self, job_id: str, summary: str, run_id: str, variables: dict[str, str]) -> bool:
        details = {"summary": summary, "externalExecutionId": run_id}
        return self._take("PutJobSuccessResult", job_id, executionDetails=details, outputVariables=variables)

    def fail(self, job_id: str, kind: str, message: str, run_id: str) -> bool:
        assert kind in CODEPIPELINE.shape_for("FailureType").enum
        assert 1 <= len(message) <= 5_000
        return self._take("PutJobFailureResult", job_id, failureDetails={"type": kind, "message": message})

    def _take(self, operation: str, job_id: str, **answer: Any) -> bool:
        report = ParamValidator().validate(
            {"jobId": job_id, **answer}, CODEPIPELINE.operation_model(operation).input_shape
        )
        assert not report.has_errors(), report.generate_report()
        details = answer.get("executionDetails", {})
        assert len(details.get("summary", "x")) <= 2_048
        assert len(answer.get("continuationToken", "")) <= 2_048
        self.answered.append(job_id)
        return self.answered.count(job_id) == 1


def test_answers_are_sent_and_told():
    pipeline, token = Pipeline(), tokens.Token(JOB, "2026-01-31T12:00:00.000Z", RUN)
    told = answering.send(JOB, CarryOn(token, "It is under way."), pipeline)
    assert told == {
        "job_id": JOB,
        "answer": "CarryOn",
        "run_id": RUN,
        "said": "It is under way.",
        "taken": True,
    }
    assert answering.send(JOB, Failed("JobFailed", "It failed."), pipeline)["taken"] is False


@given(st.text(max_size=9_000), st.sampled_from([*records.OUTCOMES, "?"]), st.text(max_size=4_000))
def test_answers_fit_whatever_a_run_has_to_say(reason, outcome, repeated):
    token = tokens.Token(JOB, "2026-01-31T12:00:00.000Z", RUN, repeated)
    assert tokens.parse(str(token)).run == RUN
    reply = replies.ended(record(outcome, reason=reason), token, parameters.FAIL)
    answering.send(JOB, reply, Pipeline())
    answering.send(JOB, CarryOn(token, "x"), Pipeline())
