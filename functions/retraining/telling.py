"""Telling how a run ended: to CloudWatch as figures, to programs as an event, and to people as a message.

Whoever tells may be interrupted, refused, or called twice. Each of the three is therefore marked in the
ledger once it is done, and done again only without its mark; one that fails keeps none of the others from
being done.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from retraining import announcements, messages, records
from retraining.errors import AwsError, TransientAwsError
from retraining.executions import Execution, from_datetime
from retraining.ports import Topic

COUNTED, ANNOUNCED, PUBLISHED = "counted_at", "announced_at", "published_at"
"""The marks: figures sent, event put, message published."""

ENDING = "ending"
"""Which of a run's endings its marks are about: a redriven run ends again."""


class Runs(Protocol):
    """The ledger's runs."""

    def get_run(self, run_id: str) -> dict[str, Any] | None:
        """Return the record of a run."""


class Marks(Protocol):
    """What has been told of runs."""

    def get(self, run_id: str) -> dict[str, Any]:
        """Return a run's marks, empty if there are none."""

    def put(self, run_id: str, marks: Mapping[str, Any]) -> None:
        """Write a run's marks."""


class Bus(Protocol):
    """The event bus."""

    def put(self, source: str, detail_type: str, detail: str, resource: str) -> None:
        """Put one event."""


@dataclass(frozen=True, slots=True)
class Channels:
    """Whom to tell, and what remembers it.

    Attributes
    ----------
    count : callable
        Sends the figures of a record.
    """

    count: Callable[[Mapping[str, Any]], None]
    bus: Bus
    topic: Topic
    marks: Marks
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Found:
    """A run's record, and whether it was written to the ledger."""

    record: Mapping[str, Any]
    written: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What was told.

    Attributes
    ----------
    subject, outcome, reason : str
        As people were told.
    done : tuple of str
        The marks of what was done now, and not before.
    troubles : tuple of str
        A sentence for each mark that could not be read or kept.
    """

    subject: str
    outcome: str
    reason: str
    done: tuple[str, ...]
    troubles: tuple[str, ...]


def find(
    state: Mapping[str, Any],
    execution: Execution,
    outcome: str,
    finished_at: str,
    ledger: Runs,
    stack_name: str,
) -> Found:
    """Find the record of a run that has ended.

    The ledger has it whole. If it could not be written there, or cannot be read, the state machine's data
    have enough of it for a message.

    Parameters
    ----------
    state : mapping
        The state machine's data; empty if nobody knows them any more.
    outcome, finished_at : str
        As the state machine says, if the run left no record.

    Raises
    ------
    AwsError
        The ledger cannot be read, and there is no state.
    """
    try:
        known = ledger.get_run(execution.name)
    except AwsError:
        if not state:
            raise  # nothing else knows the run: it is told when the ledger answers
        known = None
    later = {name: state[name] for name in ("cleanup", "cleanup_error") if state.get(name)}
    if known is not None and known.get("outcome") != records.RUNNING:
        return Found({**known, **later}, written=True)
    recorded = state.get("record")
    if isinstance(recorded, Mapping):
        return Found({**recorded["run"], **later}, written=True)
    made = records.finished(state, execution, outcome, finished_at, stack_name=stack_name)
    if known is not None and not state:
        ended = ("outcome", "finished_at", "reason", "error")
        made = {**made, **known, **{name: made[name] for name in ended}}
    return Found({**made, **later}, written=False)


def tell(found: Found, record_s3_uri: str, card: Sequence[str], channels: Channels) -> Told:
    """Tell how a run ended, as far as it has not been told.

    Parameters
    ----------
    record_s3_uri : str
        Where its record lies.
    card : sequence of str
        Lines that say where the run card is.

    Raises
    ------
    AwsError
        Something could not be told: telling again does what is left.
    """
    record, run_id = found.record, str(found.record["run_id"])
    shown = record if found.written else {**record, "serving": messages.UNKNOWN}
    message = messages.render(shown, ledger_written=found.written, card=card)

    def announce() -> None:
        detail = announcements.detail(record, record_s3_uri)
        channels.bus.put(
            announcements.SOURCE, announcements.DETAIL_TYPE, detail, str(record["execution_arn"])
        )

    steps: dict[str, Callable[[], None]] = {
        COUNTED: lambda: channels.count(record),
        ANNOUNCED: announce,
        PUBLISHED: lambda: channels.topic.publish(message.subject, message.body, message.attributes),
    }
    troubles: list[str] = []
    marks = _marks(run_id, _ending(found), channels.marks, troubles)
    done, failures = [], []
    for mark, do in steps.items():
        if mark in marks:
            continue
        try:
            do()
        except AwsError as error:
            failures.append(error)
            continue
        done.append(mark)
        marks[mark] = from_datetime(channels.clock())
        try:
            channels.marks.put(run_id, marks)
        except AwsError as error:
            troubles.append(f"What was told could not be marked, and may be told twice: {error}")
    if failures:
        # Which one is raised decides whether the state machine tries again at once.
        raise next((error for error in failures if isinstance(error, TransientAwsError)), failures[0])
    return Told(
        message.subject, str(record["outcome"]), str(record.get("reason") or ""), tuple(done), tuple(troubles)
    )


def _ending(found: Found) -> str:
    if found.written:
        return str(found.record["finished_at"])
    # Each state that tells of an unrecorded run gives another time for it.
    return f"unrecorded {found.record['outcome']}"


def _marks(run_id: str, ending: str, marks: Marks, troubles: list[str]) -> dict[str, Any]:
    """Return what has been told of this ending."""
    try:
        known = marks.get(run_id)
    except AwsError as error:
        troubles.append(f"Nobody knows what was told already, and it may be told twice: {error}")
        known = {}
    return dict(known) if known.get(ENDING) == ending else {ENDING: ending}
