"""What there is to draw of a state machine, before anything has a place: nodes, edges, and graphs inside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from retrain.states.model import Choice, Machine, Map, Parallel, Retrier, State, Task
from retrain.workflow.drawing import labels
from retrain.workflow.drawing.captions import caption

Kind: TypeAlias = Literal[
    "start", "end", "Pass", "Task", "Wait", "Choice", "Succeed", "Fail", "Parallel", "Map"
]
EdgeKind: TypeAlias = Literal["next", "choice", "default", "catch"]

START: Final = "start"
END: Final = "finish"


@dataclass(frozen=True, slots=True)
class Node:
    """A state, or where a machine starts or ends.

    Attributes
    ----------
    key
        Unique in the whole drawing, and nobody's text: `s3`, `start`, `finish`.
    kind
        The state's type; `start`, `end`.
    name
        The state's; empty for start and end.
    caption
        What the state does.
    note
        All of it, for those who point at it: the comment too, and how errors are retried.
    retries
        Whether anything is tried again.
    inside
        The branches of a Parallel state, the processor of a Map state.
    hidden
        It runs in child executions, so that the history of the execution does not tell of it.
    """

    key: str
    kind: Kind
    name: str = ""
    caption: str = ""
    note: str = ""
    retries: bool = False
    inside: tuple[Graph, ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one node to another; `label` is short, `note` says all."""

    tail: str
    head: str
    kind: EdgeKind = "next"
    label: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """A machine: the whole, a branch, an item processor.

    Attributes
    ----------
    key
        Unique in the whole drawing.
    nodes, edges
        In the order of the definition.
    start
        The key of the first state.
    comment
        The machine's.
    """

    key: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    start: str
    comment: str = ""

    def walk(self) -> Iterator[Node]:
        """Yield all nodes, those inside of others after these."""
        for node in self.nodes:
            yield node
            for graph in node.inside:
                yield from graph.walk()

    def graphs(self) -> Iterator[Graph]:
        """Yield this graph and all inside."""
        yield self
        for node in self.nodes:
            for graph in node.inside:
                yield from graph.graphs()


def build(machine: Machine) -> Graph:
    """Return what there is to draw of a machine."""
    return _Builder().graph(machine, outermost=True)


class _Builder:
    def __init__(self) -> None:
        self._nodes = 0
        self._graphs = 0

    def graph(self, machine: Machine, *, outermost: bool = False, hidden: bool = False) -> Graph:
        key = f"g{self._graphs}"
        self._graphs += 1
        keys = {}
        for name in machine.states:
            keys[name] = f"s{self._nodes}"
            self._nodes += 1
        nodes = [self._node(keys[name], state, hidden=hidden) for name, state in machine.states.items()]
        edges = [edge for state in machine.states.values() for edge in _edges(state, keys)]
        if outermost:
            nodes.insert(0, Node(START, "start"))
            edges.insert(0, Edge(START, keys[machine.start_at]))
            ends = [Edge(keys[name], END) for name, state in machine.states.items() if state.end]
            if ends:
                nodes.append(Node(END, "end"))
                edges += ends
        return Graph(key, tuple(nodes), tuple(edges), keys[machine.start_at], machine.comment or "")

    def _node(self, key: str, state: State, *, hidden: bool) -> Node:
        inside: tuple[Graph, ...] = ()
        if isinstance(state, Parallel):
            inside = tuple(self.graph(branch, hidden=hidden) for branch in state.branches)
        elif isinstance(state, Map):
            distributed = state.item_processor.mode == "DISTRIBUTED"
            inside = (self.graph(state.item_processor, hidden=hidden or distributed),)
        retriers = state.retry if isinstance(state, Task | Parallel | Map) else ()
        does = caption(state)
        notes = [does, state.comment or "", *map(_retrier, retriers)]
        return Node(
            key,
            state.type,  # type: ignore[arg-type]
            state.name,
            does,
            "\n".join(note for note in notes if note),
            any(each.max_attempts for each in retriers),
            inside,
            hidden,
        )


def _retrier(retrier: Retrier) -> str:
    return f"Retry {labels.errors_text(retrier.error_equals)}: up to {retrier.max_attempts} times"


def _edges(state: State, keys: dict[str, str]) -> Iterator[Edge]:
    tail = keys[state.name]
    if isinstance(state, Choice):
        yield from _choice_edges(state, tail, keys)
    elif state.next is not None and state.next in keys:
        yield Edge(tail, keys[state.next])
    if isinstance(state, Task | Parallel | Map):
        errors: dict[str, list[str]] = {}
        for catcher in state.catch:
            errors.setdefault(catcher.next, []).extend(catcher.error_equals)
        for name, names in errors.items():
            said = labels.errors_text(names)
            yield Edge(tail, keys[name], "catch", "" if said == labels.ANY_ERROR else said, f"Catch {said}")


def _choice_edges(choice: Choice, tail: str, keys: dict[str, str]) -> Iterator[Edge]:
    rules: dict[str, list[tuple[str, str]]] = {}
    for rule in choice.choices:
        rules.setdefault(rule.next, []).append((labels.rule_label(rule), labels.rule_text(rule)))
    for name, said in rules.items():
        kind: EdgeKind = "choice"
        if name == choice.default:
            said.append((labels.OTHERWISE, labels.OTHERWISE))
        label, note = (" or ".join(dict.fromkeys(each)) for each in zip(*said, strict=True))
        yield Edge(tail, keys[name], kind, label, note)
    if choice.default is not None and choice.default not in rules:
        yield Edge(tail, keys[choice.default], "default", labels.OTHERWISE, labels.OTHERWISE)
