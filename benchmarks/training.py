"""Training MNIST: recipes against the published script, and hosts against threads.

    python benchmarks/training.py recipes [--seeds 5] [--script-runs 1]
    python benchmarks/training.py hosts [--rounds 3] [--network two-convolutions] [--images 30000]

`recipes` runs the whole reference program, imports, data, predictions and export included, with fresh seeds
for each recipe, and the script that SageMaker's examples publish (peers/mnist_script.py: the network of the
recipe `fast`, six epochs) beside it. The recipes were chosen on 10,000 of the training images; the test
images are only counted.

`hosts` trains with batches of 256 in one process with one thread, in one with two threads, and on two hosts
(gloo, a process and a thread each), in turns, and prints images per second of the second epoch. Two hosts
train twice with the same seed: the weights have to be the same to the last bit.

Beside wall time stands the processor time, which a busy machine disturbs less. All programs run as the
container runs them (GOMP_SPINCOUNT). The digits come from DIGITS, as `retrain data mnist` leaves them.
"""

import argparse
import csv
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import machine, spread
from servers import free_port

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "training" / "train.py"
SCRIPT = ROOT / "benchmarks" / "peers" / "mnist_script.py"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "retrain" / "mnist-folders"

# Recipe, the accuracy that it is for, and the share of the script's time that it may take.
GOALS = (("fast", 0.977, 1 / 20), ("quick", 0.990, 1 / 15), ("accurate", 0.994, 1 / 6))


@dataclass
class Times:
    """What was measured of one program, a value per run."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)


def environment(digits: Path, output: Path, **variables: str) -> dict[str, str]:
    own = {
        "SM_CHANNEL_TRAINING": str(digits / "training"),
        "SM_CHANNEL_HOLDOUT": str(digits / "holdout"),
        "SM_MODEL_DIR": str(output / "model"),
        "SM_OUTPUT_DATA_DIR": str(output / "data"),
        "SM_CHECKPOINT_DIR": str(output / "checkpoints"),
        "SM_HOSTS": '["algo-1"]',
        "SM_CURRENT_HOST": "algo-1",
        "GOMP_SPINCOUNT": "1000",
    }
    return os.environ | own | variables


def timed(command: Sequence[str | Path], variables: dict[str, str], times: Times) -> str:
    """Run a program to its end; note its wall time and processor time; return its output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    times.wall.append(time.perf_counter() - began)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    times.processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    if done.returncode:
        raise RuntimeError(f"{command[1]} failed: {done.stderr[-1000:]}")
    return done.stdout


def run_recipe(name: str, seed: int, digits: Path, output: Path, times: Times) -> None:
    command = [sys.executable, PROGRAM, "--recipe", name, "--seed", str(seed)]
    timed(command, environment(digits, output), times)
    with (output / "data" / "predictions.csv").open() as file:
        rows = [row["label"] == row["prediction"] for row in csv.DictReader(file)]
    times.accuracy.append(sum(rows) / len(rows))


def run_script(digits: Path, output: Path, times: Times) -> None:
    raw = output / "torchvision" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in (*(digits / "training").iterdir(), *(digits / "holdout").glob("*ubyte")):
        (raw / file.name).symlink_to(file)
    command = [sys.executable, SCRIPT, raw.parents[1], output / "model.pt"]
    told = timed(command, environment(digits, output), times)
    times.accuracy.append(float(re.findall(r"accuracy=([\d.]+)", told)[-1]))


