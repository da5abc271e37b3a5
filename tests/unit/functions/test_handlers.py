"""Every file in events/ is fed to its handler, against the stack of template.yaml in moto."""

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

import clean_up.app
import codepipeline_job.app
import evaluate_challenger.app
import notify.app
import prepare_training.app
import record_outcome.app
import report_interruption.app
import start_retraining.app
import verify_endpoint.app
import write_report.app
from retraining import errors, settings
from retraining.aws.clients import client
from retraining.aws.ledger import DynamoLedger
from retraining.aws.storage import S3Storage
from retraining.aws.topic import SnsTopic
from retraining.datasets import version
from tests.samples.world import MANIFEST
from tests.unit.functions import stack
from tests.unit.functions.fakes import labels_csv, output_archive, predictions_csv
from tests.unit.functions.states import RUN_ID

EVENTS = stack.ROOT / "events"
DATA, ARTIFACTS = stack.NAMES["DataBucket"], stack.NAMES["ArtifactsBucket"]
LABELS = [str(row % 10) for row in range(100)]
HANDLERS = {
    "upload": start_retraining.app.handler,
    "prepare": prepare_training.app.handler,
    "evaluate": evaluate_challenger.app.handler,
    "verify": verify_endpoint.app.handler,
    "record": record_outcome.app.handler,
    "clean": clean_up.app.handler,
    "write": write_report.app.handler,
    "notify": notify.app.handler,
    "interrupt": report_interruption.app.handler,
    "codepipeline": codepipeline_job.app.handler,
}
CONTEXT = SimpleNamespace(aws_request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef")


@pytest.fixture(autouse=True)
def uploaded(aws: None) -> None:
    """A dataset, its holdout, one dataset without a holdout, images, and the output of a training job."""
    s3, ecr = client("s3"), client("ecr")
    client("sqs").create_queue(QueueName="DelayQueue")
    ecr.create_repository(repositoryName="retrain-training")
    for tag in ("1.0", "2.0"):
        ecr.put_image(repositoryName="retrain-training", imageManifest=MANIFEST, imageTag=tag)
    for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "_SUCCESS"):
        s3.put_object(Bucket=DATA, Key=f"datasets/mnist/{name}", Body=name.encode())
    s3.put_object(Bucket=DATA, Key="datasets/fresh/rows.csv", Body=b"1,2\n")
    s3.put_object(Bucket=DATA, Key="holdout/mnist/labels.csv", Body=labels_csv(LABELS))
    prefix = f"runs/{RUN_ID}/training/retrain-{RUN_ID}-r0t0/output"
    output = output_archive(predictions=predictions_csv(LABELS, LABELS))
    s3.put_object(Bucket=ARTIFACTS, Key=f"{prefix}/output.tar.gz", Body=output)


def event(name: str) -> dict[str, Any]:
    loaded = json.loads((EVENTS / f"{name}.json").read_text())
    if "run" in (loaded.get("input") or {}):
        prefix = "holdout/mnist/"
        pinned = version(S3Storage().list_objects(DATA, prefix), prefix)
        loaded["input"]["run"]["holdout_version"] = pinned.digest
    if name.startswith("upload"):
        # The sample's uploads are of January; moto's are of now.
        for record in loaded["Records"]:
            record["body"] = record["body"].replace("2026-01-31T12:00:00Z", "2100-01-01T00:00:00Z")
    return loaded


def handle(name: str) -> Any:
    return HANDLERS[name.partition("_")[0]](event(name), CONTEXT)


def executions() -> list[str]:
    answer = client("stepfunctions").list_executions(stateMachineArn=stack.NAMES["StateMachine"])
    return [execution["name"] for execution in answer["executions"]]


def test_an_upload_is_noted_and_its_marker_starts_one_run():
    assert handle("upload_dataset_several_files") == {"batchItemFailures": []}
    assert executions() == []
    for _ in range(2):
        assert handle("upload_dataset_marker") == {"batchItemFailures": []}
        assert [run_id[:6] for run_id in executions()] == ["mnist-"]


def test_a_file_and_its_marker_in_one_delivery_are_one_batch():
    both = event("upload_dataset_several_files")
    both["Records"] += event("upload_dataset_marker")["Records"]
    for number, record in enumerate(both["Records"]):
        record["messageId"] = f"m{number}"
    assert start_retraining.app.handler(both, CONTEXT) == {"batchItemFailures": []}
    assert len(executions()) == 1
    batch = DynamoLedger(stack.NAMES["LedgerTable"]).get_batch("mnist")
    assert batch is not None
    assert not batch.is_open


