"""Forks functions' processes: standard library only, run as a file with ``python -I -S``, on Linux.

It imports once what nearly every function imports, and becomes a new process of a function whenever it is
asked to: that takes milliseconds instead of the quarter of a second that the imports take. It has one thread
and no connection, and reads nothing of a function; a new process is given its environment, folder and streams
before it reads anything.

One JSON object a message, by the socket whose number is its argument. In: ``{"path"}`` first, then
``{"fork": {"environment", "folder"}}`` with three descriptors for the standard streams, or ``{"poll": pid}``.
Out: ``{"modules", "asked"}``, then ``{"pid"}`` or ``{"status"}``.
"""

import gc
import importlib.util
import json
import os
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

PRELOADED = (
    "boto3",
    "boto3.dynamodb.transform",
    "boto3.dynamodb.types",
    "boto3.s3.inject",
    "boto3.s3.transfer",
    "botocore.client",
    "botocore.endpoint_provider",
    "botocore.httpsession",
    "botocore.session",
    "s3transfer.manager",
    "aws_lambda_powertools",
    "aws_lambda_powertools.metrics",
)
"""What is imported beforehand, where the functions would find it."""

LIMIT = 1 << 18
"""Bytes that a message may have; a function's environment has 4 KB at most."""


class Asked(type(os.environ)):  # type: ignore[misc]
    """The environment while modules are imported, which notes what they ask it for."""

    names: ClassVar[set[str]] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return str(super().__getitem__(name))

    def __iter__(self) -> Any:
        self.names.add("*")
        return super().__iter__()


def preload() -> dict[str, Any]:
    """Import what can be imported; gives what was loaded, and what the environment was asked for."""
    kind = os.environ.__class__
    os.environ.__class__ = Asked
    try:
        for name in PRELOADED:
            with suppress(ImportError):
                importlib.import_module(name)
    finally:
        os.environ.__class__ = kind
    tops = {name.partition(".")[0] for name in sys.modules}
    return {"modules": sorted(tops), "asked": sorted(Asked.names)}


def serve(channel: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Fork until the socket is closed; gives, in a new process, what it is to become."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(channel, LIMIT, 3)
        if not data:
            return None
        message = json.loads(data)
        if "poll" in message:
            answer = {"status": status(message["poll"])}
        else:
            pid = os.fork()
            if pid == 0:
                channel.close()
                return message["fork"], descriptors
            with suppress(OSError):  # it has done so itself, or has ended
                os.setpgid(pid, pid)
            for descriptor in descriptors:
                os.close(descriptor)
            answer = {"pid": pid}
        channel.send(json.dumps(answer).encode())


def status(pid: int) -> int | None:
    """How a process ended, as `subprocess` tells it; None while it runs."""
    ended, code = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(code) if ended else None


def become(what: dict[str, Any], descriptors: list[int]) -> None:
    """Make this process one of a function's: its group, streams, folder, environment and clock."""
    os.setpgid(0, 0)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(what["folder"])
    # Python sets this one when it starts where the locale is not installed.
    coerced = {name: value for name, value in os.environ.items() if name == "LC_CTYPE"}
    os.environ.clear()
    os.environ.update(coerced | what["environment"])
    time.tzset()


def main() -> None:
    """Import, fork as asked; in each new process, run the runtime."""
    place = Path(__file__).with_name("lambda_bootstrap.py")
    spec = importlib.util.spec_from_file_location("lambda_bootstrap", place)
    assert spec is not None  # noqa: S101  (for the type checker)
    assert spec.loader is not None  # noqa: S101
    bootstrap = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bootstrap)

    channel = socket.socket(fileno=int(sys.argv[1]))
    standard = list(sys.path)
    sys.path[:0] = json.loads(channel.recv(LIMIT))["path"]
    loaded = preload()
    sys.path[:] = standard  # the runtime puts the function's own path in front
    gc.collect()
    gc.freeze()  # nobody frees what all processes share
    channel.send(json.dumps(loaded).encode())
    forked = serve(channel)
    if forked is not None:
        sys.argv[:] = [str(place)]
        become(*forked)
        bootstrap.main()


if __name__ == "__main__":
    main()
