"""The truth: ``labels.csv`` of a holdout, ids, labels and any number of ``slice_*`` columns."""

from dataclasses import dataclass, field

from retraining.errors import HoldoutInvalidError
from retraining.labels import canonical, number
from retraining.tables import Table

SLICE_PREFIX = "slice_"
_REMEDY = "upload a CSV file with the columns id and label"


@dataclass(frozen=True, slots=True)
class Truth:
    """The holdout's rows, in the order of the file.

    Attributes
    ----------
    positions : dict
        Row number by id.
    labels : list of str
        Canonical labels. Equal labels are one object, so a million rows take little more than a million
        references.
    values : list of float
        The labels as numbers; empty unless they were asked for as such.
    slices : dict
        For each slice column, without its prefix, the row's value.
    """

    positions: dict[str, int]
    labels: list[str]
    values: list[float] = field(default_factory=list)
    slices: dict[str, list[str]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of the holdout."""
        return len(self.labels)

    @property
    def numeric(self) -> bool:
        """Whether the labels are quantities, not classes."""
        return bool(self.values)


def read_truth(data: bytes, source: str, *, numeric: bool = False) -> Truth:
    """Read ``labels.csv``.

    Parameters
    ----------
    data : bytes
        The file.
    source : str
        Where it came from, for the error.
    numeric : bool
        Whether every label must be a number, as the metric asks.

    Raises
    ------
    HoldoutInvalidError
        The file is not a table with the columns ``id`` and ``label``, each id once.
    """
    table = Table(data, ("id", "label"), lambda name: name.startswith(SLICE_PREFIX))
    truth = Truth({}, [])
    seen: dict[str, str | None] = {}
    columns: list[list[str]] = []
    for line, (identifier, text, *parts) in table.rows():
        if text not in seen:
            seen[text] = canonical(text)
        label = seen[text]
        if not identifier or label is None:
            raise HoldoutInvalidError(f"{source}, line {line}: an id and a label are needed, found {text!r}.")
        if identifier in truth.positions:
            raise HoldoutInvalidError(f"{source}, line {line}: the id {identifier!r} is there a second time.")
        truth.positions[identifier] = len(truth.labels)
        truth.labels.append(label)
        if numeric:
            value = number(text)
            if value is None:
                raise HoldoutInvalidError(
                    f"{source}, line {line}: the label {text[:60]!r} is no number, which the metric "
                    "of the gate needs."
                )
            truth.values.append(value)
        if parts:
            columns = columns or [[] for _ in parts]
            for column, part in zip(columns, parts, strict=True):
                if part not in seen:
                    seen[part] = canonical(part)
                column.append(seen[part] or "")
    if table.fault:
        raise HoldoutInvalidError(f"{source} {table.fault}; {_REMEDY}.")
    if not truth.labels:
        raise HoldoutInvalidError(f"{source} holds no rows; {_REMEDY}.")
    for name, column in zip(table.further, columns, strict=True):
        truth.slices[name.removeprefix(SLICE_PREFIX)] = column
    return truth
