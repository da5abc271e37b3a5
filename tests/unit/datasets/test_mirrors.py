"""torchvision's mirrors, and downloads that neither hang nor lie."""

from __future__ import annotations

import socket
import time
from types import SimpleNamespace

import pytest

from retrain.datasets import mirrors, mnist
from retrain.errors import DataSourceError


def test_the_list_is_torchvisions_own():
    found = mirrors.torchvision_mirrors()
    assert found
    assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in found)


def test_no_torchvision(monkeypatch):
    monkeypatch.setattr(mirrors.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(DataSourceError, match="torchvision is not installed"):
        mirrors.torchvision_mirrors()


def test_a_torchvision_that_keeps_its_mirrors_elsewhere(monkeypatch, tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mnist.py").write_text("class MNIST:\n    sources = []\n")

    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(mirrors.importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(DataSourceError, match="names no mirrors: its class MNIST has no 'mirrors'"):
        mirrors.torchvision_mirrors()


def test_the_first_that_has_the_file(mirror):
    dead = "http://127.0.0.1:9/"
    assert mirrors.first_answering([dead, mirror], f"{mnist.TRAIN_LABELS}.gz") == mirror
    assert mirrors.first_answering([dead, mirror], "another-file.gz") is None
    assert mirrors.first_answering([], "any") is None


def test_a_mirror_that_says_nothing_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert mirrors.first_answering([url], "any", seconds=0.2) is None
        assert time.monotonic() - began < 2
        with pytest.raises(DataSourceError, match="could not be fetched: timed out"):
            mirrors.download_gzipped(f"{url}any", seconds=0.2)


def test_a_download_that_takes_too_long(mirror, monkeypatch):
    times = iter([0.0, 100.0])
    monkeypatch.setattr(mirrors.time, "monotonic", lambda: next(times))
    with pytest.raises(DataSourceError, match="still coming after 60 s"):
        mirrors.download_gzipped(f"{mirror}{mnist.TRAIN_LABELS}.gz")


def test_what_is_not_there_or_not_gzip(mirror, monkeypatch):
    with pytest.raises(DataSourceError, match="404"):
        mirrors.download_gzipped(f"{mirror}nothing.gz")
    monkeypatch.setattr(mirrors.gzip, "decompress", lambda _: (_ for _ in ()).throw(EOFError("cut short")))
    with pytest.raises(DataSourceError, match="cut short"):
        mirrors.download_gzipped(f"{mirror}{mnist.TRAIN_LABELS}.gz")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/a"])
def test_only_the_web(url):
    with pytest.raises(DataSourceError, match="not a web address"):
        mirrors.download_gzipped(url)
