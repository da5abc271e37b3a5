"""When an alarm goes off: CloudWatch's rules, as a function of datapoints and time.

Two things differ from AWS, for baking periods of seconds instead of minutes. Periods end now, not on the
minute, so that what has just happened counts at once; and a period may be told to begin later (`since`).

The rules are those of "Configuring how CloudWatch alarms treat missing data" in AWS's documentation.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Point = dict[str, Any]
"""A value (or several, by Count) that was sent at a Timestamp."""

Statistic = Callable[[Sequence[Point]], float | None]

_COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


@dataclass(frozen=True)
class Judgement:
    """The state that an alarm ought to be in.

    Attributes
    ----------
    state
        OK, ALARM or INSUFFICIENT_DATA.
    reason
        For StateReason.
    """

    state: str
    reason: str


def judge(
    alarm: dict[str, Any], points: Sequence[Point], now: float, statistic: Statistic, *, since: float = 0.0
) -> Judgement | None:
    """Return the state that an alarm ought to be in, None where it is to keep its state.

    Parameters
    ----------
    alarm
        As DescribeAlarms shows it.
    points
        All of its metric, in any order.
    now
        Seconds since 1970.
    statistic
        The alarm's statistic over the points of one period; None where it cannot be had from them.
    since
        Nothing before this moment counts.
    """
    comparison = _COMPARISONS.get(alarm.get("ComparisonOperator") or "")
    if comparison is None:
        return None
    compare, words = comparison
    number = int(alarm.get("EvaluationPeriods") or 1)
    needed = int(alarm.get("DatapointsToAlarm") or number)
    threshold = float(alarm.get("Threshold") or 0.0)
    values = _datapoints(alarm, points, now, statistic, since, number)
    known = [value for value in values if value is not None]
    breaching = [value for value in known if compare(value, threshold)]
    missing = number - len(known)
    treatment = alarm.get("TreatMissingData") or "missing"
    if not known and treatment in ("missing", "ignore"):
        if treatment == "ignore":
            return None
        was = "was" if number == 1 else "were"
        return Judgement("INSUFFICIENT_DATA", f"Insufficient Data: {_number(number)} {was} unknown.")
    bad = len(breaching) + (missing if treatment == "breaching" else 0)
    if bad < needed and known and len(breaching) == len(known) and missing:
        # Too few datapoints, and every one of them bad: whether that is enough, TreatMissingData says.
        if treatment == "missing":
            bad = needed
        elif treatment == "ignore":
            return None
    state = "ALARM" if bad >= needed else "OK"
    return Judgement(
        state, _reason(state, known, breaching, missing, treatment, words, threshold, needed, now)
    )


def _datapoints(
    alarm: dict[str, Any],
    points: Sequence[Point],
    now: float,
    statistic: Statistic,
    since: float,
    number: int,
) -> list[float | None]:
    """Return one value per period, the newest last; None for a period without data."""
    period = float(alarm.get("Period") or 60)
    unit = alarm.get("Unit")
    by_period: list[list[Point]] = [[] for _ in range(number)]
    for point in points:
        at = point["Timestamp"]
        if at < since or (unit and point.get("Unit") != unit):
            continue
        index = max(0, int((now - at) // period))  # what comes from the future belongs to the newest
        if index < number:
            by_period[index].append(point)
    return [statistic(found) if found else None for found in reversed(by_period)]


def _reason(
    state: str,
    known: list[float],
    breaching: list[float],
    missing: int,
    treatment: str,
    words: str,
    threshold: float,
    needed: int,
    now: float,
) -> str:
    if not known:
        treated = "Breaching" if treatment == "breaching" else "NonBreaching"
        periods, was = ("period", "was") if missing == 1 else ("periods", "were")
        return (
            f"Threshold Crossed: no datapoints were received for {missing} {periods} and {missing} missing "
            f"{'datapoint' if missing == 1 else 'datapoints'} {was} treated as [{treated}]."
        )
    at = datetime.fromtimestamp(now, UTC).strftime("%d/%m/%y %H:%M:%S")
    listed = ", ".join(f"{value:g} ({at})" for value in (breaching if state == "ALARM" else known))
    relation = words if state == "ALARM" else f"not {words}"
    verb = "was" if len(breaching if state == "ALARM" else known) == 1 else "were"
    total = len(known) + missing
    share = len(breaching) if state == "ALARM" else len(known)
    direction = "OK -> ALARM" if state == "ALARM" else "ALARM -> OK"
    least = needed if state == "ALARM" else total - needed + 1
    return (
        f"Threshold Crossed: {share} out of the last {_number(total)} [{listed}] {verb} {relation} the "
        f"threshold ({threshold:g}) (minimum {_number(least)} for {direction} transition)."
    )


def _number(count: int) -> str:
    return "1 datapoint" if count == 1 else f"{count} datapoints"
