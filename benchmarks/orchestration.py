"""From an upload to its notification on a warm local cloud, without the training program's own time.

    python benchmarks/orchestration.py [--runs N] [--program tiny|reference ...]

Everything is real and whole: S3, events, the queue, Lambda functions, the state machine, SageMaker's API, a
training job, an endpoint's server, and a subscriber's queue. A first run warms the cloud up and is left out;
each run after it uploads new data of the same dataset, so that its model has a champion to beat and a live
endpoint to take over. The holdout has 10,000 rows. The clock runs from before the upload of the data and its
marker to the notification; from that the time of the job's status Training is taken away. The tiny program
does nothing, so that what is left is all ours; the reference program trains one epoch of the MNIST network on
1,500 drawn digits, and what serves its model starts as it does in the demo.
"""

import argparse
import io
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
BAR, AIM = 3.4, 2.0
"""Seconds: what a plain Python script takes for the same, and without importing torch again and again."""

ROWS = 10_000
PATIENCE = 180
REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
PROGRAMS = {"tiny": f"{REGISTRY}/tiny-benchmark:local", "reference": f"{REGISTRY}/retrain-training:local"}
UNWATCHED = {"BakingSeconds": "0", "TerminationWaitSeconds": "0"}
"""How long alarms watch a canary is for people to choose, and not what the way itself takes."""

CLOSED = {"RetrainDatasets": "", "ScheduleExpression": "", "AlarmNames": "", "ImagePushRepositories": ""}
Files = dict[str, bytes]


@dataclass
class Run:
    """One run's seconds.

    Attributes
    ----------
    whole
        From the upload to the notification.
    program
        Of them, what the training program took.
    parts
        From upload to start, each state by name, and what is left.
    execution_arn
        For whoever wants to look further.
    """

    whole: float
    program: float
    parts: dict[str, float] = field(default_factory=dict)
    execution_arn: str = ""

    @property
    def overhead(self) -> float:
        return self.whole - self.program


