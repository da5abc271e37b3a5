"""Which kind of thing a Task state's Resource names."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Literal

from retrain.states.errors import RUNTIME, StatesError

Kind = Literal["function", "activity", "optimised", "aws-sdk"]
Pattern = Literal["", "sync", "sync:2", "waitForTaskToken"]

_SERVICE = re.compile(
    r"arn:[^:]+:states:[^:]*:[^:]*:(?P<sdk>aws-sdk:)?(?P<service>[A-Za-z0-9-]+):(?P<action>[A-Za-z0-9]+)"
    r"(?:\.(?P<pattern>sync:2|sync|waitForTaskToken))?"
)
_FUNCTION = re.compile(r"arn:[^:]+:lambda:[^:]*:[^:]*:function:.+")
_ACTIVITY = re.compile(r"arn:[^:]+:states:[^:]+:[^:]+:activity:(?P<name>.+)")


@dataclass(frozen=True, slots=True)
class Resource:
    """A Resource, taken apart.

    Attributes
    ----------
    arn
        As the definition has it.
    kind
        A function's ARN, an activity's ARN, an optimised integration, or a call of the AWS SDK.
    service, action
        Such as `sagemaker` and `createTrainingJob`; for a function or an activity, empty.
    pattern
        How the task goes on after the call: at once, at the job's end, or when its token is sent back.
    """

    arn: str
    kind: Kind
    service: str = ""
    action: str = ""
    pattern: Pattern = ""

    @property
    def history(self) -> dict[str, str]:
        """What the task's events say of the resource."""
        kind = f"aws-sdk:{self.service}" if self.kind == "aws-sdk" else self.service
        action = f"{self.action}.{self.pattern}" if self.pattern else self.action
        return {"resourceType": kind, "resource": action}


@functools.lru_cache(maxsize=1024)
def parse(arn: str) -> Resource:
    """Take a Resource apart.

    Raises
    ------
    StatesError
        States.Runtime: it is none that Step Functions knows.
    """
    if _FUNCTION.fullmatch(arn):
        return Resource(arn, "function")
    if _ACTIVITY.fullmatch(arn):
        return Resource(arn, "activity")
    match = _SERVICE.fullmatch(arn)
    if match is None:
        raise StatesError(RUNTIME, f"The resource '{arn}' is none that Step Functions knows.")
    pattern: Pattern = match["pattern"] or ""  # type: ignore[assignment]
    return Resource(
        arn, "aws-sdk" if match["sdk"] else "optimised", match["service"], match["action"], pattern
    )
