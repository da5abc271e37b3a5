"""A model's predictions and the truth, joined row by row, and everything that may be wrong with them.

``labels.csv`` (``id,label``) is the truth. ``predictions.csv`` (``id,label,prediction``) is what a training
program claims; nothing in it is believed but the column ``prediction``.
"""

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

from retraining.errors import HoldoutInvalidError

FIRST_OFFENDERS = 5
"""How many offending rows a finding names."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault in a file, as a sentence with the first offenders and how many there are."""

    kind: str
    count: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Predictions on the whole holdout.

    Attributes
    ----------
    truth, predicted : list of str
        Canonical labels, in the order of ``labels.csv``; of equal length.
    """

    truth: list[str]
    predicted: list[str]

    @property
    def rows(self) -> int:
        """Rows of the holdout."""
        return len(self.truth)

    @property
    def correct(self) -> int:
        """Rows predicted right."""
        return sum(map(str.__eq__, self.truth, self.predicted))


def read_truth(data: bytes, source: str) -> dict[str, str]:
    """Read ``labels.csv``.

    Parameters
    ----------
    data : bytes
        The file.
    source : str
        Where it came from, for the error.

    Returns
    -------
    dict
        Canonical label by id, in the order of the file.

    Raises
    ------
    HoldoutInvalidError
        The file is not a table with the columns ``id`` and ``label``, each id once.
    """
    table = _Table(data, ("id", "label"))
    truth: dict[str, str] = {}
    for line, (identifier, text) in table.rows():
        label = canonical(text)
        if not identifier or label is None:
            raise HoldoutInvalidError(f"{source}, line {line}: an id and a label are needed, found {text!r}.")
        if identifier in truth:
            raise HoldoutInvalidError(f"{source}, line {line}: the id {identifier!r} is there a second time.")
        truth[identifier] = label
    if table.fault:
        raise HoldoutInvalidError(f"{source} {table.fault}; upload a CSV file with the columns id and label.")
    if not truth:
        raise HoldoutInvalidError(f"{source} holds no rows; upload a CSV file with the columns id and label.")
    return truth


def join(data: bytes, truth: dict[str, str], source: str) -> tuple[Joined | None, list[Finding]]:
    """Join predictions with the truth on ``id``.

    Parameters
    ----------
    data : bytes
        ``predictions.csv`` as the training program wrote it.
    truth : dict
        Canonical label by id.
    source : str
        The file's name, for the findings.

    Returns
    -------
    Joined or None
        None whenever there is a finding: figures over a part of the holdout would be figures over another
        holdout.
    list of Finding
        Every kind of fault.
    """
    table = _Table(data, ("id", "label", "prediction"))
    predicted: dict[str, str] = {}
    unknown, repeated, contradicted, unusable = (_Offenders() for _ in range(4))
    for _, (identifier, claimed, text) in table.rows():
        label = truth.get(identifier)
        if label is None:
            unknown.add(identifier)
            continue
        if identifier in predicted:
            repeated.add(identifier)
            continue
        prediction = canonical(text)
        if prediction is None:
            unusable.add(f"{identifier} ({text or 'empty'})")
        if canonical(claimed) != label:
            contradicted.add(f"{identifier} (claimed {claimed or 'nothing'}, true {label})")
        predicted[identifier] = prediction or ""
    if table.fault:
        return None, [Finding("shape", 1, f"{source} {table.fault}.")]
    missing = _Offenders()
    for identifier in truth:
        if identifier not in predicted:
            missing.add(identifier)
    findings = [
        *missing.finding("missing", source, "lacks {count:,} of the holdout's ids"),
        *unknown.finding("unknown", source, "has {count:,} id{s} unknown to the holdout"),
        *repeated.finding("repeated", source, "has {count:,} id{s} too often"),
        *contradicted.finding(
            "contradicted", source, "claims {count:,} label{s} in contradiction to the holdout"
        ),
        *unusable.finding("unusable", source, "has {count:,} row{s} without a usable prediction"),
    ]
    if findings:
        return None, findings
    return Joined(list(truth.values()), [predicted[identifier] for identifier in truth]), []


def canonical(text: str) -> str | None:
    """Return one spelling for equal labels: ``7``, `` 7``, ``7.0`` and ``07`` are the same class.

    Returns
    -------
    str or None
        None for what is no label: nothing, NaN, infinity.
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and (text[0] != "0" or text == "0"):
        return text
    try:
        number = float(text)
    except ValueError:
        return text or None
    if not math.isfinite(number):
        return None
    return str(int(number)) if number.is_integer() else repr(number)


class _Offenders:
    """Counts offending rows and keeps the first few."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[str] = []

    def add(self, row: str) -> None:
        self.count += 1
        if len(self.first) < FIRST_OFFENDERS:
            self.first.append(row if len(row) <= 60 else f"{row[:57]}...")

    def finding(self, kind: str, source: str, text: str) -> list[Finding]:
        if not self.count:
            return []
        others = " and more" if self.count > len(self.first) else ""
        said = text.format(count=self.count, s="" if self.count == 1 else "s")
        sentence = f"{source} {said}; the first: {', '.join(self.first)}{others}."
        return [Finding(kind, self.count, sentence)]


class _Table:
    """A CSV file read column by name; ``fault`` says what stopped the reading."""

    def __init__(self, data: bytes, columns: tuple[str, ...]) -> None:
        self.fault = ""
        self._data = data
        self._columns = columns

    def rows(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield line number and the columns asked for, stripped."""
        try:
            text = self._data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.fault = f"is not a text file (byte {error.start} is not UTF-8)"
            return
        if not text.strip():
            self.fault = "is empty"
            return
        reader = csv.reader(io.StringIO(text, newline=""))
        try:
            header = [name.strip() for name in next(reader)]
            lacking = [name for name in self._columns if name not in header]
            if lacking:
                self.fault = (
                    f"lacks the column {', '.join(lacking)}; its first line is {','.join(header)[:100]!r}"
                )
                return
            positions = [header.index(name) for name in self._columns]
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    self.fault = (
                        f"has {len(row)} fields in line {reader.line_num} where the header has {len(header)}"
                    )
                    return
                yield reader.line_num, tuple(row[position].strip() for position in positions)
        except (csv.Error, StopIteration) as error:
            self.fault = f"cannot be read as CSV: {error}"