class Stack:
    """A stack in a local cloud, and a subscriber."""

    def __init__(self, client: Callable[[str], Any], outputs: dict[str, str]) -> None:
        self.client, self.outputs = client, outputs
        self.queue = client("sqs").create_queue(QueueName="benchmark")["QueueUrl"]
        attributes = client("sqs").get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])
        arn = attributes["Attributes"]["QueueArn"]
        client("sns").subscribe(TopicArn=outputs["NotificationTopicArn"], Protocol="sqs", Endpoint=arn)

    def put(self, prefix: str, files: Files) -> None:
        for name, content in files.items():
            self.client("s3").put_object(
                Bucket=self.outputs["DataBucketName"], Key=f"{prefix}/{name}", Body=content
            )

    def run(self, dataset: str, files: Files) -> Run:
        """Upload new data and wait for what is told about it."""
        began = time.time()
        self.put(f"datasets/{dataset}", {**files, "_SUCCESS": b""})
        return self.told(began)

    def told(self, began: float) -> Run:
        """Wait for what is told about the only run under way, which began at a time."""
        message = self.notification()
        told = time.time()
        assert message["MessageAttributes"]["outcome"]["Value"] == "DEPLOYED", message["Message"]
        (newest, *_) = self.client("stepfunctions").list_executions(
            stateMachineArn=self.outputs["StateMachineArn"], maxResults=1
        )["executions"]
        return self._measured(newest["executionArn"], began, told)

    def notification(self) -> dict[str, Any]:
        sqs, deadline = self.client("sqs"), time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = sqs.receive_message(QueueUrl=self.queue, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                found: dict[str, Any] = json.loads(message["Body"])
                return found
        raise SystemExit(f"Nobody was told about the run within {PATIENCE} s.")

    def _measured(self, arn: str, began: float, told: float) -> Run:
        states = self.client("stepfunctions")
        while states.describe_execution(executionArn=arn)["status"] == "RUNNING":
            time.sleep(0.01)  # it tells of the run before it ends
        pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [event for page in pages for event in page["events"]]
        parts = {"(upload to start)": events[0]["timestamp"].timestamp() - began}
        entered = 0.0
        for event in events:
            at = event["timestamp"].timestamp()
            if event["type"].endswith("StateEntered"):
                entered = at
            elif event["type"].endswith("StateExited"):
                name = event["stateExitedEventDetails"]["name"]
                parts[name] = parts.get(name, 0.0) + at - entered
        parts["(between and after the states)"] = told - began - sum(parts.values())
        return Run(told - began, self._program(arn.rsplit(":", 1)[1]), parts, arn)

    def _program(self, run_id: str) -> float:
        """What the job's program took, by the job's own account."""
        sagemaker = self.client("sagemaker")
        (job,) = sagemaker.list_training_jobs(NameContains=run_id)["TrainingJobSummaries"]
        described = sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
        (phase,) = [
            found for found in described["SecondaryStatusTransitions"] if found["Status"] == "Training"
        ]
        return float((phase["EndTime"] - phase["StartTime"]).total_seconds())


@contextmanager
def deployed(image: str) -> Iterator[Stack]:
    """A local cloud with the project's stack in it, as samconfig.toml deploys it there."""
    from retrain.localcloud import deploy, process
    from retrain.localcloud.clients import client

    with TemporaryDirectory() as folder:
        state_dir = Path(folder)
        images = {**process.default_images(ROOT), "*tiny-benchmark*": ROOT / "benchmarks" / "tiny_image"}
        cloud = process.up(state_dir, port=None, project_root=ROOT, images=images, deploy=False)
        try:
            outputs = deploy.deploy(
                ROOT / "template.yaml",
                endpoint_url=cloud.endpoint_url,
                state_dir=state_dir,
                parameters={"TrainingImageUri": image, "GateValueThreshold": "0.5", **CLOSED, **UNWATCHED},
            )
            yield Stack(lambda service: client(service, cloud.endpoint_url), outputs)
        finally:
            process.down(state_dir)


def tiny_files(seed: int) -> tuple[Files, Files]:
    labels = "".join(f"{row},{row % 10}\n" for row in range(ROWS))
    return {"rows.csv": f"{seed}\n".encode() * 1000}, {"labels.csv": f"id,label\n{labels}".encode()}


def reference_files(seed: int) -> tuple[Files, Files]:
    from tests.unit.training.digits import draw_digits, idx_bytes

    images, labels = draw_digits(1500, seed)
    data = {"train-images-idx3-ubyte": idx_bytes(images), "train-labels-idx1-ubyte": idx_bytes(labels)}
    images, labels = draw_digits(ROWS, 0)
    rows = io.StringIO()
    rows.writelines(f"{row},{label}\n" for row, label in enumerate(labels))
    return data, {
        "t10k-images-idx3-ubyte": idx_bytes(images),
        "t10k-labels-idx1-ubyte": idx_bytes(labels),
        "labels.csv": f"id,label\n{rows.getvalue()}".encode(),
    }


FILES = {"tiny": tiny_files, "reference": reference_files}


def measure(program: str, runs: int) -> list[Run]:
    """Warm a cloud up with one run, and measure the runs after it."""
    with deployed(PROGRAMS[program]) as stack:
        stack.put(f"holdout/{program}", FILES[program](0)[1])
        return [stack.run(program, FILES[program](seed)[0]) for seed in range(1, runs + 2)][1:]


def report(program: str, runs: list[Run]) -> None:
    """Print the medians, and where the time goes."""
    overheads = [run.overhead for run in runs]
    whole, own = statistics.median(run.whole for run in runs), statistics.median(run.program for run in runs)
    overhead = statistics.median(overheads)
    print(
        f"\n{program}: upload to notification {whole:.2f} s, of it the program {own:.2f} s, the rest "
        f"{overhead:.2f} s ({min(overheads):.2f} - {max(overheads):.2f}); the bar is {BAR} s "
        f"({overhead / BAR:.2f} x), the aim {AIM} s"
    )
    for name in runs[-1].parts:
        seconds = statistics.median(run.parts.get(name, 0.0) for run in runs)
        if name == "Train":
            seconds, name = seconds - own, "Train, without the program"
        print(f"  {1000 * seconds:7.0f} ms  {name}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--program", choices=PROGRAMS, action="append")
    arguments = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f}; median of {arguments.runs} runs after a first one"
    )
    for program in arguments.program or PROGRAMS:
        report(program, measure(program, arguments.runs))


if __name__ == "__main__":
    main()
