"""A wish for a run, and what may come of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STARTED = "started"
SKIPPED = "skipped"
DUPLICATE = "duplicate"
WAITING = "waiting"
REFUSED = "refused"
EMPTY = "empty"
QUIET_PERIOD = "quiet period"
"""What has closed a batch, in the facts about a wish, if it was neither of the markers."""

RESULTS = (STARTED, SKIPPED, DUPLICATE, WAITING, REFUSED, EMPTY)


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish for a run, from wherever it comes.

    Attributes
    ----------
    payload : mapping
        A retrain request, checked by nobody yet. A trigger in it is replaced by this one.
    kind : str
        One of `requests.TRIGGER_KINDS`.
    id : str
        The same however often the wish is delivered, and never that of another wish of its kind.
    time : str
        When it came about, ISO 8601.
    received_from : str
        For people: what it was, such as ``aws.ecr: ECR Image Action``.
    about : mapping
        Further facts for the trigger's record in the ledger.
    asks_again : bool
        Whether the asker itself asks again after `WAITING`; else the wish is put into the delay queue.
    """

    payload: Mapping[str, Any]
    kind: str
    id: str
    time: str
    received_from: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    asks_again: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a wish.

    Attributes
    ----------
    result : str
        `STARTED`; `SKIPPED`, the same content has run; `DUPLICATE`, it is running; `WAITING`, too many runs
        are under way, and the wish comes up again; `REFUSED`, the request, image or data is not usable, or
        the day's runs are used up; `EMPTY`, there are no files.
    run_id : str
        The run that was started or is repeated; empty for the other results.
    reason : str
        One or two sentences for people.
    """

    result: str
    run_id: str
    reason: str
