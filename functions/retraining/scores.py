"""A model's figures on the holdout: metrics and intervals, by class and slice, confusion matrix."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from retraining import intervals, metrics
from retraining.intervals import Interval
from retraining.metrics import ACCURACY, BALANCED_ACCURACY, LOG_LOSS, MACRO_F1, MAE, RMSE, Metric
from retraining.predictions import Joined

CLASS = "class"
"""The column of the groups that are the holdout's classes; all other groups are of ``slice_*`` columns."""

_TABLE = (BALANCED_ACCURACY, MACRO_F1)
_MOST_CLASSES = 100
"""A confusion matrix of more classes is not kept."""

Key = tuple[str, str]
"""Column and value of a class or slice."""


@dataclass(frozen=True, slots=True)
class Group:
    """A model's figure within one class or slice.

    Attributes
    ----------
    rows : int
        Its rows.
    figure : float
        The share of right rows, for quantities the metric.
    interval : (float, float) or None
        Wilson's, of a share.
    """

    rows: int
    figure: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Score:
    """A model's figures.

    Attributes
    ----------
    rows : int
        Rows of the holdout.
    correct : int or None
        Rows predicted right; None for quantities.
    values : dict
        Every metric that these predictions allow, by name.
    spans : dict
        A 95 % confidence interval for each.
    confusion : dict
        Rows by (true class, predicted class); empty for quantities.
    """

    rows: int
    correct: int | None
    values: dict[str, float]
    spans: dict[str, Interval]
    confusion: dict[tuple[str, str], int]

    def as_document(self) -> dict[str, Any]:
        """Return what a run's record keeps: every metric by name, counts, and the intervals."""
        counts = {"rows": self.rows} if self.correct is None else {"correct": self.correct, "rows": self.rows}
        spans = {name: list(span) for name, span in self.spans.items()}
        return {**self.values, **counts, "intervals": spans}

    def confusion_document(self) -> dict[str, Any] | None:
        """Return the confusion matrix, one row per true class; None if there is none, or it is too large."""
        classes = sorted({name for cell in self.confusion for name in cell}, key=class_order)
        if not classes or len(classes) > _MOST_CLASSES:
            return None
        matrix = [[self.confusion.get((true, guess), 0) for guess in classes] for true in classes]
        return {"classes": classes, "matrix": matrix}


def score(joined: Joined) -> Score:
    """Compute a model's figures."""
    if joined.truth.numeric:
        values: dict[str, float] = {}
        spans: dict[str, Interval] = {}
        for metric in (RMSE, MAE):
            _by_row(joined, metric, values, spans)
        return Score(joined.rows, None, values, spans, {})
    confusion = Counter(zip(joined.truth.labels, joined.predicted, strict=True))
    values = metrics.classification(confusion.items())
    correct = sum(count for (true, guess), count in confusion.items() if true == guess)
    spans = {ACCURACY.name: intervals.wilson(correct, joined.rows)}
    names = [metric.name for metric in _TABLE]

    def table_metrics(table: list[tuple[tuple[str, str], int]]) -> list[float]:
        found = metrics.classification(table)
        return [found[name] for name in names]

    resampled = intervals.bootstrap_counts(confusion, table_metrics)
    spans |= {name: intervals.percentiles(drawn) for name, drawn in zip(names, resampled, strict=True)}
    if joined.probabilities is not None:
        _by_row(joined, LOG_LOSS, values, spans)
    return Score(joined.rows, correct, values, spans, dict(confusion))


def too_small(joined: Joined, metric: Metric, least_rows: int) -> dict[Key, int]:
    """Count the rows of the classes and slices that `groups` leaves out."""
    columns = list(joined.truth.slices.items())
    if not metric.numeric:
        columns.insert(0, (CLASS, joined.truth.labels))
    return {
        (name, value): rows
        for name, column in columns
        for value, rows in Counter(column).items()
        if rows < least_rows
    }


def groups(joined: Joined, metric: Metric, least_rows: int) -> dict[Key, Group]:
    """Compute a model's figure within every class and slice that is large enough.

    Parameters
    ----------
    joined : Joined
        Its predictions.
    metric : Metric
        For quantities the figure is this metric; for classes always the share of right rows.
    least_rows : int
        Smaller classes and slices are left out.
    """
    columns = list(joined.truth.slices.items())
    if metric.numeric:
        row_losses = metrics.losses(joined, metric)
        return _mean_groups(columns, row_losses, metric, least_rows)
    columns.insert(0, (CLASS, joined.truth.labels))
    right = list(map(str.__eq__, joined.truth.labels, joined.predicted))
    found: dict[Key, Group] = {}
    for name, column in columns:
        table = Counter(zip(column, right, strict=True))
        for value in dict.fromkeys(value for value, _ in table):
            correct, rows = table[value, True], table[value, True] + table[value, False]
            if rows >= least_rows:
                found[name, value] = Group(rows, correct / rows, intervals.wilson(correct, rows))
    return found


def class_order(label: str) -> tuple[bool, float, str]:
    """Order classes as people do: numbers by size, then names."""
    try:
        return False, float(label), label
    except ValueError:
        return True, 0.0, label


def _mean_groups(
    columns: Sequence[tuple[str, Sequence[str]]], row_losses: Sequence[float], metric: Metric, least_rows: int
) -> dict[Key, Group]:
    found: dict[Key, Group] = {}
    for name, column in columns:
        parts: dict[str, list[float]] = {}
        for value, loss in zip(column, row_losses, strict=True):
            parts.setdefault(value, []).append(loss)
        for value, part in parts.items():
            if len(part) >= least_rows:
                figure = metrics.of_mean(metric, metrics.mean(part))
                found[name, value] = Group(len(part), figure, None)
    return found


def _by_row(joined: Joined, metric: Metric, values: dict[str, float], spans: dict[str, Interval]) -> None:
    row_losses = metrics.losses(joined, metric)
    values[metric.name] = metrics.of_mean(metric, metrics.mean(row_losses))
    low, high = intervals.mean_interval(row_losses)
    spans[metric.name] = metrics.of_mean(metric, max(low, 0.0)), metrics.of_mean(metric, high)
