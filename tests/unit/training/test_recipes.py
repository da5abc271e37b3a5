"""Recipes, random shifts, and learning from some of the images."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

import train
from hosts import Hosts
from mnist_data import Digits
from network import NETWORKS, load_network, save_network
from recipes import DEFAULT, RECIPES, Hyperparameters, hyperparameters
from shifts import shifted


def test_without_arguments_the_default_recipe_counts() -> None:
    assert hyperparameters([]) == RECIPES[DEFAULT] == Hyperparameters()


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_sets_everything_and_an_argument_wins_over_it(name: str) -> None:
    found = hyperparameters(["--learning-rate", "0.01", "--recipe", name])

    assert found == dataclasses.replace(RECIPES[name], learning_rate=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "fastest"], "invalid choice: 'fastest'"),
        (["--network", "transformer"], "invalid choice: 'transformer'"),
        (["--label-smoothing", "1"], "1 is outside 0 to 0.9"),
        (["--shift", "-1"], "-1 is outside 0 to 8"),
    ],
)
def test_an_unknown_recipe_or_network_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        hyperparameters(arguments)

    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_gives_ten_logits_and_comes_back_from_its_file(name: str, tmp_path: Path) -> None:
    images = torch.rand(3, 1, 28, 28)
    network = NETWORKS[name](dropout=0.1).eval()

    save_network(network, tmp_path / "model.pt", {})
    loaded = load_network(tmp_path / "model.pt")

    assert network(images).shape == (3, 10)
    assert torch.equal(loaded(images), network(images))
    assert loaded.config() == {"network": name, "dropout": 0.1}


def test_a_shift_moves_the_ink_and_loses_none_of_what_stays_inside() -> None:
    images = torch.zeros(2, 28, 28, dtype=torch.uint8)
    images[:, 10:18, 10:18] = 200
    moved = [shifted(images, 2) for _ in range(60)]

    assert all(one.shape == images.shape and one.dtype == torch.uint8 for one in moved)
    assert all(int(one.sum()) == int(images.sum()) for one in moved)
    corners = [tuple(tuple(torch.nonzero(image)[0].tolist()) for image in one) for one in moved]
    assert {row for pair in corners for row, _ in pair} == {8, 9, 10, 11, 12}
    assert {column for pair in corners for _, column in pair} == {8, 9, 10, 11, 12}
    assert any(one != other for one, other in corners)


def test_a_shift_moves_ink_out_over_the_edge_and_background_in() -> None:
    images = torch.full((40, 28, 28), 9, dtype=torch.uint8)

    moved = shifted(images, 1)

    inside = moved[:, 1:-1, 1:-1]
    assert torch.equal(inside, torch.full_like(inside, 9))
    assert {int((one == 0).sum()) for one in moved} <= {0, 28, 55}
    assert torch.equal(images, torch.full_like(images, 9))


def test_a_shift_of_nothing_is_nothing() -> None:
    images = torch.randint(0, 255, (2, 28, 28), dtype=torch.uint8)

    assert shifted(images, 0) is images


def test_some_of_the_images_are_drawn_by_the_seed() -> None:
    digits = Digits(torch.arange(50).view(50, 1, 1).to(torch.uint8), torch.arange(50), ("file",))

    ten = [train.some_of(digits, Hyperparameters(images=10, seed=seed)) for seed in (1, 1, 2)]

    assert [len(one) for one in ten] == [10, 10, 10]
    assert len(set(ten[0].labels.tolist())) == 10
    assert torch.equal(ten[0].labels, ten[1].labels)
    assert not torch.equal(ten[0].labels, ten[2].labels)
    assert torch.equal(ten[0].images.view(-1).to(torch.int64), ten[0].labels)
    assert train.some_of(digits, Hyperparameters(images=50)) is digits


def test_hosts_alone_have_nothing_to_average() -> None:
    network = NETWORKS["three-convolutions"]()
    before = {name: value.clone() for name, value in network.named_buffers()}

    Hosts(0, 1, torch.device("cpu")).average_buffers(network)

    assert all(torch.equal(value, before[name]) for name, value in network.named_buffers())
