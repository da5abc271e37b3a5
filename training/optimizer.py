"""Stochastic gradient descent with momentum: torch's own, by its functional form.

`torch.optim.SGD` does the same sums, but imports torch's compiler first (torch 2.13), which takes as long as
importing torch itself and is never used here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd


class Momentum:
    """SGD with Nesterov momentum and weight decay.

    Parameters
    ----------
    parameters : Iterable[nn.Parameter]
        What is learned.
    momentum : float
        The share of the last step that goes into the next; 0 for none.
    weight_decay : float
        The L2 penalty.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], *, momentum: float, weight_decay: float) -> None:
        self._parameters: list[Tensor] = list(parameters)
        self._steps: list[Tensor | None] = [None] * len(self._parameters)
        self._momentum = momentum
        self._weight_decay = weight_decay

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Move every parameter down its gradient, and forget the gradients."""
        learned = [place for place, one in enumerate(self._parameters) if one.grad is not None]
        steps = [self._steps[place] for place in learned]
        sgd(
            [self._parameters[place] for place in learned],
            [gradient for one in self._parameters if (gradient := one.grad) is not None],
            steps,
            foreach=True,
            weight_decay=self._weight_decay,
            momentum=self._momentum,
            lr=learning_rate,
            dampening=0.0,
            nesterov=self._momentum > 0,
            maximize=False,
        )
        for place, last in zip(learned, steps, strict=True):
            self._steps[place] = last
        for one in self._parameters:
            one.grad = None

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs to go on."""
        return {"steps": list(self._steps)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        self._steps = [
            None if saved is None else torch.empty_like(one).copy_(saved)
            for saved, one in zip(state["steps"], self._parameters, strict=True)
        ]
