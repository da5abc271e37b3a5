"""The web application that answers for a loaded model: `/ping` and `/invocations`."""

from __future__ import annotations

import sys
import traceback

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from container.batching import MOST_REQUESTS, Batcher
from container.codecs import JSON
from container.errors import PayloadTooLargeError
from container.handlers import Model

MESSAGE_LIMIT = 500


def build_app(model: Model, workers: int, largest: int) -> Starlette:
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
    return Starlette(
        routes=[
            Route("/ping", _ping, methods=["GET"]),
            Route("/invocations", _Invocations(batcher, largest), methods=["POST"]),
        ]
    )


async def _ping(request: Request) -> Response:  # noqa: ARG001 - the form of an endpoint
    return Response(status_code=200)


class _Invocations:
    """Answers requests for predictions: a plain ASGI application, which takes less time than a function."""

    def __init__(self, batcher: Batcher, largest: int) -> None:
        self._batcher = batcher
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._response(Request(scope, receive))
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        content_type = request.headers.get("content-type") or JSON
        accept = request.headers.get("accept") or JSON
        try:
            body = await self._body(request)
            answer, answer_type = await self._batcher.answer((body, content_type, accept))
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it
        except Exception as error:  # noqa: BLE001 - the border to the user's code: whatever it raises is an answer
            return _refusal(error)
        return Response(answer, media_type=answer_type)

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > self._largest:
                raise PayloadTooLargeError(
                    f"The body is larger than {self._largest} bytes; send fewer rows at once."
                )
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
