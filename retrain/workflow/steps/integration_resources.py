"""How a task goes on after it has called a service."""

from __future__ import annotations

import functools
import os
from enum import Enum

from retrain.workflow.errors import PatternError


class IntegrationPattern(Enum):
    """The integration patterns, by the names that AWS's library had for them."""

    WaitForTaskToken = "waitForTaskToken"
    """Go on when the task's token is sent back."""
    WaitForCompletion = "sync"
    """Go on when the job has ended."""
    CallAndContinue = ""
    """Go on when the service has answered."""
    RequestResponse = ""  # noqa: PIE796 (an alias)
    """The same, by its older name."""


def pattern_of(pattern: IntegrationPattern | str) -> str:
    """Return what a resource ends with, of a pattern or of its name.

    Raises
    ------
    PatternError
        There is no such pattern.
    """
    if isinstance(pattern, IntegrationPattern):
        return str(pattern.value)
    wanted = pattern.removeprefix(".")
    if wanted in {"", "sync", "sync:2", "waitForTaskToken"}:
        return wanted
    try:
        return str(IntegrationPattern[wanted].value)
    except KeyError:
        known = ", ".join(f"IntegrationPattern.{each.name}" for each in IntegrationPattern)
        raise PatternError(f"There is no integration pattern {pattern!r}: it is one of {known}.") from None


def partition() -> str:
    """Return the partition of the region that the environment names: `aws` unless it is a special one."""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return _partition_of(region) if region else "aws"


@functools.cache
def _partition_of(region: str) -> str:
    from botocore.exceptions import UnknownRegionError
    from botocore.session import get_session

    try:
        return str(get_session().get_partition_for_region(region))
    except UnknownRegionError:
        return "aws"
