"""Which images an epoch learns from."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hosts import Hosts
from selection import Selection

ONE_HOST = Hosts(0, 1, torch.device("cpu"))


def learned(selection: Selection, epoch: int, losses: torch.Tensor) -> set[int]:
    """Learn one epoch, image by image having the loss that stands in `losses`; return the images."""
    rows = selection.rows(epoch)
    for batch in rows.split(3):
        selection.note(batch, losses[batch])
    selection.end_epoch(rows)
    return set(rows.tolist())


def test_after_the_first_epoch_the_hardest_are_learned_from() -> None:
    selection = Selection(10, 0.3, ONE_HOST)
    losses = torch.tensor([0.1, 9, 0.2, 7, 0.3, 0.4, 8, 0.5, 0.6, 0.7])

    assert learned(selection, 0, losses) == set(range(10))
    assert learned(selection, 1, losses) == {1, 3, 6}


def test_an_image_left_out_comes_in_again_once_others_are_easier() -> None:
    selection = Selection(4, 0.5, ONE_HOST)
    learned(selection, 0, torch.tensor([4.0, 3.0, 2.0, 1.0]))

    assert learned(selection, 1, torch.tensor([0.1, 2.5, 0.0, 0.0])) == {0, 1}
    assert learned(selection, 2, torch.tensor([0.0, 0.2, 0.2, 0.0])) == {1, 2}


def test_an_image_that_no_batch_took_is_learned_from_in_the_next_epoch() -> None:
    selection = Selection(3, 0.4, ONE_HOST)
    selection.note(torch.tensor([0, 1]), torch.tensor([5.0, 6.0]))
    selection.end_epoch(torch.tensor([0, 1]))

    assert selection.rows(1).tolist() == [2]


def test_the_whole_share_is_everything_in_another_order_each_time() -> None:
    selection = Selection(50, 1.0, ONE_HOST)
    orders = [selection.rows(epoch).tolist() for epoch in range(3)]

    assert all(sorted(order) == list(range(50)) for order in orders)
    assert orders[0] != orders[1] != orders[2]


def test_it_goes_on_from_its_state() -> None:
    first, second = Selection(20, 0.25, ONE_HOST), Selection(20, 0.25, ONE_HOST)
    learned(first, 0, torch.rand(20))
    second.load_state_dict(first.state_dict())

    assert set(first.rows(1).tolist()) == set(second.rows(1).tolist())


@given(count=st.integers(1, 40), share=st.floats(0.01, 1), hosts=st.integers(1, 4))
@settings(max_examples=60)
def test_there_is_something_for_every_host_as_far_as_there_are_images(
    count: int, share: float, hosts: int
) -> None:
    selection = Selection(count, share, Hosts(0, hosts, torch.device("cpu")))

    assert selection.size(0) == count
    assert min(hosts, count) <= selection.size(1) <= count
    assert len(selection.rows(1)) == selection.size(1)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_seed_decides_the_order(seed: int) -> None:
    selection = Selection(30, 0.5, ONE_HOST)

    orders = []
    for _ in range(2):
        torch.manual_seed(seed)
        orders.append(selection.rows(0).tolist())

    assert orders[0] == orders[1]
