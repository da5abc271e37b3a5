"""The optimizer: the same steps as torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from optimizer import Momentum


def network() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 2))


def learn(model: nn.Module, images: torch.Tensor) -> None:
    model(images).square().sum().backward()


@pytest.mark.parametrize(("momentum", "weight_decay"), [(0.9, 5e-4), (0.0, 0.0), (0.5, 0.0)])
def test_the_steps_are_those_of_torchs_own_optimizer(momentum: float, weight_decay: float) -> None:
    mine, expected = network(), network()
    optimizer = Momentum(mine.parameters(), momentum=momentum, weight_decay=weight_decay)
    reference = torch.optim.SGD(
        expected.parameters(),
        lr=1,
        momentum=momentum,
        weight_decay=weight_decay,
        nesterov=momentum > 0,
        foreach=True,
    )

    for images, rate in zip(torch.rand(6, 4, 5), (0.01, 0.02, 0.05, 0.02, 0.01, 0.0), strict=True):
        learn(mine, images)
        optimizer.step(rate)
        reference.param_groups[0]["lr"] = rate
        reference.zero_grad()
        learn(expected, images)
        reference.step()

    pairs = zip(mine.parameters(), expected.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    assert all(one.grad is None for one in mine.parameters())


def test_it_goes_on_from_its_state_as_if_it_had_not_stopped() -> None:
    whole, stopped = network(), network()
    optimizer = Momentum(whole.parameters(), momentum=0.9, weight_decay=0.1)
    first = Momentum(stopped.parameters(), momentum=0.9, weight_decay=0.1)
    batches = torch.rand(4, 4, 5)

    for number, images in enumerate(batches):
        learn(whole, images)
        optimizer.step(0.01)
        if number == 2:
            again = Momentum(stopped.parameters(), momentum=0.9, weight_decay=0.1)
            again.load_state_dict(first.state_dict())
            first = again
        learn(stopped, images)
        first.step(0.01)

    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), stopped.parameters(), strict=True))


def test_what_has_no_gradient_stays() -> None:
    model = network()
    before = [one.detach().clone() for one in model.parameters()]
    optimizer = Momentum(model.parameters(), momentum=0.9, weight_decay=0.1)
    for one in list(model.parameters())[:2]:
        one.requires_grad_(False)
    learn(model, torch.rand(4, 5))
    optimizer.step(0.1)

    same = [torch.equal(one, other) for one, other in zip(model.parameters(), before, strict=True)]
    assert same == [True, True, False, False]
