"""Authorisation in the local cloud: each role is held to its policies, as in AWS.

- `gate`: in front of everything, for requests that are signed with a role's credentials, as those of
  functions and training programs are.
- `tasks`: what the tasks of state machines call without HTTP.
- `creation`: what AWS looks at when something is made: event sources, destinations, state machines.
- The local SageMaker reads and writes S3 in the name of its execution roles (`retrain.localcloud.sagemaker`).

Policies are evaluated by MiniStack's evaluator; what that would pass over is refused (`policies`).
"""

from __future__ import annotations

import json

from retrain.localcloud import control, seams
from retrain.localcloud.authorisation import callers, creation
from retrain.localcloud.authorisation.decisions import Authority, Caller, Check
from retrain.localcloud.authorisation.gate import Gate
from retrain.localcloud.authorisation.scene import Facts, Scene, key_of

__all__ = ["Authority", "Caller", "Check", "Facts", "Gate", "Scene", "install", "key_of"]

PATH = "authorisation"
"""Of the local cloud's own requests: ``GET /_retrain/authorisation/used``."""


def install(authority: Authority) -> None:
    """Give functions credentials of their own, and look at roles where AWS does. Called once."""
    callers.install()
    creation.install(authority)

    async def answer(method: str, parts: list[str], body: bytes) -> seams.Response:
        del body
        headers = {"Content-Type": "application/json"}
        if method != "GET" or parts != ["used"]:
            return (
                404,
                headers,
                json.dumps({"message": "Only GET authorisation/used is known here."}).encode(),
            )
        return 200, headers, authority.used_as_json()

    control.register(PATH, answer)
