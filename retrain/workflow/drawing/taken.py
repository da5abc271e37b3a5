"""Which edges an execution has gone along."""

from __future__ import annotations

from retrain.workflow.drawing.graph import END, START, Edge, Graph
from retrain.workflow.drawing.progress import Progress


def taken_edges(graph: Graph, progress: Progress | None) -> frozenset[Edge]:
    """Return the edges between states that were visited one after the other, in one branch and iteration."""
    if progress is None or not progress.steps:
        return frozenset()
    machine_of = {node.name: each.key for each in graph.graphs() for node in each.nodes if node.name}
    key_of = {node.name: node.key for node in graph.walk() if node.name}
    edges: dict[tuple[str, str], list[Edge]] = {}
    for each in graph.graphs():
        for edge in each.edges:
            edges.setdefault((edge.tail, edge.head), []).append(edge)
    found: set[Edge] = set()
    last: dict[tuple[object, str], tuple[str, bool]] = {}
    for step in progress.steps:
        if step.state not in machine_of:
            continue
        place = (step.scope, machine_of[step.state])
        key = key_of[step.state]
        before, caught = last.get(place, (START, False))
        found.update(edge for edge in edges.get((before, key), ()) if (edge.kind == "catch") == caught)
        last[place] = (key, step.caught)
    for key, caught in last.values():
        if not caught:
            found.update(edge for edge in edges.get((key, END), ()) if _ended_well(graph, key, progress))
    return frozenset(found)


def _ended_well(graph: Graph, key: str, progress: Progress) -> bool:
    return any(node.key == key and progress.of(node.name).status == "succeeded" for node in graph.nodes)
