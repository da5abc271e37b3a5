"""The servers of one endpoint config, and the policy that shares requests out among fleets."""

from __future__ import annotations

import random
import secrets
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from retrain.localcloud.sagemaker.hosting.server import ModelServer, ServerSpec
from retrain.localcloud.sagemaker.platform import Platform


class Fleet:
    """The servers of one endpoint config.

    Parameters
    ----------
    platform
        The surroundings.
    endpoint
        The endpoint's name.
    config_name
        Of the endpoint config.
    specs
        One per production variant.
    """

    def __init__(
        self, platform: Platform, endpoint: str, config_name: str, specs: Sequence[ServerSpec]
    ) -> None:
        self.config_name = config_name
        self._folder = platform.folder / "endpoints" / f"{endpoint}-{secrets.token_hex(4)}"
        self.servers = {
            spec["variant"]: ModelServer(
                platform, endpoint, spec, self._folder / spec["variant"], config_name=config_name
            )
            for spec in specs
        }
        self.weights = {spec["variant"]: float(spec["weight"]) for spec in specs}

    def start(self, cancelled: threading.Event) -> None:
        """Start all servers at once, and wait until all of them answer.

        Raises
        ------
        DeploymentError
            If one of them does not come up; the others are ended.
        """
        give_up = threading.Event()

        def start(server: ModelServer) -> None:
            try:
                server.start(Either(cancelled, give_up))
            except BaseException:
                give_up.set()
                raise

        with ThreadPoolExecutor(max_workers=len(self.servers), thread_name_prefix="sagemaker-deploy") as pool:
            futures = [pool.submit(start, server) for server in self.servers.values()]
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            self.retire(0.0)
            # The first to fail made the others give up; theirs is not the reason.
            reasons = [error for error in errors if "cut off" not in str(error)] or errors
            raise reasons[0]

    def choose(self, variant: str | None) -> ModelServer | None:
        """Return the server of a variant, or one by the variants' weights; None if there is none."""
        if variant is not None:
            return self.servers.get(variant)
        if sum(self.weights.values()) <= 0:
            return None
        names = list(self.weights)
        return self.servers[random.choices(names, [self.weights[name] for name in names])[0]]

    @property
    def lost(self) -> str | None:
        """Why the fleet cannot serve any longer, None while it can, or may be able to again."""
        return next((reason for server in self.servers.values() if (reason := server.given_up)), None)

    def retire(self, drain_seconds: float) -> None:
        """Take no more requests, wait so long for those under way, and end all servers."""
        with ThreadPoolExecutor(max_workers=len(self.servers), thread_name_prefix="sagemaker-retire") as pool:
            for _ in pool.map(lambda server: server.retire(drain_seconds), self.servers.values()):
                pass
        shutil.rmtree(self._folder, ignore_errors=True)


class Either(threading.Event):
    """An event that counts as set when either of two is."""

    def __init__(self, first: threading.Event, second: threading.Event) -> None:
        super().__init__()
        self._first, self._second = first, second

    def is_set(self) -> bool:
        """Whether one of them is."""
        return self._first.is_set() or self._second.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the first of them; the second is only looked at."""
        return self._first.wait(timeout) or self._second.is_set()


class TrafficPolicy(Protocol):
    """Says which server answers a request. A deployment replaces the endpoint's policy as it goes on."""

    def choose(self, variant: str | None) -> ModelServer | None:
        """Return the server for a request that names a variant, or none."""
        ...


class AllTraffic:
    """Everything goes to one fleet.

    Parameters
    ----------
    fleet
        That fleet.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet

    def choose(self, variant: str | None) -> ModelServer | None:
        """Return the fleet's choice."""
        return self.fleet.choose(variant)


class SplitTraffic:
    """One fleet gets a share of the requests, another the rest.

    Which request goes where is left to chance, but never so that the share is missed by more than about one
    request: a canary that bakes for some seconds sees its part even where there is little traffic.

    Parameters
    ----------
    blue, green
        The fleets.
    share
        Green's, from 0 to 1.
    chance
        Gives numbers from 0 up to 1.
    """

    def __init__(
        self, blue: Fleet, green: Fleet, share: float, chance: Callable[[], float] = random.random
    ) -> None:
        self.blue, self.green, self.share = blue, green, share
        self._chance = chance
        self._owed = 0.0
        self._lock = threading.Lock()

    def choose(self, variant: str | None) -> ModelServer | None:
        """Return the choice of the fleet whose turn it is."""
        return (self.green if self._is_greens() else self.blue).choose(variant)

    def _is_greens(self) -> bool:
        with self._lock:
            self._owed += self.share
            if self._owed >= 1.0 or (self._owed > 0.0 and self._chance() < self.share):
                self._owed -= 1.0
                return True
            return False
