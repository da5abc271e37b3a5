"""What an expression may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from retrain.states.data.randomness import SystemEntropy
from retrain.states.model.values import ABSENT, Absent, Json


class Entropy(Protocol):
    """Where chance comes from, so that a run can be repeated."""

    def uuid(self) -> str:
        """Return a new UUID (version 4) as text."""
        ...

    def random(self, seed: int | None = None) -> float:
        """Return a number from 0 up to, not including, 1; the same for the same seed."""
        ...


@dataclass(frozen=True, slots=True)
class Scope:
    """All that an expression may see at one point of an execution.

    Attributes
    ----------
    input
        What `$` means in JSONPath and `$states.input` in JSONata.
    context
        The context object: `$$` in JSONPath, `$states.context` in JSONata.
    variables
        What Assign has set, by name without the dollar sign.
    result
        `$states.result`: a task's, where there is one.
    error_output
        `$states.errorOutput`, in a catcher only.
    entropy
        For UUIDs and random numbers.
    clock
        Seconds since the epoch, for `$now()` and `$millis()`; the system's clock if None.
    """

    input: Json
    context: Mapping[str, Json] = field(default_factory=dict)
    variables: Mapping[str, Json] = field(default_factory=dict)
    result: Json | Absent = ABSENT
    error_output: Json | Absent = ABSENT
    entropy: Entropy = field(default_factory=SystemEntropy)
    clock: Callable[[], float] | None = None
    # What was worked out from this very scope and is worth keeping while it lives.
    memo: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
