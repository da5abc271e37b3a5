"""Mends of MiniStack, where it is laxer than AWS: one module for each thing mended, each with its tests."""

from __future__ import annotations

from retrain.localcloud.context import LocalCloudContext
from retrain.localcloud.repairs import (
    alarm_events,
    embedded_metrics,
    event_sources,
    lambda_runtime,
    queue_metrics,
    unserved,
)


def install(context: LocalCloudContext) -> None:
    """Put every mend in place. Called once, after `seams.install` and before serving."""
    unserved.install()
    lambda_runtime.install(context)
    alarm_events.install()
    event_sources.install()
    embedded_metrics.install()
    queue_metrics.install()


def shutdown() -> None:
    """End what the mends have started."""
    queue_metrics.shutdown()
    lambda_runtime.shutdown()
