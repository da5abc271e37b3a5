"""A stack that hears of other things than uploads, with one small dataset that no upload starts a run of."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from retrain.aws import Stack, Target
from retrain.localcloud import process
from tests.integration.outcomes.conftest import People, Told, dataset_files, holdout_files, open_stack

__all__ = ["open_stack"]

REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
Decision = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """A stack with one way in open.

    Attributes
    ----------
    people
        Who uses it.
    stack
        The same, as the developer's tool sees it.
    """

    people: People
    stack: Stack

    def fill(self, dataset: str) -> None:
        """Upload a dataset and its holdout; a long quiet period keeps that from starting a run."""
        self.people.put_holdout(dataset, holdout_files())
        for name, content in dataset_files().items():
            self.people.aws("s3").put_object(
                Bucket=self.people.outputs["DataBucketName"], Key=f"datasets/{dataset}/{name}", Body=content
            )

    def decisions(self, **wanted: Any) -> list[Decision]:
        """What was decided about triggers, oldest first; only those with these attributes."""
        answer = self.people.aws("dynamodb").query(
            TableName=self.people.outputs["LedgerTableName"],
            IndexName="ByKind",
            KeyConditionExpression="kind = :kind",
            ExpressionAttributeValues={":kind": {"S": "trigger"}},
        )
        plain = TypeDeserializer().deserialize
        found = [{name: plain(value) for name, value in item.items()} for item in answer["Items"]]
        return [record for record in found if wanted.items() <= record.items()]

    def decision(self, count: int = 1, *, seconds: float = 30, **wanted: Any) -> Decision:
        """Wait until so many triggers have been decided about, and give the last one's decision."""

        def decided() -> list[Decision] | None:
            found = [record for record in self.decisions(**wanted) if record["decided_at"]]
            return found if len(found) >= count else None

        found: list[Decision] = self.people.wait_until(decided, seconds=seconds, what=f"{count} decisions")
        assert len(found) == count, found
        return found[-1]

    def runs(self) -> list[str]:
        """The names of all executions."""
        answer = self.people.aws("stepfunctions").list_executions(
            stateMachineArn=self.people.outputs["StateMachineArn"]
        )
        return [execution["name"] for execution in answer["executions"]]

    def told(self, dataset: str) -> Told:
        """Wait for the notification about a run's end."""
        return self.people.told(dataset)

    def refusal(self, decision: Decision) -> str:
        """Wait for the notification that nothing comes of a wish, and give its text."""
        sqs, queue = self.people.aws("sqs"), self.people.queue_url

        def receive() -> str | None:
            for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                envelope = json.loads(message["Body"])
                if decision["trigger"]["id"] in envelope["Message"]:
                    assert envelope["MessageAttributes"]["outcome"]["Value"] == decision["result"].upper()
                    return str(envelope["Message"])
            return None

        text: str = self.people.wait_until(receive, what="the notification of a refusal")
        return text

    def dead_letters(self) -> list[str]:
        """What nobody could handle."""
        answer = self.people.aws("sqs").receive_message(
            QueueUrl=self.people.outputs["ArrivalDeadLetterQueueUrl"], MaxNumberOfMessages=10
        )
        return [message["Body"] for message in answer.get("Messages", [])]


@pytest.fixture(scope="session")
def open_way(open_stack: Callable[..., People], local_cloud: process.LocalCloud) -> Callable[..., Way]:
    """Deploy a stack with the ways in that its parameters open, or change it."""

    def opened(stack_name: str, **parameters: str) -> Way:
        people = open_stack(stack_name, **{"QuietPeriodSeconds": "900", **parameters})
        target = Target(local_cloud.endpoint_url, process.environment(local_cloud))
        return Way(people, Stack(stack_name, target))

    return opened


@pytest.fixture
def wait_for_next_second(wait_until: Callable[..., Any]) -> Callable[[], None]:
    """Let the clock show another second: a schedule's firing is known by its second."""

    def wait() -> None:
        now = int(time.time())
        wait_until(lambda: int(time.time()) > now, what="the next second")

    return wait
