"""What becomes of an error: which retrier and catcher it matches, and how it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from retrain.states.errors import (
    HEARTBEAT_TIMEOUT,
    RUNTIME,
    STATES_ALL,
    TASK_FAILED,
    TIMEOUT,
    UNCATCHABLE,
    StatesError,
    StatesLanguageError,
)
from retrain.states.model import Json, Retrier

LONGEST_ERROR: Final = 256
LONGEST_CAUSE: Final = 32_768
"""Characters that the API has room for."""

LONGEST_DELAY: Final = 99_999_999.0
"""Seconds; the language's largest interval."""


class FailureError(StatesError):
    """An error of a state that is ready to be matched and told; any other StatesError is still to be settled.

    Attributes
    ----------
    at : int
        The last event of the branch that failed: what is aborted because of it follows that event.
    heartbeat : bool
        A heartbeat was missed: told as `States.Timeout`, as AWS does, and matched by
        `States.HeartbeatTimeout` too.
    """

    def __init__(self, error: str, cause: str = "", *, at: int = 0, heartbeat: bool = False) -> None:
        super().__init__(error[:LONGEST_ERROR], cause[:LONGEST_CAUSE])
        self.at = at
        self.heartbeat = heartbeat

    @property
    def output(self) -> dict[str, Json]:
        """The error output, for Catch."""
        return {"Error": self.error, "Cause": self.cause}

    @property
    def details(self) -> dict[str, str]:
        """`error` and `cause`, those that are not empty, for an event."""
        return {key: text for key, text in (("error", self.error), ("cause", self.cause)) if text}


class HistoryFullError(StatesLanguageError):
    """The history has room for the execution's last event only; nothing in the definition can help."""

    def __init__(self, limit: int | None) -> None:
        super().__init__(f"The execution reached the maximum number of history events ({limit}).")


class EndedError(asyncio.CancelledError):
    """The execution has been stopped in this very moment: what runs for it goes no further."""


def matches(error_equals: Iterable[str], failure: FailureError) -> bool:
    """Whether one of the names in ErrorEquals is the error's, or a wildcard that is for it.

    Notes
    -----
    Nothing matches `States.Runtime`. `States.ALL` and `States.TaskFailed` do not match
    `States.DataLimitExceeded`, which can only be caught by its name; `States.TaskFailed` does not match
    `States.Timeout` either.
    """
    if failure.error == RUNTIME:
        return False
    wild = failure.error not in UNCATCHABLE
    for name in error_equals:
        if name == failure.error:
            return True
        if wild and (name == STATES_ALL or (name == TASK_FAILED and failure.error != TIMEOUT)):
            return True
        if failure.heartbeat and name == HEARTBEAT_TIMEOUT:
            return True
    return False


def delay_before_retry(retrier: Retrier, used: int) -> float:
    """Return the seconds to wait before a retry, without jitter.

    Parameters
    ----------
    retrier : Retrier
        The policy.
    used : int
        How often it has been used in this visit of the state.
    """
    try:
        delay = retrier.interval_seconds * retrier.backoff_rate**used
    except OverflowError:
        delay = LONGEST_DELAY
    limit = LONGEST_DELAY if retrier.max_delay_seconds is None else retrier.max_delay_seconds
    return float(min(delay, limit))
