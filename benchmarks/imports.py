"""What a cold start of each function costs in Python: its handler's import, in a fresh interpreter.

    python benchmarks/imports.py [--runs N]

Every import is a process of its own, in turns, with the path that Lambda has: the functions' code, the layer,
and boto3. The yardstick is what hardly a function does without: boto3 with one client, and Powertools' Logger
and Metrics. Handlers make their clients at first use, so that the second figure, with a client made beside
the handler, is what a first invocation waits for. Milliseconds are medians of the processor's time, so that
what else the machine does tells little; once with bytecode in code and layer, as `make sam-build` leaves
them, and once without, as plain `sam build` does: Lambda's file system is read-only, so that a package
without it is compiled anew at every cold start.
"""

import argparse
import compileall
import os
import platform
import py_compile
import shutil
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
BAR = 30
"""Milliseconds over the yardstick that a handler may take."""

YARDSTICK = "boto3, one client, Logger, Metrics"
BASES = {
    "nothing": "pass",
    "boto3, one client": "import boto3; boto3.client('sqs')",
    "Logger, Metrics": "from aws_lambda_powertools import Logger, Metrics; Logger(); Metrics()",
    YARDSTICK: (
        "import boto3; boto3.client('sqs'); "
        "from aws_lambda_powertools import Logger, Metrics; Logger(); Metrics()"
    ),
}
TIMED = (
    "import sys, time; sys.path[:0] = {path!r}; began = time.process_time(), time.perf_counter(); {code}; "
    "print((time.process_time() - began[0]) * 1000, (time.perf_counter() - began[1]) * 1000)"
)
ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "benchmark",
    "AWS_SECRET_ACCESS_KEY": "benchmark",
    "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
    "POWERTOOLS_SERVICE_NAME": "retrain",
    "POWERTOOLS_METRICS_NAMESPACE": "Retrain",
}


Times = tuple[list[float], list[float]]
"""The processor's milliseconds, and the clock's, of each run."""


def handlers() -> list[str]:
    """The functions, by the names of their folders."""
    return sorted(found.parent.name for found in (ROOT / "functions").glob("*/app.py"))


def lay_out(folder: Path) -> list[str]:
    """Lay code and packages out as in Lambda, without bytecode; give what Python's path begins with."""
    from retrain.localcloud.packaging import package
    from retrain.localcloud.repairs.lambda_packages import runtime_folder

    shutil.copytree(ROOT / "functions", folder / "task", ignore=shutil.ignore_patterns("__pycache__"))
    layers = ROOT / "layers" / "dependencies"
    archive = folder / "layer.zip"
    archive.write_bytes(package(layers, requirements_to="python", cache=folder / "build", on_progress=print))
    shutil.unpack_archive(archive, folder / "layer")
    # boto3 is Lambda's own, and compiled.
    return [str(folder / "task"), str(folder / "layer" / "python"), str(runtime_folder(folder / "runtime"))]


def measured(code: str, path: list[str]) -> tuple[float, float]:
    """Milliseconds that the code takes in a process of its own: the processor's, and the clock's."""
    program = TIMED.format(path=path, code=code)
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program],
        env={"PATH": os.environ["PATH"], **ENVIRONMENT},
        check=True,
        capture_output=True,
        text=True,
    )
    processor, clock = ended.stdout.split()
    return float(processor), float(clock)


def measure(programs: dict[str, str], path: list[str], runs: int) -> dict[str, Times]:
    """Measure all programs in turns; gives the processor's and the clock's times of each."""
    found: dict[str, Times] = {name: ([], []) for name in programs}
    for run in range(runs + 1):
        for name, code in programs.items():
            for times, time in zip(found[name], measured(code, path), strict=True):
                if run:  # the first run finds nothing in the system's cache
                    times.append(time)
    return found


def report(title: str, found: dict[str, Times]) -> list[str]:
    """Print a table; gives the handlers that are over the bar."""
    middle = {name: statistics.median(processor) for name, (processor, _) in found.items()}
    yardstick = middle[YARDSTICK]
    print(f"\n{title}\n{'':38}   ms    min - max   clock   over the yardstick")
    missed = []
    for name, (processor, clock) in found.items():
        over = middle[name] - yardstick
        told = "" if name in BASES else f"{over:+5.0f} ms  {middle[name] / yardstick:4.2f} x"
        spread = f"{min(processor):5.0f} - {max(processor):3.0f}"
        print(f"{name:38} {middle[name]:4.0f} {spread} {statistics.median(clock):7.0f}   {told}".rstrip())
        if name in handlers() and over > BAR:
            missed.append(name)
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"boto3 {version('boto3')}, Powertools {version('aws-lambda-powertools')}; median of {runs} processes"
    )
    imported = {name: f"import {name}.app" for name in handlers()}
    client = "import boto3; boto3.client('sqs')"
    programs = (
        BASES | imported | {f"{name}, one client": f"{code}; {client}" for name, code in imported.items()}
    )
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        path = lay_out(folder)
        report("without bytecode", measure(programs, path, runs))
        for part in path[:2]:
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            assert compileall.compile_dir(part, quiet=1, invalidation_mode=mode, workers=0)
        missed = report("with bytecode", measure(programs, path, runs))
    print(f"\nThe bar is {BAR} ms over the yardstick, with bytecode; over it: {', '.join(missed) or 'none'}.")


if __name__ == "__main__":
    main()
