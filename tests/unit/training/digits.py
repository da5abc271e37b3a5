"""A small, learnable stand-in for MNIST: ten glyphs, shifted and noisy, so that no test needs a download."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

GLYPHS = (
    "01110 10001 10011 10101 11001 10001 01110",
    "00100 01100 00100 00100 00100 00100 01110",
    "01110 10001 00001 00010 00100 01000 11111",
    "11110 00001 00001 01110 00001 00001 11110",
    "00010 00110 01010 10010 11111 00010 00010",
    "11111 10000 11110 00001 00001 10001 01110",
    "00110 01000 10000 11110 10001 10001 01110",
    "11111 00001 00010 00100 01000 01000 01000",
    "01110 10001 10001 01110 10001 10001 01110",
    "01110 10001 10001 01111 00001 00010 01100",
)


def draw_digits(count: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return images, uint8 of shape (count, 28, 28), and labels, uint8 of shape (count,)."""
    random = np.random.default_rng(seed)
    glyphs = np.stack(
        [[[int(pixel) for pixel in row] for row in glyph.split()] for glyph in GLYPHS]
    )  # (10, 7, 5)
    large = np.kron(glyphs, np.ones((1, 3, 3), dtype=int))  # (10, 21, 15)
    labels = random.integers(0, 10, count)
    images = random.integers(0, 40, (count, 28, 28))
    for row, (label, down, right) in enumerate(
        zip(labels, random.integers(2, 6, count), random.integers(4, 10, count), strict=True)
    ):
        images[row, down : down + 21, right : right + 15] += large[label] * 200
    return images.astype(np.uint8), labels.astype(np.uint8)


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    """Return the array as an IDX file's content."""
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_idx(path: Path, array: NDArray[np.uint8]) -> Path:
    """Write an IDX file, gzipped if its name says so."""
    content = idx_bytes(array)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def write_pair(folder: Path, count: int, *, prefix: str = "train", seed: int = 0, suffix: str = "") -> None:
    """Write the two IDX files of a dataset."""
    images, labels = draw_digits(count, seed)
    write_idx(folder / f"{prefix}-images-idx3-ubyte{suffix}", images)
    write_idx(folder / f"{prefix}-labels-idx1-ubyte{suffix}", labels)
