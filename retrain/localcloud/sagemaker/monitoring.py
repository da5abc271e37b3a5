"""What endpoints need of CloudWatch: somebody who takes their metrics, and who tells them of alarms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from retrain.localcloud.cloudwatch import Datum

NAMESPACE = "AWS/SageMaker"


class Monitoring(Protocol):
    """CloudWatch, as :class:`retrain.localcloud.cloudwatch.CloudWatch` has it."""

    def record(
        self, namespace: str, dimension_sets: Sequence[Mapping[str, str]], data: Iterable[Datum]
    ) -> None:
        """Send values to a metric for each set of dimensions."""
        ...

    def alarm_states(self, names: Iterable[str]) -> dict[str, str]:
        """Return the states of those of the alarms that exist."""
        ...

    def watch_alarms(self, names: Iterable[str], callback: Callable[[str, str], None]) -> Callable[[], None]:
        """Call ``callback(name, reason)`` whenever an alarm goes to ALARM, until the answer is called."""
        ...

    def evaluate_alarms(self, names: Iterable[str]) -> None:
        """Evaluate alarms at once, with all that was recorded up to now."""
        ...

    def begin_period(self, namespace: str, dimension: str, value: str) -> None:
        """Let no alarm on the metrics of a dimension's value look at what was before."""
        ...


class NoMonitoring:
    """A place without CloudWatch: metrics are dropped, and there are no alarms."""

    def record(
        self, namespace: str, dimension_sets: Sequence[Mapping[str, str]], data: Iterable[Datum]
    ) -> None:
        """Drop the values."""

    def alarm_states(self, names: Iterable[str]) -> dict[str, str]:  # noqa: ARG002
        """Know of no alarm."""
        return {}

    def watch_alarms(
        self,
        names: Iterable[str],  # noqa: ARG002
        callback: Callable[[str, str], None],  # noqa: ARG002
    ) -> Callable[[], None]:
        """Never call."""
        return lambda: None

    def evaluate_alarms(self, names: Iterable[str]) -> None:
        """There are none."""

    def begin_period(self, namespace: str, dimension: str, value: str) -> None:
        """There is no period."""
