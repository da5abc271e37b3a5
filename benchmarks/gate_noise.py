"""How often the gate takes noise for harm: challengers that differ from the champion by chance alone.

    python benchmarks/gate_noise.py [--digits FOLDER] [--challengers 40] [--images 10000] [--defaults]
        [--simulations 2000]

First, for each test, pairs of models that are equally good by construction are simulated. Second, the
reference program is trained on the same MNIST images with other seeds. From their stored predictions,
champions and challengers are mixed row by row, which differ by noise alone. Then the trained models
themselves challenge one another: they do differ, because training ends in a better place with one seed than
with another, and a test on ten thousand rows sees that. Printed is the share of 'significantly worse'.

FOLDER holds `training` and `holdout`, as `retrain data mnist` leaves them in the user's cache.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "functions")]

from retraining import checks, predictions  # noqa: E402
from retraining.policy import GatePolicy  # noqa: E402
from retraining.predictions import Joined  # noqa: E402
from retraining.truth import Truth, read_truth  # noqa: E402

ALPHA = 0.05
HYPERPARAMETERS = ("--epochs", "2", "--batch-size", "64", "--learning-rate", "0.05")


def is_worse(policy: GatePolicy, challenger: Joined, champion: Joined) -> bool:
    return not checks.significance(policy, challenger, champion).passed


def head(source: Path, target: Path, rows: int) -> None:
    """Copy the first rows of an IDX file."""
    content = source.read_bytes()
    dimensions = content[3]
    sizes = np.frombuffer(content, ">u4", dimensions, 4)
    start, size = 4 + 4 * dimensions, int(np.prod(sizes[1:], dtype=int))
    target.write_bytes(
        content[:4] + np.array([rows, *sizes[1:]], ">u4").tobytes() + content[start : start + rows * size]
    )


def trained(digits: Path, images: int, options: tuple[str, ...], models: int) -> Iterator[Joined]:
    """Train the reference program with one seed after the other; yields predictions on the holdout."""
    truth = read_truth((digits / "holdout" / "labels.csv").read_bytes(), "labels.csv")
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "training").mkdir()
        for file in (digits / "training").iterdir():
            head(file, folder / "training" / file.name, images)
        for seed in range(1, models + 1):
            output = folder / f"output-{seed}"
            environment = os.environ | {
                "SM_CHANNEL_TRAINING": str(folder / "training"),
                "SM_CHANNEL_HOLDOUT": str(digits / "holdout"),
                "SM_MODEL_DIR": str(folder / f"model-{seed}"),
                "SM_OUTPUT_DATA_DIR": str(output),
                "SM_HOSTS": '["algo-1"]',
                "SM_CURRENT_HOST": "algo-1",
                "OMP_NUM_THREADS": "1",
            }
            command = [sys.executable, ROOT / "training" / "train.py", "--seed", str(seed), *options]
            subprocess.run(command, env=environment, check=True, capture_output=True)
            content = (output / "predictions.csv").read_bytes()
            joined, findings = predictions.join(content, truth, "predictions.csv")
            assert joined is not None, findings
            yield joined


def right(joined: Joined) -> int:
    return sum(map(str.__eq__, joined.truth.labels, joined.predicted))


def on_digits(digits: Path, images: int, options: tuple[str, ...], challengers: int) -> None:
    began = time.monotonic()
    champion, *others = trained(digits, images, options, challengers + 1)
    scores = sorted(right(joined) for joined in [champion, *others])
    rows = champion.rows
    print(
        f"MNIST, {images:,} training images, {rows:,} holdout rows, {challengers + 1} seeds in "
        f"{time.monotonic() - began:.0f} s: accuracy {scores[0] / rows:.4f} to {scores[-1] / rows:.4f}, "
        f"champion "
        f"{right(champion) / rows:.4f}"
    )
    mixed(random.Random(11), [champion, *others], 40)
    policy = GatePolicy("accuracy", alpha=ALPHA)
    worse = sum(is_worse(policy, other, champion) for other in others)
    print(f"  significantly worse than this champion: {worse} of {challengers} ({worse / challengers:.1%})")
    pairs = list(permutations([champion, *others], 2))
    worse = sum(is_worse(policy, one, other) for one, other in pairs)
    print(
        f"  significantly worse, every model against every other: {worse} of {len(pairs)} "
        f"({worse / len(pairs):.1%})"
    )


def mixed(chance: random.Random, models: list[Joined], challengers: int) -> None:
    """Challenge with noise alone: every row is answered by a seed that is drawn for it."""
    policy, answers = GatePolicy("accuracy", alpha=ALPHA), [model.predicted for model in models]

    def mixture() -> Joined:
        return Joined(models[0].truth, [chance.choice(row) for row in zip(*answers, strict=True)], [])

    rounds = 25
    worse = []
    for _ in range(rounds):
        champion = mixture()
        worse.append(sum(is_worse(policy, mixture(), champion) for _ in range(challengers)))
    print(
        f"  equal by construction, answers mixed from these seeds: {worse[0]} of {challengers}; over "
        f"{rounds} champions {sum(worse) / rounds / challengers:.2%}"
    )


def classes(chance: random.Random, rows: int) -> tuple[Joined, Joined]:
    """Two models that are right on every row with the same probability, which differs from row to row."""
    labels = [str(chance.randrange(5)) for _ in range(rows)]
    truth = Truth({str(row): row for row in range(rows)}, labels)
    ease = [0.5 if chance.random() < 0.1 else 0.99 for _ in range(rows)]

    def model() -> Joined:
        pairs = zip(labels, ease, strict=True)
        return Joined(
            truth, [label if chance.random() < p else str(chance.randrange(5)) for label, p in pairs], []
        )

    return model(), model()


def quantities(chance: random.Random, rows: int) -> tuple[Joined, Joined]:
    """Two models with errors of the same distribution, with heavy tails, and partly the same."""
    truth = Truth({str(row): row for row in range(rows)}, ["0"] * rows, [0.0] * rows)
    shared = [chance.gauss(0, 1) for _ in range(rows)]

    def model() -> Joined:
        return Joined(truth, [], [error + chance.gauss(0, 1) / (0.2 + chance.random()) for error in shared])

    return model(), model()


def simulated(simulations: int) -> None:
    chance = random.Random(7)
    cases: list[tuple[str, Callable[[random.Random, int], tuple[Joined, Joined]], tuple[int, ...], int]] = [
        ("accuracy", classes, (100, 1000), 1),
        ("macro_f1", classes, (300, 1000), 20),
        ("rmse", quantities, (100, 400), 20),
        ("rmse", quantities, (1000,), 1),
        ("mae", quantities, (1000,), 1),
    ]
    for metric, pair, sizes, thinning in cases:
        policy = GatePolicy(metric, alpha=ALPHA)
        for rows in sizes:
            times = max(1, simulations // thinning)
            worse = sum(is_worse(policy, *pair(chance, rows)) for _ in range(times))
            print(
                f"  {metric:9} {rows:>5,} rows, {times:>5,} equal pairs: {worse / times:6.2%} "
                "significantly worse"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser.add_argument("--digits", type=Path, default=cache / "retrain" / "mnist-folders")
    parser.add_argument("--challengers", type=int, default=40)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--defaults", action="store_true", help="train with the program's own defaults")
    parser.add_argument("--simulations", type=int, default=2000)
    arguments = parser.parse_args()
    print(
        f"level {ALPHA:g}, two-sided: an exact test of equals is 'significantly worse' in at most "
        f"{ALPHA / 2:.1%}"
    )
    simulated(arguments.simulations)
    options = () if arguments.defaults else HYPERPARAMETERS
    on_digits(arguments.digits, arguments.images, options, arguments.challengers)


if __name__ == "__main__":
    main()
