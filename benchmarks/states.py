"""Three interpreters of the States Language side by side: ours, MiniStack's and moto's.

    python benchmarks/states.py [--runs N] [--only WORKLOAD ...] [--items N] [--executions N]

Measures the overhead of a Pass state and of a Lambda task (a chain of them, from the start of an execution to
its end; the function is the same in all three and gives back what it gets), a Map over 10,000 items, inline
and distributed, and 200 executions at once, each of which waits two seconds, passes through ten states and
calls the function; the two seconds are left out, MiniStack's pause of 0.15 seconds before every execution is
not. Every measurement is a process of its own, in turns. Seconds are the median of the runs; memory is the
process's peak in all, and above what it was after a first small execution. MiniStack and moto are as they
come, at the pinned versions.
"""

import argparse
import asyncio
import json
import logging
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:echo"  # the account that MiniStack is of
ROLE = "arn:aws:iam::123456789012:role/states"
CHAIN = 1_000
REPEATS = 5
"""Of a chain within one process; the quickest counts, for others share the machine."""
WAIT = 2
PATIENCE = 300
"""Seconds for one measurement."""

Json = Any
Start = Callable[[list[Json]], list[str]]
"""Starts an execution for each input, all at the same time, and returns their statuses at their ends."""
Create = Callable[[dict[str, Json], str], Start]
"""Makes a state machine of a definition and a kind, `STANDARD` or `EXPRESS`."""


def ours() -> Create:
    from retrain.states.execution import Engine, FunctionRunner
    from retrain.states.model import parse

    def create(definition: dict[str, Json], kind: str) -> Start:
        machine = parse(json.dumps(definition))

        def start(inputs: list[Json]) -> list[str]:
            async def all_of_them() -> list[str]:
                engine = Engine(FunctionRunner(lambda call: call.arguments))
                begun = [engine.create(machine, each, express=kind == "EXPRESS") for each in inputs]
                await asyncio.gather(*map(engine.run, begun))
                return [execution.status for execution in begun]

            return asyncio.run(all_of_them())

        return start

    return create


def ministack() -> Create:
    from ministack.services import stepfunctions

    stepfunctions._call_lambda = lambda reference, event: event

    def create(definition: dict[str, Json], kind: str) -> Start:
        asked = {"name": _name(), "definition": json.dumps(definition), "roleArn": ROLE, "type": kind}
        machine = json.loads(stepfunctions._create_state_machine(asked)[2])["stateMachineArn"]

        def start(inputs: list[Json]) -> list[str]:
            arns = []
            for each in inputs:
                _, _, body = stepfunctions._start_execution(
                    {"stateMachineArn": machine, "input": json.dumps(each)}
                )
                arns.append(json.loads(body)["executionArn"])
            return _wait(lambda: [stepfunctions._executions[arn]["status"] for arn in arns])

        return start

    return create


def moto() -> Create:
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends

    lambda_eval_utils._invoke_lambda_function = lambda parameters, region, state_credentials: {
        "StatusCode": 200,
        "Payload": json.loads(parameters["Payload"]),
    }
    backend = stepfunctions_parser_backends["123456789012"]["us-east-1"]

    def create(definition: dict[str, Json], kind: str) -> Start:
        machine = backend.create_state_machine(_name(), json.dumps(definition), ROLE, sm_type=kind)

        def start(inputs: list[Json]) -> list[str]:
            begun = [
                backend.start_execution(machine.arn, name=_name(), execution_input=json.dumps(each))
                for each in inputs
            ]
            arns = [execution.execution_arn for execution in begun]
            return _wait(lambda: [str(backend.describe_execution(arn).status) for arn in arns])

        return start

    return create


INTERPRETERS: dict[str, Callable[[], Create]] = {"ours": ours, "ministack": ministack, "moto": moto}


def _name() -> str:
    return f"n{time.monotonic_ns()}"


def _wait(statuses: Callable[[], list[str]]) -> list[str]:
    deadline = time.monotonic() + PATIENCE
    while "RUNNING" in (found := statuses()):
        if time.monotonic() > deadline:
            break
        time.sleep(0.002)
    return found


def chain(state: dict[str, Json], length: int) -> dict[str, Json]:
    """Return a machine of that many equal states, one after the other."""
    states = {f"S{n}": {**state, "Next": f"S{n + 1}"} for n in range(length)}
    states[f"S{length - 1}"] = {**state, "End": True}
    return {"StartAt": "S0", "States": states}


