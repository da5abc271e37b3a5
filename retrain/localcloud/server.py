"""The local cloud's own process: ``python -m retrain.localcloud.server --state-dir .retrain --port 4566``.

It binds 127.0.0.1 first, so that a taken port shows before anything else happens; sets MiniStack's
environment before importing it; mends and extends it; says through a pipe that it is ready; and serves until
SIGTERM, when it keeps its data for the next start.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import logging
import os
import signal
import socket
import sys
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from retrain.localcloud import control, environment, guardian, statefiles
from retrain.localcloud.context import LocalCloudContext
from retrain.localcloud.errors import LocalCloudError, PortTakenError

log = logging.getLogger("retrain.localcloud")

EXIT_PORT_TAKEN = 98  # EADDRINUSE

Scope = MutableMapping[str, Any]
Application = Callable[
    [Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]

_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]", "::1")


def bind(port: int) -> socket.socket:
    """Bind 127.0.0.1:`port` (0: any free one).

    Raises
    ------
    PortTakenError
        Something else listens there.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise PortTakenError(f"Port {port} of 127.0.0.1 cannot be bound: {error.strerror}.") from error
    listener.set_inheritable(False)
    return listener


def refuse_foreign_pages(application: Application) -> Application:
    """Turn away requests that a web page of some other site makes a browser send.

    The cloud takes anybody's keys and runs the code that it is given, so that being on 127.0.0.1 is its only
    protection; a browser is a way around it, by cross-site requests and by names that resolve to 127.0.0.1.
    """

    async def guarded(scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
        if scope["type"] in ("http", "websocket"):
            headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
            origin, host = headers.get(b"origin"), headers.get(b"host", "")
            foreign = origin is not None and not _is_here(urlsplit(origin).hostname or "")
            # A browser sends no origin with what it only fetches, such as an image; it says this instead.
            cross_site = headers.get(b"sec-fetch-site") == "cross-site"
            if foreign or cross_site or not _is_local(host):
                if scope["type"] == "websocket":
                    await send({"type": "websocket.close", "code": 1008})
                    return
                body = b"The local cloud answers programs on this computer only.\n"
                await send({"type": "http.response.start", "status": 403, "headers": []})
                await send({"type": "http.response.body", "body": body})
                return
        await application(scope, receive, send)

    return guarded


def _is_local(host: str) -> bool:
    name = host.rsplit(":", 1)[0] if host.rsplit(":", 1)[-1].isdigit() else host
    # The hosts of botocore's models, with S3's virtual-hosted buckets: nobody can let one of them resolve to
    # 127.0.0.1. Yet anybody can put a page there, so that one is no origin to trust.
    return _is_here(name) or name.endswith(".amazonaws.com")


def _is_here(name: str) -> bool:
    return name in _LOCAL_NAMES or name.endswith((".localhost", ".127.0.0.1"))


@dataclass(frozen=True)
class Extensions:
    """What runs in the server beside MiniStack.

    Attributes
    ----------
    freeze
        Called when the server is to stop and still answers: executions halt where they are.
    shutdown
        Called when it has stopped serving.
    gate
        Put in front of the application: holds roles to their policies.
    """

    freeze: Callable[[], Awaitable[None]]
    shutdown: Callable[[], None]
    gate: Callable[[Application], Application]


def extend(context: LocalCloudContext) -> Extensions:
    """Mend MiniStack and add the services that it lacks."""
    # Not at the top: what they import may read the environment, which is to be set first.
    from retrain.localcloud import (
        authorisation,
        codepipeline,
        registry,
        repairs,
        sagemaker,
        schedules,
        seams,
        stepfunctions,
    )

    seams.install()
    repairs.install(context)
    registry.install(context)
    authority = authorisation.Authority()
    authorisation.install(authority)
    schedules.install(context, authority)
    models = sagemaker.install(context, authority=authority)
    tasks = sagemaker.tasks_of(models)
    facts = authorisation.Facts(
        key_of=authorisation.key_of,
        tags_of=models.tags_of,
        machine_of_token=lambda token: states.machine_of_token(token),
    )
    states = stepfunctions.install(
        context,
        authority,
        facts,
        overrides={"sagemaker": tasks.call},
        watches={"sagemaker": tasks.ended},
    )
    codepipeline.install(context)

    def shutdown() -> None:
        codepipeline.shutdown()
        states.shutdown()
        sagemaker.shutdown()
        repairs.shutdown()

    return Extensions(states.freeze, shutdown, authorisation.Gate(authority, facts).before)


async def _serve(
    application: Application,
    listener: socket.socket,
    ready: Callable[[], None],
    freeze: Callable[[], Awaitable[None]],
) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.1
    config.shutdown_timeout = 30
    config.errorlog = None
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.call_soon(ready)

    async def stopped() -> None:
        await stop.wait()
        await freeze()

    await serve(application, config, mode="asgi", shutdown_trigger=stopped)  # type: ignore[arg-type]


def run(options: argparse.Namespace) -> None:
    """Serve until told to stop."""
    state_dir: Path = options.state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True)
    listener = bind(options.port)
    port = int(listener.getsockname()[1])

    marker = uuid.uuid4().hex
    inherited = environment.without_developers_aws(os.environ)
    os.environ.clear()
    os.environ.update(inherited)
    os.environ.update(
        environment.server_environment(
            state_dir, port, wait_scale=options.wait_scale, log_level=options.log_level
        )
    )
    os.environ[guardian.MARKER] = marker
    guardian.start(marker)

    notes = statefiles.prepare(state_dir, port)
    for note in notes:
        log.warning(note)
    context = LocalCloudContext(
        state_dir=state_dir,
        endpoint_url=f"http://127.0.0.1:{port}",
        project_root=options.project_root.resolve(),
        images=dict(options.image),
        port=port,
        spawn=guardian.spawn,
    )
    application = control.beside(importlib.import_module("ministack.app").app)
    extensions = extend(context)
    statefiles.mark_in_use(state_dir)
    record = statefiles.write_record(
        state_dir, port=port, marker=marker, stack_name=options.stack_name, project_root=context.project_root
    )

    def ready() -> None:
        if options.ready_fd is not None:
            with os.fdopen(options.ready_fd, "w") as pipe:
                json.dump({"port": port, "notes": notes}, pipe)
        log.info("Serving on %s.", context.endpoint_url)

    try:
        guarded = refuse_foreign_pages(extensions.gate(application))
        asyncio.run(_serve(guarded, listener, ready, extensions.freeze))
        extensions.shutdown()
        statefiles.mark_clean(state_dir, port)
    finally:
        record.unlink(missing_ok=True)
    log.info("Stopped; the data is kept.")
    # Threads of executions and pollers would hold the interpreter; nothing of theirs is worth waiting for.
    logging.shutdown()
    os._exit(0)


