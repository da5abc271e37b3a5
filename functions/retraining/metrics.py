"""The metrics that a challenger may be judged by: what they are, and how they come from predictions.

Classification metrics come from a table of counts by (true class, predicted class), all others from one loss
per row. Either way a figure over a million rows, or a resample of them, is a matter of the table.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from retraining.predictions import Joined

Confusion = Mapping[tuple[str, str], int]
"""Rows by (true class, predicted class)."""

LEAST_PROBABILITY = 2.0**-52
"""A probability of 0 for what is true would be an infinite loss; this is the bound of scikit-learn's, too."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes
    ----------
    name, title : str
        In policies, and in sentences.
    higher_is_better : bool
        Its direction.
    proportion : bool
        Whether it lies between 0 and 1 and is read as per cent.
    numeric : bool
        Whether it is about quantities, not classes.
    by_row : bool
        Whether it is (the root of) a mean of one loss per row.
    """

    name: str
    title: str
    higher_is_better: bool
    proportion: bool
    numeric: bool
    by_row: bool

    def gain(self, challenger: float, champion: float) -> float:
        """Return how much better the challenger is, in the metric's unit; negative if it is worse."""
        return challenger - champion if self.higher_is_better else champion - challenger

    def reaches(self, figure: float, bound: float) -> bool:
        """Whether a figure is on the good side of a bound; differences of binary fractions are forgiven."""
        return self.gain(figure, bound) >= -1e-12 * max(1.0, abs(bound))

    def written(self, value: float) -> str:
        """Write a value as people read it."""
        return percent(value) if self.proportion else f"{value:.4g}"

    @property
    def in_sentence(self) -> str:
        """Its title within a sentence."""
        return self.title if self.title.isupper() else self.title[0].lower() + self.title[1:]

    def written_difference(self, value: float) -> str:
        """Write the size of a difference."""
        return f"{abs(value) * 100:.2f} points" if self.proportion else f"{abs(value):.4g}"


ACCURACY = Metric("accuracy", "Accuracy", True, True, False, False)
BALANCED_ACCURACY = Metric("balanced_accuracy", "Balanced accuracy", True, True, False, False)
MACRO_F1 = Metric("macro_f1", "Macro F1", True, True, False, False)
LOG_LOSS = Metric("log_loss", "Log loss", False, False, False, True)
RMSE = Metric("rmse", "RMSE", False, False, True, True)
MAE = Metric("mae", "MAE", False, False, True, True)

METRICS = {metric.name: metric for metric in (ACCURACY, BALANCED_ACCURACY, MACRO_F1, LOG_LOSS, RMSE, MAE)}


def percent(value: float) -> str:
    """Write a proportion as people read it: ``98.91 %``."""
    return f"{value * 100:.2f} %"


def classification(confusion: Iterable[tuple[tuple[str, str], int]]) -> dict[str, float]:
    """Compute accuracy, balanced accuracy and macro F1.

    Parameters
    ----------
    confusion : iterable of ((true class, predicted class), rows)
        At least one row in all.

    Notes
    -----
    As scikit-learn has them: balanced accuracy is the mean recall of the classes that are there; macro F1 is
    the mean over the classes that are there or predicted, and a class that is never both has F1 0.
    """
    rows = 0
    right: dict[str, int] = {}
    there: dict[str, int] = {}
    predicted: dict[str, int] = {}
    for (true, guess), count in confusion:
        if not count:
            continue
        rows += count
        there[true] = there.get(true, 0) + count
        predicted[guess] = predicted.get(guess, 0) + count
        if true == guess:
            right[true] = count
    classes = there.keys() | predicted.keys()
    return {
        ACCURACY.name: sum(right.values()) / rows,
        BALANCED_ACCURACY.name: math.fsum(right.get(label, 0) / count for label, count in there.items())
        / len(there),
        MACRO_F1.name: math.fsum(
            2 * right.get(label, 0) / (there.get(label, 0) + predicted.get(label, 0)) for label in classes
        )
        / len(classes),
    }


def losses(joined: Joined, metric: Metric) -> list[float]:
    """Return the loss of every row under a metric that is `by_row`.

    Raises
    ------
    ValueError
        The metric is another, or the predictions are not of its kind.
    """
    if metric is LOG_LOSS and joined.probabilities is not None:
        log = math.log
        return [-log(max(value, LEAST_PROBABILITY)) for value in joined.probabilities]
    pairs = zip(joined.values, joined.truth.values, strict=True)
    if metric is RMSE:
        return [(value - true) ** 2 for value, true in pairs]
    if metric is MAE:
        return [abs(value - true) for value, true in pairs]
    raise ValueError(f"{metric.name} is no mean over these rows")


def of_mean(metric: Metric, mean: float) -> float:
    """Return the metric's value for a mean loss."""
    return math.sqrt(max(mean, 0.0)) if metric is RMSE else mean


def mean(values: Sequence[float]) -> float:
    """Return the mean, summed without loss of digits."""
    return math.fsum(values) / len(values)
