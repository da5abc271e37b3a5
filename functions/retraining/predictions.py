"""A model's predictions joined with the truth row by row, and everything that may be wrong with them.

``predictions.csv`` (``id,label,prediction``) is what a training program claims; nothing in it is believed but
the column ``prediction``, and the probabilities if it gives any: ``probability_<class>`` for every class of
the holdout, or, for two classes, ``score``, the probability of the predicted one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retraining.labels import canonical, number, readable
from retraining.tables import Table
from retraining.truth import Truth

FIRST_OFFENDERS = 5
"""How many offending rows a finding names."""

PROBABILITY_PREFIX = "probability_"
SCORE = "score"
SUM_TOLERANCE = 1e-3
"""How far a row's probabilities may be from adding up to 1: programs round them."""

_CLAIM_TOLERANCE = 1e-6
"""Relative difference that claimed and true quantities may have: programs read them as single floats."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault in a file, as a sentence with the first offenders and how many there are."""

    kind: str
    count: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Predictions on the whole holdout, in the truth's order.

    Attributes
    ----------
    truth : Truth
        The holdout.
    predicted : list of str
        Canonical labels; empty if the labels are quantities.
    values : list of float
        The predictions as numbers; empty if the labels are classes.
    probabilities : list of float or None
        The probability that the model gave to each row's true class; None if it gave none.
    """

    truth: Truth
    predicted: list[str]
    values: list[float]
    probabilities: list[float] | None = None

    @property
    def rows(self) -> int:
        """Rows of the holdout."""
        return self.truth.rows


def join(
    data: bytes, truth: Truth, source: str, *, needs_probabilities: bool = False
) -> tuple[Joined | None, list[Finding]]:
    """Join predictions with the truth on ``id``.

    Parameters
    ----------
    data : bytes
        ``predictions.csv`` as the training program wrote it.
    truth : Truth
        The holdout.
    source : str
        The file's name, for the findings.
    needs_probabilities : bool
        Whether missing or impossible probabilities are a fault; else they are only not used.

    Returns
    -------
    Joined or None
        None whenever there is a finding: figures over a part of the holdout would be figures over another
        holdout.
    list of Finding
        Every kind of fault.
    """
    table = Table(data, ("id", "label", "prediction"), _is_probability)
    predicted: list[str | None] = [None] * truth.rows
    values = [0.0] * truth.rows if truth.numeric else []
    probabilities = _Probabilities(truth)
    unknown, repeated, contradicted, unusable = (_Offenders() for _ in range(4))
    positions, labels = truth.positions, truth.labels
    agrees = _agreement(truth)
    known: dict[str, str | None] = {}
    for _, (identifier, claimed, text, *further) in table.rows():
        row = positions.get(identifier)
        if row is None:
            unknown.add(identifier)
            continue
        if predicted[row] is not None:
            repeated.add(identifier)
            continue
        if truth.numeric:
            value = number(text)
            usable = value is not None
            values[row] = value or 0.0
            predicted[row] = ""
        else:
            if text not in known:
                known[text] = canonical(text)
            label = known[text]
            usable = label is not None
            predicted[row] = label or ""
        if not usable:
            unusable.add(f"{identifier} ({text or 'empty'})")
        if claimed != labels[row] and not agrees(row, claimed):
            contradicted.add(f"{identifier} (claimed {claimed or 'nothing'}, true {labels[row]})")
        if further:
            probabilities.add(row, identifier, predicted[row] or "", table.further, further)
    if table.fault:
        return None, [Finding("shape", 1, f"{source} {table.fault}.")]
    missing = _Offenders()
    if None in predicted:
        for identifier, row in positions.items():
            if predicted[row] is None:
                missing.add(identifier)
    findings = [
        *missing.finding("missing", source, "lacks {count:,} of the holdout's ids"),
        *unknown.finding("unknown", source, "has {count:,} id{s} unknown to the holdout"),
        *repeated.finding("repeated", source, "has {count:,} id{s} too often"),
        *contradicted.finding(
            "contradicted", source, "claims {count:,} label{s} in contradiction to the holdout"
        ),
        *unusable.finding("unusable", source, "has {count:,} row{s} without a usable prediction"),
        *(probabilities.findings(source, table.further) if needs_probabilities else []),
    ]
    if findings:
        return None, findings
    classes = [] if truth.numeric else [label or "" for label in predicted]
    return Joined(truth, classes, values, probabilities.given()), []


def _agreement(truth: Truth) -> Callable[[int, str], bool]:
    """Return whether a claimed label, spelt otherwise than the true one, means the same."""
    if truth.numeric:
        return lambda row, claimed: math.isclose(
            _or_nan(number(claimed)), truth.values[row], rel_tol=_CLAIM_TOLERANCE, abs_tol=_CLAIM_TOLERANCE
        )
    return lambda row, claimed: canonical(claimed) == truth.labels[row]


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _is_probability(column: str) -> bool:
    return column == SCORE or column.startswith(PROBABILITY_PREFIX)


class _Probabilities:
    """Collects the probability of each row's true class, from whichever columns give it."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._classes = set() if truth.numeric else set(truth.labels)
        self._of_truth = [math.nan] * (0 if truth.numeric else truth.rows)
        self._positions: dict[str, int] | None = None
        self._usable = not truth.numeric
        self._impossible = _Offenders()
        self._filled = 0

    def add(
        self, row: int, identifier: str, predicted: str, columns: Sequence[str], texts: Sequence[str]
    ) -> None:
        """Take one row's probabilities."""
        if not self._usable:
            return
        if self._positions is None:
            self._positions = {
                canonical(name.removeprefix(PROBABILITY_PREFIX)) or "": position
                for position, name in enumerate(columns)
                if name != SCORE
            }
            by_score = not self._positions and len(self._classes) == 2
            self._usable = by_score or self._classes <= set(self._positions)
            if not self._usable:
                return
        value = self._of_columns(row, texts) if self._positions else self._of_score(row, predicted, texts)
        if value is None:
            self._impossible.add(identifier)
            return
        self._of_truth[row] = value
        self._filled += 1

    def given(self) -> list[float] | None:
        """Return the probabilities, None unless every row has one."""
        complete = self._usable and self._filled == len(self._of_truth) > 0
        return self._of_truth if complete else None

    def findings(self, source: str, columns: Sequence[str]) -> list[Finding]:
        """Return what is wrong with the probabilities, for a metric that needs them."""
        if not columns or not self._usable:
            lacking = sorted(self._classes - set(self._positions or ()))[:FIRST_OFFENDERS]
            names = ", ".join(f"{PROBABILITY_PREFIX}{readable(name)}" for name in lacking)
            sentence = f"{source} lacks probabilities, which the metric needs: it has no column {names}."
            return [Finding("shape", 1, sentence)]
        return self._impossible.finding(
            "unusable", source, "has {count:,} row{s} whose probabilities are none or do not add up to 1"
        )

    def _of_columns(self, row: int, texts: Sequence[str]) -> float | None:
        positions = self._positions or {}
        numbers = [number(texts[position]) for position in positions.values()]
        if any(value is None or not 0 <= value <= 1 for value in numbers):
            return None
        if abs(sum(value or 0.0 for value in numbers) - 1) > SUM_TOLERANCE:
            return None
        return number(texts[positions[self._truth.labels[row]]])

    def _of_score(self, row: int, predicted: str, texts: Sequence[str]) -> float | None:
        value = number(texts[0])
        if value is None or not 0 <= value <= 1 or predicted not in self._classes:
            return None
        return value if predicted == self._truth.labels[row] else 1 - value


class _Offenders:
    """Counts offending rows and keeps the first few."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[str] = []

    def add(self, row: str) -> None:
        self.count += 1
        if len(self.first) < FIRST_OFFENDERS:
            self.first.append(readable(row, 60))

    def finding(self, kind: str, source: str, text: str) -> list[Finding]:
        if not self.count:
            return []
        others = " and more" if self.count > len(self.first) else ""
        said = text.format(count=self.count, s="" if self.count == 1 else "s")
        sentence = f"{source} {said}; the first: {', '.join(self.first)}{others}."
        return [Finding(kind, self.count, sentence)]
