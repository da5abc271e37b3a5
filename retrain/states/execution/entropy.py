"""Chance that can be repeated, for UUIDs, random numbers and jitter."""

from __future__ import annotations

import random
import uuid

from retrain.states.data.randomness import JavaRandom


class SeededEntropy:
    """The same in every run with the same seed.

    Parameters
    ----------
    seed : int
        Any number.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def uuid(self) -> str:
        """Return the next UUID."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def random(self, seed: int | None = None) -> float:
        """Return the next number from 0 up to 1; the same for the same seed."""
        return self._random.random() if seed is None else JavaRandom(seed).double()
