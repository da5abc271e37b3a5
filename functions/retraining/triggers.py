"""What the ledger keeps of everything that arrived: when, from where, and why a run came of it or none.

A record goes from nothing, or from ``waiting``, over ``starting`` to one of the final results. ``starting``
names the execution that is about to be started and with which input, so that whoever comes after a crash
starts that one and no other.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from retraining import executions
from retraining.wishes import Asked

STARTING = "starting"
WAITING = "waiting"
_UNDECIDED = frozenset({STARTING, WAITING})

_LONGEST_ID = 200


def trigger_id(kind: str, identity: str) -> str:
    """Return the id under which a trigger's record lies; ids of great length are told apart by a digest."""
    if len(identity) <= _LONGEST_ID:
        return f"{kind}#{identity}"
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{kind}#{identity[:100]}#{digest}"


def record(asked: Asked, now: datetime) -> dict[str, Any]:
    """Return the beginnings of a trigger's record.

    Parameters
    ----------
    asked : Asked
        The wish.
    now : datetime
        The time, with its zone.
    """
    return {
        **asked.about,
        "kind": "trigger",
        "trigger_id": trigger_id(asked.kind, asked.id),
        "trigger": {"kind": asked.kind, "id": asked.id, "time": asked.time},
        "received_from": asked.received_from,
        "dataset": _dataset(asked.payload),
        "started_at": executions.from_datetime(now),
        "decided_at": None,
        "result": WAITING,
        "run_id": None,
        "reason": "",
    }


def is_final(known: Mapping[str, Any]) -> bool:
    """Whether a record says what came of its trigger, once and for all."""
    return known["result"] not in _UNDECIDED


def _dataset(payload: object) -> str | None:
    """Return the dataset's name from a request that may be anything at all."""
    part = payload.get("dataset") if isinstance(payload, Mapping) else None
    name = part.get("name") if isinstance(part, Mapping) else None
    return name[:64] if isinstance(name, str) and name else None
