"""The shape of the tables.

A resource is written without `arn:` and partition; `{region}` and `{account}` are the scope's, `{machine}` is
the state machine's own name, any other name in braces is a member of the request. What is not known is `*`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Right:
    """Actions on resources; `when` names a member of the request without which they are not needed."""

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    when: str = ""
    condition: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rights:
    """What one action of an integration needs.

    Attributes
    ----------
    call
        To make the call.
    job
        Besides, for `.sync`: to look at the job, and to stop it when the execution is stopped.
    rule
        For `.sync`: the EventBridge rule by which Step Functions hears of the end; it makes that itself.
    passes
        Members of the request that are roles, and the service that each is handed to.
    note
        What the definition cannot tell.
    """

    call: tuple[Right, ...]
    job: tuple[Right, ...] = ()
    rule: str = ""
    passes: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def right(actions: str, *resources: str, when: str = "", condition: Mapping[str, Any] | None = None) -> Right:
    """Return a right; `actions` are separated by spaces, the service of the first is that of all."""
    first, *others = actions.split()
    service = first.partition(":")[0]
    written = [first, *(name if ":" in name else f"{service}:{name}" for name in others)]
    return Right(tuple(written), resources or ("*",), when, condition or {})