def _image(text: str) -> tuple[str, Path]:
    pattern, _, folder = text.partition("=")
    return pattern, Path(folder).resolve()


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(description="The local cloud's server. Started by `retrain local up`.")
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=4566, help="0: any free one")
    parser.add_argument("--project-root", type=Path, default=Path())
    parser.add_argument("--stack-name", default="retrain")
    parser.add_argument("--image", type=_image, action="append", default=[], metavar="PATTERN=FOLDER")
    parser.add_argument("--wait-scale", type=float, default=1.0)
    parser.add_argument("--log-level", default="WARNING")
    parser.add_argument("--ready-fd", type=int)
    options = parser.parse_args(argv)
    logging.basicConfig(
        level=options.log_level.upper(),
        format="%(asctime)s %(levelname)s [%(name)s] %(message)s",
        stream=sys.stderr,
    )
    log.setLevel(logging.INFO)
    try:
        run(options)
    except PortTakenError as error:
        log.error("%s", error)
        sys.exit(EXIT_PORT_TAKEN)
    except LocalCloudError as error:
        log.error("%s", error)
        sys.exit(1)


def images_arguments(images: Mapping[str, Path]) -> list[str]:
    """The command-line form of an images map."""
    return [f"--image={pattern}={folder}" for pattern, folder in images.items()]


if __name__ == "__main__":
    main()
