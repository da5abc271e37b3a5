"""How runs end reaches people, programs and alarms, once each; and later if it cannot be told now."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration.outcomes.conftest import People, Told
from tests.integration.outcomes.test_own_models import csv, labels_csv

STACK, DATASET = "telltale", "tales"
PROGRAM = Path(__file__).with_name("centroids.py").read_text()


def points(count: int, seed: int) -> np.ndarray[Any, Any]:
    """Return rows of label, x and y, of three groups that hardly overlap."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, count)
    places = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])[labels] + generator.normal(0, 0.7, (count, 2))
    return np.column_stack([labels, places])


class Telltale:
    """A stack, somebody who reads its messages, and a program that hears its events."""

    def __init__(self, people: People, heard_url: str) -> None:
        self.people, self.heard_url = people, heard_url
        self.topic = people.outputs["NotificationTopicArn"]

    def resource(self, logical_id: str) -> str:
        found = self.people.aws("cloudformation").describe_stack_resource(
            StackName=STACK, LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def silence(self) -> None:
        """Take the topic away, as whoever deletes it or forbids it would."""
        self.people.aws("sns").delete_topic(TopicArn=self.topic)

    def speak(self) -> None:
        """Make the topic again, with its subscriber."""
        sns, sqs = self.people.aws("sns"), self.people.aws("sqs")
        assert sns.create_topic(Name=self.topic.rpartition(":")[2])["TopicArn"] == self.topic
        attributes = sqs.get_queue_attributes(QueueUrl=self.people.queue_url, AttributeNames=["QueueArn"])
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=attributes["Attributes"]["QueueArn"])

    def messages(self, url: str) -> list[dict[str, Any]]:
        """Whatever lies in a queue now."""
        sqs = self.people.aws("sqs")
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]

    def heard(self, run_id: str) -> dict[str, Any]:
        """The next event, which must be about this run."""
        ask = lambda: self.messages(self.heard_url)  # noqa: E731
        (event,) = self.people.wait_until(ask, what="an event Retrain Finished")
        detail: dict[str, Any] = event["detail"]
        assert (event["detail-type"], detail["run_id"]) == ("Retrain Finished", run_id)
        return detail

    def alarm(self, name: str) -> str:
        found = self.people.aws("cloudwatch").describe_alarms(AlarmNames=[f"{STACK}-{name}"])["MetricAlarms"]
        return str(found[0]["StateValue"])

    def fail(self) -> Told:
        """A run that fails at once: its request has a field that nobody knows."""
        self.people.start({"dataset": {"name": DATASET}, "nonsense": True})
        return self.people.told(DATASET)


@pytest.fixture(scope="module")
def telltale(open_stack: Callable[..., People]) -> Iterator[Telltale]:
    people = open_stack(STACK)
    source = people.program(STACK, PROGRAM)
    people = open_stack(STACK, TrainingSourceS3Uri=source, BakingSeconds="1", TerminationWaitSeconds="1")
    rows = points(200, seed=2)
    people.put_holdout(
        DATASET, {"rows.csv": csv("label,x,y", rows), "labels.csv": labels_csv(rows[:, 0].tolist())}
    )
    events, sqs = people.aws("events"), people.aws("sqs")
    url = sqs.create_queue(QueueName=f"{STACK}-programs")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["retrain"], "detail-type": ["Retrain Finished"], "detail": {"dataset": [DATASET]}}
    events.put_rule(Name=f"{STACK}-programs", EventPattern=json.dumps(pattern))
    events.put_targets(Rule=f"{STACK}-programs", Targets=[{"Id": "programs", "Arn": arn}])
    found = Telltale(people, url)
    # Nobody wants to wait for a quarter of an hour here.
    impatient = {"DelaySeconds": "0", "VisibilityTimeout": "1"}
    sqs.set_queue_attributes(QueueUrl=found.resource("UntoldQueue"), Attributes=impatient)
    yield found
    events.remove_targets(Rule=f"{STACK}-programs", Ids=["programs"])
    events.delete_rule(Name=f"{STACK}-programs")


