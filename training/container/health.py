"""`python -m container.health`: whether the container is well, for those who ask by Docker's HEALTHCHECK.

SageMaker does not: it asks `/ping` itself. A container that trains is well as long as it runs.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

SECONDS = 4.0
FIRST_PROCESS = Path("/proc/1/cmdline")


def main(command_line: bytes) -> int:
    """Ask `/ping`, if the container serves; return 0 if it is well, else 1.

    Parameters
    ----------
    command_line : bytes
        Of the container's first process, its words separated by zero bytes.
    """
    if b"serve" not in command_line.split(b"\0"):
        return 0
    port = os.environ.get("SAGEMAKER_BIND_TO_PORT") or "8080"
    # Without the proxies that the environment may name: they lead out of the container.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/ping", timeout=SECONDS) as answer:
            return 0 if answer.status == 200 else 1
    except (OSError, urllib.error.URLError) as error:
        print(f"/ping does not answer: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(FIRST_PROCESS.read_bytes()))
