"""A drawing as a Mermaid flowchart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from retrain.workflow.drawing.graph import Edge, Graph, Node
from retrain.workflow.drawing.progress import Progress
from retrain.workflow.drawing.taken import taken_edges

_SHAPES: Final = {
    "Choice": ('{{"', '"}}'),
    "Succeed": ('(["', '"])'),
    "Fail": ('(["', '"])'),
    "Wait": ('("', '")'),
}
_PLAIN: Final = " -_.,:()$=/?!+…≤≥≠'"
_LIST: Final = re.compile(r"[-+*] |\d+\.")
"""What Mermaid would take for the beginning of a list in Markdown."""
_BOX: Final = ('["', '"]')
_COLOURS: Final = {
    "succeeded": "fill:#dafbe1,stroke:#1a7f37,color:#0a3618",
    "running": "fill:#ddf4ff,stroke:#0969da,color:#0a3069",
    "failed": "fill:#ffebe9,stroke:#cf222e,color:#660018",
    "caught": "fill:#fff1e5,stroke:#bc4c00,color:#5c2000",
    "aborted": "fill:#eaeef2,stroke:#59636e,color:#1f2328,stroke-dasharray:5 3",
    "not_reached": "fill:#f6f8fa,stroke:#d0d7de,color:#59636e",
}


def render(graph: Graph, progress: Progress | None) -> str:
    """Return the flowchart's text."""
    lines = ["flowchart TD", *_graph(graph, "  ")]
    if progress is not None:
        lines += _classes(graph, progress)
        lines += _taken(graph, progress)
    return "\n".join(lines) + "\n"


def _graph(graph: Graph, indent: str) -> Iterator[str]:
    for node in graph.nodes:
        yield from _node(node, indent)
    for edge in graph.edges:
        yield f"{indent}{edge.tail} {_arrow(edge)} {edge.head}"


def _node(node: Node, indent: str) -> Iterator[str]:
    if node.kind in ("start", "end"):
        yield f"{indent}{node.key}(({node.key}))" if node.kind == "start" else f"{indent}{node.key}(((end)))"
    elif node.inside:
        name, caption = _escaped(node.name), _escaped(node.caption)
        yield f'{indent}subgraph {node.key} ["{name}<br/><small>{caption}</small>"]'
        for number, graph in enumerate(node.inside, 1):
            if len(node.inside) == 1:
                yield from _graph(graph, indent + "  ")
            else:
                yield f'{indent}  subgraph {graph.key} ["{number}"]'
                yield from _graph(graph, indent + "    ")
                yield f"{indent}  end"
        yield f"{indent}end"
    else:
        left, right = _SHAPES.get(node.kind, _BOX)
        caption = "" if node.caption == node.kind else f"<br/><small>{_escaped(node.caption)}</small>"
        yield f"{indent}{node.key}{left}{_escaped(node.name)}{caption}{right}"


def _arrow(edge: Edge) -> str:
    label = f'|"{_escaped(_short(edge.label))}"|' if edge.label else ""
    return f"-.->{label}" if edge.kind == "catch" else f"-->{label}"


def _short(label: str) -> str:
    return label if len(label) <= 60 else label[:59] + "…"


def _classes(graph: Graph, progress: Progress) -> Iterator[str]:
    by_status: dict[str, list[str]] = {}
    for node in graph.walk():
        if node.name:
            by_status.setdefault(progress.of(node.name).status, []).append(node.key)
    for status, keys in by_status.items():
        yield f"  classDef {status} {_COLOURS[status]}"
        yield f"  class {','.join(keys)} {status}"


def _taken(graph: Graph, progress: Progress) -> Iterator[str]:
    """Mermaid counts edges in the order in which they are written."""
    taken = taken_edges(graph, progress)
    numbers = [str(number) for number, edge in enumerate(_written(graph)) if edge in taken]
    if numbers:
        yield f"  linkStyle {','.join(numbers)} stroke-width:3px"


def _written(graph: Graph) -> Iterator[Edge]:
    for node in graph.nodes:
        for inner in node.inside:
            yield from _written(inner)
    yield from graph.edges


def _escaped(text: str) -> str:
    """Return text that Mermaid shows as it is: everything but the plainest as a character's number."""
    text = " ".join(text.split()) or "\N{NO-BREAK SPACE}"
    plain = " " if _LIST.match(text) else _PLAIN
    return "".join(each if each.isalnum() or each in plain else f"#{ord(each)};" for each in text)
