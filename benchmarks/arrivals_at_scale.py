"""What becomes of 10,000 uploads a minute to 1,000 datasets: the functions' own rules, in simulated time.

    python benchmarks/arrivals_at_scale.py [--minutes N] [--per-minute N] [--datasets N] [--concurrency N ...]

Events are made as S3 sends them, wait in the arrival queue, and are delivered as the template asks for it: up
to 100 at a time, a second after the first, to as many invocations side by side as ArrivalConcurrency allows;
the delay queue's messages one by one, to as many. What each delivery does is done by the code of
functions/retraining, on ports in memory. Every call to a service takes 10 ms of simulated time, as in
start_retraining.py, and every event 0.1 ms of the processor's, which that script measured. No figure depends
on the machine but the one in the last line. What is not simulated: duplicates, crashes, throttling.
"""

import argparse
import bisect
import hashlib
import heapq
import json
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "functions")]

from retraining import arrivals, batches, settings, starting  # noqa: E402
from retraining.arrived import Check, Upload  # noqa: E402
from retraining.datasets import StoredObject  # noqa: E402
from retraining.ports import ExecutionState, Ports  # noqa: E402
from tests.unit.functions import stack  # noqa: E402
from tests.unit.functions.fakes import FakeLedger, FakeRegistry, FakeTopic  # noqa: E402

SECONDS_PER_CALL = 0.010
SECONDS_PER_EVENT = 0.0001
MOST_PER_DELIVERY = 100
WINDOW_SECONDS = 1.0
PAGE = 1000
BATCH_FILES = 100
BATCH_SECONDS = 30
TRAINING_SECONDS = 600
START = datetime(2026, 1, 31, tzinfo=UTC)
DATA = stack.NAMES["DataBucket"]

Message = tuple[float, dict[str, Any]]


