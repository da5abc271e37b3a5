"""CloudWatch's metrics and alarms, as far as MiniStack's are laxer than AWS's or too slow for a laptop.

`install` puts in place:

- alarms that look at the metric of exactly their dimensions, at M datapoints out of N, and at missing data as
  they are told to; and that are evaluated as time goes by, not only when somebody sends data;
- a way for a service to send metrics of what it serves, thousands a minute, and to hear of alarms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from retrain.localcloud.cloudwatch import requests
from retrain.localcloud.cloudwatch.alarms import AlarmBoard, AlarmCallback
from retrain.localcloud.cloudwatch.metrics import Datum, MetricRecorder

__all__ = ["CloudWatch", "Datum", "install", "shutdown"]

_installed: CloudWatch | None = None


class CloudWatch:
    """What a service of the local cloud uses of CloudWatch, in the same process.

    Attributes
    ----------
    metrics
        Where metrics are sent.
    alarms
        Who evaluates alarms.
    """

    def __init__(self) -> None:
        self.metrics = MetricRecorder()
        self.alarms = AlarmBoard()

    def record(
        self, namespace: str, dimension_sets: Sequence[Mapping[str, str]], data: Iterable[Datum]
    ) -> None:
        """Send metrics; see `MetricRecorder.record`."""
        self.metrics.record(namespace, dimension_sets, data)

    def alarm_states(self, names: Iterable[str]) -> dict[str, str]:
        """Return the states of those of the alarms that exist."""
        return self.alarms.states(names)

    def watch_alarms(self, names: Iterable[str], callback: AlarmCallback) -> Callable[[], None]:
        """Tell whenever one of the alarms goes to ALARM; see `AlarmBoard.watch`."""
        return self.alarms.watch(names, callback)

    def evaluate_alarms(self, names: Iterable[str]) -> None:
        """Evaluate alarms at once, with all that was recorded up to now."""
        self.alarms.evaluate(names)

    def begin_period(self, namespace: str, dimension: str, value: str) -> None:
        """Let no alarm on a dimension's value look at what was before; see `AlarmBoard.begin_period`."""
        self.metrics.close_bins()
        self.alarms.begin_period(namespace, dimension, value)


def install() -> CloudWatch:
    """Put everything in place; called once, after `seams.install` and before serving."""
    global _installed
    requests.install()
    cloudwatch = CloudWatch()
    cloudwatch.alarms.install()
    _installed = cloudwatch
    return cloudwatch


def shutdown() -> None:
    """End the evaluation of alarms."""
    global _installed
    if _installed is not None:
        _installed.alarms.close()
        _installed = None
