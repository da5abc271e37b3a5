"""Train a small MNIST network, and score it and the champion on the holdout.

Result of the recipe ``accurate``, which runs unless told otherwise: 99.49 to 99.59 % of the 10,000 test
images right (5 seeds), after one epoch over the 60,000 training images and four over the half of them that
were hardest. Hardware: two virtual cores of an AMD EPYC, no GPU, torch 2.13 for CPU. Times stand in
docs/performance.md. Other recipes are in recipes.py.
"""

from __future__ import annotations

import math
import platform
import shutil
import sys
import time
import zlib
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from checkpoints import CheckpointError, open_checkpoint, read_checkpoint, save_checkpoint
from hosts import Hosts, HostsError, join_hosts, leave
from memory import keep_freed_memory
from mnist_data import DatasetError, Digits, load_holdout, load_training
from network import NETWORKS, ModelFileError, Network, normalise, predict_probabilities, save_network
from onnx_export import ONNX_FILE, ExportError, export_network
from optimizer import Momentum
from predictions import CHALLENGER_FILE, CHAMPION_FILE, MODEL_FILE, accuracy, load_champion, write_predictions
from recipes import Hyperparameters, hyperparameters
from selection import Selection
from settings import Places, SettingsError, places_from_environment
from shifts import shifted
from verification import VERIFICATION_FILE, write_verification
from vision import augmentation


class TrainingError(Exception):
    """The training cannot go on."""


# On so many of the training images the exported model is compared with the network.
EXPORT_IMAGES = 256

# What a person can do something about: reported in one sentence, without a traceback.
EXPECTED_ERRORS = (DatasetError, HostsError, SettingsError, TrainingError)


