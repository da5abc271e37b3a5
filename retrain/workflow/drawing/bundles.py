"""Edges of catchers that lead to the same state share a line, as wires share a bus.

A machine that is careful about errors catches them in every state and leads them all to one: a dozen long
lines side by side, of which nobody can follow one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from retrain.workflow.drawing.graph import Edge, Graph

_FEWEST: Final = 3
"""So many edges at least share a line."""
_WEIGHTS: Final = {"next": 8, "choice": 3, "default": 2, "catch": 0}
_LINE_WEIGHT: Final = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """A line between two nodes or junctions, and which edges go along it."""

    edge: Edge
    tail: str
    head: str
    carries: frozenset[Edge]
    weight: int
    label: str = ""
    arrow: bool = True


def bundled(graph: Graph, depths: Mapping[str, float]) -> Iterator[Piece]:
    """Yield the lines to draw for the edges of a graph.

    Parameters
    ----------
    graph
        What is drawn.
    depths
        How far down each node was when no edges shared a line: in that order they join it.
    """
    catchers: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        if edge.kind == "catch" and edge.tail != edge.head and depths[edge.tail] < depths[edge.head]:
            catchers.setdefault(edge.head, []).append(edge)
    shared = {head: edges for head, edges in catchers.items() if len(edges) >= _FEWEST}
    members = {edge for edges in shared.values() for edge in edges}
    for edge in graph.edges:
        if edge not in members:
            yield Piece(edge, edge.tail, edge.head, frozenset({edge}), _WEIGHTS[edge.kind], edge.label)
    for head, edges in shared.items():
        yield from _line(head, sorted(edges, key=lambda edge: depths[edge.tail]))


def alone(graph: Graph) -> Iterator[Piece]:
    """Yield a line for each edge of a graph."""
    for edge in graph.edges:
        yield Piece(edge, edge.tail, edge.head, frozenset({edge}), _WEIGHTS[edge.kind], edge.label)


def _line(head: str, edges: list[Edge]) -> Iterator[Piece]:
    junctions = [f"{head}j{number}" for number in range(len(edges))]
    for edge, junction in zip(edges, junctions, strict=True):
        yield Piece(edge, edge.tail, junction, frozenset({edge}), 4, edge.label, arrow=False)
    for number, (here, there) in enumerate(zip(junctions, [*junctions[1:], head], strict=True), 1):
        carried = edges[:number]
        note = Edge(here, there, "catch", "", f"Errors of {number} states")
        yield Piece(note, here, there, frozenset(carried), _LINE_WEIGHT, arrow=there == head)
