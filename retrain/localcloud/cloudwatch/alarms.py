"""Alarms evaluated by AWS's rules and as time goes by; who waits for one hears of it at once."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.cloudwatch.evaluation import Point, judge

log = logging.getLogger("retrain.localcloud")

CLOUDWATCH = "ministack.services.cloudwatch"

TICK_SECONDS = 0.2
"""How often alarms are looked at. AWS does so every minute, or every ten seconds for short periods."""

AlarmCallback = Callable[[str, str], None]
"""``(alarm name, reason)``; called on any thread, and must not block."""

for _name, _parameters in {
    "_alarms": None,
    "_composite_alarms": None,
    "_metrics": None,
    "_evaluate_alarm": "alarm",
    "_record_history": "alarm_name old_state new_state reason alarm_type reason_data",
    "_dispatch_alarm_actions": "alarm old_state new_state reason",
    "_evaluate_parent_alarms": "child seen",
    "_calc_stats": "points",
    "_stat_value": "stats stat_name points",
    "_dims_key": "dims",
    "_dims_from_list": "dimensions",
}.items():
    seams.expect(CLOUDWATCH, _name, _parameters)


class _Seen:
    """What an alarm was like when it was last evaluated."""

    def __init__(self, state: str, data: tuple[Any, ...]) -> None:
        self.state = state
        self.data = data
        self.forced_at: float | None = None


class AlarmBoard:
    """All alarms of the local cloud.

    Parameters
    ----------
    clock
        Seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._seen: dict[str, _Seen] = {}
        self._begun: dict[tuple[str, str, str], float] = {}
        self._watchers: dict[object, tuple[frozenset[str], AlarmCallback]] = {}
        self._closed = threading.Event()
        self._ill: set[str] = set()

    # -- life ---------------------------------------------------------------------------------------------

    def install(self) -> None:
        """Take the place of MiniStack's evaluation, and begin to evaluate."""
        seams.replace(CLOUDWATCH, "_evaluate_alarm", self.evaluate_alarm)
        seams.wrap(CLOUDWATCH, "_record_history", self._changed)
        threading.Thread(target=self._run, name="cloudwatch-alarms", daemon=True).start()

    def close(self) -> None:
        """Evaluate no more as time goes by."""
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.wait(TICK_SECONDS):
            alarms = seams.module(CLOUDWATCH)._alarms
            with self._lock:
                self._seen = {name: seen for name, seen in self._seen.items() if name in alarms}
            for alarm in alarms.values():
                try:
                    self.evaluate_alarm(alarm)
                except Exception:  # one alarm that is ill must not keep the others from going off
                    if alarm["AlarmName"] not in self._ill:  # said once, not five times a second
                        self._ill.add(alarm["AlarmName"])
                        log.exception("The alarm %s cannot be evaluated.", alarm["AlarmName"])

    # -- for services -------------------------------------------------------------------------------------

    def states(self, names: Iterable[str]) -> dict[str, str]:
        """Return the states of those of the alarms that exist, composite ones among them."""
        cloudwatch = seams.module(CLOUDWATCH)
        kinds = (cloudwatch._alarms, cloudwatch._composite_alarms)
        found = {name: alarm for name in names for kind in kinds if (alarm := kind.get(name)) is not None}
        return {name: str(alarm["StateValue"]) for name, alarm in found.items()}

    def watch(self, names: Iterable[str], callback: AlarmCallback) -> Callable[[], None]:
        """Call ``callback(name, reason)`` whenever one of the alarms goes to ALARM.

        However short that is, and whoever made it so. Gives back what ends it.
        """
        token = object()
        with self._lock:
            self._watchers[token] = (frozenset(names), callback)

        def release() -> None:
            with self._lock:
                self._watchers.pop(token, None)

        return release

    def evaluate(self, names: Iterable[str]) -> None:
        """Evaluate some alarms at once."""
        for name in names:
            alarm = seams.module(CLOUDWATCH)._alarms.get(name)
            if alarm is not None:
                self.evaluate_alarm(alarm)

    def begin_period(self, namespace: str, dimension: str, value: str) -> None:
        """Let no alarm on the metrics of a dimension's value look at what was before now.

        A period of an alarm is a minute or more, a baking period on a laptop some seconds: without this, what
        blue served before would outweigh what green serves, and what a rolled back green served would keep an
        alarm in ALARM for minutes.
        """
        with self._lock:
            self._begun[namespace, dimension, value] = self._clock()

    # -- evaluation ---------------------------------------------------------------------------------------

    def evaluate_alarm(self, alarm: dict[str, Any]) -> None:
        """Bring one metric alarm to the state that it ought to be in."""
        cloudwatch = seams.module(CLOUDWATCH)
        name = alarm["AlarmName"]
        with self._lock:
            if not alarm.get("Namespace") or not alarm.get("MetricName"):
                return
            dimensions = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])
            key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
            points: Sequence[Point] = cloudwatch._metrics.get(key) or []
            if self._is_forced(alarm, points):
                return
            now = self._clock()
            begun = [self._begun.get((alarm["Namespace"], *item), 0.0) for item in dimensions.items()]
            statistic = functools.partial(_statistic, cloudwatch, alarm)
            judgement = judge(alarm, points, now, statistic, since=max(begun, default=0.0))
            old = alarm["StateValue"]
            state = judgement.state if judgement is not None else old
            self._seen[name] = _Seen(state, _mark(points))
            if judgement is None or state == old:
                return
            alarm["StateValue"] = state
            alarm["StateReason"] = judgement.reason
            alarm["StateUpdatedTimestamp"] = int(now)
            cloudwatch._record_history(name, old, state, judgement.reason)
        # Without the lock: what an alarm sets off may be a function that asks for alarms.
        cloudwatch._dispatch_alarm_actions(alarm, old, state, judgement.reason)
        cloudwatch._evaluate_parent_alarms(alarm)

    def _is_forced(self, alarm: dict[str, Any], points: Sequence[Point]) -> bool:
        """Whether SetAlarmState still holds: until there is new data, or a period has gone by."""
        seen = self._seen.get(alarm["AlarmName"])
        if seen is None or seen.state == alarm["StateValue"]:
            return False
        now = self._clock()
        if seen.forced_at is None:
            seen.forced_at, seen.data = now, _mark(points)
        return seen.data == _mark(points) and now - seen.forced_at < float(alarm.get("Period") or 60)

    def _changed(
        self,
        original: Callable[..., None],
        alarm_name: str,
        old_state: str,
        new_state: str,
        reason: str,
        *rest: Any,
        **more: Any,
    ) -> None:
        original(alarm_name, old_state, new_state, reason, *rest, **more)
        if new_state != "ALARM" or old_state == "ALARM":
            return
        with self._lock:
            callbacks = [callback for names, callback in self._watchers.values() if alarm_name in names]
        for callback in callbacks:
            callback(alarm_name, reason)


def _statistic(cloudwatch: Any, alarm: dict[str, Any], points: Sequence[Point]) -> float | None:
    stats = cloudwatch._calc_stats(points)
    if not stats:
        return None
    name = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    value = cloudwatch._stat_value(stats, name, points)
    return float(value) if value is not None else None


def _mark(points: Sequence[Point]) -> tuple[Any, ...]:
    """Return what changes whenever data comes in."""
    if not points:
        return ()
    last = points[-1]
    return len(points), last["Timestamp"], last.get("Count", 1.0)
