"""The confusion matrices of challenger and champion, and what they take for what most often."""

from collections.abc import Mapping, Sequence
from typing import Any

from retraining.cards import figures
from retraining.cards.facts import Facts, items, part
from retraining.cards.markup import Html, element, together
from retraining.cards.section import section, table

_MOST_CLASSES = 20
"""A matrix of more classes cannot be read; its most frequent confusions can."""

_MOST_CONFUSIONS = 10
_LONGEST_HEADING = 3
"""Characters."""

_STEPS = (0.0, 0.005, 0.02, 0.05, 0.15, 0.4, 0.75)
"""Shares of a class's rows at which the next deeper shade begins."""


def confusions(facts: Facts) -> Html | None:
    """Show which class is taken for which."""
    found = part(facts.evaluation, "confusion")
    ours, theirs = _Matrix(part(found, "challenger")), _Matrix(part(found, "champion"))
    if not ours.classes:
        return None
    drawn = [
        element("figure", element("figcaption", name), matrix.drawn(name))
        for name, matrix in (("Challenger", ours), ("Champion", theirs))
        if matrix.classes and len(matrix.classes) <= _MOST_CLASSES
    ]
    note = "Rows are what is true, columns what was answered; deeper shades are larger shares of a row."
    return section(
        "Confusions",
        element("div", together(drawn), class_="matrices") if drawn else None,
        _most_frequent(ours, theirs),
        note=note if drawn else "",
    )


class _Matrix:
    """A confusion matrix as the evaluation has it; without classes if it is not one."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        rows = [row for row in items(document, "matrix") if isinstance(row, Sequence)]
        names = [str(name) for name in items(document, "classes")]
        square = len(rows) == len(names) and all(len(row) == len(names) for row in rows)
        self.classes = names if square else []
        self.rows = [[int(figures.number(count) or 0) for count in row] for row in rows] if square else []

    def count(self, true: str, guess: str) -> int:
        """Return the rows of a class that are taken for another."""
        if true not in self.classes or guess not in self.classes:
            return 0
        return self.rows[self.classes.index(true)][self.classes.index(guess)]

    def drawn(self, name: str) -> Html:
        """Return the matrix as a table whose cells are shaded."""
        # Where names would make the columns wide, they are numbered.
        numbered = max(map(len, self.classes)) > _LONGEST_HEADING
        heads = [str(at + 1) for at in range(len(self.classes))] if numbered else self.classes
        rows = [f"{at}  {_short(label)}" for at, label in zip(heads, self.classes, strict=True)]
        head = together(
            element("th", name, scope="col", title=label)
            for name, label in zip(heads, self.classes, strict=True)
        )
        body = together(
            element("tr", element("th", name, scope="row", title=label), *_cells(at, counts))
            for at, (name, label, counts) in enumerate(
                zip(rows if numbered else heads, self.classes, self.rows, strict=True)
            )
        )
        corner = element("td", class_="corner")
        made = element(
            "table",
            element("thead", element("tr", corner, head)),
            element("tbody", body),
            class_="matrix",
            aria_label=f"{name}'s confusion matrix",
        )
        return element("div", made, class_="scroll", tabindex=0)


def _cells(at: int, row: Sequence[int]) -> list[Html]:
    total = sum(row)
    cells = []
    for column, count in enumerate(row):
        share = count / total if total else 0.0
        depth = sum(share > step for step in _STEPS)
        kind = "right" if column == at else "wrong"
        cells.append(element("td", f"{count:,}" if count else "", class_=f"{kind} d{depth}"))
    return cells


def _most_frequent(ours: _Matrix, theirs: _Matrix) -> Html:
    wrong = [
        (count, true, guess)
        for true, row in zip(ours.classes, ours.rows, strict=True)
        for guess, count in zip(ours.classes, row, strict=True)
        if true != guess and count
    ]
    if not wrong:
        return element("p", "The challenger takes no class for another.")
    worst = sorted(wrong, key=lambda cell: -cell[0])[:_MOST_CONFUSIONS]
    both = bool(theirs.classes)
    columns = ["Class", "taken for", "challenger", *(["champion"] if both else [])]
    rows = [
        [true, guess, f"{count:,}", *([f"{theirs.count(true, guess):,}"] if both else [])]
        for count, true, guess in worst
    ]
    return table(columns, rows, class_="numbers")


def _short(label: str) -> str:
    return label if len(label) <= 16 else f"{label[:15]}…"
