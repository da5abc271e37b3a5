"""A drawing as text, for terminals: an outline with rails, one state a line.

A state goes on to the one below it unless it says where to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from retrain.workflow.drawing import metrics
from retrain.workflow.drawing.graph import Graph, Node
from retrain.workflow.drawing.labels import ANY_ERROR
from retrain.workflow.drawing.outline import Entry, Way, outline
from retrain.workflow.drawing.progress import Progress, Status
from retrain.workflow.drawing.words import how_it_went

_SIGNS: Final = {"Choice": "◆", "Succeed": "■", "Fail": "■", "Parallel": "●", "Map": "●"}
_STATE: Final = "●"
_STATUS_SIGNS: Final[dict[Status, str]] = {
    "not_reached": "○",
    "running": "▶",
    "succeeded": "✓",
    "failed": "✗",
    "caught": "!",
    "aborted": "□",
}
_COLOURS: Final[dict[Status, str]] = {
    "not_reached": "2",
    "running": "34;1",
    "succeeded": "32",
    "failed": "31;1",
    "caught": "33",
    "aborted": "2",
}
_DIM: Final = "2"
_ASCII: Final = dict(
    zip(
        map(ord, "│├└─═┄→…⋮●◆■○▶✓✗□≠≤≥·"),
        [
            "|",
            "|",
            "`",
            "-",
            "=",
            "~",
            "->",
            "...",
            ":",
            "*",
            "?",
            "#",
            ".",
            ">",
            "+",
            "x",
            "#",
            "!=",
            "<=",
            ">=",
            ",",
        ],
        strict=True,
    )
)
_LEAST: Final = 28
"""Columns for a state at least, however deep it stands."""


def render(
    graph: Graph,
    progress: Progress | None,
    *,
    width: int = 80,
    colour: bool = False,
    ascii_only: bool = False,
) -> str:
    """Return the text; the parameters are those of `Drawing.text`."""
    writer = _Writer(progress, max(width, 2 * _LEAST), colour=colour, ascii_only=ascii_only)
    return "".join(f"{line}\n" for line in writer.entries(outline(graph), ""))


class _Writer:
    def __init__(self, progress: Progress | None, width: int, *, colour: bool, ascii_only: bool) -> None:
        self._progress = progress
        self._width = width
        self._colour = colour
        self._ascii = ascii_only

    def entries(self, entries: list[Entry], rails: str) -> Iterator[str]:
        for index, entry in enumerate(entries):
            last = index == len(entries) - 1
            yield self._state(entry.node, rails)
            # Beneath a state its rail goes on while something follows it.
            below = rails + ("  " if last or entry.goes_to or entry.ways else "│ ")
            for edge, name in entry.catches:
                names = edge.label or ANY_ERROR
                yield self._dim(below, f"  ┄ {names} → {name}")
            for number, branch in enumerate(entry.branches, 1):
                yield from self._branch(entry, branch, number, rails)
            for number, way in enumerate(entry.ways, 1):
                yield from self._way(way, rails, last=number == len(entry.ways))
            if entry.goes_to:
                yield self._dim(rails, f"└→ {entry.goes_to}")

    def _branch(self, entry: Entry, branch: list[Entry], number: int, rails: str) -> Iterator[str]:
        last = number == len(entry.branches)
        title = "each item" if entry.node.kind == "Map" else f"branch {number}"
        yield self._dim(rails, f"{'└' if last else '├'}═ {title}")
        yield from self.entries(branch, rails + ("   " if last else "│  "))

    def _way(self, way: Way, rails: str, *, last: bool) -> Iterator[str]:
        corner = "└" if last else "├"
        to = f" → {way.goes_to}" if way.goes_to else ""
        yield self._dim(rails, f"{corner}─ {way.edge.label}", to)
        yield from self.entries(way.inside, rails + ("   " if last else "│  "))

    def _state(self, node: Node, rails: str) -> str:
        rails = self._rails(rails)
        sign, right, style = _SIGNS.get(node.kind, _STATE), node.caption, ""
        if self._progress is not None and not node.hidden:
            went = self._progress.of(node.name)
            sign, right, style = _STATUS_SIGNS[went.status], how_it_went(went), _COLOURS[went.status]
        elif right == node.kind:
            right = right.lower()
        room = self._width - metrics.columns(rails)
        left = metrics.fit_columns(f"{self._plain(sign)} {_one_line(node.name)}", room, self._plain("…"))
        line = self._styled(rails, _DIM) + self._styled(left, style)
        free = room - metrics.columns(left) - 2
        if free < 8 or not right:
            return line.rstrip()
        right = metrics.fit_columns(self._plain(right), free, self._plain("…"))
        middle = max(2, self._width // 2 - metrics.columns(rails) - metrics.columns(left))
        space = min(middle, free + 2 - metrics.columns(right))
        return line + " " * space + self._styled(right, style or _DIM)

    def _dim(self, rails: str, text: str, kept: str = "") -> str:
        """Return a line that is no state; `kept` is what stays whole at its end, if there is room for it."""
        rails, text, kept = self._rails(rails), self._plain(_one_line(text)), self._plain(kept)
        room = self._width - metrics.columns(rails)
        kept = metrics.fit_columns(kept, max(room - 12, 8), self._plain("…"))
        text = metrics.fit_columns(text, room - metrics.columns(kept), self._plain("…"))
        return self._styled((rails + text + kept).rstrip(), _DIM)

    def _rails(self, rails: str) -> str:
        rails = self._plain(rails)
        most = self._width - _LEAST
        return rails if len(rails) <= most else self._plain("⋮") + rails[len(rails) - most + 1 :]

    def _plain(self, text: str) -> str:
        return text.translate(_ASCII) if self._ascii else text

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour and style and text.strip() else text


def _one_line(text: str) -> str:
    """Leave out what would move a terminal's cursor."""
    return "".join(each if each.isprintable() else " " for each in text)
