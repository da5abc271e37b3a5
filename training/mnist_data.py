"""Reads the MNIST dataset from a channel's folder: IDX files, plain or gzipped, or an .npz.

The files may lie in any sub-folder and be called as they are anywhere: `train-images-idx3-ubyte`,
`train-images.idx3-ubyte`, with or without `.gz`, with any prefix. Several pairs of the same kind are joined,
in the order of their paths, so that new images can be added to a dataset as new files.

Errors::

    DatasetError
    ├── DatasetNotFoundError     there is nothing here that could be the dataset
    └── DatasetFormatError       a file is not what its name says, or does not fit the others

Their sentences name the file and the remedy: they end in the notification that a person reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnist_files import DatasetError, DatasetFormatError, DatasetNotFoundError, read_idx, read_npz

__all__ = [
    "DatasetError",
    "DatasetFormatError",
    "DatasetNotFoundError",
    "Digits",
    "load_holdout",
    "load_training",
]

IMAGE_SIZE = 28
CLASSES = 10

# Files that belong to a batch or a holdout without being data.
NOT_DATA = frozenset({"_SUCCESS", "manifest.json", "labels.csv"})
# Prefixes that mark a pair as test images, which a training run must not learn from if there are others.
TEST_PREFIX = re.compile(r"(^|[-_.])(t10k|test|holdout|validation)($|[-_.])", re.IGNORECASE)
IDX_NAME = re.compile(
    r"^(?P<prefix>.*?)[-_.]?(?P<kind>images|labels)[-_.]idx[13][-_.]ubyte(\.gz)?$", re.IGNORECASE
)


@dataclass(frozen=True)
class Digits:
    """Images and their labels.

    Attributes
    ----------
    images : Tensor
        uint8, shape (N, 28, 28), 0 is background.
    labels : Tensor
        int64, shape (N,), 0 to 9.
    sources : tuple[str, ...]
        The files they came from.
    """

    images: Tensor
    labels: Tensor
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class _Pair:
    """An images file and a labels file that belong together."""

    images: Path
    labels: Path
    is_test: bool


def load_training(folder: Path, channel: str = "training") -> Digits:
    """Read the images to learn from.

    Parameters
    ----------
    folder : Path
        The channel's folder.
    channel : str
        The channel's name, for the messages.

    Returns
    -------
    Digits
        Every pair that is not called a test pair; if all are, all of them.

    Raises
    ------
    DatasetNotFoundError
        If there is no pair of files and no .npz.
    DatasetFormatError
        If a file is spoiled, or images and labels do not fit.
    """
    return _load(folder, channel, want_test=False)


def load_holdout(folder: Path, channel: str = "holdout") -> Digits:
    """Read the images to be judged on: the pair called t10k, test or holdout, or whichever there is.

    Parameters, results and errors are those of `load_training`; a row's id is its index.
    """
    return _load(folder, channel, want_test=True)


def _load(folder: Path, channel: str, *, want_test: bool) -> Digits:
    files = sorted(_data_files(folder))
    pairs = _find_pairs(folder, files)
    wanted = [pair for pair in pairs if pair.is_test == want_test] or pairs
    parts = [_read_pair(folder, pair) for pair in wanted]
    if not parts:
        archives = [path for path in files if path.suffix.lower() == ".npz"]
        parts = [_read_archive(folder, path, want_test=want_test) for path in archives]
    if not parts:
        raise DatasetNotFoundError(_nothing_found(folder, channel, files, want_test=want_test))
    return Digits(
        images=torch.cat([part.images for part in parts]) if len(parts) > 1 else parts[0].images,
        labels=torch.cat([part.labels for part in parts]) if len(parts) > 1 else parts[0].labels,
        sources=tuple(source for part in parts for source in part.sources),
    )


def _data_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and path.name not in NOT_DATA and not hidden:
            yield path


def _nothing_found(folder: Path, channel: str, files: Sequence[Path], *, want_test: bool) -> str:
    prefix = "t10k" if want_test else "train"
    if files:
        names = ", ".join(str(path.relative_to(folder)) for path in files[:5])
        found = f"found {names}" + (f" and {len(files) - 5} more" if len(files) > 5 else "")
    else:
        found = "found no data file at all"
    return (
        f"The channel '{channel}' holds no MNIST dataset: looked for {prefix}-images-idx3-ubyte and "
        f"{prefix}-labels-idx1-ubyte (plain or .gz), or an .npz; {found}. "
        "Upload the pair of IDX files or the .npz to the dataset's folder; data of another kind needs a "
        "program of its own ('retrain program set')."
    )


def _find_pairs(folder: Path, files: Sequence[Path]) -> list[_Pair]:
    """Group the IDX files by folder and prefix."""
    found: dict[tuple[Path, str], dict[str, Path]] = {}
    for path in files:
        match = IDX_NAME.match(path.name)
        if match is None:
            continue
        halves = found.setdefault((path.parent, match["prefix"].lower()), {})
        # The same file may lie there packed and unpacked; sorted, the unpacked one comes first. One is
        # enough.
        halves.setdefault(match["kind"].lower(), path)
    pairs = []
    for (_, prefix), halves in sorted(found.items()):
        for half, other, dimensions in (("images", "labels", "1"), ("labels", "images", "3")):
            if half in halves and other not in halves:
                present = halves[half]
                wanted = re.sub(half, other, present.name, flags=re.IGNORECASE)
                wanted = re.sub(r"idx[13]", f"idx{dimensions}", wanted)
                raise DatasetFormatError(
                    f"{_name(folder, present)} has no {other} file beside it: expected {wanted}. "
                    "Upload both files."
                )
        pairs.append(_Pair(halves["images"], halves["labels"], bool(TEST_PREFIX.search(prefix))))
    return pairs


def _read_pair(folder: Path, pair: _Pair) -> Digits:
    images_name, labels_name = _name(folder, pair.images), _name(folder, pair.labels)
    images = read_idx(pair.images, dimensions=3, what="images", name=images_name)
    labels = read_idx(pair.labels, dimensions=1, what="labels", name=labels_name)
    return _digits(images, labels, images_name, labels_name)


def _read_archive(folder: Path, path: Path, *, want_test: bool) -> Digits:
    name = _name(folder, path)
    images_key, images, labels_key, labels = read_npz(path, want_test=want_test, name=name)
    if images.ndim == 2 and images.shape[1] == IMAGE_SIZE * IMAGE_SIZE:
        images = images.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels.reshape(-1)
    return _digits(images, labels, f"{images_key} in {name}", f"{labels_key} in {name}")


def _digits(images: NDArray[Any], labels: NDArray[Any], images_name: str, labels_name: str) -> Digits:
    """Check that images and labels are what the network takes and fit each other."""
    if images.ndim != 3 or images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
        size = "x".join(str(side) for side in images.shape[1:]) or "no"
        raise DatasetFormatError(
            f"{images_name}: images are {size} pixels, this network takes {IMAGE_SIZE}x{IMAGE_SIZE}. "
            f"Resize the images to {IMAGE_SIZE}x{IMAGE_SIZE} and upload them again."
        )
    if labels.ndim != 1:
        raise DatasetFormatError(
            f"{labels_name}: labels have the shape {labels.shape}; expected one number per image, shape "
            f"({len(images)},). Upload the labels as class numbers, not as one-hot vectors."
        )
    if len(images) != len(labels):
        raise DatasetFormatError(
            f"{images_name} holds {len(images)} images, but {labels_name} holds {len(labels)} labels. "
            "Upload images and labels of the same set."
        )
    if len(images) == 0:
        raise DatasetFormatError(f"{images_name} holds no images. Upload a dataset with at least one image.")
    images = _whole_numbers(images, images_name, "pixels", 255)
    labels = _whole_numbers(labels, labels_name, "labels", CLASSES - 1)
    return Digits(
        images=torch.from_numpy(images.astype(np.uint8, copy=False)),
        labels=torch.from_numpy(labels.astype(np.int64)),
        sources=(images_name, labels_name),
    )


def _whole_numbers(array: NDArray[Any], name: str, what: str, largest: int) -> NDArray[Any]:
    if not np.issubdtype(array.dtype, np.integer):
        raise DatasetFormatError(
            f"{name}: {what} are of the type {array.dtype}; expected whole numbers from 0 to {largest}. "
            "Convert the array (to uint8, say) and upload it again."
        )
    if array.dtype == np.uint8 and largest == 255:
        return array
    wrong = np.flatnonzero((array < 0) | (array > largest))
    if len(wrong):
        where = np.unravel_index(int(wrong[0]), array.shape)
        raise DatasetFormatError(
            f"{name}: {len(wrong)} of the {what} are outside 0 to {largest}, the first is "
            f"{array[where]} in row {int(where[0])}. Correct the file and upload it again."
        )
    return array


def _name(folder: Path, path: Path) -> str:
    return str(path.relative_to(folder))
