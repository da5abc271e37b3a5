"""Positions for one flat graph, from Graphviz's `dot`, which pygraphviz brings along as a library.

Nothing but sizes and made-up keys goes in, so no text of anyone's can be taken for Graphviz's syntax, and no
font is looked at: the same graph has the same layout on every machine.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from retrain.workflow.drawing.errors import LayoutError

Point: TypeAlias = tuple[float, float]

_INCH: Final = 72.0
"""Points in an inch: dot's units. A point is a pixel here."""
_LABEL: Final = (
    '<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'
    '<TR><TD FIXEDSIZE="TRUE" WIDTH="{}" HEIGHT="{}"></TD></TR></TABLE>>'
)
_LOCK: Final = threading.Lock()
"""Graphviz keeps state of its own."""


@dataclass(frozen=True, slots=True)
class Link:
    """An edge to be drawn: how straight and short it should be, its label's size, whether it has a tip."""

    tail: str
    head: str
    weight: int = 1
    label: Point | None = None
    arrow: bool = True


@dataclass(frozen=True, slots=True)
class Route:
    """A drawn edge: Bezier points (one, then three for each piece), its tip, and the middle of its label."""

    points: tuple[Point, ...]
    tip: Point | None = None
    label: Point | None = None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A graph with places, in pixels, the origin at the top left.

    Attributes
    ----------
    size
        Width and height.
    centres
        Of the nodes.
    routes
        Of the links, in their order.
    """

    size: Point
    centres: Mapping[str, Point] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()


def arrange(
    sizes: Mapping[str, Point], links: Iterable[Link], *, gap: Point = (26, 28), first: str | None = None
) -> Arrangement:
    """Return where nodes and edges are best drawn, in layers from top to bottom.

    Parameters
    ----------
    sizes
        Width and height of each node.
    links
        Edges between them; several between the same two, and loops, are fine.
    gap
        Between neighbours, and between layers.
    first
        The node to put at the top.

    Raises
    ------
    LayoutError
        pygraphviz is not installed, or gave no positions.
    """
    try:
        import pygraphviz  # noqa: F401 (so that what is missing is said even if the layout is known)
    except ImportError as error:
        raise LayoutError(
            f"Drawing needs pygraphviz, which cannot be imported ({error}): pip install 'retrain[workflow]'."
        ) from None
    return _arranged(tuple(sizes.items()), tuple(links), gap, first)


@functools.lru_cache(maxsize=256)
def _arranged(
    items: tuple[tuple[str, Point], ...], links: tuple[Link, ...], gap: Point, first: str | None
) -> Arrangement:
    """Return the same again without work: while an execution goes on, its machine is drawn every second."""
    import pygraphviz

    sizes = dict(items)
    with _LOCK:
        graph = pygraphviz.AGraph(strict=False, directed=True)
        try:
            _fill(graph, sizes, links, gap, first)
            graph.layout(prog="dot")
            return _read(graph, sizes, links)
        finally:
            graph.close()


def _fill(
    graph: Any, sizes: Mapping[str, Point], links: tuple[Link, ...], gap: Point, first: str | None
) -> None:
    graph.graph_attr.update(
        rankdir="TB",
        splines="true",
        nodesep=gap[0] / _INCH,
        ranksep=gap[1] / _INCH,
        margin="0",
        mclimit="12",
        searchsize="200",
    )
    graph.node_attr.update(shape="box", label="", fixedsize="true")
    graph.edge_attr.update(arrowsize="0.7")
    for key, (width, height) in sizes.items():
        graph.add_node(key, width=width / _INCH, height=height / _INCH)
    for number, link in enumerate(links):
        given: dict[str, Any] = {"weight": link.weight, "dir": "forward" if link.arrow else "none"}
        if link.label is not None:
            given["label"] = _LABEL.format(*(round(each) for each in link.label))
        graph.add_edge(link.tail, link.head, key=f"e{number}", **given)
    if first is not None:
        graph.add_subgraph([first], name="first", rank="source")


def _read(graph: Any, sizes: Mapping[str, Point], links: tuple[Link, ...]) -> Arrangement:
    left, bottom, right, top = (float(each) for each in graph.graph_attr["bb"].split(","))

    def point(text: str) -> Point:
        x, y = text.split(",")[-2:]
        return float(x) - left, top - float(y)

    centres = {key: point(graph.get_node(key).attr["pos"]) for key in sizes}
    routes = []
    for number, link in enumerate(links):
        attributes = graph.get_edge(link.tail, link.head, f"e{number}").attr
        ends = attributes["pos"].split()
        if not ends:
            raise LayoutError(f"Graphviz drew no edge from {link.tail} to {link.head}.")
        tip = next((point(each) for each in ends if each.startswith("e,")), None)
        points = tuple(point(each) for each in ends if each[0] not in "es")
        label = point(attributes["lp"]) if link.label is not None and attributes["lp"] else None
        routes.append(Route(points, tip, label))
    return Arrangement((right - left, top - bottom), centres, tuple(routes))
