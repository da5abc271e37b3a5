"""Checkpoints: what a training that was interrupted needs to go on, such as after losing a spot instance.

SageMaker keeps `/opt/ml/checkpoints` in S3 while the job runs and puts it back before the next attempt.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

FILE_NAME = "checkpoint.pt"


class CheckpointError(Exception):
    """A checkpoint that cannot be used; the training starts from the beginning instead."""


def save_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Write the checkpoint so that there is, at every moment, a whole one.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    state : Mapping[str, Any]
        Tensors, numbers, strings, lists and dictionaries only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{FILE_NAME}.part"
    torch.save(dict(state), unfinished)
    unfinished.replace(folder / FILE_NAME)


def read_checkpoint(folder: Path) -> bytes | None:
    """Return the checkpoint's bytes, or None if there is none."""
    path = folder / FILE_NAME
    return path.read_bytes() if path.is_file() else None


def open_checkpoint(packed: bytes, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Unpack a checkpoint of this very training.

    Parameters
    ----------
    packed : bytes
        What `read_checkpoint` returned.
    identity : Mapping[str, Any]
        What must be the same for the training to go on from there: its hyperparameters and its data.

    Raises
    ------
    CheckpointError
        If it is spoiled, or belongs to another training.
    """
    try:
        state = torch.load(io.BytesIO(packed), map_location="cpu", weights_only=True)
        saved = state["identity"]
    except Exception as error:  # bytes that are no checkpoint make the unpickler stumble in any way
        raise CheckpointError(f"the checkpoint cannot be read ({type(error).__name__})") from error
    differing = sorted(name for name in {*saved, *identity} if saved.get(name) != identity.get(name))
    if differing:
        raise CheckpointError(f"the checkpoint belongs to a training with another {', '.join(differing)}")
    return dict(state)
