"""Two MNIST networks, the classic one and a more accurate one, and the file that carries them.

The file is a plain dictionary of tensors, numbers and strings, so that it loads with `weights_only=True`: a
model artifact can carry weights, but no code that runs when it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

IMAGE_SIZE = 28
CLASSES = 10

# Mean and standard deviation of the 60,000 training images, for pixels between 0 and 1.
PIXEL_MEAN = 0.1307
PIXEL_DEVIATION = 0.3081


class ModelFileError(Exception):
    """A model file that this program cannot read or does not know."""


class Network(nn.Module):
    """What all networks here have in common.

    Parameters
    ----------
    dropout : float
        The share of units that training drops.
    """

    name = ""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout

    def config(self) -> dict[str, Any]:
        """Return what `load_network` needs to build this network again."""
        return {"network": self.name, "dropout": self.dropout}


class TwoConvolutions(Network):
    """Convolution 10@5x5, convolution 20@5x5 with 2-D dropout, then 320-50-10: 21,840 parameters.

    The network of PyTorch's own MNIST example of old, which most tutorials train.
    """

    name = "two-convolutions"

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__(dropout)
        self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
        self.conv2 = nn.Conv2d(10, 20, kernel_size=5)
        self.conv2_dropout = nn.Dropout2d(dropout)
        self.hidden = nn.Linear(320, 50)
        self.hidden_dropout = nn.Dropout(dropout)
        self.output = nn.Linear(50, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (N, 10), of normalised images, shape (N, 1, 28, 28)."""
        x = functional.relu(functional.max_pool2d(self.conv1(images), 2))
        x = functional.relu(functional.max_pool2d(self.conv2_dropout(self.conv2(x)), 2))
        x = functional.relu(self.hidden(x.flatten(1)))
        logits: Tensor = self.output(self.hidden_dropout(x))
        return logits


class NormalisedConvolutions(Network):
    """Convolutions, each with batch normalisation, by which it learns fast; then 800-10."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__(dropout)
        self.convolutions = nn.Sequential(*self.layers())
        self.hidden_dropout = nn.Dropout(dropout)
        self.output = nn.Linear(800, CLASSES)

    def layers(self) -> tuple[nn.Module, ...]:
        """Return what comes before the output: 32 channels of 5x5."""
        raise NotImplementedError

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (N, 10), of normalised images, shape (N, 1, 28, 28)."""
        x = self.convolutions(images.contiguous(memory_format=torch.channels_last))
        logits: Tensor = self.output(self.hidden_dropout(x.flatten(1)))
        return logits


class ThreeConvolutions(NormalisedConvolutions):
    """Convolution 12@5x5 with stride 2, 24@3x3, pooling, 32@3x3, then 800-10: 17,950 parameters."""

    name = "three-convolutions"

    def layers(self) -> tuple[nn.Module, ...]:
        """Return the convolutions with their normalisation; the stride makes it cheap."""
        return (
            *_normalised_convolution(1, 12, kernel_size=5, stride=2, padding=2),
            *_normalised_convolution(12, 24, kernel_size=3, stride=1, padding=1),
            nn.MaxPool2d(2),
            *_normalised_convolution(24, 32, kernel_size=3, stride=1, padding=0),
        )


class FourConvolutions(NormalisedConvolutions):
    """Convolutions 16@5x5 and 32@3x3 with stride 2, twice 32@3x3, then 800-10: 31,674 parameters."""

    name = "four-convolutions"

    def layers(self) -> tuple[nn.Module, ...]:
        """Return the convolutions with their normalisation; most of the work is left to 7x7 points."""
        return (
            *_normalised_convolution(1, 16, kernel_size=5, stride=2, padding=2),
            *_normalised_convolution(16, 32, kernel_size=3, stride=2, padding=1),
            *_normalised_convolution(32, 32, kernel_size=3, stride=1, padding=1),
            *_normalised_convolution(32, 32, kernel_size=3, stride=1, padding=0),
        )


NETWORKS: Mapping[str, type[Network]] = {
    kind.name: kind for kind in (TwoConvolutions, ThreeConvolutions, FourConvolutions)
}


def _normalised_convolution(
    channels: int, filters: int, *, kernel_size: int, stride: int, padding: int
) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(channels, filters, kernel_size, stride=stride, padding=padding, bias=False)
    return convolution, nn.BatchNorm2d(filters), nn.ReLU(inplace=True)


def normalise(images: Tensor) -> Tensor:
    """Turn uint8 images of shape (N, 28, 28) into what the network takes: float32 of shape (N, 1, 28, 28)."""
    scale = 1.0 / (255.0 * PIXEL_DEVIATION)
    return images.to(torch.float32).mul_(scale).sub_(PIXEL_MEAN / PIXEL_DEVIATION).unsqueeze_(1)


@torch.inference_mode()
def predict_probabilities(network: nn.Module, images: Tensor, batch_size: int = 1000) -> Tensor:
    """Return the class probabilities, shape (N, 10), of uint8 images of shape (N, 28, 28).

    The images may lie on another device than the network; the answer lies where the images do.
    """
    network.eval()
    device = next(network.parameters()).device
    batches = (images[start : start + batch_size] for start in range(0, len(images), batch_size))
    answers = [functional.softmax(network(normalise(batch.to(device))), dim=1) for batch in batches]
    return (
        torch.cat(answers).to(images.device) if answers else torch.empty((0, CLASSES), device=images.device)
    )


def save_network(network: Network, path: Path, extra: Mapping[str, Any]) -> None:
    """Write the weights with the configuration that rebuilds the network, and `extra` beside them.

    Parameters
    ----------
    network : Network
        The trained network, on any device.
    path : Path
        The file to write.
    extra : Mapping[str, Any]
        More facts about the model, such as versions: numbers, strings, lists and dictionaries only.
    """
    weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    torch.save({"config": network.config(), "state_dict": weights, **extra}, path)


def load_network(file: Path | IO[bytes]) -> Network:
    """Read a file that `save_network` wrote, onto the CPU and ready for inference.

    Raises
    ------
    ModelFileError
        If the file is not such a file, or holds another network.
    """
    name = str(file) if isinstance(file, Path) else "the model file"
    try:
        saved = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # bytes that are no weights make the unpickler stumble in any way
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelFileError(f"{name} cannot be read as saved weights: {reason}") from error
    if not isinstance(saved, dict) or not isinstance(saved.get("config"), dict) or "state_dict" not in saved:
        raise ModelFileError(f"{name} is no model of this program: it has no 'config' and 'state_dict'.")
    config = saved["config"]
    kind = NETWORKS.get(str(config.get("network")))
    if kind is None:
        known = " and ".join(repr(known) for known in NETWORKS)
        raise ModelFileError(
            f"{name} holds the network {config.get('network')!r}; this program knows {known}."
        )
    try:
        network = kind(dropout=float(config["dropout"]))
        network.load_state_dict(saved["state_dict"])
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise ModelFileError(f"{name} does not fit the network {kind.name!r}: {error}") from error
    return network.eval()
