"""The two file formats of MNIST, read with every byte accounted for: IDX (plain or gzipped) and .npz.

IDX: two zero bytes, a type (8: unsigned bytes), the number of dimensions, each dimension as a big-endian
32-bit number, then the values (Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits").
"""

from __future__ import annotations

import gzip
import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

UNSIGNED_BYTES = 8
GZIP_MAGIC = b"\x1f\x8b"

# The names that the arrays of an .npz go by, images before labels; the first pair that is there is taken.
TRAINING_ARRAYS = (("x_train", "y_train"), ("train_images", "train_labels"))
TEST_ARRAYS = (("x_test", "y_test"), ("test_images", "test_labels"))
ONLY_ARRAYS = (("images", "labels"), ("x", "y"))


class DatasetError(Exception):
    """The dataset cannot be used."""


class DatasetNotFoundError(DatasetError):
    """There is nothing here that could be the dataset."""


class DatasetFormatError(DatasetError):
    """A file is not what its name says, or does not fit the others."""


def read_idx(path: Path, *, dimensions: int, what: str, name: str | None = None) -> NDArray[np.uint8]:
    """Read one IDX file of unsigned bytes, plain or gzipped (told by its content, not its name).

    Parameters
    ----------
    path : Path
        The file.
    dimensions : int
        How many dimensions it must have: 3 for images, 1 for labels.
    what : str
        What it should hold, for the messages: "images" or "labels".
    name : str, optional
        What to call the file in messages; its path by default.

    Returns
    -------
    NDArray[np.uint8]
        Writable, of the shape that the header tells.

    Raises
    ------
    DatasetFormatError
        If the file is empty, not IDX, of another kind, cut short, too long, or spoiled gzip.
    """
    name = name or str(path)
    with path.open("rb") as raw:
        first = raw.read(2)
        raw.seek(0)
        if not first:
            raise DatasetFormatError(f"{name} is empty (0 bytes). Upload it again.")
        if first != GZIP_MAGIC:
            return _read_idx_stream(raw, dimensions, what, name)
        try:
            with gzip.GzipFile(fileobj=raw) as unpacked:
                return _read_idx_stream(unpacked, dimensions, what, name)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DatasetFormatError(
                f"{name} is a spoiled gzip file ({error}). Pack it again, or upload it unpacked."
            ) from error


def _read_idx_stream(
    stream: IO[bytes] | gzip.GzipFile, dimensions: int, what: str, name: str
) -> NDArray[np.uint8]:
    expected_magic = bytes((0, 0, UNSIGNED_BYTES, dimensions))
    header_size = 4 + 4 * dimensions
    header = stream.read(header_size)
    if header[:4] != expected_magic:
        raise DatasetFormatError(
            f"{name} is no IDX file of {what}: it should begin with the bytes {expected_magic.hex(' ')}, "
            f"it begins with {header[:4].hex(' ')}. Upload the {what} in the IDX format of MNIST."
        )
    if len(header) < header_size:
        raise DatasetFormatError(
            f"{name} is cut short: its header has {header_size} bytes, found {len(header)}. Upload it again."
        )
    shape = struct.unpack(f">{dimensions}I", header[4:])
    size = math.prod(shape)
    # One byte more than announced is asked for, so that a file that is too long shows without being read
    # whole.
    values = bytearray(_read_up_to(stream, size + 1))
    if len(values) < size:
        raise DatasetFormatError(
            f"{name} is cut short: its header announces {_described(shape, what)}, so expected "
            f"{header_size + size} bytes, found {header_size + len(values)}. Upload it again."
        )
    if len(values) > size:
        raise DatasetFormatError(
            f"{name} is too long: its header announces {_described(shape, what)}, {header_size + size} "
            "bytes, and there are more. Upload the file as it was made."
        )
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


def _read_up_to(stream: IO[bytes] | gzip.GzipFile, size: int) -> bytes:
    """Read at most `size` bytes, holding no more memory than there are bytes, whatever a header claims."""
    step = 1 << 24
    pieces = []
    while size > 0 and (piece := stream.read(min(size, step))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _described(shape: tuple[int, ...], what: str) -> str:
    sides = "x".join(str(side) for side in shape[1:])
    return f"{shape[0]} {what}" + (f" of {sides}" if sides else "")


def read_npz(path: Path, *, want_test: bool, name: str) -> tuple[str, NDArray[Any], str, NDArray[Any]]:
    """Read images and labels from an .npz, never unpickling anything.

    Returns
    -------
    tuple[str, NDArray[Any], str, NDArray[Any]]
        The name of the images array, the images, the name of the labels array, the labels.

    Raises
    ------
    DatasetFormatError
        If the file is no .npz, is spoiled, or lacks a known pair of arrays.
    """
    if path.stat().st_size == 0:
        raise DatasetFormatError(f"{name} is empty (0 bytes). Upload it again.")
    mine, others = (TEST_ARRAYS, TRAINING_ARRAYS) if want_test else (TRAINING_ARRAYS, TEST_ARRAYS)
    # A holdout may hold whichever pair there is; images to learn from are never taken from arrays called
    # test.
    candidates = (*mine, *ONLY_ARRAYS, *(others if want_test else ()))
    try:
        with zipfile.ZipFile(path) as packed:
            if (broken := packed.testzip()) is not None:
                raise DatasetFormatError(f"{name}: the array {broken} in it is spoiled. Upload it again.")
        with np.load(path, allow_pickle=False) as arrays:
            for images_key, labels_key in candidates:
                if images_key in arrays and labels_key in arrays:
                    return images_key, arrays[images_key], labels_key, arrays[labels_key]
            found = ", ".join(arrays.files) or "none"
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, RuntimeError) as error:
        raise DatasetFormatError(
            f"{name} cannot be read as an .npz: {error}. Save it again with numpy.savez_compressed."
        ) from error
    wanted = " or ".join(f"{images_key} and {labels_key}" for images_key, labels_key in candidates)
    raise DatasetFormatError(
        f"{name} lacks the arrays of MNIST: looked for {wanted}; found {found}. "
        "Save it again under these names."
    )
