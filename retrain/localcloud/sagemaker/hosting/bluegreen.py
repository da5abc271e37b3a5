"""One blue/green deployment: green beside blue, traffic shifted, baked, and then one of the two ended.

::

    Creating ──► ActivatingTraffic ──► Baking ──► (next step) ──► Baking (termination wait) ──► blue is ended
        │                                │                              │
        └── an alarm, a green that does not come up or dies, too long ──┴──► RollingBack ──► green is ended
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from retrain.localcloud.sagemaker.errors import DeploymentError
from retrain.localcloud.sagemaker.hosting import records
from retrain.localcloud.sagemaker.hosting.fleet import (
    AllTraffic,
    Either,
    Fleet,
    SplitTraffic,
    TrafficPolicy,
)
from retrain.localcloud.sagemaker.hosting.plan import DeploymentPlan
from retrain.localcloud.sagemaker.monitoring import NAMESPACE
from retrain.localcloud.sagemaker.platform import Platform, now

log = logging.getLogger("retrain.localcloud.sagemaker")

_DRAIN_MARGIN_SECONDS = 5.0


class End(Enum):
    """How a deployment ended."""

    DONE = auto()
    ROLLED_BACK = auto()
    CUT_OFF = auto()


@dataclass(frozen=True)
class Surface:
    """What a deployment changes outside itself.

    Attributes
    ----------
    route
        Says which fleets get the requests from now on.
    progress
        Changes the endpoint's record: how far the deployment has come.
    status
        Changes the endpoint's status, and its record.
    """

    route: Callable[[TrafficPolicy], None]
    progress: Callable[..., None]
    status: Callable[..., None]


class Trip(threading.Event):
    """Set by the first thing that goes wrong, and keeps what that was.

    Attributes
    ----------
    reason
        For FailureReason; None as long as nothing has gone wrong.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reason: str | None = None
        self._first = threading.Lock()

    def pull(self, reason: str) -> None:
        """Say what has gone wrong."""
        with self._first:
            if self.reason is None:
                self.reason = reason[:1024]
                self.set()


class _RolledBackError(Exception):
    """Something went wrong; the trip knows what."""


class _CutOffError(Exception):
    """The local cloud stops."""


