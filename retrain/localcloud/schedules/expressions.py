"""When a schedule is due: ``cron(...)``, ``rate(...)`` and ``at(...)`` in a time zone."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from retrain.localcloud import seams
from retrain.localcloud.errors import ScheduleError

EVENTS = "ministack.services.eventbridge"

for _name, _parameters in {"_parse_cron_fields": "expr", "_cron_next_fire": "fields after_dt"}.items():
    seams.expect(EVENTS, _name, _parameters)

_RATE = re.compile(r"rate\((\d+)\s+(minute|hour|day)s?\)")
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400}


@dataclass(frozen=True)
class Expression:
    """A schedule's expression, understood.

    Attributes
    ----------
    zone
        In which cron and at are meant.
    interval
        Of a rate, else None.
    moment
        Of an at, else None; in UTC.
    cron
        MiniStack's reading of a cron, else None.
    """

    zone: ZoneInfo
    interval: timedelta | None = None
    moment: datetime | None = None
    cron: Any = None

    def next(self, after: datetime, created: datetime) -> datetime | None:
        """Return the first time after a moment at which the schedule is due, None if it never is again.

        Parameters
        ----------
        after
            With a time zone; the result is later.
        created
            When the schedule was made. A rate is due at once, and then counts from there.
        """
        if self.interval is not None:
            passed = (after - created) / self.interval
            return created + max(0, math.floor(passed) + 1) * self.interval
        if self.moment is not None:
            return self.moment if self.moment > after else None
        return self._next_cron(after)

    def _next_cron(self, after: datetime) -> datetime | None:
        # MiniStack walks through a calendar without changes of the clock: it is shown the wall's time as if
        # that were UTC. A time that the clock skips in spring is skipped; one that it shows twice in autumn
        # counts the first time only.
        walk = seams.module(EVENTS)._cron_next_fire
        wall = after.astimezone(self.zone).replace(tzinfo=UTC)
        while (found := walk(self.cron, wall)) is not None:
            local = found.replace(tzinfo=self.zone, fold=0)
            due: datetime = local.astimezone(UTC)
            if due > after and due.astimezone(self.zone).replace(tzinfo=None) == found.replace(tzinfo=None):
                return due
            wall = found
        return None


def parse(expression: str, timezone: str = "UTC") -> Expression:
    """Understand an expression.

    Raises
    ------
    ScheduleError
        It is none, or there is no such time zone.
    """
    try:
        zone = ZoneInfo(timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ScheduleError(
            f"There is no time zone {timezone!r}: name one of the IANA data base, such as Europe/Berlin."
        ) from None
    text = expression.strip()
    if (rate := _RATE.fullmatch(text)) and int(rate[1]) > 0:
        return Expression(zone, interval=timedelta(seconds=int(rate[1]) * _SECONDS[rate[2]]))
    if once := _AT.fullmatch(text):
        try:
            return Expression(
                zone, moment=datetime.fromisoformat(once[1]).replace(tzinfo=zone).astimezone(UTC)
            )
        except ValueError:
            raise _invalid(expression) from None
    cron = seams.module(EVENTS)._parse_cron_fields(text)
    if cron is None or not _is_within_bounds(cron):
        raise _invalid(expression)
    return Expression(zone, cron=cron)


def _is_within_bounds(cron: Any) -> bool:
    """Whether a cron that MiniStack can read is one; it reads minute 99 as well, which never comes."""
    minutes, hours, day_of_month, months, day_of_week, _, *days = cron
    return (
        days != ["?", "?"]
        and bool(minutes and hours and months)
        and minutes <= set(range(60))
        and hours <= set(range(24))
        and months <= set(range(1, 13))
        and day_of_month["days"] <= set(range(1, 32))
        and day_of_week["days"] <= set(range(1, 8))
    )


def _invalid(expression: str) -> ScheduleError:
    return ScheduleError(
        f"Invalid Schedule Expression {expression}: it must be cron(minutes hours day-of-month month "
        "day-of-week year) with a question mark for one of the two days, rate(value minutes|hours|days), or "
        "at(yyyy-mm-ddThh:mm:ss)."
    )
