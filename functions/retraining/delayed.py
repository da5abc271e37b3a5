"""Messages that Retrain sends itself through the delay queue, and how long they are kept back.

There are two: a look whether a dataset's quiet period is over, and a wish that waits for other runs to end.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from retraining.wishes import Asked

SOURCE = "retrain.delayed"
"""The ``source`` of these messages; nobody else can send to the delay queue."""

CHECK = "Quiet Period Check"
WISH = "Waiting Request"

LONGEST = 900
"""SQS keeps a message back for at most a quarter of an hour."""

_PATIENCE = (5, 10, 20, 40, 60, 120, 300)


def check(dataset: str) -> dict[str, Any]:
    """Return the message that looks whether a dataset's quiet period is over."""
    return {"source": SOURCE, "detail-type": CHECK, "detail": {"dataset": dataset}}


def wish(asked: Asked) -> dict[str, Any]:
    """Return the message that asks once more."""
    return {"source": SOURCE, "detail-type": WISH, "detail": asdict(asked)}


def asked(detail: Mapping[str, Any]) -> Asked:
    """Read a wish out of its message."""
    return Asked(**detail)


def patience(looks: int) -> int:
    """Return the seconds until the next look, after so many."""
    return _PATIENCE[min(looks, len(_PATIENCE) - 1)]