class BlueGreen:
    """A deployment.

    Parameters
    ----------
    platform
        The surroundings.
    endpoint
        The endpoint's name.
    blue, green
        The fleet that serves, and the one that is to.
    plan
        How.
    surface
        What is changed.
    cut_off
        Set when the local cloud stops: nothing is changed any more, and the fleets are left to the caller.
    """

    def __init__(
        self,
        platform: Platform,
        endpoint: str,
        blue: Fleet,
        green: Fleet,
        plan: DeploymentPlan,
        surface: Surface,
        cut_off: threading.Event,
    ) -> None:
        self._platform = platform
        self._endpoint = endpoint
        self._blue, self._green = blue, green
        self._plan = plan
        self._surface = surface
        self._cut_off = cut_off
        self._trip = Trip()
        self._started = now()
        self._drain = platform.settings.invocation + _DRAIN_MARGIN_SECONDS

    def run(self) -> End:
        """Deploy; returns when one of the fleets has been ended, or with CUT_OFF."""
        release = self._platform.monitoring.watch_alarms(self._plan.alarms, self._on_alarm)
        end_time_limit = self._begin_time_limit()
        # One may have gone off after the request was checked, and before somebody listened.
        for name, state in self._platform.monitoring.alarm_states(self._plan.alarms).items():
            if state == "ALARM":
                self._on_alarm(name, "It did so when the deployment began.")
        try:
            try:
                self._deploy()
            finally:
                release()
                end_time_limit()
            self._retire_blue()
        except _CutOffError:
            return End.CUT_OFF
        except _RolledBackError:
            self._roll_back(str(self._trip.reason))
            return End.CUT_OFF if self._cut_off.is_set() else End.ROLLED_BACK
        return End.CUT_OFF if self._cut_off.is_set() else End.DONE

    # -- what goes wrong ----------------------------------------------------------------------------------

    def _on_alarm(self, name: str, reason: str) -> None:
        self._trip.pull(
            f"The deployment was rolled back: the alarm {name} in AutoRollbackConfiguration went to ALARM. "
            f"{reason}"
        )

    def _begin_time_limit(self) -> Callable[[], None]:
        """Let the deployment fail when it takes too long; gives back what ends that."""
        limit = self._plan.limit_seconds
        if limit is None:
            return lambda: None
        reason = f"The deployment was rolled back: it exceeded MaximumExecutionTimeoutInSeconds ({limit:g})."
        timer = threading.Timer(limit, self._trip.pull, [reason])
        timer.daemon = True
        timer.start()
        return timer.cancel

    # -- forward ------------------------------------------------------------------------------------------

    def _deploy(self) -> None:
        plan = self._plan
        self._stage("Creating", "Launching {count} instance(s).")
        try:
            self._green.start(Either(self._cut_off, self._trip))
        except DeploymentError as error:
            self._trip.pull(str(error))  # unless it was tripped before: then this is not the reason
        self._go_on()
        # Before green gets its first request: an alarm is to look at what was served from here on.
        self._platform.monitoring.begin_period(NAMESPACE, "EndpointName", self._endpoint)
        for share in plan.shares:
            capacity = "full" if share >= 1.0 else "canary" if plan.kind == "CANARY" else "linear step"
            where = f"{capacity} capacity of {{count}} instance(s)."
            self._stage("ActivatingTraffic", f"Activating traffic on {where}", share)
            self._surface.route(
                AllTraffic(self._green) if share >= 1.0 else SplitTraffic(self._blue, self._green, share)
            )
            self._bake(plan.bake_seconds, "WaitIntervalInSeconds", where, share)
        self._bake(plan.termination_wait_seconds, "TerminationWaitInSeconds", where, 1.0)

    def _bake(self, seconds: float, parameter: str, where: str, share: float) -> None:
        if seconds > 0.0:
            message = f"Baking for {seconds:g} seconds ({parameter}) with traffic enabled on {where}"
            self._stage("Baking", message, share)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0.0:
            self._go_on()
            self._trip.wait(min(left, self._platform.settings.poll))
        # What was served last counts, too.
        self._platform.monitoring.evaluate_alarms(self._plan.alarms)
        self._go_on()

    def _go_on(self) -> None:
        """Raise what keeps the deployment from going on."""
        if self._cut_off.is_set():
            raise _CutOffError
        lost = self._green.lost
        if lost is not None:
            self._trip.pull(lost)
        if self._trip.is_set():
            raise _RolledBackError

    def _retire_blue(self) -> None:
        specs = [server.spec for server in self._blue.servers.values()]
        self._surface.progress(**records.retiring(specs))
        self._blue.retire(self._drain)

    # -- back ---------------------------------------------------------------------------------------------

    def _roll_back(self, reason: str) -> None:
        log.info("The deployment of endpoint %s is rolled back: %s", self._endpoint, reason)
        self._surface.route(AllTraffic(self._blue))
        self._surface.status(
            "RollingBack", **self._pending("Deleting", "Terminating {count} instance(s)."), _reason=reason
        )
        self._green.retire(self._drain)
        # What green served is past: alarms that it set off may come back, and the next update may begin.
        self._platform.monitoring.begin_period(NAMESPACE, "EndpointName", self._endpoint)
        self._platform.monitoring.evaluate_alarms(self._plan.alarms)

    # -- the record ---------------------------------------------------------------------------------------

    def _stage(self, status: str, message: str, share: float = 0.0) -> None:
        self._surface.progress(**self._pending(status, message, share))

    def _pending(self, status: str, message: str, share: float = 0.0) -> dict[str, Any]:
        specs = [server.spec for server in self._green.servers.values()]
        return records.pending(self._green.config_name, specs, self._started, status, message, share=share)
