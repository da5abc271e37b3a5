"""Times as AWS and the ledger write them."""

from __future__ import annotations

from datetime import UTC, datetime


def as_datetime(value: datetime | str | float) -> datetime:
    """Return a time of the ledger (ISO 8601 text) or of boto3 (datetime, seconds) in UTC.

    Parameters
    ----------
    value : datetime, str or float
        A text without a zone is taken as UTC, which the ledger always writes.

    Returns
    -------
    datetime
        With time zone UTC.
    """
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str):
        moment = datetime.fromisoformat(value)
    else:
        return datetime.fromtimestamp(value, UTC)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def in_words(seconds: float) -> str:
    """Return a duration as people read it: `0.3 s`, `42 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`."""
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    for size, name, small, small_name in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {name}" + (f" {rest} {small_name}" if rest else "")
    raise AssertionError(seconds)
