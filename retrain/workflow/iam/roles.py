"""Roles that a request hands to a service: the caller needs iam:PassRole for each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_MEMBER: Final = re.compile(
    r"(?:.*(?:Role|role)(?:Arn|ARN)|Role|role|(?:.*[a-z])?(?:ServiceRole|JobFlowRole))"
)
_READS: Final = re.compile(r"(?:Describe|List|Get|Assume|BatchGet|Delete|Stop|Search|Simulate)")
_PRINCIPALS: Final[Mapping[str, str]] = {
    "ecs": "ecs-tasks.amazonaws.com",
    "elasticmapreduce": "elasticmapreduce.amazonaws.com",
    "events": "events.amazonaws.com",
    "emr-serverless": "emr-serverless.amazonaws.com",
}
_NO_ROLE_TAKERS: Final = frozenset({"iam", "sts"})


def passed(prefix: str, operation: str, request: Any) -> Iterator[tuple[str | None, str]]:
    """Yield each role that a call of the AWS SDK hands over, and the service that gets it.

    Parameters
    ----------
    prefix
        IAM's name of the service that is called.
    operation
        As its model has it; one that only looks passes no role.
    request
        The members that are given; a role is None if only the run will tell it.
    """
    if prefix in _NO_ROLE_TAKERS or _READS.match(operation):
        return
    principal = _PRINCIPALS.get(prefix, f"{prefix}.amazonaws.com")
    for role in _roles(request):
        yield role, principal


def _roles(value: Any) -> Iterator[str | None]:
    if isinstance(value, dict):
        for name, item in value.items():
            if _MEMBER.fullmatch(name) and (item is None or isinstance(item, str)):
                yield item
            else:
                yield from _roles(item)
    elif isinstance(value, list):
        for item in value:
            yield from _roles(item)
