"""Drawing from binomial and multinomial distributions with the standard library.

Resampling the rows of a table of counts is drawing its cells from a multinomial distribution. That makes a
bootstrap over a million rows as quick as one over a thousand: its cost is that of the cells.
"""

import math
from collections.abc import Sequence
from random import Random

_FEW = 10
"""Expected successes up to which waiting times are summed; above, rejection is quicker and needs it."""


def binomial(random: Random, trials: int, probability: float) -> int:
    """Draw the number of successes.

    Parameters
    ----------
    random : Random
        The source of chance.
    trials : int
        At least 0.
    probability : float
        Of success, 0 to 1.

    Notes
    -----
    Up to ten expected successes: Devroye's second waiting-time method. Above: BTRS of W. Hormann, "The
    generation of binomial random variates", Journal of Statistical Computation and Simulation 46 (1993). Both
    as in ``random.binomialvariate``, which comes with Python 3.12.
    """
    if probability > 0.5:
        return trials - binomial(random, trials, 1 - probability)
    if trials <= 0 or probability <= 0:
        return 0
    if trials * probability < _FEW:
        return _by_waiting(random, trials, probability)
    return _by_rejection(random, trials, probability)


def multinomial(random: Random, counts: Sequence[int]) -> list[int]:
    """Resample a table of counts: draw as many rows as it has, with replacement.

    Parameters
    ----------
    random : Random
        The source of chance.
    counts : sequence of int
        Rows per cell, each more than 0. Sorted downwards they are drawn from quickest.
    """
    rows = left = sum(counts)
    drawn: list[int] = []
    for count in counts:
        if not rows:
            drawn.append(0)
            continue
        taken = rows if count == left else binomial(random, rows, count / left)
        drawn.append(taken)
        rows -= taken
        left -= count
    return drawn


def _by_waiting(random: Random, trials: int, probability: float) -> int:
    scale = math.log1p(-probability)
    successes, passed = 0, 0
    while True:
        # 1 - random() lies in (0, 1], whose logarithm exists.
        passed += math.floor(math.log(1 - random.random()) / scale) + 1
        if passed > trials:
            return successes
        successes += 1


def _by_rejection(random: Random, trials: int, probability: float) -> int:
    deviation = math.sqrt(trials * probability * (1 - probability))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * probability
    centre = trials * probability + 0.5
    squeeze = 0.92 - 4.2 / b
    height: tuple[float, float, int, float] | None = None
    while True:
        u = random.random() - 0.5
        us = 0.5 - abs(u)
        if us == 0:
            continue
        k = math.floor((2 * a / us + b) * u + centre)
        if k < 0 or k > trials:
            continue
        v = random.random()
        if us >= 0.07 and v <= squeeze:
            return k
        if height is None:
            mode = math.floor((trials + 1) * probability)
            height = (
                (2.83 + 5.1 / b) * deviation,
                math.log(probability / (1 - probability)),
                mode,
                math.lgamma(mode + 1) + math.lgamma(trials - mode + 1),
            )
        alpha, odds, mode, top = height
        v *= alpha / (a / (us * us) + b)
        if v <= 0:
            return k
        if math.log(v) <= top - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + (k - mode) * odds:
            return k
