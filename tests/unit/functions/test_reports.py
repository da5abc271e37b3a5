"""Writing run cards: what they are gathered from, whoever asks, and whatever cannot be read."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import write_report.app
from retraining import card_links, errors, reports
from retraining.aws import links, training_logs
from retraining.aws.clients import client
from retraining.aws.histories import StepFunctionsHistories
from retraining.aws.ledger import DynamoLedger
from retraining.aws.links import S3Links
from retraining.aws.training_logs import CloudWatchTrainingLogs
from retraining.cards.facts import LogLine
from retraining.errors import AccessRefusedError, RunUnknownError, UnknownEventError
from retraining.settings import Settings
from tests.e2e.run_card import recorded
from tests.unit.functions import stack
from tests.unit.functions.fake_ledger import FakeLedger
from tests.unit.functions.fakes import FakeStorage
from tests.unit.functions.states import EXECUTION, RUN_ID, evaluated_state

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
BUCKET = stack.NAMES["ArtifactsBucket"]
RECORD = {
    "kind": "run", "run_id": RUN_ID, "outcome": "DEPLOYED", "dataset": "mnist", "reason": "It is good.",
    "started_at": EXECUTION.started_at, "execution_arn": EXECUTION.arn,
    "training_job_name": f"retrain-{RUN_ID}-r0t0",
}  # fmt: skip


class FakeHistories:
    """Executions that all went the same way."""

    def __init__(self) -> None:
        found = recorded.facts("deployed")
        self.found, self.known = [dict(event) for event in found.events], dict(found.definition or {})
        self.problem: errors.AwsError | None = None

    def events(self, execution_arn: str) -> list[dict[str, Any]]:
        assert execution_arn == EXECUTION.arn
        if self.problem:
            raise self.problem
        return self.found

    def definition(self, execution_arn: str) -> dict[str, Any]:
        return self.known


class FakeLogs:
    """A log of two lines, one of them about an epoch."""

    def __init__(self) -> None:
        self.whole = True
        self.problem: errors.AwsError | None = None

    def read(self, job_name: str, wanted: Callable[[LogLine], bool]) -> tuple[list[LogLine], bool]:
        assert job_name == RECORD["training_job_name"]
        if self.problem:
            raise self.problem
        lines = [LogLine("algo-1", "starting"), LogLine("algo-1", "epoch=1/1 train_loss=0.25")]
        return [line for line in lines if wanted(line)], self.whole


@pytest.fixture
def histories() -> FakeHistories:
    return FakeHistories()


@pytest.fixture
def logs() -> FakeLogs:
    return FakeLogs()


@pytest.fixture
def storage() -> FakeStorage:
    found = FakeStorage()
    found.put(
        BUCKET, f"runs/{RUN_ID}/evaluation.json", json.dumps(recorded.facts("deployed").evaluation).encode()
    )
    return found


@pytest.fixture
def write(
    configured: Settings, storage: FakeStorage, histories: FakeHistories, logs: FakeLogs
) -> Callable[..., tuple[str, list[str]]]:
    """Write a card; gives the page and what it could not find out."""

    def written(**changes: Any) -> tuple[str, list[str]]:
        answer = reports.write({**RECORD, **changes}, NOW, configured, storage, histories, logs)
        assert answer["s3_uri"] == f"s3://{BUCKET}/runs/{RUN_ID}/report.html"
        return storage.read(BUCKET, f"runs/{RUN_ID}/report.html").decode(), answer["unknown"]

    return written


def test_a_card_is_gathered_from_everywhere(write: Callable[..., Any]) -> None:
    html, unknown = write()
    for part in ("It is good.", "UpdateEndpoint", "train_loss", "class 7", "written 2026-01-31 12:00:00 UTC"):
        assert part in html
    assert unknown == []


def test_what_cannot_be_read_is_said_and_the_rest_shown(
    write: Callable[..., Any], histories: FakeHistories, logs: FakeLogs, storage: FakeStorage
) -> None:
    histories.problem = AccessRefusedError("Reading the history failed.")
    logs.problem = AccessRefusedError("Reading the log failed.")
    storage.put(BUCKET, f"runs/{RUN_ID}/evaluation.json", b"{")
    html, unknown = write()
    assert [sentence.split(":")[0] for sentence in unknown] == [
        "The way through the state machine is not known",
        "The training log is not known",
        "The gate's figures by class and slice are not known",
    ]
    assert "Reading the history failed." in html
    assert "It is good." in html


def test_a_log_that_is_too_long_is_said_to_be(write: Callable[..., Any], logs: FakeLogs) -> None:
    logs.whole = False
    html, unknown = write()
    assert unknown == ["The training log is very long: only its first part was looked through."]
    assert "train_loss" in html


def test_a_run_without_evaluation_and_job_has_nothing_unknown(
    write: Callable[..., Any], storage: FakeStorage
) -> None:
    storage.delete(BUCKET, f"runs/{RUN_ID}/evaluation.json")
    html, unknown = write(training_job_name=None, execution_arn=None)
    assert unknown == []
    assert "train_loss" not in html


def payload(**more: Any) -> dict[str, Any]:
    execution = {"id": EXECUTION.arn, "name": EXECUTION.name, "started_at": EXECUTION.started_at}
    finished = {"outcome": "REJECTED", "finished_at": "2026-01-31T12:05:00Z"}
    return {"execution": execution, **finished, "input": evaluated_state("reject"), **more}


def test_the_ledger_s_record_counts(configured: Settings) -> None:
    ledger = FakeLedger()
    ledger.put_run({**RECORD, "hyperparameters": {"epochs": "3"}})
    found = reports.ended(payload(), EXECUTION, ledger, configured)
    assert found["hyperparameters"] == {"epochs": "3"}


def test_without_a_record_in_the_ledger_the_state_s_counts(configured: Settings) -> None:
    ledger = FakeLedger()
    ledger.put_run({**RECORD, "outcome": "RUNNING"})
    state = {**evaluated_state("reject"), "record": {"run": {**RECORD, "outcome": "REJECTED"}}}
    assert reports.ended(payload(input=state), EXECUTION, ledger, configured)["outcome"] == "REJECTED"
    made = reports.ended(payload(), EXECUTION, ledger, configured)
    assert (made["outcome"], made["finished_at"]) == ("REJECTED", "2026-01-31T12:05:00Z")
    assert made["decision"]["verdict"] == "reject"


def test_a_ledger_that_cannot_be_read_keeps_no_card_from_being_written(
    configured: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = FakeLedger()

    def refuse(run_id: str) -> None:
        raise AccessRefusedError("No access.")

    monkeypatch.setattr(ledger, "get_run", refuse)
    assert reports.ended(payload(), EXECUTION, ledger, configured)["outcome"] == "REJECTED"


def test_a_failure_before_anything_was_known_has_a_card(
    configured: Settings, storage: FakeStorage, histories: FakeHistories, logs: FakeLogs
) -> None:
    state = {"dataset": "not an object", "error": {"Error": "RequestError", "Cause": "It is no request."}}
    record = reports.ended(payload(input=state, outcome="FAILED"), EXECUTION, FakeLedger(), configured)
    reports.write(record, NOW, configured, storage, histories, logs)
    assert b"It is no request." in storage.read(BUCKET, f"runs/{RUN_ID}/report.html")


@pytest.mark.parametrize(
    "question", [{}, {"run_id": ""}, {"run_id": "../x"}, {"run_id": 7}, "mnist", {"run_id": "x" * 81}]
)
def test_questions_that_name_no_run(question: Any) -> None:
    with pytest.raises(UnknownEventError, match="with the id of a run"):
        reports.asked_for({"report": question}, FakeLedger())


def test_a_run_that_nobody_knows() -> None:
    with pytest.raises(RunUnknownError, match="'retrain runs' lists"):
        reports.asked_for({"report": {"run_id": "cifar-1"}}, FakeLedger())


# -------------------------------------------------------------------------------- the function and AWS itself
def log(job: str, stream: str, *messages: str) -> None:
    logs = client("logs")
    group = training_logs.LOG_GROUP
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=f"{job}/{stream}")
    now = int(datetime.now(UTC).timestamp() * 1000)
    events = [{"timestamp": now + number, "message": text} for number, text in enumerate(messages)]
    logs.put_log_events(logGroupName=group, logStreamName=f"{job}/{stream}", logEvents=events)


@pytest.mark.usefixtures("aws")
def test_logs_are_read_host_by_host() -> None:
    everything = CloudWatchTrainingLogs().read("job-1-r0t0", lambda line: True)
    assert everything == ([], True)
    log("job-1-r0t0", "algo-10-1700000000", "of the tenth")
    log("job-1-r0t0", "algo-2-1700000000", "of the second")
    log("job-1-r0t0", "algo-1-1700000000", "epoch=1 loss=2\n", "chatter")
    log("job-1-r0t01", "algo-1-1700000000", "of another job")
    found, whole = CloudWatchTrainingLogs().read("job-1-r0t0", lambda line: line.text != "chatter")
    assert whole
    assert [(line.host, line.text) for line in found] == [
        ("algo-1", "epoch=1 loss=2"), ("algo-2", "of the second"), ("algo-10", "of the tenth"),
    ]  # fmt: skip


@pytest.mark.usefixtures("aws")
def test_a_log_without_end_is_not_read_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[str] = []

    class Endless:
        def describe_log_streams(self, **request: Any) -> dict[str, Any]:
            return {"logStreams": [{"logStreamName": "job/algo-1-1", "creationTime": 1}]}

        def get_log_events(self, **request: Any) -> dict[str, Any]:
            pages.append(str(request.get("nextToken")))
            return {"events": [{"message": "epoch=1 loss=1"}], "nextForwardToken": f"t{len(pages)}"}

    monkeypatch.setattr(training_logs, "client", lambda service: Endless())
    found, whole = CloudWatchTrainingLogs().read("job", lambda line: True)
    assert (len(found), whole) == (training_logs.MOST_PAGES, False)
    assert pages[:3] == ["None", "t1", "t2"]


@pytest.mark.usefixtures("aws")
def test_histories_are_read_page_by_page_and_without_data(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    class Pages:
        def get_execution_history(self, **request: Any) -> dict[str, Any]:
            asked.append(request.copy())
            page = len(asked)
            return {"events": [{"id": page}], **({"nextToken": f"t{page}"} if page < 3 else {})}

        def describe_state_machine_for_execution(self, **request: Any) -> dict[str, Any]:
            return {"definition": '{"States": {}}'}

    monkeypatch.setattr("retraining.aws.histories.client", lambda service: Pages())
    assert StepFunctionsHistories().events(EXECUTION.arn) == [{"id": 1}, {"id": 2}, {"id": 3}]
    assert [request.get("nextToken") for request in asked] == [None, "t1", "t2"]
    assert all(request["includeExecutionData"] is False for request in asked)
    assert StepFunctionsHistories().definition(EXECUTION.arn) == {"States": {}}


@pytest.mark.usefixtures("aws")
def test_an_execution_that_is_forgotten_is_an_error_of_ours() -> None:
    with pytest.raises(errors.AwsError, match="Reading the history of"):
        StepFunctionsHistories().events(EXECUTION.arn)


@pytest.mark.usefixtures("aws")
def test_links_name_the_region_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    links._client.cache_clear()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    url = urlsplit(S3Links().link("artifacts", "runs/r-1/report.html", hours=2))
    links._client.cache_clear()
    assert (url.scheme, url.netloc, url.path) == (
        "https", "artifacts.s3.eu-central-1.amazonaws.com", "/runs/r-1/report.html",
    )  # fmt: skip
    query = parse_qs(url.query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["7200"]


@pytest.fixture
def handle(aws: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """Invoke the function."""
    monkeypatch.setattr(write_report.app.logger.registered_handler, "stream", io.StringIO())
    return lambda event: write_report.app.handler(event, SimpleNamespace(aws_request_id="1"))


def test_the_function_writes_the_card_of_a_run_that_ends(handle: Callable[[Any], Any]) -> None:
    log(f"retrain-{RUN_ID}-r0t0", "algo-1-1700000000", "epoch=1/1 train_loss=0.25")
    answer = handle(payload())
    assert answer["s3_uri"] == f"s3://{BUCKET}/runs/{RUN_ID}/report.html"
    (unknown,) = answer["unknown"]  # moto runs no executions
    assert unknown.startswith("The way through the state machine is not known: ")
    kept = client("s3").get_object(Bucket=BUCKET, Key=f"runs/{RUN_ID}/report.html")
    assert kept["ContentType"] == "text/html; charset=utf-8"
    html = kept["Body"].read().decode()
    assert "REJECTED" in html
    assert "train_loss" in html


def test_the_function_writes_the_card_that_is_asked_for(handle: Callable[[Any], Any]) -> None:
    DynamoLedger(stack.NAMES["LedgerTable"]).put_run({**RECORD, "cost_estimate": {"usd": 0.0004466}})
    assert handle({"report": {"run_id": RUN_ID}})["s3_uri"].endswith(f"/{RUN_ID}/report.html")
    html = client("s3").get_object(Bucket=BUCKET, Key=f"runs/{RUN_ID}/report.html")["Body"].read().decode()
    assert "It is good." in html
    assert "$0.00045" in html


def test_the_function_is_for_the_state_machine_and_for_questions_only(handle: Callable[[Any], Any]) -> None:
    with pytest.raises(UnknownEventError):
        handle({"dataset": "mnist"})
    with pytest.raises(RunUnknownError):
        handle({"report": {"run_id": "cifar-1"}})


# ------------------------------------------------------------------------------------ links in notifications
STATE = {"report": {"s3_uri": f"s3://{BUCKET}/runs/{RUN_ID}/report.html"}}


class FakeLinks:
    def __init__(self, problem: errors.AwsError | None = None) -> None:
        self.problem = problem

    def link(self, bucket: str, key: str, hours: int) -> str:
        if self.problem:
            raise self.problem
        return f"https://{bucket}/{key}?{hours}"


def test_a_notification_links_the_card_and_says_how_long() -> None:
    card, remark = card_links.lines(STATE, RUN_ID, 12, FakeLinks())
    assert card == f"  run card   https://{BUCKET}/runs/{RUN_ID}/report.html?12"
    assert remark.strip() == f"It opens for at most 12 hours; afterwards: retrain report {RUN_ID}"
    assert "1 hour;" in card_links.lines(STATE, RUN_ID, 1, FakeLinks())[1]


@pytest.mark.parametrize("state", [{}, {"report": None}, {"report": {}}, {"report": {"s3_uri": "x"}}])
def test_without_a_card_people_are_told_how_to_get_one(state: dict[str, Any]) -> None:
    assert card_links.lines(state, RUN_ID, 12, FakeLinks()) == [f"  run card   retrain report {RUN_ID}"]


def test_links_can_be_switched_off() -> None:
    assert card_links.lines(STATE, RUN_ID, 0, FakeLinks()) == [f"  run card   retrain report {RUN_ID}"]


def test_a_link_that_cannot_be_signed_is_said_and_keeps_nobody_from_being_told() -> None:
    found = card_links.lines(STATE, RUN_ID, 12, FakeLinks(AccessRefusedError("No credentials.")))
    assert found == [f"  run card   retrain report {RUN_ID}", "             It has no link: No credentials."]
