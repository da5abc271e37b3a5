"""The training curve, read out of a training job's log.

A training program reports by lines of ``key=value`` pairs with the key ``epoch``, such as
``epoch=2/3 train_loss=0.0811 holdout_accuracy=0.9794``; whatever else is a number makes a curve of its own.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from retraining.cards.facts import LogLine

_PAIR = re.compile(r"(?<!\S)([A-Za-z_][\w.:-]{0,63})=([^\s,;]{1,40})")
_EPOCH = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(?:/\d{1,9})?")

MOST_CURVES = 8
MOST_POINTS = 500
"""Per curve; of more, every n-th is drawn, and the last."""

_OF_SPEED = re.compile(r"(?i)second|_per_|time|throughput|elapsed|duration|eta\b")


@dataclass(frozen=True, slots=True)
class Curve:
    """A figure over the epochs; ``points`` are (epoch, value), in the order of the epochs."""

    name: str
    points: tuple[tuple[float, float], ...]


def tells(line: LogLine) -> bool:
    """Whether a line may be about an epoch."""
    return "epoch=" in line.text


def curves(log: Sequence[LogLine]) -> list[Curve]:
    """Read the curves of a training job, those about speed last.

    Parameters
    ----------
    log : sequence of LogLine
        Oldest first. Where an epoch is told twice, as after a spot instance was taken away, the later line
        counts; of several hosts, the first that reports.
    """
    found: dict[str, dict[float, float]] = {}
    reporting: str | None = None
    for line in log:
        if not tells(line):
            continue
        pairs = dict(_PAIR.findall(line.text))
        epoch = _EPOCH.fullmatch(pairs.pop("epoch", ""))
        if epoch is None or (reporting is not None and line.host != reporting):
            continue
        reporting = line.host
        for name, written in pairs.items():
            value = _value(written)
            if value is not None:
                found.setdefault(name, {})[float(epoch[1])] = value
    drawn = sorted(found, key=lambda name: bool(_OF_SPEED.search(name)))[:MOST_CURVES]
    return [Curve(name, _thinned(sorted(found[name].items()))) for name in drawn]


def _value(written: str) -> float | None:
    try:
        value = float(written)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _thinned(points: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    step = math.ceil(len(points) / MOST_POINTS)
    kept = points[::step]
    if kept[-1] != points[-1]:
        kept.append(points[-1])
    return tuple(kept)
