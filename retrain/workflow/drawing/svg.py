"""A drawing as SVG: one document that needs no other, for people who see it and for those who do not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from retrain.workflow.drawing import layout, metrics
from retrain.workflow.drawing.dot import Point
from retrain.workflow.drawing.graph import Graph
from retrain.workflow.drawing.layout import (
    LINE,
    NAME,
    PADDING,
    SMALL,
    PlacedEdge,
    PlacedGraph,
    PlacedNode,
    place,
)
from retrain.workflow.drawing.progress import Progress, StateProgress
from retrain.workflow.drawing.shapes import again, box, number, sign
from retrain.workflow.drawing.style import ROOT, stylesheet
from retrain.workflow.drawing.taken import taken_edges
from retrain.workflow.drawing.words import description, how_briefly, how_it_went

__all__ = ["render", "stylesheet"]

_MARGIN: Final = 20.0
_BRANCH: Final = number(layout.BRANCH_PADDING)


def render(
    graph: Graph,
    progress: Progress | None,
    *,
    style: bool = True,
    interactive: bool = False,
    title: str = "",
) -> str:
    """Return the document; the parameters are those of `Drawing.svg`."""
    placed = place(graph, status_line=progress is not None)
    body = list(_Painter(graph, progress, interactive=interactive).graph(placed))
    width, height = placed.width + 2 * _MARGIN, placed.height + 2 * _MARGIN
    title = title or graph.comment or "State machine"
    # Several drawings may stand on one page; equal ones may share what their names refer to.
    unique = hashlib.sha256(repr((graph, progress, title)).encode()).hexdigest()[:8]
    role = "group" if interactive else "img"
    classes = f"{ROOT} in-progress" if progress is not None else ROOT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{classes}" role="{role}"',
        f' aria-labelledby="{ROOT}-{unique}-title {ROOT}-{unique}-desc"',
        f' {_size(width, height)} viewBox="0 0 {number(width)} {number(height)}">',
        f'<title id="{ROOT}-{unique}-title">{_text(title)}</title>',
        f'<desc id="{ROOT}-{unique}-desc">{_text(description(graph, progress))}</desc>',
        *([f"<style>\n{stylesheet()}</style>"] if style else []),
        f'<rect class="background" x="0.5" y="0.5" {_size(width - 1, height - 1)} rx="8"/>',
        f'<g transform="translate({number(_MARGIN)} {number(_MARGIN)})">',
        *body,
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


class _Painter:
    def __init__(self, graph: Graph, progress: Progress | None, *, interactive: bool) -> None:
        self._progress = progress
        self._interactive = interactive
        self._taken = taken_edges(graph, progress)

    def graph(self, placed: PlacedGraph) -> Iterator[str]:
        edges = sorted(
            placed.edges, key=lambda each: (each.edge.kind != "catch", bool(each.carries & self._taken))
        )
        for edge in edges:
            yield from self._edge(edge)
        for node in placed.nodes:
            yield from self._node(node)
        for edge in edges:
            yield from self._label(edge)

    def _edge(self, placed: PlacedEdge) -> Iterator[str]:
        edge, route = placed.edge, placed.route
        yield f'<g class="edge {edge.kind}{self._taken_class(placed)}">'
        if edge.note:
            yield f"<title>{_text(edge.note)}</title>"
        yield f'<path class="way" d="{_path(route.points)}"/>'
        if route.tip is not None:
            yield f'<path class="tip" d="{_arrow(route.points[-1], route.tip)}"/>'
        yield "</g>"

    def _label(self, placed: PlacedEdge) -> Iterator[str]:
        if not placed.label or placed.route.label is None:
            return
        x, y = placed.route.label
        y -= (len(placed.label) - 1) * SMALL * LINE / 2
        yield f'<g class="edge {placed.edge.kind}{self._taken_class(placed)}">'
        for index, line in enumerate(placed.label):
            yield _line("label", x, y + index * SMALL * LINE + SMALL * 0.35, line)
        yield "</g>"

    def _taken_class(self, placed: PlacedEdge) -> str:
        return " taken" if placed.carries & self._taken else ""

    def _node(self, placed: PlacedNode) -> Iterator[str]:
        x, y = placed.centre
        if placed.node.kind == "start":
            yield f'<circle class="dot" cx="{number(x)}" cy="{number(y)}" r="{number(layout.DOT / 2 - 1)}"/>'
        elif placed.node.kind == "end":
            yield f'<circle class="ring" cx="{number(x)}" cy="{number(y)}" r="{number(layout.DOT / 2 - 1)}"/>'
            yield f'<circle class="dot" cx="{number(x)}" cy="{number(y)}" r="{number(layout.DOT / 2 - 5)}"/>'
        else:
            yield from self._state(placed)

    def _state(self, placed: PlacedNode) -> Iterator[str]:
        node = placed.node
        went = self._progress.of(node.name) if self._progress is not None and not node.hidden else None
        classes = " ".join(["state", node.kind.lower(), *([went.status] if went else [])])
        left, top = placed.corner
        attributes = (
            f' tabindex="0" role="button" aria-label={quoteattr(_said(placed, went))}'
            if self._interactive
            else ""
        )
        yield (
            f'<g class="{classes}" data-state={quoteattr(_clean(node.name))}{attributes}'
            f' transform="translate({number(left)} {number(top)})">'
        )
        yield f"<title>{_text(_said(placed, went))}</title>"
        yield from box(node.kind, *placed.face)
        yield from self._words(placed, went)
        if node.retries:
            yield again()
        if went is not None:
            yield from sign(went.status, placed.face[0])
        for (x, y), graph in placed.inside:
            width, height = layout.framed(graph)
            yield f'<g transform="translate({number(x)} {number(y)})">'
            yield f'<rect class="branch" {_size(width, height)} rx="6"/>'
            yield f'<g transform="translate({_BRANCH} {_BRANCH})">'
            yield from self.graph(graph)
            yield "</g></g>"
        yield "</g>"

    def _words(self, placed: PlacedNode, went: StateProgress | None) -> Iterator[str]:
        middle = placed.face[0] / 2
        y = PADDING * 0.8 + SMALL
        yield _line("caption", middle, y, placed.caption)
        y += (NAME - SMALL) + SMALL * (LINE - 1) + NAME * 0.15
        for line in placed.name:
            y += SMALL if line is placed.name[0] else NAME * LINE
            yield _line("name", middle, y, line)
        if went is not None:
            how = metrics.fit(how_briefly(went), placed.face[0] - 2 * PADDING, SMALL)
            yield _line("how", middle, y + SMALL * LINE + 2, how)


def _said(placed: PlacedNode, went: StateProgress | None) -> str:
    """Return what is told of a state to those who point at it, or hear it."""
    how = how_it_went(went) if went is not None else ""
    return "\n".join(each for each in (placed.node.name, how, placed.node.note) if each)


def _size(width: float, height: float) -> str:
    return f'width="{number(width)}" height="{number(height)}"'


def _line(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{number(x)}" y="{number(y)}">{_text(text)}</text>'


def _text(text: str) -> str:
    return escape(_clean(text))


def _clean(text: str) -> str:
    """Leave out what XML 1.0 cannot hold."""
    return "".join(
        each
        for each in text
        if each in "\t\n\r" or (each >= " " and each not in _NO_XML and not "\ud800" <= each <= "\udfff")
    )


def _path(points: tuple[Point, ...]) -> str:
    first, *others = points
    pieces = [f"M{_point(first)}"]
    pieces += [f"C{' '.join(map(_point, others[at : at + 3]))}" for at in range(0, len(others), 3)]
    return "".join(pieces)


def _point(point: Point) -> str:
    return f"{number(point[0])},{number(point[1])}"


def _arrow(base: Point, tip: Point) -> str:
    """Return a triangle from the end of an edge to where it points."""
    dx, dy = tip[0] - base[0], tip[1] - base[1]
    sideways = (-dy * 0.42, dx * 0.42)
    left = (base[0] + sideways[0], base[1] + sideways[1])
    right = (base[0] - sideways[0], base[1] - sideways[1])
    return f"M{_point(tip)}L{_point(left)}L{_point(right)}Z"


_NO_XML: Final = "\ufffe\uffff"
