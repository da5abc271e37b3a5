"""Whose turn it is: executions of one pipeline go one after another, unless it says otherwise.

AWS locks each stage of a pipeline; here it is the pipeline as a whole.
"""

from __future__ import annotations

import threading

SUPERSEDED, QUEUED, PARALLEL = "SUPERSEDED", "QUEUED", "PARALLEL"


class Turns:
    """The executions that run and that wait, by pipeline."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: dict[str, str] = {}
        self._waiting: dict[str, list[str]] = {}

    def join(self, pipeline: str, execution: str) -> None:
        """Let an execution wait for its turn."""
        with self._changed:
            self._waiting.setdefault(pipeline, []).append(execution)
            self._changed.notify_all()

    def take(self, pipeline: str, execution: str, mode: str) -> bool:
        """Wait for an execution's turn.

        Returns
        -------
        bool
            False if, of those that wait, a newer one supersedes it.
        """
        with self._changed:
            queue = self._waiting[pipeline]

            def is_superseded() -> bool:
                return mode == SUPERSEDED and queue[-1] != execution

            def may_go() -> bool:
                return mode == PARALLEL or (pipeline not in self._running and queue[0] == execution)

            self._changed.wait_for(lambda: is_superseded() or may_go())
            superseded = is_superseded()
            queue.remove(execution)
            if not superseded and mode != PARALLEL:
                self._running[pipeline] = execution
            self._changed.notify_all()
            return not superseded

    def leave(self, pipeline: str, execution: str) -> None:
        """Let the next one go."""
        with self._changed:
            if self._running.get(pipeline) == execution:
                del self._running[pipeline]
            self._changed.notify_all()
