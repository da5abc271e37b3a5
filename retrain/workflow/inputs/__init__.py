"""Placeholders: values that are known only when an execution runs."""

from retrain.workflow.inputs.expressions import ContextObject, Format, Intrinsic
from retrain.workflow.inputs.placeholders import (
    ExecutionInput,
    MapItemIndex,
    MapItemValue,
    Placeholder,
    StepInput,
    StepResult,
    ValidationResult,
)

__all__ = [
    "ContextObject",
    "ExecutionInput",
    "Format",
    "Intrinsic",
    "MapItemIndex",
    "MapItemValue",
    "Placeholder",
    "StepInput",
    "StepResult",
    "ValidationResult",
]