def test_a_poison_message_fails_alone():
    failed = handle("upload_batch_with_poison_message")["batchItemFailures"]
    assert [failure["itemIdentifier"][-4:] for failure in failed] == ["0000"]
    assert DynamoLedger(stack.NAMES["LedgerTable"]).get_batch("mnist") is not None


def test_messages_that_cannot_be_handled_now_come_again(monkeypatch):
    def fail(*arguments: object) -> None:
        raise errors.TransientAwsError("DynamoDB is busy.")

    monkeypatch.setattr("retraining.batches.note", fail)
    failed = handle("upload_dataset_several_files")["batchItemFailures"]
    assert len(failed) == 2
    monkeypatch.setattr("retraining.batches.close_by_marker", fail)
    assert len(handle("upload_dataset_marker")["batchItemFailures"]) == 1


def test_an_event_that_is_no_delivery_of_a_queue():
    with pytest.raises(errors.UnknownEventError, match="listens to its queues only"):
        start_retraining.app.handler({"dataset": "mnist"}, CONTEXT)


@pytest.mark.parametrize("name", ["prepare_run_name_only", "prepare_run_everything_given"])
def test_requests_that_are_prepared(name):
    prepared = handle(name)
    assert prepared["run"]["file_count"] == 2
    record = DynamoLedger(stack.NAMES["LedgerTable"]).get_run(RUN_ID)
    assert record is not None
    assert record["outcome"] == "RUNNING"
    assert record["retrain_key"] == prepared["run"]["retrain_key"]


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("prepare_run_unknown_field", errors.RequestError, "trainig is unknown here"),
        ("prepare_run_foreign_image", errors.RequestError, "AllowedImageRepositories"),
        ("prepare_run_foreign_bucket", errors.RequestError, "must be a folder under s3://retrain-databucket"),
        ("prepare_run_holdout_missing", errors.HoldoutMissingError, r"holdout/fresh/labels\.csv"),
        ("prepare_run_dataset_missing", errors.DatasetEmptyError, "upload the dataset first"),
    ],
)
def test_requests_that_are_refused(name, error, said):
    with pytest.raises(error, match=said):
        handle(name)
    assert DynamoLedger(stack.NAMES["LedgerTable"]).get_run(RUN_ID) is None


def test_a_challenger_is_judged():
    decision = handle("evaluate_challenger_completed")
    assert decision["verdict"] == "promote"
    assert decision["metrics"]["challenger"]["accuracy"] == 1.0
    assert decision["deployment"]["action"] == "create"


def test_the_gate_answers_questions_without_writing():
    decision = handle("evaluate_challenger_completed")
    replay = {"replay": {"run_id": RUN_ID, "gate": {"min_holdout_rows": 1000}}}
    answer = evaluate_challenger.app.handler(replay, CONTEXT)
    assert (answer["verdict"], answer["recorded"]["verdict"]) == ("reject", decision["verdict"])
    client("dynamodb").put_item(
        TableName=stack.NAMES["LedgerTable"],
        Item={
            "pk": {"S": "POLICY#mnist"},
            "sk": {"S": "POLICY"},
            "kind": {"S": "policy"},
            "gate": {"M": {"alpha": {"N": "0.01"}, "slice_floor": {"S": "off"}}},
        },
    )
    policy = evaluate_challenger.app.handler({"policy": {"dataset": "mnist"}}, CONTEXT)["gate"]
    assert (policy["alpha"], policy["slice_floor"]) == (0.01, None)


def test_a_challenger_that_was_cut_off():
    with pytest.raises(errors.TrainingStoppedError, match="longer than its limit"):
        handle("evaluate_challenger_job_stopped")


@pytest.mark.parametrize(
    ("name", "outcome", "reason"),
    [
        ("record_run_deployed", "DEPLOYED", "reaches the required"),
        ("record_run_rejected", "REJECTED", "is below the required"),
        ("record_run_request_refused", "FAILED", "trainig is unknown here"),
        ("record_run_training_failed", "FAILED", "train-images-idx3-ubyte is cut short"),
        ("record_run_rolled_back", "ROLLED_BACK", "serves retrain-mnist-champion again"),
        ("record_run_endpoint_failed", "FAILED", "did not pass the ping health check"),
    ],
)
def test_runs_are_recorded(name, outcome, reason):
    answer = handle(name)
    assert answer["outcome"] == outcome
    ledger = DynamoLedger(stack.NAMES["LedgerTable"])
    record = ledger.get_run(RUN_ID)
    assert record is not None
    assert record["outcome"] == outcome
    assert reason in record["reason"]
    assert record["started_at"] == "2026-01-31T12:00:00.000Z"
    assert record["finished_at"] == "2026-01-31T12:10:00.000Z"
    kept = json.loads(S3Storage().read(ARTIFACTS, f"runs/{RUN_ID}/run.json"))
    assert kept == record
    assert (ledger.get_champion("retrain-mnist") is not None) == (outcome == "DEPLOYED")


