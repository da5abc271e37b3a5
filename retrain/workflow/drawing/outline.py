"""A graph in the order of reading: what follows a state is below it, what hangs on a choice is inside.

A state to which several ways lead stands below the last state through which all of them go (its immediate
dominator), and the ways say "go to" it. So nothing is told twice, and nothing is far from where it belongs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from retrain.workflow.drawing.graph import END, Edge, Graph, Node


@dataclass(slots=True)
class Way:
    """What comes after one outcome of a choice: the states that hang on it, or the state to go to."""

    edge: Edge
    inside: list[Entry] = field(default_factory=list)
    goes_to: str = ""


@dataclass(slots=True)
class Entry:
    """One state of an outline.

    Attributes
    ----------
    node
        The state.
    catches
        Its catchers, and the names of the states that they lead to.
    ways
        Of a Choice: each outcome.
    goes_to
        The state that follows, if that is not the next entry.
    branches
        Of a Parallel or Map state: the outlines inside.
    """

    node: Node
    catches: list[tuple[Edge, str]] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    goes_to: str = ""
    branches: list[list[Entry]] = field(default_factory=list)


def outline(graph: Graph) -> list[Entry]:
    """Return a graph as an outline; states that nothing leads to come last."""
    return _Outliner(graph).outline()


class _Outliner:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._nodes = {node.key: node for node in graph.nodes if node.name}
        self._leaving: dict[str, list[Edge]] = {key: [] for key in self._nodes}
        self._entering: dict[str, list[Edge]] = {key: [] for key in self._nodes}
        for edge in graph.edges:
            if edge.tail in self._nodes and edge.head in self._nodes:
                self._leaving[edge.tail].append(edge)
                self._entering[edge.head].append(edge)
        self._order = _reverse_postorder(graph.start, self._leaving)
        dominators = _dominators(self._order, self._entering)
        self._children: dict[str, list[str]] = {key: [] for key in self._nodes}
        for key in self._order[1:]:
            self._children[dominators[key]].append(key)

    def outline(self) -> list[Entry]:
        found = self._sequence(self._graph.start)
        reached = set(self._order)
        for key in self._nodes:
            if key not in reached:
                found.append(self._entry(key))
                self._say_where_to(found[-1], None)
        return found

    def _sequence(self, first: str) -> list[Entry]:
        """Return a state and everything that it dominates, one after the other."""
        found: list[Entry] = []
        todo = [first]
        while todo:
            key = todo.pop(0)
            entry = self._entry(key)
            found.append(entry)
            hanging = self._hang(entry)
            rest = [child for child in self._children[key] if child not in hanging]
            following = self._following(key)
            if following in rest:  # straight on, before whatever is only led to from elsewhere
                rest.remove(following)
                rest.insert(0, following)
            todo = rest + todo
            self._say_where_to(entry, following if todo and following == todo[0] else None)
        return found

    def _entry(self, key: str) -> Entry:
        entry = Entry(self._nodes[key])
        entry.catches = [
            (edge, self._nodes[edge.head].name) for edge in self._leaving[key] if edge.kind == "catch"
        ]
        entry.branches = [outline(graph) for graph in entry.node.inside]
        return entry

    def _hang(self, entry: Entry) -> set[str]:
        """Give a choice its ways; return the states that are told inside of them."""
        hanging = set()
        key = entry.node.key
        for edge in self._leaving[key]:
            if edge.kind not in ("choice", "default"):
                continue
            way = Way(edge)
            if edge.head in self._children[key] and len(self._entering[edge.head]) == 1:
                way.inside = self._sequence(edge.head)
                hanging.add(edge.head)
            else:
                way.goes_to = self._nodes[edge.head].name
            entry.ways.append(way)
        return hanging

    def _following(self, key: str) -> str | None:
        return next((edge.head for edge in self._leaving[key] if edge.kind == "next"), None)

    def _say_where_to(self, entry: Entry, below: str | None) -> None:
        following = self._following(entry.node.key)
        if following is not None and following != below:
            entry.goes_to = self._nodes[following].name


def ends(graph: Graph) -> frozenset[str]:
    """Return the keys of the states after which the machine ends."""
    return frozenset(edge.tail for edge in graph.edges if edge.head == END)


def _reverse_postorder(start: str, leaving: Mapping[str, list[Edge]]) -> list[str]:
    order: list[str] = []
    seen = {start}
    stack: list[tuple[str, Iterator[Edge]]] = [(start, reversed(leaving[start]))]
    while stack:
        key, edges = stack[-1]
        for edge in edges:
            if edge.head not in seen:
                seen.add(edge.head)
                stack.append((edge.head, reversed(leaving[edge.head])))
                break
        else:
            stack.pop()
            order.append(key)
    return order[::-1]


def _dominators(order: list[str], entering: Mapping[str, list[Edge]]) -> dict[str, str]:
    """Return the immediate dominator of each state; the algorithm of Cooper, Harvey and Kennedy (2001)."""
    position = {key: index for index, key in enumerate(order)}
    found = {order[0]: order[0]}
    changed = True
    while changed:
        changed = False
        for key in order[1:]:
            before = [edge.tail for edge in entering[key] if edge.tail in found]
            nearest = before[0]
            for other in before[1:]:
                nearest = _meet(nearest, other, found, position)
            if found.get(key) != nearest:
                found[key] = nearest
                changed = True
    return found


def _meet(one: str, other: str, found: Mapping[str, str], position: Mapping[str, int]) -> str:
    while one != other:
        while position[one] > position[other]:
            one = found[one]
        while position[other] > position[one]:
            other = found[other]
    return one
