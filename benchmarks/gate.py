"""What the gate takes for 10,000 and 1,000,000 rows, with 10 classes, champion and challenger.

    python benchmarks/gate.py [ROWS ...] [--metric METRIC] [--probabilities] [--runs N]

Each run is a process of its own, as a cold Lambda function is: it imports the handler's module, reads labels
and both predictions from a folder that stands in for S3, judges, and writes the evaluation. Seconds are those
of the evaluation; memory is the process's peak, imports and an S3 client included.
"""

import argparse
import io
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tarfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "functions")]
CLASSES = 10
ACCURACY = {"predictions": 0.985, "champion_predictions": 0.98}


def write_world(folder: Path, rows: int, *, numeric: bool, probabilities: bool) -> None:
    chance = random.Random(1)
    labels = [chance.gauss(0, 10) if numeric else chance.randrange(CLASSES) for _ in range(rows)]
    with (folder / "labels.csv").open("w") as stream:
        stream.write("id,label,slice_site\n")
        stream.writelines(f"{row},{label},{'abcde'[row % 5]}\n" for row, label in enumerate(labels))
    with tarfile.open(folder / "output.tar.gz", "w:gz", compresslevel=1) as archive:
        for name, accuracy in ACCURACY.items():
            data = predicted(labels, accuracy, chance, numeric=numeric, probabilities=probabilities)
            member = tarfile.TarInfo(f"{name}.csv")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def predicted(
    labels: list[Any], accuracy: float, chance: random.Random, *, numeric: bool, probabilities: bool
) -> bytes:
    content = io.StringIO()
    columns = [f"probability_{label}" for label in range(CLASSES)] if probabilities else []
    content.write(",".join(["id,label,prediction", *columns]) + "\n")
    for row, label in enumerate(labels):
        if numeric:
            content.write(f"{row},{label},{label + chance.gauss(0, 2 - accuracy)}\n")
            continue
        guess = label if chance.random() < accuracy else chance.randrange(CLASSES)
        extra = ["0.91" if place == guess else "0.01" for place in range(len(columns))]
        content.write(",".join([str(row), str(label), str(guess), *extra]) + "\n")
    return content.getvalue().encode()


def measure(folder: Path, metric: str) -> None:
    """Evaluate once, in this process, and print the figures as JSON."""
    import boto3

    import evaluate_challenger.app as app
    from retraining import evaluation
    from retraining.datasets import StoredObject, version
    from retraining.settings import from_environment
    from tests.unit.functions import stack
    from tests.unit.functions.fakes import NOON, FakeEndpoints, FakeLedger

    assert app.handler
    boto3.client("s3", region_name="us-east-1")
    files = {
        "holdout/mnist/labels.csv": folder / "labels.csv",
        "runs/r/training/job/output/output.tar.gz": folder / "output.tar.gz",
    }

    class Folder:
        def list_objects(self, bucket: str, prefix: str) -> list[StoredObject]:
            return [
                StoredObject(key, path.stat().st_size, "etag", NOON)
                for key, path in files.items()
                if key.startswith(prefix)
            ]

        def read(self, bucket: str, key: str) -> bytes:
            return files[key].read_bytes()

        def open(self, bucket: str, key: str) -> AbstractContextManager[IO[bytes]]:
            return files[key].open("rb")

        def write(self, bucket: str, key: str, content: bytes, content_type: str) -> None:
            (folder / "evaluation.json").write_bytes(content)

    storage: Any = Folder()
    settings = from_environment(stack.environment("EvaluateChallengerFunction"))
    listing = storage.list_objects("", "holdout/mnist/")
    threshold = 0.95 if metric in {"accuracy", "macro_f1", "balanced_accuracy"} else 5.0
    state = {
        "run": {
            "id": "r",
            "started_at": "2026-01-31T12:00:00.000Z",
            "dataset": "mnist",
            "holdout_version": version(listing, "holdout/mnist/").digest,
        },
        "gate": {"metric": metric, "value_threshold": threshold, "slice_floor": None, "slice_max_drop": 0.5},
        "names": {"endpoint": "retrain-mnist"},
        "champion": {
            "run_id": "c",
            "endpoint_config_name": "config",
            "model_data_url": "s3://a/c/model.tar.gz",
        },
        "job": {
            "status": "Completed",
            "name": "job",
            "model_data_url": "s3://a/runs/r/training/job/output/model.tar.gz",
        },
    }
    endpoints = FakeEndpoints()
    endpoints.serve("retrain-mnist", "config")
    began, worked = time.perf_counter(), time.process_time()
    decision = evaluation.evaluate(state, settings, storage, endpoints, FakeLedger())
    seconds, processor = time.perf_counter() - began, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    figures = {"seconds": seconds, "processor": processor, "megabytes": peak / 1e6}
    print(json.dumps(figures | {"verdict": decision["verdict"]}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, default=[10_000, 1_000_000])
    parser.add_argument("--metric", default="accuracy")
    parser.add_argument("--probabilities", action="store_true")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        measure(arguments.inside, arguments.metric)
        return
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {arguments.runs} "
        f"runs"
    )
    for rows in arguments.rows:
        with TemporaryDirectory() as folder:
            numeric = arguments.metric in {"rmse", "mae"}
            write_world(Path(folder), rows, numeric=numeric, probabilities=arguments.probabilities)
            command = [sys.executable, __file__, "--inside", folder, "--metric", arguments.metric]
            found = [
                json.loads(
                    subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[
                        -1
                    ]
                )
                for _ in range(arguments.runs)
            ]
        seconds = statistics.median(run["seconds"] for run in found)
        megabytes = max(run["megabytes"] for run in found)
        print(
            f"{arguments.metric:18} {rows:>9,} rows  {seconds:6.2f} s  {megabytes:6.0f} MB  "
            f"{', '.join(sorted({run['verdict'] for run in found}))}"
        )


if __name__ == "__main__":
    main()
