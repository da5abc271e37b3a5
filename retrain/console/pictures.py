"""Making of a drawing what MNIST's makers made of their scans, because a model knows nothing else.

Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits": fitted into 20x20 pixels with the
aspect ratio kept, grey from the averaging, then set into 28x28 with the centre of mass in the middle.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retrain.console.errors import EmptyDrawingError
from retrain.operations.predict import SIDE

DRAWN_SIDE: Final = 280
"""Pixels of the page's canvas, each way."""

_INNER: Final = 20


def drawing(content: bytes) -> NDArray[np.uint8]:
    """Return what the page sent as an array of shape (280, 280), ink being 255.

    Raises
    ------
    EmptyDrawingError
        It has another size, or no ink.
    """
    if len(content) != DRAWN_SIDE**2:
        raise EmptyDrawingError(
            f"A drawing has {DRAWN_SIDE}x{DRAWN_SIDE} pixels of one byte; this has {len(content)} bytes."
        )
    pixels = np.frombuffer(content, np.uint8).reshape(DRAWN_SIDE, DRAWN_SIDE)
    if not pixels.any():
        raise EmptyDrawingError("Nothing is drawn yet.")
    return pixels


def as_mnist(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a drawing as an image like MNIST's.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (n, n)
        Ink is 255; some of it.

    Returns
    -------
    ndarray of uint8, shape (28, 28)
    """
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    inked = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = _INNER / max(inked.shape)
    height, width = (max(1, round(length * scale)) for length in inked.shape)
    small = np.asarray(Image.fromarray(inked).resize((width, height), Image.Resampling.BOX), np.uint8)
    weight = small.astype(np.float64)
    total = weight.sum() or 1.0
    middle = (SIDE - 1) / 2
    top = round(middle - float((weight.sum(axis=1) @ np.arange(height)) / total))
    left = round(middle - float((weight.sum(axis=0) @ np.arange(width)) / total))
    top, left = min(max(top, 0), SIDE - height), min(max(left, 0), SIDE - width)
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + height, left : left + width] = small
    return image
