"""What the readers of events have in common."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from retraining.settings import Settings
from retraining.wishes import Asked

NO_DATASETS = "the stack's parameter RetrainDatasets names no dataset"


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that is none of ours, and why."""

    reason: str


def section(value: Any, name: str) -> Mapping[str, Any]:
    """Return an object inside an event.

    Raises
    ------
    ValueError
        There is none of that name.
    """
    found = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(found, Mapping):
        raise ValueError(f"the event has no object {name}")
    return found


def text(value: Mapping[str, Any], name: str) -> str:
    """Return a text inside an event.

    Raises
    ------
    ValueError
        There is none of that name, or it is empty.
    """
    found = value.get(name)
    if not isinstance(found, str) or not found:
        raise ValueError(f"the event has no text {name}")
    return found


def asked(
    event: Mapping[str, Any],
    kind: str,
    payload: Mapping[str, Any],
    *,
    trigger_id: str | None = None,
    about: Mapping[str, Any] | None = None,
) -> Asked:
    """Return what an event asks for.

    Parameters
    ----------
    event : mapping
        As EventBridge delivers it.
    kind : str
        One of `retraining.requests.TRIGGER_KINDS`.
    payload : mapping
        The retrain request as the event has it.
    trigger_id : str, optional
        The event's own id if not given.
    about : mapping, optional
        Further facts for the ledger.

    Raises
    ------
    ValueError
        The event has no id, or no time with a zone.
    """
    time = text(event, "time")
    if datetime.fromisoformat(time).tzinfo is None:
        raise ValueError("the event's time has no zone")
    return Asked(
        payload=payload,
        kind=kind,
        id=trigger_id or text(event, "id"),
        time=time,
        received_from=f"{event['source']}: {event['detail-type']}",
        about=about or {},
    )


def for_each(
    datasets: Iterable[str],
    event: Mapping[str, Any],
    kind: str,
    request: Mapping[str, Any],
    *,
    trigger_id: str | None = None,
    about: Mapping[str, Any] | None = None,
) -> list[Asked]:
    """Return what an event asks for that is about several datasets, each under an id of its own."""
    base = trigger_id or text(event, "id")
    return [
        asked(
            event,
            kind,
            {"dataset": {"name": dataset}, **request},
            trigger_id=f"{base}/{dataset}",
            about=about,
        )
        for dataset in datasets
    ]


def configured(settings: Settings) -> tuple[str, ...]:
    """Return the datasets of events that name none, each once, in the parameter's order."""
    return tuple(dict.fromkeys(settings.retrain_datasets))
