"""Which digits the demo shows: chosen by the images alone, whatever a model thinks of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def most_typical(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> list[int]:
    """Return, for each class, the row of the image nearest to the mean image of its class.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, 28, 28)
    labels : ndarray of uint8, shape (n,)

    Returns
    -------
    list of int
        One row per class that occurs, in the order of the classes.
    """
    flat = images.reshape(len(images), -1).astype(np.float32)
    rows = []
    for digit in np.unique(labels):
        members = np.flatnonzero(labels == digit)
        distances = np.linalg.norm(flat[members] - flat[members].mean(axis=0), axis=1)
        rows.append(int(members[distances.argmin()]))
    return rows
