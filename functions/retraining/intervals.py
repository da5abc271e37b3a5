"""Confidence intervals, and the paired tests of challenger against champion on the same rows.

Everything is computed by the standard library; docs/decisions.md has the figures. Chance is seeded: the same
predictions give the same verdict.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from random import Random
from statistics import NormalDist
from typing import TypeVar

from retraining import sampling

Cell = TypeVar("Cell", bound=Hashable)
Interval = tuple[float, float]

CONFIDENCE = 0.95
SEED = 20_260_101
RESAMPLES = 1_000
"""For an interval; its ends are then known to about a tenth of its width."""

TEST_RESAMPLES = 2_000
"""For a test; the least p-value that it can give is then 2 / 2,001."""

WORK_LIMIT = 2_000_000
"""Draws that one bootstrap may cost; a table of many thousand cells is resampled less often."""

FEWEST_RESAMPLES = 200

ROW_LIMIT = 500
"""Rows up to which row losses are resampled. Above, their mean is normal for all purposes, and the bootstrap
would only find that again, slowly."""

_NORMAL = NormalDist()


def wilson(successes: int, rows: int, confidence: float = CONFIDENCE) -> Interval:
    """Return Wilson's score interval of a proportion.

    Parameters
    ----------
    successes, rows : int
        With ``rows`` at least 1.
    confidence : float
        Of the interval, two-sided.

    Notes
    -----
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    z = _NORMAL.inv_cdf((1 + confidence) / 2)
    share, square = successes / rows, z * z
    centre = (share + square / (2 * rows)) / (1 + square / rows)
    half = z / (1 + square / rows) * math.sqrt(share * (1 - share) / rows + square / (4 * rows * rows))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == rows else min(1.0, centre + half)
    return low, high


def mcnemar(challenger_only: int, champion_only: int) -> float:
    """Return the p-value of the exact, two-sided McNemar test.

    Parameters
    ----------
    challenger_only, champion_only : int
        Rows that only the one, or only the other, has right.

    Notes
    -----
    Under the hypothesis that both are equally good, each such row is a fair coin: twice the smaller tail of a
    binomial distribution, at most 1. The terms are summed downwards from the largest: nothing is lost.
    """
    rows, fewer = challenger_only + champion_only, min(challenger_only, champion_only)
    if challenger_only == champion_only:
        return 1.0
    log_term = (
        math.lgamma(rows + 1) - math.lgamma(fewer + 1) - math.lgamma(rows - fewer + 1) - rows * math.log(2)
    )
    total = term = 1.0
    for k in range(fewer, 0, -1):
        term *= k / (rows - k + 1)
        total += term
        if term < total * 1e-17:
            break
    return min(1.0, 2 * total * math.exp(log_term))


def bootstrap_counts(
    counts: Mapping[Cell, int],
    statistic: Callable[[list[tuple[Cell, int]]], Sequence[float]],
    resamples: int = RESAMPLES,
) -> list[list[float]]:
    """Resample a table of counts and return each figure's values, sorted.

    Parameters
    ----------
    counts : mapping
        Rows by cell.
    statistic : callable
        Gives the figures of a table of (cell, count); a count may be 0.
    resamples : int
        At most so many.
    """
    cells = sorted((cell for cell in counts.items() if cell[1]), key=lambda cell: (-cell[1], repr(cell[0])))
    keys, sizes = [cell for cell, _ in cells], [count for _, count in cells]
    random = Random(SEED)
    times = max(FEWEST_RESAMPLES, min(resamples, WORK_LIMIT // len(cells)))
    drawn = [
        statistic(list(zip(keys, sampling.multinomial(random, sizes), strict=True))) for _ in range(times)
    ]
    return [sorted(values) for values in zip(*drawn, strict=True)]


def mean_interval(values: Sequence[float]) -> Interval:
    """Return an interval of the mean of row losses: bootstrap percentiles, or the limit they go to."""
    if len(values) <= ROW_LIMIT:
        return percentiles(_resampled_means(values, RESAMPLES))
    centre, error = _mean_and_error(values)
    half = _NORMAL.inv_cdf((1 + CONFIDENCE) / 2) * error
    return centre - half, centre + half


def mean_test(differences: Sequence[float]) -> float:
    """Return the p-value, two-sided, of the paired bootstrap of a mean difference.

    Parameters
    ----------
    differences : sequence of float
        One per row, of two models' losses.
    """
    centre, error = _mean_and_error(differences)
    if error == 0:
        return 1.0 if centre == 0 else 0.0
    if len(differences) <= ROW_LIMIT:
        return crossing(_resampled_means(differences, TEST_RESAMPLES))
    return math.erfc(abs(centre / error) / math.sqrt(2))


def percentiles(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Return the middle part of sorted values."""
    outside = (1 - confidence) / 2
    last = len(values) - 1
    return values[round(outside * last)], values[round((1 - outside) * last)]


def crossing(values: Sequence[float]) -> float:
    """Return the p-value, two-sided, of resampled differences: how far 0 lies out among them."""
    below = sum(value <= 0 for value in values)
    above = sum(value >= 0 for value in values)
    return min(1.0, 2 * (1 + min(below, above)) / (1 + len(values)))


def _resampled_means(values: Sequence[float], resamples: int) -> list[float]:
    random, rows = Random(SEED), len(values)
    return sorted(sum(random.choices(values, k=rows)) / rows for _ in range(resamples))


def _mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    rows = len(values)
    centre = math.fsum(values) / rows
    if rows == 1:
        return centre, 0.0
    variance = math.fsum((value - centre) ** 2 for value in values) / (rows - 1)
    return centre, math.sqrt(variance / rows)
