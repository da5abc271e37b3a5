"""The errors of the console.

::

    ConsoleError (RetrainError)
    ├── ConsoleSetupError     a package that the console needs is missing
    ├── ConsolePortError      the port cannot be had
    ├── HistoryError          the history of an execution makes no sense
    └── EmptyDrawingError     nothing was drawn, or it is not of the agreed size
"""

from __future__ import annotations

from retrain.errors import RetrainError


class ConsoleError(RetrainError):
    """What the console says no to."""


class ConsoleSetupError(ConsoleError):
    """A package that the console needs is missing."""


class ConsolePortError(ConsoleError):
    """The port cannot be had."""


class HistoryError(ConsoleError):
    """The history of an execution makes no sense."""


class EmptyDrawingError(ConsoleError):
    """Nothing was drawn, or it is not of the agreed size."""
