"""The holdout as the gate wants it: the evaluation set, and `labels.csv` that says what is true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrain.datasets.files import link_or_copy
from retrain.datasets.idx import read_idx, write_atomically
from retrain.errors import DatasetError

LABELS_FILE = "labels.csv"


def encode_labels(labels: NDArray[np.generic]) -> bytes:
    """Return `labels.csv`: a header, then `id,label` for each row; the id is the row's index.

    Parameters
    ----------
    labels : ndarray of integers, shape (n,)
        In the order of the images.

    Returns
    -------
    bytes
        UTF-8, lines ended by a newline.
    """
    if labels.ndim != 1:
        raise DatasetError(f"Labels are one number per row, not an array of shape {labels.shape}.")
    return "".join(
        ["id,label\n", *(f"{row},{label}\n" for row, label in enumerate(labels.tolist()))]
    ).encode()


def write_holdout(images: Path, labels: Path, target: Path) -> Path:
    """Make a folder that can be uploaded as a holdout.

    Parameters
    ----------
    images, labels : Path
        IDX files of the evaluation set.
    target : Path
        Made if it is missing; gets both files and `labels.csv`.

    Returns
    -------
    Path
        The folder.
    """
    target.mkdir(parents=True, exist_ok=True)
    link_or_copy(images, target / images.name)
    link_or_copy(labels, target / labels.name)
    write_atomically(target / LABELS_FILE, encode_labels(read_idx(labels)))
    return target
