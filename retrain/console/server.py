"""Serving the console on 127.0.0.1."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from types import FrameType
from typing import Final

import uvicorn
from starlette.applications import Starlette

from retrain.aws import Stack
from retrain.console.app import application
from retrain.console.errors import ConsolePortError

HOST: Final = "127.0.0.1"


def serve(stack: Stack, port: int, on_ready: Callable[[str], object] = lambda _: None) -> None:
    """Show a stack until the process is told to end.

    Parameters
    ----------
    stack
        What to show.
    port
        On 127.0.0.1; 0 takes any that is free.
    on_ready
        Told the page's address when it can be opened.

    Raises
    ------
    ConsolePortError
        The port cannot be had.
    """
    listener = _listen(port)
    port = listener.getsockname()[1]
    app = application(stack, port)
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    with listener:
        _Server(config, app, lambda: on_ready(f"http://{HOST}:{port}/")).run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn; it waits for its connections when it ends, so that those of listening pages must be ended."""

    def __init__(self, config: uvicorn.Config, app: Starlette, on_ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._app = app
        self._on_ready = on_ready
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._app.state.hub.close)
        super().handle_exit(sig, frame)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ConsolePortError(
            f"Port {port} of {HOST} cannot be had ({error.strerror}): choose another with --port, or any "
            "with --port 0."
        ) from error
    listener.set_inheritable(False)
    return listener
