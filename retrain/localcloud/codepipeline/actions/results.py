"""What an action is given, and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from retrain.localcloud.codepipeline.platform import Artifact


@dataclass(frozen=True)
class Work:
    """One execution of an action.

    Attributes
    ----------
    pipeline, action
        Their declarations.
    stage, execution_id, action_execution_id
        Where it belongs.
    configuration
        The action's, variables resolved.
    inputs
        Its input artifacts.
    report
        Told ``(summary, external id)`` while it runs; either may be empty.
    """

    pipeline: dict[str, Any]
    stage: str
    action: dict[str, Any]
    execution_id: str
    action_execution_id: str
    configuration: dict[str, str]
    inputs: list[Artifact]
    report: Callable[[str, str], None]


@dataclass(frozen=True)
class Result:
    """How an action has succeeded; one that has not raises `ActionError`."""

    summary: str = ""
    external_id: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    outputs: list[Artifact] = field(default_factory=list)
