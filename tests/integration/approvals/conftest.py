"""A stack in which somebody has to approve, and people who are asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.integration.outcomes.conftest import People, Told, open_stack

__all__ = ["open_stack"]

PROGRAM = """
    # Learns the answer by heart, and is always right.
    import os
    from pathlib import Path

    def model_fn(folder):
        return (Path(folder) / "answer").read_text()

    def predict_fn(data, model):
        return [model for _ in data]

    if __name__ == "__main__":
        answer = (Path(os.environ["SM_CHANNEL_TRAINING"]) / "answer").read_text()
        (Path(os.environ["SM_MODEL_DIR"]) / "answer").write_text(answer)
        labels = (Path(os.environ["SM_CHANNEL_HOLDOUT"]) / "labels.csv").read_text().split()[1:]
        rows = [f"{line},{line.split(',')[1]}" for line in labels]
        for name in ("predictions", "champion_predictions"):
            path = Path(os.environ["SM_OUTPUT_DATA_DIR"]) / f"{name}.csv"
            path.write_text("\\n".join(["id,label,prediction", *rows, ""]))
"""
LABELS = "\n".join(["id,label", *(f"{row},{row % 2}" for row in range(100)), ""]).encode()


@dataclass(frozen=True)
class Asked:
    """What people were told about a run that waits."""

    subject: str
    body: str
    run_id: str
    package_arn: str


@dataclass(frozen=True)
class Approvers:
    """Those who use the stack, and decide."""

    people: People
    inbox: list[dict[str, Any]] = field(default_factory=list)

    def upload(self, dataset: str, answer: str) -> None:
        """Upload another version of a dataset, which starts a run."""
        for name, content in (("answer", answer.encode()), ("_SUCCESS", b"")):
            self.people.aws("s3").put_object(
                Bucket=self.people.outputs["DataBucketName"], Key=f"datasets/{dataset}/{name}", Body=content
            )

    def asked(self, dataset: str) -> Asked:
        """Wait until people are asked to decide about a challenger."""
        envelope = self._received(dataset)
        assert _attributes(envelope)["outcome"] == "AWAITING_APPROVAL", envelope["Message"]
        body = str(envelope["Message"])
        run, package = (re.findall(rf"^  {name} +(\S+)$", body, re.M)[0] for name in ("run", "package"))
        return Asked(envelope["Subject"], body, run, package)

    def told(self, asked: Asked, dataset: str) -> Told:
        """Wait for the notification about the end of a run."""
        envelope = self._received(dataset)
        assert asked.run_id in envelope["Message"], envelope["Message"]
        run = self.people.run_record(asked.run_id)
        return Told(envelope["Subject"], envelope["Message"], _attributes(envelope), run)

    def _received(self, dataset: str) -> dict[str, Any]:
        """Wait for the next notification about a dataset; others stay in the inbox."""
        sqs, queue = self.people.aws("sqs"), self.people.queue_url

        def receive() -> dict[str, Any] | None:
            for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                self.inbox.append(json.loads(message["Body"]))
            for envelope in self.inbox:
                if _attributes(envelope)["dataset"] == dataset:
                    self.inbox.remove(envelope)
                    return envelope
            return None

        found: dict[str, Any] = self.people.wait_until(receive, seconds=60, what=f"news about {dataset}")
        return found

    def decide(self, asked: Asked, status: str, **request: str) -> None:
        """Change a package's approval status with AWS's own API."""
        self.people.aws("sagemaker").update_model_package(
            ModelPackageArn=asked.package_arn, ModelApprovalStatus=status, **request
        )

    def package(self, asked: Asked) -> dict[str, Any]:
        """What the registry says."""
        package: dict[str, Any] = self.people.aws("sagemaker").describe_model_package(
            ModelPackageName=asked.package_arn
        )
        return package

    def record(self, run_id: str) -> dict[str, Any]:
        """A run's record as the ledger has it, as far as this is about texts."""
        item = self.people.aws("dynamodb").get_item(
            TableName=self.people.outputs["LedgerTableName"],
            Key={"pk": {"S": f"RUN#{run_id}"}, "sk": {"S": "RUN"}},
        )["Item"]
        return {name: value.get("S") for name, value in item.items()}

    def answer(self, stack_name: str, dataset: str) -> str:
        """Ask an endpoint."""
        answer = self.people.aws("sagemaker-runtime").invoke_endpoint(
            EndpointName=f"{stack_name}-{dataset}", ContentType="application/json", Body="[1]"
        )
        return str(json.load(answer["Body"])[0])


def _attributes(envelope: dict[str, Any]) -> dict[str, str]:
    return {name: entry["Value"] for name, entry in envelope["MessageAttributes"].items()}


@pytest.fixture(scope="session")
def open_approvers(open_stack: Callable[..., People]) -> Callable[..., Approvers]:
    """Deploy a stack in which somebody has to approve; parameters may differ from the usual."""

    def opened(stack_name: str, *datasets: str, **parameters: str) -> Approvers:
        asking = {
            "RequireApproval": "true",
            "BakingSeconds": "0",
            "TerminationWaitSeconds": "0",
            "VerifyRows": "0",
            "GateSliceFloor": "off",
            **parameters,
        }
        source = open_stack(stack_name, **asking).program("by-heart", PROGRAM)
        people = open_stack(stack_name, TrainingSourceS3Uri=source, **asking)
        for dataset in datasets:
            people.put_holdout(dataset, {"labels.csv": LABELS})
        return Approvers(people)

    return opened
