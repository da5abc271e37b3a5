"""A schedule has fired: the stack's own, or one that people have made beside it.

The stack's schedule says no more than whether to force, and is about the datasets of its parameter
RetrainDatasets. Another one may send a whole retrain request as its detail.
"""

from collections.abc import Mapping
from typing import Any

from retraining.settings import Settings
from retraining.ways import reading
from retraining.ways.reading import Ignored
from retraining.wishes import Asked

EVENT = ("aws.scheduler", "Scheduled Event")


def read(event: Mapping[str, Any], settings: Settings) -> Asked | Ignored | list[Asked]:
    """Read what EventBridge Scheduler sends.

    A firing is known by its schedule and its time: Scheduler counts every attempt as an execution with an id
    of its own.
    """
    schedule = _schedule(event)
    firing = f"{schedule}@{reading.text(event, 'time')}"
    about = {"schedule": schedule}
    # Scheduler's own event, which it sends for want of an input, has the text "{}" here.
    detail = {} if event.get("detail") == "{}" else reading.section(event, "detail")
    if "dataset" in detail:
        return reading.asked(event, "schedule", detail, trigger_id=firing, about=about)
    names = reading.configured(settings)
    if not names:
        return Ignored(f"the schedule {schedule} names no dataset, and {reading.NO_DATASETS}")
    return reading.for_each(names, event, "schedule", detail, trigger_id=firing, about=about)


def _schedule(event: Mapping[str, Any]) -> str:
    """The schedule's group and name."""
    resources = event.get("resources")
    if not isinstance(resources, list) or not resources or ":schedule/" not in str(resources[0]):
        raise ValueError("the event's resources do not begin with the ARN of a schedule")
    return str(resources[0]).split(":schedule/", 1)[1]
