"""`serve`: load the model, then answer `/ping` and `/invocations`.

The port opens once the model is loaded: until then a health check is refused, and a model that does not load
ends the process with the reason on standard error.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from types import FrameType
from typing import NoReturn

import uvicorn
from starlette.types import ASGIApp

from container.errors import ConfigurationError, ContainerError
from container.failure import describe
from container.handlers import load_model
from container.layout import Layout
from container.web import build_app

DEFAULT_PORT = 8080
DRAIN_SECONDS = 20
DEFAULT_MAX_PAYLOAD_MEGABYTES = 25


def main() -> int:
    """Serve until SIGTERM; return the exit status."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        with _bound_socket() as listener:
            model = load_model(Layout.from_environment())
            workers = max(1, _integer("SAGEMAKER_MODEL_SERVER_WORKERS", os.cpu_count() or 1))
            _share_cores(workers)
            largest = _integer("SAGEMAKER_MAX_PAYLOAD_IN_MB", DEFAULT_MAX_PAYLOAD_MEGABYTES) * 1024 * 1024
            _run(build_app(model, workers, largest), listener)
    except ContainerError as error:
        print(describe(error), file=sys.stderr, flush=True)
        return 1
    return 0


def _leave(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - the form of a signal handler
    raise SystemExit(0)


def _bound_socket() -> socket.socket:
    """Take the port at once, so that a port in use is told before a model is loaded; nobody connects yet."""
    host = os.environ.get("BIND_HOST") or "127.0.0.1"
    port = _integer("SAGEMAKER_BIND_TO_PORT", DEFAULT_PORT)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only then; without it an answer takes 40 ms more.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
    return listener


def _integer(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isdigit():
        raise ConfigurationError(f"{variable} is {text!r}, expected a whole number.")
    return int(text)


class _AnnouncingServer(uvicorn.Server):
    """Says where it serves, once it does: with port 0, that is how one learns the port."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            print(f"serving on http://{host}:{port}", flush=True)


def _run(app: ASGIApp, listener: socket.socket) -> None:
    server = _AnnouncingServer(
        uvicorn.Config(
            app,
            http="httptools",
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
    try:
        # uvicorn drains on SIGTERM, then raises the signal again, which `_leave` turns into SystemExit.
        server.run(sockets=[listener])
    except SystemExit as ending:
        sys.stdout.flush()
        sys.stderr.flush()
        # A predict_fn that hangs sits in a thread that Python would wait for, for ever: it had its chance.
        os._exit(ending.code if isinstance(ending.code, int) else 1)


def _share_cores(workers: int) -> None:
    """Give each prediction its share of the cores, unless the environment says otherwise."""
    torch = sys.modules.get("torch")
    if torch is not None and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))
