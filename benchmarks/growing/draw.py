"""Draws what growth.py has measured; it runs in an environment with matplotlib, and reads JSON.

    python benchmarks/growing/draw.py FOLDER < figures.json

The same figures give the same bytes. Text and background follow the reader's light or dark scheme.
"""

import itertools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

TEXT, PAPER = "#010203", "#fcfdfe"
"""Stand-ins that are replaced by the scheme's colours."""

SCHEME = """<style>
svg { --text: #1f2328; --paper: #ffffff; }
@media (prefers-color-scheme: dark) { svg { --text: #e6edf3; --paper: #0d1117; } }
</style>"""
COLOURS = ("#2f81f7", "#d9730d", "#2da44e", "#a371f7", "#d6336c", "#1098ad", "#868e96")
MARKERS = "osD^vPX"
UNITS = ((1e-6, "µs"), (1e-3, "ms"), (1.0, "s"))
Curve = dict[str, Any]


def main(folder: Path) -> None:
    curves: list[Curve] = json.load(sys.stdin)
    for plot in dict.fromkeys(curve["plot"] for curve in curves):
        here = [curve for curve in curves if curve["plot"] == plot]
        target = folder / f"growth-{plot}.svg"
        target.write_text(picture(here, target), encoding="utf-8")
        print(target)


def picture(curves: Sequence[Curve], target: Path) -> str:
    """Draw time, and memory beside it if it was measured, and return the SVG."""
    style = {
        "svg.fonttype": "none",
        "svg.hashsalt": target.name,
        "font.family": "sans-serif",
        "font.size": 10,
        "text.color": TEXT,
        "axes.labelcolor": TEXT,
        "axes.edgecolor": TEXT,
        "axes.titlesize": 11,
        "xtick.color": TEXT,
        "ytick.color": TEXT,
        "figure.facecolor": PAPER,
        "axes.facecolor": PAPER,
        "savefig.facecolor": PAPER,
        "legend.frameon": False,
    }
    times = [curve for curve in curves if curve["name"] != "megabytes"]
    memories = [curve for curve in curves if curve["name"] == "megabytes"]
    with mpl.rc_context(style):
        figure, panels = pyplot.subplots(
            1, 2, figsize=(9.2, 4.6), width_ratios=(3, 1.6), layout="constrained", squeeze=True
        )
        draw_times(panels[0], times)
        draw_memory(panels[1], memories)
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
        pyplot.close(figure)
    text = target.read_text(encoding="utf-8")
    text = text.replace(TEXT, "var(--text)").replace(PAPER, "var(--paper)")
    head, rest = text.split("<defs>", 1)
    names = ", ".join(curve["name"] for curve in times)
    title = f"<title>Seconds and memory against {times[0]['axis']}: {names}</title>"
    return f"{head}{title}\n{SCHEME}\n<defs>{rest}"


def draw_times(panel: Axes, curves: Sequence[Curve]) -> None:
    for curve, colour, marker in zip(
        curves, itertools.cycle(COLOURS), itertools.cycle(MARKERS), strict=False
    ):
        label = f"{curve['name']}: slope {curve['slope']:.2f}"
        panel.plot(
            curve["sizes"],
            curve["seconds"],
            color=colour,
            marker=marker,
            markersize=5,
            linewidth=1.8,
            label=label,
        )
    sizes = [size for curve in curves for size in curve["sizes"]]
    seconds = [each for curve in curves for each in curve["seconds"]]
    first, last = min(sizes), max(sizes)
    # A line for the eye: what twice as much costs twice the time looks like.
    foot = min(seconds) * 0.6
    panel.plot(
        [first, last], [foot, foot * last / first], color=TEXT, alpha=0.45, linestyle=":", linewidth=1.2
    )
    panel.annotate(
        "linear", (last, foot * last / first), color=TEXT, alpha=0.7, ha="right", va="bottom", fontsize=9
    )
    panel.set(xscale="log", yscale="log", xlabel=curves[0]["axis"], ylabel="time", title="Time")
    panel.yaxis.set_major_formatter(FuncFormatter(duration))
    finish(panel)
    panel.legend(loc="upper left", fontsize=9)
    low, high = panel.get_ylim()
    panel.set_ylim(low, high * (high / low) ** (0.075 * len(curves)))  # room for the legend


def draw_memory(panel: Axes, curves: Sequence[Curve]) -> None:
    for curve in curves:
        panel.plot(
            curve["sizes"], curve["seconds"], color=COLOURS[0], marker="o", markersize=5, linewidth=1.8
        )
    panel.set(xscale="log", xlabel=curves[0]["axis"], ylabel="MB", title="Memory of the process, at most")
    panel.set_ylim(0, max(curves[0]["seconds"]) * 1.15)
    finish(panel)


def finish(panel: Axes) -> None:
    panel.xaxis.set_major_locator(LogLocator(base=10))
    panel.xaxis.set_major_formatter(FuncFormatter(number))
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.yaxis.set_minor_formatter(NullFormatter())
    panel.grid(visible=True, color=TEXT, alpha=0.15, linewidth=0.6)
    panel.spines[["top", "right"]].set_visible(False)


def number(value: float, _: object = None) -> str:
    """Write a count shortly."""
    scale, unit = next(
        ((scale, unit) for scale, unit in ((1e6, "M"), (1e3, "k")) if value >= scale), (1.0, "")
    )
    return f"{value / scale:g}{unit}"


def duration(seconds: float, _: object = None) -> str:
    """Write a time with the unit that suits it."""
    scale, unit = next(((s, u) for s, u in reversed(UNITS) if seconds >= s * 0.999), UNITS[0])
    return f"{seconds / scale:,.0f} {unit}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
