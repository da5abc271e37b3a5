"""The Lambda action's function, fed with every file of events/ that is for it; its answers are recorded."""

import functools
import io
import json
import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import botocore.awsrequest
import pytest

import codepipeline_job.app
from retraining import errors, settings
from retraining.aws import clients
from retraining.aws.clients import client
from retraining.aws.codepipeline import CodePipelineJobs, JobArtifacts
from retraining.aws.ledger import DynamoLedger
from retraining.errors import AccessRefusedError, ArtifactError, ObjectMissingError, TransientAwsError
from retraining.pipelines.artifacts import FILE_LIMIT
from retraining.pipelines.jobs import Credentials
from tests.unit.functions import stack
from tests.unit.functions.fakes import labels_csv
from tests.unit.functions.test_pipeline_artifacts import zipped

EVENTS = stack.ROOT / "events"
NAMES = sorted(path.stem.removeprefix("codepipeline_job_") for path in EVENTS.glob("codepipeline_job_*.json"))
CONTEXT = SimpleNamespace(aws_request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef")
BUCKET = "retrain-pipeline-artifacts"
JOB = "11111111-abcd-1111-abcd-111111abcdef"
KEYS = Credentials("ASIAEXAMPLE", "SECRET/EXAMPLE", "TOKEN+EXAMPLE")


def event(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EVENTS / f"codepipeline_job_{name}.json").read_text())
    return loaded


def secrets(loaded: dict[str, Any]) -> list[str]:
    return list(loaded["CodePipeline.job"]["data"]["artifactCredentials"].values())


class Answers(list[tuple[str, dict[str, Any]]]):
    """What CodePipeline was told, and with which error it is to answer."""

    error = ""


@pytest.fixture
def answers(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """CodePipeline, which moto does not play: botocore checks what is sent, and it is kept."""
    for name, value in stack.environment("CodePipelineJobFunction").items():
        monkeypatch.setenv(name, value)
    settings.load.cache_clear()
    found = Answers()

    def answer(params: dict[str, Any], model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        found.append((model.name, json.loads(params["body"])))
        status = 400 if found.error else 200
        response = botocore.awsrequest.AWSResponse("", status, {}, None)
        failure = {"Error": {"Code": found.error, "Message": "no"}} if found.error else {}
        return response, {**failure, "ResponseMetadata": {"HTTPStatusCode": status}}

    events = client("codepipeline").meta.events
    events.register_first("before-call.codepipeline", answer, "recorded")
    yield found
    events.unregister("before-call.codepipeline", answer, "recorded")


@functools.cache
def artifacts() -> dict[str, bytes]:
    """The pipeline's artifacts by name, packed once: one of them takes its time."""
    image = {"ImageURI": stack.IMAGE}
    definitions = [{"name": "web", "imageUri": "web:1"}, {"name": "training", "imageUri": stack.IMAGE}]
    return {
        "image-detail": zipped({"imageDetail.json": json.dumps(image)}),
        "image-definitions": zipped({"imagedefinitions.json": json.dumps(definitions)}),
        "source": zipped({"README.md": "x"}),
        "bomb": zipped({"imageDetail.json": b" " * (FILE_LIMIT * 50)}),
        "text": b"no archive",
    }


@pytest.fixture
def pipeline(answers: Answers) -> Answers:
    """A dataset, an image in ECR, and the pipeline's artifacts."""
    s3 = client("s3")
    s3.put_object(Bucket=stack.NAMES["DataBucket"], Key="datasets/mnist/images", Body=b"images")
    s3.put_object(Bucket=stack.NAMES["DataBucket"], Key="holdout/mnist/labels.csv", Body=labels_csv(["1"]))
    s3.create_bucket(Bucket=BUCKET)
    for name, content in artifacts().items():
        s3.put_object(Bucket=BUCKET, Key=f"retrain-pipeline/Handover/{name}", Body=content)
    with_image()
    return answers


def with_image() -> None:
    """Put the stack's image into ECR, unless it is there."""
    ecr = client("ecr")
    name, _, tag = stack.IMAGE.partition("/")[2].partition(":")
    try:
        ecr.create_repository(repositoryName=name)
    except ecr.exceptions.RepositoryAlreadyExistsException:
        return
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}
    manifest |= {"config": {"digest": f"sha256:{'0' * 64}", "size": 1}, "layers": []}
    ecr.put_image(repositoryName=name, imageManifest=json.dumps(manifest), imageTag=tag)


def handle(name: str) -> Any:
    return codepipeline_job.app.handler(event(name), CONTEXT)


def executions() -> list[dict[str, Any]]:
    states = client("stepfunctions")
    found = states.list_executions(stateMachineArn=stack.NAMES["StateMachine"])["executions"]
    return [
        json.loads(states.describe_execution(executionArn=execution["executionArn"])["input"])
        for execution in found
    ]


@pytest.mark.parametrize(
    "name", ["image_detail", "image_definitions", "image_in_parameters", "image_of_the_stack"]
)
def test_jobs_that_start_a_run(pipeline, name):
    first = handle(name)
    assert first["answer"] == "CarryOn"
    assert first["run_id"].startswith("mnist-")
    (request,) = executions()
    assert request["trigger"]["kind"] == "codepipeline"
    assert request["trigger"]["id"] == JOB
    assert request["training"]["image_uri"].startswith(f"{stack.IMAGE.rpartition(':')[0]}@sha256:")
    assert "on_rejected" not in request
    assert "container" not in request
    (operation, answer) = pipeline[0]
    assert operation == "PutJobSuccessResult"
    assert json.loads(answer["continuationToken"])["run"] == first["run_id"]
    assert answer["executionDetails"]["externalExecutionId"] == first["run_id"]


def test_a_job_that_is_sent_twice_starts_one_run(pipeline):
    first = handle("image_detail")
    pipeline.error = "InvalidJobStateException"
    second = handle("image_detail")
    assert (second["run_id"], second["taken"]) == (first["run_id"], False)
    assert len(executions()) == 1


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("image_foreign", "ConfigurationError", "AllowedImageRepositories"),
        ("image_not_named", "ConfigurationError", "has an imageDetail.json"),
        (
            "artifact_missing",
            "RevisionUnavailable",
            "There is no input artifact s3://retrain-pipeline-artifacts/",
        ),
        ("artifact_bomb", "ConfigurationError", "has more than 262,144 bytes"),
        ("artifact_no_archive", "ConfigurationError", "cannot be read as a zip archive"),
        ("parameters_missing", "ConfigurationError", "no UserParameters"),
        ("parameters_no_json", "ConfigurationError", "are no JSON"),
        ("parameters_unknown_field", "ConfigurationError", "trainig is unknown"),
        ("dataset_missing", "ConfigurationError", "datasets/nobody/"),
        ("token_foreign", "ConfigurationError", "continuation token"),
        ("token_run_unknown", "JobFailed", "mnist-unknown ended without a record"),
        ("credentials_missing", "ConfigurationError", "lacks data"),
    ],
)
def test_jobs_that_fail(pipeline, name, kind, said):
    assert handle(name)["answer"] == "Failed"
    ((operation, answer),) = pipeline
    assert operation == "PutJobFailureResult"
    assert answer["failureDetails"]["type"] == kind
    assert said in answer["failureDetails"]["message"]
    assert executions() == []