def train(settings: Hyperparameters, places: Places, hosts: Hosts) -> None:
    """Train, epoch by epoch, from the start or from the checkpoint; then write model and predictions."""
    digits = some_of(load_training(places.training), settings)
    holdout = load_holdout(places.holdout) if places.holdout is not None else None
    identity = {**asdict(settings), "data": agree_on_data(digits, hosts), "hosts": hosts.count}
    hosts.say(
        f"training on {len(digits)} images from {', '.join(digits.sources)}; {hosts.count} host(s), "
        f"{hosts.device.type}, {torch.get_num_threads()} thread(s) each; {settings}"
    )

    # All hosts have the same weights and order; only dropout differs, by host and epoch.
    torch.manual_seed(settings.seed)
    network = NETWORKS[settings.network](settings.dropout)
    # Channels last: the order in which convolutions on a CPU are half again as fast.
    network = network.to(hosts.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = Momentum(network.parameters(), momentum=settings.momentum, weight_decay=settings.weight_decay)
    selection = Selection(len(digits), settings.hardest, hosts)
    finished = resume(places.checkpoints, identity, network, optimizer, selection, hosts)
    hosts.share_weights(network)
    augment = augmentation() if settings.augment else None

    # The images stay where they are computed on, as bytes: a batch is one indexing operation.
    images, labels = digits.images.to(hosts.device), digits.labels.to(hosts.device)
    epochs = [
        batch_bounds(selection.size(epoch), settings.batch_size, hosts.count)
        for epoch in range(settings.epochs)
    ]
    steps, done = sum(map(len, epochs)), sum(map(len, epochs[:finished]))
    answers: Tensor | None = None  # to the holdout, after the last epoch
    for epoch, batches in list(enumerate(epochs))[finished:]:
        started = time.perf_counter()
        network.train()
        torch.manual_seed(settings.seed + 1000 * (epoch + 1))
        order = selection.rows(epoch)
        torch.manual_seed(settings.seed + 1000 * (epoch + 1) + hosts.rank)
        total_loss = torch.zeros((), device=hosts.device)
        for start, end in batches:
            rows = order[start + hosts.rank : end : hosts.count]
            batch = shifted(images[rows], settings.shift)
            if augment is not None:
                batch = augment(batch)
            losses = functional.cross_entropy(
                network(normalise(batch)),
                labels[rows],
                reduction="none",
                label_smoothing=settings.label_smoothing,
            )
            losses.mean().backward()  # type: ignore[no-untyped-call]
            hosts.average_gradients(network)
            done += 1
            optimizer.step(settings.learning_rate * schedule(done / steps, settings.warm_up))
            selection.note(rows, losses.detach())
            total_loss += losses.detach().sum()

        hosts.average_buffers(network)
        seen = batches[-1][1]
        selection.end_epoch(order[:seen])
        train_loss = float(hosts.sum(total_loss)) / seen
        seconds = time.perf_counter() - started
        if not math.isfinite(train_loss):
            raise TrainingError(
                f"The training diverged: the loss of epoch {epoch + 1} is {train_loss}. Lower "
                f"--learning-rate (it is {settings.learning_rate})."
            )
        line = f"epoch={epoch + 1}/{settings.epochs} train_loss={train_loss:.4f}"
        if holdout is not None and hosts.is_first:
            answers = predict_probabilities(network, holdout.images)
            line += f" holdout_accuracy={accuracy(answers.argmax(dim=1), holdout.labels):.4f}"
        hosts.say(f"{line} seconds={seconds:.2f} samples_per_second={seen / seconds:.0f}")
        if hosts.is_first:
            state = {
                "network": network.state_dict(),
                "optimizer": optimizer.state_dict(),
                "selection": selection.state_dict(),
            }
            save_checkpoint(places.checkpoints, {"identity": identity, "epoch": epoch + 1, **state})

    agree_on_weights(network, hosts)
    if hosts.is_first:
        write_model(network, settings, digits, places.model)
        write_served_model(network, digits, places.model, hosts)
        score(network, answers, holdout, places, hosts)
    hosts.wait()


def some_of(digits: Digits, settings: Hyperparameters) -> Digits:
    """Return as many of the images as are asked for, drawn with the training's seed."""
    if not 0 < settings.images < len(digits):
        return digits
    drawn = torch.randperm(len(digits), generator=torch.Generator().manual_seed(settings.seed))
    rows = drawn[: settings.images]
    return Digits(digits.images[rows], digits.labels[rows], digits.sources)


def schedule(progress: float, warm_up: float) -> float:
    """Return the learning rate, as a share of its peak, after `progress` (0 to 1) of all steps.

    A straight line up from a tenth, then a straight line down to nothing (one cycle; L. Smith, N. Topin,
    "Super-convergence", 2018).
    """
    if progress < warm_up:
        return 0.1 + 0.9 * progress / warm_up
    return max(1.0 - progress, 0.0) / (1.0 - warm_up) if warm_up < 1 else 1.0


def batch_bounds(count: int, batch_size: int, hosts: int) -> list[tuple[int, int]]:
    """Cut `count` images into batches of `batch_size`, multiples of `hosts` (some images may stay out)."""
    size = max(batch_size // hosts, 1) * hosts
    ends = [(start, min(start + size, count) // hosts * hosts) for start in range(0, count, size)]
    bounds = [(start, end) for start, end in ends if end > start]
    if not bounds:
        raise TrainingError(
            f"{count} image(s) are too few for {hosts} hosts. Upload more, or use one instance."
        )
    return bounds


def agree_on_data(digits: Digits, hosts: Hosts) -> str:
    """Return a fingerprint of the training data, the same on all hosts."""
    fingerprint = len(digits)
    for tensor in (digits.images, digits.labels):
        fingerprint = zlib.crc32(tensor.numpy().data, fingerprint)
    if not hosts.agree(fingerprint):
        raise TrainingError(
            "The hosts have different training data. Set S3DataDistributionType of the channel 'training' to "
            "FullyReplicated: each host takes its own share of every batch."
        )
    return f"{len(digits)} images, crc32 {fingerprint:08x}"


def agree_on_weights(network: Network, hosts: Hosts) -> None:
    """Make sure that all hosts ended with the same model, as they must if they averaged every gradient."""
    digest = 0
    for weight in network.state_dict().values():
        digest = zlib.crc32(weight.cpu().contiguous().numpy().data, digest)
    if not hosts.agree(digest):
        raise TrainingError("The hosts ended with different weights: their gradients were not averaged.")


def resume(
    folder: Path,
    identity: dict[str, object],
    network: Network,
    optimizer: Momentum,
    selection: Selection,
    hosts: Hosts,
) -> int:
    """Load the checkpoint of this training, if there is one; return how many epochs are done."""
    packed = hosts.share(read_checkpoint(folder) if hosts.is_first else None)
    if packed is None:
        return 0
    try:
        state = open_checkpoint(packed, identity)
    except CheckpointError as error:
        hosts.warn(f"{error}; training starts from the beginning.")
        return 0
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    selection.load_state_dict(state["selection"])
    hosts.say(f"resumed from the checkpoint after epoch {state['epoch']}/{identity['epochs']}")
    return int(state["epoch"])


def write_model(network: Network, settings: Hyperparameters, digits: Digits, folder: Path) -> None:
    """Write the model with its configuration and versions, and the code that serves it anywhere."""
    code = folder / "code"
    code.mkdir(parents=True, exist_ok=True)
    versions = {"python": platform.python_version(), "torch": str(torch.__version__)}
    training = {"hyperparameters": asdict(settings), "images": len(digits), "sources": list(digits.sources)}
    save_network(network, folder / MODEL_FILE, {"versions": versions, "training": training})
    for name in ("inference.py", "network.py"):
        shutil.copyfile(Path(__file__).parent / name, code / name)


def write_served_model(network: Network, digits: Digits, folder: Path, hosts: Hosts) -> None:
    """Write the model for serving without torch; if that fails, say so: torch then serves."""
    rows = torch.arange(0, len(digits), max(len(digits) // EXPORT_IMAGES, 1))[:EXPORT_IMAGES]
    (folder / ONNX_FILE).unlink(missing_ok=True)  # what an interrupted attempt left is another network
    try:
        difference = export_network(network, folder / ONNX_FILE, digits.images[rows])
    except ExportError as error:
        hosts.warn(f"there is no {ONNX_FILE}, so the endpoint will serve {MODEL_FILE} with torch: {error}")
        return
    hosts.say(
        f"{ONNX_FILE}: probabilities of {len(rows)} images differ from {MODEL_FILE}'s by {difference:.1g}"
    )


def score(
    network: Network, answers: Tensor | None, holdout: Digits | None, places: Places, hosts: Hosts
) -> None:
    """Write the predictions of challenger and champion on the holdout, and rows to verify an endpoint by.

    `answers` are the challenger's to the holdout, if this process has asked for them already.
    """
    if holdout is None:
        hosts.say("no channel 'holdout': no predictions are written, and the gate cannot judge this model")
        return
    if answers is None:
        answers = predict_probabilities(network, holdout.images)
    challenger = write_predictions(answers, holdout, places.output / CHALLENGER_FILE)
    hosts.say(f"challenger: accuracy {challenger:.4f} on {len(holdout)} rows, {CHALLENGER_FILE}")
    count = write_verification(holdout, places.output / VERIFICATION_FILE)
    hosts.say(f"{count} of these rows as requests to verify the endpoint with, {VERIFICATION_FILE}")
    if places.champion is None:
        hosts.say("no channel 'champion': nothing to compare with")
        return
    try:
        champion = load_champion(places.champion)
    except ModelFileError as error:
        hosts.warn(f"the champion cannot be loaded, so there is no {CHAMPION_FILE}: {error}")
        return
    others = predict_probabilities(champion.to(hosts.device), holdout.images)
    figure = write_predictions(others, holdout, places.output / CHAMPION_FILE)
    hosts.say(f"champion: accuracy {figure:.4f} on {len(holdout)} rows, {CHAMPION_FILE}")


def main() -> int:
    """Run the training that the environment and the command line describe; return the exit status."""
    settings = hyperparameters()
    keep_freed_memory()
    try:
        places = places_from_environment()
        with join_hosts() as hosts:
            train(settings, places, hosts)
    except EXPECTED_ERRORS as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    leave(main())
