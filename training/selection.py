"""Which images an epoch learns from: all of them at first, then those that the network found hardest.

After one epoch a network knows most digits for certain, and learns next to nothing from them any more. What
counts is the loss that an image had when it was last learned from: an image that is left out keeps its loss,
while those of the others fall, and so it comes in again.
"""

from __future__ import annotations

import torch
from torch import Tensor

from hosts import Hosts


class Selection:
    """Remembers each image's loss, and draws each epoch's images by it.

    Parameters
    ----------
    count : int
        How many images there are.
    share : float
        The share of them that every epoch but the first learns from.
    hosts : Hosts
        Who trains together; all of them select the same images.
    """

    def __init__(self, count: int, share: float, hosts: Hosts) -> None:
        self._hosts = hosts
        self._losses = torch.full((count,), torch.inf)
        self._measured = torch.zeros(count, device=hosts.device)
        self._later = min(max(round(count * share), hosts.count), count)

    def size(self, epoch: int) -> int:
        """Return how many images the epoch learns from; the first is epoch 0."""
        return len(self._losses) if epoch == 0 else self._later

    def rows(self, epoch: int) -> Tensor:
        """Return the images of the epoch, in random order."""
        order = torch.randperm(self.size(epoch))
        if len(order) < len(self._losses):
            order = self._losses.argsort(descending=True, stable=True)[order]
        return order.to(self._hosts.device)

    def note(self, rows: Tensor, losses: Tensor) -> None:
        """Remember the losses of images that this host has just learned from."""
        self._measured[rows] = losses

    def end_epoch(self, rows: Tensor) -> None:
        """Give all hosts the losses of the images that they learned from in this epoch."""
        measured = self._hosts.sum(self._measured).cpu()
        learned = rows.cpu()
        self._losses[learned] = measured[learned]
        self._measured.zero_()

    def state_dict(self) -> dict[str, Tensor]:
        """Return what a checkpoint needs to go on."""
        return {"losses": self._losses}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""
        self._losses.copy_(state["losses"])
