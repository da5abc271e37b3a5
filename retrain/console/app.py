"""The console's web application: the page, its events, and the few questions that it asks."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from retrain.aws import Stack
from retrain.console import pictures, runs
from retrain.console.errors import EmptyDrawingError
from retrain.console.feeds import Hub
from retrain.console.guard import Guard
from retrain.console.overview import Overview
from retrain.errors import PredictionError, RetrainError, RunNotFoundError, UsageError
from retrain.operations import predict
from retrain.operations.upload import check_dataset_name
from retrain.workflow.drawing import stylesheet

STATIC: Final = Path(__file__).with_name("static")
# A run card is one document with its style sheet inside. Out of a bucket, it gets no origin and no script.
_CARD_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; sandbox"
)
_STATUSES: Final = (
    (RunNotFoundError, 404),
    (EmptyDrawingError, 400),
    (UsageError, 400),
    (PredictionError, 502),
    (RetrainError, 502),
)


def application(stack: Stack, port: int) -> Starlette:
    """Return the console of a stack.

    Parameters
    ----------
    stack
        What to show.
    port
        Where it will be served, on 127.0.0.1; pages from elsewhere are refused.

    Returns
    -------
    Starlette
        Its `state.hub` is the `Hub`, which must be closed before the server can stop.
    """
    views = _Views(stack)
    app = Starlette(
        routes=[
            Route("/", _page),
            Route("/runs/{run_id}", _page),
            Route("/runs/{run_id}/report.html", _explained(views.card)),
            Route("/api/stack", _explained(views.stack)),
            Route("/api/events", views.events),
            Route("/api/runs/{run_id}/states", _explained(views.state)),
            Route("/api/predict", _explained(views.predict), methods=["POST"]),
            Route("/graph.css", _graph_style),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard, port=port)],
    )
    app.state.hub = views.hub
    return app


def _page(_: Request) -> Response:
    return FileResponse(STATIC / "index.html")


def _graph_style(_: Request) -> Response:
    return Response(stylesheet(), media_type="text/css")


class _Views:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.hub = Hub(Overview(stack), lambda run_id: runs.RunLook(stack, run_id))

    def stack(self, _: Request) -> Response:
        cloud = self._stack.target.endpoint_url or os.environ.get("AWS_ENDPOINT_URL")
        where = "local cloud" if self._stack.target.local_cloud else cloud or f"AWS {self._stack.region}"
        return JSONResponse({"name": self._stack.name, "where": where})

    async def events(self, request: Request) -> Response:
        events = self.hub.events(request.query_params.get("run"))
        return StreamingResponse(
            events, media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    def state(self, request: Request) -> Response:
        name = request.query_params.get("name", "")
        return JSONResponse(runs.state_details(self._stack, request.path_params["run_id"], name))

    def card(self, request: Request) -> Response:
        content = runs.card(self._stack, request.path_params["run_id"])
        return Response(content, media_type="text/html", headers={"content-security-policy": _CARD_POLICY})

    async def predict(self, request: Request) -> Response:
        dataset = request.query_params.get("dataset", "")
        check_dataset_name(dataset)
        content = bytearray()
        async for chunk in request.stream():
            content += chunk
            if len(content) > pictures.DRAWN_SIDE**2:
                break
        seen = pictures.as_mnist(pictures.drawing(bytes(content)))
        question = predict.picture(seen, "drawing")
        endpoint = self._stack.endpoint_name(dataset)
        answer = await asyncio.to_thread(predict.ask, self._stack, endpoint, question)
        return JSONResponse(
            {
                "label": answer.label,
                "probability": answer.probability,
                "probabilities": answer.probabilities,
                "seen": seen.reshape(-1).tolist(),
            }
        )


def _explained(view: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """Let a view answer the package's errors with their message; a plain function is run in a thread."""

    @wraps(view)
    async def explained(request: Request) -> Response:
        try:
            if inspect.iscoroutinefunction(view):
                answer: Response = await view(request)
            else:
                answer = await asyncio.to_thread(view, request)
        except RetrainError as error:
            status = next(code for kind, code in _STATUSES if isinstance(error, kind))
            return JSONResponse({"error": str(error)}, status)
        return answer

    return explained
