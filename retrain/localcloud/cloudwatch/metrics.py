"""Metrics of what a service serves, sent one by one and kept together.

CloudWatch aggregates what comes in; MiniStack keeps every value by itself, and looks at all of them again and
again. Here equal values of one second become one point with a count, and some minutes later those of one
minute do, so that an endpoint may be loaded for hours. Latencies are rounded for that, to half a per cent at
first and to one per cent in the end.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from retrain.localcloud import seams

CLOUDWATCH = "ministack.services.cloudwatch"

_BIN_SECONDS = 1.0
_FINE_SECONDS = 180.0
_COARSE_SECONDS = 60.0
_ROUNDED_UNIT = "Microseconds"
_COARSE_STEP = math.log(1.02)

seams.expect(CLOUDWATCH, "_metrics", None)
seams.expect(CLOUDWATCH, "_metric_bucket", "key")
seams.expect(CLOUDWATCH, "_dims_key", "dims")

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Datum:
    """One value of one metric.

    Attributes
    ----------
    name
        Of the metric.
    value
        In `unit`.
    unit
        CloudWatch's word for it.
    """

    name: str
    value: float
    unit: str = "None"


class _Bin:
    """The points of the second that is being filled, by value."""

    def __init__(self, opened: float) -> None:
        self.opened = opened
        self.points: dict[float, dict[str, Any]] = {}


class MetricRecorder:
    """Writes metrics into MiniStack's CloudWatch; any thread may.

    Parameters
    ----------
    clock
        Seconds since 1970.
    """

    def __init__(self, clock: Any = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._bins: dict[Key, _Bin] = {}
        self._thinned: dict[Key, float] = {}

    def record(
        self, namespace: str, dimension_sets: Sequence[Mapping[str, str]], data: Iterable[Datum]
    ) -> None:
        """Send values.

        Parameters
        ----------
        namespace
            E.g. ``AWS/SageMaker``.
        dimension_sets
            Each makes a metric of its own, and every value is sent to all of them, as AWS's services do.
        data
            The values.
        """
        cloudwatch = seams.module(CLOUDWATCH)
        now = self._clock()
        keyed = [(cloudwatch._dims_key(dict(dimensions)), dict(dimensions)) for dimensions in dimension_sets]
        with self._lock:
            for datum in data:
                value = _rounded(datum.value) if datum.unit == _ROUNDED_UNIT else float(datum.value)
                for text, dimensions in keyed:
                    self._add(cloudwatch, (namespace, datum.name, text), value, datum.unit, dimensions, now)

    def close_bins(self) -> None:
        """Let whatever comes next be told from what came before, to the moment."""
        with self._lock:
            self._bins.clear()

    def _add(
        self, cloudwatch: Any, key: Key, value: float, unit: str, dimensions: dict[str, str], now: float
    ) -> None:
        found = self._bins.get(key)
        if found is None or not 0.0 <= now - found.opened < _BIN_SECONDS:
            self._thin_out(cloudwatch, key, now)
            found = self._bins[key] = _Bin(now)
        point = found.points.get(value)
        if point is not None:
            point["Count"] += 1.0
            return
        point = {
            "Timestamp": found.opened,
            "Value": value,
            "Count": 1.0,
            "Unit": unit,
            "Dimensions": dimensions,
        }
        found.points[value] = point
        cloudwatch._metric_bucket(key).append(point)

    def _thin_out(self, cloudwatch: Any, key: Key, now: float) -> None:
        """Merge the old points of one metric, once a minute."""
        if now - self._thinned.get(key, 0.0) < _COARSE_SECONDS:
            return
        self._thinned[key] = now
        points = cloudwatch._metrics.get(key)
        if points and points[0]["Timestamp"] < now - _FINE_SECONDS:
            # A new list, since another thread may be reading the one that is there.
            cloudwatch._metrics[key] = thinned(points, now - _FINE_SECONDS)


def thinned(points: Sequence[dict[str, Any]], before: float) -> list[dict[str, Any]]:
    """Return points of which those before a moment are merged: one for each minute, unit and value.

    Points that stand for a set of statistics are kept as they are.
    """
    merged: dict[tuple[float, str, float], dict[str, Any]] = {}
    kept: list[dict[str, Any]] = []
    for point in points:
        if point["Timestamp"] >= before or "_stat" in point:
            kept.append(point)
            continue
        minute = point["Timestamp"] // _COARSE_SECONDS * _COARSE_SECONDS
        unit = point.get("Unit", "None")
        value = _coarse(point["Value"]) if unit == _ROUNDED_UNIT else point["Value"]
        identity = (minute, unit, value)
        count = float(point.get("Count", 1.0))
        if identity in merged:
            merged[identity]["Count"] += count
        else:
            merged[identity] = {**point, "Timestamp": minute, "Value": value, "Count": count}
    return [*merged.values(), *kept]


def _rounded(value: float) -> float:
    """Return a value with three significant digits."""
    if value <= 0.0:
        return 0.0
    return float(round(value, 2 - math.floor(math.log10(value))))


def _coarse(value: float) -> float:
    """Return the nearest of a scale whose steps are two per cent."""
    if value <= 0.0:
        return 0.0
    return float(round(math.exp(round(math.log(value) / _COARSE_STEP) * _COARSE_STEP), 3))
