"""Endpoints coming up, changing and going away, each on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from retrain.localcloud.sagemaker.errors import DeploymentError
from retrain.localcloud.sagemaker.hosting import records
from retrain.localcloud.sagemaker.hosting.fleet import AllTraffic, Fleet, TrafficPolicy
from retrain.localcloud.sagemaker.hosting.plan import DeploymentPlan
from retrain.localcloud.sagemaker.hosting.server import ServerSpec
from retrain.localcloud.sagemaker.platform import Platform
from retrain.localcloud.sagemaker.store import Store

log = logging.getLogger("retrain.localcloud.sagemaker")


class LiveEndpoint:
    """What runs for one endpoint.

    Parameters
    ----------
    platform, store
        The surroundings.
    name
        Of an endpoint whose record is in the store.

    Attributes
    ----------
    policy
        Which server answers; None while nothing serves.
    settled
        Set while no deployment is under way.
    """

    def __init__(self, platform: Platform, store: Store, name: str) -> None:
        self.name = name
        self.policy: TrafficPolicy | None = None
        self.settled = threading.Event()
        self.settled.set()
        self._fleet: Fleet | None = None
        self._platform = platform
        self._store = store
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def begin_creation(
        self, config_name: str, specs: Sequence[ServerSpec], before: Callable[[], None] | None = None
    ) -> None:
        """Bring up a first fleet; the endpoint becomes InService or Failed.

        Parameters
        ----------
        config_name, specs
            What to serve.
        before
            Called first, on the endpoint's thread: waits until the local cloud listens.
        """
        self._begin(lambda: self._create(config_name, specs, before))

    def begin_update(self, config_name: str, specs: Sequence[ServerSpec], plan: DeploymentPlan) -> None:
        """Bring up a second fleet beside the first and switch to it, or go back."""
        self._begin(lambda: self._update(config_name, specs, plan))

    def begin_deletion(self) -> None:
        """End what serves, and remove the record."""
        self._begin(self._delete)

    def set_weights(self, weights: dict[str, float]) -> None:
        """Share requests out by other weights from now on."""
        if self._fleet is not None:
            self._fleet.weights = {**self._fleet.weights, **weights}

    def close(self, seconds: float) -> None:
        """End everything that runs; the record stays, and the endpoint is served again by the next server."""
        self._closing.set()
        self.policy = None
        if self._thread is not None:
            self._thread.join(timeout=seconds)
        if self._fleet is not None:
            self._fleet.retire()

    def _begin(self, work: Callable[[], None]) -> None:
        self.settled.clear()

        def run() -> None:
            try:
                work()
            except Exception as error:  # an endpoint must come to rest, whatever went wrong
                log.exception("The deployment of endpoint %s failed in the local cloud itself.", self.name)
                self._set(
                    "Failed", FailureReason=f"InternalServerError: {type(error).__name__}: {error}"[:1024]
                )
            finally:
                self.settled.set()

        self._thread = threading.Thread(target=run, name=f"sagemaker-endpoint-{self.name}", daemon=True)
        self._thread.start()

    def _set(self, status: str, **changes: Any) -> None:
        if not self._closing.is_set():  # what is cut off by the server's end is taken up again as it was
            records.update(self._platform, self._store, self.name, status, **changes)

    def _create(
        self, config_name: str, specs: Sequence[ServerSpec], before: Callable[[], None] | None
    ) -> None:
        fleet = Fleet(self._platform, self.name, config_name, specs)
        try:
            if before is not None:
                before()
            fleet.start(self._closing)
        except DeploymentError as error:
            self._set("Failed", FailureReason=str(error))
            return
        self._take_over(fleet)
        self._set("InService", **records.serving(config_name, specs))

    def _update(self, config_name: str, specs: Sequence[ServerSpec], plan: DeploymentPlan) -> None:
        green = Fleet(self._platform, self.name, config_name, specs)
        try:
            green.start(self._closing)
        except DeploymentError as error:
            self._set("RollingBack")
            green.retire()
            self._set("InService", FailureReason=str(error), PendingDeploymentSummary=None)
            return
        blue = self._fleet
        self._take_over(green)
        self._set("Updating", **records.serving(config_name, specs))
        self._closing.wait(plan.bake_seconds + plan.termination_wait_seconds)
        if blue is not None:
            blue.retire()
        self._set("InService", FailureReason=None, PendingDeploymentSummary=None)

    def _take_over(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.policy = AllTraffic(fleet)

    def _delete(self) -> None:
        self.policy = None
        if self._fleet is not None:
            self._fleet.retire()
            self._fleet = None
        records.remove(self._platform, self._store, self.name)
