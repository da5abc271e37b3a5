"""What can be set about a training, and the recipes that set all of it at once.

Each recipe was chosen on 10,000 of the 60,000 training images that it did not learn from, never on the test
images. Explicit hyperparameters win over the recipe's.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from network import NETWORKS, FourConvolutions, ThreeConvolutions, TwoConvolutions
from settings import parse_hyperparameters

DEFAULT = "accurate"


@dataclass(frozen=True)
class Hyperparameters:
    """What can be set on the command line; the defaults are those of the recipe ``accurate``."""

    network: str = field(
        default=FourConvolutions.name, metadata={"choices": tuple(NETWORKS), "help": "which network"}
    )
    epochs: int = field(default=5, metadata={"least": 1, "help": "passes over the training images"})
    images: int = field(default=0, metadata={"least": 0, "help": "how many to learn from; 0 for all"})
    hardest: float = field(
        default=0.5,
        metadata={
            "least": 0.01,
            "most": 1,
            "help": "share that epochs after the first learn from, hardest first; 1 if many labels are wrong",
        },
    )
    batch_size: int = field(default=64, metadata={"least": 1, "help": "images per step, over all hosts"})
    learning_rate: float = field(default=0.1, metadata={"least": 0, "help": "at its peak, after the warm-up"})
    warm_up: float = field(
        default=0.2, metadata={"least": 0, "most": 1, "help": "share of steps up to the peak"}
    )
    momentum: float = field(default=0.9, metadata={"least": 0, "most": 1, "help": "Nesterov momentum"})
    weight_decay: float = field(default=5e-4, metadata={"least": 0, "help": "L2 penalty on the weights"})
    dropout: float = field(default=0.0, metadata={"least": 0, "most": 0.9, "help": "share of units dropped"})
    label_smoothing: float = field(
        default=0.1, metadata={"least": 0, "most": 0.9, "help": "share of each label given to all classes"}
    )
    shift: int = field(
        default=1, metadata={"least": 0, "most": 8, "help": "largest random shift, in pixels, of each image"}
    )
    augment: bool = field(default=False, metadata={"help": "small random rotations, shifts and zooms"})
    seed: int = field(default=1, metadata={"least": 0, "help": "of weights, order, dropout and augmentation"})


RECIPES: Mapping[str, Hyperparameters] = {
    "accurate": Hyperparameters(),
    "quick": Hyperparameters(
        network=ThreeConvolutions.name, epochs=1, batch_size=128, learning_rate=0.2, shift=0
    ),
    "classic": Hyperparameters(
        network=TwoConvolutions.name,
        epochs=3,
        batch_size=128,
        hardest=1.0,
        warm_up=0.25,
        dropout=0.05,
        label_smoothing=0.0,
        shift=0,
    ),
    "fast": Hyperparameters(
        network=TwoConvolutions.name, epochs=1, images=16_000, batch_size=32, learning_rate=0.1, shift=0
    ),
}
"""
``accurate``: what runs unless told otherwise. ``quick``: one pass, for a first look. ``classic``: the network
of PyTorch's own example, trained to its limit. ``fast``: that network to 97.7 % as soon as possible.
"""


def hyperparameters(arguments: Sequence[str] | None = None) -> Hyperparameters:
    """Read the command line: a recipe, and whatever is to differ from it.

    Raises
    ------
    SystemExit
        With a message on standard error, if an argument is unknown or unusable.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--recipe", choices=tuple(RECIPES), default=DEFAULT)
    chosen, rest = parser.parse_known_args(arguments)
    return parse_hyperparameters(RECIPES[chosen.recipe], rest, also=f"--recipe {{{','.join(RECIPES)}}}")
