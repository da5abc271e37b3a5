"""Calls of AWS's services without blocking: in this program where somebody serves them, else by boto3."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import boto3
import botocore.session
from botocore.config import Config

T = TypeVar("T")

THREADS = 32
"""How many calls by HTTP are under way at once; further ones wait for their turn."""

_ROLE_SECONDS = 1800.0
"""How long a role's credentials are used; they are good for an hour."""

Answer = Mapping[str, Any]
Override = Callable[[str, dict[str, Any]], Awaitable[Answer | None]]
"""``async (operation, request) -> answer``: serves a service in this program.

Request and answer are as boto3 has them; times may be seconds since the epoch. An error is botocore's
ClientError. None: not served here, go on by HTTP."""

ClientFactory = Callable[[str, str | None], Any]
"""``(service, role ARN or None) -> boto3 client``; called on a thread of the pool."""


class Caller(Protocol):
    """Calls services."""

    async def call(
        self, service: str, operation: str, request: dict[str, Any], *, role: str | None = None
    ) -> Answer:
        """Call an operation.

        Parameters
        ----------
        service
            boto3's name.
        operation
            As in the API, such as `CreateTrainingJob`.
        request
            As boto3 takes it.
        role
            The role to call with; None for the program's own credentials.

        Raises
        ------
        botocore.exceptions.ClientError
            The service refused.
        botocore.exceptions.BotoCoreError
            It was not reached.
        """
        ...

    async def blocking(self, function: Callable[..., T], *args: Any) -> T:
        """Run a function that takes a while on a thread of the pool."""
        ...


class BotoClients:
    """Makes boto3 clients, each once, or every half hour where it has a role's credentials.

    Parameters
    ----------
    region
        Of all clients.
    endpoint_url
        None for AWS itself.
    session
        Where credentials come from; boto3's default where None.
    """

    def __init__(
        self, region: str, endpoint_url: str | None = None, session: boto3.Session | None = None
    ) -> None:
        self._region = region
        self._endpoint_url = endpoint_url
        self._session = session
        self._clients: dict[tuple[str, str | None], tuple[Any, float]] = {}
        self._lock = threading.Lock()  # making clients of one session is not safe in parallel

    def __call__(self, service: str, role: str | None = None) -> Any:
        """Return the client of a service, with a role's credentials where one is given."""
        with self._lock:
            found, made = self._clients.get((service, role), (None, 0.0))
            now = time.monotonic()
            if found is None or (role is not None and now - made > _ROLE_SECONDS):
                found = self._make(service, role)
                self._clients[service, role] = found, now
            return found

    def _make(self, service: str, role: str | None) -> Any:
        session = self._session or boto3.Session(region_name=self._region)
        if role is not None:
            session = self._assumed(session, role)
        # Parameters have been checked by the model before; what else is wrong, the service itself shall say.
        config = Config(
            parameter_validation=False,
            inject_host_prefix=self._endpoint_url is None,
            proxies={} if self._endpoint_url else None,
            retries={"mode": "standard", "total_max_attempts": 3},
            read_timeout=900,
            max_pool_connections=THREADS,
        )
        return session.client(
            service, region_name=self._region, endpoint_url=self._endpoint_url, config=config
        )

    def _assumed(self, session: boto3.Session, role: str) -> boto3.Session:
        sts = session.client("sts", region_name=self._region, endpoint_url=self._endpoint_url)
        given = sts.assume_role(RoleArn=role, RoleSessionName="StepFunctions")["Credentials"]
        # The session that there is has read the services' models, which takes longer than a call.
        known = botocore.session.Session()
        known.register_component("data_loader", session._session.get_component("data_loader"))
        return boto3.Session(
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
            region_name=self._region,
            botocore_session=known,
        )


class BotoCaller:
    """Calls services by boto3 on a bounded pool of threads, or by what serves them in this program.

    Parameters
    ----------
    clients
        Makes clients.
    overrides
        By boto3's name of a service.
    threads
        Size of the pool. Only calls occupy it; waiting for jobs and tokens does not. A call must not wait for
        another that comes through this pool: what may run long and call back belongs into `overrides`.
    """

    def __init__(
        self,
        clients: ClientFactory,
        *,
        overrides: Mapping[str, Override] | None = None,
        threads: int = THREADS,
    ) -> None:
        self._clients = clients
        self._overrides = dict(overrides or {})
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="states-call")

    async def call(
        self, service: str, operation: str, request: dict[str, Any], *, role: str | None = None
    ) -> Answer:
        """Call an operation; see `Caller.call`."""
        override = self._overrides.get(service)
        if override is not None:
            answer = await override(operation, request)
            if answer is not None:
                return answer
        return await self.blocking(self._call, service, operation, request, role)

    async def blocking(self, function: Callable[..., T], *args: Any) -> T:
        """Run a function on a thread of the pool."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *args)

    def _call(self, service: str, operation: str, request: dict[str, Any], role: str | None) -> Answer:
        client = self._clients(service, role)
        answer: dict[str, Any] = client._make_api_call(operation, request)
        for name, value in answer.items():
            # Reading a body takes time too, and closes the connection.
            if hasattr(value, "read"):
                answer[name] = value.read()
        return answer

    def close(self) -> None:
        """End the pool; calls under way are left to themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)
