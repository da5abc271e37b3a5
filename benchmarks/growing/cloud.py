"""What needs the local cloud: real uploads, functions, executions, training jobs and endpoints.

Seconds are those of the clock, and of the processor that the local cloud has had with all that it started.
The training program and the server are the tiny ones of orchestration.py, which take no time.
"""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count as numbers
from typing import Any

import psutil
from orchestration import PATIENCE, PROGRAMS, Stack, deployed, tiny_files
from states import chain

from growing import Figures

UPLOADERS = 8
HOLDOUT_ROWS = 1_000
ROLE = "arn:aws:iam::000000000000:role/benchmark"
ECHO = "def handler(event, context):\n    return event\n"

_fresh = numbers()
Measure = Callable[[int], Figures]


@contextmanager
def measures() -> Iterator[dict[str, Measure]]:
    """A local cloud with the stack, warmed up by a run, and what can be measured there."""
    with deployed(PROGRAMS["tiny"]) as stack:
        runs(stack, 1)
        machines = Machines(stack)
        machines.started(1)
        yield {
            "uploads": lambda count: files(stack, count),
            "runs": lambda count: runs(stack, count),
            "started": machines.started,
            "long": machines.long,
        }


def files(stack: Stack, count: int) -> Figures:
    """One run of a new dataset of so many files: from its marker to its notification, and within Prepare."""
    dataset = _dataset(stack)
    with ThreadPoolExecutor(UPLOADERS) as pool:
        list(pool.map(lambda n: stack.put(f"datasets/{dataset}", {f"{n:06}.csv": b"%d" % n}), range(count)))
    worked, began = _processor(), time.time()
    stack.put(f"datasets/{dataset}", {"_SUCCESS": b""})
    run = stack.told(began)
    return {"told": run.overhead, "prepare": run.parts["Prepare"], "worked": _processor() - worked}


def runs(stack: Stack, count: int) -> Figures:
    """So many runs at once, each of a new dataset: from the first upload to the last notification."""
    datasets = [_dataset(stack) for _ in range(count)]
    content = {**tiny_files(1)[0], "_SUCCESS": b""}

    def all_of_them() -> None:
        with ThreadPoolExecutor(UPLOADERS) as pool:
            list(pool.map(lambda dataset: stack.put(f"datasets/{dataset}", content), datasets))
        for _ in datasets:
            outcome = stack.notification()["MessageAttributes"]["outcome"]["Value"]
            assert outcome == "DEPLOYED", outcome

    worked = _processor()
    return {"all told": _seconds(all_of_them), "worked": _processor() - worked}


def _dataset(stack: Stack) -> str:
    """A dataset that is not there yet, with its holdout."""
    name = f"growing-{next(_fresh)}"
    stack.put(f"holdout/{name}", {"labels.csv": _holdout()})
    return name


def _holdout() -> bytes:
    return b"id,label\n" + b"".join(b"%d,%d\n" % (row, row % 10) for row in range(HOLDOUT_ROWS))


class Machines:
    """State machines in the local cloud, made and run through the API of Step Functions."""

    def __init__(self, stack: Stack) -> None:
        self._client = stack.client("stepfunctions")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("echo.py", ECHO)
        function = stack.client("lambda").create_function(
            FunctionName="benchmark-echo",
            Runtime="python3.11",
            Handler="echo.handler",
            Role=ROLE,
            Code={"ZipFile": packed.getvalue()},
        )["FunctionArn"]
        self._echo = self._create(chain({"Type": "Task", "Resource": function}, 1))

    def started(self, count: int) -> Figures:
        """So many executions at once of one task, which is a real function."""
        worked = _processor()
        seconds = _seconds(lambda: self._run(self._echo, count))
        return {"ended": seconds, "worked": _processor() - worked}

    def long(self, count: int) -> Figures:
        """A machine of so many Pass states is made, runs once, and its history is read."""
        machine = ""

        def create() -> None:
            nonlocal machine
            machine = self._create(chain({"Type": "Pass"}, count))

        def read() -> None:
            pages = self._client.get_paginator("get_execution_history").paginate(executionArn=arn)
            assert sum(len(page["events"]) for page in pages) == 2 * count + 2

        created = _seconds(create)
        ran = _seconds(lambda: self._run(machine, 1))
        (execution,) = self._client.list_executions(stateMachineArn=machine)["executions"]
        arn = execution["executionArn"]
        return {"created": created, "ran": ran, "read": _seconds(read)}

    def _create(self, definition: dict[str, Any]) -> str:
        answer = self._client.create_state_machine(
            name=f"benchmark-{next(_fresh)}", definition=json.dumps(definition), roleArn=ROLE
        )
        return str(answer["stateMachineArn"])

    def _run(self, machine: str, count: int) -> None:
        """Start so many executions at once and wait for all of them."""

        def start(number: int) -> str:
            answer = self._client.start_execution(stateMachineArn=machine, input=json.dumps({"n": number}))
            return str(answer["executionArn"])

        with ThreadPoolExecutor(UPLOADERS) as pool:
            begun = list(pool.map(start, range(count)))
        deadline = time.monotonic() + PATIENCE
        for arn in begun:
            while (status := self._client.describe_execution(executionArn=arn)["status"]) == "RUNNING":
                assert time.monotonic() < deadline, "executions do not end"
                time.sleep(0.005)
            assert status == "SUCCEEDED", status


def _processor() -> float:
    """The processor's time that the local cloud has had, with all that it has started."""
    seconds = 0.0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            seconds += sum(process.cpu_times()[:4])  # its own and that of its ended children
    return seconds


def _seconds(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
