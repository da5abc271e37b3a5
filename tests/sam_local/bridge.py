"""A way from inside Docker's containers to the local cloud, which listens on 127.0.0.1 alone.

While it is open, containers on this computer's default bridge reach the local cloud; nobody else does.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "host", "date", "server"})
_SECONDS = 60


class _Forwarder(BaseHTTPRequestHandler):
    """Hands each request on, under the name that the local cloud answers to."""

    protocol_version = "HTTP/1.1"
    port: int

    def handle_one_request(self) -> None:
        """Handle one request, of whatever method."""
        self.raw_requestline = self.rfile.readline(65_537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP | {"content-length"}:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def bridge(port: int, image: str) -> Iterator[str]:
    """Let containers reach 127.0.0.1:`port`; gives the URL that they use.

    Parameters
    ----------
    port
        The local cloud's.
    image
        One that has Python, to ask from inside how the host is called.
    """
    handler = type("Forwarder", (_Forwarder,), {"port": port})
    gateway = _gateway()
    try:
        server = ThreadingHTTPServer((gateway, 0), handler)
        host = gateway
    except OSError:  # Docker Desktop: the bridge is in its virtual machine, which forwards to 127.0.0.1
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        host = _host_from_inside(image)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        # By its number: in front of a name boto3 would put that of a bucket.
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _gateway() -> str:
    """The address of this computer on Docker's default bridge."""
    inspected = subprocess.run(
        ["docker", "network", "inspect", "bridge"], capture_output=True, text=True, check=True
    )
    configuration = json.loads(inspected.stdout)[0]["IPAM"]["Config"]
    addresses = [entry["Gateway"] for entry in configuration if "." in entry.get("Gateway", "")]
    return str(addresses[0]) if addresses else "172.17.0.1"


def _host_from_inside(image: str) -> str:
    program = "import socket; print(socket.gethostbyname('host.docker.internal'))"
    command = ["docker", "run", "--rm", "--entrypoint", "python3", image, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
