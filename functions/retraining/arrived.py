"""What arrivals are, once read."""

from dataclasses import dataclass
from datetime import datetime

from retraining.datasets import DATASETS_PREFIX, MARKERS
from retraining.ways.reading import Ignored
from retraining.wishes import Asked


@dataclass(frozen=True, slots=True)
class Upload:
    """An object of a dataset was created, overwritten or deleted.

    Attributes
    ----------
    dataset, relative : str
        The parts of its key after ``datasets/``.
    is_deletion : bool
        It was deleted.
    time : datetime
        When, to the second.
    event_id : str
        EventBridge's id, the same however often the event is delivered.
    """

    dataset: str
    relative: str
    is_deletion: bool
    time: datetime
    event_id: str

    @property
    def is_marker(self) -> bool:
        """Whether the object closes a batch."""
        return self.relative in MARKERS

    @property
    def key(self) -> str:
        """The whole key."""
        return f"{DATASETS_PREFIX}{self.dataset}/{self.relative}"


@dataclass(frozen=True, slots=True)
class Check:
    """It is time to look whether a dataset's quiet period is over."""

    dataset: str


Arrival = Upload | Check | Asked | Ignored | list[Asked]
