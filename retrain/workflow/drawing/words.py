"""What is said of a state, and of a machine, in words."""

from __future__ import annotations

from typing import Final

from retrain.workflow.drawing.graph import Graph
from retrain.workflow.drawing.progress import Progress, StateProgress

SAID: Final = {
    "not_reached": "not reached",
    "running": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "caught": "error caught",
    "aborted": "aborted",
}
_BRIEFLY: Final = SAID | {"caught": "caught"}


def duration(seconds: float) -> str:
    """Return a length of time in the two largest units that matter, such as `3 min 5 s`."""
    if seconds < 0.9995:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    for size, unit, smaller, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def how_it_went(went: StateProgress) -> str:
    """Return the line about a state's progress: `succeeded, 12.3 s, 2 tries`."""
    parts = [SAID[went.status]]
    if went.status == "not_reached":
        return parts[0]
    if went.seconds is not None:
        parts.append(duration(went.seconds))
    if went.visits > 1:
        parts.append(
            f"{went.ended} of {went.visits} visits" if went.ended < went.visits else f"{went.visits} visits"
        )
    if went.tries > went.visits:
        parts.append(f"{went.tries} tries")
    return ", ".join(parts)


def how_briefly(went: StateProgress) -> str:
    """Return the same for a place that is narrow, and beside a sign that says the status."""
    if went.status == "not_reached":
        return ""
    parts = [] if went.status == "succeeded" and went.seconds is not None else [_BRIEFLY[went.status]]
    if went.seconds is not None:
        parts.append(duration(went.seconds))
    if went.visits > 1:
        parts.append(f"{went.ended}/{went.visits}" if went.ended < went.visits else f"{went.visits} times")
    if went.tries > went.visits:
        parts.append(f"{went.tries} tries")
    return " · ".join(parts)


def description(graph: Graph, progress: Progress | None) -> str:
    """Return what a drawing shows, for those who do not see it."""
    names = {node.key: node.name for node in graph.walk()}
    count = sum(1 for node in graph.walk() if node.name)
    text = f"State machine of {count} state{'s' * (count != 1)}, starting at {names[graph.start]}."
    if progress is None:
        return text
    sentences = [text, f"The execution is {progress.status.lower().replace('_', ' ')}."]
    sentences += [
        f"{node.name}: {how_it_went(progress.of(node.name))}."
        for node in graph.walk()
        if node.name and not node.hidden and progress.of(node.name).status != "not_reached"
    ]
    return " ".join(sentences)