def mapping(mode: str) -> dict[str, Json]:
    """Return a machine that maps a Pass state over its input."""
    config = {"Mode": mode} | ({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})
    processor = {
        "ProcessorConfig": config,
        "StartAt": "Item",
        "States": {"Item": {"Type": "Pass", "End": True}},
    }
    return {"StartAt": "Map", "States": {"Map": {"Type": "Map", "ItemProcessor": processor, "End": True}}}


def waiting() -> dict[str, Json]:
    """Return a machine that waits, passes through ten states and calls the function."""
    machine = chain({"Type": "Pass"}, 10)
    machine["States"]["S9"] = {"Type": "Pass", "Next": "Call"}
    machine["States"]["Call"] = {"Type": "Task", "Resource": FUNCTION, "End": True}
    machine["States"]["Wait"] = {"Type": "Wait", "Seconds": WAIT, "Next": "S0"}
    return {**machine, "StartAt": "Wait"}


def measure(name: str, workload: str, items: int, executions: int) -> dict[str, Json]:
    """Run one workload in this process and return its figures."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    create = INTERPRETERS[name]()
    create(chain({"Type": "Pass"}, 2), "STANDARD")([{}])  # imports and caches
    before = _peak()
    per = 1.0
    if workload in ("pass", "task"):
        state = {"Type": "Pass"} if workload == "pass" else {"Type": "Task", "Resource": FUNCTION}
        starts = [create(chain(state, length), "STANDARD") for length in (1, CHAIN + 1)]
        short, long = (min(_timed(start, [{"a": 1}]) for _ in range(REPEATS)) for start in starts)
        seconds, per = long - short, float(CHAIN)
    elif workload in ("inline", "distributed"):
        # The history of a Standard execution has no room for 10,000 iterations.
        kind = "EXPRESS" if workload == "inline" else "STANDARD"
        seconds = _timed(create(mapping(workload.upper()), kind), [list(range(items))])
    else:
        seconds = _timed(create(waiting(), "STANDARD"), [{"n": n} for n in range(executions)]) - WAIT
    return {"seconds": seconds / per, "megabytes": _peak() / 1e6, "more": (_peak() - before) / 1e6}


def _timed(start: Start, inputs: list[Json]) -> float:
    began = time.perf_counter()
    statuses = start(inputs)
    seconds = time.perf_counter() - began
    if set(statuses) != {"SUCCEEDED"}:
        raise SystemExit(f"ended as {sorted(set(statuses))}")
    return seconds


def _peak() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def fresh(name: str, workload: str, options: list[str]) -> dict[str, Json] | str:
    """Measure in a process of its own; a text says why there are no figures."""
    command = [sys.executable, __file__, "--inside", name, workload, *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE * 2, check=False)
    except subprocess.TimeoutExpired:
        return "did not end"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["failed"])[-1][:60]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--executions", type=int, default=200)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--inside", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(measure(*given.inside, given.items, given.executions)))
        return
    workloads = {
        "pass": ("a Pass state", 1e6, "µs"),
        "task": ("a Lambda task", 1e6, "µs"),
        "inline": (f"a Map of {given.items:,}, inline", 1.0, "s"),
        "distributed": (f"a Map of {given.items:,}, distributed", 1.0, "s"),
        "waiting": (f"{given.executions} executions at once", 1.0, "s"),
    }
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{where}, {given.runs} runs; ministack {version('ministack')}, moto {version('moto')}")
    options = ["--items", str(given.items), "--executions", str(given.executions)]
    for workload, (title, scale, unit) in workloads.items():
        if given.only and workload not in given.only:
            continue
        found: dict[str, list[dict[str, Json]]] = {name: [] for name in INTERPRETERS}
        for _ in range(given.runs):
            for name in INTERPRETERS:
                figures = fresh(name, workload, options)
                if isinstance(figures, str):
                    print(f"{title:30} {name:10} {figures}")
                    continue
                found[name].append(figures)
        report(title, scale, unit, found)


def report(title: str, scale: float, unit: str, found: dict[str, list[dict[str, Json]]]) -> None:
    """Print a line for each interpreter: its figures, and how often ours go into them."""
    figures = {
        name: (
            statistics.median(run["seconds"] for run in runs),
            *(max(run[what] for run in runs) for what in ("megabytes", "more")),
        )
        for name, runs in found.items()
        if runs
    }
    for name, (seconds, megabytes, more) in figures.items():
        line = f"{title:30} {name:10} {seconds * scale:9.2f} {unit:2}  {megabytes:6.0f} MB (+{more:.0f})"
        if name != "ours" and "ours" in figures:
            line = f"{line:72}{seconds / figures['ours'][0]:6.1f} x  {megabytes / figures['ours'][1]:5.1f} x"
        print(line)


if __name__ == "__main__":
    main()
