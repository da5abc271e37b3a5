"""How many events start_retraining takes in on one core, and what 1,000 uploads cost by AWS's list prices.

    python benchmarks/start_retraining.py [--events N] [--runs N]

The handler runs in a process of its own, bound to one core, against the local cloud, which has the others:
real deliveries of SQS, real calls through boto3. Events per second are by the clock, waiting for the local
cloud included, and by the processor's time, which is what the function itself needs.
"""

import argparse
import contextlib
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "functions")]

PRICES_AS_OF = "2025-06"
PRICES = {
    # US dollars, us-east-1; https://aws.amazon.com/{eventbridge,sqs,lambda,dynamodb}/pricing/
    "EventBridge, event of S3": 1.00e-6,
    "SQS, request": 0.40e-6,
    "Lambda, request": 0.20e-6,
    "Lambda, GB-second on arm64": 0.0000133334,
    "DynamoDB, write request unit": 0.625e-6,
}
MEMORY_GIGABYTES = 0.5
WRITES_PER_DELIVERY = 2
"""To note the changes, and the time of the newest; whatever else happens, happens once for a batch."""

CALLS_PER_DELIVERY = 3
SECONDS_PER_CALL = 0.010
"""What a call to a service in the same region takes, generously; it is billed, too."""

LISTED = 100_000


def deliveries(events: int, size: int, bucket: str, queue_arn: str) -> Iterator[dict[str, Any]]:
    """Deliveries of SQS with events of S3, as Lambda hands them over."""
    numbers = count()
    for _ in range(events // size):
        yield {"Records": [_message(next(numbers), bucket, queue_arn) for _ in range(size)]}


def _message(number: int, bucket: str, queue_arn: str) -> dict[str, Any]:
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "detail": {
            "bucket": {"name": bucket},
            "object": {"key": f"datasets/benchmark/part-{number:08}.csv", "size": 1024, "etag": "e" * 32},
            "reason": "PutObject",
        },
    }
    return {"messageId": f"m{number}", "body": json.dumps(event), "eventSourceARN": queue_arn}


def measure(events: int, size: int, queue_arn: str) -> None:
    """Take events in, in this process, and print the figures as JSON."""
    from types import SimpleNamespace

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    import start_retraining.app as app

    app.logger.setLevel("ERROR")
    context = SimpleNamespace(aws_request_id="benchmark")
    made = list(deliveries(events + size, size, os.environ["DATA_BUCKET"], queue_arn))
    app.handler(made[0], context)  # a warm function: its clients are made
    with contextlib.redirect_stdout(io.StringIO()):  # the metrics of Powertools
        began, worked = time.perf_counter(), time.process_time()
        for delivery in made[1:]:
            assert app.handler(delivery, context) == {"batchItemFailures": []}
        seconds, processor = time.perf_counter() - began, time.process_time() - worked
    print(json.dumps({"events": events, "seconds": seconds, "processor": processor}))


def listing_seconds() -> float:
    """How long the version of a large dataset takes, without the waiting for S3."""
    from retraining.datasets import StoredObject, version

    now = datetime.now(UTC)
    entries = [StoredObject(f"datasets/b/{n:08}.csv", n, f"{n:032x}", now) for n in range(LISTED)]
    began = time.process_time()
    version(entries, "datasets/b/")
    return time.process_time() - began


def cost_of_thousand(size: int, processor_seconds: float) -> dict[str, float]:
    """What 1,000 uploads cost that come in deliveries of a size, from the processor's time for each."""
    deliveries_made = 1000 / size
    seconds = 1000 * processor_seconds + deliveries_made * CALLS_PER_DELIVERY * SECONDS_PER_CALL
    # EventBridge sends each event by itself; Lambda receives and deletes up to ten messages with a request.
    requests = 1000 + 2 * 1000 / min(size, 10)
    return {
        "EventBridge": 1000 * PRICES["EventBridge, event of S3"],
        "SQS": requests * PRICES["SQS, request"],
        "Lambda": deliveries_made * PRICES["Lambda, request"]
        + seconds * MEMORY_GIGABYTES * PRICES["Lambda, GB-second on arm64"],
        "DynamoDB": deliveries_made * WRITES_PER_DELIVERY * PRICES["DynamoDB, write request unit"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--inside", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        measure(arguments.events, int(arguments.inside[0]), arguments.inside[1])
        return
    from retrain.localcloud import deploy, process

    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, median of "
        f"{arguments.runs} runs of {arguments.events:,} events; prices of us-east-1 as of {PRICES_AS_OF}"
    )
    with TemporaryDirectory() as folder:
        state_dir = Path(folder)
        cloud = process.up(state_dir, port=None, project_root=ROOT, deploy=False)
        try:
            if hasattr(os, "sched_setaffinity") and (others := os.sched_getaffinity(0) - {0}):
                os.sched_setaffinity(cloud.pid, others)
            deploy.deploy(ROOT / "template.yaml", endpoint_url=cloud.endpoint_url, state_dir=state_dir)
            for size in (1, 10, 100):
                report(size, arguments, cloud)
        finally:
            process.down(state_dir)
    print(f"version of {LISTED:,} objects: {listing_seconds():.2f} s of processor time")


def report(size: int, arguments: argparse.Namespace, cloud: Any) -> None:
    """Measure deliveries of one size, and print a line about them."""
    from retrain.localcloud import process
    from retrain.localcloud.clients import client

    functions = client("lambda", cloud.endpoint_url)
    configuration = next(
        found
        for found in functions.list_functions()["Functions"]
        if "StartRetraining" in found["FunctionName"]
    )
    mappings = functions.list_event_source_mappings(FunctionName=configuration["FunctionName"])
    arrival = next(
        mapping["EventSourceArn"]
        for mapping in mappings["EventSourceMappings"]
        if "Arrival" in mapping["EventSourceArn"]
    )
    environment = {
        **os.environ,
        **configuration["Environment"]["Variables"],
        **process.environment(cloud),
    }
    command = [sys.executable, __file__, "--events", str(arguments.events), "--inside", str(size), arrival]
    found = []
    for _ in range(arguments.runs):
        ended = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        found.append(json.loads(ended.stdout.splitlines()[-1]))
    seconds = statistics.median(run["seconds"] for run in found) / arguments.events
    processor = statistics.median(run["processor"] for run in found) / arguments.events
    cost = cost_of_thousand(size, processor)
    parts = ", ".join(f"{name} {dollars:.6f}" for name, dollars in cost.items())
    print(
        f"{size:4} per delivery  {1 / seconds:8,.0f} events/s  {1 / processor:8,.0f} events per processor "
        f"second  1,000 uploads: ${sum(cost.values()):.5f} ({parts})"
    )


if __name__ == "__main__":
    main()
