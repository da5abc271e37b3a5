"""Drawings of state machines and of what became of them, as notebooks and terminals show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from retrain.states.model import StateMachine


class Picture:
    """A drawing.

    Parameters
    ----------
    drawing : retrain.workflow.drawing.Drawing
        What is shown: has `svg()`, `mermaid()` and `text()`.
    progress : retrain.workflow.drawing.Progress, optional
        What became of the states.
    """

    def __init__(self, drawing: Any, progress: Any = None) -> None:
        self.drawing = drawing
        self.progress = progress

    def svg(self, **options: Any) -> str:
        """Return the drawing as SVG; options are those of `Drawing.svg`."""
        return str(self.drawing.svg(**options))

    def mermaid(self) -> str:
        """Return the drawing in Mermaid's language."""
        return str(self.drawing.mermaid())

    def text(self, **options: Any) -> str:
        """Return the drawing as text; options are those of `Drawing.text`."""
        return str(self.drawing.text(**options))

    def _repr_html_(self) -> str:
        return self.svg()

    def __str__(self) -> str:
        """Return the drawing as text."""
        return self.text()

    __repr__ = __str__


def draw(machine: StateMachine, events: Iterable[Mapping[str, Any]] | None = None) -> Picture:
    """Return the drawing of a state machine, or of an execution if its events are given."""
    from retrain.workflow import drawing

    progress = None if events is None else drawing.Progress.from_history(list(events))
    return Picture(drawing.draw(machine, progress), progress)
