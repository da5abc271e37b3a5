"""Small drawings in SVG: shapes only, words stand beside them, and colours come from the style sheet.

Places are given as shares of the drawing's width, so that it may be as wide as there is room.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from retraining.cards.curve import Curve
from retraining.cards.markup import Html, element


@dataclass(frozen=True, slots=True)
class Scale:
    """Turns values into shares of a drawing's width."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Sequence[float], *, margin: float = 0.08) -> "Scale":
        """Return a scale with room beyond the outermost values."""
        low, high = min(values), max(values)
        room = (high - low) * margin or abs(high) * margin or 1.0
        return cls(low - room, high + room)

    def place(self, value: float) -> float:
        """Return where a value lies, 0 to 1."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def percent(self, value: float) -> str:
        """Return the same for an attribute."""
        return f"{self.place(value) * 100:.2f}%"


@dataclass(frozen=True, slots=True)
class Mark:
    """A value in a chart of intervals; ``who`` is a class of the style sheet."""

    who: str
    value: float
    interval: tuple[float, float] | None


def intervals(marks: Sequence[Mark], scale: Scale, label: str, bound: float | None = None) -> Html:
    """Draw values with their intervals, one below the other, and a bound across them."""
    height = 18 * len(marks)
    shapes = [element("rect", x="0", y=0, width="100%", height=height, rx=4, class_="track")]
    if bound is not None:
        at = scale.percent(bound)
        shapes.append(element("line", x1=at, x2=at, y1=0, y2=height, class_="bound"))
    for row, mark in enumerate(marks):
        y = 18 * row + 9
        if mark.interval:
            low, high = (scale.percent(end) for end in mark.interval)
            shapes.append(element("line", x1=low, x2=high, y1=y, y2=y, class_=f"whisker {mark.who}"))
            shapes += [
                element("line", x1=end, x2=end, y1=y - 4, y2=y + 4, class_=f"cap {mark.who}")
                for end in (low, high)
            ]
        shapes.append(element("circle", cx=scale.percent(mark.value), cy=y, r=5, class_=f"dot {mark.who}"))
    return _drawing(shapes, label, class_="intervals", width="100%", height=height)


def spell(start: float, end: float, class_: str) -> Html:
    """Draw when something happened: the part of a whole from one share of it to another."""
    start, end = min(1.0, max(0.0, start)), min(1.0, max(0.0, end))
    width = max(end - start, 0.006)
    start = min(start, 1 - width)
    shapes = [
        element("rect", x="0", y=0, width="100%", height=4, rx=2, class_="track"),
        element("rect", x=f"{start * 100:.2f}%", y=0, width=f"{width * 100:.2f}%", height=4, rx=2),
    ]
    return element("svg", *shapes, class_=f"spell {class_}", width="100%", height=4, aria_hidden="true")


def curve(drawn: Curve, label: str) -> Html:
    """Draw a curve; its line keeps its width however the drawing is stretched."""
    across = Scale(drawn.points[0][0], max(drawn.points[-1][0], drawn.points[0][0] + 1e-9))
    upwards = Scale.over([value for _, value in drawn.points])
    places = [(across.place(x) * 294 + 3, 100 - upwards.place(y) * 100) for x, y in drawn.points]
    line = " ".join(f"{x:.2f},{y:.2f}" for x, y in places)
    shapes = [element("line", x1=0, x2=300, y1=y, y2=y, class_="grid") for y in (0.5, 50, 99.5)]
    shapes.append(element("polyline", points=line, class_="line"))
    if len(places) <= 40:
        # A line without length has round ends all the same: a point that is not stretched.
        points = "".join(f"M{x:.2f} {y:.2f}h0" for x, y in places)
        shapes.append(element("path", d=points, class_="points"))
    return _drawing(shapes, label, class_="curve", viewBox="0 0 300 100", preserveAspectRatio="none")


def _drawing(shapes: Sequence[Html], label: str, **attributes: str | int) -> Html:
    return element("svg", *shapes, role="img", aria_label=label, **attributes)
