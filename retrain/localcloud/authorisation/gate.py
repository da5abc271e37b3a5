"""The gate in front of the local cloud: who acts in a role does what its policies allow, and nothing else.

Everybody else (the person at the computer, with the credentials of `retrain local env`, and the local cloud's
own services) is an administrator.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from retrain.localcloud import seams
from retrain.localcloud.authorisation import answers, callers, objects, requests, rights
from retrain.localcloud.authorisation.decisions import Authority, Caller, Check, denial
from retrain.localcloud.authorisation.scene import Facts, Scene
from retrain.localcloud.errors import (
    AccessDeniedError,
    AuthorisationError,
    UnmappedCallError,
)

log = logging.getLogger("retrain.localcloud")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_HERE = ("127.0.0.1", "localhost")
_NOT_FOUND = 404


class Gate:
    """Turns requests away, in the words of the service that they are for.

    Parameters
    ----------
    authority
        Decides.
    facts
        What services know of their resources.
    """

    def __init__(self, authority: Authority, facts: Facts) -> None:
        self._authority = authority
        self._facts = facts

    def before(self, application: Application) -> Application:
        """Return an application that lets through what is allowed."""

        async def guarded(scope: Message, receive: Receive, send: Send) -> None:
            # Most requests are nobody's who acts in a role: those are not looked into.
            if scope["type"] != "http" or not _may_be_a_role(scope):
                await application(scope, receive, send)
                return
            headers = _headers(scope)
            query = parse_qs(scope.get("query_string", b"").decode(), keep_blank_values=True)
            caller = callers.of_request(headers, query)
            if caller is None:
                await application(scope, receive, send)
                return
            body = await _whole(receive)
            service = seams.module(seams.ROUTER).detect_service(
                scope["method"], scope["path"], headers, query
            )
            checks: list[Check] = []
            try:
                if self._authority.is_held(caller):
                    checks = self._checks(service, caller, scope, headers, query, body)
                    for check in checks:
                        self._authority.require(caller, check)
            except AuthorisationError as refused:
                if not isinstance(refused, AccessDeniedError):
                    log.error("%s was turned away: %s", caller.arn, refused)
                await _answer(send, answers.refusal(service, refused, scope["method"], headers))
                return
            sending = send
            if service == "s3" and checks and (missing := objects.to_be_told_missing(checks[0])):
                sending = self._hiding(caller, missing, scope["method"], headers, send)
            await application(scope, _again(body, receive), sending)

        return guarded

    def _checks(
        self,
        service: str,
        caller: Caller,
        scope: Message,
        headers: dict[str, str],
        query: dict[str, list[str]],
        body: bytes,
    ) -> list[Check]:
        if service != "s3":
            call = requests.read(service, scope["path"], headers, query, body)
            return rights.checks(call, Scene(self._facts, caller.account))
        host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
        if host not in _HERE:
            raise UnmappedCallError(
                f"S3 is asked at {host}: ask for a bucket in the path, not in the host's name."
            )
        return list(objects.checks(scope["method"], scope["path"], headers, query, body))

    def _hiding(
        self, caller: Caller, missing: Check, method: str, headers: dict[str, str], send: Send
    ) -> Send:
        """Return a way to answer by which only those who may list are told that an object is missing."""
        hidden = False

        async def hiding(message: Message) -> None:
            nonlocal hidden
            if message["type"] == "http.response.start" and message["status"] == _NOT_FOUND:
                hidden = not self._authority.allows(caller, missing)
                if hidden:
                    refused = AccessDeniedError(denial(caller, missing), missing.action, missing.resource)
                    await _answer(send, answers.refusal("s3", refused, method, headers))
            if not hidden:
                await send(message)

        return hiding


def _may_be_a_role(scope: Message) -> bool:
    return b"ASIA" in scope.get("query_string", b"") or any(
        name.lower() == b"authorization" and b"ASIA" in value for name, value in scope["headers"]
    )


def _headers(scope: Message) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def _whole(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.CancelledError("The client has gone.")
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a way to receive a body that was received already."""
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once


async def _answer(send: Send, response: seams.Response) -> None:
    status, headers, body = response
    headers = {**headers, "x-amzn-requestid": str(uuid.uuid4()), "content-length": str(len(body))}
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
