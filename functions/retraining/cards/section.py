"""The frame that all parts of a card share."""

from collections.abc import Iterable, Sequence

from retraining.cards.markup import Child, Html, element, together


def section(title: str, *content: Child, note: str = "", class_: str = "") -> Html:
    """Make a part of the card with a heading."""
    return element(
        "section",
        element("h2", title),
        element("p", note, class_="note") if note else None,
        *content,
        class_=class_ or None,
    )


def pairs(rows: Iterable[tuple[str, Child]]) -> Html:
    """Make a list of names and values; what has no value is left out."""
    return element(
        "dl",
        together(
            element("div", element("dt", name), element("dd", value))
            for name, value in rows
            if value not in (None, "")
        ),
    )


def table(columns: Sequence[Child], rows: Iterable[Sequence[Child]], *, class_: str = "") -> Html:
    """Make a table; the first cell of a row names it. It scrolls by itself where it is too wide."""
    head = element("tr", together(element("th", column, scope="col") for column in columns))
    body = together(
        element("tr", element("th", row[0], scope="row"), together(element("td", cell) for cell in row[1:]))
        for row in rows
    )
    made = element("table", element("thead", head), element("tbody", body), class_=class_ or None)
    return element("div", made, class_="scroll", tabindex=0)


def folded(summary: str, *content: Child) -> Html:
    """Make a part that opens when it is asked for, and is open on paper."""
    return element("details", element("summary", summary), *content)
