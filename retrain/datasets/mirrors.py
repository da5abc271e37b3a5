"""The mirrors that torchvision fetches MNIST from, and a download that does not hang.

The list is read out of torchvision's source, not by importing it: the import brings torch along, seconds and
hundreds of megabytes, for two addresses.
"""

from __future__ import annotations

import ast
import gzip
import importlib.util
import queue
import threading
import time
import urllib.error
import urllib.request
import urllib.response
import zlib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from retrain.errors import DataSourceError

PROBE_SECONDS = 3.0
DOWNLOAD_SECONDS = 60.0
_CHUNK = 1 << 18


def torchvision_mirrors() -> list[str]:
    """Return torchvision's mirrors of MNIST, in its order.

    Returns
    -------
    list of str
        Addresses that end in a slash.

    Raises
    ------
    DataSourceError
        torchvision is not installed, or no longer keeps its mirrors where this looks for them.
    """
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        raise DataSourceError("torchvision is not installed.")
    source = Path(spec.submodule_search_locations[0], "datasets", "mnist.py")
    try:
        return _mirrors_in(source.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        raise DataSourceError(f"{source} names no mirrors: {error}.") from error


def _mirrors_in(source: str) -> list[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and node.name == "MNIST":
            for statement in node.body:
                if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "mirrors":
                    return [str(mirror) for mirror in ast.literal_eval(statement.value)]
    raise ValueError("its class MNIST has no 'mirrors'")


def first_answering(mirrors: Sequence[str], file: str, *, seconds: float = PROBE_SECONDS) -> str | None:
    """Ask all mirrors at once for the head of a file, and return the first that has it.

    Parameters
    ----------
    mirrors : sequence of str
        Addresses that end in a slash.
    file : str
        The name to ask for.
    seconds : float
        The whole time allowed, name resolution included, which no socket timeout covers.

    Returns
    -------
    str or None
        A mirror; `None` if none answered in time.
    """
    answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def ask(mirror: str) -> None:
        try:
            with _open(mirror + file, seconds, method="HEAD"):
                answers.put(mirror)
        except (OSError, ValueError, DataSourceError):
            answers.put(None)

    for mirror in mirrors:
        threading.Thread(target=ask, args=(mirror,), daemon=True).start()
    deadline = time.monotonic() + seconds
    for _ in mirrors:
        try:
            answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None
        if answer is not None:
            return answer
    return None


def download_gzipped(url: str, *, seconds: float = DOWNLOAD_SECONDS) -> bytes:
    """Download a gzipped file and return its content, unpacked.

    Parameters
    ----------
    url : str
        http or https.
    seconds : float
        The whole time allowed.

    Returns
    -------
    bytes
        The unpacked content; what it must be is for the caller to check.

    Raises
    ------
    DataSourceError
        It did not come in time, or is not gzip.
    """
    deadline = time.monotonic() + seconds
    parts = []
    try:
        with _open(url, min(10.0, seconds)) as response:
            while part := response.read(_CHUNK):
                parts.append(part)
                if time.monotonic() > deadline:
                    raise DataSourceError(f"{url} was still coming after {seconds:.0f} s.")
        return gzip.decompress(b"".join(parts))
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataSourceError(f"{url} could not be fetched: {error}.") from error


def _open(url: str, timeout: float, method: str = "GET") -> urllib.response.addinfourl:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise DataSourceError(f"{url} is not a web address.")
    request = urllib.request.Request(url, method=method, headers={"User-Agent": "retrain"})  # noqa: S310 (checked above)
    response: urllib.response.addinfourl = urllib.request.urlopen(request, timeout=timeout)  # noqa: S310
    return response
