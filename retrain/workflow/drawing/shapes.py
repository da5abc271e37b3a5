"""The outlines of states, and the signs that say how they went without a word or a colour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from retrain.workflow.drawing.layout import SHEETS
from retrain.workflow.drawing.progress import Status

_CUT: Final = 10.0
_RADIUS: Final = 9.0

_MARKS: Final = {
    "succeeded": "M-4 0.5L-1.2 3.2L4.2 -3",
    "failed": "M-3.2 -3.2L3.2 3.2M3.2 -3.2L-3.2 3.2",
    "caught": "M0 -4.2V0.6M0 3.8V3.9",
    "running": "M-2 -3.8L3.6 0L-2 3.8Z",
    "aborted": "M-3 -3H3V3H-3Z",
}


def number(value: float) -> str:
    """Return a coordinate, to a tenth of a pixel."""
    return f"{round(value, 1):g}" if abs(value) < 100000 else f"{value:.1f}"


def box(kind: str, width: float, height: float) -> Iterator[str]:
    """Yield the outline of a state: cut corners for a Choice, round ends for what ends, sheets for a Map."""
    if kind == "Map":
        for offset in (SHEETS, SHEETS / 2):
            yield _rectangle(width, height, kind="box sheet", offset=offset)
    if kind == "Choice":
        middle, right = height / 2, width
        corners = (
            (0.0, middle),
            (_CUT, 0.0),
            (right - _CUT, 0.0),
            (right, middle),
            (right - _CUT, height),
            (_CUT, height),
        )
        points = " ".join(f"{number(x)},{number(y)}" for x, y in corners)
        yield f'<polygon class="box" points="{points}"/>'
    else:
        yield _rectangle(width, height, radius=height / 2 if kind in ("Succeed", "Fail") else 6)


def _rectangle(
    width: float, height: float, *, kind: str = "box", offset: float = 0, radius: float = 6
) -> str:
    place = f' x="{number(offset)}" y="{number(offset)}"' if offset else ""
    size = f'width="{number(width)}" height="{number(height)}" rx="{number(radius)}"'
    return f'<rect class="{kind}"{place} {size}/>'


def sign(status: Status, width: float) -> Iterator[str]:
    """Yield the sign of a status, on the upper right corner of a state of a width."""
    mark = _MARKS.get(status)
    if mark is None:
        return
    yield f'<circle class="sign" cx="{number(width - 2)}" cy="2" r="{number(_RADIUS)}"/>'
    yield f'<path class="sign-mark" transform="translate({number(width - 2)} 2)" d="{mark}"/>'


def again() -> str:
    """Return the sign for what is tried again, at the upper left: an arrow that comes round."""
    return (
        '<path class="again" transform="translate(6 6)" d="M9.5 3.2A4.2 4.2 0 1 0 10.2 6.4M9.9 0.9V3.5H7.3"/>'
    )
