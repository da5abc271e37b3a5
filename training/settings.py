"""What a training run is told: hyperparameters on the command line, places and channels in SM_* variables."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class SettingsError(Exception):
    """The job's settings lack something that the training needs."""


@dataclass(frozen=True)
class Places:
    """Where SageMaker puts what goes in, and looks for what comes out.

    Attributes
    ----------
    training : Path
        The channel to learn from.
    holdout, champion : Path or None
        The channels to be judged on and against, if the job has them.
    model, output, checkpoints : Path
        The folders for the model, for other results, and for checkpoints.
    """

    training: Path
    holdout: Path | None
    champion: Path | None
    model: Path
    output: Path
    checkpoints: Path


def places_from_environment() -> Places:
    """Read the SM_* variables of the SageMaker training toolkit.

    Raises
    ------
    SettingsError
        If there is no training channel.
    """
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))

    def channel(name: str) -> Path | None:
        value = os.environ.get(f"SM_CHANNEL_{name.upper()}")
        return Path(value) if value else None

    training = channel("training") or channel("train")
    if training is None or not training.is_dir():
        raise SettingsError(
            f"There is no training data: SM_CHANNEL_TRAINING is {str(training) if training else 'not set'}. "
            "Give the training job a channel called 'training'."
        )
    return Places(
        training=training,
        holdout=channel("holdout"),
        champion=channel("champion"),
        model=Path(os.environ.get("SM_MODEL_DIR", base / "model")),
        output=Path(os.environ.get("SM_OUTPUT_DATA_DIR", base / "output" / "data")),
        checkpoints=Path(os.environ.get("SM_CHECKPOINT_DIR", base / "checkpoints")),
    )


def parse_hyperparameters(defaults: T, arguments: Sequence[str] | None = None, also: str = "") -> T:
    """Read hyperparameters from the command line, `--learning-rate` and `--learning_rate` alike.

    Parameters
    ----------
    defaults : T
        An instance of a dataclass whose fields carry `help`, and perhaps `least`, `most` or `choices`, in
        their metadata.
    arguments : Sequence[str], optional
        The command line; that of this process by default.
    also : str
        What else the command line may hold, for the help.

    Raises
    ------
    SystemExit
        With a message on standard error, if an argument is unknown, of the wrong type or out of its range.
    """
    parser = argparse.ArgumentParser(
        allow_abbrev=False, description="Train an MNIST network.", epilog=f"Also: {also}" if also else None
    )
    for item in fields(defaults):  # type: ignore[arg-type]
        value = getattr(defaults, item.name)
        kind = _parser_of(type(value), item.metadata.get("least"), item.metadata.get("most"))
        names = dict.fromkeys((f"--{item.name.replace('_', '-')}", f"--{item.name}"))
        flag: dict[str, Any] = {"nargs": "?", "const": True} if isinstance(value, bool) else {}
        parser.add_argument(
            *names,
            dest=item.name,
            type=kind,
            default=value,
            choices=item.metadata.get("choices"),
            help=item.metadata.get("help"),
            **flag,
        )
    return type(defaults)(**vars(parser.parse_args(arguments)))


def _parser_of(kind: type, least: float | None, most: float | None) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        if kind is bool:
            if text.lower() not in ("true", "false", "1", "0"):
                raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
            return text.lower() in ("true", "1")
        try:
            value = kind(text)
        except ValueError:
            wanted = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}") from None
        # Written so that NaN, which compares as false with everything, is refused as well.
        if not ((least is None or value >= least) and (most is None or value <= most)):
            raise argparse.ArgumentTypeError(
                f"{text} is outside {least} to {most if most is not None else 'any'}"
            )
        return value

    return parse
