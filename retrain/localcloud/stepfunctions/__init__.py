"""Step Functions in the local cloud: `retrain.states` in the place of MiniStack's interpreter.

`install` puts it there; `freeze` stops its executions so that they go on after the next start.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping

from retrain.localcloud import seams
from retrain.localcloud.authorisation import Authority, Facts
from retrain.localcloud.authorisation.tasks import HeldCaller, machine_guard
from retrain.localcloud.clients import session
from retrain.localcloud.context import LocalCloudContext
from retrain.localcloud.environment import ACCOUNT, REGION
from retrain.localcloud.health import await_health
from retrain.localcloud.stepfunctions.api import Api
from retrain.localcloud.stepfunctions.clock import ScaledClock
from retrain.localcloud.stepfunctions.cloudformation import register
from retrain.localcloud.stepfunctions.functions import invoke
from retrain.localcloud.stepfunctions.sinks import sinks
from retrain.states.service import TARGET_PREFIX, LoopThread, StepFunctionsService, Store
from retrain.states.tasks import BotoCaller, BotoClients, Override, S3Items, Watch

__all__ = ["Installed", "install"]

log = logging.getLogger("retrain.localcloud")

FOLDER = "states"
"""Of executions and state machines, below the cloud's folder."""


class Installed:
    """The Step Functions of a running local cloud."""

    def __init__(self, loop: LoopThread, service: StepFunctionsService, caller: BotoCaller) -> None:
        self._loop = loop
        self._service = service
        self._caller = caller
        self._frozen = False

    def resume(self, context: LocalCloudContext) -> None:
        """Let the executions of the last server go on as soon as this one answers."""

        def run() -> None:
            await_health(context.endpoint_url)
            count = self._loop.call(self._service.resume())
            if count:
                log.info("%d executions go on where the last server stopped.", count)

        threading.Thread(target=run, name="states-resume", daemon=True).start()

    async def freeze(self) -> None:
        """Stop all executions where they are; to be called while the server still answers."""
        if not self._frozen:
            self._frozen = True
            await self._loop.join(self._service.close())

    def machine_of_token(self, token: str) -> str | None:
        """Return the state machine that waits with a task token; None if none does. Answers on any thread."""
        return self._service.engine.tokens.owner(token)

    def shutdown(self) -> None:
        """End the threads."""
        if not self._frozen:
            self._frozen = True
            self._loop.call(self._service.close())
        self._loop.close()
        self._caller.close()


def install(
    context: LocalCloudContext,
    authority: Authority,
    facts: Facts,
    *,
    overrides: Mapping[str, Override] | None = None,
    watches: Mapping[str, Watch] | None = None,
) -> Installed:
    """Serve Step Functions; called once, before the server listens.

    Parameters
    ----------
    context
        The local cloud.
    authority, facts
        Whether the role of a state machine allows what its tasks call.
    overrides, watches
        Services that tasks reach without HTTP, and whose jobs they wait for without asking; by boto3's name.
    """
    clients = BotoClients(REGION, context.endpoint_url, session())
    loop = LoopThread()
    api = Api(loop, machine_guard(authority))
    inside = {"lambda": invoke, "stepfunctions": api.inside, **(overrides or {})}
    caller = BotoCaller(clients, overrides=inside)
    held = HeldCaller(caller, authority, facts, inside)

    async def make() -> StepFunctionsService:
        return StepFunctionsService(
            held,
            region=REGION,
            account=ACCOUNT,
            store=Store(context.state_dir / FOLDER / "states.sqlite"),
            sinks=sinks(context),
            items=S3Items(caller),
            watches=watches,
            assume_roles=True,
            clock=ScaledClock(float(os.environ.get("SFN_WAIT_SCALE", "1"))),
        )

    api.service = loop.call(make())
    seams.register_service("states", api.handle, target_prefixes=(TARGET_PREFIX,))
    seams.redirect_states(api.start, api.machine_of)
    register(api)
    installed = Installed(loop, api.service, caller)
    installed.resume(context)
    return installed