def under_way(name: str) -> None:
    client("stepfunctions").start_execution(
        stateMachineArn=stack.NAMES["StateMachine"], name=name, input="{}"
    )


def test_a_run_under_way_and_its_end(pipeline):
    run_id = json.loads(event("token_run_under_way")["CodePipeline.job"]["data"]["continuationToken"])["run"]
    under_way(run_id)
    assert handle("token_run_under_way")["answer"] == "CarryOn"
    arn = stack.NAMES["StateMachine"].replace(":stateMachine:", ":execution:") + f":{run_id}"
    client("stepfunctions").stop_execution(executionArn=arn)
    record = {
        "run_id": run_id,
        "kind": "run",
        "started_at": "2026",
        "outcome": "DEPLOYED",
        "reason": "It is good.",
    }
    DynamoLedger(stack.NAMES["LedgerTable"]).put_run(
        {**record, "endpoint_name": "retrain-mnist", "image_uri": "x", "decision": {"verdict": "promote"}}
    )
    assert handle("token_run_under_way")["answer"] == "Succeeded"
    operation, answer = pipeline[-1]
    assert operation == "PutJobSuccessResult"
    assert "continuationToken" not in answer
    assert answer["outputVariables"] == {
        "RunId": run_id,
        "Outcome": "DEPLOYED",
        "Verdict": "promote",
        "Endpoint": "retrain-mnist",
        "Accuracy": "none",
        "Metric": "none",
        "Value": "none",
        "Image": "x",
    }


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: Any) -> Callable[[], str]:
    """All that the function writes, whichever way, with every logger as talkative as it can be."""
    stream = io.StringIO()
    monkeypatch.setattr(codepipeline_job.app.logger.registered_handler, "stream", stream)
    # botocore itself prints keys when it is asked to debug, for which the function does not ask.
    caplog.set_level(logging.INFO)
    return lambda: stream.getvalue() + caplog.text + "".join(capsys.readouterr())


@pytest.mark.parametrize("name", NAMES)
def test_no_credentials_are_logged_told_or_returned(pipeline, log, name):
    loaded = event(name if name != "credentials_missing" else "image_detail")
    told = json.dumps([handle(name), pipeline]) + log()
    assert JOB in told
    assert not [secret for secret in secrets(loaded) if secret in told]
    assert "artifactCredentials" not in told