def recipes(digits: Path, seeds: int, script_runs: int) -> None:
    results = {name: Times() for name, _, _ in GOALS}
    script = Times()
    # In turns, so that other work on the machine meets all of them.
    for number in range(max(seeds, script_runs)):
        with TemporaryDirectory() as scratch:
            if number < script_runs:
                run_script(digits, Path(scratch) / "script", script)
            for name, times in results.items():
                if number < seeds:
                    run_recipe(name, 101 + number, digits, Path(scratch) / name, times)
        print(f"turn {number + 1} done", file=sys.stderr, flush=True)
    print("| program | for | accuracy | wall time, s | processor time, s | share of the script's wall time |")
    print("| --- " * 6 + "|")
    times = f"{spread(script.wall, 1)} | {spread(script.processor, 1)}"
    print(f"| published script | 97.7 % | {accuracy(script)} | {times} | 1 |")
    for name, goal, bar in GOALS:
        found = results[name]
        wall = statistics.median(script.wall) / statistics.median(found.wall)
        processor = statistics.median(script.processor) / statistics.median(found.processor)
        missed = "" if statistics.median(found.accuracy) >= goal else " MISSED"
        times = f"{spread(found.wall, 1)} | {spread(found.processor, 1)}"
        bounds = f"1/{wall:.1f}, bar 1/{1 / bar:.0f}; of its processor time 1/{processor:.1f}"
        print(f"| recipe `{name}` | {goal:.1%}{missed} | {accuracy(found)} | {times} | {bounds} |")


def accuracy(times: Times) -> str:
    return f"{spread([100 * one for one in times.accuracy], 2)} %"


def hosts(digits: Path, rounds: int, network: str, images: int) -> None:
    rates: dict[str, list[float]] = {"one thread": [], "two threads": [], "two hosts": []}
    digests = set()
    options = ["--network", network, "--images", str(images), "--batch-size", "256", "--epochs", "2"]
    options += ["--hardest", "1"]  # both epochs learn from all images
    with TemporaryDirectory() as scratch:
        for number in range(rounds):
            for name, found in rates.items():
                output = Path(scratch) / f"{name}-{number}"
                threads = "2" if name == "two threads" else "1"
                names = ["algo-1", "algo-2"] if name == "two hosts" else ["algo-1"]
                logs = together(digits, output, names, threads, options)
                found.append(float(re.findall(r"epoch=2/2 .*samples_per_second=(\d+)", logs[0])[0]))
                if name == "two hosts":
                    digests.add((output / "model" / "model.onnx").read_bytes())
            print(f"turn {number + 1} done", file=sys.stderr, flush=True)
    for name, found in rates.items():
        print(f"{name}: {spread(found)} images/s in the second epoch, batches of 256, {network}")
    for name, bar in (("one thread", 1.4), ("two threads", 0.85)):
        pairs = [two / other for two, other in zip(rates["two hosts"], rates[name], strict=True)]
        print(f"two hosts / {name}: {spread(pairs, 2)}, at least {bar}")
    same = "the same to the last bit" if len(digests) == 1 else f"DIFFERENT ({len(digests)} versions)"
    print(f"the weights of {rounds} trainings on two hosts with one seed: {same}")


def together(digits: Path, output: Path, names: list[str], threads: str, options: list[str]) -> list[str]:
    """Run the program on all hosts at once; return what each wrote."""
    port = str(free_port())
    processes = [
        subprocess.Popen(
            [sys.executable, PROGRAM, *options],
            env=environment(
                digits,
                output,
                SM_HOSTS=json.dumps(names),
                SM_CURRENT_HOST=name,
                MASTER_ADDR="127.0.0.1",
                MASTER_PORT=port,
                OMP_NUM_THREADS=threads,
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    try:
        finished = [process.communicate(timeout=1200) for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, (_, error) in zip(processes, finished, strict=True):
        if process.returncode:
            raise RuntimeError(f"a host failed: {error[-1000:]}")
    return [out for out, _ in finished]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("recipes", "hosts"))
    parser.add_argument("--digits", type=Path, default=CACHE)
    parser.add_argument("--seeds", type=int, default=5, help="runs of each recipe")
    parser.add_argument("--script-runs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--network", default="two-convolutions")
    parser.add_argument("--images", type=int, default=30_000)
    given = parser.parse_args()
    if not (given.digits / "training").is_dir():
        parser.error(f"there are no digits in {given.digits}; `retrain data mnist` fetches them")
    print(f"{machine()}; torch {version('torch')}, torchvision {version('torchvision')}", flush=True)
    if given.what == "recipes":
        recipes(given.digits, given.seeds, given.script_runs)
    else:
        hosts(given.digits, given.rounds, given.network, given.images)


if __name__ == "__main__":
    main()
