"""What a state does about an error: retriers and catchers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from retrain.states.model.values import ABSENT, Absent, Given, Json, PathField

JitterStrategy: TypeAlias = Literal["FULL", "NONE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrier:
    """When, how often and after how long to run a state again; see the specification's section on Retry.

    Attributes
    ----------
    error_equals
        Names of the errors that it is for.
    interval_seconds
        Wait before the first retry, in seconds; at least 1.
    max_attempts
        Retries at most, the first run not counted; 0 means never.
    backoff_rate
        Each wait is the one before it times this; at least 1.0.
    max_delay_seconds
        No wait is longer, in seconds; None for no limit.
    jitter_strategy
        `FULL` draws each wait from between 0 and the computed one.
    """

    error_equals: tuple[str, ...]
    interval_seconds: int = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay_seconds: int | None = None
    jitter_strategy: JitterStrategy = "NONE"
    comment: str | None = None
    given: Given = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catcher:
    """Where to go with an error that no retrier has dealt with.

    Attributes
    ----------
    error_equals
        Names of the errors that it is for.
    next
        Name of the state to go to.
    result_path
        JSONPath: where the error output is put into the state's input; not given means `$`.
    output
        JSONata: what goes to the next state, not evaluated; not given means the error output.
    assign
        Variables to set, not evaluated; None if not given.
    """

    error_equals: tuple[str, ...]
    next: str
    result_path: PathField = ABSENT
    output: Json | Absent = ABSENT
    assign: Mapping[str, Json] | None = None
    comment: str | None = None
    given: Given = field(default=(), repr=False, compare=False)