def test_a_fault_of_ours_is_told_and_logged_without_credentials(pipeline, log, monkeypatch):
    def fail(*_: Any, **__: Any) -> None:
        raise ValueError(f"odd: {secrets(event('image_detail'))}")

    monkeypatch.setattr("retraining.pipelines.parameters.parse", fail)
    assert handle("image_detail")["answer"] == "Failed"
    written = log()
    assert "odd: ['***', '***', '***']" in written
    assert not [secret for secret in secrets(event("image_detail")) if secret in written]
    ((_, answer),) = pipeline
    assert answer["failureDetails"]["message"].startswith("The function failed unexpectedly (ValueError)")


@pytest.mark.parametrize("wrong", [{}, {"CodePipeline.job": None}, {"CodePipeline.job": {"data": {}}}, []])
def test_what_is_no_job(aws, wrong):
    with pytest.raises(errors.UnknownEventError, match="no job of CodePipeline"):
        codepipeline_job.app.handler(wrong, CONTEXT)


def test_a_stack_without_settings_says_so_to_the_pipeline(pipeline, monkeypatch):
    monkeypatch.delenv("LEDGER_TABLE")
    settings.load.cache_clear()
    handle("image_detail")
    ((_, answer),) = pipeline
    assert "LEDGER_TABLE" in answer["failureDetails"]["message"]


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_an_answer_that_is_not_taken_for_other_reasons_is_an_error(pipeline, code):
    """Lambda calls again then."""
    pipeline.error = code
    with pytest.raises(errors.AwsError, match=code):
        handle("parameters_missing")


def test_jobs_that_are_gone_are_no_error(answers):
    answers.error = "JobNotFoundException"
    assert CodePipelineJobs().fail(JOB, "JobFailed", "x", "") is False


class TestArtifacts:
    """What the job's credentials open."""

    @pytest.fixture
    def sent(self, monkeypatch: pytest.MonkeyPatch, pipeline: Answers) -> list[Any]:
        """The requests that are sent for artifacts."""
        found: list[Any] = []
        made = JobArtifacts._client

        def watched(self: JobArtifacts) -> Any:
            s3 = made(self)
            s3.meta.events.register("before-send.s3", lambda request, **_: found.append(request))
            return s3

        monkeypatch.setattr(JobArtifacts, "_client", watched)
        return found

    def test_they_are_fetched_with_the_jobs_own_credentials(self, sent):
        assert JobArtifacts(KEYS).fetch(BUCKET, "retrain-pipeline/Handover/text", 100) == b"no archive"
        (request,) = sent
        authorization = str(request.headers["Authorization"])
        assert "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/" in authorization
        assert "TOKEN+EXAMPLE" in str(request.headers["X-Amz-Security-Token"])

    def test_large_ones_are_not_read(self, pipeline):
        with pytest.raises(ArtifactError, match="has 10 bytes, more than 9"):
            JobArtifacts(KEYS).fetch(BUCKET, "retrain-pipeline/Handover/text", 9)

    @pytest.mark.parametrize(("bucket", "key"), [(BUCKET, "nothing"), ("no-such-bucket-anywhere", "x")])
    def test_missing_ones(self, pipeline, bucket, key):
        with pytest.raises(ObjectMissingError, match=f"There is no input artifact s3://{bucket}/{key}"):
            JobArtifacts(KEYS).fetch(bucket, key, 100)

    @pytest.mark.parametrize(
        ("code", "status", "error"),
        [
            ("AccessDenied", 403, AccessRefusedError),
            ("ExpiredToken", 400, AccessRefusedError),
            ("KMS.DisabledException", 400, TransientAwsError),
            ("SlowDown", 503, TransientAwsError),
        ],
    )
    def test_refused_ones_quote_nothing(self, monkeypatch, pipeline, code, status, error):
        def refuse(**_: Any) -> Any:
            answer = {"Error": {"Code": code, "Message": "ASIAEXAMPLE SECRET/EXAMPLE"}}
            raise clients.ClientError({**answer, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")

        monkeypatch.setattr(JobArtifacts, "_client", lambda _: SimpleNamespace(get_object=refuse))
        with pytest.raises(error, match=code) as refused:
            JobArtifacts(KEYS).fetch(BUCKET, "x", 100)
        assert "EXAMPLE" not in str(refused.value)
        assert refused.value.__cause__ is None


def test_credentials_do_not_show_themselves():
    assert "EXAMPLE" not in repr(KEYS)
    assert KEYS.redact("a ASIAEXAMPLE b TOKEN+EXAMPLE") == "a *** b ***"
    assert Credentials("", "", "").redact("text") == "text"
