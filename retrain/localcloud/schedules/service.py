"""Which schedules are due, and firing one because somebody said so."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.errors import ScheduleError
from retrain.localcloud.schedules import expressions
from retrain.localcloud.schedules.firing import Fired, Firing

log = logging.getLogger("retrain.localcloud")

SCHEDULER = "ministack.services.scheduler"
PATH = "schedules"
"""Of the local cloud's own requests: ``POST /_retrain/schedules/GROUP/NAME/fire``."""

for _name, _parameters in {
    "_schedules": None,
    "_tick_schedules": "",
    "_create_schedule": "name body",
    "_update_schedule": "name body",
    "_delete_schedule": "name query",
    "_schedule_arn": "group name",
    "_error": "status code message",
}.items():
    seams.expect(SCHEDULER, _name, _parameters)


class Schedules:
    """The schedules that MiniStack keeps, fired as AWS fires them.

    Parameters
    ----------
    firing
        Invokes targets.
    started_at
        What was due before is not made up for.
    """

    def __init__(self, firing: Firing, started_at: datetime | None = None) -> None:
        self._firing = firing
        self._started_at = started_at or datetime.now(UTC)
        self._looked_at: dict[tuple[str, ...], datetime] = {}

    def tick(self, now: datetime | None = None) -> None:
        """Fire whatever has become due since the last look. MiniStack calls this from a thread of its own."""
        now = now or datetime.now(UTC)
        kept = seams.module(SCHEDULER)._schedules._data
        for key, schedule in list(kept.items()):
            try:
                due = self._due(tuple(key), schedule, now)
            except ScheduleError as error:
                log.warning("The schedule %s never fires: %s", schedule.get("Arn"), error)
                continue
            if due is None:
                continue
            self._firing.fire(schedule, due)
            once = str(schedule["ScheduleExpression"]).strip().startswith("at(")
            if once and schedule.get("ActionAfterCompletion") == "DELETE":
                kept.pop(key, None)

    def _due(self, key: tuple[str, ...], schedule: Mapping[str, Any], now: datetime) -> datetime | None:
        """The latest time at which a schedule had to fire since the last look, if there is one.

        A flexible time window begins when the schedule is due, so that firing then is always inside it.
        """
        if schedule.get("State") != "ENABLED":
            return None
        created, changed = _moment(schedule["CreationDate"]), _moment(schedule["LastModificationDate"])
        expression = expressions.parse(
            schedule["ScheduleExpression"], schedule.get("ScheduleExpressionTimezone") or "UTC"
        )
        begin = _moment(schedule["StartDate"]) if schedule.get("StartDate") else created
        end = _moment(schedule["EndDate"]) if schedule.get("EndDate") else None
        # A rate is due the moment it is made.
        since = max(self._started_at, _just_before(changed), _just_before(begin))
        since = max(since, self._looked_at.get(key, since))
        self._looked_at[key] = now
        found = None
        while (due := expression.next(since, begin)) is not None and due <= now:
            if end is None or due <= end:
                found = due
            since = due
        return found

    def checked(self, original: Any, name: str, body: dict[str, Any]) -> seams.Response:
        """CreateSchedule and UpdateSchedule refuse what could never fire."""
        try:
            if body.get("ScheduleExpression"):
                expressions.parse(
                    str(body["ScheduleExpression"]), str(body.get("ScheduleExpressionTimezone") or "UTC")
                )
        except ScheduleError as error:
            refused: seams.Response = seams.module(SCHEDULER)._error(400, "ValidationException", str(error))
            return refused
        response: seams.Response = original(name, body)
        return response

    def fire(self, group: str, name: str) -> Fired | None:
        """Fire a schedule now, enabled or not; None if there is none of that name."""
        schedule = seams.module(SCHEDULER)._schedules.get(f"{group}/{name}")
        return self._firing.fire(schedule, datetime.now(UTC)) if schedule else None

    async def answer(self, method: str, parts: list[str], body: bytes) -> seams.Response:
        """Answer ``POST GROUP/NAME/fire``."""
        del body
        headers = {"Content-Type": "application/json"}
        if method != "POST" or len(parts) != 3 or parts[2] != "fire":
            message = "Only POST schedules/GROUP/NAME/fire is known here."
            return 404, headers, json.dumps({"message": message}).encode()
        # On a thread that keeps the request's account: the target is invoked by HTTP, which needs this loop.
        fired = await asyncio.to_thread(self.fire, parts[0], parts[1])
        if fired is None:
            message = f"Schedule {parts[1]} does not exist in group {parts[0]}."
            return 404, headers, json.dumps({"message": message}).encode()
        return 200, headers, json.dumps(asdict(fired)).encode()


def _moment(value: Any) -> datetime:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _just_before(moment: datetime) -> datetime:
    return datetime.fromtimestamp(moment.timestamp() - 1e-3, UTC)
