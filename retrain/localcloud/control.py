"""Requests to the local cloud itself, for what AWS has no API: ``/_retrain/NAME/...``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

PREFIX = "/_retrain/"

Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, list[str], bytes], Awaitable[Response]]
"""``async (method, parts of the path after the name, body) -> (status, headers, body)``."""

Application = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]],
    Awaitable[None],
]

_handlers: dict[str, Handler] = {}


def register(name: str, handler: Handler) -> None:
    """Let a handler answer the requests below ``/_retrain/NAME/``."""
    _handlers[name] = handler


def beside(application: Application) -> Application:
    """Answer requests to the local cloud itself, and leave all others to the application."""

    async def answer(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await application(scope, receive, send)
            return
        name, *parts = (unquote(part) for part in scope["path"].removeprefix(PREFIX).split("/"))
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        handler = _handlers.get(name)
        status, headers, content = (
            await handler(scope["method"], parts, body) if handler else (404, {}, b"Nothing is here.\n")
        )
        encoded = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": content})

    return answer