def test_a_deployment_that_cannot_be_told_stands_and_is_told_later(
    telltale: Telltale, outcome: Callable[..., dict[str, Any]]
) -> None:
    people, states = telltale.people, telltale.people.aws("stepfunctions")
    telltale.silence()
    bucket = people.outputs["DataBucketName"]
    for name, body in (("a.csv", csv("label,x,y", points(200, seed=1))), ("_SUCCESS", b"")):
        people.aws("s3").put_object(Bucket=bucket, Key=f"datasets/{DATASET}/{name}", Body=body)

    def started() -> list[dict[str, Any]]:
        machine = people.outputs["StateMachineArn"]
        return list(states.list_executions(stateMachineArn=machine)["executions"])

    (execution,) = people.wait_until(started, what="an execution")
    assert outcome(execution["executionArn"], seconds=60)["status"] == "SUCCEEDED"
    run_id = execution["name"]
    assert people.serving(f"{STACK}-{DATASET}")
    assert people.run_record(run_id)["outcome"] == "DEPLOYED"
    assert telltale.heard(run_id)["outcome"] == "DEPLOYED"
    assert telltale.messages(people.queue_url) == []

    telltale.speak()
    told = people.told(DATASET)
    assert (told.attributes["outcome"], told.run["run_id"]) == ("DEPLOYED", run_id)
    assert "What it cost" in told.body
    assert f"runs/{run_id}/report.html" in told.body, "the card is found without the state machine's data"
    assert telltale.messages(telltale.heard_url) == [], "programs were told already"


def test_a_failed_run_is_told_to_all_and_rings_its_alarm(telltale: Telltale) -> None:
    told = telltale.fail()
    assert told.attributes["outcome"] == "FAILED"
    detail = telltale.heard(told.run["run_id"])
    added = {"record_s3_uri", "left_out"}
    assert {name: value for name, value in detail.items() if name not in added} == told.run
    telltale.people.wait_until(lambda: telltale.alarm("failed-runs") == "ALARM", what="the alarm")
    assert telltale.alarm("rolled-back-runs") != "ALARM"


def test_what_cannot_be_handled_rings_and_is_told_in_words(telltale: Telltale) -> None:
    people = telltale.people
    url = people.outputs["ArrivalDeadLetterQueueUrl"]
    people.aws("sqs").send_message(QueueUrl=url, MessageBody="{}")
    ask = lambda: telltale.messages(people.queue_url)  # noqa: E731
    (message,) = people.wait_until(ask, what="the news of the alarm")
    assert message["Subject"] == f"Retrain {STACK}: something could not be handled"
    attributes = {name: entry["Value"] for name, entry in message["MessageAttributes"].items()}
    assert attributes == {"outcome": "ALARM", "dataset": "all", "alarm": "dead-letters"}
    assert "start-message-move-task" in message["Message"]
    people.aws("sqs").purge_queue(QueueUrl=url)


def test_the_dashboard_shows_what_was_counted(telltale: Telltale) -> None:
    cloudwatch = telltale.people.aws("cloudwatch")
    body = json.loads(cloudwatch.get_dashboard(DashboardName=STACK)["DashboardBody"])
    shown = {
        (entry[1], tuple(part for part in entry[2:] if isinstance(part, str)))
        for widget in body["widgets"]
        for entry in widget["properties"].get("metrics", [])
        if entry[0] == "Retrain"
    }
    counted = {
        (metric["MetricName"], tuple(part for pair in metric["Dimensions"] for part in pair.values()))
        for metric in cloudwatch.list_metrics(Namespace="Retrain")["Metrics"]
    }
    for outcome in ("DEPLOYED", "FAILED"):
        assert ("Runs", ("service", STACK, "outcome", outcome)) in shown & counted
    assert ("RunSeconds", ("service", STACK)) in shown & counted
    checks = {dimensions for name, dimensions in counted if name == "GateChecks" and STACK in dimensions}
    assert ("check", "value_threshold", "result", "passed", "service", STACK) in {
        tuple(sorted_pairs(dimensions)) for dimensions in checks
    }


def sorted_pairs(dimensions: tuple[str, ...]) -> list[str]:
    pairs = sorted(zip(dimensions[::2], dimensions[1::2], strict=True))
    return [part for pair in pairs for part in pair]
