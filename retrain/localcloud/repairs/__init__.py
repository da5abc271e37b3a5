"""Mends of MiniStack, where it is laxer than AWS: one module for each thing mended, each with its tests."""

from __future__ import annotations

from retrain.localcloud.context import LocalCloudContext
from retrain.localcloud.repairs import alarm_events, lambda_runtime, unserved


def install(context: LocalCloudContext) -> None:
    """Put every mend in place. Called once, after `seams.install` and before serving."""
    unserved.install()
    lambda_runtime.install(context)
    alarm_events.install()


def shutdown() -> None:
    """End what the mends have started."""
    lambda_runtime.shutdown()
