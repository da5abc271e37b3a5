"""The IDX file format, in which MNIST is published.

Layout (big-endian): two zero bytes, one byte for the element type, one for the number of dimensions, four
bytes for the size of each dimension, then the elements in row-major order.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrain.errors import IdxFormatError

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CODES = {np.dtype(name): code for code, name in _TYPES.items()}


def encode_idx(array: NDArray[np.generic]) -> bytes:
    """Return the array as the bytes of an IDX file.

    Parameters
    ----------
    array : ndarray
        One to 255 dimensions, of one of the six element types that IDX knows.

    Returns
    -------
    bytes
        Header and elements.

    Raises
    ------
    IdxFormatError
        IDX cannot hold an array like this.
    """
    code = _CODES.get(array.dtype.newbyteorder(">"))
    if code is None:
        raise IdxFormatError(
            f"IDX has no element type for {array.dtype}: convert to uint8, int16, int32, float32 or float64."
        )
    if not 1 <= array.ndim <= 255:
        raise IdxFormatError(f"IDX holds arrays of 1 to 255 dimensions, not {array.ndim}.")
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header + array.astype(_TYPES[code]).tobytes()


def decode_idx(content: bytes, name: str = "the IDX file") -> NDArray[np.generic]:
    """Return the array that the bytes of an IDX file hold.

    Parameters
    ----------
    content : bytes
        The whole file, not compressed.
    name : str
        What to call it in an error.

    Returns
    -------
    ndarray
        In the machine's own byte order, read-only.

    Raises
    ------
    IdxFormatError
        The bytes are no IDX file, or fewer or more than its header announces.
    """
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _TYPES or content[3] == 0:
        raise IdxFormatError(
            f"{name} is not an IDX file: it begins with {content[:4].hex(' ') or 'nothing'}."
        )
    kind = np.dtype(_TYPES[content[2]])
    offset = 4 + 4 * content[3]
    if len(content) < offset:
        raise IdxFormatError(f"{name} is cut short: it ends within its header.")
    shape = struct.unpack_from(f">{content[3]}I", content, 4)
    expected = offset + math.prod(shape) * kind.itemsize
    if len(content) != expected:
        fault = "cut short" if len(content) < expected else "too long"
        raise IdxFormatError(
            f"{name} is {fault}: its header announces {expected:,} bytes, it has {len(content):,}."
        )
    array = np.frombuffer(content, kind, offset=offset).reshape(shape)
    return array.astype(kind.newbyteorder("="), copy=False)


def read_idx(path: Path) -> NDArray[np.generic]:
    """Read an IDX file, gzipped if its name ends in `.gz`.

    Raises
    ------
    IdxFormatError
        The file cannot be read, or holds no whole IDX array.
    """
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise IdxFormatError(f"{path} cannot be read: {error}.") from error
    return decode_idx(content, str(path))


def write_idx(path: Path, array: NDArray[np.generic]) -> None:
    """Write an array as an IDX file: the whole file, or none.

    Raises
    ------
    IdxFormatError
        IDX cannot hold an array like this.
    """
    write_atomically(path, encode_idx(array))


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that its name never stands for a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
