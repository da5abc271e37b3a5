"""Random shifts of images: the cheapest augmentation, and for digits the best."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def shifted(images: Tensor, most: int) -> Tensor:
    """Shift each image by a random number of pixels in each direction.

    Parameters
    ----------
    images : Tensor
        uint8, shape (N, H, W).
    most : int
        The largest shift, in pixels; 0 for none.

    Returns
    -------
    Tensor
        The same shape; what comes in at the edges is background.
    """
    if most == 0:
        return images
    height, width = images.shape[-2:]
    # Every place where a window of the images' own size fits into the widened ones, without a copy of them.
    places = functional.pad(images, (most, most, most, most)).unfold(1, height, 1).unfold(2, width, 1)
    # Drawn on the CPU, so that a seed gives the same shifts wherever the images lie.
    down, right = torch.randint(0, 2 * most + 1, (2, len(images))).to(images.device)
    return places[torch.arange(len(images), device=images.device), down, right]
