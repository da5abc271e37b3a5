"""Endpoints coming up, changing and going away, each on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypedDict

from retrain.localcloud.sagemaker.errors import DeploymentError
from retrain.localcloud.sagemaker.hosting import records
from retrain.localcloud.sagemaker.hosting.bluegreen import BlueGreen, End, Surface
from retrain.localcloud.sagemaker.hosting.fleet import AllTraffic, Fleet, TrafficPolicy
from retrain.localcloud.sagemaker.hosting.plan import DeploymentPlan
from retrain.localcloud.sagemaker.hosting.server import ServerSpec
from retrain.localcloud.sagemaker.platform import Platform
from retrain.localcloud.sagemaker.store import Store

log = logging.getLogger("retrain.localcloud.sagemaker")


_NOTHING_UNDER_WAY: dict[str, None] = {"PendingDeploymentSummary": None, "_update": None, "_reason": None}


class Update(TypedDict):
    """An update under way; kept in the endpoint's record, so that it survives a stop of the local cloud."""

    config_name: str
    specs: list[ServerSpec]
    deployment: dict[str, Any] | None


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
    coming_back
        Whether what served when the local cloud was stopped is being brought up again.
    """

    def __init__(self, platform: Platform, store: Store, name: str) -> None:
        self.name = name
        self.policy: TrafficPolicy | None = None
        self.settled = threading.Event()
        self.settled.set()
        self.coming_back = False
        self._fleet: Fleet | None = None
        self._green: Fleet | None = None
        self._platform = platform
        self._store = store
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def begin_creation(self, config_name: str, specs: Sequence[ServerSpec]) -> None:
        """Bring up a first fleet; the endpoint becomes InService or Failed."""

        def create() -> None:
            if self._bring_up(config_name, specs):
                self._set("InService", **records.serving(config_name, specs), **_NOTHING_UNDER_WAY)

        self._begin(create)

    def begin_return(
        self,
        config_name: str,
        specs: Sequence[ServerSpec],
        before: Callable[[], None],
        update: Update | None = None,
    ) -> None:
        """Bring up again what served when the local cloud was stopped.

        Parameters
        ----------
        config_name, specs
            What served.
        before
            Called first, on the endpoint's thread: waits until the local cloud listens.
        update
            What was under way: it begins anew.
        """
        self.coming_back = True

        def come_back() -> None:
            if not self._bring_up(config_name, specs, before):
                return
            if update is None:
                self._set("InService", **records.serving(config_name, specs), **_NOTHING_UNDER_WAY)
                return
            self._progress(**records.serving(config_name, specs))
            self._update(update)

        self._begin(come_back)

    def begin_update(self, update: Update) -> None:
        """Bring up a second fleet beside the first and switch to it, or go back."""
        self._begin(lambda: self._update(update))

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
        for fleet in (self._fleet, self._green):
            if fleet is not None:
                fleet.retire(self._platform.settings.drain)

    def _begin(self, work: Callable[[], None]) -> None:
        self.settled.clear()

        def run() -> None:
            try:
                work()
            except Exception as error:  # an endpoint must come to rest, whatever went wrong
                log.exception("The deployment of endpoint %s failed in the local cloud itself.", self.name)
                self._come_to_rest(f"InternalServerError: {type(error).__name__}: {error}"[:1024])
            finally:
                self.coming_back = False
                self.settled.set()

        self._thread = threading.Thread(target=run, name=f"sagemaker-endpoint-{self.name}", daemon=True)
        self._thread.start()

    def _come_to_rest(self, reason: str) -> None:
        """Leave serving what served; an endpoint for which nothing did has failed."""
        if self._fleet is not None:
            self._route(AllTraffic(self._fleet))
        if self._green is not None:
            self._green.retire(self._platform.settings.drain)
            self._green = None
        if self._fleet is None:
            self._set("Failed", FailureReason=reason, **_NOTHING_UNDER_WAY)
        else:
            specs = [server.spec for server in self._fleet.servers.values()]
            serving = records.serving(self._fleet.config_name, specs)
            self._set("InService", FailureReason=reason, **serving, **_NOTHING_UNDER_WAY)

    def _set(self, status: str, **changes: Any) -> None:
        if not self._closing.is_set():  # what is cut off by the server's end is taken up again as it was
            records.update(self._platform, self._store, self.name, status, **changes)

    def _progress(self, **changes: Any) -> None:
        if not self._closing.is_set():
            records.progress(self._platform, self._store, self.name, **changes)

    def _bring_up(
        self, config_name: str, specs: Sequence[ServerSpec], before: Callable[[], None] | None = None
    ) -> bool:
        """Bring up a fleet where there is none; the endpoint has failed if that does not work."""
        fleet = Fleet(self._platform, self.name, config_name, specs)
        try:
            if before is not None:
                before()
            fleet.start(self._closing)
        except DeploymentError as error:
            self._set("Failed", FailureReason=str(error), **_NOTHING_UNDER_WAY)
            return False
        self._fleet = fleet
        self._route(AllTraffic(fleet))
        return True

    def _route(self, policy: TrafficPolicy) -> None:
        if not self._closing.is_set():
            self.policy = policy

    def _update(self, update: Update) -> None:
        blue = self._fleet
        if blue is None:  # nothing of the kind can be asked for: only what serves is updated
            raise DeploymentError(f"Endpoint {self.name} serves nothing that could be updated.")
        config_name, specs = update["config_name"], update["specs"]
        green = self._green = Fleet(self._platform, self.name, config_name, specs)
        plan = DeploymentPlan.of(update["deployment"], specs)
        surface = Surface(route=self._route, progress=self._progress, status=self._set)
        end = BlueGreen(self._platform, self.name, blue, green, plan, surface, self._closing).run()
        if end is End.CUT_OFF:
            return  # both fleets are ended by close()
        self._green = None
        if end is End.DONE:
            self._fleet = green
            self._set("InService", **records.serving(config_name, specs), **_NOTHING_UNDER_WAY)
        else:
            record = self._store.endpoints.get(self.name) or {}
            self._set("InService", FailureReason=record.get("_reason"), **_NOTHING_UNDER_WAY)

    def _delete(self) -> None:
        self.policy = None
        if self._fleet is not None:
            self._fleet.retire(self._platform.settings.drain)
            self._fleet = None
        records.remove(self._platform, self._store, self.name)