def test_runs_are_listed_by_kind_newest_last():
    handle("record_run_deployed")
    answer = client("dynamodb").query(
        TableName=stack.NAMES["LedgerTable"],
        IndexName="ByKind",
        KeyConditionExpression="kind = :kind",
        ExpressionAttributeValues={":kind": {"S": "run"}},
    )
    assert [item["run_id"]["S"] for item in answer["Items"]] == [RUN_ID]


def receiver(queue_name: str) -> Any:
    """Make a queue; gives what returns the bodies of its messages."""
    queue = client("sqs").create_queue(QueueName=queue_name)["QueueUrl"]

    def received() -> list[dict[str, Any]]:
        answer = client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    return received


@pytest.fixture
def inbox() -> Any:
    """What a subscriber of the topic receives."""
    received, arn = receiver("inbox"), f"arn:aws:sqs:{stack.REGION}:{stack.ACCOUNT}:inbox"
    client("sns").subscribe(TopicArn=stack.NAMES["NotificationTopic"], Protocol="sqs", Endpoint=arn)
    return received


@pytest.mark.parametrize(
    ("name", "outcome", "said"),
    [
        ("notify_run_deployed", "DEPLOYED", "serves the model of this run, accuracy 98.00 %"),
        ("notify_run_rejected", "REJECTED", "The challenger was rejected."),
        ("notify_run_unrecorded", "FAILED", "could not be written to the ledger"),
    ],
)
def test_people_are_told(inbox, name, outcome, said):
    answer = handle(name)
    assert answer["outcome"] == outcome
    assert answer["reason"]
    (message,) = inbox()
    assert message["Subject"] == answer["subject"]
    assert said in message["Message"]
    attributes = {key: value["Value"] for key, value in message["MessageAttributes"].items()}
    assert attributes == {"outcome": outcome, "dataset": "mnist"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("interrupt_execution_timed_out", "ran longer than the state machine allows"),
        ("interrupt_execution_aborted", "was stopped before it ended. Wrong dataset, starting over."),
        ("interrupt_execution_failed_uncaught", "could not be found"),
        ("interrupt_execution_input_left_out", "was stopped before it ended."),
        ("interrupt_execution_input_no_object", "input is not a JSON object"),
    ],
)
@pytest.mark.parametrize("prepared", [True, False])
def test_interrupted_runs_are_recorded_and_told(inbox, name, reason, prepared):
    if prepared:
        handle("prepare_run_name_only")
    assert handle(name) == {"recorded": True, "told": "now"}
    record = DynamoLedger(stack.NAMES["LedgerTable"]).get_run(RUN_ID)
    assert record is not None
    assert (record["outcome"], record["finished_at"]) == ("FAILED", "2026-01-31T13:00:00.000Z")
    assert reason in record["reason"]
    assert (record["file_count"] == 2) == prepared
    (message,) = inbox()
    assert reason in message["Message"]
    assert handle(name) == {"recorded": False, "told": "before"}, "a second delivery tells nobody again"
    assert inbox() == []


def test_a_run_that_recorded_and_told_itself_is_not_told_twice(inbox):
    handle("record_run_training_failed")
    notify.app.handler(told("FAILED"), CONTEXT)
    assert len(inbox()) == 1
    assert handle("interrupt_execution_failed_uncaught") == {"recorded": False, "told": "before"}
    assert inbox() == []


def test_a_run_that_recorded_itself_and_could_not_tell_is_told(inbox):
    handle("record_run_training_failed")
    assert handle("interrupt_execution_failed_uncaught") == {"recorded": False, "told": "now"}
    (message,) = inbox()
    assert "train-images-idx3-ubyte is cut short" in message["Message"]


def told(outcome: str) -> dict[str, Any]:
    """What a state Notify... sends after its Record... of the same run, whose record the ledger has."""
    payload = event("notify_run_deployed")
    return {**payload, "outcome": outcome, "input": {}}


def untold(outcome: str) -> dict[str, Any]:
    """A delivery of the queue of untold outcomes."""
    payload = {name: told(outcome)[name] for name in ("execution", "outcome", "finished_at")}
    return {"Records": [{"messageId": "m1", "body": json.dumps(payload), "eventSource": "aws:sqs"}]}


