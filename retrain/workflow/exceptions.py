"""The names that the errors had in AWS's `stepfunctions` library."""

from __future__ import annotations

from retrain.workflow.errors import (
    DuplicateStateError,
    MissingRequiredParameterError,
    PatternError,
    WorkflowNotFoundError,
)

DuplicateStatesInChain = DuplicateStateError
MissingRequiredParameter = MissingRequiredParameterError
ForbiddenValueParameter = PatternError
WorkflowNotFound = WorkflowNotFoundError

__all__ = [
    "DuplicateStatesInChain",
    "ForbiddenValueParameter",
    "MissingRequiredParameter",
    "WorkflowNotFound",
]
