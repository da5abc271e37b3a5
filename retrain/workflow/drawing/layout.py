"""Where everything of a drawing goes: sizes from the text, places from the layout library.

A Parallel or Map state is a box around its branches, and no edge crosses its border. So each machine is laid
out alone, from the innermost out, and what is inside of a box is only its size to the machine around it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from retrain.workflow.drawing import metrics
from retrain.workflow.drawing.bundles import Piece, alone, bundled
from retrain.workflow.drawing.dot import Link, Point, Route, arrange
from retrain.workflow.drawing.graph import START, Edge, Graph, Node

NAME: Final = 14.0
SMALL: Final = 11.0
LINE: Final = 1.3
"""Line height, of a size of text."""
PADDING: Final = 11.0
SHEETS: Final = 5.0
"""How far the sheets behind a Map stick out."""
DOT: Final = 18.0

_MOST: Final = 216.0
_LEAST: Final = 96.0
_LABEL_MOST: Final = 150.0
_HEAD_GAP: Final = 6.0
_BRANCH_PADDING: Final = 14.0
_BRANCH_GAP: Final = 14.0
_ROW_MOST: Final = 1400.0
_STATUS: Final = 116.0
"""Room for the line that says how a state went."""
_AGAIN: Final = 9.0
"""Room for the sign of a retry, beside the caption."""


@dataclass(frozen=True, slots=True)
class PlacedNode:
    """A node with its place: the middle, relative to the machine around it.

    Attributes
    ----------
    name, caption
        As they are shown: broken into lines, cut off.
    width, height
        Of the box, and of the sheets behind that of a Map.
    inside
        What is in the box, and where its top left corner is, relative to the box's.
    """

    node: Node
    name: tuple[str, ...]
    caption: str
    width: float
    height: float
    inside: tuple[tuple[Point, PlacedGraph], ...] = ()
    centre: Point = (0, 0)

    @property
    def face(self) -> Point:
        """Width and height of the box alone."""
        sheets = SHEETS if self.node.kind == "Map" else 0
        return self.width - sheets, self.height - sheets

    @property
    def corner(self) -> Point:
        """The top left."""
        return self.centre[0] - self.width / 2, self.centre[1] - self.height / 2


@dataclass(frozen=True, slots=True)
class PlacedEdge:
    """An edge, or a piece of the line that several share, with its way and its label in lines.

    Attributes
    ----------
    carries
        The edges that go along here.
    """

    edge: Edge
    route: Route
    label: tuple[str, ...] = ()
    carries: frozenset[Edge] = frozenset()


@dataclass(frozen=True, slots=True)
class PlacedGraph:
    """A machine with all places, relative to its top left corner."""

    graph: Graph
    width: float
    height: float
    nodes: tuple[PlacedNode, ...]
    edges: tuple[PlacedEdge, ...]


def place(graph: Graph, *, status_line: bool = False) -> PlacedGraph:
    """Return a graph with all places.

    Parameters
    ----------
    graph
        The outermost.
    status_line
        Leave room in each state for a line that says how it went, so that nothing moves while things go on.
    """
    nodes = {node.key: _sized(node, status_line=status_line) for node in graph.nodes}
    placed = _arranged(graph, nodes, list(alone(graph)))
    depths = {node.node.key: node.centre[1] for node in placed.nodes}
    pieces = list(bundled(graph, depths))
    return placed if len(pieces) == len(graph.edges) else _arranged(graph, nodes, pieces)


def _arranged(graph: Graph, nodes: dict[str, PlacedNode], pieces: list[Piece]) -> PlacedGraph:
    labels = [
        metrics.balanced(each.label, _LABEL_MOST, SMALL, lines=3) if each.label else () for each in pieces
    ]
    links = [
        Link(each.tail, each.head, each.weight, _label_size(label), arrow=each.arrow)
        for each, label in zip(pieces, labels, strict=True)
    ]
    sizes = {key: (node.width, node.height) for key, node in nodes.items()}
    junctions = {end: (1.0, 1.0) for each in pieces for end in (each.tail, each.head) if end not in sizes}
    made = arrange(sizes | junctions, links, first=START if START in nodes else graph.start)
    placed = tuple(replace(node, centre=made.centres[key]) for key, node in nodes.items())
    edges = tuple(
        PlacedEdge(piece.edge, route, label, piece.carries)
        for piece, route, label in zip(pieces, made.routes, labels, strict=True)
    )
    return PlacedGraph(graph, *made.size, placed, edges)


def _sized(node: Node, *, status_line: bool) -> PlacedNode:
    if node.kind in ("start", "end"):
        return PlacedNode(node, (), "", DOT, DOT)
    inside = [place(graph, status_line=status_line) for graph in node.inside]
    rows, inner_width, inner_height = _rows(inside)
    most = max(_MOST, inner_width - 2 * PADDING)
    name = metrics.wrap(node.name, most, NAME, lines=3, bold=True)
    caption = metrics.fit(node.caption, most, SMALL)
    beside = 2 * _AGAIN if node.retries else 0.0
    text = max(
        metrics.width(caption, SMALL) + beside, *(metrics.width(line, NAME, bold=True) for line in name)
    )
    side = PADDING + (10 if node.kind == "Choice" else 0)
    head = SMALL * LINE + len(name) * NAME * LINE + (SMALL * LINE if status_line else 0)
    if status_line:
        text = max(text, _STATUS)
    width = max(_LEAST, text + 2 * side, inner_width + 2 * _BRANCH_PADDING)
    if not inside:
        return PlacedNode(node, name, caption, width, head + 2 * PADDING * 0.8)
    top = head + PADDING + _HEAD_GAP
    left = (width - inner_width) / 2
    boxes = tuple(((left + x, top + y), graph) for (x, y), graph in rows)
    height = top + inner_height + _BRANCH_PADDING
    sheets = SHEETS if node.kind == "Map" else 0
    return PlacedNode(node, name, caption, width + sheets, height + sheets, boxes)


def _rows(graphs: Sequence[PlacedGraph]) -> tuple[list[tuple[Point, PlacedGraph]], float, float]:
    """Put branches side by side, in as many rows as it takes; return places, width and height."""
    sizes = [framed(graph) for graph in graphs]
    total = sum(width + _BRANCH_GAP for width, _ in sizes)
    rows = max(1, math.ceil(total / _ROW_MOST))
    limit = total / rows + max((width for width, _ in sizes), default=0) / 2
    made: list[tuple[Point, PlacedGraph]] = []
    x = y = widest = tallest = 0.0
    for graph, (width, height) in zip(graphs, sizes, strict=True):
        if x and x + width > limit:
            x, y, tallest = 0.0, y + tallest + _BRANCH_GAP, 0.0
        made.append(((x, y), graph))
        widest = max(widest, x + width)
        x += width + _BRANCH_GAP
        tallest = max(tallest, height)
    return made, widest, y + tallest


def framed(graph: PlacedGraph) -> Point:
    """Return the size of a branch with its frame."""
    return graph.width + 2 * _BRANCH_PADDING, graph.height + 2 * _BRANCH_PADDING


BRANCH_PADDING: Final = _BRANCH_PADDING


def _label_size(lines: tuple[str, ...]) -> Point | None:
    if not lines:
        return None
    return max(metrics.width(line, SMALL) for line in lines) + 8, len(lines) * SMALL * LINE + 4
