"""What needs no local cloud: each function measures one size in this process, which is a fresh one.

Seconds are of the processor and the least of some repetitions, megabytes are the peak of the whole process.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from growing import Figures

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
sys.path += [str(ROOT), str(ROOT / "functions")]  # behind the benchmarks, one of which has a function's name

MOST_REPEATS = 10
ENOUGH_SECONDS = 1.0
DELIVERED = 100
"""Events in a delivery, as template.yaml asks for them."""


def files(count: int) -> Figures:
    """The functions' rules on ports in memory: so many events noted, the batch closed, the run prepared."""
    from retraining import arrivals, batches, preparation, settings
    from retraining.arrived import Upload
    from retraining.datasets import StoredObject
    from retraining.executions import Execution
    from start_retraining import deliveries
    from tests.unit.functions import stack
    from tests.unit.functions.fakes import NOON, FakeEndpoints, FakeStorage, fake_ports

    bucket, prefix = stack.NAMES["DataBucket"], "datasets/benchmark/"

    class Listed(FakeStorage):
        """A bucket that lists a dataset as S3 does: made entry by entry, never there as a whole."""

        def list_objects(self, bucket: str, prefix_: str) -> Iterator[StoredObject]:
            if prefix_ != prefix:
                yield from super().list_objects(bucket, prefix_)
                return
            for number in range(count):
                yield StoredObject(f"{prefix}part-{number:08}.csv", 1024, f"{number:032x}", NOON)

    arrival = settings.from_environment(stack.environment("StartRetrainingFunction"))
    preparing = settings.from_environment(stack.environment("PrepareTrainingFunction"))
    marker = Upload("benchmark", "_SUCCESS", is_deletion=False, time=NOON, event_id="closed")

    def once() -> Figures:
        storage, machine = Listed(), None
        storage.put(bucket, "holdout/benchmark/labels.csv", b"id,label\n0,1\n")
        ports = fake_ports(storage)
        noted = 0.0
        for delivery in deliveries(count, min(count, DELIVERED), bucket, "arrivals"):
            began = time.process_time()
            uploads = [arrivals.read(message, arrival) for message in delivery["Records"]]
            batches.note("benchmark", [each for each in uploads if isinstance(each, Upload)], arrival, ports)
            noted += time.process_time() - began
        began = time.process_time()
        answer = batches.close_by_marker(marker, arrival, ports)
        closed = time.process_time() - began
        assert answer is not None
        assert answer.result == "started", answer
        machine = stack.NAMES["StateMachine"].replace("stateMachine", "execution")
        execution = Execution(f"{machine}:{answer.run_id}", answer.run_id, "2026-01-31T12:00:00.000Z")
        began = time.process_time()
        prepared = preparation.prepare(
            {"dataset": {"name": "benchmark"}}, execution, preparing, ports, FakeEndpoints()
        )
        assert prepared["run"]["file_count"] == count
        return {"noted": noted, "closed": closed, "prepared": time.process_time() - began}

    return _least(once)


def rows(count: int) -> Figures:
    """The gate on so many rows of ten classes, with a champion, as gate.py has it."""
    from gate import write_world

    with TemporaryDirectory() as folder:
        write_world(Path(folder), count, numeric=False, probabilities=False)
        command = [sys.executable, BENCHMARKS / "gate.py", "--inside", folder]
        ended = subprocess.run(command, check=True, capture_output=True, text=True)
    figures = _last_json(ended.stdout)
    return {"evaluated": figures["processor"], "megabytes": figures["megabytes"]}


def states(count: int) -> Figures:
    """The engine: a definition of so many states is examined and parsed, and one execution runs."""
    import json

    from states import FUNCTION, chain, ours

    from retrain.states.model import parse
    from retrain.states.validation import validate

    task = {"Type": "Task", "Resource": FUNCTION}
    text = json.dumps(chain(task, count))
    create = ours()
    passing, tasking = (
        create(chain({"Type": "Pass"}, count), "STANDARD"),
        create(chain(task, count), "STANDARD"),
    )

    def once() -> Figures:
        return {
            "validated": _timed(lambda: validate(text)),
            "parsed": _timed(lambda: parse(text)),
            "passed": _timed(lambda: passing([{"a": 1}])),
            "called": _timed(lambda: tasking([{"a": 1}])),
        }

    return _least(once)


def executions(count: int) -> Figures:
    """The engine: so many executions at once, each of which waits, passes ten states and calls a function."""
    from states import ours, waiting

    start = ours()(waiting(), "STANDARD")
    start([{"n": 0}])
    inputs = [{"n": number} for number in range(count)]
    return {"ran": _timed(lambda: start(inputs)), "megabytes": _megabytes()}


MEASURES: dict[str, Callable[[int], Figures]] = {
    "files": files,
    "rows": rows,
    "states": states,
    "executions": executions,
}


def _least(once: Callable[[], Figures]) -> Figures:
    """Repeat while it is quick, at least twice: the first time has imports and caches to fill."""
    found: list[Figures] = []
    began = time.perf_counter()
    while len(found) < MOST_REPEATS and (len(found) < 2 or time.perf_counter() - began < ENOUGH_SECONDS):
        found.append(once())
    return {name: min(each[name] for each in found) for name in found[0]} | {"megabytes": _megabytes()}


def _timed(call: Callable[[], Any]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def _megabytes() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _last_json(text: str) -> Any:
    import json

    return json.loads(text.splitlines()[-1])