class Meter:
    """Simulated time: where a delivery began, and what its calls have taken since."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: Counter[str] = Counter()
        self.keys: Counter[tuple[str, int]] = Counter()

    def clock(self) -> datetime:
        return START + timedelta(seconds=self.now)

    def call(self, service: str, times: int = 1) -> None:
        self.now += times * SECONDS_PER_CALL
        self.calls[service] += times


class Metered:
    """A port whose calls take time."""

    def __init__(self, port: Any, service: str, meter: Meter) -> None:
        self._port, self._service, self._meter = port, service, meter

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            # Noting changes is two writes: the count, and the time of the newest.
            times = 2 if name == "note_changes" else 1
            self._meter.call(self._service, times)
            if self._service == "DynamoDB" and arguments and isinstance(arguments[0], str):
                self._meter.keys[arguments[0], int(self._meter.now)] += times
            return getattr(self._port, name)(*arguments, **options)

        return call


class Bucket:
    """The data bucket: what has been uploaded by now, a page of a thousand at a call."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.objects: dict[str, list[tuple[str, float]]] = defaultdict(list)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        if prefix.startswith("holdout/"):
            self._meter.call("S3")
            yield StoredObject(f"{prefix}labels.csv", 100, "0" * 32, START)
            return
        now = self._meter.now
        found = sorted(key for key, at in self.objects[prefix.split("/")[1]] if at <= now)
        self._meter.call("S3", max(1, -(-len(found) // PAGE)))
        for key in found:
            yield StoredObject(key, 1024, hashlib.md5(key.encode()).hexdigest(), START)


class Machine:
    """Executions that take ten minutes each."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.started: dict[str, tuple[float, str, str]] = {}

    def start(self, name: str, request: dict[str, Any]) -> bool:
        if name in self.started:
            return False
        self.started[name] = (self._meter.now, request["dataset"]["name"], request["trigger"]["id"])
        return True

    def describe(self, name: str) -> ExecutionState | None:
        if name not in self.started:
            return None
        began, _, trigger = self.started[name]
        end = began + TRAINING_SECONDS
        if self._meter.now < end:
            return ExecutionState("RUNNING", "", trigger)
        return ExecutionState("SUCCEEDED", (START + timedelta(seconds=end)).isoformat(), trigger)


class Delays:
    """The delay queue."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.due: list[tuple[float, int, dict[str, Any]]] = []
        self._numbers = count()

    def send(self, message: dict[str, Any], seconds: int) -> None:
        heapq.heappush(self.due, (self._meter.now + seconds, next(self._numbers), dict(message)))


class Simulation:
    """One stack with everything that is under way to it."""

    def __init__(self, concurrency: int) -> None:
        environment = stack.environment("StartRetrainingFunction") | {"QUIET_PERIOD_SECONDS": "60"}
        loaded = settings.from_environment(environment)
        guards = replace(loaded.guards, max_runs_per_day=1000, max_concurrent_runs=1)
        self.settings = replace(loaded, guards=guards)
        self.meter = Meter()
        self.bucket, self.machine, self.delays = Bucket(self.meter), Machine(self.meter), Delays(self.meter)
        self.ports = Ports(
            storage=self.bucket,
            ledger=Metered(FakeLedger(), "DynamoDB", self.meter),
            machine=Metered(self.machine, "Step Functions", self.meter),
            registry=Metered(FakeRegistry(), "ECR", self.meter),
            delays=Metered(self.delays, "SQS", self.meter),
            topic=Metered(FakeTopic(), "SNS", self.meter),
            clock=self.meter.clock,
        )
        self.workers = {"arrival": [0.0] * concurrency, "delay": [0.0] * concurrency}
        self.waits: list[float] = []
        self.backlog = 0
        self.busy: Counter[str] = Counter()

    def run(self, messages: list[Message], until: float) -> None:
        """Deliver everything, each at its time."""
        arrived, position = [moment for moment, _ in messages], 0
        while True:
            choices = []
            if position < len(messages):
                first = max(self.workers["arrival"][0], arrived[position])
                end = min(bisect.bisect_right(arrived, first + WINDOW_SECONDS), position + MOST_PER_DELIVERY)
                full = end - position == MOST_PER_DELIVERY
                begin = max(first, arrived[end - 1]) if full else first + WINDOW_SECONDS
                choices.append((begin, "arrival", messages[position:end]))
            if self.delays.due and self.delays.due[0][0] <= until:
                due, _, message = self.delays.due[0]
                choices.append((max(self.workers["delay"][0], due), "delay", [(due, message)]))
            if not choices:
                return
            begin, queue, delivery = min(choices, key=lambda choice: choice[0])
            if queue == "arrival":
                self.backlog = max(self.backlog, bisect.bisect_right(arrived, begin) - position)
                position += len(delivery)
            else:
                heapq.heappop(self.delays.due)
            ended = self.deliver(queue, begin, [message for _, message in delivery])
            heapq.heapreplace(self.workers[queue], ended)
            if queue == "arrival":
                self.waits += [ended - moment for moment, _ in delivery]

    def deliver(self, queue: str, begin: float, delivered: list[dict[str, Any]]) -> float:
        """Do what start_retraining does with a delivery; gives when it is done."""
        self.meter.now = begin + len(delivered) * SECONDS_PER_EVENT
        if queue == "delay":
            (message,) = delivered
            found = arrivals.read_delayed((message["source"], message["detail-type"]), message)
            if isinstance(found, Check):
                batches.check(found.dataset, self.settings, self.ports)
            else:
                starting.ask(found, self.settings, self.ports)
        else:
            uploads = [arrivals.read(message, self.settings) for message in delivered]
            changes: dict[str, list[Upload]] = defaultdict(list)
            for upload in uploads:
                if not upload.is_marker:
                    changes[upload.dataset].append(upload)
            for dataset, found in changes.items():
                batches.note(dataset, found, self.settings, self.ports)
            for upload in uploads:
                if upload.is_marker:
                    batches.close_by_marker(upload, self.settings, self.ports)
        self.busy[queue] += self.meter.now - begin
        return self.meter.now


def uploads(kind: str, given: argparse.Namespace) -> Iterator[tuple[float, str, str]]:
    """Give moments, datasets and file names, in no order."""
    chance, total = random.Random(1), given.per_minute * given.minutes
    if kind == "one dataset":
        yield from (
            (number * 60 / given.per_minute, "d0", f"part-{number:08}.csv") for number in range(total)
        )
    elif kind == "trickle":
        for number in range(total):
            yield number * 60 / given.per_minute, f"d{chance.randrange(given.datasets)}", f"{number:08}.csv"
    else:
        for number in range(total // BATCH_FILES):
            began, dataset = number * 60 * BATCH_FILES / given.per_minute, f"d{number % given.datasets}"
            for file in range(BATCH_FILES):
                yield began + file * BATCH_SECONDS / BATCH_FILES, dataset, f"{number:06}/{file:04}.csv"
            if kind == "batches, _SUCCESS":
                yield began + BATCH_SECONDS, dataset, "_SUCCESS"


def simulate(kind: str, concurrency: int, given: argparse.Namespace) -> tuple[Simulation, list[float]]:
    """Run a kind of load to its end; gives how long after its dataset's last file each run began."""
    simulation, messages, moments = Simulation(concurrency), [], defaultdict(list)
    for number, (moment, dataset, name) in enumerate(sorted(uploads(kind, given))):
        key = f"datasets/{dataset}/{name}"
        detail = {"bucket": {"name": DATA}, "object": {"key": key}}
        event = {"source": "aws.s3", "detail-type": "Object Created", "id": f"e{number}", "detail": detail}
        event["time"] = (START + timedelta(seconds=int(moment))).isoformat()
        messages.append((moment, {"body": json.dumps(event), "eventSourceARN": "arrivals"}))
        moments[dataset].append(moment)
        if name != "_SUCCESS":
            simulation.bucket.objects[dataset].append((key, moment))
    simulation.run(messages, until=given.minutes * 60 + 3600)
    started = simulation.machine.started.values()
    return simulation, [
        at - moments[name][bisect.bisect_right(moments[name], at) - 1] for at, name, _ in started
    ]


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))] if values else float("nan")


def most_at_once(simulation: Simulation) -> int:
    starts = [at for at, _, _ in simulation.machine.started.values()]
    ends = [(at + TRAINING_SECONDS, -1) for at in starts]
    running = most = 0
    for _, change in sorted([*((at, 1) for at in starts), *ends]):
        running += change
        most = max(most, running)
    return most


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--per-minute", type=int, default=10_000)
    parser.add_argument("--datasets", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[2, 10])
    given = parser.parse_args()
    began = time.process_time()
    print(
        f"{given.per_minute:,} uploads a minute for {given.minutes} minutes, {given.datasets:,} datasets; "
        f"simulated runs of {TRAINING_SECONDS} s, quiet period 60 s, one run of a dataset at a time"
    )
    print(
        "load | concurrency | event to ledger, median / 99 % / most, s | most waiting | runs | at once | "
        "last file to start, median / 99 %, s | calls an event | hottest key, calls/s"
    )
    for kind in ("one dataset", "batches, quiet", "batches, _SUCCESS", "trickle"):
        for concurrency in given.concurrency:
            simulation, lags = simulate(kind, concurrency, given)
            waits = simulation.waits
            print(
                f"{kind} | {concurrency} | {statistics.median(waits):.1f} / {quantile(waits, 0.99):.1f} / "
                f"{max(waits):.1f} | {simulation.backlog:,} | {len(lags):,} | {most_at_once(simulation):,} | "
                f"{quantile(lags, 0.5):.0f} / {quantile(lags, 0.99):.0f} | "
                f"{sum(simulation.meter.calls.values()) / len(waits):.2f} | "
                f"{max(simulation.meter.keys.values())}"
            )
    print(f"{time.process_time() - began:.0f} s of processor time for all of it")


if __name__ == "__main__":
    main()