def test_an_interruption_that_cannot_be_told_is_queued_and_told_later(inbox, monkeypatch):
    queue = client("sqs").create_queue(QueueName="UntoldQueue")["QueueUrl"]
    monkeypatch.setenv("UNTOLD_QUEUE_URL", queue)
    settings.load.cache_clear()
    published = SnsTopic.publish

    def refuse(*arguments: object) -> None:
        raise errors.AccessRefusedError("No.")

    monkeypatch.setattr(SnsTopic, "publish", refuse)
    assert handle("interrupt_execution_timed_out") == {"recorded": True, "told": "later"}
    sent = client("sqs").receive_message(QueueUrl=queue).get("Messages", [])
    assert sent == [], "it is tried again after a while, not at once"
    assert notify.app.handler(untold("FAILED"), CONTEXT) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    monkeypatch.setattr(SnsTopic, "publish", published)
    assert notify.app.handler(untold("FAILED"), CONTEXT) == {"batchItemFailures": []}
    (message,) = inbox()
    assert "ran longer than the state machine allows" in message["Message"]
    assert "  run card   retrain report" in message["Message"]
    assert notify.app.handler(untold("FAILED"), CONTEXT) == {"batchItemFailures": []}
    assert inbox() == [], "a second delivery tells nobody again"


@pytest.fixture
def heard() -> Any:
    """What a program hears on the default event bus."""
    received, arn = receiver("programs"), f"arn:aws:sqs:{stack.REGION}:{stack.ACCOUNT}:programs"
    pattern = json.dumps({"source": ["retrain"], "detail-type": ["Retrain Finished"]})
    client("events").put_rule(Name="finished", EventPattern=pattern)
    client("events").put_targets(Rule="finished", Targets=[{"Id": "programs", "Arn": arn}])
    return received


@pytest.mark.parametrize(
    "name", ["record_run_training_failed", "record_run_rejected", "record_run_rolled_back"]
)
def test_programs_are_told_the_whole_record_once(heard, name):
    outcome = handle(name)["outcome"]
    for _ in range(2):
        notify.app.handler(told(outcome), CONTEXT)
    (found,) = heard()
    record = json.loads(S3Storage().read(ARTIFACTS, f"runs/{RUN_ID}/run.json"))
    added = {"record_s3_uri": f"s3://{ARTIFACTS}/runs/{RUN_ID}/run.json", "left_out": []}
    assert found["detail"] == {**record, **added}
    assert found["detail"]["hyperparameters"]


def test_programs_are_told_of_interruptions_too(heard):
    handle("interrupt_execution_aborted")
    (found,) = heard()
    assert found["detail"]["outcome"] == "FAILED"


def test_runs_are_counted_by_outcome_and_check(capsys):
    handle("record_run_rejected")
    capsys.readouterr()
    for _ in range(2):
        notify.app.handler(told("REJECTED"), CONTEXT)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    (run,) = [line for line in lines if "Runs" in line]
    assert (run["outcome"], run["service"], run["run_id"]) == ("REJECTED", "retrain", RUN_ID)
    assert run["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service", "outcome"]]
    checks = {line["check"]: line["result"] for line in lines if "GateChecks" in line}
    assert checks["value_threshold"] == "failed"
    assert checks["predictions"] == "passed"
    assert [line["RunSeconds"] for line in lines if "RunSeconds" in line] == [[600.0]]


@pytest.mark.parametrize("event", [{}, {"detail": {}}, {"detail": {"status": "FAILED", "name": "x"}}])
def test_what_is_no_status_change(event):
    with pytest.raises(errors.UnknownEventError):
        report_interruption.app.handler(event, CONTEXT)


@pytest.mark.parametrize("handler", ["prepare", "evaluate", "verify", "record", "clean", "notify"])
def test_functions_of_the_state_machine_refuse_other_callers(handler):
    with pytest.raises(errors.UnknownEventError, match="only the state machine"):
        HANDLERS[handler]({"input": {}}, CONTEXT)


def test_logs_carry_the_execution_and_never_the_event(monkeypatch, capsys):
    log = io.StringIO()
    monkeypatch.setattr(prepare_training.app.logger.registered_handler, "stream", log)
    handle("prepare_run_everything_given")
    (line,) = log.getvalue().splitlines()
    assert json.loads(line)["correlation_id"] == RUN_ID
    assert "hyperparameters" not in line
    assert '"RunsPrepared"' in capsys.readouterr().out


def test_failures_are_counted_by_name(capsys):
    with pytest.raises(errors.RequestError):
        handle("prepare_run_unknown_field")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert any("_aws" in line and "RequestError" in line for line in lines)
