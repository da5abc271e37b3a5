"""Random shifts of images: the cheapest augmentation, and for digits the best."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def shifted(images: Tensor, most: int) -> Tensor:
    """Shift a batch of images by a random number of pixels in each direction.

    Parameters
    ----------
    images : Tensor
        uint8, shape (N, H, W).
    most : int
        The largest shift, in pixels; 0 for none.

    Returns
    -------
    Tensor
        The same shape; what comes in at the edges is background. All images of one call move alike, so that a
        batch costs one operation; the batches of an epoch differ.
    """
    if most == 0:
        return images
    down, right = torch.randint(0, 2 * most + 1, (2,)).tolist()
    height, width = images.shape[-2:]
    return functional.pad(images, (most, most, most, most))[:, down : down + height, right : right + width]
