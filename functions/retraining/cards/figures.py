"""Numbers, times and amounts as people read them."""

import math
from datetime import UTC, datetime
from decimal import Decimal

from retraining.metrics import METRICS, Metric

NONE = "\u2013"
"""Stands where there is no figure."""


def number(value: object) -> float | None:
    """Return a finite number, None for anything else; the ledger keeps its numbers as decimals."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return float(value) if math.isfinite(value) else None


def metric(name: object) -> Metric | None:
    """Return a metric that the gate knows."""
    return METRICS.get(str(name))


def figure(value: object, of: Metric | None) -> str:
    """Write the value of a metric."""
    found = number(value)
    if found is None:
        return NONE
    return of.written(found) if of is not None else f"{found:.4g}"


def difference(value: float, of: Metric | None) -> str:
    """Write a difference with its sign."""
    if of is not None and of.proportion:
        return f"{_signed(value * 100, '.2f')} points"
    return _signed(value, ".3g")


def _signed(value: float, form: str) -> str:
    written = format(value, f"+{form}").replace("-", "\u2212")
    return written[1:] if float(format(value, form)) == 0 else written


def count(value: object, one: str, many: str) -> str:
    """Write a number of things."""
    found = number(value)
    if found is None:
        return NONE
    return f"1 {one}" if found == 1 else f"{found:,.0f} {many}"


def size(value: object) -> str:
    """Write a number of bytes."""
    found = number(value)
    if found is None:
        return NONE
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if found >= factor:
            return f"{found / factor:.1f} {unit}"
    return f"{found:.0f} bytes"


def dollars(value: object) -> str:
    """Write an amount with as many decimals as it takes to see something."""
    found = number(value)
    if found is None:
        return NONE
    if 0 < found < 0.01:
        return f"${found:.{min(6, 1 - math.floor(math.log10(found)))}f}"
    return f"${found:,.2f}"


def moment(value: object) -> datetime | None:
    """Read a time of the ledger's or of boto3's, None if it is none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def day_and_clock(value: object) -> str:
    """Write a time to the second."""
    found = moment(value)
    return f"{found:%Y-%m-%d %H:%M:%S} UTC" if found else NONE


def duration(seconds: float) -> str:
    """Write a duration: ``48 ms``, ``4.2 s``, ``42 s``, ``3 min 20 s``, ``2 h 5 min``, ``4 d 3 h``."""
    if seconds < 0.9995:
        return f"{max(seconds, 0.0) * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    units = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))
    length, name, small, small_name = next(unit for unit in units if whole >= unit[0])
    rest = whole % length // small
    return f"{whole // length} {name}" + (f" {rest} {small_name}" if rest else "")


def between(start: object, end: object) -> str:
    """Write the time between two moments."""
    first, last = moment(start), moment(end)
    return duration((last - first).total_seconds()) if first and last else NONE
