"""A copy of a dataset with wrong labels, to see that the gate refuses what was learnt from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrain.datasets.files import link_or_copy
from retrain.datasets.idx import read_idx, write_idx
from retrain.errors import DatasetError


@dataclass(frozen=True)
class Spoiled:
    """What `spoil_folder` made: the folder, and how many of how many labels are wrong in it."""

    folder: Path
    wrong: int
    total: int


def spoil_labels(labels: NDArray[np.uint8], *, share: float = 1 / 3, seed: int = 0) -> NDArray[np.uint8]:
    """Replace a share of the labels by wrong ones.

    Parameters
    ----------
    labels : ndarray of uint8, shape (n,)
        The right labels.
    share : float
        Between 0 and 1; exactly `round(share * n)` labels become wrong.
    seed : int
        The same seed spoils the same labels in the same way.

    Returns
    -------
    ndarray of uint8, shape (n,)
        Every wrong label is another of the classes that occur, each as likely.

    Raises
    ------
    DatasetError
        There are fewer than two classes, so that no label could be wrong.
    """
    classes = np.unique(labels)
    if len(classes) < 2:
        raise DatasetError(
            "Labels of a single class cannot be spoiled: there is no wrong one to put in their place."
        )
    generator = np.random.default_rng(seed)
    chosen = generator.choice(len(labels), size=round(share * len(labels)), replace=False)
    position = np.searchsorted(classes, labels[chosen])
    step = generator.integers(1, len(classes), size=len(chosen))
    spoiled = labels.copy()
    spoiled[chosen] = classes[(position + step) % len(classes)]
    return spoiled


def spoil_folder(source: Path, target: Path, *, share: float = 1 / 3, seed: int = 0) -> Spoiled:
    """Copy a folder of IDX files, with a share of its labels replaced by wrong ones.

    Parameters
    ----------
    source : Path
        Holds at least one `*-labels-idx1-ubyte`, and whatever belongs to it.
    target : Path
        Made if it is missing.
    share, seed
        See `spoil_labels`.

    Returns
    -------
    Spoiled
        Where it is, and how many labels are wrong.

    Raises
    ------
    DatasetError
        The folder holds no labels.
    """
    target.mkdir(parents=True, exist_ok=True)
    wrong = total = 0
    for path in sorted(item for item in source.iterdir() if item.is_file()):
        if not path.name.endswith("-labels-idx1-ubyte"):
            link_or_copy(path, target / path.name)
            continue
        labels = read_idx(path).astype(np.uint8)
        spoiled = spoil_labels(labels, share=share, seed=seed)
        write_idx(target / path.name, spoiled)
        wrong += int(np.count_nonzero(labels != spoiled))
        total += len(labels)
    if not total:
        raise DatasetError(
            f"{source} holds no labels to spoil: a file whose name ends in -labels-idx1-ubyte is needed."
        )
    return Spoiled(target, wrong, total)
