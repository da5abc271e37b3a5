"""The errors of drawing.

::

    WorkflowError (retrain.workflow.errors)
    └── DrawingError     a state machine that cannot be drawn
        └── LayoutError     the layout library is missing, or gave no positions
"""

from __future__ import annotations

from retrain.workflow.errors import WorkflowError


class DrawingError(WorkflowError):
    """A state machine cannot be drawn."""


class LayoutError(DrawingError):
    """The layout library is missing, or gave no positions."""
