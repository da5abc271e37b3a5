"""One thing that a role must be allowed, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Need:
    """Actions on resources that something in the definition needs.

    Attributes
    ----------
    actions
        As IAM writes them: `lambda:InvokeFunction`.
    resources
        ARNs, or `*` where IAM knows no resource or the definition does not tell it.
    why
        A few words for people.
    sid
        What a statement of this kind is called.
    states
        The states that need it; empty for what the machine as a whole needs.
    condition
        As in a statement.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    why: str
    sid: str
    states: tuple[str, ...] = ()
    condition: Mapping[str, Any] = field(default_factory=dict)
