"""Real handwritten digits: MNIST's, where it has been fetched before; else scikit-learn's, enlarged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrain.datasets import mnist
from retrain.datasets.files import cache_folder
from retrain.datasets.idx import encode_idx, read_idx

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Digits:
    """Images of shape (n, 28, 28), and their labels."""

    images: Images
    labels: Images
    test_images: Images
    test_labels: Images

    def training(self) -> dict[str, bytes]:
        """The files of a dataset."""
        return {
            "train-images-idx3-ubyte": encode_idx(self.images),
            "train-labels-idx1-ubyte": encode_idx(self.labels),
        }

    def holdout(self) -> dict[str, bytes]:
        """The files of its holdout."""
        rows = "\n".join(f"{row},{label}" for row, label in enumerate(self.test_labels))
        return {
            "t10k-images-idx3-ubyte": encode_idx(self.test_images),
            "t10k-labels-idx1-ubyte": encode_idx(self.test_labels),
            "labels.csv": f"id,label\n{rows}\n".encode(),
        }


def some_digits(count: int = 6000, holdout: int = 600) -> Digits:
    """Digits enough for a model that reads a person's strokes."""
    folder = cache_folder() / "mnist"
    files = [
        folder / name
        for name in (mnist.TRAIN_IMAGES, mnist.TRAIN_LABELS, mnist.TEST_IMAGES, mnist.TEST_LABELS)
    ]
    if all(file.is_file() for file in files):
        images, labels, test_images, test_labels = (np.asarray(read_idx(file), np.uint8) for file in files)
        return Digits(images[:count], labels[:count], test_images[:holdout], test_labels[:holdout])
    return _enlarged(holdout)


def _enlarged(holdout: int) -> Digits:
    from PIL import Image
    from sklearn.datasets import load_digits

    small, labels = load_digits(return_X_y=True)
    images = np.zeros((len(small), 28, 28), np.uint8)
    for row, image in enumerate(small.reshape(-1, 8, 8)):
        large = Image.fromarray((image * 255 / 16).astype(np.uint8)).resize(
            (20, 20), Image.Resampling.BICUBIC
        )
        images[row, 4:24, 4:24] = np.asarray(large)
    labels = labels.astype(np.uint8)
    return Digits(images[holdout:], labels[holdout:], images[:holdout], labels[:holdout])
