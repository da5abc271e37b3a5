"""The web application that answers for a loaded model: `/ping` and `/invocations`."""

from __future__ import annotations

import sys
import traceback

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from container.batching import MOST_REQUESTS, Batcher
from container.codecs import JSON
from container.errors import PayloadTooLargeError
from container.handlers import Model

INVOCATIONS = "/invocations"
MESSAGE_LIMIT = 500


def build_app(model: Model, workers: int, largest: int) -> ASGIApp:
    """Return the application.

    Parameters
    ----------
    model : Model
        What answers.
    workers : int
        How many predictions, or batches of them, are made at once; the rest waits its turn.
    largest : int
        The most bytes that a request's body may have.
    """
    batcher = Batcher(model.answer_all, workers, MOST_REQUESTS if model.predicts_batches else 1)
    invocations = _Invocations(batcher, largest)
    others = Starlette(
        routes=[
            Route("/ping", _ping, methods=["GET"]),
            Route(INVOCATIONS, invocations, methods=["POST"]),
        ]
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # Requests for predictions need none of Starlette's middleware, which takes a third of the time of a
        # small model; all others get its answers: 404, 405 and so on.
        direct = scope["type"] == "http" and scope["path"] == INVOCATIONS and scope["method"] == "POST"
        await (invocations if direct else others)(scope, receive, send)

    return app


async def _ping(request: Request) -> Response:  # noqa: ARG001 - the form of an endpoint
    return Response(status_code=200)


class _Invocations:
    """Answers requests for predictions."""

    def __init__(self, batcher: Batcher, largest: int) -> None:
        self._batcher = batcher
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        content_type = accept = JSON
        for name, value in reversed(scope["headers"]):  # the first of several counts
            if name == b"content-type":
                content_type = value.decode("latin-1") or JSON
            elif name == b"accept":
                accept = value.decode("latin-1") or JSON
        try:
            body = await self._body(receive)
            answer, answer_type = await self._batcher.answer((body, content_type, accept))
        except ClientDisconnect:
            return  # nobody reads an answer
        except Exception as error:  # noqa: BLE001 - the border to the user's code: whatever it raises is an answer
            response = _refusal(error)
        else:
            response = Response(answer, media_type=answer_type)
        await response(scope, receive, send)

    async def _body(self, receive: Receive) -> bytes:
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            if len(body) > self._largest:
                raise PayloadTooLargeError(
                    f"The body is larger than {self._largest} bytes; send fewer rows at once."
                )
            more = message.get("more_body", False)
        return bytes(body)


def _refusal(error: Exception) -> Response:
    """Tell the caller what was wrong: 4xx as the error says, 500 for anything unforeseen."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and 400 <= status < 500:
        return JSONResponse({"error": str(error)}, status_code=status)
    traceback.print_exception(error)
    sys.stderr.flush()
    message = f"The model failed: {type(error).__name__}: {error}"
    return JSONResponse({"error": message[:MESSAGE_LIMIT]}, status_code=500)
