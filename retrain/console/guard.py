"""Who may talk to the console: pages of its own, and programs on this computer.

The console acts with its user's credentials, and a browser is a way to it for any page on the web: by
requests across sites, and by names that are made to resolve to 127.0.0.1. So the host and the origin of each
request are looked at, and answers forbid pages to load, frame or run what is not the console's.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}
_NAMES: Final = ("127.0.0.1", "localhost")
_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Guard:
    """Turns away requests of foreign pages, and adds the headers of safety to every answer.

    Parameters
    ----------
    app
        What answers the others.
    port
        Where the console listens: the only port whose pages are its own.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = frozenset(f"{name}:{port}" for name in _NAMES) | (
            frozenset(_NAMES) if port == 80 else frozenset()
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application do it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["type"] != "http" or self._is_foreign(scope):
            text = "The console answers its own pages and programs on this computer only.\n"
            await PlainTextResponse(text, 403)(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)

    def _is_foreign(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts:
            return True
        if origin is not None and origin != f"http://{host}":
            return True
        # A browser names no origin with what it only fetches, such as an image; it says this instead.
        site = headers.get("sec-fetch-site", "none")
        if site in {"none", "same-origin"}:
            return False
        followed_link = (
            headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        )
        return scope["method"] in _CHANGING or not followed_link
