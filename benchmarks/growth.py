"""How cost grows: with the files of a dataset, rows of a holdout, states of a workflow, and runs at once.

    python benchmarks/growth.py [--points few|all] [--only SUBJECT ...] [--runs N] [--plot FOLDER]

Subjects are `files`, `rows`, `states` and `executions`, each size in a process of its own, in seconds of the
processor; and in one local cloud, by the clock, `uploads` (one run of a dataset of so many files), `runs` (so
many runs of the whole way at once), `started` (so many executions of one Lambda task at once) and `long` (a
machine of so many Pass states, through the API). Of several runs the least counts, because others use the
machine. The slope is that of the logarithms over the upper half of the sizes: 1 is linear, less means that a
fixed part still weighs, more than 1.1 is said aloud. `--plot` draws the figures as SVG, with matplotlib in an
environment that the script makes for it; `--save` and `--load` keep figures between times.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from growing import Figures, alone, cloud
from measuring import machine
from servers import environment

ROOT = Path(__file__).resolve().parents[1]
DRAW = ROOT / "benchmarks" / "growing" / "draw.py"
MATPLOTLIB = ("matplotlib==3.11.2",)
NEAR_LINEAR = 1.1


@dataclass(frozen=True)
class Subject:
    """What grows, how far, and what is measured of it.

    Attributes
    ----------
    axis
        What is counted.
    sizes, few
        How many, in all and in a quick look.
    series
        Words for each figure.
    plot
        The picture that shows it.
    """

    axis: str
    sizes: tuple[int, ...]
    few: tuple[int, ...]
    series: dict[str, str]
    plot: str


SUBJECTS = {
    "files": Subject(
        "files in the dataset",
        (1, 10, 100, 1_000, 10_000, 100_000),
        (100, 1_000, 10_000),
        {
            "noted": "events noted (rules, in memory)",
            "closed": "batch closed: listing, version, start (in memory)",
            "prepared": "Prepare (in memory)",
        },
        "files",
    ),
    "uploads": Subject(
        "files in the dataset",
        (1, 10, 100, 1_000, 10_000),
        (1, 100),
        {
            "told": "marker to notification (local cloud, clock)",
            "worked": "marker to notification (local cloud, processor)",
            "prepare": "Prepare (local cloud, clock)",
        },
        "files",
    ),
    "rows": Subject(
        "rows of the holdout",
        (1_000, 10_000, 100_000, 1_000_000),
        (1_000, 10_000, 100_000),
        {"evaluated": "Evaluate, challenger and champion"},
        "rows",
    ),
    "states": Subject(
        "states of the workflow",
        (10, 30, 100, 300, 1_000),
        (10, 100, 1_000),
        {
            "validated": "definition validated",
            "parsed": "definition parsed",
            "passed": "run, Pass states",
            "called": "run, Lambda tasks",
        },
        "states",
    ),
    "long": Subject(
        "states of the workflow",
        (10, 30, 100, 300, 1_000),
        (10, 100),
        {
            "created": "CreateStateMachine (local cloud, clock)",
            "ran": "StartExecution to end, Pass states (local cloud, clock)",
            "read": "history read (local cloud, clock)",
        },
        "states",
    ),
    "executions": Subject(
        "executions at once",
        (1, 2, 5, 10, 20, 50, 100, 200),
        (1, 20, 200),
        {"ran": "engine: wait, ten Pass states, a Lambda task"},
        "executions",
    ),
    "started": Subject(
        "executions at once",
        (1, 2, 5, 10, 20, 50, 100, 200),
        (1, 20),
        {
            "ended": "API and a real function (local cloud, clock)",
            "worked": "API and a real function (local cloud, processor)",
        },
        "executions",
    ),
    "runs": Subject(
        "executions at once",
        (1, 2, 5, 10, 20),
        (1, 3),
        {
            "all told": "whole runs, upload to notification (local cloud, clock)",
            "worked": "whole runs (local cloud, processor)",
        },
        "executions",
    ),
}
IN_CLOUD = {"uploads", "long", "runs", "started"}


@dataclass
class Series:
    """One curve: sizes, seconds and slope."""

    subject: str
    name: str
    axis: str
    plot: str
    sizes: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def slope(self) -> float:
        """How the seconds grow over the upper half of the sizes."""
        return slope(self.sizes, self.seconds)


def slope(sizes: list[int], values: list[float]) -> float:
    """Fit the exponent of a power law to the upper half of the sizes, three of five; nan for a single one."""
    half = max(2, math.ceil(len(sizes) / 2))
    if len(sizes) < 2:
        return math.nan
    logs = [[math.log(each) for each in column[-half:]] for column in (sizes, values)]
    return statistics.linear_regression(*logs).slope


def fresh(subject: str) -> Callable[[int], Figures]:
    """Return what measures one size in a process of its own."""

    def measure(size: int) -> Figures:
        command = [sys.executable, __file__, "--inside", subject, str(size)]
        ended = subprocess.run(command, check=False, capture_output=True, text=True)
        if ended.returncode:
            raise SystemExit(f"{subject}, {size}: {ended.stderr.strip()[-800:]}")
        return dict(json.loads(ended.stdout.splitlines()[-1]))

    return measure


@contextmanager
def measures(subjects: list[str]) -> Iterator[dict[str, Callable[[int], Figures]]]:
    """Return what measures each subject; the local cloud is there only if one of them needs it."""
    with cloud.measures() if IN_CLOUD & {*subjects} else nullcontext({}) as there:
        yield {name: there[name] if name in there else fresh(name) for name in subjects}


def sweep(name: str, sizes: tuple[int, ...], runs: int, measure: Callable[[int], Figures]) -> list[Series]:
    """Measure all sizes of a subject, in turns, and report them."""
    subject = SUBJECTS[name]
    least: dict[int, Figures] = {}
    for _ in range(runs):
        for size in sizes:
            found = measure(size)
            known = least.get(size, found)
            least[size] = {figure: min(found[figure], known[figure]) for figure in found}
    curves = [
        Series(name, title, subject.axis, subject.plot, list(sizes), [least[size][figure] for size in sizes])
        for figure, title in subject.series.items()
    ]
    print(f"\n{name} ({subject.axis}), load average {os.getloadavg()[0]:.1f}")
    print(f"  {'':58}" + "".join(f"{size:>11,}" for size in sizes) + "   slope")
    for curve in curves:
        loud = "  MORE THAN NEAR-LINEAR" if curve.slope > NEAR_LINEAR else ""
        cells = "".join(f"{_duration(seconds):>11}" for seconds in curve.seconds)
        print(f"  {curve.name:58}{cells}{curve.slope:8.2f}{loud}")
    if "megabytes" in least[sizes[0]]:
        cells = "".join(f"{least[size]['megabytes']:>8.0f} MB" for size in sizes)
        print(f"  {'memory of the process, at most':58}{cells}", flush=True)
        memory = [least[size]["megabytes"] for size in sizes]
        curves.append(Series(name, "megabytes", subject.axis, subject.plot, list(sizes), memory))
    return curves


def _duration(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def draw(curves: list[dict[str, object]], folder: Path) -> None:
    """Draw a picture for each subject, in an environment that has matplotlib."""
    python = environment("plots", MATPLOTLIB)
    subprocess.run([python, DRAW, folder], input=json.dumps(curves), text=True, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", choices=["few", "all"], default="all")
    parser.add_argument("--sizes", type=int, nargs="+", help="instead of those of --points")
    parser.add_argument("--only", choices=SUBJECTS, nargs="+", default=list(SUBJECTS))
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--plot", type=Path, metavar="FOLDER")
    parser.add_argument("--save", type=Path, metavar="FILE", help="add the figures to this file")
    parser.add_argument("--load", type=Path, metavar="FILE", help="draw the figures of a file, measure none")
    parser.add_argument("--inside", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(alone.MEASURES[given.inside[0]](int(given.inside[1]))))
        return
    if given.load:
        draw(json.loads(given.load.read_text()), given.plot or Path())
        return
    print(f"{machine()}; the least of {given.runs} runs")
    curves: list[Series] = []
    with measures(given.only) as ways:
        for name in given.only:
            subject = SUBJECTS[name]
            sizes = tuple(given.sizes or (subject.few if given.points == "few" else subject.sizes))
            curves += sweep(name, sizes, given.runs, ways[name])
    figures = [asdict(curve) | {"slope": curve.slope} for curve in curves]
    if given.save:
        known = json.loads(given.save.read_text()) if given.save.is_file() else []
        figures = [each for each in known if each["subject"] not in given.only] + figures
        given.save.write_text(json.dumps(figures, indent=1))
    if given.plot:
        draw(figures, given.plot)


if __name__ == "__main__":
    main()
