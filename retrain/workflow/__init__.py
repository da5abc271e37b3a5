"""State machines authored in Python: the successor of AWS's `stepfunctions` library.

Names and arguments are those of that library, so that moving over is a change of imports: `stepfunctions`
becomes `retrain.workflow`, and `sagemaker` becomes `retrain.workflow.estimators`. See docs/authoring.md.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retrain.workflow.workflow import Execution, ExecutionStatus, Workflow

__all__ = ["Execution", "ExecutionStatus", "Workflow", "set_stream_logger"]


def __getattr__(name: str) -> Any:
    """Load what is used, when it is used: drawing needs nothing of it."""
    if name in {"Execution", "ExecutionStatus", "Workflow"}:
        return getattr(importlib.import_module("retrain.workflow.workflow"), name)
    raise AttributeError(f"module 'retrain.workflow' has no attribute '{name}'")


def set_stream_logger(level: int = logging.INFO) -> None:
    """Print what the library logs.

    Parameters
    ----------
    level
        The least level that is printed, as in `logging`.
    """
    logger = logging.getLogger(__name__)
    logger.setLevel(level)
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
