"""Mends of MiniStack, where it is laxer than AWS: one module for each thing mended.

A States Language engine of our own is to take the place of those that mend the interpreter; they replace
small functions of it, and each has a test that fails without it.
"""

from __future__ import annotations

from retrain.localcloud.context import LocalCloudContext
from retrain.localcloud.repairs import (
    choices,
    lambda_runtime,
    lifetimes,
    paths,
    restarts,
    states_api,
    tasks,
    unserved,
)


def install(context: LocalCloudContext) -> None:
    """Put every mend in place. Called once, after `seams.install` and before serving."""
    unserved.install()
    lambda_runtime.install(context)
    lifetimes.install()
    restarts.install(context)
    paths.install()
    choices.install()
    tasks.install()
    states_api.install()


def shutdown() -> None:
    """End what the mends have started."""
    lambda_runtime.shutdown()
