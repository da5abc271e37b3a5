"""A stack whose models do nothing but answer with a mark, which is all that their dataset holds."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from retrain import cli
from retrain.localcloud import process
from tests.integration.outcomes.conftest import People, open_stack

__all__ = ["open_stack"]

ROWS = 20
PROGRAM = """
    import csv, json, os, time
    from pathlib import Path

    def model_fn(folder):
        return (Path(folder) / "mark").read_text()

    def predict_fn(data, model):
        return [model for _ in data]

    if __name__ == "__main__":
        waits_for = os.environ.get("SM_HP_WAITS_FOR")
        while waits_for and not Path(waits_for).exists():
            time.sleep(0.05)
        mark = (Path(os.environ["SM_CHANNEL_TRAINING"]) / "mark").read_text()
        (Path(os.environ["SM_MODEL_DIR"]) / "mark").write_text(mark)
        with open(Path(os.environ["SM_CHANNEL_HOLDOUT"]) / "labels.csv") as file:
            labels = [row["label"] for row in csv.DictReader(file)]
        for name in ("predictions.csv", "champion_predictions.csv"):
            with open(Path(os.environ["SM_OUTPUT_DATA_DIR"]) / name, "w") as file:
                rows = "".join(f"{row},{label},{label}\\n" for row, label in enumerate(labels))
                file.write(f"id,label,prediction\\n{rows}")
"""


@dataclass(frozen=True)
class Team:
    """Somebody who deploys marks to one endpoint."""

    people: People
    dataset: str
    source: str
    outcome: Callable[..., dict[str, Any]]
    stack_name: str

    @property
    def endpoint(self) -> str:
        return f"{self.stack_name}-{self.dataset}"

    def begin(self, mark: str, waits_for: Path | None = None) -> str:
        """Put a mark into the dataset and begin a run of it; gives the execution."""
        bucket, key = self.people.outputs["DataBucketName"], f"datasets/{self.dataset}/mark"
        self.people.aws("s3").put_object(Bucket=bucket, Key=key, Body=mark.encode())
        training: dict[str, Any] = {"source_s3_uri": self.source}
        if waits_for is not None:
            training["hyperparameters"] = {"waits_for": str(waits_for)}
        return str(
            self.people.aws("stepfunctions").start_execution(
                stateMachineArn=self.people.outputs["StateMachineArn"],
                name=f"{self.dataset}-{mark}",
                input=json.dumps({"dataset": {"name": self.dataset}, "training": training}),
            )["executionArn"]
        )

    def end(self, execution: str) -> dict[str, Any]:
        """Wait for the end of a run and give its record."""
        ended = self.outcome(execution, seconds=90)
        return self.people.run_record(ended["name"])

    def run(self, mark: str) -> dict[str, Any]:
        return self.end(self.begin(mark))

    def answer(self) -> str:
        """What the endpoint answers now."""
        answer = self.people.aws("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.endpoint, ContentType="application/json", Body=b"[0]"
        )
        (mark,) = json.load(answer["Body"])
        return str(mark)

    def retrain(self, *arguments: str) -> int:
        """Call the command as a shell does."""
        return cli.run([*arguments, "--stack-name", self.stack_name])


@pytest.fixture(scope="package")
def marks(open_stack: Callable[..., People]) -> People:
    """The stack that these tests share; it keeps three models."""
    return open_stack(
        "marks",
        QuietPeriodSeconds="900",
        MaxConcurrentRuns="4",
        BakingSeconds="0",
        TerminationWaitSeconds="0",
        KeepModels="3",
        GateMinHoldoutRows="1",
    )


@pytest.fixture
def team(
    marks: People,
    outcome: Callable[..., dict[str, Any]],
    local_cloud: process.LocalCloud,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Team:
    """A dataset of the test's own."""
    for name, value in process.environment(local_cloud).items():
        monkeypatch.setenv(name, value)
    dataset = f"marks-{zlib.crc32(request.node.name.encode()):x}"
    rows = "".join(f"{row},{row % 2}\n" for row in range(ROWS))
    marks.put_holdout(dataset, {"labels.csv": f"id,label\n{rows}".encode()})
    source = marks.program("marks", PROGRAM)
    return Team(marks, dataset, source, outcome, "marks")
