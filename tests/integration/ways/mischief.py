"""In front of start_retraining: of ten invocations one dies, before or after any call to AWS that it makes.

Goes into the function's package beside its own code; see test_storm.
"""

import random
from typing import Any

from botocore.client import BaseClient

from start_retraining import app

SHARE = 0.1
MOST_CALLS = 8


class Killed(BaseException):
    """The process is gone; nobody can handle that."""


_call = BaseClient._make_api_call  # type: ignore[attr-defined]
_left = 0
_after = False


def _shaky(self: Any, operation: str, parameters: Any) -> Any:
    global _left
    _left -= 1
    if _left == 0 and not _after:
        raise Killed(f"before {operation}")
    answer = _call(self, operation, parameters)
    if _left == 0 and _after:
        raise Killed(f"after {operation}")
    return answer


BaseClient._make_api_call = _shaky  # type: ignore[attr-defined]


def handler(event: dict[str, Any], context: Any) -> Any:
    """Do what start_retraining does, or die on the way, or at the end."""
    global _after, _left
    dies = random.random() < SHARE
    _left = random.randint(1, MOST_CALLS) if dies else 0
    _after = random.random() < 0.5
    try:
        answer = app.handler(event, context)
    except Killed as end:
        raise RuntimeError(f"Killed {end}") from None  # the process itself may stay, which is quicker
    if dies:
        raise RuntimeError("Killed after everything")
    return answer
