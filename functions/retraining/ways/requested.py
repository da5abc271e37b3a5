"""``Retrain Requested`` from the source ``retrain``: its detail is the retrain request."""

from collections.abc import Mapping
from typing import Any

from retraining.settings import Settings
from retraining.ways import reading
from retraining.wishes import Asked

EVENT = ("retrain", "Retrain Requested")


def read(event: Mapping[str, Any], settings: Settings) -> Asked:
    """Read a request that somebody put on the event bus; what it says is passed on as it is."""
    del settings
    return reading.asked(event, "event", reading.section(event, "detail"))
