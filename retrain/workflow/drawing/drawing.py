"""A drawing of a state machine, in whichever form is asked for."""

from __future__ import annotations

from retrain.states.model import StateMachine
from retrain.workflow.drawing import graph as graphs
from retrain.workflow.drawing.progress import Progress


def draw(machine: StateMachine, progress: Progress | None = None) -> Drawing:
    """Return the drawing of a state machine.

    Parameters
    ----------
    machine
        As `retrain.states.model.parse` gives it.
    progress
        How far an execution of it has come; without, no state is coloured.
    """
    return Drawing(machine, progress)


class Drawing:
    """A drawing of a state machine.

    Parameters
    ----------
    machine, progress
        As `draw` takes them.
    """

    def __init__(self, machine: StateMachine, progress: Progress | None = None) -> None:
        self.machine = machine
        self.progress = progress
        self._graph = graphs.build(machine)

    def svg(self, *, style: bool = True, interactive: bool = False, title: str = "") -> str:
        """Return the drawing as an SVG document, which needs nothing else; for light and dark surroundings.

        Every state is a `<g class="state ..." data-state="NAME">`.

        Parameters
        ----------
        style
            Include the style sheet; False where a page has `stylesheet()` of its own, because its security
            policy forbids styles inside of documents.
        interactive
            Make every state a button that the keyboard reaches.
        title
            Said by screen readers; the machine's own comment if not given.

        Raises
        ------
        LayoutError
            The layout library is missing.
        """
        from retrain.workflow.drawing import svg

        return svg.render(self._graph, self.progress, style=style, interactive=interactive, title=title)

    def mermaid(self) -> str:
        """Return the drawing as a Mermaid flowchart, for Markdown."""
        from retrain.workflow.drawing import mermaid

        return mermaid.render(self._graph, self.progress)

    def text(self, *, width: int = 80, colour: bool = False, ascii_only: bool = False) -> str:
        """Return the drawing as text.

        Parameters
        ----------
        width
            Columns of the terminal.
        colour
            Colour it with ANSI's escape sequences.
        ascii_only
            Use nothing but ASCII for lines and signs; names stay as they are.
        """
        from retrain.workflow.drawing import text

        return text.render(self._graph, self.progress, width=width, colour=colour, ascii_only=ascii_only)

    def _repr_svg_(self) -> str:
        """Return the drawing for a notebook."""
        return self.svg()
